//! provisional
use crate::handlers::App;
use crate::login::client::Client;
use crate::login::request::AuthRequest;
use crate::login::session::Answer;
use crate::platform::{Platform, Request};

/// provisional
pub async fn legacy_message<P: Platform>(
    _p: &P,
    _app: &App,
    _r: &Request,
    _c: &Client,
    _asked: &AuthRequest,
    _answer: &Answer,
) -> Result<String, String> {
    Err("in work".to_owned())
}
