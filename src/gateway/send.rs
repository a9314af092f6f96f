//! The one function that sends a request to WeChat, and repairs a bad token once.

use std::fmt;

use serde_json::Value;

use super::proxy;
use super::token::TokenFailure;
use crate::platform::{Inflow, Millis, Outbound, Pace, Pieces, Platform, Unreachable, Upload};
use crate::wechat::api::{self, ApiError, ApiRequest, Body, Method, Reaction, UNREADABLE};

/// WeChat's servers answer within this time or not at all.
const TIMEOUT: Millis = 15_000;
/// A file that is passed on takes as long as the other end does: 10 MB at 1 Mbit/s.
const PASSING: Millis = 120_000;
/// Media that people send is at most 10 MB; nothing larger is read.
/// <https://developers.weixin.qq.com/doc/service/guide/product/material/Temporary_materials.html>
pub const LARGEST: usize = 10 * 1024 * 1024;
/// No answer about one person is longer than this, bytes.
pub const LARGEST_JSON: usize = 64 * 1024;

/// What WeChat answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `Content-Type`, empty if there was none.
    pub content_type: String,
    /// The body, JSON or media.
    pub body: Vec<u8>,
}

/// Why a request did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// There is no access token.
    Token(TokenFailure),
    /// No answer came; whether WeChat acted on the request is unknown.
    Unknown(String),
    /// WeChat refused.
    Refused(ApiError),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(failure) => failure.fmt(f),
            Self::Unknown(reason) => write!(f, "no answer from WeChat: {reason}"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

/// Sends `request` for the account called `name`.
///
/// 1. get the token
/// 2. send
/// 3. if WeChat refused the token itself, replace it unless somebody already did, and send once more: a
///    refused call was not carried out, so this is safe for any request
pub async fn send<P: Platform>(
    platform: &P,
    base: &str,
    name: &str,
    request: &ApiRequest,
) -> Result<Answer, SendError> {
    send_expecting(platform, base, name, request, 0).await
}

/// As [`send`], but an answer with this `errcode` is one like any other: it says more than that.
pub async fn send_expecting<P: Platform>(
    platform: &P,
    base: &str,
    name: &str,
    request: &ApiRequest,
    expected: i64,
) -> Result<Answer, SendError> {
    let token = platform.access_token(name, None).await.map_err(SendError::Token)?;
    let outcome = once(platform, base, request, &token, expected).await;
    if !refused_token(&outcome) {
        return outcome;
    }
    let token = platform.access_token(name, Some(&token)).await.map_err(SendError::Token)?;
    once(platform, base, request, &token, expected).await
}

/// Whether WeChat refused the token, so that the same request may succeed with another. 41001, which says that there was
/// none, is not of them: a new one would be lost on the way as well.
pub fn refused_token(outcome: &Result<Answer, SendError>) -> bool {
    let Err(SendError::Refused(error)) = outcome else { return false };
    error.errcode != 41001 && error.reaction() == Reaction::RefreshToken
}

/// Sends `request` with this token, once.
pub async fn once<P: Platform>(
    platform: &P,
    base: &str,
    request: &ApiRequest,
    token: &str,
    expected: i64,
) -> Result<Answer, SendError> {
    let answer = exchange(platform, outbound(base, request, Some(token)), LARGEST).await?;
    // Everything but media is JSON, and so is a refusal of media.
    if request.method == Method::Post || answer.body.starts_with(b"{") {
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        match api::check(text) {
            Ok(_) => {}
            Err(error) if error.errcode == UNREADABLE => return Err(SendError::Unknown(error.into_words())),
            Err(error) if error.errcode == expected => {}
            Err(error) => return Err(SendError::Refused(error)),
        }
    }
    Ok(answer)
}

/// The JSON that WeChat answered.
///
/// # Errors
/// What WeChat refused, or [`SendError::Unknown`] if it is no JSON object.
pub fn json(answer: &Answer) -> Result<Value, SendError> {
    api::check(std::str::from_utf8(&answer.body).unwrap_or_default()).map_err(failure)
}

fn failure(error: ApiError) -> SendError {
    match error.errcode {
        UNREADABLE => SendError::Unknown(error.into_words()),
        _ => SendError::Refused(error),
    }
}

/// Passes somebody's form with a file on to WeChat, once, and reads the answer.
///
/// 1. get the token
/// 2. send
/// 3. if WeChat refused the token itself, replace it. The refusal is still the answer, because the form is gone:
///    whoever sent it must send it again
pub async fn upload<P: Platform>(
    platform: &P,
    base: &str,
    name: &str,
    request: &ApiRequest,
    content_type: &str,
    form: Upload,
) -> Result<Value, SendError> {
    let token = platform.access_token(name, None).await.map_err(SendError::Token)?;
    let outbound = Outbound {
        headers: vec![("content-type", content_type.to_owned())],
        upload: Some(form),
        timeout: PASSING,
        ..outbound(base, request, Some(&token))
    };
    let outcome = json(&exchange(platform, outbound, LARGEST_JSON).await?);
    if let Err(SendError::Refused(error)) = &outcome
        && error.reaction() == Reaction::RefreshToken
    {
        platform.access_token(name, Some(&token)).await.map_err(SendError::Token)?;
    }
    outcome
}

/// What [`download`] finds.
#[derive(Debug)]
pub enum Found<B> {
    /// JSON: a refusal is none of it.
    Json(Value),
    /// A file, of which `first` was read.
    File {
        /// Its `Content-Type`.
        content_type: String,
        /// Its `Content-Disposition`, empty if there was none.
        disposition: String,
        /// How it begins.
        first: Vec<u8>,
        /// The rest.
        rest: B,
    },
}

/// Asks for a file, which is not read but for its beginning: no file of WeChat's begins with a brace, JSON does. A bad
/// token is repaired as [`send`] does it.
pub async fn download<P: Platform>(
    platform: &P,
    base: &str,
    name: &str,
    request: &ApiRequest,
) -> Result<Found<P::Body>, SendError> {
    let mut stale = None;
    loop {
        let token = platform.access_token(name, stale.as_deref()).await.map_err(SendError::Token)?;
        let outbound = Outbound { timeout: PASSING, ..outbound(base, request, Some(&token)) };
        let mut inflow = fetch(platform, outbound).await.map_err(unknown)?;
        let first = inflow.body.next(Pace::Calm).await.transpose().map_err(unknown)?.unwrap_or_default();
        if (200..300).contains(&inflow.status) && !first.is_empty() && !first.starts_with(b"{") {
            let Inflow { content_type, disposition, body: rest, .. } = inflow;
            return Ok(Found::File { content_type, disposition, first, rest });
        }
        match json(&collect_after(first, inflow, LARGEST).await.map_err(unknown)?) {
            Err(SendError::Refused(error))
                if stale.is_none() && api::reaction(error.errcode) == Reaction::RefreshToken =>
            {
                stale = Some(token);
            }
            outcome => return outcome.map(Found::Json),
        }
    }
}

/// Sends a request that needs no token of the account's, once, and reads the answer, which is JSON.
pub async fn ask<P: Platform, T>(
    platform: &P,
    base: &str,
    request: &ApiRequest,
    read: impl FnOnce(&str) -> Result<T, ApiError>,
) -> Result<T, SendError> {
    let answer = exchange(platform, outbound(base, request, None), LARGEST_JSON).await?;
    read(std::str::from_utf8(&answer.body).unwrap_or_default()).map_err(failure)
}

/// Sends any request, WeChat's or another's, and reads an answer of at most `limit` bytes.
pub async fn exchange<P: Platform>(
    platform: &P,
    outbound: Outbound,
    limit: usize,
) -> Result<Answer, SendError> {
    collect(fetch(platform, outbound).await.map_err(unknown)?, limit).await.map_err(unknown)
}

fn unknown(Unreachable(reason): Unreachable) -> SendError {
    SendError::Unknown(without_addresses(reason))
}

async fn fetch<P: Platform>(platform: &P, outbound: Outbound) -> Result<Inflow<P::Body>, Unreachable> {
    platform.fetch(outbound).await
}

/// An answer of which only the beginning was read.
#[derive(Debug)]
pub struct Opened<B> {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, empty if there is none.
    pub content_type: String,
    /// `Content-Disposition`, empty if there is none.
    pub disposition: String,
    /// Its beginning: all of it if it is JSON of at most [`proxy::SMALL`] bytes.
    pub first: Vec<u8>,
    /// The rest, if there is any.
    pub rest: Option<B>,
}

/// Sends a request and reads as much of its answer as shows whether it is an error.
///
/// # Errors
/// Why nobody knows what became of it, in words fit for a log.
pub async fn open<P: Platform>(platform: &P, outbound: Outbound) -> Result<Opened<P::Body>, String> {
    let reason = |Unreachable(reason): Unreachable| without_addresses(reason);
    let Inflow { status, content_type, disposition, mut body, .. } =
        fetch(platform, outbound).await.map_err(reason)?;
    let mut first = Vec::new();
    // Of a file, nothing need be seen; a page may repeat the address, so what hides tokens must see it.
    let is_page = !(200..300).contains(&status) || content_type.starts_with("text/");
    while first.len() <= proxy::SMALL && (is_page || proxy::looks_like_json(&first)) {
        match body.next(Pace::Calm).await {
            Some(piece) => first.extend(piece.map_err(reason)?),
            None => return Ok(Opened { status, content_type, disposition, first, rest: None }),
        }
    }
    Ok(Opened { status, content_type, disposition, first, rest: Some(body) })
}

/// A runtime that quotes the address quotes secrets, codes and tokens with it.
fn without_addresses(reason: String) -> String {
    if reason.contains("://") { "the address could not be fetched".to_owned() } else { reason }
}

/// `request` as it goes over the wire to `base`.
pub fn outbound(base: &str, request: &ApiRequest, token: Option<&str>) -> Outbound {
    let url = request.url(base, token);
    let (headers, body) = match &request.body {
        Body::Empty => (Vec::new(), Vec::new()),
        Body::Json(json) => {
            (vec![("content-type", "application/json".to_owned())], json.clone().into_bytes())
        }
    };
    Outbound { method: request.method.as_str(), url, headers, body, upload: None, timeout: TIMEOUT }
}

/// Reads a whole response of at most `limit` bytes.
pub async fn collect<B: Pieces>(inflow: Inflow<B>, limit: usize) -> Result<Answer, Unreachable> {
    collect_after(Vec::new(), inflow, limit).await
}

async fn collect_after<B: Pieces>(
    mut body: Vec<u8>,
    mut inflow: Inflow<B>,
    limit: usize,
) -> Result<Answer, Unreachable> {
    while let Some(piece) = inflow.body.next(Pace::Calm).await {
        body.extend_from_slice(&piece?);
        if body.len() > limit {
            return Err(Unreachable(format!("the response is larger than {limit} bytes")));
        }
    }
    if inflow.status >= 500 {
        return Err(Unreachable(format!("status {}", inflow.status)));
    }
    Ok(Answer { content_type: inflow.content_type, body })
}
