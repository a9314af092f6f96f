//! Every way a request can fail, with precise reasons for the log and dull text for the outside.

use std::fmt;

use crate::platform::{Response, Unreachable};
use crate::wechat::callback::Refusal;

/// Why a request got no answer of its own.
#[derive(Debug)]
pub enum Error {
    /// There is no such route.
    NotFound,
    /// The route exists, but not for this method.
    MethodNotAllowed,
    /// The feature lacks configuration; the log says which.
    NotConfigured(&'static str),
    /// WeChat's message was refused.
    Refused(Refusal),
    /// An object of ours could not be reached.
    Object(Unreachable),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such route"),
            Self::MethodNotAllowed => f.write_str("method not allowed"),
            Self::NotConfigured(what) => write!(f, "not configured: {what}"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Object(Unreachable(reason)) => write!(f, "the object could not be reached: {reason}"),
        }
    }
}

impl Error {
    /// What the outside sees: the status tells whose fault it was, the text gives nothing away.
    pub fn response(&self) -> Response {
        let (status, text) = match self {
            Self::NotFound => (404, "not found"),
            Self::MethodNotAllowed => (405, "method not allowed"),
            Self::NotConfigured(_) => (503, "not configured"),
            Self::Refused(refusal) => match refusal.status() {
                403 => (403, "forbidden"),
                413 => (413, "too large"),
                _ => (400, "bad request"),
            },
            // WeChat delivers again after a failure, and by then the object may be back.
            Self::Object(_) => (503, "try again"),
        };
        Response::text(status, text).with("x-content-type-options", "nosniff")
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unreachable> for Error {
    fn from(reason: Unreachable) -> Self {
        Self::Object(reason)
    }
}
