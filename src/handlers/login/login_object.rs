//! One attempt's object: the machine of `login::session`, kept in storage, with the calls that it needs of others.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;

use super::identity::{self, Proof};
use super::{issue, offer, understand, write};
use crate::handlers::{App, metrics};
use crate::log::Line;
use crate::login::Digest;
use crate::login::client;
use crate::login::method::Method;
use crate::login::session::{Arrival, Call, Come, Failure, Fault, Reply, Session, Status, View};
use crate::platform::{Platform, Storage, Unreachable, Watchers};

/// One attempt's object in memory.
pub struct LoginObject<P: Platform, S: Storage, W: Watchers> {
    platform: P,
    storage: S,
    watchers: W,
    app: Rc<App>,
    session: RefCell<Option<Session>>,
    /// Who waits for what comes of the code that is being used; `None` if none is.
    waiting: RefCell<Option<Waiting>>,
    /// Who waits until a method has been made ready; `None` if none is.
    preparing: RefCell<Option<Bells>>,
}

impl<P: Platform, S: Storage, W: Watchers> LoginObject<P, S, W> {
    /// The object, with what it stored.
    pub fn new(platform: P, storage: S, watchers: W, app: Rc<App>) -> Result<Rc<Self>, Unreachable> {
        let session = super::read(&platform, &storage, "login.unreadable")?;
        let session = RefCell::new(session);
        let (waiting, preparing) = Default::default();
        Ok(Rc::new(Self { platform, storage, watchers, app, session, waiting, preparing }))
    }

    /// A [`Call`] as JSON; the answer is a `Result<Reply, Fault>` as JSON.
    pub async fn call(self: &Rc<Self>, call: &str) -> Result<String, Unreachable> {
        let answer = match understand(call, "a call to a login's object")? {
            Call::Show { browser, method, lang } => match self.prepare(&browser, method).await? {
                Ok((method, fallen_back)) => self.show(method, fallen_back, lang)?,
                Err(fault) => Err(fault),
            },
            Call::Arrive(arrival) => self.arrive(arrival).await?,
            call => self.step(call)?,
        };
        write(&answer)
    }

    /// What a new watcher is told at once; `None` if the attempt is not this browser's.
    pub fn greeting(&self, browser: &str) -> Option<String> {
        let session = self.session.borrow();
        let session = session.as_ref()?;
        session.check_browser(&Digest::parse(browser)?).ok()?;
        Some(news(session.status(self.platform.now())))
    }

    /// The alarm rang: watchers hear that the page has ended; in the end everything is deleted.
    pub fn alarm(&self) -> Result<(), Unreachable> {
        let now = self.platform.now();
        let Some(session) = self.session.borrow().clone() else { return self.storage.clear() };
        if now >= session.deleted_at() {
            *self.session.borrow_mut() = None;
            return self.storage.clear();
        }
        if session.status(now) == Status::Expired {
            self.watchers.tell(&news(Status::Expired));
            self.count("none", Status::Expired.name());
        }
        self.storage.set_alarm(session.next_alarm(now))
    }

    /// A step that needs nobody else.
    fn step(&self, call: Call) -> Result<Result<Reply, Fault>, Unreachable> {
        let now = self.platform.now();
        if let Call::Open(opening) = call {
            let session = Session::open(*opening, self.platform.random(), now);
            self.keep(session, now)?;
            self.count("none", "begun");
            return Ok(Ok(Reply::Done));
        }
        self.change(|session| match call {
            Call::Open(_) | Call::Show { .. } | Call::Arrive(_) => Err(Fault::NotNow),
            Call::Status { browser } => {
                session.check_browser(&browser).map(|()| Reply::Status(session.status(now)))
            }
            Call::Scan { token, phone } => session.scan(&token, &phone, now).map(|()| Reply::Done),
            Call::Depart { to, browser, phone, state } => {
                session.depart(to, browser.as_ref(), &phone, &state, now)?;
                Ok(Reply::Departing { profile: session.request.profile })
            }
            Call::Consent { phone } => {
                let consent = session.consent(&phone, now)?;
                Ok(Reply::Consent { consent, site: session.form_target(), began: session.created })
            }
            Call::Confirm { by, number } => session.confirm(&by, number, now).map(|()| Reply::Done),
            Call::Deny { by } => session.deny(&by).map(|()| Reply::Done),
            // A page that does not offer a way cannot have shown it.
            Call::Claim { by, .. } if !session.methods.contains(&by) => Err(Fault::Stale),
            Call::Typed { .. } if !session.methods.contains(&Method::Typed) => Err(Fault::Unavailable),
            Call::Claim { who, by, token } => {
                session.claim(who, by, token.as_deref(), now).map(Reply::Claimed)
            }
            Call::Typed { browser, who } => session.typed(&browser, who, now).map(|()| Reply::Done),
            Call::Number { browser, number } => {
                session.typed_number(&browser, number, now).map(|()| Reply::Done)
            }
            Call::Finish { browser, code } => {
                self.check_subject(session, &browser)?;
                session.finish(&browser, &code, now).map(|finished| Reply::Finished(Box::new(finished)))
            }
            Call::Redeem { code, client, redirect_uri, verifier } => session
                .redeem(&code, &client, redirect_uri.as_deref(), verifier.as_deref(), now)
                .map(|grant| Reply::Finished(Box::new(grant))),
            Call::Revoke { who } => session.revoke(&who, now).map(|()| Reply::Done),
            Call::Standing => Ok(Reply::Standing { revoked: session.is_revoked() }),
        })
    }

