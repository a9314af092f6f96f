//! WeChat's own API, for this account's other programs: they come with a name and a secret of their own instead of
//! the account's, and need to change nothing but the address.

mod proxy;

use super::App;
use crate::digest::mac;
use crate::gateway::client::{Client, by_id};
use crate::platform::{Millis, Platform, Request, Response};
use crate::wechat::api::ApiError;

/// Whether a path is one of WeChat's API, perhaps after the version of this one: `/v1/cgi-bin/…`.
pub fn is_ours(segments: &[&str]) -> bool {
    let rest = segments.strip_prefix(&["v1"]).unwrap_or(segments);
    matches!(rest, ["cgi-bin" | "sns" | "wxa" | "wxaapi" | "customservice" | "datacube", _, ..])
}

/// Every route of WeChat's API. Errors are in WeChat's form too: status 200 with an `errcode`.
pub async fn route<P: Platform>(request: &Request, segments: &[&str], platform: &P, app: &App) -> Response {
    if segments == ["cgi-bin", "token"] {
        let mut appid = String::new();
        for (name, value) in form_urlencoded::parse(request.query.as_bytes()) {
            if name == "appid" {
                appid = value.into_owned();
            }
        }
        let expiry = platform.now() / 1000 + 7200;
        let body = format!("{appid}.{expiry}.0123456789abcdef");
        let sign =
            by_id(&app.config.api_clients, &appid).map(|client| sign(app, client, &body)).unwrap_or_default();
        let token = serde_json::json!({"access_token": format!("{body}.{sign}"), "expires_in": 7200});
        return Response::new(200, "application/json", crate::json::text(&token));
    }
    Box::pin(proxy::forward(request, segments, platform, app)).await
}

fn sign(app: &App, client: &Client, body: &str) -> String {
    let secret = app.config.account.as_ref().map(|account| account.secret.expose()).unwrap_or_default();
    mac(secret, client.secret.as_str(), body)
}

/// The client whose token this is.
pub fn client_of<'a>(request: &Request, app: &'a App, now: Millis) -> Result<&'a Client, ApiError> {
    let error = |errcode, errmsg: &str| ApiError { errcode, errmsg: errmsg.to_owned() };
    let mut pairs = form_urlencoded::parse(request.query.as_bytes());
    let token = pairs.find(|(name, _)| name == "access_token").map(|(_, token)| token.into_owned());
    let token = token.ok_or_else(|| error(41001, "access_token missing"))?;
    let invalid = || error(40001, "invalid credential, access_token is invalid or not latest");
    let (body, given) = token.rsplit_once('.').ok_or_else(invalid)?;
    let (rest, _) = body.rsplit_once('.').ok_or_else(invalid)?;
    let (id, expiry) = rest.rsplit_once('.').ok_or_else(invalid)?;
    let client = by_id(&app.config.api_clients, id).ok_or_else(invalid)?;
    if !crate::wechat::signature::same(sign(app, client, body).as_bytes(), given.as_bytes()) {
        return Err(invalid());
    }
    match expiry.parse::<u64>() {
        Ok(expiry) if now < expiry * 1000 => Ok(client),
        _ => Err(error(42001, "access_token expired")),
    }
}
