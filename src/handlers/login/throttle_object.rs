//! Counts what one address does.

use std::cell::{Cell, RefCell};

use super::{understand, write};
use crate::login::throttle::{Ask, Throttle};
use crate::platform::{Millis, Platform, Storage, Unreachable};

/// One object in memory.
pub struct ThrottleObject<P: Platform, S: Storage> {
    platform: P,
    storage: S,
    throttle: RefCell<Throttle>,
    /// When the alarm is set to ring, as far as this memory knows.
    alarm: Cell<Option<Millis>>,
}

impl<P: Platform, S: Storage> ThrottleObject<P, S> {
    /// The object, with what it stored.
    pub fn new(platform: P, storage: S) -> Result<Self, Unreachable> {
        let throttle = super::read(&platform, &storage, "throttle.unreadable")?.unwrap_or_default();
        Ok(Self { platform, storage, throttle: RefCell::new(throttle), alarm: Cell::default() })
    }

    /// An [`Ask`] as JSON; the answer is `true` or `false`.
    pub fn call(&self, call: &str) -> Result<String, Unreachable> {
        let ask: Ask = understand(call, "a call to a throttle's object")?;
        let mut next = self.throttle.borrow().clone();
        let admitted = next.admit(&ask, self.platform.now());
        if admitted {
            self.storage.save(&write(&next)?)?;
            self.set_alarm(next.ends)?;
        }
        self.throttle.replace(next);
        Ok(admitted.to_string())
    }

    /// The alarm rang: once nothing counts any more, everything is deleted.
    pub fn alarm(&self) -> Result<(), Unreachable> {
        self.alarm.set(None);
        let ends = self.throttle.borrow().ends;
        if self.platform.now() < ends {
            return self.set_alarm(ends);
        }
        self.throttle.replace(Throttle::default());
        self.storage.clear()
    }

    /// One that is set for an earlier time stays: it costs less to ring once in vain than to be set each time.
    fn set_alarm(&self, at: Millis) -> Result<(), Unreachable> {
        if self.alarm.get().is_none() {
            self.storage.set_alarm(at)?;
            self.alarm.set(Some(at));
        }
        Ok(())
    }
}
