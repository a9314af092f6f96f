//! When an access token is fetched, replaced, forced. Pure; the account's object does the fetching.
//! <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::platform::Millis;
use crate::wechat::api::ApiError;

/// A token is renewed when it has less than this left: WeChat renews five minutes before expiry, and both
/// tokens work meanwhile.
const MARGIN: Millis = 5 * 60_000;
/// WeChat answers a second forced refresh within this time with the same token.
const FORCE_PAUSE: Millis = 30_000;
/// WeChat allows this many forced refreshes a day.
const FORCED_PER_DAY: usize = 20;
const DAY: Millis = 86_400_000;

/// The token of one account, as its object stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenState {
    /// The current token; empty before the first fetch.
    #[serde(default)]
    pub token: String,
    /// When it ends.
    #[serde(default)]
    pub expires: Millis,
    /// When tokens were forced within the last day.
    #[serde(default)]
    pub forced: Vec<Millis>,
}

/// Why there is no token. Crosses from the account's object to others as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenFailure {
    /// `APP_ID` or `APP_SECRET` is missing.
    NotConfigured,
    /// WeChat could not be reached or gave no sense.
    Unreachable(String),
    /// WeChat refused.
    Refused(ApiError),
}

impl fmt::Display for TokenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured => f.write_str("APP_ID and APP_SECRET are not set"),
            Self::Unreachable(reason) => write!(f, "WeChat was not reached: {reason}"),
            Self::Refused(error) => write!(f, "WeChat refused an access token: {error}"),
        }
    }
}

impl TokenState {
    /// The token, if it can be used: it lives, and it is not the one that just failed.
    pub fn usable(&self, stale: Option<&str>, now: Millis) -> Option<&str> {
        let lives = !self.token.is_empty() && now + MARGIN < self.expires;
        (lives && stale != Some(self.token.as_str())).then_some(self.token.as_str())
    }

    /// Takes a fetched token that lives for `seconds`.
    pub fn fetched(&mut self, token: &str, seconds: u64, now: Millis) {
        token.clone_into(&mut self.token);
        self.expires = now + seconds * 1_000;
    }

    /// Whether a forced refresh is allowed now; it counts from here on. Only for a token that WeChat refuses
    /// although it also gives it out.
    pub fn may_force(&mut self, now: Millis) -> bool {
        self.forced.retain(|at| now < at + DAY);
        let paused = self.forced.last().is_none_or(|last| now >= last + FORCE_PAUSE);
        let allowed = paused && self.forced.len() < FORCED_PER_DAY;
        if allowed {
            self.forced.push(now);
        }
        allowed
    }
}
