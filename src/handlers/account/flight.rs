//! One fetch at a time, and all who wait for it.

use std::cell::RefCell;

use futures_channel::oneshot::{Receiver, Sender, channel};

use crate::gateway::token::Answer;

/// The fetch of one token or ticket: `None` if none is under way, else those who wait for it.
#[derive(Default)]
pub struct Flight(RefCell<Option<Vec<Sender<Answer>>>>);

/// Whoever came first, and fetches. If they go away before they are done, those who wait are told, and one of them
/// becomes the next.
pub struct Lead<'a>(&'a Flight);

impl Flight {
    /// Waits for the fetch under way, or begins one.
    pub fn board(&self) -> Result<Lead<'_>, Receiver<Answer>> {
        let mut waiting = self.0.borrow_mut();
        let Some(waiting) = waiting.as_mut() else {
            *waiting = Some(Vec::new());
            return Ok(Lead(self));
        };
        let (sender, receiver) = channel();
        waiting.push(sender);
        Err(receiver)
    }
}

impl Lead<'_> {
    /// Tells all who wait.
    pub fn land(self, answer: &Answer) {
        for waiting in self.0.0.take().unwrap_or_default() {
            // One that went away needs no token.
            let _ = waiting.send(answer.clone());
        }
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.0.0.take();
    }
}
