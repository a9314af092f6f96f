//! Requests that the Mini Program makes, each noted in the journal.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, REFERER, RETRY_AFTER, USER_AGENT};
use serde_json::Value;
use tokio::time::Instant;

use crate::control::Refused;
use crate::http::{self, Failure, Target};
use crate::journal::{Begin, Kind, Progress, Received, Sent};
use crate::platform::api::App;
use crate::secrets;
use crate::state::Sim;

/// How WeChat on a phone calls itself.
const AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x1800323d) NetType/WIFI Language/zh_CN";
/// The header with the session.
const SESSION: HeaderName = HeaderName::from_static("x-wx-session");
/// Bytes of an answer that is read.
const LONGEST: usize = 8 << 20;

/// A request to the server.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// `GET`, `POST`, `DELETE`.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// The JSON that is sent.
    pub body: Option<Value>,
    /// Who asks.
    pub session: Option<String>,
    /// Whether the answer may come in pieces.
    pub stream: bool,
    /// After which event it is to go on.
    pub last_event_id: Option<String>,
    /// What it is, in a few words.
    pub what: String,
}

/// The server's answer, while it comes.
#[derive(Debug)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    headers: Vec<(String, String)>,
    body: http::Opened,
    ticket: Ticket<'a>,
    /// When all of it must be there.
    until: Instant,
}

/// The server's answer, read whole.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    /// Its status.
    pub status: u16,
    /// Its JSON; null if it is none.
    pub json: Value,
    /// Seconds after which it may be tried again.
    pub retry_after_s: Option<u64>,
}

/// A request under way; dropped, it was given up.
#[derive(Debug)]
struct Ticket<'a> {
    sim: &'a Sim,
    id: u64,
    at_ms: u64,
    over: bool,
}

impl Ticket<'_> {
    fn end(&mut self, state: Progress, result: String, response: Option<Received>) {
        self.over = true;
        let elapsed_ms = self.sim.clock.wall_ms().saturating_sub(self.at_ms);
        self.sim.lock().journal.end(self.id, |exchange| {
            exchange.elapsed_ms = Some(elapsed_ms);
            exchange.state = state;
            exchange.result = result;
            exchange.detail.response = response;
        });
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.end(Progress::Failed, "left".to_owned(), None);
        }
    }
}

/// Where the Mini Program's API is: at the server of its callback.
///
/// # Errors
/// No target is set, or it is another machine that nobody has confirmed.
fn server(sim: &Sim, path: &str) -> Result<Target, Refused> {
    let target = sim.options.target_of(App::Mini).ok_or_else(|| Refused::bad("no target is set"))?;
    if !sim.options.permit(&target) {
        return Err(Refused::remote(&target));
    }
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    if !path.starts_with('/') {
        return Err(Refused::bad("a path begins with /"));
    }
    Ok(target.at(path, query.map(str::to_owned)))
}

/// Sends a request; its answer, when its head is there.
///
/// # Errors
/// What the simulator refuses; or no answer, which is noted.
pub async fn send<'a>(
    sim: &'a Sim,
    ask: &Ask,
    limit: Duration,
) -> Result<Result<Answer<'a>, Failure>, Refused> {
    let target = server(sim, &ask.path)?;
    let request = request(sim, ask, &target)?;
    let mut ticket = begin(sim, ask, &target, &request);
    let until = Instant::now() + limit;
    let opened = tokio::time::timeout_at(until, http::open(&target, request)).await;
    match opened.unwrap_or(Err(Failure::Timeout)) {
        Ok(opened) => {
            let (status, headers) = (opened.status, opened.headers.clone());
            Ok(Ok(Answer { status, headers, body: opened, ticket, until }))
        }
        Err(failure) => {
            let (state, word) = how(&failure);
            ticket.end(state, word.to_owned(), None);
            Ok(Err(failure))
        }
    }
}

/// The same for an answer that is of use only when it is whole.
///
/// # Errors
/// As above.
pub async fn call(sim: &Sim, ask: &Ask, limit: Duration) -> Result<Result<Whole, Failure>, Refused> {
    match send(sim, ask, limit).await? {
        Ok(answer) => Ok(answer.whole().await),
        Err(failure) => Ok(Err(failure)),
    }
}

