//! The same person at the Official Account: found, heard, and left.

use std::rc::Rc;

use super::MiniUserObject;
use crate::chat::history::History;
use crate::chat::kin::Told;
use crate::chat::state::Question;
use crate::chat::thread::{Reply, Source};
use crate::handlers::mini::call::Said;
use crate::handlers::mini::kin::{self, Call, Gone};
use crate::handlers::mini::user::User;
use crate::handlers::{call_with_text, conversation, write};
use crate::json::json;
use crate::log::Line;
use crate::login::mini::user_name;
use crate::platform::{Object, Platform, Storage, Tables, Unreachable};
use crate::wechat::OpenId;

impl<P: Platform, S: Storage + Tables> MiniUserObject<P, S> {
    /// They logged in: the account is asked, in the background, whether it knows them.
    pub(super) fn seek(self: &Rc<Self>) {
        let object = Rc::clone(self);
        self.platform.spawn(async move {
            if let Err(Unreachable(reason)) = object.find().await {
                object.platform.log(&Line::warn("kin.not_linked", reason));
            }
        });
    }

    /// 1. what is known of their unionid: the openid at the account, or else of the only follower who has it
    /// 2. they are linked here first, so that whoever is linked there is heard here
    async fn find(&self) -> Result<(), Unreachable> {
        let (platform, app) = (&self.platform, &*self.app);
        let Some((name, unionid)) = self.names(&self.user.borrow()) else { return Ok(()) };
        let known = kin::meet(platform, app, &unionid, json!({ "user": name })).await?;
        let written = kin::text(&known, "account");
        let found = match &written {
            Some(account) => Some(account.clone()),
            None => kin::follower(platform, app, &unionid).await?,
        };
        let Some(account) = found else { return Ok(()) };
        // Of whoever was forgotten meanwhile, nothing is written down.
        if self.link(OpenId::new(account.as_str()))?.status != 200 {
            return Ok(());
        }
        if written.is_none() {
            kin::meet(platform, app, &unionid, json!({ "account": account })).await?;
        }
        let call = write(&conversation::Call::Link(name))?;
        call_with_text(platform, Object::Session, &kin::session_name(app, &account), call).await.map(drop)
    }

    /// The name of this object and the unionid, of somebody whom the account may know.
    fn names(&self, user: &User) -> Option<(String, OpenId)> {
        let config = &self.app.config;
        let (mini, holder) = (config.mini.as_ref()?, user.holder.as_ref()?);
        config.account.as_ref()?;
        Some((user_name(&mini.app_id, &holder.openid), holder.unionid.clone()?))
    }

    /// The account says something. Whoever is not linked is not there for it.
    pub(super) fn kin(self: &Rc<Self>, call: Call) -> Result<Said, Unreachable> {
        match call {
            Call::Link(account) => self.link(account),
            _ if self.user.borrow().account.is_none() => Ok(Said::not_found()),
            Call::Tell(news) => self.hear(news),
            Call::Leave(forget) => self.left(forget),
        }
    }

    fn link(&self, account: OpenId) -> Result<Said, Unreachable> {
        let mut user = self.snapshot();
        // They were forgotten meanwhile.
        if user.holder.is_none() || user.is_forgettable() {
            return Ok(Said::not_found());
        }
        user.account = Some(account);
        self.keep(user, None)?;
        Ok(Said::done())
    }

    /// What was said at the account becomes part of the conversation that they were having then, else of a new one.
    fn hear(self: &Rc<Self>, news: Vec<Told>) -> Result<Said, Unreachable> {
        for told in news {
            self.hear_one(told)?;
        }
        let timeout = self.app.config.rules.timeout;
        let current = self.user.borrow().current(self.platform.now(), timeout).cloned();
        let thread = match &current {
            Some(current) => self.thread(&current.thread)?,
            None => None,
        };
        let history = thread
            .map_or_else(History::default, |thread| thread.context(u32::MAX, &self.app.config.rules.texts));
        Ok(Said::ok(crate::json::of(&history)))
    }

    fn hear_one(self: &Rc<Self>, told: Told) -> Result<(), Unreachable> {
        let Told { key, asked, at, turn } = told;
        let rules = &self.app.config.rules;
        let mut user = self.snapshot();
        let Some(turn) = turn else {
            // Told twice, it must not end what began after it.
            user.current = user.current.filter(|current| current.spoken > at);
            return self.keep(user, None);
        };
        if self.anywhere(&key)?.is_some() {
            return Ok(());
        }
        let thread = match user.current(at, rules.timeout) {
            Some(current) => self.thread(&current.thread)?,
            None => None,
        };
        let mut thread = thread.unwrap_or_else(|| self.new_thread(asked));
        let active = thread.active;
        let n = thread.ask(Question::Text(turn.question), &key, Source::Account, asked, &rules.texts);
        thread.active = thread.active.max(active);
        thread.answered(n, Reply { at, text: turn.answer, tokens: 0, failed: false, refused: false });
        if user.current.as_ref().is_none_or(|current| current.spoken <= at) {
            user.speak_in(&thread.id, true, at);
        }
        self.keep(user, Some(&thread))?;
        let (object, id) = (Rc::clone(self), thread.id);
        self.platform.spawn(async move { object.condense(&id).await });
        Ok(())
    }

    fn left(&self, forget: bool) -> Result<Said, Unreachable> {
        let mut user = self.snapshot();
        let names = self.names(&user);
        if forget {
            self.erase(user, None)?;
        } else {
            user.account = None;
            self.keep(user, None)?;
        }
        if let (Some((name, unionid)), Some(mini)) = (names, &self.app.config.mini) {
            let user = Some(name).filter(|_| !forget);
            kin::insist(&self.platform, vec![kin::left(&self.app, mini, &unionid, user)]);
        }
        Ok(Said::done())
    }

    /// Nothing of `user` is left here; the account is told.
    pub(super) fn part(&self, user: &User, forget: bool) {
        let Some((name, unionid)) = self.names(user) else { return };
        let account = user.account.as_ref().map(|account| account.as_str().to_owned());
        let gone = Gone { name, unionid, account, forget };
        self.platform.spawn(kin::part(self.platform.clone(), Rc::clone(&self.app), gone));
    }
}
