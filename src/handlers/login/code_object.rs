//! A sixteenth of the codes that people may send or type.

use crate::platform::{Platform, Storage, Unreachable};

/// One object in memory.
pub struct CodeObject<P: Platform, S: Storage> {
    _platform: P,
    _storage: S,
}

impl<P: Platform, S: Storage> CodeObject<P, S> {
    /// The object, with what it stored.
    pub fn new(platform: P, storage: S) -> Result<Self, Unreachable> {
        Ok(Self { _platform: platform, _storage: storage })
    }

    /// A call as JSON; the answer is JSON.
    pub fn call(&self, _call: &str) -> Result<String, Unreachable> {
        Err(Unreachable("in work".to_owned()))
    }

    /// The alarm rang.
    pub fn alarm(&self) -> Result<(), Unreachable> {
        Ok(())
    }
}
