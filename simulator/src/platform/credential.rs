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
pub const APIS: &[Api] = &[TOKEN, STABLE_TOKEN];

const TOKEN: Api = Api::get("/cgi-bin/token", Right::Basic, token).without_token().daily(2000);
const STABLE_TOKEN: Api =
    Api::post("/cgi-bin/stable_token", Right::Basic, stable_token).without_token().daily(500_000);

/// Calls of `stable_token` within a minute.
const A_MINUTE: u32 = 10_000;

/// `GET /cgi-bin/token?grant_type=client_credential&appid=…&secret=…`
fn token(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let [kind, appid, secret] = ["grant_type", "appid", "secret"].map(|name| call.request.parameter(name));
    call.app = app(call, kind, appid, secret)?;
    TOKEN.count(call)?;
    let now_ms = call.now_ms;
    Ok(body(&tokens(call).plain(now_ms)))
}

/// `POST /cgi-bin/stable_token`
fn stable_token(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let [kind, appid, secret] = ["grant_type", "appid", "secret"].map(|name| filled(&asked, name));
    let force = asked.get("force_refresh").and_then(Value::as_bool).unwrap_or_default();
    call.app = app(call, kind, appid, secret)?;
    STABLE_TOKEN.count(call)?;
    let now_ms = call.now_ms;
    if !call.quotas().take_in_minute(STABLE_TOKEN.path, A_MINUTE, now_ms) {
        return Err(errcode::MINUTE_QUOTA);
    }
    Ok(body(&tokens(call).stable(force, now_ms)?))
}

/// The app that these secrets belong to: the account, or its Mini Program.
fn app(
    call: &Call<'_>,
    kind: Option<&str>,
    appid: Option<&str>,
    secret: Option<&str>,
) -> Result<App, Errcode> {
    let appid = appid.ok_or(errcode::APP_ID_MISSING)?;
    let secret = secret.ok_or(errcode::APP_SECRET_MISSING)?;
    if kind != Some("client_credential") {
        return Err(errcode::GRANT_TYPE);
    }
    call.account.app(appid, secret)
}

fn tokens<'a>(call: &'a mut Call<'_>) -> &'a mut Tokens {
    match call.app {
        App::Official => &mut call.state.tokens,
        App::Mini => &mut call.state.mini.tokens,
    }
}

fn filled<'a>(asked: &'a Value, name: &str) -> Option<&'a str> {
    asked.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Success has no errcode.
fn body(grant: &Grant) -> ApiReply {
    ApiReply::Json(json!({ "access_token": grant.access_token, "expires_in": grant.expires_in }))
}