    /// Whoever has no id at the website has nothing to take there: the page says so now, instead of the website later.
    fn check_subject(&self, session: &mut Session, browser: &Digest) -> Result<(), Fault> {
        session.check_browser(browser)?;
        let client = client::by_id(&self.app.config.login.clients, &session.request.client);
        let (Some(client), Some(answer)) = (client, session.answer()) else { return Ok(()) };
        let Err(reason) = issue::uid(&self.app, client, &answer.identity) else { return Ok(()) };
        self.platform.log(&Line::error("login.not_issued", reason));
        session.give_up()
    }

    /// One step of the machine, stored, even if it ends in a fault: a wrong guess counts. Watchers hear of a new
    /// status.
    fn change<T>(
        &self,
        step: impl FnOnce(&mut Session) -> Result<T, Fault>,
    ) -> Result<Result<T, Fault>, Unreachable> {
        let now = self.platform.now();
        let Some(before) = self.session.borrow().clone() else { return Ok(Err(Fault::Gone)) };
        let mut next = before.clone();
        let outcome = step(&mut next);
        if next != before {
            let status = next.status(now);
            let method = next.answer().or(before.answer()).map_or("none", |answer| answer.by.name());
            self.keep(next, now)?;
            if status != before.status(now) {
                self.watchers.tell(&news(status));
                if matches!(status, Status::Confirmed | Status::Denied | Status::Done) {
                    self.count(method, status.name());
                }
            }
        }
        Ok(outcome)
    }

    fn count(&self, method: &str, result: &str) {
        let labels = [("method", method), ("result", result)];
        metrics::count(&self.platform, &self.app, "wxapi_logins_total", &labels);
    }

    /// One step that cannot be refused.
    fn note(&self, step: impl FnOnce(&mut Session)) -> Result<(), Unreachable> {
        // An attempt that has gone meanwhile needs no note.
        self.change(|session| {
            step(session);
            Ok(())
        })
        .map(drop)
    }

    /// Stores the attempt. What cannot be stored did not happen.
    fn keep(&self, session: Session, now: u64) -> Result<(), Unreachable> {
        self.storage.save(&write(&session)?)?;
        self.storage.set_alarm(session.next_alarm(now))?;
        *self.session.borrow_mut() = Some(session);
        Ok(())
    }

    /// Makes a method ready to be shown: its QR token, its digits, its parametric code. If the account cannot do it
    /// just now, the next method of the attempt is shown instead.
    async fn prepare(
        &self,
        browser: &Digest,
        method: Option<Method>,
    ) -> Result<Result<(Method, bool), Fault>, Unreachable> {
        let Some(session) = self.session.borrow().clone() else { return Ok(Err(Fault::Gone)) };
        if let Err(fault) = session.check_browser(browser) {
            return Ok(Err(fault));
        }
        let wanted = method.filter(|method| session.methods.contains(method));
        let others = session.methods.iter().copied().filter(|method| Some(*method) != wanted);
        let order: Vec<Method> = wanted.into_iter().chain(others).collect();
        if session.status(self.platform.now()) != Status::Pending {
            return Ok(order.first().map(|method| (*method, false)).ok_or(Fault::Unavailable));
        }
        for (index, method) in order.into_iter().enumerate() {
            if self.make_ready(method).await? {
                return Ok(Ok((method, index > 0)));
            }
        }
        Ok(Err(Fault::Unavailable))
    }

    /// Whether `method` can be shown now. What others give for it is asked for once, by however many pages at once.
    async fn make_ready(&self, method: Method) -> Result<bool, Unreachable> {
        let asks = matches!(method, Method::Code | Method::Scene);
        let _turn = if asks { Some(self.take_turn().await) } else { None };
        let now = self.platform.now();
        let Some(session) = self.session.borrow().clone() else { return Ok(false) };
        match method {
            Method::Qr | Method::Menu => {
                let random = self.platform.random();
                self.note(|session| session.refresh_token(random, now))?;
            }
            Method::Code if session.code.is_none() => {
                // As long as somebody may still send them: a scan lets the attempt live longer.
                let longest = session.latest_end().saturating_sub(now);
                let Some(code) = offer::reserve_code(&self.platform, &session.id, longest).await? else {
                    return Ok(false);
                };
                self.note(|session| session.code = Some(code))?;
            }
            Method::Scene if session.scene.is_none() => {
                let Some((token, url)) = offer::make_scene(&self.platform, &self.app, &session).await else {
                    return Ok(false);
                };
                self.note(|session| session.show_scene(token, url))?;
            }
            _ => {}
        }
        Ok(true)
    }

