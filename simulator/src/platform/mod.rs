//! A stand-in for `api.weixin.qq.com`: stateful, with WeChat's conventions and error codes.
//!
//! [`answer`] is the whole platform without the network: a request and the state in, a reply out. Each family of
//! APIs is a module with a table (`APIS`) and a state of its own; `api` has the steps that all of them share.
//! `serve` is the HTTP around it: faults first, then the answer, then a line in the log of calls.

pub mod account_type;
pub mod api;
pub mod autoreply;
mod batch;
mod card;
mod credential;
mod custom;
#[cfg(test)]
mod documented;
pub mod draft;
pub mod errcode;
mod escapes;
mod faults;
pub mod kf;
pub mod mass;
pub mod material;
pub mod media;
pub mod menu;
pub mod mini;
pub mod openapi;
pub mod owner;
pub mod qrcode;
pub mod quota;
mod serve;
pub mod subscribe;
pub mod tag;
pub mod template;
pub mod ticket;
pub mod token;
mod upload;
mod user;

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::account::Account;
use crate::http::Target;
use crate::query;
use crate::state::State;
use crate::web::sns;
use api::{Api, App, Call};
use errcode::Errcode;

pub use account_type::AccountType;
pub use faults::{Fault, Faults};
pub use media::MediaStore;
pub use serve::{ApiCall, handle, post_outbox};
pub use upload::Kind;

/// How the paths of APIs begin.
pub const PATHS: [&str; 6] = ["/cgi-bin/", "/sns/", "/wxa/", "/wxaapi/", "/customservice/", "/datacube/"];

/// Every API, family by family.
const FAMILIES: [&[Api]; 18] = [
    credential::APIS,
    openapi::APIS,
    custom::APIS,
    kf::APIS,
    menu::APIS,
    autoreply::APIS,
    media::APIS,
    material::APIS,
    draft::APIS,
    mass::APIS,
    template::APIS,
    subscribe::APIS,
    qrcode::APIS,
    user::APIS,
    tag::APIS,
    ticket::APIS,
    mini::APIS,
    sns::APIS,
];

/// A request to the platform, read whole.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, as `/cgi-bin/token`.
    pub path: String,
    /// The decoded query.
    pub query: Vec<(String, String)>,
    /// The `Content-Type` header; empty without one.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

/// What the platform answers.
#[derive(Debug, Clone, PartialEq)]
pub enum ApiReply {
    /// JSON, with status 200.
    Json(Value),
    /// A media file.
    File {
        /// Its type.
        content_type: &'static str,
        /// The name to save it as; empty if it is to be shown.
        filename: String,
        /// The file.
        bytes: Bytes,
    },
    /// What a look at the callback will show.
    Probe(openapi::Probe),
    /// An error page without JSON, as a gateway in trouble sends it.
    Status(u16),
    /// No answer: the connection closes.
    Cut,
}

impl ApiRequest {
    /// A query parameter that is there and not empty.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        query::get(&self.query, name).filter(|value| !value.is_empty())
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// 44002 if it is empty, 47001 if it is not a JSON object.
    pub fn json(&self) -> Result<Value, Errcode> {
        if self.body.is_empty() {
            return Err(errcode::EMPTY_BODY);
        }
        let value: Value = serde_json::from_slice(&self.body).map_err(|_| errcode::NOT_JSON)?;
        if value.is_object() { Ok(value) } else { Err(errcode::NOT_JSON) }
    }
}

/// Answers one request.
///
/// `target` is the account's callback, if it may be spoken to.
pub fn answer(
    state: &mut State,
    account: &Account,
    target: Option<&Target>,
    now_ms: u64,
    request: &ApiRequest,
) -> ApiReply {
    let mut call = Call { state, account, target, now_ms, request, app: App::default() };
    let reply = find(&request.path).ok_or(errcode::URL).and_then(|api| api.call(&mut call));
    reply.unwrap_or_else(|error| ApiReply::Json(error.body(now_ms)))
}

/// The API with this path.
pub fn find(path: &str) -> Option<&'static Api> {
    FAMILIES.into_iter().flatten().find(|api| api.path == path)
}

/// The answer of APIs that only say that they worked.
fn done() -> ApiReply {
    ApiReply::Json(json!({ "errcode": 0, "errmsg": "ok" }))
}
