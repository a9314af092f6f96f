//! `/cgi-bin/token` and `/cgi-bin/stable_token`.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/dev/AccessToken.html>

use serde_json::{Value, json};

use super::errcode::{self, Errcode};
use super::token::Grant;
use super::{ApiReply, ApiRequest};
use crate::account::Account;
use crate::state::State;

/// `GET /cgi-bin/token?grant_type=client_credential&appid=…&secret=…`
pub fn token(
    state: &mut State,
    account: &Account,
    now_ms: u64,
    request: &ApiRequest,
) -> Result<ApiReply, Errcode> {
    request.want_get()?;
    let [kind, appid, secret] = ["grant_type", "appid", "secret"].map(|name| request.parameter(name));
    check(account, kind, appid, secret)?;
    let grant = state.tokens.plain(now_ms, state.account_type.token_quota())?;
    Ok(body(&grant))
}

/// `POST /cgi-bin/stable_token`
pub fn stable_token(
    state: &mut State,
    account: &Account,
    now_ms: u64,
    request: &ApiRequest,
) -> Result<ApiReply, Errcode> {
    request.want_post()?;
    let asked = request.json()?;
    let [kind, appid, secret] = ["grant_type", "appid", "secret"].map(|name| filled(&asked, name));
    check(account, kind, appid, secret)?;
    let force = asked.get("force_refresh").and_then(Value::as_bool).unwrap_or_default();
    Ok(body(&state.tokens.stable(force, now_ms)?))
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
