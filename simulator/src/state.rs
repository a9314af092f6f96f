//! Everything that the simulator remembers.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::account::Account;
use crate::clock::Clock;
use crate::http::Target;
use crate::log::Log;
use crate::model::Desk;
use crate::people::People;
use crate::platform::token::Tokens;
use crate::platform::{AccountType, ApiCall, Faults, MediaStore};

/// What the command line decides.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where pushes go unless a request names another target.
    pub target: Option<Target>,
    /// Whether pushes may go to other machines.
    pub allow_remote: bool,
    /// The account's type at the start and after a reset.
    pub account_type: AccountType,
}

/// One simulator: settings that stay, and a state behind a lock.
#[derive(Debug)]
pub struct Sim {
    /// The simulated account.
    pub account: Account,
    /// The clock of everything here.
    pub clock: Clock,
    /// What the command line decided.
    pub options: Options,
    state: Mutex<State>,
    changes: watch::Sender<()>,
}

/// The state of platform, people and model; `reset` makes a new one.
#[derive(Debug)]
pub struct State {
    /// The server's own address, for URLs inside messages: `http://127.0.0.1:8788`.
    pub base_url: String,
    /// What the account may do.
    pub account_type: AccountType,
    /// Who had to do with the account.
    pub people: People,
    /// What they sent.
    pub media: MediaStore,
    /// The access tokens given out.
    pub tokens: Tokens,
    /// What goes wrong next.
    pub faults: Faults,
    /// Every call of the platform.
    pub calls: Log<ApiCall>,
    /// The model stand-in: its rules and its calls.
    pub model: Desk,
    last_msg_id: u64,
}

impl State {
    fn new(base_url: String, account_type: AccountType) -> Self {
        Self {
            base_url,
            account_type,
            people: People::default(),
            media: MediaStore::default(),
            tokens: Tokens::default(),
            faults: Faults::default(),
            calls: Log::default(),
            model: Desk::default(),
            last_msg_id: 0,
        }
    }

    /// A new MsgId: 64 bits, over 2^53 as WeChat's are, never the same twice, not even after a restart.
    pub fn new_msg_id(&mut self, wall_ms: u64) -> u64 {
        self.last_msg_id = (self.last_msg_id + 1).max(wall_ms.saturating_mul(10_000));
        self.last_msg_id
    }
}

impl Sim {
    /// A simulator that will be reached at `base_url`.
    pub fn new(account: Account, options: Options, base_url: String) -> Self {
        let state = Mutex::new(State::new(base_url, options.account_type));
        let changes = watch::Sender::new(());
        Self { account, clock: Clock::default(), options, state, changes }
    }

    /// The state, for a moment: never hold it across an `await`.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who [`wait_for`](Self::wait_for) something.
    pub fn changed(&self) {
        self.changes.send_replace(());
    }

    /// Waits until `look` finds something, for `limit` at most.
    pub async fn wait_for<T>(&self, limit: Duration, look: impl Fn(&State) -> Option<T>) -> Option<T> {
        let mut changes = self.changes.subscribe();
        let found = async {
            loop {
                if let Some(found) = look(&self.lock()) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(limit, found).await.ok().flatten()
    }

    /// Forgets everything: people, media, tokens, faults, rules, calls, and the time that was advanced.
    pub fn reset(&self) {
        let mut state = self.lock();
        let base_url = std::mem::take(&mut state.base_url);
        let last_msg_id = state.last_msg_id;
        *state = State::new(base_url, self.options.account_type);
        state.last_msg_id = last_msg_id;
        self.clock.reset();
    }
}
