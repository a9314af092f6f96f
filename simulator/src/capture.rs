//! Noting in the journal what others ask of the platform, the model and WeChat's pages.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{self, Body, Bytes, HttpBody};
use axum::http::request::Parts;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use serde_json::Value;

use crate::journal::{self, BODY_KEPT, Begin, Kind, Progress, Received, Sent};
use crate::model::Question;
use crate::platform;
use crate::secrets;
use crate::server::{Cut, MAX_BODY};
use crate::state::Sim;

/// Which paths a browser opens, though one begins as the platform's do.
const PAGES: [&str; 4] = ["/connect/", "/mp/", "/s/", "/cgi-bin/showqrcode"];

/// What a request is, if the journal wants it.
fn kind(parts: &Parts) -> Option<Kind> {
    let path = parts.uri.path();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
    if starts(&PAGES) {
        Some(Kind::Web)
    } else if starts(&platform::PATHS) {
        Some(Kind::Api)
    } else if path.starts_with("/v1/") || parts.headers.contains_key("mf-url") {
        Some(Kind::Model)
    } else {
        None
    }
}

/// A request that is under way; dropped, it was given up by its caller.
#[derive(Debug)]
pub struct Ticket {
    sim: Arc<Sim>,
    id: u64,
    kind: Kind,
    at_ms: u64,
    response: Received,
    body: Vec<u8>,
    length: usize,
    whole: bool,
    /// The answer to `HEAD` has none.
    bodiless: bool,
}

/// Reads a request whole, since everybody here does, and notes it.
///
/// # Errors
/// The answer to a request that is too large, or whose body breaks off.
pub async fn begin(
    sim: &Arc<Sim>,
    request: Request<Incoming>,
) -> Result<(Request<Body>, Option<Ticket>), Response> {
    let (parts, body) = request.into_parts();
    let Some(kind) = kind(&parts) else {
        return Ok((Request::from_parts(parts, Body::new(body)), None));
    };
    let body = body::to_bytes(Body::new(body), MAX_BODY).await;
    let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
    let at_ms = sim.clock.wall_ms();
    let mut state = sim.lock();
    let request = Sent {
        url: format!("{}{}", state.base_url, secrets::in_uri(&parts.uri)),
        headers: secrets::in_headers(&parts.headers),
        body: secrets::kept(&body),
    };
    let id = state.journal.begin(Begin {
        kind,
        at_ms,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        what: what(kind, &parts, &body),
        delivery: None,
        limit_ms: None,
        request,
        plain: None,
        order: None,
    });
    drop(state);
    let response = Received::default();
    let sim = Arc::clone(sim);
    let bodiless = parts.method == Method::HEAD;
    let ticket =
        Ticket { sim, id, kind, at_ms, response, body: Vec::new(), length: 0, whole: false, bodiless };
    Ok((Request::from_parts(parts, Body::from(body)), Some(ticket)))
}

/// What a model is asked, and its name; or the type of the message that is sent.
fn what(kind: Kind, parts: &Parts, body: &Bytes) -> String {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind != Kind::Model {
        return journal::in_short(&text("msgtype"));
    }
    let bound = parts.headers.get("mf-header-cf-consn-model-id");
    let model =
        bound.map_or_else(|| text("model"), |name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    let question = Question::chat(&model, document.get("inputs").unwrap_or(&document));
    journal::in_short(format!("{} {model}", question.text).trim())
}

impl Ticket {
    /// Follows the answer to its end.
    pub fn follow(mut self, response: Response) -> Response {
        if response.extensions().get::<Cut>().is_some() {
            return response;
        }
        let (parts, body) = response.into_parts();
        self.response.status = parts.status.as_u16();
        // Nobody reads a body that is known to be empty.
        self.whole = self.bodiless || body.is_end_stream();
        self.response.headers = secrets::in_headers(&parts.headers);
        Response::from_parts(parts, Body::new(Followed { body, ticket: self }))
    }

    /// How it ended, and that in a word.
    fn end(&self, body: &str) -> (Progress, String) {
        let status = self.response.status;
        if status == 0 {
            return (Progress::Failed, "cut".to_owned());
        }
        if !self.whole {
            return (Progress::Failed, format!("{status}, cut"));
        }
        let errcode = serde_json::from_str::<Value>(body).ok().and_then(|body| body.get("errcode")?.as_i64());
        match errcode {
            Some(code) if self.kind == Kind::Api => {
                let state = if code == 0 { Progress::Ok } else { Progress::Failed };
                (state, format!("errcode {code}"))
            }
            _ if status < 400 => (Progress::Ok, status.to_string()),
            _ => (Progress::Failed, status.to_string()),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut body = journal::kept(&self.body);
        if self.length > self.body.len() {
            body = format!("{body}… ({} bytes)", self.length);
        }
        let (state, result) = self.end(&body);
        let elapsed_ms = self.sim.clock.wall_ms().saturating_sub(self.at_ms);
        let mut response = std::mem::take(&mut self.response);
        response.body = secrets::in_text(&body);
        self.sim.lock().journal.end(self.id, |exchange| {
            exchange.elapsed_ms = Some(elapsed_ms);
            exchange.state = state;
            exchange.result = result;
            exchange.detail.response = (response.status != 0).then_some(response);
        });
    }
}

/// The body of an answer, noted as it passes.
struct Followed {
    body: Body,
    ticket: Ticket,
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let ended = self.body.is_end_stream();
        let ticket = &mut self.ticket;
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    ticket.length += data.len();
                    let room = BODY_KEPT.saturating_sub(ticket.body.len()).min(data.len());
                    ticket.body.extend_from_slice(data.get(..room).unwrap_or_default());
                }
                ticket.whole |= ended;
            }
            Poll::Ready(None) => ticket.whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
