//! One attempt to log in: a machine with three handles that are never interchangeable.
//!
//! | handle | who has it | what it can do |
//! |---|---|---|
//! | browser | a cookie of the browser that began | see the page, watch, and take the result |
//! | token | whoever sees the QR code | "scan": begin to answer, once |
//! | phone | a cookie of the first that scanned | be authorized, confirm, deny |
//!
//! A person who answers in the chat has no phone handle; WeChat's signed message says who they are each time.
//!
//! ```text
//! shown ─ scan ─▶ scanned ─ identity ─▶ identified ─ confirm ─▶ confirmed ─ finish ─▶ issued ─ redeem ─▶ redeemed
//!   └────────── a message in the chat ──────▲  │                  ▲ │                             a second time ─▶ revoked
//!                                     deny ◀───┘   number, if ────┘ └ in time or expired
//!                                                  strict
//! ```
//!
//! Confirmation comes last, after the identity and with the name of the website in view.

mod call;
mod result;
mod step;

pub use call::{Arrival, Call, Claimed, Consent, Fault, Finished, Opening, Reply, View};
pub use step::Come;

use serde::{Deserialize, Serialize};

use super::Digest;
use super::method::Method;
use super::request::{AuthRequest, ResultBy};
use super::subject::{Identity, Who};
use crate::lang::Lang;

/// A page that nobody answers ends after this time, milliseconds.
pub const LIFETIME: u64 = 180_000;
/// Whoever has scanned has at least this long for the next step, milliseconds.
pub const ANSWER_TIME: u64 = 60_000;
/// A QR token can be scanned for this long, milliseconds.
pub const TOKEN_LIFETIME: u64 = 60_000;
/// The page asks for the next token this long before the last one ends, milliseconds.
pub const ROTATE_BEFORE: u64 = 5_000;
/// The code that a website redeems lives this long, milliseconds.
pub const CODE_LIFETIME: u64 = 60_000;
/// Everything about an attempt is deleted after this time, milliseconds.
pub const KEPT_FOR: u64 = 600_000;
/// That an attempt was revoked is known as long as its access token could live, milliseconds.
pub const REVOKED_FOR: u64 = super::token::LIFETIME * 1_000 + 60_000;
/// Numbers that may be typed in strict mode.
pub const NUMBER_TRIES: u8 = 3;
/// Codes that may be typed on the page.
pub const CODE_TRIES: u8 = 5;

/// Everything about one attempt. Its shape is pinned by a test and described in `docs/storage.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The name of its object: 32 hexadecimal digits, of 128 random bits.
    pub id: String,
    /// What the website asked for.
    pub request: AuthRequest,
    /// The browser's handle.
    pub browser: Digest,
    /// Where the browser is, for the person who confirms.
    pub place: Place,
    /// The methods that this attempt offers; the first is shown first.
    pub methods: Vec<Method>,
    /// The client wants a number typed after a confirmation in the chat.
    #[serde(default)]
    pub strict: bool,
    /// The two digits that the page shows.
    pub number: u8,
    /// The three numbers among which the phone chooses, as they are shown there. In strict mode the chat tells the
    /// first that is not `number`.
    pub choices: [u8; 3],
    /// The language of the page.
    #[serde(default)]
    pub lang: Lang,
    /// When it began, milliseconds.
    pub created: u64,
    /// When it ends unless the next step is done, milliseconds.
    pub ends: u64,
    /// QR tokens that can still be scanned, the newest last.
    #[serde(default)]
    pub tokens: Vec<Token>,
    /// The digits of [`Method::Code`].
    #[serde(default)]
    pub code: Option<String>,
    /// The parametric QR code of [`Method::Scene`].
    #[serde(default)]
    pub scene: Option<Scene>,
    /// The phone's handle.
    #[serde(default)]
    pub phone: Option<Digest>,
    /// The way to another's login page and back.
    #[serde(default)]
    pub journey: Option<Journey>,
    /// Wrong codes that were typed on the page.
    #[serde(default)]
    pub misses: u8,
    /// How far it is.
    pub stage: Stage,
}

/// Where a browser is, in words for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Two letters; empty if unknown.
    pub country: String,
    /// Empty if unknown.
    pub city: String,
    /// `Chrome`.
    pub browser: String,
    /// `Windows`.
    pub system: String,
}

/// What a QR code of ours says, besides the attempt's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Hexadecimal digits.
    pub text: String,
    /// Until when, milliseconds.
    pub ends: u64,
}

/// A parametric QR code of the account.
/// <https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene {
    /// What its scene says, besides the attempt's name.
    pub token: Token,
    /// What is in the picture.
    pub url: String,
}

/// The way to another's login page and back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journey {
    /// Whose page.
    pub to: Method,
    /// `state` of the request, which must come back.
    pub state: Digest,
    /// The `code` that came back. Written before it is used: WeChat's client may bring it twice.
    #[serde(default)]
    pub code: Option<Digest>,
    /// Why the code was of no use; no failure and no identity means that it is being used.
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// Why somebody else's login was of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The code was used or has ended (40029, 40163, 41008, 42003): begin anew, never with the same code.
    Restart,
    /// WeChat gave a snapshot page's virtual user: tap 使用完整服务.
    Snapshot,
    /// WeChat judges this person a risk (40226).
    Blocked,
    /// The person said no there.
    Refused,
    /// Ids are by unionid here, and WeChat told none.
    NoUnionid,
    /// The other side is down or the account may not do this; another method may work.
    Down,
}

