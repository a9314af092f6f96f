//! Tokens and tickets for other programs, in WeChat's own words.

use serde_json::Value;

use super::{answer, client_of, parameter, refusal};
use crate::gateway::client::{self, Client, Scope, TOKEN_LIFE};
use crate::gateway::token::{Call, Lent, Loan, TokenFailure};
use crate::handlers::{App, admin, borrow_token};
use crate::json::json;
use crate::log::Line;
use crate::platform::{Platform, Request, Response, Unreachable};
use crate::wechat::api::ApiError;

/// The caller has no right to this.
const UNAUTHORIZED: i64 = 48001;
/// Seconds after which a wrong secret is forgiven.
const FORGIVEN: &str = "600";

/// What a program wants a token with.
struct Application {
    grant_type: String,
    appid: String,
    secret: String,
    force: bool,
}

/// `GET /cgi-bin/token`, `POST /cgi-bin/stable_token`, `GET|POST /cgi-bin/ticket/getticket`.
///
/// The first two differ in how they are asked only: each gives a new token of the client's own, and those before live on
/// until their end.
pub async fn route<P: Platform>(request: &Request, path: &[&str], platform: &P, app: &App) -> Response {
    let outcome = match (request.method.as_str(), path) {
        ("GET", ["cgi-bin", "token"]) => grant(request, platform, app, asked(request)).await,
        ("POST", ["cgi-bin", "stable_token"]) => match asked_in_body(request) {
            Ok(application) => grant(request, platform, app, application).await,
            Err(error) => Err(error),
        },
        ("GET" | "POST", ["cgi-bin", "ticket", ..]) => ticket(request, platform, app).await,
        (_, [_, "token"]) => Err(ApiError::new(43001, "require GET method")),
        _ => Err(ApiError::new(43002, "require POST method")),
    };
    match outcome {
        Ok(value) => answer(&value),
        Err(error) => {
            platform.log(&Line::warn("api.refused", format_args!("{}: {}", error.errcode, error.errmsg)));
            let refusal = refusal(request, &error);
            if error.errcode == 45011 { refusal.with("retry-after", FORGIVEN) } else { refusal }
        }
    }
}

fn asked(request: &Request) -> Application {
    let text = |name| parameter(request, name).unwrap_or_default();
    let (grant_type, appid, secret) = (text("grant_type"), text("appid"), text("secret"));
    Application { grant_type, appid, secret, force: false }
}

fn asked_in_body(request: &Request) -> Result<Application, ApiError> {
    if request.body.is_empty() && request.upload.is_none() {
        return Err(ApiError::new(44002, "empty post data"));
    }
    let Ok(body @ Value::Object(_)) = crate::json::value(&request.body) else {
        return Err(ApiError::new(47001, "data format error"));
    };
    let text = |name| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (grant_type, appid, secret) = (text("grant_type"), text("appid"), text("secret"));
    let force = body.get("force_refresh").and_then(Value::as_bool).unwrap_or_default();
    Ok(Application { grant_type, appid, secret, force })
}

/// A token for a client that proves itself: one of ours, or the account's own for a client that may have it. Only the
/// latter can force WeChat to make a new one.
async fn grant<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    application: Application,
) -> Result<Value, ApiError> {
    let client = prove(request, platform, app, &application).await?;
    let now = platform.now();
    if !client.raw_token {
        let account = super::account(app)?;
        let token = client.token(&account.secret, now, platform.random());
        return Ok(json!({ "access_token": token, "expires_in": TOKEN_LIFE }));
    }
    let mut lent = Err(TokenFailure::TooOften);
    if application.force {
        lent = borrow_token(platform, app, Call::Refresh { force: true }).await;
    }
    // WeChat, too, answers with the current token when it is forced too often.
    if lent == Err(TokenFailure::TooOften) {
        lent = borrow_token(platform, app, Call::Borrow(Loan::Access)).await;
    }
    let Lent { text, expires } = lent.map_err(system_error)?;
    Ok(json!({ "access_token": text, "expires_in": expires.saturating_sub(now) / 1_000 }))
}

/// The client, if its secret is right. A wrong one, or an id that nobody has, counts against the address, and after too many
/// the answer says nothing any more; the right one is heard even then, since it is too long to be guessed.
async fn prove<'a, P: Platform>(
    request: &Request,
    platform: &P,
    app: &'a App,
    application: &Application,
) -> Result<&'a Client, ApiError> {
    let Application { grant_type, appid, secret, .. } = application;
    let wrong = match grant_type.as_str() {
        "client_credential" if appid.is_empty() => return Err(ApiError::new(41002, "appid missing")),
        "client_credential" if secret.is_empty() => return Err(ApiError::new(41004, "appsecret missing")),
        "client_credential" => match client::by_id(&app.config.api_clients, appid) {
            Some(client) if client.secret.is_of(secret) => return Ok(client),
            Some(_) => ApiError::new(40125, "invalid appsecret"),
            None => ApiError::new(40013, "invalid appid"),
        },
        _ => return Err(ApiError::new(40002, "invalid grant_type")),
    };
    match admin::may_guess(platform, "api", request).await {
        Ok(true) => Err(wrong),
        Ok(false) => Err(ApiError::new(45011, "api minute-quota reach limit, mustslower, retry next minute")),
        Err(Unreachable(reason)) => Err(system_error(TokenFailure::Unreachable(reason))),
    }
}

/// The account's ticket, for a client that may read.
async fn ticket<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Value, ApiError> {
    let now = platform.now();
    if !client_of(request, app, now)?.may(Scope::Read) {
        return Err(ApiError::new(UNAUTHORIZED, "api unauthorized"));
    }
    let kind = parameter(request, "type").unwrap_or_default();
    let loan = Loan::ticket(&kind).ok_or_else(|| ApiError::new(40097, "invalid args"))?;
    let Lent { text, expires } = match borrow_token(platform, app, Call::Borrow(loan)).await {
        // The account has no such right, as WeChat says it.
        Err(TokenFailure::Refused(error)) if error.errcode == UNAUTHORIZED => return Err(error),
        lent => lent.map_err(system_error)?,
    };
    let expires_in = expires.saturating_sub(now) / 1_000;
    Ok(json!({ "errcode": 0, "errmsg": "ok", "ticket": text, "expires_in": expires_in }))
}

/// What is wrong between this Worker and WeChat is not the client's fault.
fn system_error(failure: TokenFailure) -> ApiError {
    ApiError::new(-1, format!("system error: {failure}"))
}
