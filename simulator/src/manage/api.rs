//! The management API, over HTTP.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use super::outgoing::Outgoing;
use super::problem::Problem;
use super::progress::{Progress, TICK};
use super::stop::Stop;
use crate::http::{Failure, Stream, Target};
use crate::lang::Lang;

/// Whoever does not take a connection in this time is not there.
const CONNECT: Duration = Duration::from_secs(15);
/// When no byte moved for so long, nothing will come any more. A Worker that asks WeChat much takes a minute.
const IDLE: Duration = Duration::from_secs(120);
/// No document of the API is longer, bytes.
const MAX_DOCUMENT: usize = 64 * 1024 * 1024;

/// A Worker's management API.
#[derive(Debug)]
pub struct Api {
    base: Target,
    /// Marked as sensitive, so that it is never printed.
    bearer: HeaderValue,
    lang: Lang,
}

/// A body of a request, and of what type it is.
pub type Content = (String, Outgoing);

impl Api {
    pub fn new(base: Target, bearer: HeaderValue, lang: Lang) -> Self {
        Self { base, bearer, lang }
    }

    /// `GET`s a document.
    pub async fn get(&self, path: &str) -> Result<Value, Stop> {
        self.ask(Method::GET, path, None).await
    }

    /// `POST`s a document; without one, nothing.
    pub async fn post(&self, path: &str, body: Option<String>) -> Result<Value, Stop> {
        self.ask(Method::POST, path, body).await
    }

    /// Asks with JSON; `null` if the answer has no body.
    pub async fn ask(&self, method: Method, path: &str, body: Option<String>) -> Result<Value, Stop> {
        let content = body.map(|text| ("application/json".to_owned(), Outgoing::text(text)));
        self.exchange(method, path, content, &mut Progress::quiet()).await?.document(self.lang).await
    }

    /// Sends a request, and waits for the head of its answer.
    ///
    /// # Errors
    /// No answer, or a problem.
    pub async fn exchange(
        &self,
        method: Method,
        path: &str,
        content: Option<Content>,
        progress: &mut Progress,
    ) -> Result<Arriving, Stop> {
        let arriving = send(&self.base, Some(&self.bearer), &method, path, content, progress).await;
        let arriving = arriving.map_err(|failure| self.unreachable(failure, &method))?;
        if (200..300).contains(&arriving.status) {
            Ok(arriving)
        } else {
            Err(arriving.problem(self.lang).await)
        }
    }

    /// `GET`s a file from somewhere else, where the token is nobody's business.
    pub async fn elsewhere(&self, target: &Target) -> Result<Arriving, Stop> {
        let path = target.path_with("");
        let sent = send(target, None, &Method::GET, &path, None, &mut Progress::quiet()).await;
        let arriving = sent.map_err(|failure| Stop::Unreachable(format!("{target}: {}", why(failure))))?;
        if arriving.status == 200 {
            return Ok(arriving);
        }
        Err(Stop::Refused(format!("{target}: HTTP {}", arriving.status)))
    }

    fn unreachable(&self, failure: Failure, method: &Method) -> Stop {
        let lang = self.lang;
        let known = matches!(failure, Failure::Refused(_)) || method == Method::GET;
        let mut words = format!("{}: {}", self.base.origin(), why(failure));
        if !known {
            words += lang.pick("；不知道是否已经执行", "; it is not known whether it was done");
        }
        let stop = Stop::Unreachable(words);
        if known && self.base.is_loopback() {
            stop.hint(lang.pick(
                "`npm run dev` 在运行吗？其他 Worker：--url 或 WX_URL",
                "is `npm run dev` running? For another Worker: --url, or WX_URL",
            ))
        } else {
            stop
        }
    }
}

fn why(failure: Failure) -> String {
    match failure {
        Failure::Refused(why) | Failure::Cut(why) => why,
        Failure::Timeout => "no answer".to_owned(),
    }
}

async fn send(
    target: &Target,
    bearer: Option<&HeaderValue>,
    method: &Method,
    path: &str,
    content: Option<Content>,
    progress: &mut Progress,
) -> Result<Arriving, Failure> {
    let refused = |error: &dyn std::fmt::Display| Failure::Refused(error.to_string());
    let mut request = Request::builder().method(method).uri(path).header(HOST, target.authority());
    request = request.header(USER_AGENT, concat!("wx/", env!("CARGO_PKG_VERSION"))).header(ACCEPT, "*/*");
    if let Some(bearer) = bearer {
        request = request.header(AUTHORIZATION, bearer);
    }
    let (content_type, body) = content.map_or((None, Outgoing::nothing()), |(kind, body)| (Some(kind), body));
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    let request = request.body(body).map_err(|error| refused(&error))?;
    let moved = Arc::<Moved>::default();
    // Nothing was sent yet.
    let late = |_| Failure::Refused(why(Failure::Timeout));
    let stream = timeout(CONNECT, target.connect()).await.map_err(late)??;
    let stream = TokioIo::new(Counted { stream, moved: Arc::clone(&moved) });
    let (mut sender, driver) = http1::handshake(stream).await.map_err(|error| refused(&error))?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        // How the connection ended reaches the request that waits on it.
        let _ = driver.await;
    });
    let answer = watched(&moved, progress, sender.send_request(request)).await.ok_or(Failure::Timeout)?;
    let response = answer.map_err(|error| Failure::Cut(reason(&error)))?;
    Ok(Arriving::new(response, moved, tasks))
}

