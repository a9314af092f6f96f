//! When an access token or a ticket is fetched, replaced, forced, and for how long a refusal is remembered. Pure; the
//! account's object does the fetching.
//! <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::advice::advice;
use crate::json::json;
use crate::platform::Millis;
use crate::wechat::api::{ApiError, Reaction};

/// A loan is renewed when it has less than this left: WeChat renews five minutes before expiry, and both
/// tokens work meanwhile.
const MARGIN: Millis = 5 * 60_000;
/// What was just fetched is not renewed before this time, even if it ends soon: by WeChat's clock it may have been
/// a moment too early.
const BREATH: Millis = 60_000;
/// WeChat answers a second forced refresh within this time with the same token.
const FORCE_PAUSE: Millis = 30_000;
/// WeChat allows this many forced refreshes a day.
const FORCED_PER_DAY: usize = 20;
const DAY: Millis = 86_400_000;
/// A token for which nobody asked in this time is not renewed any more.
const IDLE: Millis = DAY;
/// When somebody asked is stored this often.
const NOTED: Millis = 3_600_000;
/// A refusal that only an operator can end is remembered for this long …
const MEMORY: Millis = 60_000;
/// … and one for which WeChat states a time, no longer than this: it is about one address, and the next call may come
/// from another.
const LONGEST_MEMORY: Millis = 3_600_000;

/// What the account's object can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// How it stands, without any secret. Answer: JSON for people, see [`TokenState::report`].
    Report,
    /// Borrow one. Answer: [`Answer`].
    Borrow(Loan),
    /// Fetch the access token at once, whatever is remembered; by force, so that the one before ends. Answer: [`Answer`].
    Refresh {
        /// By force.
        force: bool,
    },
}

/// What the account's object answers to whoever wants a token or ticket.
pub type Answer = Result<Lent, TokenFailure>;

/// What WeChat lends for two hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loan {
    /// The access token.
    Access,
    /// The ticket that signs pages' use of the JS-SDK.
    Jsapi,
    /// The ticket that signs cards.
    WxCard,
}

impl Loan {
    /// The ticket of this type, as WeChat calls it.
    pub fn ticket(name: &str) -> Option<Self> {
        [Self::Jsapi, Self::WxCard].into_iter().find(|loan| loan.name() == name)
    }

    /// Its name to WeChat.
    pub fn name(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Jsapi => "jsapi",
            Self::WxCard => "wx_card",
        }
    }
}

/// A token or ticket that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lent {
    /// The token or ticket.
    pub text: String,
    /// When it ends.
    pub expires: Millis,
}

/// One token or ticket, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Held {
    /// The token or ticket; empty before the first fetch.
    pub text: String,
    /// When it was fetched.
    pub fetched: Millis,
    /// From when it is renewed.
    pub renew: Millis,
    /// When it ends.
    pub expires: Millis,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Until then, WeChat is not asked again about a token that it refuses although it gives it out.
    #[serde(skip)]
    vouched: Millis,
}

/// Why a fetch failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When.
    pub at: Millis,
    /// Until then, WeChat is not asked again.
    pub until: Millis,
    /// What was wrong.
    pub why: TokenFailure,
}

/// What one account or Mini Program borrowed, as its object stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenState {
    /// The access token.
    pub access: Held,
    /// The ticket for the JS-SDK.
    pub jsapi: Held,
    /// The ticket for cards.
    pub wx_card: Held,
    /// When tokens were forced within the last day.
    pub forced: Vec<Millis>,
    /// When somebody asked for the access token, to the hour.
    pub asked: Millis,
    /// Whose they are: the Mini Program's AppID, or empty for the Official Account.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub of: String,
}

/// Why there is no token. Crosses from the account's object to others as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenFailure {
    /// `APP_ID` or `APP_SECRET` is missing; of a Mini Program, `MINI_APP_ID` or `MINI_APP_SECRET`.
    NotConfigured,
    /// WeChat could not be reached or gave no sense.
    Unreachable(String),
    /// WeChat refused.
    Refused(ApiError),
    /// It was to be forced, but WeChat allows that 20 times a day and 30 seconds apart.
    TooOften,
}

impl fmt::Display for TokenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured => f.write_str("APP_ID and APP_SECRET are not set"),
            Self::Unreachable(reason) => write!(f, "WeChat was not reached: {reason}"),
            Self::Refused(error) => write!(f, "WeChat refused an access token: {error}"),
            Self::TooOften => {
                f.write_str("WeChat allows 20 forced refreshes a day, 30 seconds apart; wait a little")
            }
        }
    }
}

impl TokenFailure {
    /// What to do about it, if it is known.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Refused(error) => advice(error.errcode),
            _ => None,
        }
    }

    /// It may work in a second.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused(error) => error.reaction() == Reaction::BackOff,
            _ => false,
        }
    }

    /// For how long WeChat is not asked again.
    fn memory(&self) -> Millis {
        match self {
            Self::Refused(_) if self.is_passing() => 0,
            Self::Refused(error) => match error.reaction() {
                Reaction::AwaitAdministrator { seconds } => {
                    (Millis::from(seconds) * 1_000).clamp(MEMORY, LONGEST_MEMORY)
                }
                _ => MEMORY,
            },
            _ => 0,
        }
    }
}

