//! What came of something that a person did in the Mini Program.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should.
    #[default]
    Done,
    /// The server still thinks; the phone has given up asking.
    Pending,
    /// The phone went away in the middle, as it was told to.
    Left,
    /// The answer broke off.
    Broken,
    /// The server answered with an error.
    Refused,
    /// There was no answer.
    Unreachable,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Who did it.
    #[serde(rename = "as")]
    pub person: String,
    /// Their openid in the Mini Program.
    pub openid: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status of the last answer.
    pub status: Option<u16>,
    /// How often the phone logged in on the way.
    pub logins: u32,
    /// The conversation, as far as it is known.
    pub conversation_id: Option<String>,
    /// The text of the answer, as far as it came.
    pub reply: Option<String>,
    /// What it cost.
    pub tokens_used: Option<u64>,
    /// In how many pieces the answer came; 0 if in one.
    pub pieces: u32,
    /// Milliseconds until the first of them.
    pub first_ms: Option<u64>,
    /// The server's error, in its words, or what was wrong on the network.
    pub error: Option<String>,
    /// Seconds after which it may be tried again.
    pub retry_after_s: Option<u64>,
    /// The JSON of the last answer.
    pub answer: Value,
    /// Milliseconds that all of it took.
    pub elapsed_ms: u64,
}

impl Report {
    /// Whether it went as it should.
    pub fn is_good(&self) -> bool {
        self.outcome == Outcome::Done
    }
}
