//! A stand-in for `api.weixin.qq.com`: stateful, with WeChat's conventions and error codes.
//!
//! [`answer`] is the whole platform without the network: a request and the state in, a reply out. `serve` is the
//! HTTP around it: faults first, then the answer, then a line in the log of calls.

mod credential;
mod custom;
pub mod errcode;
mod faults;
mod media;
mod serve;
pub mod token;

use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::Account;
use crate::query;
use crate::state::State;
use errcode::Errcode;

pub use faults::{Fault, Faults};
pub use media::MediaStore;
pub use serve::{ApiCall, handle};

/// What the account is, which decides what answers 48001, after WeChat's table of privileges.
///
/// <https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Explanation_of_interface_privileges.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// A subscription account without verification, as a person gets it: it can receive and reply, and get tokens.
    Personal,
    /// A verified subscription account.
    Subscription,
    /// A verified service account.
    #[default]
    Service,
    /// A test account (测试号).
    Test,
}

impl AccountType {
    /// # Errors
    /// 48001 for what only verified accounts and test accounts may do: customer messages, typing, media.
    fn permits_service_messages(self) -> Result<(), Errcode> {
        if self == Self::Personal { Err(errcode::UNAUTHORIZED) } else { Ok(()) }
    }

    /// Calls of `/cgi-bin/token` a day: 2000 is typical, a test account has a tenth.
    fn token_quota(self) -> u32 {
        if self == Self::Test { 200 } else { 2000 }
    }
}

/// A request to the platform, read whole.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, as `/cgi-bin/token`.
    pub path: String,
    /// The decoded query.
    pub query: Vec<(String, String)>,
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
        /// The name to save it as.
        filename: String,
        /// The file.
        bytes: Bytes,
    },
    /// An error page without JSON, as a gateway in trouble sends it.
    Status(u16),
    /// No answer: the connection closes.
    Cut,
}

impl ApiRequest {
    /// A query parameter that is there and not empty.
    fn parameter(&self, name: &str) -> Option<&str> {
        query::get(&self.query, name).filter(|value| !value.is_empty())
    }

    fn want_get(&self) -> Result<(), Errcode> {
        if self.method == "GET" { Ok(()) } else { Err(errcode::WANTS_GET) }
    }

    fn want_post(&self) -> Result<(), Errcode> {
        if self.method == "POST" { Ok(()) } else { Err(errcode::WANTS_POST) }
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// 44002 if it is empty, 47001 if it is not a JSON object.
    fn json(&self) -> Result<Value, Errcode> {
        if self.body.is_empty() {
            return Err(errcode::EMPTY_BODY);
        }
        let value: Value = serde_json::from_slice(&self.body).map_err(|_| errcode::NOT_JSON)?;
        if value.is_object() { Ok(value) } else { Err(errcode::NOT_JSON) }
    }
}

/// Answers one request.
pub fn answer(state: &mut State, account: &Account, now_ms: u64, request: &ApiRequest) -> ApiReply {
    let reply = match request.path.as_str() {
        "/cgi-bin/token" => credential::token(state, account, now_ms, request),
        "/cgi-bin/stable_token" => credential::stable_token(state, account, now_ms, request),
        "/cgi-bin/message/custom/send" => custom::send(state, now_ms, request),
        "/cgi-bin/message/custom/typing" => custom::typing(state, now_ms, request),
        "/cgi-bin/media/get" => media::get(state, now_ms, request),
        _ => Err(errcode::URL),
    };
    reply.unwrap_or_else(|error| ApiReply::Json(error.body(now_ms)))
}

/// The answer of APIs that only say that they worked.
fn done() -> ApiReply {
    ApiReply::Json(json!({ "errcode": 0, "errmsg": "ok" }))
}
