//! The steps after a confirmation: the code, its only use, and what takes it back.

use sha2::{Digest as _, Sha256};

use super::step::alike;
use super::{Answer, CODE_LIFETIME, CODE_TRIES, Fault, Finished, REVOKED_FOR, Session, Stage};
use crate::login::method::Method;
use crate::login::request::ResultBy;
use crate::login::subject::{Identity, Who};
use crate::login::{Digest, base64url};

impl Session {
    /// The browser brought the code that somebody got in the chat: the page that it was typed on names the website,
    /// so that is the confirmation too.
    ///
    /// # Errors
    /// [`Fault::NotYours`], [`Fault::Gone`], [`Fault::NotNow`], [`Fault::Wrong`]
    pub fn typed(&mut self, browser: &Digest, who: Option<Who>, now: u64) -> Result<(), Fault> {
        self.check_browser(browser)?;
        self.check_open(now)?;
        if !matches!(self.stage, Stage::Shown | Stage::Scanned) {
            return Err(Fault::NotNow);
        }
        if let Some(who) = who {
            let identity = Identity { who, name: None, picture: None };
            self.stage = Stage::Confirmed(Answer { identity, by: Method::Typed, at: now });
            return Ok(());
        }
        self.misses = self.misses.saturating_add(1);
        let left = CODE_TRIES.saturating_sub(self.misses);
        if left == 0 {
            self.stage = Stage::Denied;
        }
        Err(Fault::Wrong { left })
    }

    /// The browser takes the result, and will hand `code` to the website. It may come again until the code is
    /// redeemed, because a page can be reloaded; the last code counts.
    ///
    /// # Errors
    /// [`Fault::NotYours`], [`Fault::Gone`], [`Fault::NotNow`]
    pub fn finish(&mut self, browser: &Digest, code: &Digest, now: u64) -> Result<Finished, Fault> {
        self.check_browser(browser)?;
        let answer = match &self.stage {
            Stage::Confirmed(_) if now >= self.ends => return Err(Fault::Gone),
            Stage::Issued { at, .. } if now >= at + CODE_LIFETIME => return Err(Fault::Gone),
            Stage::Confirmed(answer) | Stage::Issued { answer, .. } => answer.clone(),
            _ => return Err(Fault::NotNow),
        };
        let at = match self.stage {
            Stage::Issued { at, .. } => at,
            _ => now,
        };
        let legacy = matches!(self.request.result, ResultBy::Legacy { .. });
        self.stage = Stage::Issued { answer: answer.clone(), code: (!legacy).then(|| code.clone()), at };
        Ok(Finished { request: self.request.clone(), answer })
    }

    /// Nobody can be logged in by it after all, whoever confirmed: it ends as if they had not.
    ///
    /// # Errors
    /// [`Fault::NotNow`]: always, because there is nothing to take.
    pub fn give_up(&mut self) -> Result<(), Fault> {
        if matches!(self.stage, Stage::Confirmed(_) | Stage::Issued { .. }) {
            self.stage = Stage::Denied;
        }
        Err(Fault::NotNow)
    }

    /// The website redeems the code: once. A second time takes back what the first time gave.
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2>
    ///
    /// # Errors
    /// [`Fault::Grant`]
    pub fn redeem(
        &mut self,
        code: &Digest,
        client: &str,
        redirect_uri: Option<&str>,
        verifier: Option<&str>,
        now: u64,
    ) -> Result<Finished, Fault> {
        if let Stage::Redeemed { code: used, .. } = &self.stage
            && alike(used, code)
        {
            self.stage = Stage::Revoked { until: now + REVOKED_FOR };
        }
        let Stage::Issued { answer, code: Some(issued), at } = &self.stage else { return Err(Fault::Grant) };
        let request = &self.request;
        let fits = alike(issued, code)
            && now < at + CODE_LIFETIME
            && request.client == client
            && same_address(request.redirect_uri.as_deref(), &request.result, redirect_uri)
            && proves(request.challenge.as_deref(), verifier);
        if !fits {
            return Err(Fault::Grant);
        }
        let answer = answer.clone();
        self.stage = Stage::Redeemed { answer: answer.clone(), code: code.clone() };
        Ok(Finished { request: self.request.clone(), answer })
    }

    /// The person takes it back.
    ///
    /// # Errors
    /// [`Fault::NotYours`]
    pub fn revoke(&mut self, who: &Who, now: u64) -> Result<(), Fault> {
        if self.answer().is_none_or(|answer| answer.identity.who != *who) {
            return Err(Fault::NotYours);
        }
        self.stage = Stage::Revoked { until: now + REVOKED_FOR };
        Ok(())
    }

    /// Whether what was issued was taken back.
    pub fn is_revoked(&self) -> bool {
        matches!(self.stage, Stage::Revoked { .. })
    }
}

/// `redirect_uri` must be repeated exactly where the result went there. A result that went by message need not name
/// one, but not a wrong one either.
fn same_address(asked: Option<&str>, by: &ResultBy, given: Option<&str>) -> bool {
    match (by, given) {
        (ResultBy::Redirect { .. }, given) => asked == given,
        (_, None) => true,
        (_, given) => asked == given,
    }
}

/// PKCE by S256. A verifier without a challenge is a downgrade somewhere on the way.
/// <https://www.rfc-editor.org/rfc/rfc7636#section-4.6>
fn proves(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            alike(&Digest::of(challenge), &Digest::of(&base64url(&Sha256::digest(verifier.as_bytes()))))
        }
        _ => false,
    }
}
