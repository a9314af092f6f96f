//! What people allowed: codes, and the tokens that they were exchanged for. They have nothing to do with the tokens
//! of the platform's APIs.

use std::collections::VecDeque;

use crate::ids;
use crate::platform::errcode::{self, Errcode};

/// Milliseconds that a code of the account can be exchanged.
const CODE_MS: u64 = 300_000;
/// The same for a code of a website.
const WEBSITE_CODE_MS: u64 = 600_000;
/// Seconds that an access token lives.
pub const ACCESS_S: u64 = 7200;
/// Milliseconds that a refresh token lives: 30 days.
const REFRESH_MS: u64 = 30 * 86_400_000;
/// Codes, and tokens, that are remembered.
const REMEMBERED: usize = 1000;

/// To which of the two a login belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App {
    /// The Official Account.
    Account,
    /// The website at the Open Platform.
    Website,
}

/// How much was asked for.
///
/// <https://developers.weixin.qq.com/doc/service/guide/h5/auth>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The openid, without a question.
    Base,
    /// Nickname and picture, too.
    UserInfo,
    /// A website's login.
    Login,
}

impl Scope {
    /// WeChat's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "snsapi_base",
            Self::UserInfo => "snsapi_userinfo",
            Self::Login => "snsapi_login",
        }
    }
}

/// What somebody allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// To whom.
    pub app: App,
    /// How much.
    pub scope: Scope,
    /// Their openid as this app sees it.
    pub openid: String,
    /// Their openid in the account, by which they are found; absent for the virtual user of a snapshot page.
    pub person: Option<String>,
}

#[derive(Debug)]
struct Code {
    value: String,
    consent: Consent,
    ends_ms: u64,
    used: bool,
}

/// What a code was exchanged for.
#[derive(Debug, Clone)]
pub struct Session {
    /// For `/sns/userinfo`.
    pub access_token: String,
    /// For a longer life of it.
    pub refresh_token: String,
    /// What it rests on.
    pub consent: Consent,
    access_ends_ms: u64,
    refresh_ends_ms: u64,
    revoked: bool,
}

/// Every code and token, the oldest forgotten.
#[derive(Debug, Default)]
pub struct Grants {
    codes: VecDeque<Code>,
    sessions: VecDeque<Session>,
}

impl Grants {
    /// A new code.
    pub fn code(&mut self, consent: Consent, now_ms: u64) -> String {
        let lasts_ms = if consent.app == App::Website { WEBSITE_CODE_MS } else { CODE_MS };
        let value = ids::oauth_code();
        let code = Code { value: value.clone(), consent, ends_ms: now_ms + lasts_ms, used: false };
        remember(&mut self.codes, code);
        value
    }

    /// Exchanges a code, once.
    ///
    /// # Errors
    /// 40029 if there is none or it is another app's, 40163 the second time, 42003 after its time.
    pub fn redeem(&mut self, code: &str, app: App, now_ms: u64) -> Result<Session, Errcode> {
        let found = self.codes.iter_mut().find(|known| known.value == code && known.consent.app == app);
        let code = found.ok_or(errcode::CODE)?;
        if code.used {
            return Err(errcode::CODE_USED);
        }
        if now_ms >= code.ends_ms {
            return Err(errcode::CODE_EXPIRED);
        }
        code.used = true;
        let session = Session {
            access_token: ids::access_token(),
            refresh_token: ids::access_token(),
            consent: code.consent.clone(),
            access_ends_ms: now_ms + ACCESS_S * 1000,
            refresh_ends_ms: now_ms + REFRESH_MS,
            revoked: false,
        };
        remember(&mut self.sessions, session.clone());
        Ok(session)
    }

    /// A living access token lives on, a dead one is replaced; the refresh token stays.
    ///
    /// # Errors
    /// 40030 if there is none or it is another app's, 42007 if it was revoked, 42002 after its time.
    pub fn refresh(&mut self, token: &str, app: App, now_ms: u64) -> Result<Session, Errcode> {
        let found =
            self.sessions.iter_mut().find(|known| known.refresh_token == token && known.consent.app == app);
        let session = found.ok_or(errcode::REFRESH_TOKEN)?;
        if session.revoked {
            return Err(errcode::REVOKED);
        }
        if now_ms >= session.refresh_ends_ms {
            return Err(errcode::REFRESH_TOKEN_EXPIRED);
        }
        if now_ms >= session.access_ends_ms {
            session.access_token = ids::access_token();
        }
        session.access_ends_ms = now_ms + ACCESS_S * 1000;
        Ok(session.clone())
    }

    /// What an access token allows.
    ///
    /// # Errors
    /// 40001 if there is none, 42007 if it was revoked, 42001 after its time, 40003 if it is not this openid's.
    pub fn check(&self, token: &str, openid: &str, now_ms: u64) -> Result<&Consent, Errcode> {
        let session = self.sessions.iter().find(|known| known.access_token == token);
        let session = session.ok_or(errcode::NOT_LATEST)?;
        if session.revoked {
            return Err(errcode::REVOKED);
        }
        if now_ms >= session.access_ends_ms {
            return Err(errcode::EXPIRED);
        }
        if session.consent.openid != openid {
            return Err(errcode::OPENID);
        }
        Ok(&session.consent)
    }

    /// The person changed their password: their tokens die.
    pub fn revoke(&mut self, person: &str) {
        for session in &mut self.sessions {
            session.revoked |= session.consent.person.as_deref() == Some(person);
        }
    }
}

fn remember<T>(list: &mut VecDeque<T>, entry: T) {
    if list.len() == REMEMBERED {
        list.pop_front();
    }
    list.push_back(entry);
}
