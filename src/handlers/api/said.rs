//! What a client of the proxy hears: WeChat's answer, or a refusal in WeChat's form.

use super::refusal;
use crate::digest::from_base64url;
use crate::gateway::desk::{Kept, Opening};
use crate::gateway::send::Opened;
use crate::gateway::token::TokenFailure;
use crate::platform::{Opaque, Passage, Request, Response};
use crate::wechat::api::{ApiError, Reaction, reaction};

/// What the client gets, and that in a word.
pub struct Said(pub Response, pub &'static str);

/// WeChat's answer, passed on as it comes.
pub fn passage<B: 'static>(answer: Opened<B>) -> Response {
    let Opened { status, content_type, disposition, first, rest } = answer;
    let rest = rest.map(|body| Opaque(std::rc::Rc::new(body)));
    // Only what has a body can be passed on.
    let status = if matches!(status, 204 | 205) { 200 } else { status };
    let response = passed(status, Passage { content_type, first, rest });
    if disposition.is_empty() { response } else { response.with("content-disposition", disposition) }
}

fn passed(status: u16, passage: Passage) -> Response {
    Response { status, passage: Some(Box::new(passage)), ..Response::default() }
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
}

/// What the client hears of a call that was not made, at least not now.
pub fn not_begun(request: &Request, opening: Opening) -> Said {
    match opening {
        Opening::Replay(Kept { status, content_type, body }) => {
            let first = from_base64url(&body).unwrap_or_default();
            let response = passed(status, Passage { content_type, first, rest: None });
            Said(response.with("idempotent-replayed", "true"), "replayed")
        }
        Opening::Done => refused(
            request,
            -1,
            "system error: done before, its answer is not kept, not repeated",
            "replayed",
        ),
        Opening::Unknown => Said(unknown(request, -1, false), "not_repeated"),
        Opening::Busy => refused(request, 45033, "the call with this Idempotency-Key is under way", "busy"),
        Opening::Differs => {
            let words = "invalid parameter: another request had this Idempotency-Key";
            refused(request, 40035, words, "key_conflict")
        }
        Opening::Limited { seconds } => limited(request, seconds),
        Opening::Full => refused(request, 45009, "too many Idempotency-Keys within a day", "limited"),
        Opening::NoToken(failure) => no_token(request, failure),
        Opening::Forbidden | Opening::Begun { .. } => {
            refused(request, 48001, "api unauthorized: the client lacks the scope", "forbidden")
        }
    }
}

/// Why the account has no token. A code that would make the client fetch its own anew is not passed on.
fn no_token(request: &Request, failure: TokenFailure) -> Said {
    match failure {
        TokenFailure::Refused(error) if reaction(error.errcode) != Reaction::RefreshToken => {
            refused(request, error.errcode, &error.errmsg, "no_token")
        }
        TokenFailure::NotConfigured => {
            refused(request, -1, "system error: APP_ID and APP_SECRET are not set", "no_token")
        }
        _ => refused(request, -1, "system error: no access token", "no_token"),
    }
}

/// The client made too many calls; it may come again after so many seconds.
pub fn limited(request: &Request, seconds: u64) -> Said {
    let Said(response, outcome) = refused(request, 45011, "api minute-quota reached limit", "limited");
    Said(response.with("retry-after", seconds.to_string()), outcome)
}

/// "System error", by a code that no client takes for "try again", as many do with -1 (WxJava's `execute`): they would
/// send again what may have been sent.
/// <https://developers.weixin.qq.com/doc/oplatform/developers/errCode/>
const SYSTEM_ERROR: i64 = 61_450;

/// Nobody knows what became of the call.
pub fn unknown(request: &Request, errcode: i64, repeatable: bool) -> Response {
    let (errcode, words) = if repeatable {
        (errcode, "system error: no answer from WeChat")
    } else {
        (SYSTEM_ERROR, "system error: outcome unknown, not repeated")
    };
    refused(request, errcode, words, "").0
}

/// An error of this Worker's in WeChat's form.
pub fn refused(request: &Request, errcode: i64, errmsg: &str, outcome: &'static str) -> Said {
    Said(refusal(request, &ApiError::new(errcode, errmsg)), outcome)
}
