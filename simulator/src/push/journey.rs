//! A push on its way, with all that watches it: the journal, the rings in the chat, and the network's conditions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::deliver::{self, Attempt, Delivered, Order, Outcome, Step, Way};
use crate::journal::{self, Begin, Kind, Place, Progress, Received, Sent};
use crate::network::Network;
use crate::phone::transcript::{How, Ring, RingState, Running, What};
use crate::state::{Sim, State};

/// A push waits so long to be overtaken.
const OVERTAKEN_WITHIN: Duration = Duration::from_secs(5);

/// A push, and where it shows.
#[derive(Debug)]
pub struct Journey<'a> {
    /// The simulator.
    pub sim: &'a Sim,
    /// What is delivered.
    pub order: Arc<Order>,
    /// Its plain document.
    pub plain: String,
    /// What it is, in a few words.
    pub what: String,
    /// Its line in the chat; absent if the person did not do it.
    pub line: Option<u64>,
    /// When it began, in resets: after another one, nobody remembers the chat that it belongs to.
    epoch: u64,
}

/// The deliveries under way by number, each with its request in the journal. Dropped, they were given up.
struct UnderWay<'a> {
    journey: &'a Journey<'a>,
    exchanges: Mutex<BTreeMap<u32, u64>>,
}

impl UnderWay<'_> {
    fn note(&self, step: &Step<'_>) {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Begins(n) => drop(exchanges.insert(*n, self.journey.begin(*n))),
            Step::Ends(attempt) => self.journey.end(exchanges.remove(&attempt.delivery.n), attempt),
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let exchanges = self.exchanges.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (_, id) in std::mem::take(exchanges) {
            self.journey.give_up(id);
        }
    }
}

/// What the network does to the deliveries of one push.
pub fn way(network: &Network) -> Way {
    Way {
        slow: Duration::from_millis(network.slow_ms),
        lose_first: network.cut,
        duplicate: network.duplicate,
    }
}

impl<'a> Journey<'a> {
    /// One that begins now.
    pub fn new(sim: &'a Sim, order: Arc<Order>, plain: String, what: String, line: Option<u64>) -> Self {
        Self { sim, order, plain, what, line, epoch: sim.lock().epoch }
    }

    /// Delivers, at once in `copies` or one by one, and shows what came of it.
    pub async fn run(&self, copies: Option<u32>) -> Delivered {
        let sim = self.sim;
        let waits = sim.lock().network.out_of_order;
        if waits {
            self.be_overtaken().await;
        }
        let under_way = UnderWay { journey: self, exchanges: Mutex::default() };
        let watcher = |step: Step<'_>| under_way.note(&step);
        let delivered = match copies {
            Some(copies) => deliver::at_once(&self.order, copies, &watcher).await,
            None => deliver::one_by_one(&self.order, &watcher).await,
        };
        sim.lock().overtaking.done += 1;
        self.show(&delivered);
        delivered
    }

    /// The first of two waits until the other one is through, or until nobody comes.
    async fn be_overtaken(&self) {
        let (done, first) = {
            let mut state = self.sim.lock();
            let first = !state.overtaking.waiting;
            state.overtaking.waiting = true;
            (state.overtaking.done, first)
        };
        if first {
            let _place = Waiting(self.sim);
            let overtaken = |state: &State| (state.overtaking.done > done).then_some(());
            self.sim.wait_for(OVERTAKEN_WITHIN, overtaken).await;
        }
    }

    /// A request in the journal, and a ring under the line.
    fn begin(&self, n: u32) -> u64 {
        let Order { target, sealed, limit, openid, .. } = &*self.order;
        let started_ms = self.sim.clock.wall_ms();
        let sent = deliver::headers(sealed);
        let mut headers: Vec<_> =
            sent.iter().map(|(name, value)| (name.to_string(), (*value).to_owned())).collect();
        headers.insert(0, ("host".to_owned(), target.authority()));
        let mut state = self.sim.lock();
        let exchange = state.journal.begin(Begin {
            kind: Kind::Push,
            at_ms: started_ms,
            method: "POST".to_owned(),
            path: target.path().to_owned(),
            what: self.what.clone(),
            delivery: Some(Place { n, line: self.line }),
            limit_ms: Some(milliseconds(*limit)),
            request: Sent { url: target.url_with(&sealed.query), headers, body: sealed.body.clone() },
            plain: Some(self.plain.clone()),
            order: Some(Arc::clone(&self.order)),
        });
        let state_of_ring = RingState::Running(Running::Running);
        let ring = Ring { n, exchange, started_ms, state: state_of_ring, status: None, elapsed_ms: 0 };
        if let Some((line, chat)) = self.line.zip(state.chat(openid)) {
            chat.transcript.change_rings(line, |rings| rings.push(ring));
        }
        exchange
    }

