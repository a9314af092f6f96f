//! The codes that people send or type: how they are drawn, and the object of a sixteenth of them.
//!
//! The digits of [`Method::Code`](super::method::Method::Code) stand for an attempt; a guess of them logs another's
//! browser in as whoever guessed. The letters of [`Method::Typed`](super::method::Method::Typed) stand for a person; a
//! guess of them would log whoever guessed in as that person, so they are many, and die of their first use.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::subject::Who;

/// Objects that share the codes among them.
const SHARDS: u8 = 16;
/// Digits of a code.
pub const DIGITS: usize = 6;
/// Digits of a code while many are guessed, or many are in use.
pub const MORE_DIGITS: usize = 8;
/// Letters of a code that is typed on the page.
const LETTERS: usize = 8;
/// A code that is typed on the page lives this long, milliseconds.
pub const TYPED_LIFETIME: u64 = 300_000;
/// A code that has ended is still known for this long, milliseconds, so that whoever sends it late hears that it has
/// ended. It may be given out anew meanwhile.
const KNOWN_AFTER: u64 = 180_000;
/// Misses are counted for this long, milliseconds.
pub const MISS_WINDOW: u64 = 60_000;
/// One object's share of the 50 misses in a minute above which codes get more digits.
const MISS_SHARE: usize = 50_usize.div_ceil(SHARDS as usize);
/// With more codes of six digits than this in one object, more than one guess in 600 would hit one: new ones get more
/// digits.
pub const CROWD: usize = 100;
/// Most codes that one object knows; 16 times as many people may log in at a time.
pub const MOST: usize = 1_000;

/// No vowel, so no word; nothing that looks like something else.
/// <https://www.rfc-editor.org/rfc/rfc8628#section-6.1>
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// `length` decimal digits, each code as likely as any other. `None`: too many bytes had to be thrown away, which
/// happens once in about 10^12 draws; draw again.
pub fn digits(random: [u8; 16], length: usize) -> Option<String> {
    draw(random, b"0123456789", length)
}

/// The letters of a code that is typed on the page; `None` as for [`digits`].
pub fn letters(random: [u8; 16]) -> Option<String> {
    draw(random, ALPHABET, LETTERS)
}

/// Rejection sampling: of a byte's 256 values, as many as divide evenly among the alphabet are used, and the others
/// thrown away.
fn draw(random: [u8; 16], alphabet: &[u8], length: usize) -> Option<String> {
    let even = 256 - 256 % alphabet.len();
    let drawn = random.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < even);
    let code: String = drawn
        .filter_map(|byte| alphabet.get(byte % alphabet.len()))
        .take(length)
        .copied()
        .map(char::from)
        .collect();
    (code.len() == length).then_some(code)
}

/// A code as somebody types it from the chat: small letters, blanks and hyphens do not matter. `None`: no code looks
/// like this.
pub fn typed(text: &str) -> Option<String> {
    let code: String = text
        .chars()
        .filter(|character| !matches!(character, '-' | '－' | '–' | ' ' | '\u{3000}' | '\t'))
        .map(|character| character.to_ascii_uppercase())
        .take(LETTERS + 1)
        .collect();
    (code.len() == LETTERS && code.bytes().all(|byte| ALPHABET.contains(&byte))).then_some(code)
}

/// A code in two halves, as people read it.
pub fn halves(code: &str) -> String {
    match code.split_at_checked(code.len() / 2) {
        Some((first, second)) => format!("{first}-{second}"),
        None => code.to_owned(),
    }
}

/// The name of the object that knows `code`: `0` to `15`.
pub fn shard(code: &str) -> String {
    let first = Sha256::digest(code.as_bytes()).first().copied().unwrap_or_default();
    (first % SHARDS).to_string()
}

/// What a sixteenth's object can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Keep `code` for an attempt. Answer: [`Reply::Done`], [`Reply::Taken`] or [`Reply::Longer`].
    Reserve {
        /// The digits.
        code: String,
        /// The attempt.
        login: String,
        /// For how long, milliseconds.
        span: u64,
    },
    /// Whose `code` is. Answer: [`Reply::Login`], or [`Reply::Nothing`], which counts as a miss.
    Find {
        /// The digits.
        code: String,
    },
    /// Keep `code` for a person. Answer: [`Reply::Done`] or [`Reply::Taken`].
    Give {
        /// The letters.
        code: String,
        /// The person.
        who: Who,
        /// For how long, milliseconds.
        span: u64,
    },
    /// Whose `code` is, for the only time. Answer: [`Reply::Person`] or [`Reply::Nothing`].
    Take {
        /// The letters.
        code: String,
    },
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The code is yours.
    Done,
    /// Somebody has it, or there are too many: draw again.
    Taken,
    /// Draw again, with more digits.
    Longer,
    /// The attempt whose code it is.
    Login(String),
    /// The person whose code it was.
    Person(Who),
    /// Nobody's.
    Nothing,
}

