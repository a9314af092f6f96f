//! What came of a scenario.

use serde::{Deserialize, Serialize};

use crate::control::send::SendReport;

/// What came of a scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunResult {
    /// The scenario's name.
    pub name: String,
    /// Whether all is as expected.
    pub outcome: Outcome,
    /// Milliseconds that it took.
    pub elapsed_ms: u64,
    /// The steps that were taken; only the last can have gone wrong.
    pub steps: Vec<StepResult>,
}

/// Whether all is as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is.
    Passed,
    /// Something else came than was expected.
    Failed,
    /// A step could not be taken.
    Error,
}

/// What came of a step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepResult {
    /// Its number, from 1.
    pub n: usize,
    /// What happened, in words.
    pub what: String,
    /// How often it was tried.
    pub tries: u32,
    /// Milliseconds that it took.
    pub elapsed_ms: u64,
    /// What is not as expected.
    pub misses: Vec<Miss>,
    /// Why it could not be taken.
    pub trouble: Option<String>,
    /// What came of the message, if one was sent.
    pub report: Option<SendReport>,
    /// What went over the wire, if something is wrong.
    pub wire: Vec<String>,
}

/// Characters of a text in a complaint: a reply is at most 2048 bytes.
const LONGEST: usize = 2100;

/// One thing that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// Which expectation: `expect.text`, or `rules` for WeChat's.
    pub place: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub came: String,
}

impl Miss {
    /// An expectation and what came instead.
    pub fn new(place: impl Into<String>, expected: impl Into<String>, came: impl Into<String>) -> Self {
        Self { place: place.into(), expected: expected.into(), came: came.into() }
    }
}

impl RunResult {
    /// Everything about the step that went wrong, for reports; nothing if none did.
    pub fn complaint(&self) -> Option<String> {
        let step = self.steps.last().filter(|_| self.outcome != Outcome::Passed)?;
        let tries = if step.tries > 1 { format!(", {} tries", step.tries) } else { String::new() };
        let mut lines = vec![format!("step {}: {}{tries}", step.n, step.what)];
        lines.extend(step.trouble.iter().map(|trouble| format!("  {trouble}")));
        for Miss { place, expected, came } in &step.misses {
            lines.push(format!("  {place}"));
            lines.push(format!("    expected: {}", indented(expected)));
            lines.push(format!("    came:     {}", indented(came)));
        }
        lines.extend(step.wire.iter().map(|wire| format!("  {}", short(wire).replace('\n', "\n    "))));
        Some(lines.join("\n"))
    }
}

fn indented(text: &str) -> String {
    short(text).replace('\n', "\n              ")
}

/// The text, or its beginning.
fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()),
        None => text.to_owned(),
    }
}
