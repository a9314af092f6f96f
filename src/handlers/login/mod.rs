//! Login: the pages, the OpenID provider, and the objects behind them.
//!
//! A browser begins in [`entry`] and stays in [`attempt`]; a phone comes by [`phone`] and answers in [`consent`]; a
//! message in the chat by [`chat`]; the website's server by [`provider`]. All of them talk to one [`login_object`],
//! which gets what it needs of others by [`offer`] and [`identity`].

pub mod attempt;
pub mod chat;
pub mod code_object;
pub mod consent;
pub mod entry;
pub mod five;
pub mod frame;
pub mod handle;
pub mod headers;
pub mod identity;
pub mod issue;
pub mod key_object;
pub mod login_object;
pub mod offer;
pub mod outcome;
pub mod phone;
pub mod provider;
pub mod throttle_object;
pub mod verify_file;

use super::App;
use super::{call_object, understand, write};
use crate::error::Error;
use crate::log::Line;
use crate::login::method::Method;
use crate::login::session::{Call, Fault, Reply};
use crate::platform::{Object, Platform, Request, Response, Storage, Unreachable};

/// Every route of the login. `None`: it is none of them.
pub async fn route<P: Platform>(
    request: &Request,
    segments: &[&str],
    platform: &P,
    app: &App,
) -> Option<Result<Response, Error>> {
    Some(match (request.method.as_str(), segments) {
        ("GET", ["oauth"]) => entry::oauth(request, platform, app).await,
        ("GET" | "POST", ["authorize"]) => entry::authorize(request, platform, app).await,
        ("GET", ["oauth", "s", login]) => attempt::page(request, platform, app, login).await,
        ("GET", ["oauth", "s", login, "status"]) => attempt::status(request, platform, app, login).await,
        ("GET", ["oauth", "s", login, "watch"]) => attempt::watch(request, platform, app, login).await,
        ("POST", ["oauth", "s", login, "finish"]) => attempt::finish(request, platform, app, login).await,
        ("POST", ["oauth", "s", login, "number"]) => attempt::number(request, platform, app, login).await,
        ("POST", ["oauth", "s", login, "typed"]) => attempt::typed(request, platform, app, login).await,
        ("GET", ["oauth", "s", login, "go", method]) => {
            phone::go(request, platform, app, login, method).await
        }
        ("GET", ["m", scanned]) => phone::scan(request, platform, app, scanned).await,
        ("GET", ["oauth", "wechat"]) => phone::arrive(request, platform, app, Method::Wechat).await,
        ("GET", ["oauth", "open"]) => phone::arrive(request, platform, app, Method::Open).await,
        ("GET", ["oauth", "github"]) => phone::arrive(request, platform, app, Method::Github).await,
        ("GET", ["oauth", "confirm", login]) => consent::ask(request, platform, app, login).await,
        ("POST", ["oauth", "confirm", login]) => consent::answer(request, platform, app, login).await,
        ("POST", ["oauth", what @ ("config" | "token" | "refresh" | "userinfo" | "verify")]) => {
            five::serve(request, platform, app, what).await
        }
        ("GET" | "OPTIONS", [".well-known", "openid-configuration" | "oauth-authorization-server"]) => {
            provider::discovery(request, platform, app).await
        }
        ("GET" | "OPTIONS", [".well-known", "jwks.json"]) => provider::jwks(request, platform, app).await,
        ("POST" | "OPTIONS", ["token"]) => provider::token(request, platform, app).await,
        ("GET" | "POST" | "OPTIONS", ["userinfo"]) => provider::userinfo(request, platform, app).await,
        ("GET" | "POST", ["logout"]) => provider::logout(request, platform, app).await,
        (_, others) if is_route(others) => Err(Error::MethodNotAllowed),
        ("GET", [_]) => Ok(verify_file::find(request, app)?),
        _ => return None,
    })
}

/// Whether another method finds something at this address.
fn is_route(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["oauth" | "authorize" | "token" | "userinfo" | "logout"]
            | ["m", _]
            | [
                "oauth",
                "wechat" | "open" | "github" | "config" | "token" | "refresh" | "userinfo" | "verify"
            ]
            | ["oauth", "s" | "confirm", _]
            | ["oauth", "s", _, "status" | "watch" | "finish" | "number" | "typed"]
            | ["oauth", "s", _, "go", _]
            | [".well-known", "openid-configuration" | "oauth-authorization-server" | "jwks.json"]
    )
}

/// Calls the object of the attempt `login`.
pub async fn call_login<P: Platform>(
    platform: &P,
    login: &str,
    call: &Call,
) -> Result<Result<Reply, Fault>, Unreachable> {
    call_object(platform, Object::Login, login, call).await
}

/// What an object stored; what another release left in a form that this one cannot read is logged as `event` and
/// dropped: a login can begin anew.
pub fn read<P: Platform, S: Storage, T: serde::de::DeserializeOwned>(
    platform: &P,
    storage: &S,
    event: &'static str,
) -> Result<Option<T>, Unreachable> {
    let Some(json) = storage.load()? else { return Ok(None) };
    let stored = crate::json::from_str(&json).ok();
    if stored.is_none() {
        platform.log(&Line::error(event, "another release stored it; it is dropped"));
    }
    Ok(stored)
}
