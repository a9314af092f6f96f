//! Access tokens: `/cgi-bin/token` and `/cgi-bin/stable_token`, two ledgers that do not affect each other.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/dev/AccessToken.html>

use std::collections::VecDeque;

use super::errcode::{self, Errcode};
use super::quota::Quotas;
use crate::ids;

/// Seconds that a new token lives.
const LIFETIME_S: u64 = 7200;
/// Old and new token overlap by this much; a stable token is renewed this long before its end.
const OVERLAP_MS: u64 = 300_000;
/// Two forced refreshes are at least this far apart; an earlier one returns the same token.
const FORCE_GAP_MS: u64 = 30_000;
/// Forced refreshes a day.
const FORCES_A_DAY: u32 = 20;
/// Tokens remembered, so that an old one gets the precise error.
const REMEMBERED: usize = 200;
/// What forced refreshes are counted as.
const FORCED: &str = "force_refresh";

/// What both endpoints hand out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The token itself.
    pub access_token: String,
    /// Seconds that it still lives.
    pub expires_in: u64,
}

/// One token: until `ends_ms` it works, from then on it answers `after`.
#[derive(Debug)]
struct Issued {
    value: String,
    ends_ms: u64,
    after: Errcode,
}

/// Every token that the simulated account has given out.
#[derive(Debug, Default)]
pub struct Tokens {
    issued: VecDeque<Issued>,
    plain: Option<String>,
    stable: Option<String>,
    forces: Quotas,
    forced_ms: Option<u64>,
}

impl Tokens {
    /// `/cgi-bin/token`: a new token every time; the previous one works five minutes longer.
    pub fn plain(&mut self, now_ms: u64) -> Grant {
        if let Some(old) = self.plain.take() {
            self.end(&old, now_ms + OVERLAP_MS);
        }
        let grant = self.issue(now_ms);
        self.plain = Some(grant.access_token.clone());
        grant
    }

    /// `/cgi-bin/stable_token`: the same token with its remaining life, a new one five minutes before its end.
    /// `force` ends the current one at once.
    ///
    /// # Errors
    /// 45009 beyond 20 forced refreshes a day.
    pub fn stable(&mut self, force: bool, now_ms: u64) -> Result<Grant, Errcode> {
        let too_soon = self.forced_ms.is_some_and(|forced| now_ms < forced + FORCE_GAP_MS);
        if !force || too_soon {
            return Ok(self.current_stable(now_ms).unwrap_or_else(|| self.new_stable(now_ms)));
        }
        self.forces.take(FORCED, Some(FORCES_A_DAY), now_ms)?;
        self.forced_ms = Some(now_ms);
        if let Some(old) = self.stable.take() {
            self.end(&old, now_ms);
        }
        Ok(self.new_stable(now_ms))
    }

    /// Whether a request with this token may go on.
    ///
    /// # Errors
    /// 41001 without one, 40014 if it has not the form of one, 42001 after its time, 40001 otherwise.
    pub fn check(&self, given: Option<&str>, now_ms: u64) -> Result<(), Errcode> {
        let value = given.filter(|value| !value.is_empty()).ok_or(errcode::TOKEN_MISSING)?;
        match self.issued.iter().find(|token| token.value == value) {
            Some(token) if now_ms < token.ends_ms => Ok(()),
            Some(token) => Err(token.after),
            None if ids::is_access_token(value) => Err(errcode::NOT_LATEST),
            None => Err(errcode::TOKEN_FORM),
        }
    }

    /// Ends the current tokens behind everyone's back.
    pub fn invalidate(&mut self, now_ms: u64) {
        for old in [self.plain.take(), self.stable.take()].into_iter().flatten() {
            self.end(&old, now_ms);
        }
    }

    fn current_stable(&self, now_ms: u64) -> Option<Grant> {
        let value = self.stable.as_deref()?;
        let token = self.issued.iter().find(|token| token.value == value)?;
        let left_ms = token.ends_ms.checked_sub(now_ms).filter(|left| *left > OVERLAP_MS)?;
        Some(Grant { access_token: token.value.clone(), expires_in: left_ms / 1000 })
    }

    fn new_stable(&mut self, now_ms: u64) -> Grant {
        let grant = self.issue(now_ms);
        self.stable = Some(grant.access_token.clone());
        grant
    }

