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

/// The month in Beijing, counted from any fixed one.
///
/// After Howard Hinnant's `civil_from_days`, in which years begin in March.
pub fn month(now_ms: u64) -> u64 {
    let days = day(now_ms) + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    (era * 400 + year) * 12 + (5 * day_of_year + 2) / 153
}

/// Today's calls of each API with a limit, by path.
#[derive(Debug, Default)]
pub struct Quotas {
    day: u64,
    used: BTreeMap<&'static str, u32>,
    minute: u64,
    in_minute: BTreeMap<String, u32>,
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

    /// Counts one call of this minute under `name`; false when `limit` were counted before.
    pub fn take_in_minute(&mut self, name: &str, limit: u32, now_ms: u64) -> bool {
        let minute = now_ms / 60_000;
        if self.minute != minute {
            self.minute = minute;
            self.in_minute.clear();
        }
        let used = self.in_minute.entry(name.to_owned()).or_default();
        *used += 1;
        *used <= limit
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
            self.day = day(now_ms);
            self.used.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_at_midnight_in_beijing() {
        // 2026-12-01, 2027-03-01, 2028-02-29 and 2028-03-01, each at 00:00 in Beijing.
        for (first_day_ms, is_new) in [
            (1_796_054_400_000, true),
            (1_803_830_400_000, true),
            (1_835_366_400_000, false),
            (1_835_452_800_000, true),
        ] {
            let (before, after) = (month(first_day_ms - 1), month(first_day_ms));
            assert_eq!(after - before, u64::from(is_new), "{first_day_ms}");
        }
    }

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
        assert!(
            quotas.take_in_minute("/d", 1, midnight) && !quotas.take_in_minute("/d", 1, midnight + 59_999)
        );
        assert!(quotas.take_in_minute("/d", 1, midnight + 60_000));
    }
}
