//! The wire behind Cloudflare's `AI` binding, so that workerd's own `Ai` class runs against this machine.
//!
//! miniflare's `remoteProxyConnectionString` sends every call of the binding here: the URL that the binding meant in
//! `MF-URL`, its headers with `MF-Header-` before their names.
//! <https://github.com/cloudflare/workerd/blob/main/src/cloudflare/internal/ai-api.ts>

use std::sync::Arc;

use axum::body::{self, Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer;
use super::desk::Wire;
use super::question::{Kind, Question, input_bytes};
use super::rules::Plan;
use super::serve::{self, Written};
use crate::server::MAX_BODY;
use crate::state::Sim;

const URL: &str = "mf-url";
const MODEL: &str = "mf-header-cf-consn-model-id";
const BODY_TYPE: &str = "mf-header-content-type";

/// Any request that no route took: the AI binding's if it has its headers.
pub async fn workers_ai(State(sim): State<Arc<Sim>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Some(path) = header(&parts.headers, URL).and_then(|url| url.parse::<Uri>().ok()) else {
        return (StatusCode::NOT_FOUND, "No such page.\n").into_response();
    };
    let Ok(body) = body::to_bytes(body, MAX_BODY).await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
    };
    let runs = matches!(path.path(), "/run" | "/ai-gateway/run");
    if parts.method != Method::POST || !runs {
        return refuse(StatusCode::NOT_FOUND, "only run() is simulated");
    }
    let Some(model) = header(&parts.headers, MODEL) else {
        return refuse(StatusCode::BAD_REQUEST, "the model's name is missing");
    };
    match read(model, header(&parts.headers, BODY_TYPE), &body) {
        Ok(question) => serve::answer(sim, Wire::WorkersAi, question).await,
        Err(why) => refuse(StatusCode::BAD_REQUEST, why),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A body that is not JSON is a `ReadableStream` input: the recording itself.
fn read(model: &str, body_type: Option<&str>, body: &Bytes) -> Result<Question, &'static str> {
    let speech = model.contains("whisper");
    if speech && body_type.is_some_and(|body_type| !body_type.contains("json")) {
        return Ok(Question::transcription(model, body));
    }
    let asked: Value = serde_json::from_slice(body).map_err(|_| "the body is not JSON")?;
    let inputs = asked.get("inputs").filter(|inputs| inputs.is_object()).ok_or("inputs is missing")?;
    if speech {
        let audio = inputs.get("audio").and_then(input_bytes).ok_or("audio is missing")?;
        return Ok(Question::transcription(model, &audio));
    }
    if inputs.get("messages").is_none() && inputs.get("prompt").is_none() {
        return Err("messages or prompt is missing");
    }
    Ok(Question::chat(model, inputs))
}

fn refuse(status: StatusCode, description: &str) -> Response {
    let error = json!({ "internalCode": 5006, "description": description, "name": "InferenceUpstreamError" });
    (status, [(CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}

/// The body of an ordered failure.
pub fn failure() -> Value {
    let description = "Capacity temporarily exceeded, please try again.";
    json!({ "internalCode": 3040, "description": description, "name": "InferenceUpstreamError" })
}

/// The answer, as the binding's models write it.
pub fn write(question: &Question, plan: &Plan) -> Written {
    if question.kind == Kind::Transcription {
        return Written::Whole(
            json!({ "text": plan.text, "word_count": plan.text.split_whitespace().count() }),
        );
    }
    let usage = answer::usage(question, &plan.text);
    if !question.stream {
        return Written::Whole(json!({ "response": plan.text, "tool_calls": [], "usage": usage }));
    }
    let event = |value: Value| Bytes::from(format!("data: {value}\n\n"));
    let mut events: Vec<_> =
        answer::pieces(&plan.text).into_iter().map(|piece| event(json!({ "response": piece }))).collect();
    events.push(event(json!({ "response": "", "usage": usage })));
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    Written::Events(events)
}
