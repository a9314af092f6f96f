//! The web side of WeChat: the pages at `open.weixin.qq.com` and `mp.weixin.qq.com` that ask a person, `/sns/…` that
//! tells who it was, and the browser inside the phone.
//!
//! - `authorize`: web OAuth inside WeChat; `qrconnect`: a website's login by QR code; `subscribemsg`: the one-time
//!   subscription. All of them are plain pages that work without script, made with `html` and `page`.
//! - `grants`, `sns`: codes, tokens and what they tell.
//! - `browser`: a person's phone shows a page of this machine through a proxy of its own.

mod authorize;
mod avatar;
pub mod browser;
pub mod grants;
mod html;
mod page;
mod qrconnect;
mod redirect;
pub mod sns;
mod subscribemsg;
mod visit;
mod wrong;

use std::sync::Arc;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use serde::Serialize;

use crate::state::Sim;
use browser::Browsers;
use grants::Grants;
use qrconnect::Logins;

/// What the virtual user of a snapshot page is called.
const SNAPSHOT_NICKNAME: &str = "微信用户";

/// What the web side remembers.
#[derive(Debug, Default)]
pub struct Web {
    /// How it behaves.
    pub settings: Settings,
    /// Codes and tokens.
    pub grants: Grants,
    /// QR codes that wait for a phone.
    pub logins: Logins,
    /// What is open in people's phones.
    pub browsers: Browsers,
}

/// How the web side behaves, as `GET /_sim/oauth` shows it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Settings {
    /// Host names that may be redirected to, besides this machine: the console's "web authorization domain".
    pub domains: Vec<String>,
    /// Whether the client requests each callback twice, as it is seen to do.
    pub duplicate_callback: bool,
    /// Whether pages that ask for `snsapi_userinfo` are snapshots, unless they say `forcePopup=true`.
    pub snapshot: bool,
}

/// Every page. The server lets only this machine reach them.
pub fn routes() -> Router<Arc<Sim>> {
    let style =
        || async { ([(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "no-cache")], include_str!("style.css")) };
    let script = || async {
        ([(CONTENT_TYPE, "text/javascript"), (CACHE_CONTROL, "no-cache")], include_str!("qr.js"))
    };
    Router::new()
        .route("/connect/oauth2/authorize", get(authorize::show).post(authorize::answer))
        .route("/connect/qrconnect", get(qrconnect::show).post(qrconnect::answer))
        .route("/connect/qrcode/{uuid}", get(qrconnect::picture))
        .route("/connect/confirm", get(qrconnect::scanned).post(qrconnect::confirm))
        .route("/connect/l/qrconnect", get(qrconnect::wait))
        .route("/web/style.css", get(style))
        .route("/web/qr.js", get(script))
        .route("/mp/subscribemsg", get(subscribemsg::show).post(subscribemsg::answer))
        .route("/mmopen/{id}/{size}", get(avatar::handle))
}
