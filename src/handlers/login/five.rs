//! The five routes of CloudBase's integration for official accounts, from server to server: a website's server brings
//! the code that WeChat gave to its own page, and gets what WeChat says about it.
//!
//! Off until a client has a secret, and never for browsers: what comes back are openids and tokens.
//! <https://docs.cloudbase.net/en/integration/wechat-official-oauth>

use serde_json::{Map, Value};

use super::identity::in_short;
use crate::config::Account;
use crate::error::Error;
use crate::gateway::send::SendError;
use crate::handlers::{App, ask_wechat};
use crate::json::{Put, json};
use crate::log::Line;
use crate::login::Digest;
use crate::platform::{Platform, Request, Response};
use crate::wechat::api::sns::{self, Grant, UserToken};
use crate::wechat::api::{ApiError, ApiRequest, Reaction, check};
use crate::wechat::{OpenId, Secret, signature};

/// Why there are no data.
enum Refusal {
    /// No secret of a client.
    Unauthorized,
    /// The body is not what it should be.
    Body(String),
    /// `APP_ID` or `APP_SECRET` is missing.
    NotConfigured,
    /// WeChat refused.
    WeChat(ApiError),
    /// WeChat did not answer.
    Unreachable(String),
}

impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Refused(error) => Self::WeChat(error),
            SendError::Token(failure) => Self::Unreachable(failure.to_string()),
            SendError::Unknown(reason) => Self::Unreachable(reason),
        }
    }
}

/// `POST /oauth/{config,token,refresh,userinfo,verify}`
///
/// 1. there is no such route unless a client has a secret
/// 2. `Authorization: Bearer` and such a secret
/// 3. the body is JSON; ask WeChat
/// 4. `{code: 0, msg: "success", data}` or `{code: -1, msg, data: null}`
pub async fn serve<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    what: &str,
) -> Result<Response, Error> {
    let secrets: Vec<&Digest> =
        app.config.login.clients.iter().filter_map(|client| client.secret.as_ref()).collect();
    if secrets.is_empty() {
        return Err(Error::NotFound);
    }
    let outcome = if is_authorized(request, &secrets) {
        data(request, platform, app, what).await
    } else {
        Err(Refusal::Unauthorized)
    };
    Ok(match outcome {
        Ok(data) => envelope(200, json!({ "code": 0, "msg": "success", "data": data })),
        Err(refusal) => {
            platform.log(&Line::warn("five.refused", format_args!("{what}: {}", for_log(&refusal))));
            refused(&refusal)
        }
    })
}

/// Whether the request brings the secret of a client. All are compared, so that the time says nothing of which.
fn is_authorized(request: &Request, secrets: &[&Digest]) -> bool {
    let Some(given) = request.credentials("bearer").map(Digest::of) else { return false };
    let same = |known: &&&Digest| signature::same(known.as_str().as_bytes(), given.as_str().as_bytes());
    secrets.iter().filter(same).count() > 0
}

async fn data<P: Platform>(request: &Request, platform: &P, app: &App, what: &str) -> Result<Value, Refusal> {
    let Account { app_id, secret } = app.config.account.as_ref().ok_or(Refusal::NotConfigured)?;
    let body = body(&request.body)?;
    let text = |name: &str| text(&body, name);
    match what {
        "config" => Ok(json!({ "appId": app_id.as_str() })),
        "token" => {
            let call = sns::access_token(app_id, secret, text("code")?);
            Ok(grant(&ask_wechat(platform, app, &call, sns::parse_grant).await?))
        }
        "refresh" => {
            let call = sns::refresh_token(app_id, &Secret::new(text("refresh_token")?));
            Ok(grant(&ask_wechat(platform, app, &call, sns::parse_grant).await?))
        }
        "userinfo" => {
            let (token, openid) = (UserToken::new(text("access_token")?), OpenId::new(text("openid")?));
            let call = sns::user_info(&token, &openid, body_lang(&body));
            Ok(ask_wechat(platform, app, &call, check).await?)
        }
        _ => {
            let (token, openid) = (UserToken::new(text("access_token")?), OpenId::new(text("openid")?));
            verify(platform, app, &sns::verify(&token, &openid)).await
        }
    }
}

/// Whether the token is valid. What says nothing about the token is an error, not a no.
async fn verify<P: Platform>(platform: &P, app: &App, call: &ApiRequest) -> Result<Value, Refusal> {
    match ask_wechat(platform, app, call, check).await {
        Ok(_) => Ok(json!({ "valid": true })),
        Err(SendError::Refused(error)) => match error.reaction() {
            Reaction::BackOff | Reaction::Wait { .. } | Reaction::StopForToday | Reaction::AllowIp => {
                Err(Refusal::WeChat(error))
            }
            _ => Ok(json!({ "valid": false })),
        },
        Err(error) => Err(error.into()),
    }
}

/// As WeChat names it; what is not there is left out.
fn grant(grant: &Grant) -> Value {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.put(name, value);
    put("openid", grant.openid.as_str().into());
    put("access_token", grant.access_token.expose().into());
    put("expires_in", grant.expires_in.into());
    put("scope", grant.scope.as_str().into());
    if let Some(token) = &grant.refresh_token {
        put("refresh_token", token.expose().into());
    }
    if let Some(unionid) = &grant.unionid {
        put("unionid", unionid.as_str().into());
    }
    // Nobody but the website can see to it that no such person is logged in there.
    if grant.is_snapshot {
        put("is_snapshotuser", 1.into());
    }
    data.into()
}

/// A JSON object; nothing at all is an empty one.
fn body(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match crate::json::value(bytes) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(Refusal::Body("the body is not a JSON object".to_owned())),
    }
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let found = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.ok_or_else(|| Refusal::Body(format!("{name} is missing")))
}

/// The languages that WeChat knows: <https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo>.
fn body_lang(body: &Map<String, Value>) -> &'static str {
    match body.get("lang").and_then(Value::as_str) {
        Some("zh_TW") => "zh_TW",
        Some("en") => "en",
        _ => "zh_CN",
    }
}

/// Nothing of what was sent: no code, token or openid.
fn for_log(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Unauthorized => "no client's secret was given".to_owned(),
        Refusal::Body(fault) => fault.clone(),
        Refusal::NotConfigured => "APP_ID and APP_SECRET are not set".to_owned(),
        Refusal::WeChat(error) => in_short(error),
        Refusal::Unreachable(reason) => format!("no answer from WeChat: {reason}"),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let (status, text) = match refusal {
        Refusal::Unauthorized => (401, "unauthorized".to_owned()),
        Refusal::Body(fault) => (400, fault.clone()),
        Refusal::NotConfigured => (503, "not configured".to_owned()),
        Refusal::WeChat(error) => (400, format!("WeChat API error [{}]: {}", error.errcode, error.errmsg)),
        Refusal::Unreachable(_) => (502, "WeChat could not be reached".to_owned()),
    };
    let response = envelope(status, json!({ "code": -1, "msg": text, "data": null }));
    if status == 401 { response.with("www-authenticate", "Bearer") } else { response }
}

fn envelope(status: u16, body: Value) -> Response {
    Response::new(status, "application/json; charset=utf-8", crate::json::text(&body))
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
}