    fn end(&self, exchange: Option<u64>, attempt: &Attempt) {
        let Some(id) = exchange else { return };
        let delivery = &attempt.delivery;
        let mut state = self.sim.lock();
        state.journal.end(id, |exchange| {
            exchange.elapsed_ms = Some(delivery.elapsed_ms);
            exchange.state = progress(delivery.outcome);
            exchange.result =
                delivery.status.map_or_else(|| word(delivery.outcome), |status| status.to_string());
            exchange.detail.response = delivery.status.map(|status| Received {
                status,
                headers: attempt.headers.clone(),
                body: journal::kept(delivery.body.as_deref().unwrap_or_default().as_bytes()),
            });
            exchange.detail.reply_plain.clone_from(&delivery.plain);
            let verdict = attempt.verdict.as_ref();
            exchange.detail.checks = verdict.map(|verdict| verdict.checks.clone()).unwrap_or_default();
        });
        self.end_ring(&mut state, id, |ring| {
            ring.state = RingState::Ended(delivery.outcome);
            ring.status = delivery.status;
            ring.elapsed_ms = delivery.elapsed_ms;
        });
    }

    /// Nobody waits for the answer any more.
    fn give_up(&self, id: u64) {
        let now_ms = self.sim.clock.wall_ms();
        let mut state = self.sim.lock();
        let mut elapsed_ms = 0;
        state.journal.end(id, |exchange| {
            elapsed_ms = now_ms.saturating_sub(exchange.at_ms);
            exchange.elapsed_ms = Some(elapsed_ms);
            exchange.state = Progress::Failed;
            exchange.result = word(Outcome::Cut);
        });
        self.end_ring(&mut state, id, |ring| {
            ring.state = RingState::Ended(Outcome::Cut);
            ring.elapsed_ms = elapsed_ms;
        });
    }

    fn end_ring(&self, state: &mut State, exchange: u64, end: impl Fn(&mut Ring)) {
        let Some((line, chat)) = self.line.zip(state.chat(&self.order.openid)) else { return };
        chat.transcript.change_rings(line, |rings| {
            rings.iter_mut().filter(|ring| ring.exchange == exchange).for_each(end);
        });
    }

    /// What the person sees, if it is an answer to them.
    fn show(&self, delivered: &Delivered) {
        let Some(line) = self.line else { return };
        let answered = delivered.deliveries.iter().find(|delivery| delivery.outcome == Outcome::Reply);
        let now_ms = self.sim.clock.now_ms();
        let mut state = self.sim.lock();
        if state.epoch != self.epoch {
            return;
        }
        let Some(chat) = state.chat(&self.order.openid) else { return };
        for shown in &delivered.shown {
            let how = How::Passive {
                line,
                delivery: answered.map(|delivery| delivery.n),
                elapsed_ms: answered.map(|delivery| delivery.elapsed_ms).unwrap_or_default(),
            };
            let what = What::Account { shown: shown.clone(), how };
            chat.add(now_ms, what);
        }
    }
}

/// The place of the push that waits to be overtaken: free again however the wait ends.
struct Waiting<'a>(&'a Sim);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().overtaking.waiting = false;
    }
}

fn progress(outcome: Outcome) -> Progress {
    match outcome {
        Outcome::Reply | Outcome::Success => Progress::Ok,
        Outcome::Timeout => Progress::Late,
        Outcome::Status | Outcome::Refused | Outcome::Cut => Progress::Failed,
    }
}

fn word(outcome: Outcome) -> String {
    format!("{outcome:?}").to_lowercase()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
