//! Where a website sends a browser: the pop-up's `/oauth` and OpenID's `/authorize`.

use crate::error::Error;
use crate::handlers::App;
use crate::platform::{Platform, Request, Response};

/// `GET /oauth`
pub async fn oauth<P: Platform>(_request: &Request, _platform: &P, _app: &App) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `GET` and `POST /authorize`
pub async fn authorize<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}
