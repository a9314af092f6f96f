//! So many in a while: what one address may begin.

use serde::{Deserialize, Serialize};

/// A limit can be no higher than this: the object stores that many times.
pub const MOST: usize = 1_000;
/// Attempts of one address are counted for this long, milliseconds.
pub const WINDOW: u64 = 600_000;

/// What the object can be asked: may there be one more, if `most` may be in any `window`? Answer: `true`, and it was
/// counted; or `false`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// How many may be.
    pub most: usize,
    /// In what time, milliseconds.
    pub window: u64,
}

/// What the object stores. Its shape is pinned by a test and described in `docs/storage.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// When each was, milliseconds; the latest last.
    #[serde(default)]
    pub times: Vec<u64>,
    /// When the latest will not count any more, milliseconds.
    #[serde(default)]
    pub ends: u64,
}

impl Throttle {
    /// Whether there may be one more. What was refused does not count, so that patience is rewarded.
    pub fn admit(&mut self, ask: &Ask, now: u64) -> bool {
        self.times.retain(|at| now < at.saturating_add(ask.window));
        let admitted = self.times.len() < ask.most.min(MOST);
        if admitted {
            self.times.push(now);
            self.ends = now.saturating_add(ask.window);
        }
        admitted
    }
}
