//! A log that counts everything and keeps the newest entries.

use std::collections::VecDeque;

/// Entries kept: enough for any test, and a bound for a server that is benchmarked or runs for weeks.
pub const KEPT: usize = 10_000;

/// Numbered entries, the oldest forgotten beyond a limit; numbers start at 1.
#[derive(Debug)]
pub struct Log<T> {
    kept: VecDeque<T>,
    limit: usize,
    total: u64,
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self::keeping(KEPT)
    }
}

impl<T> Log<T> {
    /// A log that keeps so many entries.
    pub fn keeping(limit: usize) -> Self {
        Self { kept: VecDeque::new(), limit, total: 0 }
    }

    /// An empty log that goes on counting.
    pub fn after(&self) -> Self {
        Self { kept: VecDeque::new(), limit: self.limit, total: self.total }
    }

    /// Adds the entry that `make` builds from its number.
    pub fn push(&mut self, make: impl FnOnce(u64) -> T) -> u64 {
        if self.kept.len() == self.limit {
            self.kept.pop_front();
        }
        self.total += 1;
        self.kept.push_back(make(self.total));
        self.total
    }

    /// The entry with this number, unless it was forgotten.
    pub fn get(&self, number: u64) -> Option<&T> {
        self.kept.get(self.index(number)?)
    }

    /// The entry with this number, to change it.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let index = self.index(number)?;
        self.kept.get_mut(index)
    }

    fn index(&self, number: u64) -> Option<usize> {
        let from_newest = usize::try_from(self.total.checked_sub(number)?).ok()?;
        self.kept.len().checked_sub(from_newest + 1)
    }

    /// How many entries there ever were.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The entries still kept, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.kept.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_entries_go_but_stay_counted() {
        let mut log = Log::default();
        for _ in 0..KEPT + 5 {
            log.push(|number| number);
        }
        assert_eq!(log.total(), 10_005);
        assert_eq!(log.iter().count(), KEPT);
        assert_eq!(log.get_mut(5), None);
        assert_eq!(log.get_mut(6), Some(&mut 6));
        assert_eq!(log.get_mut(10_005), Some(&mut 10_005));
        assert_eq!(log.get_mut(10_006), None);
    }
}
