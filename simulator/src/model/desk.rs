//! The model's desk: the rules in force, how often each has failed, and every call.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::question::{Kind, Question};
use super::rules::{Fate, Plan, Rule};
use super::{answer, directives};
use crate::journal;
use crate::log::Log;

/// Questions whose failures are remembered, for directives.
const REMEMBERED: usize = 10_000;

/// Which protocol a call came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// OpenAI's.
    Openai,
    /// Cloudflare's `AI` binding.
    WorkersAi,
}

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not over yet.
    Running,
    /// Answered whole.
    Answered,
    /// Got an error, as ordered.
    Failed,
    /// Cut in the middle, as ordered.
    Cut,
    /// The caller hung up.
    Abandoned,
}

/// One call of the model, as `GET /_sim/model` shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelCall {
    /// Its number, from 1.
    pub n: u64,
    /// When it came: simulated milliseconds since 1970.
    pub at_ms: u64,
    /// Which protocol it came by.
    pub wire: Wire,
    /// Chat or transcription.
    pub kind: Kind,
    /// The model's name.
    pub model: String,
    /// Whether it was to be streamed.
    pub stream: bool,
    /// The last user message.
    pub question: String,
    /// All messages.
    pub messages: Value,
    /// How it went.
    pub outcome: Outcome,
}

/// Rules and calls.
#[derive(Debug, Default)]
pub struct Desk {
    rules: Vec<Rule>,
    failed: BTreeMap<String, u32>,
    calls: Log<ModelCall>,
}

impl Desk {
    /// Replaces the rules; failures are counted anew.
    pub fn set_rules(&mut self, rules: Vec<Rule>) {
        self.rules = rules;
        self.failed.clear();
    }

    /// The rules in force.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The calls.
    pub fn calls(&self) -> &Log<ModelCall> {
        &self.calls
    }

    /// Notes that a call came; it runs until [`finish`](Self::finish).
    pub fn begin(&mut self, wire: Wire, question: &Question, at_ms: u64) -> u64 {
        self.calls.push(|n| ModelCall {
            n,
            at_ms,
            wire,
            kind: question.kind,
            model: journal::in_short(&question.model),
            stream: question.stream,
            question: journal::kept(question.text.as_bytes()),
            messages: question.logged(),
            outcome: Outcome::Running,
        })
    }

    /// Notes how a call went.
    pub fn finish(&mut self, number: u64, outcome: Outcome) {
        if let Some(call) = self.calls.get_mut(number) {
            call.outcome = outcome;
        }
    }

    /// Decides what happens to a question, and counts it if it fails.
    pub fn plan(&mut self, question: &Question) -> Plan {
        let index = self.rules.iter().position(|rule| rule.matches(question));
        let rule = index.and_then(|index| self.rules.get(index)).cloned().unwrap_or_default();
        let directed = directives::apply(rule.clone(), &question.text);
        // A directive counts for its question, a rule for all that it matches.
        let counter = match index {
            Some(index) if directed.fail == rule.fail => format!("rule {index}"),
            _ => format!("question {}", journal::kept(question.text.as_bytes())),
        };
        let failed = self.failed.get(&counter).copied().unwrap_or_default();
        let fails = directed.fails_after(failed);
        if fails && (self.failed.len() < REMEMBERED || self.failed.contains_key(&counter)) {
            self.failed.insert(counter, failed + 1);
        }
        Plan {
            delay: Duration::from_millis(directed.delay_ms),
            pause: Duration::from_millis(directed.chunk_ms),
            text: answer::compose(question, &directed),
            fate: if fails { directed.failure() } else { Fate::Answer },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(text: &str) -> Question {
        Question::chat("m", &json!({ "messages": [{ "role": "user", "content": text }] }))
    }

    fn desk(rules: Value) -> Desk {
        let mut desk = Desk::default();
        desk.set_rules(serde_json::from_value(rules).unwrap());
        desk
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let mut desk = desk(json!([{ "match": "慢", "delay_ms": 7000 }, { "reply": "好" }]));
        let slow = desk.plan(&ask("慢慢来"));
        assert_eq!(slow.delay, Duration::from_secs(7));
        assert!(slow.text.contains("慢慢来"));
        assert_eq!(desk.plan(&ask("快")).text, "好");
        assert_eq!(
            desk.plan(&Question::transcription("w", b"#!AMR")).text,
            "模拟语音识别：收到 5 (audio/amr)"
        );
    }

    #[test]
    fn a_rule_fails_the_first_calls_that_it_matches() {
        let mut desk = desk(json!([{ "match": "a", "fail": 2, "status": 503 }]));
        let fates: Vec<_> = ["a1", "b", "a2", "a3"].map(|text| desk.plan(&ask(text)).fate).into();
        assert_eq!(fates, [Fate::Fail(503), Fate::Answer, Fate::Fail(503), Fate::Answer]);
        desk.set_rules(desk.rules().to_vec());
        assert_eq!(desk.plan(&ask("a")).fate, Fate::Fail(503), "setting the rules counts anew");
    }

    #[test]
    fn a_directive_fails_its_own_question() {
        let mut desk = Desk::default();
        let fates = ["x fail=1", "y fail=1", "x fail=1"].map(|text| desk.plan(&ask(text)).fate);
        assert_eq!(fates, [Fate::Fail(500), Fate::Fail(500), Fate::Answer]);
    }

    #[test]
    fn calls_are_counted_while_they_run() {
        let mut desk = Desk::default();
        let number = desk.begin(Wire::Openai, &ask("hi"), 5);
        assert_eq!(desk.calls().iter().next().unwrap().outcome, Outcome::Running);
        desk.finish(number, Outcome::Answered);
        assert_eq!(desk.calls().iter().next().unwrap().outcome, Outcome::Answered);
        assert_eq!(desk.calls().total(), 1);
    }
}
