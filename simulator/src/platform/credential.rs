//! `/cgi-bin/token` and `/cgi-bin/stable_token`.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/dev/AccessToken.html>

use serde_json::{Value, json};

use super::ApiReply;
use super::account_type::Right;
use super::api::{Api, Call};
use super::errcode::{self, Errcode};
use super::token::Grant;
use crate::account::Account;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::get("/cgi-bin/token", Right::Basic, token).without_token().daily(2000),
    Api::post("/cgi-bin/stable_token", Right::Basic, stable_token).without_token(),
];

/// `GET /cgi-bin/token?grant_type=client_credential&appid=…&secret=…`
fn token(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let [kind, appid, secret] = ["grant_type", "appid", "secret"].map(|name| call.request.parameter(name));
    check(call.account, kind, appid, secret)?;
    Ok(body(&call.state.tokens.plain(call.now_ms)))
}

/// `POST /cgi-bin/stable_token`
fn stable_token(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let [kind, appid, secret] = ["grant_type", "appid", "secret"].map(|name| filled(&asked, name));
    check(call.account, kind, appid, secret)?;
    let force = asked.get("force_refresh").and_then(Value::as_bool).unwrap_or_default();
    Ok(body(&call.state.tokens.stable(force, call.now_ms)?))
}

fn check(
    account: &Account,
    kind: Option<&str>,
    appid: Option<&str>,
    secret: Option<&str>,
) -> Result<(), Errcode> {
    let appid = appid.ok_or(errcode::APP_ID_MISSING)?;
    let secret = secret.ok_or(errcode::APP_SECRET_MISSING)?;
    if kind != Some("client_credential") {
        return Err(errcode::GRANT_TYPE);
    }
    if appid != account.app_id {
        return Err(errcode::APP_ID);
    }
    if account.app_secret.as_deref() != Some(secret) {
        return Err(errcode::APP_SECRET);
    }
    Ok(())
}

fn filled<'a>(asked: &'a Value, name: &str) -> Option<&'a str> {
    asked.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Success has no errcode.
fn body(grant: &Grant) -> ApiReply {
    ApiReply::Json(json!({ "access_token": grant.access_token, "expires_in": grant.expires_in }))
}
