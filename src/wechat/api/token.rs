//! The account's access token.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html>

use super::super::{AppId, Secret};
use super::error::integer;
use super::{ApiError, ApiRequest, UNREADABLE, check, post_json};
use crate::json::json;
use serde_json::Value;

/// An access token as WeChat gives it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The token; up to 512 characters.
    pub access_token: Secret,
    /// Seconds that it stays valid, at most 7200.
    pub expires_in: u64,
}

/// Asks for the token without invalidating the one in use. Needs no access token of its own.
///
/// `force_refresh` invalidates the current one: at most 20 times a day and every 30 seconds.
pub fn stable_token(app_id: &AppId, secret: &Secret, force_refresh: bool) -> ApiRequest {
    let body = json!({
        "grant_type": "client_credential",
        "appid": app_id.as_str(),
        "secret": secret.expose(),
        "force_refresh": force_refresh,
    });
    post_json("/cgi-bin/stable_token", &body)
}

/// Reads the answer; `expires_in` may be a string.
///
/// # Errors
/// WeChat's error, or [`UNREADABLE`] when a field is missing. 40001 means a wrong secret here, not an old token.
pub fn parse(answer: &str) -> Result<AccessToken, ApiError> {
    let value = check(answer)?;
    let access_token = value.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    let expires_in =
        value.get("expires_in").and_then(integer).and_then(|seconds| u64::try_from(seconds).ok());
    match (access_token, expires_in) {
        (Some(token), Some(expires_in)) => Ok(AccessToken { access_token: Secret::new(token), expires_in }),
        _ => Err(ApiError::new(UNREADABLE, "the answer has no access_token with expires_in")),
    }
}
