//! What the scenarios of one server share: the account, the model, faults, the network, the clock.
//!
//! A scenario that changes none of it runs beside others; each has its own people. One that does runs alone, starts
//! from a neutral setting, and leaves everything as it found it.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

use crate::model::Rule;
use crate::network::Network;
use crate::platform::{AccountType, Fault};
use crate::state::Sim;

/// The right to run; what was changed is put back when it ends.
#[derive(Debug)]
pub struct Turn {
    // First the settings are put back, then the next one may run.
    _restore: Option<Restore>,
    _lock: Lock,
}

#[derive(Debug)]
enum Lock {
    Beside { _guard: OwnedRwLockReadGuard<()> },
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

impl Turn {
    /// Waits for the turn.
    pub async fn wait(sim: &Arc<Sim>, alone: bool) -> Self {
        let turns = Arc::clone(&sim.turns);
        if !alone {
            return Self { _restore: None, _lock: Lock::Beside { _guard: turns.read_owned().await } };
        }
        let lock = Lock::Alone { _guard: turns.write_owned().await };
        let restore = Some(Restore::of(sim));
        neutral(sim);
        Self { _restore: restore, _lock: lock }
    }
}

/// No faults, no rules, a good network.
fn neutral(sim: &Sim) {
    let mut state = sim.lock();
    state.network = Network::default();
    state.faults.set(Vec::new());
    state.model.set_rules(Vec::new());
}

/// The settings as they were.
#[derive(Debug)]
struct Restore {
    sim: Arc<Sim>,
    account_type: AccountType,
    network: Network,
    faults: Vec<Fault>,
    rules: Vec<Rule>,
    advanced_ms: u64,
}

impl Restore {
    fn of(sim: &Arc<Sim>) -> Self {
        let state = sim.lock();
        Self {
            account_type: state.account_type,
            network: state.network.clone(),
            faults: state.faults.pending().to_vec(),
            rules: state.model.rules().to_vec(),
            advanced_ms: sim.clock.advanced_ms(),
            sim: Arc::clone(sim),
        }
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        self.sim.clock.set_advanced(self.advanced_ms);
        let mut state = self.sim.lock();
        state.account_type = self.account_type;
        state.network = std::mem::take(&mut self.network);
        state.faults.set(std::mem::take(&mut self.faults));
        state.model.set_rules(std::mem::take(&mut self.rules));
    }
}
