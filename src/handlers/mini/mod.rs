//! `/api/…`: the backend of the Mini Program. Errors are `{"error":"…"}`.
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/login.html>

pub mod call;
pub mod kin;
pub mod listening;
pub mod services;
pub mod user;
pub mod user_object;
pub mod window;

use std::rc::Rc;

use serde_json::Value;

use super::{App, ask_wechat, call_object, nonsense, write};
use crate::config::mini::Mini;
use crate::digest::Digest;
use crate::gateway::send::SendError;
use crate::json::json;
use crate::log::Line;
use crate::login::mini as session;
use crate::login::params::Params;
use crate::platform::{
    Inflow, Limiter, Object, Opaque, Passage, Platform, Request, Response, Unreachable, Watch,
};
use crate::wechat::api::mini;
use call::{Ask, Call, MINUTE, Said};

/// Conversations of one page, if nobody says how many.
const PAGE: usize = 20;
/// Most conversations of one page.
const PAGES: usize = 100;
/// What a stream of events is called.
/// <https://html.spec.whatwg.org/multipage/server-sent-events.html>
const EVENTS: &str = "text/event-stream";

/// Every route of the Mini Program's API.
///
/// 1. whether we are there is said to everybody; what is no route is refused
/// 2. without a Mini Program nothing else is served
/// 3. a login needs no session, and is counted by its address
/// 4. whoever has a session is known by it; whoever has none is counted by their address
/// 5. WeChat's services and the user's object serve them
/// 6. whoever's session has ended is counted as well
pub async fn route<P: Platform>(request: &Request, segments: &[&str], platform: &P, app: &App) -> Response {
    if let ("GET" | "HEAD", ["health"]) = (request.method.as_str(), segments) {
        let response = Said::ok(json!({ "status": "ok", "timestamp": platform.now() })).response();
        return if request.method == "HEAD" {
            Response { body: String::new(), ..response }
        } else {
            response
        };
    }
    let Some(allowed) = methods(segments) else { return Said::not_found().response() };
    if !allowed.split(", ").any(|method| method == request.method) {
        return Said::refused(405, "Method not allowed").response().with("allow", allowed);
    }
    let Some(mini) = &app.config.mini else {
        platform.log(&Line::warn("mini.not_configured", "MINI_APP_ID and MINI_APP_SECRET are missing"));
        return Said::refused(503, "Not configured").response();
    };
    if segments == ["auth", "wx-login"] {
        return Box::pin(log_in(request, platform, app, mini)).await.response();
    }
    let caller = match caller(request, platform, mini).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal.response(),
    };
    let served = match segments {
        ["wx", service] => Box::pin(services::serve(service, request, platform, app, mini, &caller)).await,
        _ => Box::pin(serve(request, segments, platform, &caller)).await,
    };
    let response = served.unwrap_or_else(|Unreachable(reason)| {
        platform.log(&Line::error("mini.unreachable", reason));
        Said::unavailable().response()
    });
    if response.status == 401
        && let Err(refusal) = within_limit(request, platform).await
    {
        return refusal.response();
    }
    response
}

/// The methods of a route; `None` if there is no such route.
fn methods(segments: &[&str]) -> Option<&'static str> {
    Some(match segments {
        ["health"] => "GET, HEAD",
        ["chat", _] | ["export"] => "GET",
        ["auth", "wx-login" | "logout"] | ["chat"] | ["forget-me"] => "POST",
        ["wx", "decrypt" | "phone" | "signature" | "check" | "subscribe" | "code"] => "POST",
        ["conversations"] | ["conversations", _] => "GET, DELETE",
        _ => return None,
    })
}

/// Whoever has a session.
struct Caller {
    /// The name of their object.
    user: String,
    /// Of their session key.
    session: Digest,
}

/// Who asks, as far as that is known without their object. Whoever has no session is counted by their address.
async fn caller<P: Platform>(request: &Request, platform: &P, mini: &Mini) -> Result<Caller, Said> {
    let key = request.header("x-wx-session").unwrap_or_default();
    match session::open_key(&mini.secret, key) {
        Some((user, session)) => Ok(Caller { user: user.to_owned(), session }),
        None => {
            within_limit(request, platform).await?;
            Err(Said::no_session())
        }
    }
}

/// Counts the network that somebody comes from: whoever has one IPv6 address has very many.
async fn within_limit<P: Platform>(request: &Request, platform: &P) -> Result<(), Said> {
    let within = platform.within_limit(Limiter::Caller, &request.peer.network()).await;
    if within { Ok(()) } else { Err(Said::slow_down(MINUTE)) }
}

