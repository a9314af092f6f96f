//! The steps that lead to a confirmation.

use super::{
    ANSWER_TIME, Answer, CODE_TRIES, Claimed, Confirmer, Consent, Failure, Fault, Journey, NUMBER_TRIES,
    ROTATE_BEFORE, Scene, Session, Stage, Status, TOKEN_LIFETIME, Token, View,
};
use crate::lang::Lang;
use crate::login::method::Method;
use crate::login::origin;
use crate::login::request::ResultBy;
use crate::login::subject::{Identity, Who};
use crate::login::{Digest, id};
use crate::wechat::signature::same;

/// What to do with somebody who came back from another's login page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Come {
    /// Use the code; it is noted, so nobody else will.
    Use,
    /// Somebody is using it: wait for what comes of it.
    Wait,
    /// This is what came of it.
    Known(Option<Failure>),
}

impl Session {
    /// The browser's handle opens the page.
    ///
    /// # Errors
    /// [`Fault::NotYours`]
    pub fn check_browser(&self, browser: &Digest) -> Result<(), Fault> {
        if alike(&self.browser, browser) { Ok(()) } else { Err(Fault::NotYours) }
    }

    /// Sees to it that there is a QR token that can be scanned for a while: a new one of `random` if the last one
    /// ends soon.
    pub fn refresh_token(&mut self, random: [u8; 16], now: u64) {
        self.tokens.retain(|token| now < token.ends);
        if self.tokens.last().is_none_or(|token| now + ROTATE_BEFORE >= token.ends) {
            self.tokens.push(Token { text: id::token(random), ends: now + TOKEN_LIFETIME });
        }
    }

    /// The parametric QR code of this attempt, made for it.
    pub fn show_scene(&mut self, token: String, url: String) {
        self.scene = Some(Scene { token: Token { text: token, ends: self.ends }, url });
    }

    /// What the page shows by `method`.
    pub fn view(&self, method: Method, now: u64) -> View {
        let token = matches!(method, Method::Qr | Method::Menu).then(|| self.tokens.last()).flatten();
        let told_in_chat = self.strict && method != Method::Qr;
        View {
            again: self.request.again_by(method),
            status: self.status(now),
            method,
            methods: self.methods.clone(),
            token: token.map(|token| token.text.clone()),
            scene: self.scene.as_ref().filter(|_| method == Method::Scene).map(|scene| scene.url.clone()),
            code: self.code.clone().filter(|_| method == Method::Code),
            number: (!told_in_chat).then_some(self.number),
            place: self.place.clone(),
            lang: self.lang,
            ends_in: self.ends.saturating_sub(now),
            rotate_in: token.map(|token| token.ends.saturating_sub(now + ROTATE_BEFORE)),
            left: match &self.stage {
                Stage::Number { left, .. } => Some(*left),
                Stage::Shown | Stage::Scanned if method == Method::Typed => {
                    Some(CODE_TRIES.saturating_sub(self.misses))
                }
                _ => None,
            },
            form_target: self.form_target(),
            fallen_back: false,
        }
    }

    /// The origin that the result goes to. Whatever is redirected to after a form was sent must be named in the
    /// page's policy.
    pub fn form_target(&self) -> Option<String> {
        match &self.request.result {
            ResultBy::Legacy { origin } | ResultBy::Message { origin } => Some(origin.clone()),
            ResultBy::Redirect { .. } => {
                self.request.redirect_uri.as_deref().and_then(origin::of).map(str::to_owned)
            }
        }
    }

    /// A phone has opened the QR code. Whoever is first has it; the same phone may come again.
    ///
    /// # Errors
    /// [`Fault::Stale`], [`Fault::Taken`], [`Fault::Gone`], [`Fault::NotNow`], [`Fault::Unavailable`]
    pub fn scan(&mut self, token: &str, phone: &Digest, now: u64) -> Result<(), Fault> {
        self.check_open(now)?;
        if !self.methods.contains(&Method::Qr) {
            return Err(Fault::Unavailable);
        }
        live(&self.tokens, token, now)?;
        match (&self.stage, &self.phone) {
            (Stage::Shown, _) => {
                self.phone = Some(phone.clone());
                self.stage = Stage::Scanned;
                self.extend(now);
                Ok(())
            }
            (_, Some(first)) if alike(first, phone) => Ok(()),
            (Stage::Scanned | Stage::Identified(_), _) => Err(Fault::Taken),
            _ => Err(Fault::NotNow),
        }
    }

