//! One attempt in the browser that began it: its page, and what the page asks for.

use crate::error::Error;
use crate::handlers::App;
use crate::platform::{Platform, Request, Response};

/// `GET /oauth/s/<login>`
pub async fn page<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _login: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `GET /oauth/s/<login>/status`
pub async fn status<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _login: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `GET /oauth/s/<login>/watch`
pub async fn watch<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _login: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `POST /oauth/s/<login>/finish`
pub async fn finish<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _login: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `POST /oauth/s/<login>/number`
pub async fn number<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _login: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}

/// `POST /oauth/s/<login>/typed`
pub async fn typed<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _login: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}