/// What lies below an error of hyper's, which says little by itself.
fn reason(error: &hyper::Error) -> String {
    let below = std::error::Error::source(error).map(ToString::to_string);
    below.map_or_else(|| error.to_string(), |below| format!("{error}: {below}"))
}

/// Waits as long as bytes move.
async fn watched<T>(moved: &Moved, progress: &mut Progress, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut ticks) = (pin!(work), interval(TICK));
    let (mut seen, mut idle) = (0, Duration::ZERO);
    let done = loop {
        tokio::select! {
            biased;
            done = &mut work => break Some(done),
            _ = ticks.tick() => {
                let sent = moved.sent.load(Ordering::Relaxed);
                progress.tick(sent);
                let all = sent + moved.received.load(Ordering::Relaxed);
                idle = if all == seen { idle + TICK } else { Duration::ZERO };
                seen = all;
                if idle > IDLE {
                    break None;
                }
            }
        }
    };
    progress.end();
    done
}

/// An answer whose body is on its way.
#[derive(Debug)]
pub struct Arriving {
    pub status: u16,
    pub content_type: String,
    body: Incoming,
    moved: Arc<Moved>,
    // Dropping the set ends the connection.
    _driver: JoinSet<()>,
}

impl Arriving {
    fn new(response: Response<Incoming>, moved: Arc<Moved>, driver: JoinSet<()>) -> Self {
        let (parts, body) = response.into_parts();
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        Self { status: parts.status.as_u16(), content_type, body, moved, _driver: driver }
    }

    /// Whether the body is JSON.
    pub fn is_json(&self) -> bool {
        let essence = self.content_type.split(';').next().unwrap_or_default().trim();
        essence == "application/json" || essence.ends_with("+json")
    }

    /// The next piece of the body; `None` at its end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Stop> {
        loop {
            let Self { body, moved, .. } = self;
            let frame = watched(moved, &mut Progress::quiet(), body.frame()).await.ok_or_else(silent)?;
            match frame.map(|frame| frame.map(hyper::body::Frame::into_data)) {
                None => return Ok(None),
                Some(Ok(Ok(data))) => return Ok(Some(data)),
                // Trailers.
                Some(Ok(Err(_))) => {}
                Some(Err(error)) => return Err(Stop::Unreachable(reason(&error))),
            }
        }
    }

    /// The whole body.
    pub async fn bytes(self) -> Result<Bytes, Stop> {
        let Self { body, moved, _driver, .. } = self;
        let whole = Limited::new(body, MAX_DOCUMENT).collect();
        let whole = watched(&moved, &mut Progress::quiet(), whole).await.ok_or_else(silent)?;
        whole.map(http_body_util::Collected::to_bytes).map_err(|error| Stop::Unreachable(error.to_string()))
    }

    /// The body as JSON; `null` if there is none.
    pub async fn document(self, lang: Lang) -> Result<Value, Stop> {
        let bytes = self.bytes().await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|_| {
            let words = lang.pick("那里不是 WxApi 的管理接口", "what is there is not WxApi's management API");
            Stop::Refused(words.to_owned())
        })
    }

    async fn problem(self, lang: Lang) -> Stop {
        let (status, json) = (self.status, self.is_json());
        let bytes = match self.bytes().await {
            Ok(bytes) => bytes,
            Err(stop) => return stop,
        };
        let body: Option<Value> = if json { serde_json::from_slice(&bytes).ok() } else { None };
        if let Some(body) = body {
            return Problem::new(status, body).into();
        }
        let text = String::from_utf8_lossy(&bytes);
        let text: String = super::voice::tame(&text).chars().take(200).collect();
        let words = lang.pick("不是 WxApi 的管理接口的回答", "no answer of WxApi's management API");
        Stop::Refused(format!("HTTP {status}, {words}: {text}"))
    }
}

fn silent() -> Stop {
    Stop::Unreachable(why(Failure::Timeout))
}

/// How many bytes went over a connection.
#[derive(Debug, Default)]
struct Moved {
    sent: AtomicU64,
    received: AtomicU64,
}

/// A connection that counts.
struct Counted {
    stream: Box<dyn Stream>,
    moved: Arc<Moved>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.moved.received.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.moved.sent.fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
