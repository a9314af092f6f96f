//! OpenAI's protocol: `/v1/chat/completions`, streamed and whole, and `/v1/audio/transcriptions`.
//!
//! <https://platform.openai.com/docs/api-reference/chat>

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer;
use super::desk::Wire;
use super::question::{Kind, Question};
use super::rules::Plan;
use super::serve::{self, Written};
use crate::multipart;
use crate::state::Sim;

/// `POST /v1/chat/completions`
pub async fn chat_completions(State(sim): State<Arc<Sim>>, body: Bytes) -> Response {
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return bad_request("the body is not JSON");
    };
    let Some(model) = asked.get("model").and_then(Value::as_str) else {
        return bad_request("model is missing");
    };
    if !asked.get("messages").is_some_and(Value::is_array) {
        return bad_request("messages is missing");
    }
    let question = Question::chat(model, &asked);
    serve::answer(sim, Wire::Openai, question).await
}

/// `POST /v1/audio/transcriptions`
pub async fn transcriptions(State(sim): State<Arc<Sim>>, headers: HeaderMap, body: Bytes) -> Response {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(parts) = multipart::parse(content_type, &body) else {
        return bad_request("not multipart/form-data");
    };
    let Some(audio) = multipart::get(&parts, "file") else { return bad_request("file is missing") };
    let model = multipart::get(&parts, "model").map(|part| String::from_utf8_lossy(part.content));
    let question = Question::transcription(&model.unwrap_or_default(), audio.content);
    serve::answer(sim, Wire::Openai, question).await
}

fn bad_request(message: &str) -> Response {
    let error = json!({ "error": { "message": message, "type": "invalid_request_error", "param": null, "code": null } });
    (StatusCode::BAD_REQUEST, [(CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}

/// The body of an ordered failure.
pub fn failure(status: u16) -> Value {
    let kind = if status == 429 { "rate_limit_exceeded" } else { "server_error" };
    json!({ "error": { "message": "wx-sim fails as ordered", "type": kind, "param": null, "code": kind } })
}

/// The answer to call `number`, made at `created` (seconds).
pub fn write(question: &Question, plan: &Plan, number: u64, created: u64) -> Written {
    if question.kind == Kind::Transcription {
        return Written::Whole(json!({ "text": plan.text }));
    }
    let id = format!("chatcmpl-sim-{number}");
    if !question.stream {
        return Written::Whole(json!({
            "id": id, "object": "chat.completion", "created": created, "model": question.model,
            "choices": [{
                "index": 0, "finish_reason": "stop", "logprobs": null,
                "message": { "role": "assistant", "content": plan.text, "refusal": null },
            }],
            "usage": answer::usage(question, &plan.text),
        }));
    }
    let chunk = |choices: Value, usage: Value| {
        let mut event = json!({
            "id": id, "object": "chat.completion.chunk", "created": created, "model": question.model,
            "choices": choices,
        });
        if question.usage
            && let Some(members) = event.as_object_mut()
        {
            members.insert("usage".to_owned(), usage);
        }
        Bytes::from(format!("data: {event}\n\n"))
    };
    let delta = |delta: Value, reason: Option<&str>| {
        chunk(json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": reason }]), Value::Null)
    };
    let mut events = vec![delta(json!({ "role": "assistant", "content": "" }), None)];
    events
        .extend(answer::pieces(&plan.text).into_iter().map(|piece| delta(json!({ "content": piece }), None)));
    events.push(delta(json!({}), Some("stop")));
    if question.usage {
        events.push(chunk(json!([]), answer::usage(question, &plan.text)));
    }
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    Written::Events(events)
}