/// Whose a code is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// An attempt.
    Login(String),
    /// A person.
    Person(Who),
}

/// One code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The digits or letters.
    pub code: String,
    /// Whose it is.
    pub holder: Holder,
    /// Until when, milliseconds.
    pub ends: u64,
}

/// What one object stores: at most [`MOST`] codes and a few times. Its shape is pinned by a test and described in
/// `docs/storage.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// The codes.
    #[serde(default)]
    pub codes: Vec<Entry>,
    /// When digits came that were nobody's: the last few, milliseconds.
    #[serde(default)]
    pub misses: Vec<u64>,
}

impl Shard {
    /// Answers a call.
    pub fn answer(&mut self, call: Call, now: u64) -> Reply {
        self.expire(now);
        match call {
            Call::Reserve { code, .. } if code.len() <= DIGITS && self.wants_more_digits(now) => {
                Reply::Longer
            }
            Call::Reserve { code, login, span } => self.keep(code, Holder::Login(login), span, now),
            Call::Give { code, who, span } => self.keep(code, Holder::Person(who), span, now),
            Call::Find { code } => self.find(&code, now),
            Call::Take { code } => self.take(&code, now),
        }
    }

    fn keep(&mut self, code: String, holder: Holder, span: u64, now: u64) -> Reply {
        self.drop_if_ended(&code, now);
        if self.codes.len() >= MOST {
            // What is only known because it might be sent late makes room.
            self.codes.retain(|entry| now < entry.ends);
        }
        if self.codes.len() >= MOST || self.codes.iter().any(|entry| entry.code == code) {
            return Reply::Taken;
        }
        self.codes.push(Entry { code, holder, ends: now + span });
        Reply::Done
    }

    fn find(&mut self, code: &str, now: u64) -> Reply {
        let found = self.codes.iter().find(|entry| entry.code == code);
        if let Some(Entry { holder: Holder::Login(login), .. }) = found {
            return Reply::Login(login.clone());
        }
        if self.misses.len() > MISS_SHARE {
            self.misses.remove(0);
        }
        self.misses.push(now);
        Reply::Nothing
    }

    fn take(&mut self, code: &str, now: u64) -> Reply {
        let is_it = |entry: &Entry| {
            entry.code == code && matches!(entry.holder, Holder::Person(_)) && now < entry.ends
        };
        let Some(place) = self.codes.iter().position(is_it) else { return Reply::Nothing };
        match self.codes.swap_remove(place).holder {
            Holder::Person(who) => Reply::Person(who),
            Holder::Login(_) => Reply::Nothing,
        }
    }

    fn wants_more_digits(&self, now: u64) -> bool {
        let short = |entry: &&Entry| entry.code.len() == DIGITS && now < entry.ends;
        self.misses.len() > MISS_SHARE || self.codes.iter().filter(short).count() >= CROWD
    }

    fn drop_if_ended(&mut self, code: &str, now: u64) {
        self.codes.retain(|entry| entry.code != code || now < entry.ends);
    }

    /// Forgets what nobody will ask for any more.
    pub fn expire(&mut self, now: u64) {
        self.codes.retain(|entry| now < forgotten_at(entry));
        self.misses.retain(|at| now < at + MISS_WINDOW);
    }

    /// Nothing is left.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty() && self.misses.is_empty()
    }

    /// When nothing of this will be needed any more, milliseconds; `None` if nothing is there.
    pub fn ends(&self) -> Option<u64> {
        let codes = self.codes.iter().map(forgotten_at);
        codes.chain(self.misses.iter().map(|at| at + MISS_WINDOW)).max()
    }
}

/// The letters of a person are gone with their end; the digits of an attempt are known a while longer.
fn forgotten_at(entry: &Entry) -> u64 {
    match entry.holder {
        Holder::Login(_) => entry.ends + KNOWN_AFTER,
        Holder::Person(_) => entry.ends,
    }
}