    /// Somebody goes to another's login page; `state` must come back with them. Going again makes the last way void.
    /// The phone that scanned goes by [`Method::Qr`], so that it will have to choose the number, the browser by any
    /// other.
    ///
    /// # Errors
    /// [`Fault::NotYours`], [`Fault::Gone`], [`Fault::NotNow`], [`Fault::Unavailable`]
    pub fn depart(
        &mut self,
        to: Method,
        browser: Option<&Digest>,
        phone: &Digest,
        state: &Digest,
        now: u64,
    ) -> Result<(), Fault> {
        self.check_open(now)?;
        if !self.methods.contains(&to) || browser.is_some() == (to == Method::Qr) {
            return Err(Fault::Unavailable);
        }
        match browser {
            Some(browser) => {
                self.check_browser(browser)?;
                if !matches!(self.stage, Stage::Shown | Stage::Scanned) {
                    return Err(Fault::NotNow);
                }
                self.phone = Some(phone.clone());
                self.stage = Stage::Scanned;
            }
            None => self.check_phone(phone)?,
        }
        if self.stage != Stage::Scanned {
            return Err(Fault::NotNow);
        }
        self.journey = Some(Journey { to, state: state.clone(), code: None, failure: None });
        self.extend(now);
        Ok(())
    }

    /// Somebody comes back with a code. What comes a second time finds what the first time found.
    ///
    /// Another code is refused, but for one case: whoever taps 使用完整服务 on a snapshot of our page comes back with
    /// the same `state`, and now as themselves.
    ///
    /// # Errors
    /// [`Fault::NotYours`], [`Fault::State`], [`Fault::Gone`]
    pub fn arrive(
        &mut self,
        from: Method,
        phone: &Digest,
        state: &Digest,
        code: &Digest,
        now: u64,
    ) -> Result<Come, Fault> {
        self.check_open(now)?;
        self.check_phone(phone)?;
        let identified = self.answer().is_some();
        let journey = self.journey.as_mut().ok_or(Fault::State)?;
        if journey.to.comes_back_to() != from.comes_back_to() || !alike(&journey.state, state) {
            return Err(Fault::State);
        }
        let another = journey.code.as_ref().is_some_and(|first| !alike(first, code));
        if another && journey.failure == Some(Failure::Snapshot) {
            (journey.code, journey.failure) = (None, None);
        }
        match &journey.code {
            None => {
                journey.code = Some(code.clone());
                Ok(Come::Use)
            }
            Some(first) if !alike(first, code) => Err(Fault::State),
            Some(_) if identified || journey.failure.is_some() => Ok(Come::Known(journey.failure)),
            Some(_) => Ok(Come::Wait),
        }
    }

    /// What came of using the code of the journey to `state`. If somebody set out anew meanwhile, it is void.
    pub fn arrived(&mut self, state: &Digest, outcome: Result<Identity, Failure>, now: u64) {
        let Some(journey) = self.journey.as_mut().filter(|journey| alike(&journey.state, state)) else {
            return;
        };
        let by = journey.to;
        match outcome {
            Err(failure) => journey.failure = Some(failure),
            Ok(identity) if self.stage == Stage::Scanned => {
                self.stage = Stage::Identified(Answer { identity, by, at: now });
                self.extend(now);
            }
            Ok(_) => {}
        }
    }

    /// A message in the chat shows who somebody is. The same person may say it again.
    ///
    /// # Errors
    /// [`Fault::Gone`], [`Fault::Taken`], [`Fault::Stale`], [`Fault::NotNow`]
    pub fn claim(&mut self, who: Who, by: Method, token: Option<&str>, now: u64) -> Result<Claimed, Fault> {
        self.check_open(now)?;
        match by {
            Method::Scene => {
                live(self.scene.iter().map(|scene| &scene.token), token.unwrap_or_default(), now)?
            }
            Method::Menu => live(&self.tokens, token.unwrap_or_default(), now)?,
            // Whoever sent the digits has shown with them that they saw the page.
            _ => {}
        }
        match &self.stage {
            Stage::Shown | Stage::Scanned => {
                let identity = Identity { who, name: None, picture: None };
                self.stage = Stage::Identified(Answer { identity, by, at: now });
                self.extend(now);
            }
            Stage::Identified(answer) if answer.identity.who == who && answer.by == by => {}
            Stage::Identified(_) => return Err(Fault::Taken),
            _ => return Err(Fault::NotNow),
        }
        let scanned = matches!(by, Method::Scene | Method::Menu) && !self.strict;
        Ok(Claimed {
            client: self.request.client.clone(),
            place: self.place.clone(),
            number: if self.strict { self.told() } else { self.number },
            choices: scanned.then_some(self.choices),
            strict: self.strict,
        })
    }

    /// The number that the chat tells in strict mode. No page ever shows it: that of the QR code is another, or whoever
    /// sits at the browser could look it up there.
    fn told(&self) -> u8 {
        self.choices.into_iter().find(|choice| *choice != self.number).unwrap_or(self.number)
    }

    /// What a phone asks before a confirmation.
    ///
    /// # Errors
    /// [`Fault::NotYours`], [`Fault::NotNow`]
    pub fn consent(&self, phone: &Digest, now: u64) -> Result<Consent, Fault> {
        self.check_phone(phone)?;
        let by = match (self.answer(), &self.journey) {
            (Some(answer), _) => answer.by,
            // Who it was is forgotten; that they said no is not.
            (None, journey) if self.stage == Stage::Denied => {
                journey.as_ref().map_or(Method::Qr, |journey| journey.to)
            }
            _ => return Err(Fault::NotNow),
        };
        Ok(Consent {
            client: self.request.client.clone(),
            place: self.place.clone(),
            choices: (by == Method::Qr).then_some(self.choices),
            name: self.answer().and_then(|answer| answer.identity.name.clone()),
            status: self.status(now),
            by,
        })
    }

