//! What one user's object remembers of their logins: what they are asked, what they did last, what they guessed.

use serde::{Deserialize, Serialize};

use super::session::{LIFETIME, REVOKED_FOR};
use super::subject::Who;

/// So many codes may be nobody's …
const MISSES: usize = 5;
/// … in this time, milliseconds; then nobody listens until the first of them is older.
pub const MISS_WINDOW: u64 = 600_000;
/// A question that was answered is known for this long, milliseconds: people tap a link twice.
const AGAIN_FOR: u64 = 30_000;

/// A question that was put to the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The attempt.
    pub login: String,
    /// The client's id.
    pub client: String,
    /// As whom they would log in.
    pub who: Who,
    /// The two digits that the page shows, or asks for.
    pub number: u8,
    /// The numbers to choose from, where the page shows one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<[u8; 3]>,
    /// The number has to be typed on the page.
    #[serde(default)]
    pub strict: bool,
    /// Until when an answer is taken for one, milliseconds.
    pub ends: u64,
}

/// A login that the user confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// The attempt.
    pub login: String,
    /// The client's id.
    pub client: String,
    /// As whom.
    pub who: Who,
    /// Until when `退出` is taken for this one, milliseconds.
    pub ends: u64,
}

/// The letters that the user was given to type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The letters.
    pub code: String,
    /// Until when, milliseconds.
    pub ends: u64,
}

/// Everything, bounded in size. Its shape is pinned by a test and described in `docs/storage.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desk {
    /// What the user is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// What they confirmed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// What they were given to type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
    /// When they sent codes that were nobody's, milliseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misses: Vec<u64>,
}

impl Desk {
    /// A question was put; an earlier one is dropped.
    pub fn ask(&mut self, mut question: Pending, now: u64) {
        question.ends = now + LIFETIME;
        self.pending = Some(question);
    }

    /// The question was answered with yes.
    pub fn confirmed(&mut self, now: u64) {
        let Some(pending) = &self.pending else { return };
        let Pending { login, client, who, .. } = pending.clone();
        self.last = Some(Last { login, client, who, ends: now + REVOKED_FOR });
        self.answered(now);
    }

    /// The question was answered, one way or another.
    pub fn answered(&mut self, now: u64) {
        if let Some(pending) = &mut self.pending {
            pending.ends = pending.ends.min(now + AGAIN_FOR);
        }
    }

    /// The last login was taken back.
    pub fn revoked(&mut self, now: u64) {
        self.answered(now);
        if let Some(last) = &mut self.last {
            last.ends = last.ends.min(now + AGAIN_FOR);
        }
    }

    /// Whether the question that is waiting was answered with yes already.
    pub fn has_confirmed(&self, pending: &Pending) -> bool {
        self.last.as_ref().is_some_and(|last| last.login == pending.login)
    }

    /// Whether codes are still listened to.
    pub fn listens(&self) -> bool {
        self.misses.len() < MISSES
    }

    /// A code was nobody's. `true`: that was the last one that was listened to.
    pub fn missed(&mut self, now: u64) -> bool {
        if self.listens() {
            self.misses.push(now);
        }
        !self.listens()
    }

    /// Deletes what says something about the user. The times of wrong codes stay: otherwise forgetting would buy
    /// more guesses.
    pub fn forget(&mut self) {
        *self = Self { misses: std::mem::take(&mut self.misses), ..Self::default() };
    }

    /// Forgets what is too old.
    pub fn expire(&mut self, now: u64) {
        self.pending.take_if(|pending| now >= pending.ends);
        self.last.take_if(|last| now >= last.ends);
        self.given.take_if(|given| now >= given.ends);
        self.misses.retain(|at| now < at + MISS_WINDOW);
    }

    /// Nothing is left.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// When nothing of this will be needed any more, milliseconds; `None` if nothing is there.
    pub fn ends(&self) -> Option<u64> {
        let pending = self.pending.iter().map(|pending| pending.ends);
        let last = self.last.iter().map(|last| last.ends);
        let given = self.given.iter().map(|given| given.ends);
        let misses = self.misses.last().map(|last| last + MISS_WINDOW);
        pending.chain(last).chain(given).chain(misses).max()
    }
}
