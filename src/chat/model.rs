//! The two wire formats of language models: requests as data, answers read from their streams.

use serde::Serialize;
use serde_json::Value;

use super::prompt::ChatMessage;

/// An answer is kept up to this many bytes (about eight WeChat pages); a model that does not stop is cut.
pub const ANSWER_LIMIT: usize = 16 * 1024;
/// One model is asked this many times before the next one of the chain.
pub const ATTEMPTS: u32 = 3;
/// A model that has not finished after this long (milliseconds) has failed.
pub const LONGEST: u64 = 180_000;
/// Output tokens asked of Workers AI, whose own default is a few sentences: enough for [`ANSWER_LIMIT`].
const MAX_TOKENS: u32 = 4_096;
/// Thoughts and answer together are read up to this many bytes.
const OUTPUT_LIMIT: usize = 256 * 1024;
/// One event of a stream is at most this long; a server that sends more speaks another language.
const LINE_LIMIT: usize = 1024 * 1024;

/// Codes of Workers AI that asking again does not change: a wrong model or request, an account that may not,
/// the day's allocation used up. The others are time-outs and lack of capacity.
/// <https://developers.cloudflare.com/workers-ai/platform/errors/>
const FINAL_CODES: [u32; 13] = [3003, 3006, 3023, 3036, 3039, 3041, 3042, 5004, 5005, 5007, 5016, 5018, 5019];

/// The body of `POST …/chat/completions`.
#[derive(Serialize)]
struct Completion<'a> {
    model: &'a str,
    messages: &'a [ChatMessage],
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

/// <https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options>
#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// The inputs of a text generation model on Workers AI.
/// <https://developers.cloudflare.com/workers-ai/features/prompting/>
#[derive(Serialize)]
struct WorkersAiInputs<'a> {
    messages: &'a [ChatMessage],
    max_tokens: u32,
    stream: bool,
}

/// The inputs of `@cf/openai/whisper-large-v3-turbo`.
/// <https://developers.cloudflare.com/workers-ai/models/whisper-large-v3-turbo/>
#[derive(Serialize)]
struct WhisperInputs {
    audio: String,
}

/// The JSON body for an OpenAI-compatible endpoint. `usage` asks for the tokens at the end of the stream. OpenAI,
/// Azure, DashScope, vLLM and Ollama tell them only if asked; Mistral refuses the question with status 422, and so do
/// some gateways.
pub fn completion_body(model: &str, messages: &[ChatMessage], usage: bool) -> String {
    let stream_options = usage.then_some(StreamOptions { include_usage: true });
    json(&Completion { model, messages, stream: true, stream_options })
}

/// The JSON inputs for the `AI` binding.
pub fn workers_ai_inputs(messages: &[ChatMessage]) -> String {
    json(&WorkersAiInputs { messages, max_tokens: MAX_TOKENS, stream: true })
}

/// The JSON inputs for a speech model behind the `AI` binding; `audio` is base64.
pub fn whisper_inputs(audio: String) -> String {
    json(&WhisperInputs { audio })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Why a model gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// The provider answered with this HTTP status.
    Status(u16),
    /// The `AI` binding refused with this code of Workers AI.
    Code(u32),
    /// The provider could not be reached, broke off, or fell silent.
    Unreachable(String),
    /// The stream ended without a word.
    Empty,
    /// The stream reported an error of its own. What it said may quote the question, so it is not kept.
    Reported,
}

impl ModelError {
    /// The error behind the message of the `AI` binding: `3040: Capacity …`, with or without a name before it.
    pub fn of_binding(message: &str) -> Self {
        match message.split(':').take(2).find_map(|part| part.trim().parse().ok()) {
            Some(code) => Self::Code(code),
            // What it says instead may quote the question, so it is not kept.
            None => Self::Unreachable("the AI binding failed without a code".to_owned()),
        }
    }

    /// Its name in the counters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status(429) => "too_many",
            Self::Status(_) => "status",
            Self::Code(_) => "code",
            Self::Unreachable(_) => "unreachable",
            Self::Empty => "empty",
            Self::Reported => "reported",
        }
    }

    /// Whether the same model may answer when asked again: the fault was not in the request.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 409 | 425 | 429 | 500..=599),
            Self::Code(code) => !FINAL_CODES.contains(code),
            Self::Unreachable(_) | Self::Empty | Self::Reported => true,
        }
    }
}

impl std::fmt::Display for ModelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the model provider answered {status}"),
            Self::Code(code) => write!(f, "Workers AI refused with code {code}"),
            Self::Unreachable(reason) => write!(f, "the model provider was not reached: {reason}"),
            Self::Empty => f.write_str("the model answered without a word"),
            Self::Reported => f.write_str("the model broke off with an error"),
        }
    }
}

