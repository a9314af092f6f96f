//! One conversation of the Mini Program's API: one JSON document, bounded in size. Its shape is pinned by a test and
//! described in `docs/storage.md`.
//!
//! Unlike [`super::state`], which serves WeChat's five seconds, a thread keeps what was said, so that people find it
//! again.

use serde::{Deserialize, Serialize};

use super::history::{History, SUMMARY_LIMIT, Turn, clip};
use super::state::Question;
use super::text::Texts;
use super::turn::STARTS;

/// Questions that are kept with their answers; the oldest go first …
const EXCHANGES: usize = 200;
/// … and bytes of all their texts.
const SIZE: usize = 256 * 1024;
/// Bytes of a title.
const TITLE: usize = 60;

/// One conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Its id: 128 random bits, so that nobody guesses another's.
    pub id: String,
    /// How the first question begins.
    pub title: String,
    /// When it began, milliseconds.
    pub created: u64,
    /// When something was said last, milliseconds.
    pub active: u64,
    /// What the model was told of the oldest part, in its own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The number of the last exchange that the summary covers.
    #[serde(default)]
    pub summarised: u32,
    /// What was said, oldest first.
    pub said: Vec<Exchange>,
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Its number in the thread, from 1.
    pub n: u32,
    /// The name that the asking side gave the message, by which a repeat is known; empty if it gave none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// What was asked.
    pub question: Question,
    /// When, milliseconds.
    pub asked: u64,
    /// Where.
    pub source: Source,
    /// How many lives of the object have worked on it; more than one only after a crash.
    #[serde(default)]
    pub starts: u8,
    /// The answer, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Reply>,
    /// What of the answer goes out as customer-service messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<Pushed>,
}

/// Where something was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In the Mini Program, by the API.
    App,
    /// In the Mini Program's customer-service window.
    Window,
    /// In the Official Account's chat.
    Account,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// When it was ready, milliseconds.
    pub at: u64,
    /// Its text.
    pub text: String,
    /// What the provider says it cost, tokens; 0 if it says nothing or nothing was asked.
    #[serde(default)]
    pub tokens: u64,
    /// No model answered; the text says so, and no later question refers to it.
    #[serde(default)]
    pub failed: bool,
    /// WeChat takes it for a risk: the question, if it failed as well, else what a model answered. The text says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// How far an answer has gone out as customer-service messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// Bytes that WeChat took.
    pub sent: usize,
    /// WeChat refused to take more for now: the rest waits until the person asks for it.
    #[serde(default)]
    pub waits: bool,
    /// How often WeChat asked to be left alone.
    #[serde(default)]
    pub tries: u8,
}

/// How a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The last question is answered.
    Idle,
    /// A question is being answered.
    Pending,
    /// The last question could not be answered.
    Failed,
}

impl Status {
    /// Its name, as the API has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }
}

impl Exchange {
    /// What was asked, as people see it.
    pub fn shown(&self, texts: &Texts) -> String {
        match &self.question {
            Question::Text(text) => text.clone(),
            Question::Picture { .. } => texts.picture().to_owned(),
            Question::Voice { .. } => texts.voice().to_owned(),
            Question::Summary => "/summary".to_owned(),
        }
    }

    /// Whether somebody has to work on it.
    pub fn is_unfinished(&self) -> bool {
        self.answer.is_none() || self.goes_out().is_some()
    }

    /// Where the next customer-service message begins in the answer; `None` if none is to be sent now.
    pub fn goes_out(&self) -> Option<usize> {
        let pushed = self.push.filter(|pushed| !pushed.waits)?;
        let answer = self.answer.as_ref()?;
        (pushed.sent < answer.text.len()).then_some(pushed.sent)
    }

    /// Whether some of the answer waits until the person asks for it.
    pub fn waits(&self) -> bool {
        let sent = self.push.filter(|pushed| pushed.waits).map(|pushed| pushed.sent);
        sent.zip(self.answer.as_ref()).is_some_and(|(sent, answer)| sent < answer.text.len())
    }

    /// Whether objects keep dying of it.
    pub fn is_hopeless(&self) -> bool {
        self.starts > STARTS
    }

    fn size(&self) -> usize {
        let question = if let Question::Text(text) = &self.question { text.len() } else { 0 };
        question + self.answer.as_ref().map_or(0, |answer| answer.text.len())
    }
}

impl Thread {
    /// A new one.
    pub fn new(id: String, now: u64) -> Self {
        Self { id, created: now, active: now, ..Self::default() }
    }

    /// Reads a stored document at the start of an object's life; `None` if it is none of ours.
    pub fn from_json(json: &str) -> Option<Self> {
        crate::json::from_str(json).ok()
    }

    /// The document to store.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// An exchange by its number.
    pub fn exchange(&self, n: u32) -> Option<&Exchange> {
        self.said.iter().find(|exchange| exchange.n == n)
    }

