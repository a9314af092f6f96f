//! One file per URL family, and this table.

pub mod account;
pub mod admin;
pub mod api;
pub mod ask;
pub mod callback;
pub mod conversation;
pub mod login;
pub mod metrics;
pub mod mini;
pub mod records;
pub mod rules;
pub mod senses;
pub mod tasks;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::chat::cache::AnswerCache;
use crate::config::Config;
use crate::error::Error;
use crate::gateway::desk;
use crate::gateway::send::{Answer, Found, SendError, download, send};
use crate::gateway::token::{self, TokenFailure};
use crate::log::Line;
use crate::metrics::Counters;
use crate::platform::{Millis, Object, Platform, Request, Response, Unreachable};
use crate::wechat::OpenId;
use crate::wechat::api::{ApiError, ApiRequest, user};
use crate::wechat::callback::BODY_LIMIT;

/// What one isolate holds: its configuration, and what it need not ask for twice.
#[derive(Debug)]
pub struct App {
    /// The configuration, read once.
    pub config: Config,
    /// Recent answers to context-free questions.
    pub answers: RefCell<AnswerCache>,
    /// Until when WeChat is not asked for parametric QR codes, because it refused one.
    pub no_scenes_until: Cell<Millis>,
    /// Until when WeChat is not asked who users are in the Mini Program, because it refused that.
    pub no_unionids_until: Cell<Millis>,
    /// The public keys of the login, and when they were fetched.
    pub keys: RefCell<Option<(Millis, serde_json::Value)>>,
    /// What was counted and not yet brought to the object with the counters.
    pub counters: Rc<RefCell<Counters>>,
    /// The account's rules, as they were read last.
    pub rules: Rc<RefCell<rules::Shelf>>,
}

impl App {
    /// An isolate with this configuration.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            answers: RefCell::default(),
            no_scenes_until: Cell::default(),
            no_unionids_until: Cell::default(),
            keys: RefCell::default(),
            counters: Rc::default(),
            rules: Rc::default(),
        }
    }
}

/// Every route.
pub async fn route<P: Platform>(request: Request, platform: &P, app: &App) -> Response {
    let segments: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
    let outcome = match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["wechat"]) => callback::verify(&request, app),
        ("POST", ["wechat"]) => callback::receive(&request, platform, app).await,
        ("GET", ["wechat", "mini"]) => mini::window::verify(&request, app),
        ("POST", ["wechat", "mini"]) => Box::pin(mini::window::receive(&request, platform, app)).await,
        (_, ["wechat"] | ["wechat", "mini"]) => Err(Error::MethodNotAllowed),
        (_, ["admin", rest @ ..]) => Ok(admin::route(&request, rest, platform, app).await),
        ("GET", ["metrics"]) => metrics::show(&request, platform, app).await,
        (_, ["metrics"]) => Ok(Error::MethodNotAllowed.response().with("allow", "GET")),
        (_, ["api", rest @ ..]) => Ok(mini::route(&request, rest, platform, app).await),
        (_, others) if api::is_ours(others) => Ok(api::route(&request, others, platform, app).await),
        (_, others) => login::route(&request, others, platform, app).await.unwrap_or(Err(Error::NotFound)),
    };
    if let Err(Error::Refused(refusal)) = &outcome {
        metrics::count(platform, app, "wxapi_callback_refusals_total", &[("reason", refusal.name())]);
    }
    let response = outcome.unwrap_or_else(|error| {
        if !matches!(error, Error::NotFound | Error::MethodNotAllowed) {
            platform.log(&Line::warn("request.refused", &error));
        }
        error.response()
    });
    let labels = [("family", family(&segments)), ("status_class", class(response.status))];
    metrics::count(platform, app, "wxapi_http_requests_total", &labels);
    response
}

/// The family of a path, for the counters.
fn family(segments: &[&str]) -> &'static str {
    match segments.first().copied().unwrap_or_default() {
        "wechat" => "wechat",
        "admin" => "admin",
        "metrics" => "metrics",
        "oauth" | "authorize" | "token" | "userinfo" | "logout" | "m" | ".well-known" => "login",
        "api" => "mini",
        _ if api::is_ours(segments) => "api",
        _ => "other",
    }
}

/// The class of a status, for the counters. What becomes a WebSocket has none yet.
fn class(status: u16) -> &'static str {
    match status / 100 {
        0 | 1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// How a request's body is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// Read, up to a little more than this many bytes: enough to see that it is too long.
    Whole(usize),
    /// Read if it is said to be no longer than this, else passed on as it comes.
    Passed(usize),
}

/// The longest body of the management API, bytes: an article has at most 1 MB.
/// <https://developers.weixin.qq.com/doc/service/api/draftbox/draftmanage/api_draft_add.html>
pub const ADMIN_LIMIT: usize = 2 * 1024 * 1024;

