//! Everything that the simulator remembers.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{RwLock, watch};

use crate::account::Account;
use crate::chat::Chat;
use crate::clock::Clock;
use crate::control::send::SendRequest;
use crate::control::verify::TargetCheck;
use crate::http::Target;
use crate::journal::Journal;
use crate::log::Log;
use crate::mini_app::Panels;
use crate::model::Desk;
use crate::network::Network;
use crate::people::People;
use crate::platform::api::App;
use crate::platform::autoreply::AutoReplies;
use crate::platform::draft::Drafts;
use crate::platform::kf::Agents;
use crate::platform::mass::Mass;
use crate::platform::material::Materials;
use crate::platform::menu::Menus;
use crate::platform::mini::Mini;
use crate::platform::openapi::{Clears, Rids};
use crate::platform::qrcode::QrCodes;
use crate::platform::quota::Quotas;
use crate::platform::subscribe::Subscriptions;
use crate::platform::tag::Tags;
use crate::platform::template::Templates;
use crate::platform::ticket::Tickets;
use crate::platform::token::Tokens;
use crate::platform::{AccountType, ApiCall, Faults, MediaStore};
use crate::push::envelope::{self, Mode};
use crate::recorder::Recorder;
use crate::seed::{self, Seed};
use crate::web::Web;

/// What the command line decides.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where pushes go unless a request names another target.
    pub target: Option<Target>,
    /// Where messages to the Mini Program's customer service go; without it, `/mini` behind the path of the target.
    pub mini_target: Option<Target>,
    /// The apps are not bound to one Open Platform account, though they could be: nobody has a unionid.
    pub unbound: bool,
    /// The hosts of other machines to which pushes may go: somebody has typed each of these names.
    pub confirmed_hosts: Vec<String>,
    /// What is there after [`Sim::sow`] and after a reset.
    pub seed: Seed,
}

impl Options {
    /// Where pushes of an app go.
    pub fn target_of(&self, app: App) -> Option<Target> {
        match app {
            App::Official => self.target.clone(),
            App::Mini => self.mini_target.clone().or_else(|| Some(self.target.as_ref()?.below("/mini"))),
        }
    }

    /// Whether pushes may go there: to this machine, or to a host that was confirmed.
    pub fn permit(&self, target: &Target) -> bool {
        target.is_loopback() || self.confirmed_hosts.iter().any(|host| host == target.host())
    }
}

/// Pushes that overtake each other, while the network mixes them up.
#[derive(Debug, Default)]
pub struct Overtaking {
    /// Whether one waits to be overtaken.
    pub waiting: bool,
    /// How many pushes are through.
    pub done: u64,
}

/// One simulator: settings that stay, and a state behind a lock.
#[derive(Debug)]
pub struct Sim {
    /// The simulated account.
    pub account: Arc<Account>,
    /// Its Mini Program, as far as messages go to it: with its own Token, key and AppID.
    pub mini: Option<Arc<Account>>,
    /// The clock of everything here.
    pub clock: Clock,
    /// What the command line decided.
    pub options: Options,
    /// Scenarios hold it while they run: those that change what all share, alone.
    pub turns: Arc<RwLock<()>>,
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
    /// How pushes are sealed unless an order says otherwise.
    pub mode: Mode,
    /// What happens to pushes on their way.
    pub network: Network,
    /// Pushes that answers of the platform lead to, as the result of a mass message: delivered right after the answer.
    pub outbox: Vec<SendRequest>,
    /// Who had to do with the account.
    pub people: People,
    /// What they sent.
    pub media: MediaStore,
    /// The access tokens given out.
    pub tokens: Tokens,
    /// How often each API was called today.
    pub quotas: Quotas,
    /// How often those were cleared.
    pub clears: Clears,
    /// The requests that went wrong, by request id.
    pub rids: Rids,
    /// The tickets of the JS-SDK and of cards.
    pub tickets: Tickets,
    /// The menus below the chat.
    pub menus: Menus,
    /// The console's automatic replies.
    pub auto_replies: AutoReplies,
    /// Permanent material.
    pub materials: Materials,
    /// Drafts, and what was published of them.
    pub drafts: Drafts,
    /// Tags.
    pub tags: Tags,
    /// QR codes and short keys.
    pub qr_codes: QrCodes,
    /// Mass messages.
    pub mass: Mass,
    /// Message templates.
    pub templates: Templates,
    /// Consents to subscribe notifications.
    pub subscriptions: Subscriptions,
    /// Customer-service agents.
    pub agents: Agents,
    /// The Mini Program.
    pub mini: Mini,
    /// What phones show of it.
    pub panels: Panels,
    /// Logins, and what is open in phones.
    pub web: Web,
    /// What goes wrong next.
    pub faults: Faults,
    /// Every request in both directions.
    pub journal: Journal,
    /// How the target answered the last check of its URL.
    pub target_check: Option<TargetCheck>,
    /// How often everything was forgotten.
    pub epoch: u64,
    /// Pushes that overtake each other.
    pub overtaking: Overtaking,
    /// What is done becomes a scenario, while this is there.
    pub recorder: Option<Recorder>,
    /// Every call of the platform.
    pub calls: Log<ApiCall>,
    /// The model stand-in: its rules and its calls.
    pub model: Desk,
    last_msg_id: u64,
}

