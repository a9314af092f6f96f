//! What is stored: one document about the user, and one for each conversation.

use std::rc::Rc;

use serde_json::Value;

use super::MiniUserObject;
use crate::chat::thread::Thread;
use crate::chat::window::Window;
use crate::handlers::mini::listening::Running;
use crate::handlers::mini::user::User;
use crate::json::json;
use crate::log::Line;
use crate::platform::{Millis, Platform, Storage, Tables, Unreachable};

/// While an answer is on its way, the alarm looks after it this often.
pub(super) const LOOK_AFTER: Millis = 30_000;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS thread (id TEXT PRIMARY KEY, document TEXT NOT NULL)";

impl<P: Platform, S: Storage + Tables> MiniUserObject<P, S> {
    /// The user as they are now, to be changed and kept.
    pub(super) fn snapshot(&self) -> User {
        self.user.borrow().clone()
    }

    /// Stores a step: the user, and the conversation in which it was. A step that cannot be stored did not happen:
    /// memory is never ahead of storage.
    pub(super) fn keep(&self, mut user: User, thread: Option<&Thread>) -> Result<(), Unreachable> {
        let now = self.platform.now();
        self.write(&mut user, thread, now)
            .inspect_err(|Unreachable(reason)| self.platform.log(&Line::error("mini.not_stored", reason)))?;
        self.user.replace(user);
        Ok(())
    }

    fn write(&self, user: &mut User, thread: Option<&Thread>, now: Millis) -> Result<(), Unreachable> {
        if let Some(thread) = thread {
            self.run(
                "INSERT INTO thread VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document",
                &[json!(thread.id), json!(thread.to_json())],
            )?;
            if let Some(gone) = user.note(thread) {
                self.delete_thread(&gone)?;
            }
        }
        if user.is_forgettable() {
            let gone = user.clone();
            user.forget();
            self.clear()?;
            self.part(&gone, false);
            return Ok(());
        }
        self.storage.save(&super::write(user)?)?;
        self.set_alarm(user, now)
    }

    /// Rings in time for whatever is due next. An alarm that is set for an earlier time stays: it costs less to ring
    /// once in vain than to be set anew each time.
    fn set_alarm(&self, user: &User, now: Millis) -> Result<(), Unreachable> {
        let notes = user.window.as_ref().is_some_and(Window::has_notes);
        let unfinished = notes || user.threads.iter().any(|entry| entry.unfinished);
        let watch = unfinished.then_some(now + LOOK_AFTER);
        if let Some(due) = watch.into_iter().chain(user.next_expiry()).min()
            && self.alarm.get().is_none_or(|set| due < set)
        {
            self.storage.set_alarm(due)?;
            self.alarm.set(Some(due));
        }
        Ok(())
    }

    /// Deletes everything, the alarm included.
    pub(super) fn clear(&self) -> Result<(), Unreachable> {
        self.storage.clear()?;
        self.alarm.set(None);
        self.prepared.set(false);
        Ok(())
    }

    /// A conversation of theirs.
    pub(super) fn thread(&self, id: &str) -> Result<Option<Thread>, Unreachable> {
        if self.user.borrow().entry(id).is_none() {
            return Ok(None);
        }
        let rows = self.run("SELECT document FROM thread WHERE id = ?", &[json!(id)])?;
        let document = rows.first().and_then(|row| row.get("document")).and_then(Value::as_str);
        let thread = document.and_then(Thread::from_json);
        if thread.is_none() {
            self.platform.log(&Line::error("mini.unreadable", "a stored conversation could not be read"));
        }
        Ok(thread)
    }

    pub(super) fn delete_thread(&self, id: &str) -> Result<(), Unreachable> {
        self.run("DELETE FROM thread WHERE id = ?", &[json!(id)]).map(drop)
    }

    pub(super) fn run(&self, statement: &str, values: &[Value]) -> Result<Vec<Value>, Unreachable> {
        if !self.prepared.get() {
            self.storage.run(TABLE, &[])?;
            self.prepared.set(true);
        }
        self.storage.run(statement, values)
    }

    /// At the first call of a life: what an earlier one left unfinished has one more life behind it.
    pub(super) fn wake(self: &Rc<Self>) -> Result<(), Unreachable> {
        if self.awake.get() {
            return Ok(());
        }
        for id in self.unfinished() {
            let mut user = self.snapshot();
            let Some(mut thread) = self.thread(&id)? else {
                user.lose(&id);
                self.keep(user, None)?;
                continue;
            };
            for exchange in thread.said.iter_mut().filter(|exchange| exchange.is_unfinished()) {
                exchange.starts = exchange.starts.saturating_add(1);
            }
            self.keep(user, Some(&thread))?;
        }
        self.awake.set(true);
        self.start_jobs()
    }

    /// Conversations that somebody has to work on.
    fn unfinished(&self) -> Vec<String> {
        let user = self.user.borrow();
        user.threads.iter().filter(|entry| entry.unfinished).map(|entry| entry.id.clone()).collect()
    }

    /// Starts every unanswered exchange that is not at work: new ones, and those of an object that died. What is to be
    /// told goes out.
    pub(super) fn start_jobs(self: &Rc<Self>) -> Result<(), Unreachable> {
        for id in self.unfinished() {
            let Some(thread) = self.thread(&id)? else { continue };
            for exchange in thread.unfinished().filter(|exchange| exchange.answer.is_none()) {
                let n = exchange.n;
                let at_work = |running: &Running| running.n == n && running.thread == id;
                if self.running.borrow().iter().any(at_work) {
                    continue;
                }
                self.running.borrow_mut().push(Running::new(&id, n, self.platform.random()));
                if exchange.push.is_some() {
                    self.show_typing();
                }
                let (object, thread) = (Rc::clone(self), id.clone());
                self.platform.spawn(async move { object.work(thread, n).await });
            }
        }
        self.post();
        Ok(())
    }
}