    /// Waits until nobody else makes a method ready; from then on others wait, until the turn is dropped.
    async fn take_turn(&self) -> Turn<'_> {
        loop {
            let (bell, rings) = oneshot::channel();
            match self.preparing.borrow_mut().as_mut() {
                Some(bells) => bells.push(bell),
                None => break,
            }
            // It rings by going away.
            let _ = rings.await;
        }
        *self.preparing.borrow_mut() = Some(Bells::new());
        Turn(&self.preparing)
    }

    fn show(
        &self,
        method: Method,
        fallen_back: bool,
        lang: Option<crate::lang::Lang>,
    ) -> Result<Result<Reply, Fault>, Unreachable> {
        let now = self.platform.now();
        self.change(|session| {
            session.speak(lang);
            let view = View { fallen_back, ..session.view(method, now) };
            Ok(Reply::View(Box::new(view), Box::new(session.request.clone())))
        })
    }

    /// Somebody comes back from another's login page.
    ///
    /// 1. the code is noted before it is used: WeChat's client may bring it twice
    /// 2. whoever brings it again waits for what comes of it
    /// 3. it is used, what came of it is stored, and all look again
    async fn arrive(&self, arrival: Arrival) -> Result<Result<Reply, Fault>, Unreachable> {
        let Arrival { from, phone, state, code, .. } = &arrival;
        let code = Digest::of(code.as_deref().unwrap_or_default());
        loop {
            let now = self.platform.now();
            let come = self.change(|session| {
                let come = session.arrive(*from, phone, state, &code, now)?;
                let by = session.journey.as_ref().map_or(*from, |journey| journey.to);
                Ok((come, by, session.request.profile))
            })?;
            match come {
                Err(fault) => return Ok(Err(fault)),
                Ok((Come::Known(failure), by, _)) => return Ok(Ok(Reply::Arrived { by, failure })),
                Ok((Come::Wait, ..)) if self.wait(state).await => {}
                // Where nobody is at work on it, the life of the object that was has ended.
                Ok((Come::Wait | Come::Use, by, profile)) => self.use_code(&arrival, by, profile).await?,
            }
        }
    }

    /// Uses the code that somebody brought, and stores what came of it.
    async fn use_code(&self, arrival: &Arrival, by: Method, profile: bool) -> Result<(), Unreachable> {
        let Arrival { state, code, redirect_uri, .. } = arrival;
        *self.waiting.borrow_mut() = Some(Waiting { state: state.clone(), bells: Vec::new() });
        let _at_work = AtWork { waiting: &self.waiting, state };
        let outcome = match code {
            None => Err(Failure::Refused),
            Some(code) => {
                let proof = Proof { by, code, redirect_uri, state, profile };
                identity::identify(&self.platform, &self.app, &proof).await
            }
        };
        if let Err(failure) = &outcome {
            self.platform.log(&Line::warn("login.not_identified", format_args!("{} {failure:?}", by.name())));
        }
        let now = self.platform.now();
        self.note(|session| session.arrived(state, outcome, now))
    }

    /// Waits for the code that is being used; `false` if nobody is at work on this one.
    async fn wait(&self, state: &Digest) -> bool {
        let (bell, rings) = oneshot::channel();
        match self.waiting.borrow_mut().as_mut().filter(|waiting| waiting.state == *state) {
            Some(waiting) => waiting.bells.push(bell),
            None => return false,
        }
        // It rings by going away.
        let _ = rings.await;
        true
    }
}

/// They ring by going away.
type Bells = Vec<oneshot::Sender<()>>;

/// While it lives, one of the pages makes a method ready.
struct Turn<'a>(&'a RefCell<Option<Bells>>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let bells = self.0.borrow_mut().take();
        drop(bells);
    }
}

/// Those who wait for what comes of a code.
struct Waiting {
    /// The `state` that it came with.
    state: Digest,
    bells: Bells,
}

/// While it lives, the code that came with `state` is being used. When that has ended, or whoever was at work on it
/// went away, all who wait look again. Whoever set out anew meanwhile has others waiting, who stay.
struct AtWork<'a> {
    waiting: &'a RefCell<Option<Waiting>>,
    state: &'a Digest,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        let done = self.waiting.borrow_mut().take_if(|waiting| waiting.state == *self.state);
        drop(done);
    }
}

/// What watchers hear.
fn news(status: Status) -> String {
    crate::json::text(&crate::json::json!({ "status": status.name() }))
}
