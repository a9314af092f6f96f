//! The same person in the Mini Program: found, told, and asked what was said there.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::UserObject;
use crate::chat::command::Command;
use crate::chat::history::History;
use crate::chat::intent::{self, Intent};
use crate::chat::kin::ASKED_FOR;
use crate::gateway::send::SendError;
use crate::handlers::mini::call::Call as MiniCall;
use crate::handlers::mini::kin::{self, Call as Kin};
use crate::handlers::tasks::{Task, within};
use crate::handlers::{ask_unionid, call_with_text, understand, write};
use crate::json::json;
use crate::log::Line;
use crate::platform::{Millis, Object, Platform, Storage, Unreachable};
use crate::wechat::OpenId;
use crate::wechat::event::Event;
use crate::wechat::message::{Inbound, Message};

/// A question waits so long for what was said in the Mini Program, of the five seconds that WeChat gives.
const RECALLING: Millis = 1_000;
/// Nobody waits for what is told.
const TELLING: Millis = 15_000;
/// The account may not ask who people are.
/// <https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_userinfo.html>
const NO_RIGHT: i64 = 48_001;

/// What the object of the same person in the Mini Program, by its name, says. The answer is `true`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// It is theirs.
    Link(String),
    /// It is no more.
    Unlink(String),
    /// They want to be forgotten.
    Forget(String),
}

impl<P: Platform, S: Storage> UserObject<P, S> {
    /// A [`Call`] as JSON; the answer is JSON.
    pub fn call(self: &Rc<Self>, call: &str) -> Result<String, Unreachable> {
        match understand(call, "a call to a user's conversation")? {
            Call::Link(home) => self.link(&home)?,
            Call::Unlink(home) => self.step(|state, _, _| state.unlink(&home))?,
            Call::Forget(_) => {
                self.logins.forget()?;
                self.step(|state, now, _| state.forget(now))?;
            }
        }
        write(&true)
    }

    /// The name of their object in the Mini Program.
    pub(super) fn home(&self) -> Option<String> {
        self.state.borrow().kin.home.clone()
    }

