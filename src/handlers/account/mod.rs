//! The account's object: one home for its access token and for what is stored about it.

mod calls;
mod records;
mod token;

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;

use super::App;
use crate::gateway::desk::Call;
use crate::gateway::token::{TokenFailure, TokenState};
use crate::platform::{Platform, Storage, Tables, Unreachable};

type Waiter = oneshot::Sender<Result<String, TokenFailure>>;

/// One account's object in memory.
pub struct AccountObject<P: Platform, S: Storage + Tables> {
    platform: P,
    storage: S,
    app: Rc<App>,
    state: RefCell<TokenState>,
    /// Those who wait for the fetch that is under way; `None` if none is.
    waiters: RefCell<Option<Vec<Waiter>>>,
    desk: calls::Desk,
}

impl<P: Platform, S: Storage + Tables> AccountObject<P, S> {
    /// The object, with what it stored.
    pub fn new(platform: P, storage: S, app: Rc<App>) -> Self {
        // Without what was stored, the token is fetched anew; nothing is lost.
        let stored = storage.load().ok().flatten();
        let state = stored.and_then(|json| crate::json::from_str(&json).ok()).unwrap_or_default();
        Self {
            platform,
            storage,
            app,
            state: RefCell::new(state),
            waiters: RefCell::default(),
            desk: calls::Desk::default(),
        }
    }

    /// A [`Call`] as JSON; the answer is JSON.
    pub async fn call(&self, call: &str) -> Result<String, Unreachable> {
        let call = crate::json::from_str(call)
            .map_err(|_| Unreachable("a call to the account's object made no sense".to_owned()))?;
        match call {
            Call::Record(call) => {
                records::prepare(&self.storage)?;
                text(&records::answer(&self.storage, call, self.platform.now())?)
            }
            Call::Begin(begin) => text(&self.begin(begin).await?),
            Call::End(end) => text(&self.end(&end)?),
            Call::Audit { client, after, limit } => text(&self.audit(client, after, limit)?),
        }
    }
}

fn text<T: serde::Serialize>(value: &T) -> Result<String, Unreachable> {
    serde_json::to_string(value).map_err(|error| Unreachable(error.to_string()))
}