    /// Yes. A wrong number is a no: somebody was shown another screen. Saying yes again changes nothing.
    ///
    /// # Errors
    /// [`Fault::NotYours`], [`Fault::Gone`], [`Fault::NotNow`], [`Fault::Wrong`]
    pub fn confirm(&mut self, by: &Confirmer, number: Option<u8>, now: u64) -> Result<(), Fault> {
        self.check_confirmer(by)?;
        if matches!(self.stage, Stage::Number { .. } | Stage::Confirmed(_) | Stage::Issued { .. }) {
            return Ok(());
        }
        self.check_open(now)?;
        let Stage::Identified(answer) = &self.stage else { return Err(Fault::NotNow) };
        let in_chat = matches!(by, Confirmer::Person(_));
        let chosen = match answer.by {
            Method::Qr => true,
            Method::Scene | Method::Menu => !self.strict,
            _ => false,
        };
        let expected = if in_chat && self.strict { self.told() } else { self.number };
        if (chosen || number.is_some()) && number != Some(expected) {
            self.stage = Stage::Denied;
            return Err(Fault::Wrong { left: 0 });
        }
        let answer = answer.clone();
        self.stage = if in_chat && self.strict {
            Stage::Number { answer, left: NUMBER_TRIES }
        } else {
            Stage::Confirmed(answer)
        };
        self.extend(now);
        Ok(())
    }

    /// No.
    ///
    /// # Errors
    /// [`Fault::NotYours`], [`Fault::NotNow`]
    pub fn deny(&mut self, by: &Confirmer) -> Result<(), Fault> {
        self.check_confirmer(by)?;
        match self.stage {
            Stage::Scanned | Stage::Identified(_) | Stage::Number { .. } | Stage::Denied => {
                self.stage = Stage::Denied;
                Ok(())
            }
            _ => Err(Fault::NotNow),
        }
    }

    /// The browser brought the number that the chat told.
    ///
    /// # Errors
    /// [`Fault::NotYours`], [`Fault::Gone`], [`Fault::NotNow`], [`Fault::Wrong`]
    pub fn typed_number(&mut self, browser: &Digest, number: u8, now: u64) -> Result<(), Fault> {
        self.check_browser(browser)?;
        self.check_open(now)?;
        let expected = self.told();
        let Stage::Number { answer, left } = &mut self.stage else { return Err(Fault::NotNow) };
        if number == expected {
            self.stage = Stage::Confirmed(answer.clone());
            self.extend(now);
            return Ok(());
        }
        *left = left.saturating_sub(1);
        let left = *left;
        if left == 0 {
            self.stage = Stage::Denied;
        }
        Err(Fault::Wrong { left })
    }

    /// The page is in another language from now on.
    pub fn speak(&mut self, lang: Option<Lang>) {
        self.lang = lang.unwrap_or(self.lang);
    }

    pub(super) fn check_open(&self, now: u64) -> Result<(), Fault> {
        match self.status(now) {
            Status::Expired => Err(Fault::Gone),
            Status::Denied | Status::Done => Err(Fault::NotNow),
            _ => Ok(()),
        }
    }

    fn check_phone(&self, phone: &Digest) -> Result<(), Fault> {
        let known = self.phone.as_ref().is_some_and(|known| alike(known, phone));
        if known { Ok(()) } else { Err(Fault::NotYours) }
    }

    /// A phone confirms what came by its browser, a person what came by the chat, and nothing else.
    fn check_confirmer(&self, by: &Confirmer) -> Result<(), Fault> {
        let chat = |method| matches!(method, Method::Code | Method::Scene | Method::Menu);
        let answer = self.answer();
        match by {
            Confirmer::Phone(phone) if answer.is_none_or(|answer| !chat(answer.by)) => {
                self.check_phone(phone)
            }
            Confirmer::Person(who) if answer.is_some_and(|a| chat(a.by) && a.identity.who == *who) => Ok(()),
            _ => Err(Fault::NotYours),
        }
    }

    fn extend(&mut self, now: u64) {
        // Never past what the longest page could last, so that no chain of steps keeps an attempt alive.
        self.ends = self.ends.max(now + ANSWER_TIME).min(self.latest_end());
    }
}

/// One of `tokens` is this one, and has not ended.
fn live<'a>(tokens: impl IntoIterator<Item = &'a Token>, token: &str, now: u64) -> Result<(), Fault> {
    let found =
        tokens.into_iter().any(|known| now < known.ends && same(known.text.as_bytes(), token.as_bytes()));
    if found { Ok(()) } else { Err(Fault::Stale) }
}

/// Compared in constant time.
pub(super) fn alike(one: &Digest, other: &Digest) -> bool {
    same(one.as_str().as_bytes(), other.as_str().as_bytes())
}
