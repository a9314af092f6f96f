//! A person's chat with the Mini Program's customer service: which of their messages were heard, and what they are told
//! besides answers. Answers are in [`super::thread`].
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/receive.html>

use serde::{Deserialize, Serialize};

use super::push::QUOTA;
use super::state::{KEY_COUNT, KEY_LIFETIME};
use super::turn::STARTS;
use crate::wechat::OpenId;

/// Whoever has not been here for so long, milliseconds, is greeted.
const DAY: u64 = 86_400_000;

/// The chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Who it is; `None` once they are forgotten and know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<OpenId>,
    /// When they last wrote or came in, milliseconds; 0 if that is forgotten.
    #[serde(default)]
    met: u64,
    /// Messages that were heard, oldest first.
    #[serde(default)]
    heard: Vec<Heard>,
    /// What they are yet to be told, oldest first.
    #[serde(default)]
    notes: Vec<String>,
    /// How often WeChat asked to be left alone when the first note was sent.
    #[serde(default)]
    tries: u8,
}

/// A message that was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Heard {
    /// Its identity.
    key: String,
    /// When, milliseconds.
    at: u64,
}

impl Window {
    /// Hears a message; `false` if it was heard before.
    pub fn hear(&mut self, key: &str, now: u64) -> bool {
        self.expire(now);
        if self.heard.iter().any(|heard| heard.key == key) {
            return false;
        }
        self.heard.push(Heard { key: key.to_owned(), at: now });
        if self.heard.len() > KEY_COUNT {
            self.heard.remove(0);
        }
        true
    }

    /// They are here. Whether they were not for a long time.
    pub fn meet(&mut self, who: &OpenId, now: u64) -> bool {
        self.openid = Some(who.clone());
        now >= std::mem::replace(&mut self.met, now) + DAY
    }

    /// They are to be told this. If that is too much, the oldest is left out.
    pub fn say(&mut self, note: String) {
        if self.notes.len() >= usize::from(QUOTA) {
            self.notes.remove(0);
        }
        self.notes.push(note);
    }

    /// Whether there is something to tell.
    pub fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    /// What to tell next, and whom. It counts as told from here on, because nobody may ever know.
    pub fn next_note(&mut self) -> Option<(OpenId, String)> {
        let who = self.openid.clone()?;
        let note = (!self.notes.is_empty()).then(|| self.notes.remove(0))?;
        self.openid = self.openid.take().filter(|_| self.met > 0 || self.has_notes());
        Some((who, note))
    }

    /// They were certainly not told: it is tried again, unless that was done too often.
    pub fn not_told(&mut self, who: OpenId, note: String) {
        self.tries = if self.tries < STARTS { self.tries + 1 } else { 0 };
        if self.tries > 0 {
            self.openid = Some(who);
            self.notes.insert(0, note);
        }
    }

    /// They are forgotten, and told so. That a message was heard stays known for a while.
    pub fn forget(&mut self, note: Option<String>) {
        self.met = 0;
        self.notes = note.into_iter().collect();
        self.openid = self.openid.take().filter(|_| self.has_notes());
    }

    /// Forgets what is too old.
    pub fn expire(&mut self, now: u64) {
        self.heard.retain(|heard| now < heard.at + KEY_LIFETIME);
        if now >= self.met + DAY {
            self.met = 0;
            self.openid = self.openid.take().filter(|_| self.has_notes());
        }
    }

    /// When [`Self::expire`] will next have something to do that is worth it, milliseconds.
    pub fn next_expiry(&self) -> Option<u64> {
        let known = self.heard.last().map(|heard| heard.at + KEY_LIFETIME);
        (self.met > 0).then(|| self.met + DAY).into_iter().chain(known).max()
    }

    /// Nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.met == 0 && self.heard.is_empty() && self.notes.is_empty()
    }
}
