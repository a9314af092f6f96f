//! A sixteenth of the codes that people may send or type.

use std::cell::{Cell, RefCell};

use super::{understand, write};
use crate::login::code::{Call, Shard};
use crate::platform::{Millis, Platform, Storage, Unreachable};

/// One object in memory.
pub struct CodeObject<P: Platform, S: Storage> {
    platform: P,
    storage: S,
    shard: RefCell<Shard>,
    /// When the alarm is set to ring, as far as this memory knows.
    alarm: Cell<Option<Millis>>,
}

impl<P: Platform, S: Storage> CodeObject<P, S> {
    /// The object, with what it stored.
    pub fn new(platform: P, storage: S) -> Result<Self, Unreachable> {
        // Whoever has a code that is dropped gets another by reloading the page.
        let shard = super::read(&platform, &storage, "codes.unreadable")?.unwrap_or_default();
        Ok(Self { platform, storage, shard: RefCell::new(shard), alarm: Cell::default() })
    }

    /// A [`Call`] as JSON; the answer is a [`Reply`](crate::login::code::Reply) as JSON.
    pub fn call(&self, call: &str) -> Result<String, Unreachable> {
        let call: Call = understand(call, "a call to a code's object")?;
        let mut next = self.shard.borrow().clone();
        let reply = next.answer(call, self.platform.now());
        self.keep(next)?;
        write(&reply)
    }

    /// The alarm rang: what nobody will ask for any more is deleted.
    pub fn alarm(&self) -> Result<(), Unreachable> {
        self.alarm.set(None);
        let mut next = self.shard.borrow().clone();
        next.expire(self.platform.now());
        if next.is_empty() {
            self.shard.replace(next);
            return self.storage.clear();
        }
        self.keep(next)
    }

    /// Stores what has changed, and sees to it that an alarm is set. What cannot be stored did not happen.
    fn keep(&self, next: Shard) -> Result<(), Unreachable> {
        if next != *self.shard.borrow() {
            self.storage.save(&write(&next)?)?;
        }
        // One that is set for an earlier time stays: it costs less to ring once in vain than to be set each time.
        if let Some(ends) = next.ends()
            && self.alarm.get().is_none()
        {
            self.storage.set_alarm(ends)?;
            self.alarm.set(Some(ends));
        }
        self.shard.replace(next);
        Ok(())
    }
}
