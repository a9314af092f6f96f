//! The platform over HTTP: faults, the answer, the log of calls.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{self, Body};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::errcode::Errcode;
use super::openapi::Answered;
use super::{ApiReply, ApiRequest, Fault, answer};
use crate::control::send;
use crate::query;
use crate::secrets;
use crate::server::{MAX_BODY, cut};
use crate::state::Sim;

/// One call that the platform got, as `GET /_sim/calls` shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiCall {
    /// Its number, from 1.
    pub n: u64,
    /// When it came: simulated milliseconds since 1970.
    pub at_ms: u64,
    /// `GET`, `POST`, …
    pub method: String,
    /// Its path.
    pub path: String,
    /// Its query, the values of secrets replaced by `***`.
    pub query: Vec<(String, String)>,
    /// Its JSON body (secrets replaced), or its text.
    pub body: Value,
    /// The errcode answered: 0 for success, null when no JSON was answered.
    pub errcode: Option<i64>,
    /// The HTTP status answered: null when the connection was cut.
    pub status: Option<u16>,
}

/// Answers any path that is WeChat's.
pub async fn handle(State(sim): State<Arc<Sim>>, request: Request) -> Response {
    let Some(request) = read(request).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let fault = sim.lock().faults.take(&request.path);
    let at_ms = sim.clock.now_ms();
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let now_ms = sim.clock.now_ms();
    let target = sim.options.target.as_ref().filter(|target| sim.options.permit(target));
    let reply = {
        let mut state = sim.lock();
        let reply = fault
            .as_ref()
            .and_then(|fault| spoil(fault, now_ms))
            .unwrap_or_else(|| answer(&mut state, &sim.account, target, now_ms, &request));
        state.calls.push(|n| describe(n, now_ms, &request, &reply));
        state.rids.remember(Answered { at_ms, cost_ms: now_ms.saturating_sub(at_ms) }, &request, &reply);
        reply
    };
    post_outbox(&sim);
    let mut response = respond(reply).await;
    if fault.is_some_and(|fault| fault.half) {
        response = half(response).await;
    }
    // These say that their JSON is text.
    if request.path.starts_with("/sns/") && response.status() == StatusCode::OK {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    }
    response
}

/// Delivers what the answer leads to, beside it.
pub fn post_outbox(sim: &Arc<Sim>) {
    if sim.lock().outbox.is_empty() {
        return;
    }
    for order in std::mem::take(&mut sim.lock().outbox) {
        let sim = Arc::clone(sim);
        // Without a target, there is nobody to tell.
        tokio::spawn(async move { send::send(&sim, order).await.ok() });
    }
}

async fn read(request: Request) -> Option<ApiRequest> {
    let (parts, body) = request.into_parts();
    let body = body::to_bytes(body, MAX_BODY).await.ok()?;
    let query = query::parse(parts.uri.query().unwrap_or_default());
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Some(ApiRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query,
        content_type: content_type.unwrap_or_default().to_owned(),
        body,
    })
}

/// The wrong answer, if the fault is more than a delay.
fn spoil(fault: &Fault, now_ms: u64) -> Option<ApiReply> {
    if fault.cut {
        return Some(ApiReply::Cut);
    }
    let status = fault.http_status.map(ApiReply::Status);
    status.or_else(|| fault.errcode.map(|code| ApiReply::Json(Errcode(code).body(now_ms))))
}

fn describe(n: u64, at_ms: u64, request: &ApiRequest, reply: &ApiReply) -> ApiCall {
    let (errcode, status) = match reply {
        ApiReply::Json(body) => (Some(body.get("errcode").and_then(Value::as_i64).unwrap_or(0)), Some(200)),
        ApiReply::File { .. } => (None, Some(200)),
        ApiReply::Probe(_) => (Some(0), Some(200)),
        ApiReply::Status(status) => (None, Some(*status)),
        ApiReply::Cut => (None, None),
    };
    let query = secrets::in_pairs(&request.query);
    let (method, path) = (request.method.clone(), request.path.clone());
    ApiCall { n, at_ms, method, path, query, body: secrets::in_body(&request.body), errcode, status }
}

/// The call has its effect, but its answer breaks off in the middle, though its length was announced.
async fn half(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body::to_bytes(body, usize::MAX).await else { return cut() };
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let pieces = [Ok(body.slice(..body.len() / 2)), Err(io::Error::from(io::ErrorKind::ConnectionAborted))];
    Response::from_parts(parts, Body::from_stream(stream::iter(pieces)))
}

fn json(body: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json; encoding=utf-8")], body.to_string()).into_response()
}

async fn respond(reply: ApiReply) -> Response {
    match reply {
        ApiReply::Json(body) => json(&body),
        ApiReply::Probe(probe) => json(&probe.run().await),
        ApiReply::File { content_type, filename, bytes } => {
            let disposition = match filename.as_str() {
                "" => "inline".to_owned(),
                name => format!("attachment; filename=\"{name}\""),
            };
            ([(CONTENT_TYPE, content_type.to_owned()), (CONTENT_DISPOSITION, disposition)], bytes)
                .into_response()
        }
        ApiReply::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, [(CONTENT_TYPE, "text/html")], Body::from("<html><h1>error</h1></html>")).into_response()
        }
        ApiReply::Cut => cut(),
    }
}
