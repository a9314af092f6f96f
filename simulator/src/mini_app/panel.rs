//! What somebody's phone shows of the Mini Program.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::revision;

/// Messages kept for each person, the newest ones.
const KEPT: usize = 400;

/// One message of the conversation that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Unique in this process.
    pub id: u64,
    /// In whose phone: their openid in the Mini Program.
    pub openid: String,
    /// `user` or `assistant`.
    pub role: String,
    /// Its text, as far as it came.
    pub text: String,
    /// When: milliseconds since 1970, as the server or this machine counts them.
    pub at_ms: u64,
    /// How it stands.
    pub state: Standing,
    /// What it cost.
    pub tokens_used: Option<u64>,
    /// Milliseconds until its first piece.
    pub first_ms: Option<u64>,
    /// Where it was said, if the server tells: `official`, `mini`.
    pub source: Option<String>,
    /// The number of its last change.
    #[serde(skip)]
    pub revision: u64,
}

/// How a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is whole.
    Done,
    /// Nothing of it came yet.
    Waiting,
    /// It is coming.
    Streaming,
    /// The server still thinks.
    Pending,
    /// The phone went away in the middle of it.
    Left,
    /// It broke off.
    Broken,
    /// It could not be had.
    Failed,
}

/// What the phone says when something went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// The HTTP status; absent without an answer.
    pub status: Option<u16>,
    /// The server's words, or what was wrong on the network.
    pub text: String,
    /// Seconds after which it may be tried again.
    pub retry_after_s: Option<u64>,
    /// When: real milliseconds since 1970.
    pub at_ms: u64,
}

/// An answer that did not come whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// The message that asked, in the client's own name.
    pub message_id: String,
    /// Its text.
    pub text: String,
    /// Its conversation, as it was named in the request.
    pub asked: Value,
    /// Its conversation, once the server has named it.
    pub conversation_id: Option<String>,
    /// The last event that came.
    pub last_event_id: Option<String>,
    /// The message that shows it.
    pub shown: u64,
}

/// The Mini Program in one phone.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Panel {
    /// Whose phone: their openid in the Mini Program.
    pub openid: String,
    /// Whether it has a session.
    pub logged_in: bool,
    /// Whether it waits for the server.
    pub busy: bool,
    /// The conversation that is open, by the server's id.
    pub conversation_id: Option<String>,
    /// Whether the next message begins another one.
    pub fresh: bool,
    /// The conversations as the server listed them last; absent before.
    pub conversations: Option<Vec<Value>>,
    /// The messages of the open one, by their ids.
    pub messages: Vec<u64>,
    /// Whether an answer can be gone on with.
    pub unfinished: bool,
    /// What went wrong last.
    pub complaint: Option<Complaint>,
    #[serde(skip)]
    session: Option<String>,
    #[serde(skip)]
    rest: Option<Unfinished>,
    #[serde(skip)]
    shown: Vec<Message>,
    #[serde(skip)]
    revision: u64,
}

impl Panel {
    fn of(openid: &str) -> Self {
        Self { openid: openid.to_owned(), ..Self::default() }
    }

    /// The session, if there is one.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Takes a session over, or loses it.
    pub fn set_session(&mut self, session: Option<String>) {
        self.logged_in = session.is_some();
        self.session = session;
    }

    /// The answer that did not come whole.
    pub fn rest(&self) -> Option<&Unfinished> {
        self.rest.as_ref()
    }

    /// Notes that an answer did not come whole, or that none is missing.
    pub fn set_rest(&mut self, rest: Option<Unfinished>) {
        self.unfinished = rest.is_some();
        self.rest = rest;
    }

    /// Shows another conversation, or none.
    pub fn show(&mut self, conversation_id: Option<String>, fresh: bool) {
        self.conversation_id = conversation_id;
        self.fresh = fresh;
        self.complaint = None;
        self.messages.clear();
        self.shown.clear();
        self.set_rest(None);
    }

