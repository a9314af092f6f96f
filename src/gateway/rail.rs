//! The guard rail against sending to many too often by mistake. Pure.

use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use crate::platform::Millis;

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// Which jobs were sent lately: the guard rail against sending too often by mistake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rail {
    /// Their ids, and when.
    pub sends: Vec<(String, Millis)>,
}

impl Rail {
    /// Counts a job, once. `Err`: when it opens again.
    ///
    /// # Errors
    /// When the next one may be sent.
    pub fn take(&mut self, job: &str, now: Millis, per_hour: u64, per_day: u64) -> Result<(), Millis> {
        self.sends.retain(|(_, at)| now < at + DAY);
        if self.sends.iter().any(|(id, _)| id == job) {
            return Ok(());
        }
        self.opens(now, per_hour, per_day).map_or(Ok(()), Err)?;
        self.sends.push((job.to_owned(), now));
        Ok(())
    }

    /// When the next job may be sent; `None` if now.
    pub fn opens(&self, now: Millis, per_hour: u64, per_day: u64) -> Option<Millis> {
        let after = |span: Millis, most: u64| {
            // A heap, because what sorts a list is five times the code.
            let recent: BinaryHeap<Millis> =
                self.sends.iter().map(|(_, at)| *at).filter(|at| now < at + span).collect();
            let recent = recent.into_sorted_vec();
            let over = recent.len().checked_sub(usize::try_from(most).unwrap_or(usize::MAX))?;
            recent.get(over).map(|at| at + span)
        };
        after(HOUR, per_hour).into_iter().chain(after(DAY, per_day)).max()
    }

    /// A job that WeChat did not take counts no more.
    pub fn give_back(&mut self, job: &str) {
        self.sends.retain(|(id, _)| id != job);
    }
}
