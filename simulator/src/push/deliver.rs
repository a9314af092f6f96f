//! Delivering a push as WeChat does: five seconds, up to three times, each time the same request.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html>

use std::time::Duration;

use axum::body::Bytes;
use futures_util::future::join_all;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, USER_AGENT};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use wxapi::wechat::reply::NEWS_LIMIT;
use wxapi::wechat::xml::Fields;

use super::checks::{Check, Verdict, is_nothing, judge};
use super::envelope::{Mode, Sealed};
use super::message;
use crate::account::Account;
use crate::http::{self, Failure, Target};
use crate::phone::Bubble;

/// WeChat's patience with one delivery.
pub const LIMIT: Duration = Duration::from_secs(5);
/// Deliveries of one push.
pub const DELIVERIES: u32 = 3;

/// How one delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Status 200 with a body that should be a reply.
    Reply,
    /// Status 200 with `success` or nothing: WeChat is content, the user sees nothing.
    Success,
    /// No whole answer in time; the connection was closed.
    Timeout,
    /// Another status than 200.
    Status,
    /// No connection.
    Refused,
    /// The connection broke.
    Cut,
}

impl Outcome {
    /// Whether WeChat is content; otherwise, it delivers again.
    pub fn settles(self) -> bool {
        matches!(self, Self::Reply | Self::Success)
    }
}

/// One delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivery {
    /// 1, 2, 3.
    pub n: u32,
    /// Milliseconds from the first delivery's start to this one's.
    pub started_ms: u64,
    /// Milliseconds that it took.
    pub elapsed_ms: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status, if one came.
    pub status: Option<u16>,
    /// The body as it came.
    pub body: Option<String>,
    /// The reply in plain XML, decrypted if it was encrypted.
    pub plain: Option<String>,
    /// What went wrong on the network.
    pub error: Option<String>,
}