/// `POST /api/auth/wx-login`.
///
/// 1. the caller's address has not come too often
/// 2. WeChat says whose code it is
/// 3. their object keeps the session, of whose key only they have more than the digest
async fn log_in<P: Platform>(request: &Request, platform: &P, app: &App, mini: &Mini) -> Said {
    if let Err(refusal) = within_limit(request, platform).await {
        return refusal;
    }
    let body = crate::json::value(&request.body).unwrap_or_default();
    let code = body.get("code").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if code.is_empty() {
        return Said::refused(400, "Invalid code");
    }
    let asked = mini::jscode2session(&mini.app_id, &mini.secret, code);
    let known = match ask_wechat(platform, app, &asked, mini::parse_session).await {
        Ok(known) => known,
        Err(error) => return refused(platform, &error),
    };
    let user = session::user_name(&mini.app_id, &known.openid);
    let key = session::new_key(&mini.secret, &user, [platform.random(), platform.random()]);
    let call = Call::Login {
        openid: known.openid,
        unionid: known.unionid,
        session_key: known.session_key.expose().to_owned(),
        digest: Digest::of(&key),
    };
    match call_object::<_, _, Said>(platform, Object::MiniUser, &user, &call).await {
        Ok(said) if said.status == 200 => Said::ok(json!({ "sessionKey": key })),
        Ok(said) => said,
        Err(Unreachable(reason)) => {
            platform.log(&Line::error("mini.unreachable", reason));
            Said::unavailable()
        }
    }
}

/// What the client hears when WeChat does not say who it is.
fn refused<P: Platform>(platform: &P, error: &SendError) -> Said {
    let errcode = if let SendError::Refused(error) = error { error.errcode } else { 0 };
    platform.log(&Line::warn("mini.login_refused", error));
    match errcode {
        40029 | 40163 | 41008 => Said::refused(401, "Invalid code"),
        40226 => Said::refused(403, "Login refused"),
        45011 => Said::slow_down(MINUTE),
        _ => Said::unavailable(),
    }
}

/// What somebody with a session wants.
async fn serve<P: Platform>(
    request: &Request,
    segments: &[&str],
    platform: &P,
    caller: &Caller,
) -> Result<Response, Unreachable> {
    let streams = request.header("accept").is_some_and(|accept| accept.contains(EVENTS));
    let deletes = request.method == "DELETE";
    let name = |segment: &&str| (*segment).to_owned();
    let ask = match segments {
        ["chat", "ws"] => return Ok(socket(request, caller)),
        ["chat"] => {
            Ask::Chat { chat: crate::json::value(&request.body).unwrap_or_default(), stream: streams }
        }
        ["chat", thread] => {
            let last = request.header("last-event-id").map(str::to_owned);
            let params = Params::parse(request.query.as_bytes());
            let message = params.get("message_id").map(str::to_owned);
            Ask::Follow { thread: name(thread), last, message, stream: streams }
        }
        ["conversations"] if deletes => Ask::Delete { thread: None },
        ["conversations"] => page(request),
        ["conversations", thread] if deletes => Ask::Delete { thread: Some(name(thread)) },
        ["conversations", thread] => Ask::Show { thread: name(thread) },
        ["auth", "logout"] => Ask::Logout,
        ["forget-me"] => Ask::Forget,
        _ => Ask::Export,
    };
    let exports = ask == Ask::Export;
    let call = write(&Call::As { session: caller.session.clone(), ask })?;
    let answer = platform.open(Object::MiniUser, &caller.user, &call).await?;
    if !answer.content_type.starts_with(EVENTS) {
        return Ok(read(answer).await?.response());
    }
    Ok(if exports {
        stream(answer, "application/json; charset=utf-8")
            .with("content-disposition", "attachment; filename=\"wxapi-export.json\"")
    } else {
        // A proxy that waits for more would hold back the first words.
        stream(answer, "text/event-stream; charset=utf-8").with("x-accel-buffering", "no")
    })
}

/// The answer of an object, read to its end.
async fn read<B: crate::platform::Pieces>(answer: Inflow<B>) -> Result<Said, Unreachable> {
    let body = crate::gateway::send::collect(answer, usize::MAX).await?.body;
    crate::json::value(&body)
        .ok()
        .and_then(|value| crate::json::from_value(&value).ok())
        .ok_or_else(|| nonsense("a user's object"))
}

/// An answer that comes as it is made.
fn stream<B: 'static>(answer: Inflow<B>, content_type: &str) -> Response {
    let rest = Some(Opaque(Rc::new(answer.body)));
    let passage = Passage { content_type: content_type.to_owned(), first: Vec::new(), rest };
    Response { status: 200, passage: Some(Box::new(passage)), ..Response::default() }
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
}

/// `GET /api/chat/ws`.
fn socket(request: &Request, caller: &Caller) -> Response {
    if !request.header("upgrade").is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
        return Said::refused(426, "Upgrade required").response().with("upgrade", "websocket");
    }
    let (name, proof) = (caller.user.clone(), caller.session.as_str().to_owned());
    let watch = Watch { object: Object::MiniUser, name, proof };
    Response { watch: Some(Box::new(watch)), ..Response::default() }
}

/// A page of the list of conversations.
fn page(request: &Request) -> Ask {
    let params = Params::parse(request.query.as_bytes());
    let limit = params.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE);
    Ask::List { after: params.get("after").map(str::to_owned), limit: limit.clamp(1, PAGES) }
}