    /// The conversation so far: as home knows it, if there is one and it can be reached.
    pub(super) fn recalled(&self) -> Task<'_, History> {
        Box::pin(async {
            let recalled = self.tell(RECALLING).await;
            recalled.unwrap_or_else(|| self.state.borrow().history.clone())
        })
    }

    /// Tells home what it does not know yet. What the model is to know now; `None` if home was not reached.
    async fn tell(&self, span: Millis) -> Option<History> {
        let (home, news) = {
            let kin = &self.state.borrow().kin;
            (kin.home.clone()?, kin.outbox.clone())
        };
        let call = write(&MiniCall::Kin(Kin::Tell(news.clone()))).ok()?;
        let asked = call_with_text(&self.platform, Object::MiniUser, &home, call);
        let failure = match within(&self.platform, span, asked).await {
            Some(Ok(said)) => {
                let body = said.get("body").filter(|_| is_ok(&said));
                if body.is_none() || !news.is_empty() {
                    // Should it not be stored, they are told again.
                    let _ = self.step(|state, _, _| match body {
                        Some(_) => state.told(&news),
                        None => state.unlink(&home),
                    });
                }
                return body.and_then(|body| crate::json::from_value(body).ok());
            }
            Some(Err(Unreachable(reason))) => reason,
            None => "it took too long".to_owned(),
        };
        self.platform.log(&Line::warn("kin.out_of_reach", failure));
        None
    }

    /// Tells home in the background what it does not know yet. Should that fail, the alarm or the next message comes
    /// here again.
    pub(super) fn pass_on(self: &Rc<Self>) {
        if self.state.borrow().kin.outbox.is_empty() || self.telling.replace(true) {
            return;
        }
        let object = Rc::clone(self);
        self.platform.spawn(async move {
            let oldest = || object.state.borrow().kin.outbox.first().cloned();
            let mut next = oldest();
            // What was told but could not be noted is left to the alarm.
            while next.is_some() && object.tell(TELLING).await.is_some() && next != oldest() {
                next = oldest();
            }
            object.telling.set(false);
        });
    }

    /// Before a message is decided on. Whoever asks how things stand is told how much home remembers; whoever leaves,
    /// or wants to be forgotten, leaves home too.
    pub(super) async fn before(self: &Rc<Self>, inbound: &Inbound) {
        let Some(home) = self.home() else { return };
        let forget = match intent::of(inbound, &self.app.config.rules.texts) {
            Intent::Command(Command::Status) => {
                let turns = self.recalled().await.turns.len();
                self.state.borrow_mut().kin.turns = Some(turns);
                return;
            }
            Intent::Command(Command::Forget) => true,
            Intent::Forget => false,
            _ => return,
        };
        let call = write(&MiniCall::Kin(Kin::Leave(forget)));
        kin::insist(&self.platform, vec![(Object::MiniUser, home, call)]);
    }

    /// After a message was replied to: asks WeChat who the person is, in the background, unless that is known, or was
    /// asked within a day.
    pub(super) fn seek(self: &Rc<Self>, inbound: &Inbound) {
        let (config, now) = (&self.app.config, self.platform.now());
        let wanted = {
            let kin = &self.state.borrow().kin;
            kin.home.is_none() && now >= kin.asked + ASKED_FOR
        };
        let may =
            config.mini.is_some() && config.account.is_some() && now >= self.app.no_unionids_until.get();
        let theirs = match &inbound.message {
            Message::Event(event) => matches!(event, Event::Subscribe { .. } | Event::Click { .. }),
            _ => true,
        };
        if !wanted || !may || !theirs || intent::forgets(inbound, &config.rules.texts) {
            return;
        }
        let (object, openid) = (Rc::clone(self), inbound.from.clone());
        self.platform.spawn(async move {
            if let Err(Unreachable(reason)) = object.find(openid, now).await {
                object.platform.log(&Line::warn("kin.not_linked", reason));
            }
        });
    }

    /// 1. WeChat says who they are
    /// 2. that is written down; whoever of the two is second finds the first
    /// 3. home is told first, so that it hears what it is told then
    async fn find(self: &Rc<Self>, openid: OpenId, now: Millis) -> Result<(), Unreachable> {
        self.step(|state, _, _| state.kin.asked = now)?;
        // If they were forgotten meanwhile, nothing is written down.
        let forgotten = || self.state.borrow().kin.asked != now;
        let unionid = match ask_unionid(&self.platform, &self.app, &openid).await {
            Ok(Some(unionid)) if !forgotten() => unionid,
            Ok(_) => return Ok(()),
            Err(error) => {
                if matches!(&error, SendError::Refused(error) if error.errcode == NO_RIGHT) {
                    self.app.no_unionids_until.set(now + ASKED_FOR);
                }
                return Err(Unreachable(error.to_string()));
            }
        };
        let half = json!({ "account": openid.as_str() });
        let known = kin::meet(&self.platform, &self.app, &unionid, half).await?;
        let Some(home) = kin::text(&known, "user").filter(|_| !forgotten()) else { return Ok(()) };
        let call = write(&MiniCall::Kin(Kin::Link(openid)))?;
        let said = call_with_text(&self.platform, Object::MiniUser, &home, call).await?;
        if is_ok(&said) && !forgotten() { self.link(&home) } else { Ok(()) }
    }

    fn link(self: &Rc<Self>, home: &str) -> Result<(), Unreachable> {
        self.step(|state, now, app| state.link(home, now, app.config.rules.timeout))?;
        self.pass_on();
        Ok(())
    }
}

/// Whether what home said is no refusal: then it is theirs, and linked.
fn is_ok(said: &Value) -> bool {
    said.get("status").and_then(Value::as_u64) == Some(200)
}
