//! The OpenID provider.

use crate::error::Error;
use crate::handlers::App;
use crate::platform::{Platform, Request, Response};

/// `GET /.well-known/openid-configuration`
pub async fn discovery<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `GET /.well-known/jwks.json`
pub async fn jwks<P: Platform>(_request: &Request, _platform: &P, _app: &App) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `POST /token`
pub async fn token<P: Platform>(_request: &Request, _platform: &P, _app: &App) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `GET` and `POST /userinfo`
pub async fn userinfo<P: Platform>(_request: &Request, _platform: &P, _app: &App) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `GET` and `POST /logout`
pub async fn logout<P: Platform>(_request: &Request, _platform: &P, _app: &App) -> Result<Response, Error> {
    Err(Error::NotFound)
}
