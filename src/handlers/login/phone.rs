//! The phone: it scans, goes to another's login page, comes back, and confirms.

use crate::error::Error;
use crate::handlers::App;
use crate::platform::{Platform, Request, Response};

/// `GET /m/<login><token>`
pub async fn scan<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _scanned: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `GET /oauth/s/<login>/go/<method>`
pub async fn go<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _login: &str,
    _method: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `GET /oauth/<method>`
pub async fn arrive<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _from: crate::login::method::Method,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `GET /oauth/confirm/<login>`
pub async fn consent<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _login: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `POST /oauth/confirm/<login>`
pub async fn answer<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _login: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}
