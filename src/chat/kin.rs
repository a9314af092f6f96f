//! The same person in the Mini Program, whose object there is the home of the one conversation: what a user's document
//! knows of it, and what it has yet to be told.

use serde::{Deserialize, Serialize};

use super::history::Turn;
use super::state::{Conversation, UNREAD_LIFETIME};

/// WeChat is asked who somebody is at most this often, milliseconds.
pub const ASKED_FOR: u64 = 86_400_000;
/// What was not told yet; the oldest gives way. Each has one answer of at most 16 KiB.
const OUTBOX: usize = 20;

/// What a document knows of the same person in the Mini Program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kin {
    /// The name of their object there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// When WeChat was asked last who they are, milliseconds; 0 after a day.
    #[serde(default)]
    pub asked: u64,
    /// What home was not told yet, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<Told>,
    /// Turns of the conversation, as home said for this very message.
    #[serde(skip)]
    pub turns: Option<usize>,
}

/// Something that home is told. It may be told twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// By which it is known again.
    pub key: String,
    /// When the person said something, milliseconds.
    pub asked: u64,
    /// When that was answered, milliseconds.
    pub at: u64,
    /// What was said; `None`: a new conversation begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
}

impl Kin {
    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.home.is_none() && self.asked == 0
    }

    /// When home should be told again what it does not know yet: the longer it takes, the later, until it is given up.
    pub fn again(&self, now: u64, least: u64) -> Option<u64> {
        let oldest = self.outbox.first()?.at;
        Some((now + least.max(now.saturating_sub(oldest))).min(oldest + UNREAD_LIFETIME))
    }
}

impl Conversation {
    /// The same person was found in the Mini Program: home is told what they say here just now.
    pub fn link(&mut self, home: &str, now: u64, timeout: u64) {
        if self.kin.home.as_deref() == Some(home) {
            return;
        }
        self.expire(now, timeout);
        self.kin.home = Some(home.to_owned());
        let (active, turns) = (self.active, self.history.turns.clone());
        for (number, turn) in turns.into_iter().enumerate() {
            let key = [active.to_string(), number.to_string()].join(".");
            self.tell(&key, active, active, Some(turn));
        }
    }

    /// Home is gone.
    pub fn unlink(&mut self, home: &str) {
        if self.kin.home.as_deref() == Some(home) {
            self.kin = Kin { asked: self.kin.asked, ..Kin::default() };
        }
    }

    /// Home, if there is one, is to be told.
    pub(super) fn tell(&mut self, key: &str, asked: u64, at: u64, turn: Option<Turn>) {
        if self.kin.home.is_some() {
            self.kin.outbox.push(Told { key: key.to_owned(), asked, at, turn });
            let too_many = self.kin.outbox.len().saturating_sub(OUTBOX);
            self.kin.outbox.drain(..too_many);
        }
    }

    /// Home knows these now.
    pub fn told(&mut self, those: &[Told]) {
        self.kin.outbox.retain(|told| !those.contains(told));
    }

    pub(super) fn expire_kin(&mut self, now: u64) {
        if now >= self.kin.asked + ASKED_FOR {
            self.kin.asked = 0;
        }
        self.kin.outbox.retain(|told| now < told.at + UNREAD_LIFETIME);
    }
}
