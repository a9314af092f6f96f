//! What the model is told about the conversation so far: a summary and the last turns, bounded by size.

use serde::{Deserialize, Serialize};

/// One question and its answer are kept up to this many bytes each; the model needs the gist.
const TURN_LIMIT: usize = 2_000;
/// Above this size (bytes of all turns) the older half is to be summarised.
const SUMMARISE_ABOVE: usize = 8_000;
/// Above this size the oldest turns are dropped, whether they were summarised or not.
const DROP_ABOVE: usize = 16_000;
/// A summary is at most this long, in bytes.
pub const SUMMARY_LIMIT: usize = 2_000;

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// What the user said, or a short description of what they sent.
    #[serde(rename = "q")]
    pub question: String,
    /// What was answered; empty if the user only told something (a location).
    #[serde(rename = "a")]
    pub answer: String,
}

impl Turn {
    fn size(&self) -> usize {
        self.question.len() + self.answer.len()
    }
}

/// The conversation so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Older turns in the model's own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The last turns, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
}

impl History {
    /// Nothing was said yet: a question needs no context, and its answer may come from the cache.
    pub fn is_empty(&self) -> bool {
        self.summary.is_empty() && self.turns.is_empty()
    }

    /// Adds a turn, clipped, and drops the oldest ones beyond the hard bound.
    pub fn push(&mut self, question: &str, answer: &str) {
        self.turns.push(Turn { question: clip(question, TURN_LIMIT), answer: clip(answer, TURN_LIMIT) });
        while self.size() > DROP_ABOVE && self.turns.len() > 1 {
            self.turns.remove(0);
        }
    }

    /// Bytes of all turns.
    pub fn size(&self) -> usize {
        self.turns.iter().map(Turn::size).sum()
    }

    /// The turns that should be replaced by a summary now: the older half, once there is too much.
    pub fn overflow(&self) -> Option<&[Turn]> {
        let half = self.turns.len() / 2;
        (self.size() > SUMMARISE_ABOVE)
            .then(|| self.turns.get(..half))
            .flatten()
            .filter(|old| !old.is_empty())
    }

    /// Puts `summary` in the place of `old`, if these turns are still the oldest ones.
    pub fn summarise(&mut self, old: &[Turn], summary: &str) {
        if self.turns.starts_with(old) && !summary.is_empty() {
            self.turns.drain(..old.len());
            self.summary = clip(summary, SUMMARY_LIMIT);
        }
    }

    /// The whole conversation as plain text, for a summary.
    pub fn transcript(summary: &str, turns: &[Turn]) -> String {
        let mut text = String::from(summary);
        for turn in turns {
            for (speaker, words) in [("User: ", &turn.question), ("Assistant: ", &turn.answer)] {
                if !words.is_empty() {
                    text.push_str(if text.is_empty() { "" } else { "\n" });
                    text.push_str(speaker);
                    text.push_str(words);
                }
            }
        }
        text
    }
}

/// The start of `text`, at most `limit` bytes, ending between characters.
pub fn clip(text: &str, limit: usize) -> String {
    text.get(..text.floor_char_boundary(limit)).unwrap_or_default().to_owned()
}