impl Answer<'_> {
    /// Whether it comes in pieces.
    pub fn is_stream(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str())
    }

    /// The next bytes; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let next = tokio::time::timeout_at(self.until, self.body.next()).await;
        next.unwrap_or(Err(Failure::Timeout))
    }

    /// Notes how it ended, and what of its body is to be kept.
    pub fn end(mut self, failure: Option<&Failure>, body: &str) {
        let (state, result) = match failure {
            None if self.status < 400 => (Progress::Ok, self.status.to_string()),
            None => (Progress::Failed, self.status.to_string()),
            Some(failure) => (how(failure).0, how(failure).1.to_owned()),
        };
        self.note(state, result, body);
    }

    /// Notes that the phone went away.
    pub fn leave(mut self, body: &str) {
        self.note(Progress::Ok, "left".to_owned(), body);
    }

    fn note(&mut self, state: Progress, result: String, body: &str) {
        let headers = std::mem::take(&mut self.headers);
        let body = secrets::kept(body.as_bytes());
        self.ticket.end(state, result, Some(Received { status: self.status, headers, body }));
    }

    /// Reads all of it.
    pub async fn whole(mut self) -> Result<Whole, Failure> {
        let mut body = Vec::new();
        let failure = loop {
            match self.next().await {
                Ok(Some(bytes)) if body.len() + bytes.len() <= LONGEST => body.extend_from_slice(&bytes),
                Ok(Some(_)) => break Some(Failure::Cut("the answer is too large".to_owned())),
                Ok(None) => break None,
                Err(failure) => break Some(failure),
            }
        };
        let retry_after_s = self.header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok());
        let (status, json) = (self.status, serde_json::from_slice(&body).unwrap_or_default());
        self.end(failure.as_ref(), &String::from_utf8_lossy(&body));
        failure.map_or(Ok(Whole { status, json, retry_after_s }), Err)
    }
}

fn how(failure: &Failure) -> (Progress, &'static str) {
    match failure {
        Failure::Timeout => (Progress::Late, "timeout"),
        Failure::Refused(_) => (Progress::Failed, "refused"),
        Failure::Cut(_) => (Progress::Failed, "cut"),
    }
}

fn request(sim: &Sim, ask: &Ask, target: &Target) -> Result<Request<Full<Bytes>>, Refused> {
    let body = ask.body.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = ask.method.parse().map_err(|_| Refused::bad("no such method"))?;
    *request.uri_mut() = target.path_with("").parse().map_err(|_| Refused::bad("no such path"))?;
    let referer =
        format!("https://servicewechat.com/{}/devtools/page-frame.html", sim.account.app_id_of(App::Mini));
    let accept = if ask.stream { "text/event-stream" } else { "application/json" };
    let mut pairs = vec![
        (USER_AGENT, AGENT.to_owned()),
        (REFERER, referer),
        (ACCEPT, accept.to_owned()),
        (CONTENT_TYPE, "application/json".to_owned()),
    ];
    pairs.extend(ask.session.clone().map(|session| (SESSION, session)));
    let last = ask.last_event_id.clone();
    pairs.extend(last.map(|id| (HeaderName::from_static("last-event-id"), id)));
    for (name, value) in pairs {
        let value =
            HeaderValue::from_str(&value).map_err(|_| Refused::bad(format!("{name}: no such value")))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

fn begin<'a>(sim: &'a Sim, ask: &Ask, target: &Target, request: &Request<Full<Bytes>>) -> Ticket<'a> {
    let at_ms = sim.clock.wall_ms();
    let body = ask.body.as_ref().map(ToString::to_string).unwrap_or_default();
    let id = sim.lock().journal.begin(Begin {
        kind: Kind::Mini,
        at_ms,
        method: ask.method.to_owned(),
        path: target.path().to_owned(),
        what: ask.what.clone(),
        delivery: None,
        limit_ms: None,
        request: Sent {
            url: target.url_with(""),
            headers: secrets::in_headers(request.headers()),
            body: secrets::kept(body.as_bytes()),
        },
        plain: None,
        order: None,
    });
    Ticket { sim, id, at_ms, over: false }
}