impl Held {
    /// It can be used: it lives, and it is not the one that just failed.
    fn lives(&self, stale: Option<&str>, now: Millis) -> bool {
        let spent = stale == Some(self.text.as_str()) && self.vouched <= now;
        !self.text.is_empty() && now < self.expires && !spent
    }

    /// It, if it can be used, be it only because there is no newer one.
    pub fn last(&self, stale: Option<&str>, now: Millis) -> Option<Lent> {
        self.lives(stale, now).then(|| Lent { text: self.text.clone(), expires: self.expires })
    }

    /// What can be answered without asking WeChat: it, or a refusal of a short while ago. `stale` is one that WeChat
    /// just refused.
    pub fn known(&self, stale: Option<&str>, now: Millis) -> Option<Answer> {
        if let Some(last) = self.last(stale, now) {
            // After a failure, one that lives is good for some time more.
            let spared = self.failure.as_ref().is_some_and(|failure| now < failure.at + BREATH);
            return (spared || now < self.renew).then_some(Ok(last));
        }
        let failure = self.failure.as_ref().filter(|failure| now < failure.until)?;
        Some(Err(failure.why.clone()))
    }

    /// Takes a fetched one that lives for `seconds`, in place of `stale`.
    pub fn fetched(&mut self, text: &str, seconds: u64, stale: Option<&str>, now: Millis) {
        text.clone_into(&mut self.text);
        self.fetched = now;
        self.expires = now.saturating_add(seconds.saturating_mul(1_000));
        self.renew = self.expires.saturating_sub(MARGIN).max(now + BREATH);
        self.vouched = if stale == Some(text) { now + FORCE_PAUSE } else { 0 };
        if let Some(failure) = &mut self.failure {
            failure.until = 0;
        }
    }

    /// A fetch failed.
    pub fn failed(&mut self, why: TokenFailure, now: Millis) {
        self.failure = Some(Failure { at: now, until: now + why.memory(), why });
    }

    fn report(&self, now: Millis) -> Value {
        let failure = self.failure.as_ref().map(|Failure { at, until, why }| {
            let errcode = if let TokenFailure::Refused(error) = why { Some(error.errcode) } else { None };
            json!({
                "ago": now.saturating_sub(*at) / 1_000,
                "retry_in": until.saturating_sub(now).div_ceil(1_000),
                "errcode": errcode,
                "detail": why.to_string(),
                "fix": why.advice(),
            })
        });
        let lives = self.lives(None, now);
        let left = |until: Millis| lives.then(|| until.saturating_sub(now) / 1_000);
        json!({
            "lives": lives,
            "age": lives.then(|| now.saturating_sub(self.fetched) / 1_000),
            "expires_in": left(self.expires),
            "renewed_in": left(self.renew),
            "failure": failure,
        })
    }
}

impl TokenState {
    /// What is held of this kind.
    pub fn held(&self, loan: Loan) -> &Held {
        match loan {
            Loan::Access => &self.access,
            Loan::Jsapi => &self.jsapi,
            Loan::WxCard => &self.wx_card,
        }
    }

    /// The same, to be changed.
    pub fn held_mut(&mut self, loan: Loan) -> &mut Held {
        match loan {
            Loan::Access => &mut self.access,
            Loan::Jsapi => &mut self.jsapi,
            Loan::WxCard => &mut self.wx_card,
        }
    }

    /// Somebody asks for the access token; whether that is to be stored.
    pub fn note_asked(&mut self, now: Millis) -> bool {
        let noted = now >= self.asked + NOTED;
        if noted {
            self.asked = now;
        }
        noted
    }

    /// When the access token is to be renewed without being asked for; `None` if there is none, or nobody will have
    /// asked for it for a day by then.
    pub fn wakes(&self) -> Option<Millis> {
        let Held { renew, fetched, failure, .. } = &self.access;
        // A failure that a later fetch made good delays nothing.
        let failure = failure.as_ref().filter(|failure| failure.at > *fetched);
        let after = failure.map_or(0, |failure| failure.until.max(failure.at + BREATH));
        // Never when nothing would be fetched yet: the alarm would ring on and on.
        let at = after.max(*renew);
        (at > 0 && at < self.asked + IDLE).then_some(at)
    }

    /// Whether a forced refresh is allowed now; it counts from here on, and must be stored before it is sent. Only for
    /// a token that WeChat refuses although it also gives it out, or when the operator wants it.
    pub fn may_force(&mut self, now: Millis) -> bool {
        self.forced.retain(|at| now < at + DAY);
        let paused = self.forced.last().is_none_or(|last| now >= last + FORCE_PAUSE);
        let allowed = paused && self.forced.len() < FORCED_PER_DAY;
        if allowed {
            self.forced.push(now);
        }
        allowed
    }

    /// How it stands, for the operator: all times in seconds, and neither token nor ticket.
    pub fn report(&self, now: Millis) -> Value {
        let forced = self.forced.iter().filter(|at| now < **at + DAY).count();
        json!({
            (Loan::Access.name()): self.access.report(now),
            (Loan::Jsapi.name()): self.jsapi.report(now),
            (Loan::WxCard.name()): self.wx_card.report(now),
            "forced_today": forced,
            "forced_left": FORCED_PER_DAY.saturating_sub(forced),
        })
    }
}
