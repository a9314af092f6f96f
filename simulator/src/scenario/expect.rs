//! What a step expects.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::brief::{Brief, FromText, Texts};
use crate::mini_app::Outcome as MiniOutcome;
use crate::phone::LinkKind;
use crate::push::deliver::Outcome;

/// What must come of a step. What is not named may be anything; but unless `fails`, `error_line` or `rejected` says
/// otherwise, every rule of WeChat's must hold for the answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// The number of the delivery that was answered: 1, 2 or 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<u32>,
    /// How each delivery ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<Vec<Outcome>>,
    /// The HTTP status of the last delivery, or of the server's answer to the Mini Program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether the callback turned the message away: a 4xx status, or an empty body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<bool>,
    /// What is shown.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Shown>,
    /// The text that is shown, links by their labels; of `mini`, the answer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Brief<TextRule>>,
    /// How `mini` ends: `done` without it, unless `status` is another than 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<MiniOutcome>,
    /// Whether the Mini Program's answer comes in several pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streamed: Option<bool>,
    /// Links that are shown; others may be there, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Brief<LinkRule>>,
    /// Whether the same is shown as by this person's step before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same: Option<bool>,
    /// Whether WeChat's own error line is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_line: Option<bool>,
    /// Rules of WeChat's that must be broken.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub fails: Texts,
    /// Rules of WeChat's that must apply, and hold.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub holds: Texts,
    /// The page that opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<Brief<TextRule>>,
    /// The AppID of the Mini Program that opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mini_program: Option<Brief<TextRule>>,
    /// The errcode of `api`: 0 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errcode: Option<i64>,
    /// What the answer of `api`, or the server's to `mini`, has in it; it may have more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// The next messages that the account sends on its own; an empty list: none comes within `within_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbox: Option<Vec<MessageRule>>,
    /// Whether the phone shows that the account is typing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing: Option<bool>,
    /// How many more messages may be sent to this person now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowance: Option<u32>,
    /// Calls of the platform since the scenario began. Those about other people do not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallRule>,
    /// Calls of the model since the scenario began.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub model_calls: Vec<ModelRule>,
}

/// What is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Nothing new.
    Nothing,
    /// A text.
    Text,
    /// A picture.
    Image,
    /// A voice message.
    Voice,
    /// A video.
    Video,
    /// A song.
    Music,
    /// Articles.
    News,
    /// A question with answers to tap.
    Menu,
    /// The conversation went to the human agents.
    Transfer,
    /// Something that the simulator does not draw.
    Other,
    /// WeChat's error line.
    Error,
}

/// What a text must be; as a text, `equals`. All that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TextRule {
    /// The whole text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// Parts of it.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub contains: Texts,
    /// What is no part of it.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub lacks: Texts,
    /// A regular expression, found anywhere in it (without look-around and back-references).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
}

/// A link; as a text, its label.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LinkRule {
    /// What is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where it leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<Brief<TextRule>>,
    /// What a tap does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<LinkKind>,
    /// The text that a tap sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<String>,
}

/// A message that the account sends on its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct MessageRule {
    /// What is shown.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Shown>,
    /// Its text, links by their labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Brief<TextRule>>,
    /// Its links; others may be there, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Brief<LinkRule>>,
}

/// Calls of the platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CallRule {
    /// Their path, as `/cgi-bin/message/custom/send`.
    pub path: String,
    /// What their body, as JSON, must be; others do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Brief<TextRule>>,
    /// The errcode answered; others do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errcode: Option<i64>,
    /// How many: at least one without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

/// Calls of the model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ModelRule {
    /// What the question must be; others do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<Brief<TextRule>>,
    /// How many: at least one without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

impl FromText for TextRule {
    fn from_text(text: String) -> Self {
        Self { equals: Some(text), ..Self::default() }
    }

    fn to_text(&self) -> Option<&str> {
        let alone = self.contains.is_empty() && self.lacks.is_empty() && self.matches.is_none();
        self.equals.as_deref().filter(|_| alone)
    }
}

impl FromText for LinkRule {
    fn from_text(label: String) -> Self {
        Self { label: Some(label), ..Self::default() }
    }

    fn to_text(&self) -> Option<&str> {
        let alone = self.href.is_none() && self.kind.is_none() && self.send.is_none();
        self.label.as_deref().filter(|_| alone)
    }
}