/// What is to be delivered, where, and how patiently.
#[derive(Debug, Clone)]
pub struct Order {
    /// The receiver.
    pub target: Target,
    /// The push, sealed.
    pub sealed: Sealed,
    /// Its mode, in which the answer must come.
    pub mode: Mode,
    /// Who sent it.
    pub openid: String,
    /// The push itself; absent if a test sends something unreadable.
    pub push: Option<Fields>,
    /// Most deliveries.
    pub deliveries: u32,
    /// How long each may take.
    pub limit: Duration,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Delivered {
    /// Every delivery.
    pub deliveries: Vec<Delivery>,
    /// What the user sees.
    pub shown: Vec<Bubble>,
    /// Every rule that applies.
    pub checks: Vec<Check>,
}

/// A delivery, and what its answer is worth; nothing without status 200.
struct Attempt {
    delivery: Delivery,
    verdict: Option<Verdict>,
}

/// Delivers until WeChat is content, or has lost its patience.
pub async fn one_by_one(account: &Account, order: &Order) -> Delivered {
    let begin = Instant::now();
    let mut attempts = Vec::new();
    for n in 1..=order.deliveries {
        let attempt = deliver(account, order, n, begin).await;
        let settled = attempt.delivery.outcome.settles();
        attempts.push(attempt);
        if settled {
            break;
        }
    }
    conclude(order, attempts, None)
}

/// Delivers `copies` of the same push at the same time.
pub async fn at_once(account: &Account, order: &Order, copies: u32) -> Delivered {
    let begin = Instant::now();
    let attempts = join_all((1..=copies).map(|n| deliver(account, order, n, begin))).await;
    let same = same_reply(&attempts);
    conclude(order, attempts, Some(same))
}

/// Copies with an answer must have the same one; `success` is another one than a reply.
fn same_reply(attempts: &[Attempt]) -> Check {
    let deliveries = attempts.iter().map(|attempt| &attempt.delivery);
    let answers: Vec<_> = deliveries
        .filter(|delivery| delivery.outcome.settles())
        .map(|delivery| match delivery.outcome {
            Outcome::Reply => delivery.plain.as_deref().or(delivery.body.as_deref()),
            _ => None,
        })
        .collect();
    let differ = answers.iter().filter(|answer| Some(*answer) != answers.first()).count();
    let detail = format!("{differ} of {} answers differ from the first", answers.len());
    Check::new("same_reply", differ == 0, detail)
}

async fn deliver(account: &Account, order: &Order, n: u32, begin: Instant) -> Attempt {
    let started = Instant::now();
    let answer = http::send(&order.target, request(order), order.limit).await;
    let mut delivery = Delivery {
        n,
        started_ms: milliseconds(started - begin),
        elapsed_ms: milliseconds(started.elapsed()),
        outcome: Outcome::Timeout,
        status: None,
        body: None,
        plain: None,
        error: None,
    };
    let mut verdict = None;
    match answer {
        Ok(answer) => {
            let body = answer.text();
            delivery.status = Some(answer.status);
            delivery.outcome = match answer.status {
                200 if is_nothing(&body) => Outcome::Success,
                200 => Outcome::Reply,
                _ => Outcome::Status,
            };
            if delivery.outcome.settles() {
                let judged = judge(account, order.mode, &order.openid, &body);
                delivery.plain.clone_from(&judged.plain);
                verdict = Some(judged);
            }
            delivery.body = Some(body);
        }
        Err(Failure::Timeout) => {}
        Err(Failure::Refused(why)) => (delivery.outcome, delivery.error) = (Outcome::Refused, Some(why)),
        Err(Failure::Cut(why)) => (delivery.outcome, delivery.error) = (Outcome::Cut, Some(why)),
    }
    Attempt { delivery, verdict }
}

/// WeChat's own headers; the body is signed by the query.
fn request(order: &Order) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(Bytes::from(order.sealed.body.clone())));
    *request.method_mut() = hyper::Method::POST;
    *request.uri_mut() = order.target.path_with(&order.sealed.query).parse().unwrap_or_default();
    for (name, value) in
        [(USER_AGENT, "Mozilla/4.0"), (ACCEPT, "*/*"), (CONTENT_TYPE, "text/xml"), (CONNECTION, "close")]
    {
        request.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
    }
    request
}

/// What the user sees of all that, and why.
fn conclude(order: &Order, attempts: Vec<Attempt>, same_reply: Option<Check>) -> Delivered {
    let verdicts = attempts.iter().filter_map(|attempt| Some((&attempt.delivery, attempt.verdict.as_ref()?)));
    let best = verdicts.min_by_key(|(delivery, _)| (delivery.outcome != Outcome::Reply, delivery.elapsed_ms));
    let push = order.push.as_ref();
    let mut checks = vec![answered(order, attempts.len(), best.map(|(delivery, _)| delivery))];
    let mut shown = Vec::new();
    if let Some((_, verdict)) = best {
        checks.extend(verdict.checks.iter().cloned());
        let most_articles = if push.is_some_and(message::is_event) { NEWS_LIMIT } else { 1 };
        shown.extend(verdict.reply.as_ref().map(|reply| Bubble::from_reply(reply, most_articles)));
    }
    checks.extend(same_reply);
    if checks.iter().any(Check::is_fatal) {
        shown = vec![Bubble::error_line()];
    }
    if push.is_some_and(message::is_unseen) {
        shown.clear();
    }
    let deliveries = attempts.into_iter().map(|attempt| attempt.delivery).collect();
    Delivered { deliveries, shown, checks }
}

fn answered(order: &Order, deliveries: usize, best: Option<&Delivery>) -> Check {
    let limit = milliseconds(order.limit);
    let detail = match best {
        Some(best) => format!("delivery {}, after {} of {limit} ms", best.n, best.elapsed_ms),
        None => format!("none of {deliveries} deliveries"),
    };
    Check::new("answered", best.is_some(), detail)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
