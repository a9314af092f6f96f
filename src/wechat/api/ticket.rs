//! Tickets, and the signature by which a page may use the JS-SDK.
//!
//! <https://developers.weixin.qq.com/doc/service/guide/h5/jssdk.html>

use super::super::{Secret, signature};
use super::error::integer;
use super::{ApiError, ApiRequest, Body, Method, UNREADABLE, check};
use serde_json::Value;

/// A ticket as WeChat gives it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The ticket.
    pub ticket: Secret,
    /// Seconds that it stays valid, at most 7200.
    pub expires_in: u64,
}

/// Asks for the ticket of a type: `jsapi` or `wx_card`. WeChat allows few of these calls a day.
pub fn get(kind: &str) -> ApiRequest {
    ApiRequest {
        method: Method::Get,
        path: "/cgi-bin/ticket/getticket",
        query: vec![("type", kind.to_owned())],
        body: Body::Empty,
    }
}

/// Reads the answer.
///
/// # Errors
/// WeChat's error, or [`UNREADABLE`] when a field is missing.
pub fn parse(answer: &str) -> Result<Ticket, ApiError> {
    let value = check(answer)?;
    let ticket = value.get("ticket").and_then(Value::as_str).filter(|ticket| !ticket.is_empty());
    let seconds = value.get("expires_in").and_then(integer).and_then(|seconds| u64::try_from(seconds).ok());
    match (ticket, seconds) {
        (Some(ticket), Some(expires_in)) => Ok(Ticket { ticket: Secret::new(ticket), expires_in }),
        _ => Err(ApiError::new(UNREADABLE, "the answer has no ticket with expires_in")),
    }
}

/// Signs the use of the JS-SDK by the page at `url`, which is the address as the browser has it; what follows `#` does
/// not count. `timestamp` is in seconds.
pub fn sign(ticket: &str, nonce: &str, timestamp: u64, url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    // A single part, so nothing is sorted.
    signature::sign(&[&format!("jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}")])
}