    /// The server has forgotten the conversation: what is said next begins another one.
    pub fn lose_conversation(&mut self) {
        self.conversation_id = None;
        self.set_rest(None);
    }

    /// Shows one more message; its id.
    pub fn add(&mut self, message: Message) -> u64 {
        let id = revision::next();
        if self.shown.len() == KEPT {
            self.shown.remove(0);
            self.messages.remove(0);
        }
        self.messages.push(id);
        self.shown.push(Message { id, openid: self.openid.clone(), revision: id, ..message });
        id
    }

    /// Changes a message, if it is still shown.
    pub fn change(&mut self, id: u64, change: impl FnOnce(&mut Message)) {
        if let Some(message) = self.shown.iter_mut().rev().find(|message| message.id == id) {
            change(message);
            message.revision = revision::next();
        }
    }

    /// Takes a message away.
    pub fn remove(&mut self, id: u64) {
        self.shown.retain(|message| message.id != id);
        self.messages.retain(|shown| *shown != id);
    }
}

impl Message {
    /// One of the person's, or of the server's.
    pub fn new(role: &str, text: &str, state: Standing, at_ms: u64) -> Self {
        Self {
            id: 0,
            openid: String::new(),
            role: role.to_owned(),
            text: text.to_owned(),
            at_ms,
            state,
            tokens_used: None,
            first_ms: None,
            source: None,
            revision: 0,
        }
    }
}

/// The Mini Program in everybody's phones.
#[derive(Debug, Default)]
pub struct Panels {
    by_openid: BTreeMap<String, Panel>,
    gone: u64,
}

impl Panels {
    /// That of one phone, to look at; absent if nobody opened it there.
    pub fn get(&self, openid: &str) -> Option<&Panel> {
        self.by_openid.get(openid)
    }

    /// Changes what a phone shows.
    pub fn change<T>(&mut self, openid: &str, change: impl FnOnce(&mut Panel) -> T) -> T {
        let panel = self.by_openid.entry(openid.to_owned()).or_insert_with(|| Panel::of(openid));
        let changed = change(panel);
        panel.revision = revision::next();
        changed
    }

    /// Changes one message only: what else the phone shows stays as it is.
    pub fn change_message(&mut self, openid: &str, id: u64, change: impl FnOnce(&mut Message)) {
        if let Some(panel) = self.by_openid.get_mut(openid) {
            panel.change(id, change);
        }
    }

    /// Forgets what a phone shows.
    pub fn forget(&mut self, openid: &str) {
        if self.by_openid.remove(openid).is_some() {
            self.gone = revision::next();
        }
    }

    /// What changed after `revision`: phones, and messages.
    pub fn since(&self, revision: u64) -> (Vec<&Panel>, Vec<&Message>) {
        let panels = self.by_openid.values().filter(|panel| panel.revision > revision).collect();
        let messages = self.by_openid.values().flat_map(|panel| &panel.shown);
        (panels, messages.filter(|message| message.revision > revision).collect())
    }

    /// The number of the last change.
    pub fn revision(&self) -> u64 {
        let of = |panel: &Panel| panel.shown.iter().map(|message| message.revision).max().unwrap_or_default();
        self.by_openid
            .values()
            .map(|panel| panel.revision.max(of(panel)))
            .max()
            .unwrap_or_default()
            .max(self.gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_and_sessions_never() {
        let mut panels = Panels::default();
        let id = panels.change("o1", |panel| {
            panel.set_session(Some("a secret".to_owned()));
            panel.add(Message::new("assistant", "", Standing::Waiting, 1))
        });
        let before = panels.revision();
        panels.change_message("o1", id, |message| message.text += "好");
        let (changed, messages) = panels.since(before);
        assert!(changed.is_empty(), "a piece of an answer changes its message only");
        assert_eq!(messages[0].text, "好");
        assert_eq!(panels.since(panels.revision()), (vec![], vec![]));
        assert!(!serde_json::to_string(panels.get("o1").unwrap()).unwrap().contains("secret"));
    }
}