    fn issue(&mut self, now_ms: u64) -> Grant {
        if self.issued.len() == REMEMBERED {
            self.issued.pop_front();
        }
        let value = ids::access_token();
        let ends_ms = now_ms + LIFETIME_S * 1000;
        self.issued.push_back(Issued { value: value.clone(), ends_ms, after: errcode::EXPIRED });
        Grant { access_token: value, expires_in: LIFETIME_S }
    }

    fn end(&mut self, value: &str, at_ms: u64) {
        if let Some(token) =
            self.issued.iter_mut().find(|token| token.value == value && at_ms < token.ends_ms)
        {
            token.ends_ms = at_ms;
            token.after = errcode::NOT_LATEST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000_000;
    const MINUTE: u64 = 60_000;

    #[test]
    fn every_call_of_token_gives_a_new_one_and_the_old_one_works_five_minutes() {
        let mut tokens = Tokens::default();
        let first = tokens.plain(START);
        let second = tokens.plain(START);
        assert_ne!(first, second);
        assert_eq!(tokens.check(Some(&first.access_token), START + 5 * MINUTE - 1), Ok(()));
        assert_eq!(tokens.check(Some(&first.access_token), START + 5 * MINUTE), Err(errcode::NOT_LATEST));
        assert_eq!(tokens.check(Some(&second.access_token), START + 119 * MINUTE), Ok(()));
        assert_eq!(tokens.check(Some(&second.access_token), START + 120 * MINUTE), Err(errcode::EXPIRED));
    }

    #[test]
    fn the_stable_token_stays_until_five_minutes_before_its_end() {
        let mut tokens = Tokens::default();
        let first = tokens.stable(false, START).unwrap();
        let again = tokens.stable(false, START + 60 * MINUTE).unwrap();
        assert_eq!(again, Grant { access_token: first.access_token.clone(), expires_in: 3600 });
        let renewed = tokens.stable(false, START + 116 * MINUTE).unwrap();
        assert_ne!(renewed.access_token, first.access_token);
        assert_eq!(
            tokens.check(Some(&first.access_token), START + 119 * MINUTE),
            Ok(()),
            "both work for a while"
        );
        assert_eq!(tokens.check(Some(&first.access_token), START + 120 * MINUTE), Err(errcode::EXPIRED));
    }

    #[test]
    fn force_ends_the_old_token_but_not_twice_within_30_seconds() {
        let mut tokens = Tokens::default();
        let first = tokens.stable(false, START).unwrap();
        let forced = tokens.stable(true, START).unwrap();
        assert_ne!(forced.access_token, first.access_token);
        assert_eq!(tokens.check(Some(&first.access_token), START), Err(errcode::NOT_LATEST));
        assert_eq!(tokens.stable(true, START + 29_999).unwrap().access_token, forced.access_token);
        assert_ne!(tokens.stable(true, START + 30_000).unwrap().access_token, forced.access_token);
        for force in 2..FORCES_A_DAY {
            assert!(tokens.stable(true, START + u64::from(force) * FORCE_GAP_MS).is_ok());
        }
        assert_eq!(tokens.stable(true, START + 30 * MINUTE), Err(errcode::DAILY_QUOTA));
    }

    #[test]
    fn the_two_endpoints_do_not_affect_each_other() {
        let mut tokens = Tokens::default();
        let stable = tokens.stable(false, START).unwrap();
        let plain = tokens.plain(START);
        tokens.stable(true, START).unwrap();
        assert_eq!(tokens.check(Some(&plain.access_token), START), Ok(()));
        assert_eq!(tokens.check(Some(&stable.access_token), START), Err(errcode::NOT_LATEST));
    }

    #[test]
    fn each_kind_of_bad_token_has_its_code() {
        let mut tokens = Tokens::default();
        let live = tokens.stable(false, START).unwrap();
        tokens.invalidate(START);
        assert_eq!(tokens.check(Some(&live.access_token), START), Err(errcode::NOT_LATEST));
        assert_eq!(tokens.check(None, START), Err(errcode::TOKEN_MISSING));
        assert_eq!(tokens.check(Some(""), START), Err(errcode::TOKEN_MISSING));
        assert_eq!(tokens.check(Some("hello"), START), Err(errcode::TOKEN_FORM));
        assert_eq!(tokens.check(Some(&ids::access_token()), START), Err(errcode::NOT_LATEST));
    }
}
