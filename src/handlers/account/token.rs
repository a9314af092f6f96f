//! The access token of the account, fetched once for all who ask.

use futures_channel::oneshot;

use super::AccountObject;
use crate::config::Account;
use crate::gateway::send::{LARGEST, collect, outbound};
use crate::gateway::token::TokenFailure;
use crate::log::Line;
use crate::platform::{Millis, Platform, Storage, Tables, Unreachable};
use crate::wechat::api::token;

impl<P: Platform, S: Storage + Tables> AccountObject<P, S> {
    /// The access token; `stale` is one that WeChat just refused.
    ///
    /// 1. a token that lives, and is not the stale one, is given out
    /// 2. whoever comes during a fetch waits for it
    /// 3. otherwise one is fetched, stored, and given to all who wait
    pub async fn token(&self, stale: Option<&str>) -> Result<String, TokenFailure> {
        if let Some(token) = self.state.borrow().usable(stale, self.platform.now()) {
            return Ok(token.to_owned());
        }
        if let Some(fetch) = self.join() {
            return fetch
                .await
                .unwrap_or(Err(TokenFailure::Unreachable("the fetch was given up".to_owned())));
        }
        let outcome = self.renew(stale).await;
        if let Err(failure) = &outcome {
            self.platform.log(&Line::error("token.failed", failure));
        }
        for waiter in self.waiters.take().unwrap_or_default() {
            // A waiter that went away needs no token.
            let _ = waiter.send(outcome.clone());
        }
        outcome
    }

    /// Joins the fetch under way, or opens a new one.
    fn join(&self) -> Option<oneshot::Receiver<Result<String, TokenFailure>>> {
        let mut waiters = self.waiters.borrow_mut();
        if waiters.is_none() {
            *waiters = Some(Vec::new());
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        waiters.get_or_insert_default().push(sender);
        Some(receiver)
    }

    async fn renew(&self, stale: Option<&str>) -> Result<String, TokenFailure> {
        let account = self.app.config.account.as_ref().ok_or(TokenFailure::NotConfigured)?;
        let (mut token, mut seconds) = self.fetch(account, false).await?;
        let now = self.platform.now();
        if stale == Some(token.as_str()) && self.state.borrow_mut().may_force(now) {
            (token, seconds) = self.fetch(account, true).await?;
        }
        self.keep(&token, seconds, now);
        Ok(token)
    }

    async fn fetch(&self, account: &Account, force: bool) -> Result<(String, u64), TokenFailure> {
        let request = token::stable_token(&account.app_id, &account.secret, force);
        let request = outbound(&self.app.config.wechat_api, &request, None);
        let unreachable = |Unreachable(reason)| TokenFailure::Unreachable(reason);
        let inflow = self.platform.fetch(request).await.map_err(unreachable)?;
        let answer = collect(inflow, LARGEST).await.map_err(unreachable)?;
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        let issued = token::parse(text).map_err(TokenFailure::Refused)?;
        Ok((issued.access_token.expose().to_owned(), issued.expires_in))
    }

    fn keep(&self, token: &str, seconds: u64, now: Millis) {
        let mut state = self.state.borrow_mut();
        state.fetched(token, seconds, now);
        if let Err(Unreachable(reason)) =
            self.storage.save(&serde_json::to_string(&*state).unwrap_or_default())
        {
            self.platform.log(&Line::warn("token.not_stored", reason));
        }
    }
}
