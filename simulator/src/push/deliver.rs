//! Delivering a push as WeChat does: five seconds, up to three times, each time the same request.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html>

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::future::join_all;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use wxapi::wechat::reply::NEWS_LIMIT;
use wxapi::wechat::xml::Fields;

use super::checks::{Check, Verdict, is_nothing, judge};
use super::envelope::{Format, Mode, Sealed};
use super::meaning;
use crate::account::Account;
use crate::http::{self, Answer, Failure, Target};
use crate::phone::Bubble;

/// WeChat's patience with one delivery.
pub const LIMIT: Duration = Duration::from_secs(5);
/// Deliveries of one push.
pub const DELIVERIES: u32 = 3;

/// How one delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// Whose server it is: the account, or its Mini Program.
    pub account: Arc<Account>,
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
    /// What happens to them on their way.
    pub way: Way,
}

/// What happens to deliveries on their way.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// Every answer arrives this much later.
    pub slow: Duration,
    /// The answer to the first delivery is lost.
    pub lose_first: bool,
    /// After an answer, the push is delivered once more.
    pub duplicate: bool,
}

/// What a delivery tells whoever watches it.
#[derive(Debug)]
pub enum Step<'a> {
    /// The delivery with this number begins.
    Begins(u32),
    /// It ended.
    Ends(&'a Attempt),
}

/// Is told of every step.
pub type Watcher<'a> = &'a (dyn Fn(Step<'_>) + Sync);

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
#[derive(Debug)]
pub struct Attempt {
    /// The delivery.
    pub delivery: Delivery,
    /// The headers of its answer.
    pub headers: Vec<(String, String)>,
    /// What the answer is worth.
    pub verdict: Option<Verdict>,
}

/// Delivers until WeChat is content, or has lost its patience.
pub async fn one_by_one(order: &Order, watcher: Watcher<'_>) -> Delivered {
    let begin = Instant::now();
    let mut attempts = Vec::new();
    for n in 1..=order.deliveries {
        let attempt = deliver(order, n, begin, watcher).await;
        let settled = attempt.delivery.outcome.settles();
        attempts.push(attempt);
        if settled && order.way.duplicate {
            attempts.push(deliver(order, n + 1, begin, watcher).await);
            let same = same_reply(&attempts);
            return conclude(order, attempts, Some(same));
        }
        if settled {
            break;
        }
    }
    conclude(order, attempts, None)
}

/// Delivers `copies` of the same push at the same time.
pub async fn at_once(order: &Order, copies: u32, watcher: Watcher<'_>) -> Delivered {
    let begin = Instant::now();
    let attempts = join_all((1..=copies).map(|n| deliver(order, n, begin, watcher))).await;
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

async fn deliver(order: &Order, n: u32, begin: Instant, watcher: Watcher<'_>) -> Attempt {
    watcher(Step::Begins(n));
    let started = Instant::now();
    let answer = arrive(order, n).await;
    let attempt = judged(order, answer, milliseconds(started - begin), started, n);
    watcher(Step::Ends(&attempt));
    attempt
}

/// The answer, as far as the way lets it arrive.
async fn arrive(order: &Order, n: u32) -> Result<Answer, Failure> {
    let late = async {
        let answer = http::send(&order.target, request(order), order.limit).await;
        tokio::time::sleep(order.way.slow).await;
        answer
    };
    let answer = tokio::time::timeout(order.limit, late).await.unwrap_or(Err(Failure::Timeout));
    match answer {
        Ok(_) if order.way.lose_first && n == 1 => {
            Err(Failure::Cut("the answer was lost on its way".to_owned()))
        }
        other => other,
    }
}

fn judged(
    order: &Order,
    answer: Result<Answer, Failure>,
    started_ms: u64,
    started: Instant,
    n: u32,
) -> Attempt {
    let mut delivery = Delivery {
        n,
        started_ms,
        elapsed_ms: milliseconds(started.elapsed()),
        outcome: Outcome::Timeout,
        status: None,
        body: None,
        plain: None,
        error: None,
    };
    let (mut verdict, mut headers) = (None, Vec::new());
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
                let judged = judge(&order.account, order.mode, &order.openid, &body);
                delivery.plain.clone_from(&judged.plain);
                verdict = Some(judged);
            }
            delivery.body = Some(body);
            headers = answer.headers;
        }
        Err(Failure::Timeout) => {}
        Err(Failure::Refused(why)) => (delivery.outcome, delivery.error) = (Outcome::Refused, Some(why)),
        Err(Failure::Cut(why)) => (delivery.outcome, delivery.error) = (Outcome::Cut, Some(why)),
    }
    Attempt { delivery, headers, verdict }
}

/// WeChat's own headers.
pub fn headers(sealed: &Sealed) -> [(HeaderName, &'static str); 4] {
    let content_type = match Format::of(&sealed.body) {
        Format::Xml => "text/xml",
        Format::Json => "application/json",
    };
    [(USER_AGENT, "Mozilla/4.0"), (ACCEPT, "*/*"), (CONTENT_TYPE, content_type), (CONNECTION, "close")]
}

/// The body is signed by the query.
fn request(order: &Order) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(Bytes::from(order.sealed.body.clone())));
    *request.method_mut() = hyper::Method::POST;
    *request.uri_mut() = order.target.path_with(&order.sealed.query).parse().unwrap_or_default();
    for (name, value) in headers(&order.sealed) {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
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
        let most_articles = if push.is_some_and(meaning::is_event) { NEWS_LIMIT } else { 1 };
        shown.extend(verdict.reply.as_ref().map(|reply| Bubble::from_reply(reply, most_articles)));
    }
    checks.extend(same_reply);
    if checks.iter().any(Check::is_fatal) {
        shown = vec![Bubble::error_line(order.account.app)];
    }
    if push.is_some_and(meaning::is_unseen) {
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
