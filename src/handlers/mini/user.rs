//! What is stored of a user of the Mini Program, apart from what was said in their conversations.

use serde::{Deserialize, Serialize};

use crate::chat::push::Push;
use crate::chat::thread::{Exchange, Status, Thread};
use crate::chat::turn::MINUTE;
use crate::chat::window::Window;
use crate::login::mini::Holder;
use crate::platform::Millis;
use crate::wechat::OpenId;

/// A conversation in which nobody has said anything for so long, milliseconds, is deleted.
const KEPT_FOR: Millis = 30 * 86_400_000;
/// Conversations of one user; the one in which was spoken longest ago gives way.
const THREADS: usize = 100;

/// One user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Who it is, once they have logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// Their conversations, the one in which was spoken last at the end.
    #[serde(default)]
    pub threads: Vec<Entry>,
    /// The conversation that they are having.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Current>,
    /// When the questions of the last minute were asked, milliseconds.
    #[serde(default)]
    pub asked: Vec<Millis>,
    /// Customer-service messages: what may still be sent.
    #[serde(default)]
    pub push: Push,
    /// Who they are at the Official Account, if that is known and a conversation there goes by this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<OpenId>,
    /// Their chat with the customer service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// A conversation, in the list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it began, milliseconds.
    pub created: Millis,
    /// When something was said last, milliseconds.
    pub active: Millis,
    /// How it stands.
    pub status: Status,
    /// Somebody has to work on it.
    #[serde(default)]
    pub unfinished: bool,
    /// Some of its answers waits until the person asks for it in the customer service's chat.
    #[serde(default)]
    pub waits: bool,
}

/// The conversation that somebody is having, in whatever window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Its id.
    pub thread: String,
    /// When something was said in it last, milliseconds.
    pub spoken: Millis,
    /// That was in one of WeChat's own chat windows, not by the API.
    pub outside: bool,
}

impl User {
    /// A conversation by its id: one that is not here is somebody else's, or none.
    pub fn entry(&self, thread: &str) -> Option<&Entry> {
        self.threads.iter().find(|entry| entry.id == thread)
    }

    /// Something was said in `thread`, or something of it has changed: the list says so. Returns what gives way.
    pub fn note(&mut self, thread: &Thread) -> Option<String> {
        self.threads.retain(|entry| entry.id != thread.id);
        self.threads.push(Entry {
            id: thread.id.clone(),
            title: thread.title.clone(),
            created: thread.created,
            active: thread.active,
            status: thread.status(),
            unfinished: thread.unfinished().next().is_some(),
            waits: thread.said.iter().any(Exchange::waits),
        });
        let too_many = self.threads.len() > THREADS;
        let oldest = self.threads.iter().position(|entry| !entry.unfinished).filter(|_| too_many)?;
        Some(self.threads.remove(oldest).id)
    }

    /// The conversation that they are having, unless they have been silent for `timeout`.
    pub fn current(&self, now: Millis, timeout: Millis) -> Option<&Current> {
        self.current.as_ref().filter(|current| now < current.spoken + timeout)
    }

    /// They speak in this conversation now.
    pub fn speak_in(&mut self, thread: &str, outside: bool, now: Millis) {
        self.current = Some(Current { thread: thread.to_owned(), spoken: now, outside });
    }

    /// What was said in this conversation can no longer be read, so nobody can work on it.
    pub fn lose(&mut self, thread: &str) {
        for entry in self.threads.iter_mut().filter(|entry| entry.id == thread) {
            (entry.status, entry.unfinished) = (Status::Failed, false);
        }
    }

    /// Forgets everything but how much was asked just now: whoever begins anew has no new questions by that.
    pub fn forget(&mut self) {
        *self = Self { asked: std::mem::take(&mut self.asked), ..Self::default() };
    }

    /// Whether they may ask something now; it counts. `Err`: seconds until they may.
    pub fn may_ask(&mut self, limit: usize, now: Millis) -> Result<(), u64> {
        one_more(&mut self.asked, limit, now)
    }

    /// Forgets what is too old. Returns the conversations that are to be deleted.
    pub fn expire(&mut self, now: Millis) -> Vec<String> {
        if let Some(holder) = &mut self.holder {
            holder.expire(now);
        }
        if let Some(window) = &mut self.window {
            window.expire(now);
        }
        self.window = self.window.take().filter(|window| !window.is_empty());
        let old = |entry: &Entry| !entry.unfinished && now >= entry.active + KEPT_FOR;
        let gone = self.threads.iter().filter(|entry| old(entry)).map(|entry| entry.id.clone()).collect();
        self.threads.retain(|entry| !old(entry));
        gone
    }

    /// When [`Self::expire`] will next have something to do, milliseconds.
    pub fn next_expiry(&self) -> Option<Millis> {
        let thread = self.threads.iter().map(|entry| entry.active + KEPT_FOR).min();
        let session = self.holder.as_ref().and_then(Holder::next_expiry);
        let window = self.window.as_ref().and_then(Window::next_expiry);
        thread.into_iter().chain(session).chain(window).min()
    }

    /// Nothing is left that is worth being stored: no session by which they could come, nothing that they said.
    pub fn is_forgettable(&self) -> bool {
        self.threads.is_empty()
            && self.holder.as_ref().is_none_or(|holder| holder.sessions.is_empty())
            && self.window.as_ref().is_none_or(Window::is_empty)
    }
}

/// One more of what may be done `limit` times in a minute; `times` are those of the last. `Err`: seconds until it may.
pub fn one_more(times: &mut Vec<Millis>, limit: usize, now: Millis) -> Result<(), u64> {
    times.retain(|at| now < at + MINUTE);
    if let Some(first) = times.first().filter(|_| times.len() >= limit) {
        return Err((first + MINUTE).saturating_sub(now).div_ceil(1_000));
    }
    times.push(now);
    Ok(())
}
