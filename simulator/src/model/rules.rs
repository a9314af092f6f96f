//! How the model is to behave: rules set by a test, and the plan that comes out of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::question::{Kind, Question};

/// The status of a failure that names none.
const DEFAULT_STATUS: u16 = 500;

/// One rule of `POST /_sim/model`. The first that matches decides; an absent field is as the default model is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// What kind of call it is for.
    pub kind: Kind,
    /// A part of the last user message; without it, every call matches.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Milliseconds before the first token, or before the failure.
    pub delay_ms: u64,
    /// Milliseconds between two pieces of a stream; a piece is eight characters.
    pub chunk_ms: u64,
    /// The answer's length in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// How many of the first matching calls fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail: Option<Fail>,
    /// The HTTP status of a failure; 500 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Fail by cutting the connection in the middle of the answer: every time, or as often as `fail` says.
    pub cut: bool,
    /// The answer, instead of the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Whether the answer starts with `<think>…</think>`.
    pub think: bool,
    /// Whether the answer is full of Markdown.
    pub markdown: bool,
}

/// A number of failures, or `"always"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Fail {
    /// The first so many calls.
    First(u32),
    /// Every call.
    Always(Always),
}

/// The word `always`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Always {
    /// `"always"`
    #[serde(rename = "always")]
    Always,
}

impl Rule {
    /// Whether the rule is for this question.
    pub fn matches(&self, question: &Question) -> bool {
        self.kind == question.kind
            && self.part.as_ref().is_none_or(|part| question.text.contains(part.as_str()))
    }

    /// Whether a call fails that comes after `failed` failures.
    pub fn fails_after(&self, failed: u32) -> bool {
        match self.fail {
            Some(Fail::First(count)) => failed < count,
            Some(Fail::Always(_)) => true,
            None => self.cut,
        }
    }

    /// What a failing call ends in.
    pub fn failure(&self) -> Fate {
        if self.cut { Fate::Cut } else { Fate::Fail(self.status.unwrap_or(DEFAULT_STATUS)) }
    }
}

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Answer,
    /// It gets an error with this status.
    Fail(u16),
    /// The connection is cut in the middle of the answer.
    Cut,
}

/// What to do with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How long to think.
    pub delay: Duration,
    /// How long to pause between pieces.
    pub pause: Duration,
    /// What to say.
    pub text: String,
    /// How it ends.
    pub fate: Fate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_as_tests_write_it() {
        let text = r#"{"match":"慢","delay_ms":7000,"fail":2,"status":429}"#;
        let rule: Rule = serde_json::from_str(text).unwrap();
        assert_eq!(
            (rule.part.as_deref(), rule.delay_ms, rule.fail),
            (Some("慢"), 7000, Some(Fail::First(2)))
        );
        assert_eq!(rule.failure(), Fate::Fail(429));
        assert!(rule.fails_after(1) && !rule.fails_after(2));
        let always: Rule = serde_json::from_str(r#"{"fail":"always"}"#).unwrap();
        assert!(always.fails_after(u32::MAX));
        assert_eq!(always.failure(), Fate::Fail(500));
        assert!(serde_json::from_str::<Rule>(r#"{"dely_ms":1}"#).is_err(), "a typing error is no rule");
        assert!(serde_json::from_str::<Rule>(r#"{"fail":"often"}"#).is_err());
    }

    #[test]
    fn cut_alone_is_every_time() {
        let rule = Rule { cut: true, ..Rule::default() };
        assert!(rule.fails_after(9) && rule.failure() == Fate::Cut);
        let once = Rule { cut: true, fail: Some(Fail::First(1)), ..Rule::default() };
        assert!(once.fails_after(0) && !once.fails_after(1));
    }
}
