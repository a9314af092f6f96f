//! The five routes of CloudBase's integration, from server to server.

use crate::error::Error;
use crate::handlers::App;
use crate::platform::{Platform, Request, Response};

/// `POST /oauth/{config,token,refresh,userinfo,verify}`
pub async fn serve<P: Platform>(
    _request: &Request,
    _platform: &P,
    _app: &App,
    _what: &str,
) -> Result<Response, Error> {
    Err(Error::NotFound)
}
