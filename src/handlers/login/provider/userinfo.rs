//! `/userinfo`: what is known of the person, once more, for whoever has the access token.
//! <https://openid.net/specs/openid-connect-core-1_0.html#UserInfo>

use serde_json::Value;

use super::{form, private, problem, shared};
use crate::error::Error;
use crate::handlers::App;
use crate::handlers::login::{call_login, issue};
use crate::json::{Put, json};
use crate::log::Line;
use crate::login::client;
use crate::login::id::is_login_id;
use crate::login::session::{Call, Reply};
use crate::platform::{Platform, Request, Response};

/// Why nothing is told. <https://www.rfc-editor.org/rfc/rfc6750#section-3.1>
enum Refused {
    /// There is no token.
    NoToken,
    /// `invalid_request`
    Request(&'static str),
    /// `invalid_token`; why, for the log.
    Token(String),
}

/// `GET` and `POST /userinfo`
///
/// 1. the token is in the header or in the form, not in both
/// 2. it is one of ours, meant for this address, and has not ended
/// 3. its client is still known, and nobody took it back
pub async fn userinfo<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Response, Error> {
    shared(request, app, async {
        let claims = match bearer(request) {
            Ok(token) => told(request, platform, app, &token).await?,
            Err(refused) => Err(refused),
        };
        let (status, error, description) = match claims {
            Ok(claims) => return Ok(private(200, &claims)),
            Err(Refused::NoToken) => {
                let response = private(401, &json!({ "error": "invalid_token" }));
                return Ok(response.with("www-authenticate", "Bearer"));
            }
            Err(Refused::Request(why)) => (400, "invalid_request", why),
            Err(Refused::Token(why)) => {
                platform.log(&Line::warn("login.userinfo_refused", why));
                (401, "invalid_token", "the access token is wrong, has ended or was taken back")
            }
        };
        let challenge = format!("Bearer error=\"{error}\", error_description=\"{description}\"");
        Ok(problem(status, error, description).with("www-authenticate", challenge))
    })
    .await
}

/// The token. One in the query, where it would stay in logs, is not looked at.
fn bearer(request: &Request) -> Result<String, Refused> {
    let header = request.credentials("bearer");
    if header.is_none() && request.header("authorization").is_some() {
        return Err(Refused::Request("the Authorization header is no Bearer token"));
    }
    let form = form(request).filter(|_| request.method == "POST").unwrap_or_default();
    let body = form.once("access_token").map_err(|_| Refused::Request("a parameter came twice"))?;
    match (header, body) {
        (Some(_), Some(_)) => Err(Refused::Request("the token came in two ways")),
        (Some(token), None) | (None, Some(token)) => Ok(token.to_owned()),
        (None, None) => Err(Refused::NoToken),
    }
}

async fn told<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    token: &str,
) -> Result<Result<Value, Refused>, Error> {
    let refuse = |why: &str| Ok(Err(Refused::Token(why.to_owned())));
    let claims = match issue::open_access_token(platform, app, &request.origin, token).await? {
        Ok(claims) => claims,
        Err(bad) => return refuse(&format!("{bad:?}")),
    };
    if client::by_id(&app.config.login.clients, &claims.client_id).is_none() {
        return refuse("the client is not configured");
    }
    if !is_login_id(&claims.sid) {
        return refuse("the attempt has no such name");
    }
    // An attempt that has been forgotten was not taken back: that is remembered for as long as a token lives.
    if let Ok(Reply::Standing { revoked: true }) = call_login(platform, &claims.sid, &Call::Standing).await? {
        return refuse("it was taken back");
    }
    let mut told = crate::json::of(&claims.profile);
    if let Some(told) = told.as_object_mut() {
        told.put("sub", claims.sub.into());
    }
    Ok(Ok(told))
}