/// How the body of a request for `path` is taken in.
pub fn intake(path: &str) -> Intake {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["admin", "media" | "material", ..] | ["admin", "articles", "images"] => Intake::Passed(0),
        ["admin", ..] => Intake::Whole(ADMIN_LIMIT),
        others if api::is_ours(others) => Intake::Passed(BODY_LIMIT),
        _ => Intake::Whole(BODY_LIMIT),
    }
}

/// Sends a request to WeChat for the account, as [`send`] does, and counts how it went.
pub async fn call_wechat<P: Platform>(
    platform: &P,
    app: &App,
    request: &ApiRequest,
) -> Result<Answer, SendError> {
    let outcome = send(platform, &app.config.wechat_api, &app.config.app_id, request).await;
    metrics::count_call(platform, app, &outcome);
    outcome
}

/// Asks WeChat who `user` is at every app of the same owner.
pub async fn ask_unionid<P: Platform>(
    platform: &P,
    app: &App,
    user: &OpenId,
) -> Result<Option<OpenId>, SendError> {
    let answer = call_wechat(platform, app, &user::info(user)).await?;
    let text = std::str::from_utf8(&answer.body).unwrap_or_default();
    user::parse_unionid(text).map_err(SendError::Refused)
}

/// As [`call_wechat`], for the Mini Program.
pub async fn call_mini<P: Platform>(
    platform: &P,
    app: &App,
    request: &ApiRequest,
) -> Result<Answer, SendError> {
    let outcome = match &app.config.mini {
        Some(mini) => send(platform, &app.config.wechat_api, mini.app_id.as_str(), request).await,
        None => Err(SendError::Token(TokenFailure::NotConfigured)),
    };
    metrics::count_call(platform, app, &outcome);
    outcome
}

/// Asks WeChat for a file of the Mini Program's, as [`download`] does, and counts how it went.
pub async fn download_mini<P: Platform>(
    platform: &P,
    app: &App,
    request: &ApiRequest,
) -> Result<Found<P::Body>, SendError> {
    let outcome = match &app.config.mini {
        Some(mini) => download(platform, &app.config.wechat_api, mini.app_id.as_str(), request).await,
        None => Err(SendError::Token(TokenFailure::NotConfigured)),
    };
    metrics::count_call(platform, app, &outcome);
    outcome
}

/// Asks WeChat something that needs no token of the account's, as [`ask`](crate::gateway::send::ask) does, and counts how it
/// went.
pub async fn ask_wechat<P: Platform, T>(
    platform: &P,
    app: &App,
    request: &ApiRequest,
    read: impl FnOnce(&str) -> Result<T, ApiError>,
) -> Result<T, SendError> {
    let outcome = crate::gateway::send::ask(platform, &app.config.wechat_api, request, read).await;
    metrics::count_call(platform, app, &outcome);
    outcome
}

/// Borrows a token or ticket from the account's object, or has it refreshed.
pub async fn borrow_token<P: Platform>(platform: &P, app: &App, call: token::Call) -> token::Answer {
    let answer = call_object(platform, Object::Account, &app.config.app_id, &desk::Call::Token(call)).await;
    answer.unwrap_or_else(|Unreachable(reason)| Err(TokenFailure::Unreachable(reason)))
}

/// Calls an object with JSON and reads its JSON.
pub async fn call_object<P: Platform, Q: serde::Serialize, A: serde::de::DeserializeOwned>(
    platform: &P,
    object: Object,
    name: &str,
    call: &Q,
) -> Result<A, Unreachable> {
    let answer = call_with_text(platform, object, name, write(call)?).await?;
    crate::json::from_value(&answer).map_err(|_| nonsense("an object's answer"))
}

/// The same, with JSON that was made already.
fn call_with_text<'a, P: Platform>(
    platform: &'a P,
    object: Object,
    name: &'a str,
    call: String,
) -> tasks::Task<'a, Result<serde_json::Value, Unreachable>> {
    Box::pin(async move {
        let answer = platform.call(object, name, &call).await?;
        crate::json::value(answer.as_bytes()).map_err(|_| nonsense("an object's answer"))
    })
}

#[cold]
fn nonsense(what: &str) -> Unreachable {
    Unreachable([what, " made no sense"].concat())
}

/// What somebody of ours says, from its JSON; `what` it is, for the log. The text is not repeated: it may hold what
/// nobody should see.
fn understand<T: serde::de::DeserializeOwned>(json: &str, what: &str) -> Result<T, Unreachable> {
    crate::json::from_str(json).map_err(|_| nonsense(what))
}

/// JSON of what is ours, to be said or stored.
fn write<T: serde::Serialize>(value: &T) -> Result<String, Unreachable> {
    serde_json::to_string(value).map_err(|error| Unreachable(error.to_string()))
}
