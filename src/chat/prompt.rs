//! What the model is asked, as data.

use serde::Serialize;

use super::history::{History, Turn};
use crate::lang::Lang;

/// One message of a chat request, in the form that OpenAI-compatible endpoints and Workers AI share.
/// <https://platform.openai.com/docs/api-reference/chat/create>
/// <https://developers.cloudflare.com/workers-ai/features/prompting/>
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// Text, or text with a picture.
    pub content: Content,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Text and a picture, for vision models.
    Parts(Vec<Part>),
}

/// A part of a message to a vision model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    ImageUrl {
        /// Where it is; here always a `data:` URL.
        image_url: ImageUrl,
    },
}

/// The address of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageUrl {
    /// A `data:` URL with the picture itself.
    pub url: String,
}

fn message(role: &'static str, text: impl Into<String>) -> ChatMessage {
    ChatMessage { role, content: Content::Text(text.into()) }
}

/// A question in its conversation.
pub fn question(system_prompt: &str, history: &History, question: &str) -> Vec<ChatMessage> {
    let mut messages = Vec::with_capacity(history.turns.len() * 2 + 3);
    messages.push(message("system", system_prompt));
    if !history.summary.is_empty() {
        messages.push(message("system", format!("Summary of the conversation so far: {}", history.summary)));
    }
    for turn in &history.turns {
        messages.push(message("user", turn.question.as_str()));
        if !turn.answer.is_empty() {
            messages.push(message("assistant", turn.answer.as_str()));
        }
    }
    messages.push(message("user", question));
    messages
}

/// A picture; `data_url` holds it.
pub fn picture(system_prompt: &str, lang: Lang, data_url: String) -> Vec<ChatMessage> {
    let text = match lang {
        Lang::Zh => "请看这张图片：说说上面有什么；如果有文字或问题，请读出来并回答。",
        Lang::En => {
            "Look at this picture: say what it shows; if it has text or a question, read and answer it."
        }
    };
    let parts =
        vec![Part::Text { text: text.to_owned() }, Part::ImageUrl { image_url: ImageUrl { url: data_url } }];
    vec![message("system", system_prompt), ChatMessage { role: "user", content: Content::Parts(parts) }]
}

/// What a shared link says about itself, as a question.
pub fn link(lang: Lang, title: &str, description: &str, url: &str) -> String {
    match lang {
        Lang::Zh => format!(
            "我分享了一个链接，请根据下面的信息简要介绍它（你打不开网页，不要编造正文）。\n标题：{title}\n描述：{description}\n网址：{url}"
        ),
        Lang::En => format!(
            "I shared a link. Say briefly what it is about from these fields (you cannot open the page, so do not invent its text).\nTitle: {title}\nDescription: {description}\nURL: {url}"
        ),
    }
}

/// A summary of the conversation for the user (`/summary`).
pub fn summary(lang: Lang, history: &History) -> Vec<ChatMessage> {
    let task = match lang {
        Lang::Zh => "请用要点总结下面的对话，不超过 200 字。",
        Lang::En => "Summarise the conversation below in a few points, at most 120 words.",
    };
    vec![message("system", task), message("user", History::transcript(&history.summary, &history.turns))]
}

/// A summary of older turns for the model itself.
pub fn compaction(earlier: &str, turns: &[Turn]) -> Vec<ChatMessage> {
    const TASK: &str = "Condense the conversation below into at most 150 words, in its own language. Keep names, numbers, decisions and open questions. Write only the summary.";
    vec![message("system", TASK), message("user", History::transcript(earlier, turns))]
}
