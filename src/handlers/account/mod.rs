//! The account's object: one home for its access token and for what is stored about it. The Mini Program has one too, with
//! nothing but its own access token.

mod calls;
mod flight;
mod records;
mod token;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{App, understand, write};
use crate::gateway::desk::Call;
use crate::gateway::token::TokenState;
use crate::platform::{Millis, Platform, Storage, Tables, Unreachable};
use flight::Flight;
pub(super) use token::of_mini;

/// One account's object in memory.
pub struct AccountObject<P: Platform, S: Storage + Tables> {
    platform: P,
    storage: S,
    app: Rc<App>,
    state: RefCell<TokenState>,
    /// What clients are doing.
    desk: calls::Desk,
    /// The fetches that are under way, one for each kind of loan.
    flights: [Flight; 3],
    /// When the alarm is set to ring, as far as this memory knows.
    alarm: Cell<Option<Millis>>,
}

impl<P: Platform, S: Storage + Tables> AccountObject<P, S> {
    /// The object called `name`, with what it stored.
    ///
    /// The name is an AppID; it may be empty if the alarm woke the object, because an alarm that was set by an older
    /// runtime does not know it. Then what was stored says whose the object is.
    /// <https://developers.cloudflare.com/durable-objects/api/id/#name>
    pub fn new(platform: P, storage: S, app: Rc<App>, name: &str) -> Self {
        // Without what was stored, the token is fetched anew; nothing is lost.
        let stored = storage.load().ok().flatten();
        let mut state: TokenState =
            stored.and_then(|json| crate::json::from_str(&json).ok()).unwrap_or_default();
        let of = if name == app.config.app_id { "" } else { name };
        // A release that knew of no Mini Program may have stored the account's token here.
        if !name.is_empty() && state.of != of {
            state = TokenState { of: of.to_owned(), ..TokenState::default() };
        }
        let (desk, flights, alarm) = Default::default();
        Self { platform, storage, app, state: RefCell::new(state), desk, flights, alarm }
    }

    /// A [`Call`] as JSON; the answer is JSON.
    pub async fn call(&self, call: &str) -> Result<String, Unreachable> {
        match understand(call, "a call to the account's object")? {
            Call::Record(call) => {
                records::prepare(&self.storage)?;
                write(&records::answer(&self.storage, call, self.platform.now())?)
            }
            Call::Begin(begin) => write(&self.begin(begin).await?),
            Call::End(end) => write(&self.end(&end)?),
            Call::Audit { client, after, limit } => write(&self.audit(client, after, limit)?),
            Call::Token(call) => Ok(self.token_call(call).await),
        }
    }

    /// The alarm rang: every duty that is due is done. Each says by itself when it is due next.
    pub async fn alarm(&self) -> Result<(), Unreachable> {
        self.alarm.set(None);
        let due = |at: Option<Millis>| at.is_some_and(|at| at <= self.platform.now());
        if due(self.token_wakes()) {
            self.renew_token().await;
        }
        if due(self.calls_wake()) {
            self.tidy_calls()?;
        }
        self.set_alarm()
    }

    /// Sets the alarm to when the next duty is due. For whoever changes what one of them depends on.
    fn set_alarm(&self) -> Result<(), Unreachable> {
        let next = [self.token_wakes(), self.calls_wake()].into_iter().flatten().min();
        match next {
            // One that rings in vain costs less than one that is taken back.
            Some(at) if self.alarm.get() != Some(at) => {
                self.storage.set_alarm(at)?;
                self.alarm.set(next);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