/// How long to wait before asking the same model again, in milliseconds: 0.5 s, then 1 s, each with up to a
/// quarter of jitter so that many users do not come back at once. `attempt` counts from 1.
pub fn back_off(attempt: u32, jitter: u8) -> u64 {
    let base = 250u64 << attempt.min(8);
    base + base * u64::from(jitter) / 1_024
}

/// What a model wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Its words, thoughts and marks included.
    pub text: String,
    /// Tokens of question and answer together, as the provider counts them; 0 if it does not say, or was not heard
    /// out because the answer was too long.
    pub tokens: u64,
}

/// Reads an answer from server-sent events, as they come in any pieces.
///
/// Understands `choices[0].delta.content` (OpenAI-compatible), `response` (Workers AI) and, for servers that
/// ignore `stream`, one plain JSON body with `choices[0].message.content`. The tokens are in `usage`, most often of an
/// event of their own at the end, whose `choices` is empty; Moonshot has it in the last choice.
#[derive(Debug, Default)]
pub struct AnswerReader {
    /// The event that is not complete yet.
    buffer: Vec<u8>,
    answer: String,
    /// Where the part of `answer` begins that is no thought; beyond its end while the model thinks.
    visible_from: usize,
    tokens: u64,
    failed: bool,
    done: bool,
}

impl AnswerReader {
    /// Takes the next piece. False: enough was read, the stream can be dropped.
    pub fn feed(&mut self, piece: &[u8]) -> bool {
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            self.buffer.extend_from_slice(line);
            if line.ends_with(b"\n") {
                let line = std::mem::take(&mut self.buffer);
                self.line(&line);
            }
        }
        self.failed |= self.buffer.len() > LINE_LIMIT;
        // Marks count here and not in what is kept, which has to tell a cut answer from a whole one.
        let enough = self.answer.len().saturating_sub(self.visible_from) >= 2 * ANSWER_LIMIT;
        !(self.done || self.failed || enough || self.answer.len() >= OUTPUT_LIMIT)
    }

    /// What came so far, thoughts and marks included.
    pub fn so_far(&self) -> &str {
        &self.answer
    }

    /// The whole answer, once the stream has ended.
    pub fn finish(mut self) -> Result<Written, ModelError> {
        let rest = std::mem::take(&mut self.buffer);
        self.line(&rest);
        match (self.failed, self.answer.trim().is_empty()) {
            (true, _) => Err(ModelError::Reported),
            (false, true) => Err(ModelError::Empty),
            (false, false) => Ok(Written { text: self.answer, tokens: self.tokens }),
        }
    }

    fn line(&mut self, line: &[u8]) {
        let line = line.strip_prefix(b"data:").unwrap_or(line).trim_ascii();
        if line == b"[DONE]" {
            self.done = true;
        } else if line.first() == Some(&b'{')
            && let Ok(event) = crate::json::value(line)
        {
            self.event(&event);
        }
    }

    fn event(&mut self, event: &Value) {
        let choice = event.get("choices").and_then(|choices| choices.get(0));
        let delta = choice.and_then(|choice| choice.get("delta").or_else(|| choice.get("message")));
        let words = delta.and_then(|delta| delta.get("content")).or_else(|| event.get("response"));
        match words {
            Some(Value::String(words)) => self.words(words),
            // Workers AI sends a lone number as a number.
            Some(Value::Number(number)) => self.answer.push_str(&number.to_string()),
            _ => {}
        }
        let usage = event.get("usage").filter(|usage| !usage.is_null());
        match usage.or_else(|| choice.and_then(|choice| choice.get("usage"))).map(tokens) {
            // Some servers count on with every event.
            Some(tokens) if tokens > 0 => self.tokens = tokens,
            _ => {}
        }
        self.failed |= event.get("error").is_some_and(|error| !error.is_null());
    }

    /// Thoughts do not count towards the answer's length; a long one must not cut the answer off.
    fn words(&mut self, words: &str) {
        self.answer.push_str(words);
        if words.contains('>') {
            let thinking = self.answer.rfind("<think>");
            let thought = self.answer.rfind("</think>");
            self.visible_from = if thinking > thought { usize::MAX } else { thought.unwrap_or_default() };
        }
    }
}

fn tokens(usage: &Value) -> u64 {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or_default();
    match count("total_tokens") {
        0 => count("prompt_tokens").saturating_add(count("completion_tokens")),
        total => total,
    }
}

/// The words that a speech model heard, in either format: `{"text": …}`.
pub fn heard(body: &[u8]) -> Option<String> {
    let body = crate::json::value(body).ok()?;
    let text = body.get("text")?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