impl State {
    fn new(base_url: String, account: &Account, options: &Options) -> Self {
        let mini = account.as_mini();
        Self {
            base_url,
            account_type: AccountType::default(),
            mode: envelope::default_mode(account),
            network: Network::default(),
            outbox: Vec::new(),
            people: People::new(open_platform(account), !options.unbound),
            media: MediaStore::default(),
            tokens: Tokens::default(),
            quotas: Quotas::default(),
            clears: Clears::default(),
            rids: Rids::default(),
            tickets: Tickets::default(),
            menus: Menus::default(),
            auto_replies: AutoReplies::default(),
            materials: Materials::default(),
            drafts: Drafts::default(),
            tags: Tags::default(),
            qr_codes: QrCodes::default(),
            mass: Mass::default(),
            templates: Templates::default(),
            subscriptions: Subscriptions::default(),
            agents: Agents::default(),
            mini: Mini::new(mini.as_ref().map_or(Mode::Plain, envelope::default_mode)),
            panels: Panels::default(),
            web: Web::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            target_check: None,
            epoch: 0,
            overtaking: Overtaking::default(),
            recorder: None,
            calls: Log::default(),
            model: Desk::default(),
            last_msg_id: 0,
        }
    }

    /// The chat that somebody has with the account, or with the Mini Program's customer service, by their openid there.
    pub fn chat(&mut self, openid: &str) -> Option<&mut Chat> {
        match self.people.find(openid) {
            Ok(person) => Some(&mut person.chat),
            Err(_) => Some(&mut self.mini.find(openid).ok()?.window),
        }
    }

    /// The same, to look at.
    pub fn chat_of(&self, openid: &str) -> Option<&Chat> {
        let official = self.people.get(openid).map(|person| &person.chat);
        official.or_else(|| Some(&self.mini.get(openid)?.window))
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
        let state = State::new(base_url, &account, &options);
        let mini = account.as_mini().map(Arc::new);
        let account = Arc::new(account);
        let changes = watch::Sender::new(());
        let turns = Arc::default();
        Self { account, mini, clock: Clock::default(), options, turns, state: Mutex::new(state), changes }
    }

    /// Plants the seed of the options.
    ///
    /// # Errors
    /// The platform refuses something of it; says what and why.
    pub fn sow(&self) -> Result<(), String> {
        seed::plant(&mut self.lock(), &self.account, self.clock.now_ms(), &self.options.seed)
    }

    /// The settings of one of the two apps; the Mini Program's are absent if no messages go to it.
    pub fn app(&self, app: App) -> Option<&Arc<Account>> {
        match app {
            App::Official => Some(&self.account),
            App::Mini => self.mini.as_ref(),
        }
    }

    /// The state, for a moment: never hold it across an `await`.
    pub fn lock(&self) -> Guard<'_> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Guard { state, changed: false, changes: &self.changes }
    }

    /// Waits until `look` finds something, for `limit` at most.
    pub async fn wait_for<T>(&self, limit: Duration, look: impl Fn(&State) -> Option<T>) -> Option<T> {
        let mut changes = self.changes();
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

    /// Wakes whoever watches, at each change of the state from now on.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: u64) {
        self.clock.advance(seconds);
        self.changes.send_replace(());
    }

    /// Forgets everything: people, media, tokens, faults, rules, calls, and the time that was advanced. Then plants
    /// the seed.
    pub fn reset(&self) {
        let mut state = self.lock();
        let base_url = std::mem::take(&mut state.base_url);
        let (last_msg_id, epoch, target_check) = (state.last_msg_id, state.epoch, state.target_check.take());
        let (recorder, journal) = (state.recorder.take(), state.journal.after());
        *state = State::new(base_url, &self.account, &self.options);
        state.last_msg_id = last_msg_id;
        state.epoch = epoch + 1;
        state.journal = journal;
        state.target_check = target_check;
        self.clock.reset();
        // A seed that was planted once can be planted again.
        let _ = seed::plant(&mut state, &self.account, self.clock.now_ms(), &self.options.seed);
        state.recorder = recorder.map(|recorder| recorder.after_reset(&state));
    }
}

/// What the unionids of people are made from: without another app than the account, there is nothing to be bound to.
fn open_platform(account: &Account) -> Option<String> {
    let website = account.open_app.as_ref().map(|open| &open.app_id);
    website.or(account.mini.as_ref().map(|mini| &mini.app_id)).cloned()
}

/// The state under its lock. Whoever changes it wakes those who [wait](Sim::wait_for), when the lock is free again.
#[derive(Debug)]
pub struct Guard<'a> {
    state: MutexGuard<'a, State>,
    changed: bool,
    changes: &'a watch::Sender<()>,
}

impl Deref for Guard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Guard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.changed = true;
        &mut self.state
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.changed {
            self.changes.send_replace(());
        }
    }
}
