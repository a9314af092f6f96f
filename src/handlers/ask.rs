//! Asking the language models: the chain, the attempts, the stream.

use super::{App, metrics};
use crate::chat::clean::clean;
use crate::chat::model::{self, ATTEMPTS, AnswerReader, LONGEST, ModelError, Written};
use crate::chat::prompt::ChatMessage;
use crate::config::Endpoint;
use crate::log::Line;
use crate::platform::{AiError, Inflow, Millis, Outbound, Pieces, Platform, Unreachable};

/// The answer to `messages`, as WeChat should show it.
///
/// Each model of `chain` is asked up to three times, with a growing pause between; a fault that asking again
/// cannot mend goes to the next model at once.
pub async fn ask<P: Platform>(
    platform: &P,
    app: &App,
    chain: &[String],
    messages: &[ChatMessage],
) -> Result<String, ModelError> {
    let begin = platform.now();
    let mut last = ModelError::Empty;
    for name in chain {
        for attempt in 1..=ATTEMPTS {
            let answer = once(platform, app, name, messages).await;
            let outcome = answer.as_ref().map_or_else(ModelError::name, |_| "answered");
            metrics::count(platform, app, "wxapi_model_attempts_total", &[("outcome", outcome)]);
            match answer {
                Ok(answer) => {
                    note(platform, app, begin, "answered");
                    return Ok(answer);
                }
                Err(error) => {
                    platform.log(&Line::warn(
                        "model.attempt_failed",
                        format_args!("{name}: attempt {attempt}: {error}"),
                    ));
                    last = error;
                }
            }
            if !last.is_transient() {
                break;
            }
            if attempt < ATTEMPTS {
                let [jitter, ..] = platform.random();
                platform.sleep(model::back_off(attempt, jitter)).await;
            }
        }
    }
    platform.log(&Line::error("model.failed", &last));
    note(platform, app, begin, "failed");
    Err(last)
}

fn note<P: Platform>(platform: &P, app: &App, begin: Millis, outcome: &str) {
    let span = platform.now().saturating_sub(begin);
    metrics::observe(platform, app, "wxapi_model_seconds", &[("outcome", outcome)], span);
}

async fn once<P: Platform>(
    platform: &P,
    app: &App,
    name: &str,
    messages: &[ChatMessage],
) -> Result<String, ModelError> {
    let body = match &app.config.model.endpoint {
        Some(endpoint) => begin_by_endpoint(platform, endpoint, name, messages).await?,
        None => begin_by_binding(platform, name, messages).await?,
    };
    let answer = clean(&read(body).await?.text);
    if answer.is_empty() { Err(ModelError::Empty) } else { Ok(answer) }
}

async fn begin_by_binding<P: Platform>(
    platform: &P,
    name: &str,
    messages: &[ChatMessage],
) -> Result<P::Body, ModelError> {
    let begun = platform.run_ai(name, model::workers_ai_inputs(messages), LONGEST).await;
    begun.map_err(|AiError(message)| ModelError::of_binding(&message))
}

async fn begin_by_endpoint<P: Platform>(
    platform: &P,
    endpoint: &Endpoint,
    name: &str,
    messages: &[ChatMessage],
) -> Result<P::Body, ModelError> {
    let complete = |usage| {
        let body = model::completion_body(name, messages, usage).into_bytes();
        platform.fetch(request(endpoint, "/chat/completions", "application/json".to_owned(), body))
    };
    let mut inflow = complete(true).await.map_err(unreachable)?;
    if matches!(inflow.status, 400 | 422) {
        // It may be the question for the tokens that is refused.
        inflow = complete(false).await.map_err(unreachable)?;
    }
    expect_success(inflow)
}

/// A `POST` to an OpenAI-compatible endpoint.
pub fn request(endpoint: &Endpoint, path: &str, content_type: String, body: Vec<u8>) -> Outbound {
    let mut headers = vec![("content-type", content_type)];
    if let Some(key) = &endpoint.key {
        headers.push(("authorization", format!("Bearer {}", key.expose())));
    }
    let url = format!("{}{path}", endpoint.base_url);
    Outbound { method: "POST", url, headers, body, upload: None, timeout: LONGEST }
}

fn expect_success<B>(inflow: Inflow<B>) -> Result<B, ModelError> {
    if inflow.status == 200 { Ok(inflow.body) } else { Err(ModelError::Status(inflow.status)) }
}

/// Reads the whole stream, as long as it is wanted.
async fn read<B: Pieces>(mut body: B) -> Result<Written, ModelError> {
    let mut reader = AnswerReader::default();
    while let Some(piece) = body.next().await {
        if !reader.feed(&piece.map_err(unreachable)?) {
            break;
        }
    }
    reader.finish()
}

/// A call that did not get through, as a model's failure.
pub fn unreachable(Unreachable(reason): Unreachable) -> ModelError {
    ModelError::Unreachable(reason)
}
