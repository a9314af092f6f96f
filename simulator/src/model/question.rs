//! What the model is asked, read from either protocol.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::journal::{self, BODY_KEPT};
use crate::sniff;

/// Longer strings are cut in the log of calls: they are pictures.
const LOGGED_TEXT: usize = 20_000;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An answer to messages.
    #[default]
    Chat,
    /// The text of a recording.
    Transcription,
}

/// One call of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Chat or transcription.
    pub kind: Kind,
    /// The model's name.
    pub model: String,
    /// The last user message; for a transcription, a line that says what came.
    pub text: String,
    /// A line for each picture in the last user message: its size and type.
    pub pictures: Vec<String>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether a stream is to end with token counts.
    pub usage: bool,
    /// The messages as they came, pictures shortened.
    pub messages: Value,
}

impl Question {
    /// Reads the fields that both protocols share: `messages` (or `prompt`), `image`, `stream`.
    pub fn chat(model: &str, asked: &Value) -> Self {
        let prompt = asked.get("prompt").and_then(Value::as_str);
        let messages = match (asked.get("messages"), prompt) {
            (Some(messages), _) => messages.clone(),
            (None, Some(prompt)) => json!([{ "role": "user", "content": prompt }]),
            (None, None) => Value::Array(Vec::new()),
        };
        let content = last_user_content(&messages);
        let beside = asked.get("image").map(describe_input);
        Self {
            kind: Kind::Chat,
            model: model.to_owned(),
            text: text_of(content),
            pictures: parts(content).iter().filter_map(picture).chain(beside).collect(),
            stream: asked.get("stream").and_then(Value::as_bool).unwrap_or_default(),
            usage: asked
                .pointer("/stream_options/include_usage")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            messages: shorten(messages),
        }
    }

    /// Its messages, for the log.
    pub fn logged(&self) -> Value {
        let text = self.messages.to_string();
        if text.len() > BODY_KEPT {
            Value::String(journal::kept(text.as_bytes()))
        } else {
            self.messages.clone()
        }
    }

    /// A recording to be written down.
    pub fn transcription(model: &str, audio: &[u8]) -> Self {
        let text = format!("{} ({})", audio.len(), sniff::file_type(audio).content_type);
        Self {
            kind: Kind::Transcription,
            model: model.to_owned(),
            messages: json!([{ "role": "user", "content": format!("audio, bytes: {text}") }]),
            text,
            pictures: Vec::new(),
            stream: false,
            usage: false,
        }
    }
}

/// Bytes that came as an array of numbers, as base64 or as a data URL.
pub fn input_bytes(input: &Value) -> Option<Vec<u8>> {
    match input {
        Value::Array(numbers) => numbers.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect(),
        Value::String(text) => {
            STANDARD.decode(text.split_once(";base64,").map_or(text.as_str(), |pair| pair.1)).ok()
        }
        _ => None,
    }
}

fn last_user_content(messages: &Value) -> &Value {
    let messages = messages.as_array().map_or(&[][..], Vec::as_slice);
    let last =
        messages.iter().rev().find(|message| message.get("role").and_then(Value::as_str) == Some("user"));
    last.and_then(|message| message.get("content")).unwrap_or(&Value::Null)
}

fn parts(content: &Value) -> &[Value] {
    content.as_array().map_or(&[], Vec::as_slice)
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        _ => {
            parts(content).iter().filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
        }
    }
}

fn picture(part: &Value) -> Option<String> {
    let url = part.pointer("/image_url/url").or_else(|| part.get("image_url"))?;
    let text = url.as_str()?;
    Some(if text.starts_with("data:") { describe_input(url) } else { format!("URL {text}") })
}

fn describe_input(input: &Value) -> String {
    input_bytes(input).map_or_else(
        || "unreadable".to_owned(),
        |bytes| format!("{} bytes, {}", bytes.len(), sniff::file_type(&bytes).content_type),
    )
}

fn shorten(mut messages: Value) -> Value {
    shorten_in(&mut messages);
    messages
}

fn shorten_in(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LOGGED_TEXT => {
            let start: String = text.chars().take(64).collect();
            *text = format!("{start}… ({} bytes)", text.len());
        }
        Value::Array(items) => items.iter_mut().for_each(shorten_in),
        Value::Object(members) => members.values_mut().for_each(shorten_in),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_user_message_is_the_question() {
        let asked = json!({ "stream": true, "messages": [
            { "role": "system", "content": "be kind" },
            { "role": "user", "content": "one" },
            { "role": "assistant", "content": "1" },
            { "role": "user", "content": "two" },
            { "role": "assistant", "content": "…" },
        ]});
        let question = Question::chat("m", &asked);
        assert_eq!((question.text.as_str(), question.stream, question.usage), ("two", true, false));
        assert_eq!(Question::chat("m", &json!({ "prompt": "three" })).text, "three");
        assert_eq!(Question::chat("m", &json!({})).text, "");
    }

    #[test]
    fn pictures_are_measured_in_each_form() {
        let url = format!("data:image/png;base64,{}", STANDARD.encode(b"\x89PNG\r\n\x1a\n0123"));
        let asked = json!({ "image": [255, 216, 255, 224, 0], "messages": [{ "role": "user", "content": [
            { "type": "text", "text": "what is this?" },
            { "type": "image_url", "image_url": { "url": url } },
            { "type": "image_url", "image_url": { "url": "http://a.example/1.jpg" } },
        ]}]});
        let question = Question::chat("m", &asked);
        assert_eq!(question.text, "what is this?");
        assert_eq!(
            question.pictures,
            ["12 bytes, image/png", "URL http://a.example/1.jpg", "5 bytes, image/jpeg"]
        );
    }

    #[test]
    fn the_log_keeps_no_pictures() {
        let asked = json!({ "messages": [{ "role": "user", "content": "x".repeat(30_000) }] });
        let logged = Question::chat("m", &asked).messages.to_string();
        assert!(logged.len() < 200 && logged.contains("30000 bytes"), "{logged}");
    }
}