    /// The same, to be changed.
    pub fn exchange_mut(&mut self, n: u32) -> Option<&mut Exchange> {
        self.said.iter_mut().find(|exchange| exchange.n == n)
    }

    /// The exchange of the message that the asking side calls `key`.
    pub fn by_key(&self, key: &str) -> Option<&Exchange> {
        self.said.iter().rev().find(|exchange| !key.is_empty() && exchange.key == key)
    }

    /// What somebody has to work on.
    pub fn unfinished(&self) -> impl Iterator<Item = &Exchange> {
        self.said.iter().filter(|exchange| exchange.is_unfinished())
    }

    /// How it stands.
    pub fn status(&self) -> Status {
        match self.said.last().map(|last| &last.answer) {
            _ if self.said.iter().any(|exchange| exchange.answer.is_none()) => Status::Pending,
            Some(Some(answer)) if answer.failed => Status::Failed,
            _ => Status::Idle,
        }
    }

    /// A question was asked. Its number.
    pub fn ask(&mut self, question: Question, key: &str, source: Source, now: u64, texts: &Texts) -> u32 {
        let n = self.said.last().map_or(1, |last| last.n.wrapping_add(1));
        let push = (source == Source::Window).then(Pushed::default);
        let (key, answer) = (key.to_owned(), None);
        let exchange = Exchange { n, key, question, asked: now, source, starts: 1, answer, push };
        if self.title.is_empty() {
            self.title = title(&exchange.shown(texts));
        }
        self.said.push(exchange);
        self.active = now;
        self.drop_oldest();
        n
    }

    /// A question that could not be answered is asked again. False: it was answered or refused, or is being answered.
    pub fn ask_again(&mut self, n: u32, now: u64) -> bool {
        let failed = |answer: &Reply| answer.failed && !answer.refused;
        let failed = |exchange: &&mut Exchange| exchange.answer.as_ref().is_some_and(failed);
        let Some(exchange) = self.exchange_mut(n).filter(failed) else { return false };
        (exchange.answer, exchange.starts) = (None, 1);
        self.active = now;
        true
    }

    /// An exchange has its answer. False: it is gone, or was answered already.
    pub fn answered(&mut self, n: u32, reply: Reply) -> bool {
        let Some(exchange) = self.exchange_mut(n).filter(|exchange| exchange.answer.is_none()) else {
            return false;
        };
        let at = reply.at;
        exchange.answer = Some(reply);
        self.active = self.active.max(at);
        self.drop_oldest();
        true
    }

    /// What the model is told before exchange `n`.
    pub fn context(&self, n: u32, texts: &Texts) -> History {
        self.remembered(n, texts).0
    }

    /// The exchanges before `n` that the model is told of, with their numbers.
    fn remembered(&self, n: u32, texts: &Texts) -> (History, Vec<u32>) {
        let mut history = History { summary: self.summary.clone(), turns: Vec::new() };
        let mut numbers = Vec::new();
        for exchange in self.said.iter().filter(|exchange| exchange.n < n && exchange.n > self.summarised) {
            let Some(answer) = exchange.answer.as_ref().filter(|answer| !answer.failed) else { continue };
            if exchange.question != Question::Summary {
                history.push(&exchange.shown(texts), &answer.text);
                numbers.push(exchange.n);
            }
        }
        // The oldest may have dropped out of the history.
        numbers.drain(..numbers.len().saturating_sub(history.turns.len()));
        (history, numbers)
    }

    /// The turns that should be replaced by a summary now, and the number of the last of them.
    pub fn overflow(&self, texts: &Texts) -> Option<(Vec<Turn>, u32)> {
        let (history, numbers) = self.remembered(u32::MAX, texts);
        let old = history.overflow()?;
        let last = numbers.get(old.len().checked_sub(1)?)?;
        Some((old.to_vec(), *last))
    }

    /// The model's summary of everything up to exchange `last`.
    pub fn summarise(&mut self, last: u32, summary: &str) {
        if last > self.summarised && !summary.is_empty() {
            self.summary = clip(summary, SUMMARY_LIMIT);
            self.summarised = last;
        }
    }

    fn drop_oldest(&mut self) {
        let mut size: usize = self.said.iter().map(Exchange::size).sum();
        while self.said.len() > 1 && (self.said.len() > EXCHANGES || size > SIZE) {
            let Some(at) = self.said.iter().position(|exchange| !exchange.is_unfinished()) else { return };
            size -= self.said.remove(at).size();
        }
    }
}

/// How a question begins, on one line.
fn title(question: &str) -> String {
    let line = question.trim().lines().next().unwrap_or_default();
    let start = clip(line, TITLE);
    if start.len() < line.len() { start + "…" } else { start }
}
