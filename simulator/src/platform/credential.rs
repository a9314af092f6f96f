//! `/cgi-bin/token` and `/cgi-bin/stable_token`.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/dev/AccessToken.html>

use serde_json::{Value, json};

use super::ApiReply;
use super::account_type::Right;
use super::api::{Api, App, Call};
use super::errcode::{self, Errcode};
use super::token::{Grant, Tokens};

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::get("/cgi-bin/token", Right::Basic, token).without_token().daily(2000),
    Api::post("/cgi-bin/stable_token", Right::Basic, stable_token).without_token(),
];

/// `GET /cgi-bin/token?grant_type=client_credential&appid=…&secret=…`
fn token(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let [kind, appid, secret] = ["grant_type", "appid", "secret"].map(|name| call.request.parameter(name));
    let now_ms = call.now_ms;
    Ok(body(&tokens(call, kind, appid, secret)?.plain(now_ms)))
}

/// `POST /cgi-bin/stable_token`
fn stable_token(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let [kind, appid, secret] = ["grant_type", "appid", "secret"].map(|name| filled(&asked, name));
    let force = asked.get("force_refresh").and_then(Value::as_bool).unwrap_or_default();
    let now_ms = call.now_ms;
    Ok(body(&tokens(call, kind, appid, secret)?.stable(force, now_ms)?))
}

/// The tokens of the app that these secrets belong to: the account, or its Mini Program.
fn tokens<'a>(
    call: &'a mut Call<'_>,
    kind: Option<&str>,
    appid: Option<&str>,
    secret: Option<&str>,
) -> Result<&'a mut Tokens, Errcode> {
    let appid = appid.ok_or(errcode::APP_ID_MISSING)?;
    let secret = secret.ok_or(errcode::APP_SECRET_MISSING)?;
    if kind != Some("client_credential") {
        return Err(errcode::GRANT_TYPE);
    }
    match call.account.app(appid, secret)? {
        App::Official => Ok(&mut call.state.tokens),
        App::Mini => Ok(&mut call.state.mini.tokens),
    }
}

fn filled<'a>(asked: &'a Value, name: &str) -> Option<&'a str> {
    asked.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Success has no errcode.
fn body(grant: &Grant) -> ApiReply {
    ApiReply::Json(json!({ "access_token": grant.access_token, "expires_in": grant.expires_in }))
}