/// How far an attempt is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The page is shown.
    Shown,
    /// A phone has scanned.
    Scanned,
    /// Somebody showed who they are.
    Identified(Answer),
    /// They confirmed; in strict mode the number is still to be typed.
    Number {
        /// Who.
        answer: Answer,
        /// Tries left.
        left: u8,
    },
    /// They confirmed: the browser may take the result.
    Confirmed(Answer),
    /// The result was handed out.
    Issued {
        /// Who.
        answer: Answer,
        /// The code; `None` where the result was the user id itself.
        code: Option<Digest>,
        /// When, milliseconds.
        at: u64,
    },
    /// The website has redeemed the code.
    Redeemed {
        /// Who.
        answer: Answer,
        /// The code.
        code: Digest,
    },
    /// They said no, or chose the wrong number.
    Denied,
    /// The code came twice, or the person took it back: what was issued is worth nothing.
    Revoked {
        /// Until when this must be known, milliseconds.
        until: u64,
    },
}

/// Who answered, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who.
    pub identity: Identity,
    /// How.
    pub by: Method,
    /// When, milliseconds.
    pub at: u64,
}

/// Who confirms or denies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmer {
    /// The phone's handle.
    Phone(Digest),
    /// Somebody in the chat.
    Person(Who),
}

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has answered yet.
    Pending,
    /// Somebody has, and must confirm.
    Scanned,
    /// The number is to be typed.
    Number,
    /// The result can be taken.
    Confirmed,
    /// Somebody said no.
    Denied,
    /// Too late.
    Expired,
    /// The result was taken.
    Done,
}

impl Status {
    /// Its name, as watchers hear it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Scanned => "scanned",
            Self::Number => "number",
            Self::Confirmed => "confirmed",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Done => "done",
        }
    }
}

impl Session {
    /// A new attempt. `random` gives the numbers.
    pub fn open(opening: Opening, random: [u8; 16], now: u64) -> Self {
        let (number, choices) = numbers(random);
        Self {
            id: opening.id,
            request: opening.request,
            browser: opening.browser,
            place: opening.place,
            methods: opening.methods,
            strict: opening.strict,
            number,
            choices,
            lang: opening.lang,
            created: now,
            ends: now + LIFETIME,
            tokens: Vec::new(),
            code: None,
            scene: None,
            phone: None,
            journey: None,
            misses: 0,
            stage: Stage::Shown,
        }
    }

    /// What the page shows now.
    pub fn status(&self, now: u64) -> Status {
        match &self.stage {
            Stage::Denied => Status::Denied,
            // A page that is reloaded before it has left for the website must be able to leave.
            Stage::Issued { at, .. } if self.leaves() && now < at + CODE_LIFETIME => Status::Confirmed,
            Stage::Issued { .. } | Stage::Redeemed { .. } | Stage::Revoked { .. } => Status::Done,
            _ if now >= self.ends => Status::Expired,
            Stage::Shown => Status::Pending,
            Stage::Scanned | Stage::Identified(_) => Status::Scanned,
            Stage::Number { .. } => Status::Number,
            Stage::Confirmed(_) => Status::Confirmed,
        }
    }

    /// The browser itself takes the result to the website, and nobody there has it until then.
    fn leaves(&self) -> bool {
        matches!(self.request.result, ResultBy::Redirect { .. })
    }

    /// When the alarm must ring next: when the page ends, or when everything is deleted.
    pub fn next_alarm(&self, now: u64) -> u64 {
        let open = matches!(self.status(now), Status::Pending | Status::Scanned | Status::Number);
        if open { self.ends } else { self.deleted_at() }
    }

    /// When nothing of it is needed any more, milliseconds.
    pub fn deleted_at(&self) -> u64 {
        match self.stage {
            Stage::Revoked { until } => until,
            _ => self.created + KEPT_FOR,
        }
    }

    /// No chain of steps keeps it open for longer, milliseconds.
    pub fn latest_end(&self) -> u64 {
        self.created + 2 * LIFETIME
    }

    /// Who answered, once somebody has.
    pub fn answer(&self) -> Option<&Answer> {
        match &self.stage {
            Stage::Identified(answer)
            | Stage::Number { answer, .. }
            | Stage::Confirmed(answer)
            | Stage::Issued { answer, .. }
            | Stage::Redeemed { answer, .. } => Some(answer),
            Stage::Shown | Stage::Scanned | Stage::Denied | Stage::Revoked { .. } => None,
        }
    }
}

/// A number of two digits, and three different ones among which it is.
fn numbers(random: [u8; 16]) -> (u8, [u8; 3]) {
    // 180 is the largest multiple of 90 in a byte: what is below it is uniform.
    let mut drawn = random.iter().take(15).filter(|byte| **byte < 180).map(|byte| 10 + byte % 90);
    let mut choices: [u8; 3] = [0; 3];
    for place in 0..3_usize {
        let taken = choices;
        let mut next = drawn.find(|number| !taken.contains(number)).unwrap_or(41);
        while taken.contains(&next) {
            next = 10 + (next + 1 - 10) % 90;
        }
        if let Some(choice) = choices.get_mut(place) {
            *choice = next;
        }
    }
    let [first, second, third] = choices;
    let number = match random.last().map_or(0, |byte| byte % 3) {
        0 => first,
        1 => second,
        _ => third,
    };
    (number, choices)
}
