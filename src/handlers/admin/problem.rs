//! What went wrong, for whoever manages the account: `application/problem+json`.
//! <https://www.rfc-editor.org/rfc/rfc9457>

use std::ops::Deref;

use serde_json::{Map, Value};

use crate::gateway::advice::advice;
use crate::gateway::send::SendError;
use crate::gateway::token::TokenFailure;
use crate::json::{Put, Say, json};
use crate::platform::{Response, Unreachable};
use crate::wechat::api::ApiError;

/// A problem. On the heap, because every `?` on its way would move it, which is code.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem(Box<Inner>);

/// What there is to a problem. Its type goes out as `urn:wxapi:problem:` and the kind: `docs/management.md`.
#[derive(Clone, Debug, PartialEq)]
pub struct Inner {
    /// HTTP status.
    pub status: u16,
    /// What kind of problem: `invalid`, `wechat`, …
    pub kind: &'static str,
    /// What went wrong this time, in words for the operator.
    pub detail: String,
    /// More members: `errors`, `errcode`, …
    pub more: Map<String, Value>,
}

impl Deref for Problem {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Problem {
    /// A problem without more members.
    pub fn new(status: u16, kind: &'static str, detail: impl AsRef<str>) -> Self {
        Self::make(status, kind, detail.as_ref())
    }

    #[cold]
    fn make(status: u16, kind: &'static str, detail: &str) -> Self {
        Self(Box::new(Inner { status, kind, detail: detail.to_owned(), more: Map::new() }))
    }

    /// There is no such thing.
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not-found", format!("there is no such {what}"))
    }

    /// The request makes no sense; nothing was done.
    pub fn invalid(detail: impl AsRef<str>) -> Self {
        Self::new(422, "invalid", detail)
    }

    /// The request makes no sense in these places, each with what is wrong there.
    pub fn faults(faults: Vec<Fault>) -> Self {
        let error = |(at, detail): Fault| {
            let of_body = at.is_empty() || at.starts_with('/');
            json!({ (if of_body { "pointer" } else { "parameter" }): at, "detail": detail })
        };
        let errors = faults.into_iter().map(error).collect();
        Self::invalid("the request breaks rules of WeChat's or of this API")
            .with("errors", Value::Array(errors))
    }

    /// The request makes no sense in one place.
    pub fn fault(at: &str, detail: impl Into<String>) -> Self {
        Self::faults(vec![(at.to_owned(), detail.into())])
    }

    /// The route answers only these methods, as an `Allow` header has them.
    pub fn method_not_allowed(methods: &str) -> Self {
        Self::new(405, "method-not-allowed", format!("this route answers {methods}")).with("allow", methods)
    }

    /// Somebody else changed it meanwhile.
    pub fn conflict(detail: impl AsRef<str>) -> Self {
        Self::new(409, "conflict", detail)
    }

    /// The problem with one more member.
    #[must_use]
    pub fn with(self, name: &str, value: impl Say) -> Self {
        self.having(name, value.value())
    }

    #[cold]
    fn having(mut self, name: &str, value: Value) -> Self {
        self.0.more.put(name, value);
        self
    }

    /// As it goes out.
    pub fn response(self, request_id: &str) -> Response {
        let Inner { status, kind, detail, more: mut body } = *self.0;
        // What a client reads without looking into the body.
        let retry_after = body.get("retry_after").and_then(Value::as_u64);
        let allow = body.get("allow").and_then(Value::as_str).map(str::to_owned);
        body.put("type", json!(format!("urn:wxapi:problem:{kind}")));
        body.put("title", json!(kind.replace('-', " ")));
        body.put("status", json!(status));
        body.put("detail", json!(detail));
        body.put("instance", json!(format!("urn:wxapi:request:{request_id}")));
        let mut response =
            Response::new(status, "application/problem+json", crate::json::text(&Value::Object(body)));
        response.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        response.headers.extend(allow.map(|methods| ("allow", methods)));
        response
    }
}

/// Where something is wrong, and what. Where: a JSON pointer into the body, `/button/0/name` or nothing for all of it, or
/// else the name of a parameter of query or path, `limit`.
/// <https://www.rfc-editor.org/rfc/rfc6901>
pub type Fault = (String, String);

impl From<Unreachable> for Problem {
    fn from(Unreachable(reason): Unreachable) -> Self {
        Self::new(503, "unavailable", format!("an object of this Worker could not be reached: {reason}"))
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let text = |text: Option<&str>| text.map(Value::from);
        let more = [
            ("rid", text(error.rid())),
            ("ip", text(error.whitelist_ip())),
            ("fix", text(advice(error.errcode))),
        ];
        let mut problem = Self::new(422, "wechat", error.to_string()).with("errcode", error.errcode);
        let more = more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        problem.0.more.extend(more);
        problem.with("errmsg", &error.errmsg)
    }
}

impl From<TokenFailure> for Problem {
    fn from(failure: TokenFailure) -> Self {
        let detail = failure.to_string();
        match failure {
            TokenFailure::Refused(error) => error.into(),
            TokenFailure::NotConfigured => Self::new(503, "not-configured", detail),
            // Whatever was to be done with the token was not begun.
            TokenFailure::Unreachable(_) => Self::new(503, "unavailable", detail),
            TokenFailure::TooOften => Self::new(429, "guarded", detail),
        }
    }
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Refused(error) => error.into(),
            SendError::Token(failure) => failure.into(),
            SendError::Unknown(reason) => {
                Self::new(502, "unknown-outcome", format!("no answer from WeChat: {reason}"))
            }
        }
    }
}
