//! WeChat's own API, for this account's other programs: they come with a name and a secret of their own instead of
//! the account's, and need to change nothing but the address.

mod proxy;
mod said;
mod token;

use super::App;
use crate::config::Account;
use crate::gateway::client::{self, Client};
use crate::json::json;
use crate::platform::{Millis, Platform, Request, Response};
use crate::wechat::api::ApiError;

/// Whether a path is one of WeChat's API, perhaps after the version of this one: `/v1/cgi-bin/…`.
pub fn is_ours(segments: &[&str]) -> bool {
    let rest = segments.strip_prefix(&["v1"]).unwrap_or(segments);
    matches!(rest, ["cgi-bin" | "sns" | "wxa" | "wxaapi" | "customservice" | "datacube", _, ..])
}

/// Every route of WeChat's API. Errors are in WeChat's form too: status 200 with an `errcode`.
pub async fn route<P: Platform>(request: &Request, segments: &[&str], platform: &P, app: &App) -> Response {
    let path = segments.strip_prefix(&["v1"]).unwrap_or(segments);
    match path {
        ["cgi-bin", "token" | "stable_token"] | ["cgi-bin", "ticket", "getticket"] => {
            Box::pin(token::route(request, path, platform, app)).await
        }
        _ => Box::pin(proxy::forward(request, path, platform, app)).await,
    }
}

/// The client whose token the request brings in its query.
///
/// # Errors
/// 41001, 40001 or 42001, as WeChat has them; -1 if the account has no secret yet, so that nobody can have a token.
pub fn client_of<'a>(request: &Request, app: &'a App, now: Millis) -> Result<&'a Client, ApiError> {
    let token = parameter(request, "access_token").unwrap_or_default();
    client::by_token(&app.config.api_clients, &account(app)?.secret, &token, now)
}

fn account(app: &App) -> Result<&Account, ApiError> {
    app.config
        .account
        .as_ref()
        .ok_or_else(|| ApiError::new(-1, "system error: the account has no secret here"))
}

/// A parameter of the query: of one that is repeated, the first, as WeChat reads it.
pub fn parameter(request: &Request, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(request.query.as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// A refusal in WeChat's form, with the name of the request as its `rid`.
pub fn refusal(request: &Request, error: &ApiError) -> Response {
    let errmsg = format!("{} rid: {}", error.errmsg, request.id);
    answer(&json!({ "errcode": error.errcode, "errmsg": errmsg }))
}

/// An answer in WeChat's form.
pub fn answer(value: &serde_json::Value) -> Response {
    Response::new(200, "application/json; charset=utf-8", crate::json::text(value))
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
}
