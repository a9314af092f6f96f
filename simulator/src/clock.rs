//! The one place that reads a clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Real time, plus what `POST /_sim/clock` added to it.
///
/// Ledgers and tokens live by [`now_ms`](Clock::now_ms). Callbacks are stamped with
/// [`wall_ms`](Clock::wall_ms): a receiver compares them with its own clock, which nobody advanced.
#[derive(Debug, Default)]
pub struct Clock {
    advanced_ms: AtomicU64,
}

impl Clock {
    /// Real time in milliseconds since 1970.
    #[allow(clippy::disallowed_methods, reason = "the simulator's only clock; it never runs on wasm")]
    pub fn wall_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Simulated time in milliseconds since 1970: never behind real time.
    pub fn now_ms(&self) -> u64 {
        self.wall_ms().saturating_add(self.advanced_ms())
    }

    /// Lets `seconds` of simulated time pass at once.
    pub fn advance(&self, seconds: u64) {
        let ms = seconds.saturating_mul(1000);
        self.advanced_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// How far simulated time is ahead, in milliseconds.
    pub fn advanced_ms(&self) -> u64 {
        self.advanced_ms.load(Ordering::Relaxed)
    }

    /// Lets simulated time be so many milliseconds ahead.
    pub fn set_advanced(&self, ms: u64) {
        self.advanced_ms.store(ms, Ordering::Relaxed);
    }

    /// Back to real time.
    pub fn reset(&self) {
        self.advanced_ms.store(0, Ordering::Relaxed);
    }
}
