//! Daily quotas: how often each API was called today.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/dev/openapi.html>

use std::collections::BTreeMap;

use super::errcode::{self, Errcode};

/// Days begin at midnight in Beijing.
const BEIJING_MS: u64 = 8 * 3_600_000;
const DAY_MS: u64 = 86_400_000;

/// The day that quotas count by.
pub fn day(now_ms: u64) -> u64 {
    (now_ms + BEIJING_MS) / DAY_MS
}

/// Today's calls of each API with a limit, by path.
#[derive(Debug, Default)]
pub struct Quotas {
    day: u64,
    used: BTreeMap<&'static str, u32>,
}

impl Quotas {
    /// Counts one call.
    ///
    /// # Errors
    /// 45009 when the day's calls are used up.
    pub fn take(&mut self, path: &'static str, limit: Option<u32>, now_ms: u64) -> Result<(), Errcode> {
        let Some(limit) = limit else { return Ok(()) };
        self.turn(now_ms);
        let used = self.used.entry(path).or_default();
        if *used >= limit {
            return Err(errcode::DAILY_QUOTA);
        }
        *used += 1;
        Ok(())
    }

    /// Calls of this API today.
    pub fn used(&mut self, path: &str, now_ms: u64) -> u32 {
        self.turn(now_ms);
        self.used.get(path).copied().unwrap_or_default()
    }

    /// Forgets today's calls: of one API, or of all.
    pub fn clear(&mut self, path: Option<&str>) {
        match path {
            Some(path) => drop(self.used.remove(path)),
            None => self.used.clear(),
        }
    }

    fn turn(&mut self, now_ms: u64) {
        if self.day != day(now_ms) {
            *self = Self { day: day(now_ms), used: BTreeMap::new() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_a_quota_ends_at_midnight_in_beijing() {
        let mut quotas = Quotas::default();
        let midnight = 1_800_028_800_000 / DAY_MS * DAY_MS - BEIJING_MS;
        assert!(quotas.take("/a", Some(1), midnight - 2).is_ok());
        assert_eq!(quotas.take("/a", Some(1), midnight - 1), Err(errcode::DAILY_QUOTA));
        assert!(quotas.take("/b", Some(1), midnight - 1).is_ok(), "each API has its own");
        assert!(quotas.take("/a", Some(1), midnight).is_ok());
        assert_eq!((quotas.used("/a", midnight), quotas.used("/b", midnight)), (1, 0));
        quotas.clear(Some("/a"));
        assert!(quotas.take("/a", Some(1), midnight).is_ok());
        assert!(quotas.take("/c", None, midnight).is_ok());
    }
}
