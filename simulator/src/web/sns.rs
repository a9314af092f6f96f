//! `/sns/…`: codes for tokens, tokens for people. For the account and for the website of the Open Platform.
//!
//! <https://developers.weixin.qq.com/doc/service/guide/h5/auth>

use serde_json::{Value, json};

use super::grants::{ACCESS_S, App, Consent, Scope, Session};
use super::{SNAPSHOT_NICKNAME, avatar};
use crate::account::Account;
use crate::platform::ApiReply;
use crate::platform::account_type::Right;
use crate::platform::api::{Api, Call};
use crate::platform::errcode::{self, Errcode};
use crate::state::State;

/// The family's APIs. A website needs no right of the account, so each looks whose app it is by itself.
pub const APIS: &[Api] = &[
    Api::get("/sns/oauth2/access_token", Right::Basic, access_token).without_token(),
    Api::get("/sns/oauth2/refresh_token", Right::Basic, refresh_token).without_token(),
    Api::get("/sns/userinfo", Right::Basic, userinfo).without_token(),
    Api::get("/sns/auth", Right::Basic, auth).without_token(),
];

/// `GET /sns/oauth2/access_token?appid=…&secret=…&code=…&grant_type=authorization_code`
fn access_token(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let [appid, secret, code, kind] =
        ["appid", "secret", "code", "grant_type"].map(|name| call.request.parameter(name));
    let (app, right_secret) = app(call, appid)?;
    let secret = secret.ok_or(errcode::APP_SECRET_MISSING)?;
    if right_secret != Some(secret) {
        return Err(errcode::APP_SECRET);
    }
    let code = code.ok_or(errcode::CODE_MISSING)?;
    if kind != Some("authorization_code") {
        return Err(errcode::GRANT_TYPE);
    }
    let session = call.state.web.grants.redeem(code, app, call.now_ms)?;
    let mut body = tokens(&session);
    if session.consent.person.is_none() {
        insert(&mut body, "is_snapshotuser", json!(1));
    }
    if session.consent.scope != Scope::Base {
        insert_unionid(&mut body, call.state, &session.consent);
    }
    Ok(ApiReply::Json(body))
}

/// `GET /sns/oauth2/refresh_token?appid=…&grant_type=refresh_token&refresh_token=…`
fn refresh_token(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let [appid, token, kind] =
        ["appid", "refresh_token", "grant_type"].map(|name| call.request.parameter(name));
    let (app, _) = app(call, appid)?;
    let token = token.ok_or(errcode::REFRESH_TOKEN_MISSING)?;
    if kind != Some("refresh_token") {
        return Err(errcode::GRANT_TYPE);
    }
    let session = call.state.web.grants.refresh(token, app, call.now_ms)?;
    Ok(ApiReply::Json(tokens(&session)))
}

/// `GET /sns/userinfo?access_token=…&openid=…&lang=zh_CN`: since 2021 without sex and region.
fn userinfo(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let consent = checked(call)?;
    if consent.scope == Scope::Base {
        return Err(errcode::UNAUTHORIZED);
    }
    let nickname = match &consent.person {
        Some(openid) => call.state.people.get(openid).ok_or(errcode::OPENID)?.nickname.clone(),
        None => SNAPSHOT_NICKNAME.to_owned(),
    };
    // One person has one picture, whichever app looks.
    let picture = consent.person.as_deref().unwrap_or(&consent.openid);
    let mut body = json!({
        "openid": consent.openid,
        "nickname": nickname,
        "sex": 0,
        "language": "",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": avatar::url(&call.state.base_url, picture),
        "privilege": [],
    });
    insert_unionid(&mut body, call.state, &consent);
    Ok(ApiReply::Json(body))
}

/// `GET /sns/auth?access_token=…&openid=…`
fn auth(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    checked(call)?;
    Ok(ApiReply::Json(json!({ "errcode": 0, "errmsg": "ok" })))
}

fn checked(call: &Call<'_>) -> Result<Consent, Errcode> {
    let token = call.request.parameter("access_token").ok_or(errcode::TOKEN_MISSING)?;
    let openid = call.request.parameter("openid").ok_or(errcode::OPENID_MISSING)?;
    call.state.web.grants.check(token, openid, call.now_ms).cloned()
}

/// The app with this id, and its secret.
fn app<'a>(call: &Call<'a>, appid: Option<&str>) -> Result<(App, Option<&'a str>), Errcode> {
    let appid = appid.ok_or(errcode::APP_ID_MISSING)?;
    let account: &'a Account = call.account;
    if appid == account.app_id {
        let allowed = call.state.account_type.has(Right::Oauth);
        let app = (App::Account, account.app_secret.as_deref());
        return if allowed { Ok(app) } else { Err(errcode::UNAUTHORIZED) };
    }
    let open = account.open_app.as_ref().filter(|open| appid == open.app_id).ok_or(errcode::APP_ID)?;
    Ok((App::Website, Some(&open.secret)))
}

/// Success has no errcode.
fn tokens(session: &Session) -> Value {
    json!({
        "access_token": session.access_token,
        "expires_in": ACCESS_S,
        "refresh_token": session.refresh_token,
        "openid": session.consent.openid,
        "scope": session.consent.scope.name(),
    })
}

fn insert_unionid(body: &mut Value, state: &State, consent: &Consent) {
    let person = consent.person.as_deref().and_then(|openid| state.people.get(openid));
    if let Some(unionid) = person.and_then(|person| person.unionid.as_ref()) {
        insert(body, "unionid", json!(unionid));
    }
}

fn insert(body: &mut Value, name: &str, value: Value) {
    if let Some(members) = body.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
