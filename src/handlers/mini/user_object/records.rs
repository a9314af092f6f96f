//! What was said, for those who said it: to be read again, taken along, deleted.

use serde_json::Value;

use super::asking::OVER;
use super::{MiniUserObject, Opener};
use crate::chat::text::Texts;
use crate::chat::thread::{Exchange, Source, Thread};
use crate::handlers::mini::call::Said;
use crate::handlers::mini::user::{Entry, User};
use crate::json::{Put, json};
use crate::platform::{Platform, Storage, Tables, Unreachable};

impl<P: Platform, S: Storage + Tables> MiniUserObject<P, S> {
    /// The conversations, the one in which was spoken last first.
    pub(super) fn list(&self, after: Option<&str>, limit: usize) -> Said {
        let user = self.user.borrow();
        let mut rest: Vec<&Entry> = user.threads.iter().rev().collect();
        if let Some(after) = after {
            match rest.iter().position(|entry| entry.id == after) {
                Some(at) => drop(rest.drain(..=at)),
                // It was deleted meanwhile; whoever lists begins anew.
                None => return Said::not_found(),
            }
        }
        let next = rest.get(limit).and_then(|_| rest.get(limit.checked_sub(1)?)).map(|entry| &entry.id);
        let next = json!(next);
        rest.truncate(limit);
        let all: Vec<Value> = rest.into_iter().map(line).collect();
        Said::ok(json!({ "conversations": all, "next": next }))
    }

    /// One conversation with what was said.
    pub(super) fn show(&self, thread: &str) -> Result<Said, Unreachable> {
        let thread = self.thread(thread)?;
        let texts = &self.app.config.rules.texts;
        Ok(thread.map_or_else(Said::not_found, |thread| Said::ok(whole(&thread, texts))))
    }

    /// Deletes a conversation, or all. An answer that is on its way is not waited for.
    pub(super) fn delete(&self, thread: Option<&str>) -> Result<Said, Unreachable> {
        let mut user = self.snapshot();
        let meant = |entry: &Entry| thread.is_none_or(|thread| entry.id == thread);
        let gone: Vec<String> =
            user.threads.iter().filter(|entry| meant(entry)).map(|entry| entry.id.clone()).collect();
        if gone.is_empty() && thread.is_some() {
            return Ok(Said::not_found());
        }
        user.threads.retain(|entry| !meant(entry));
        user.current = user.current.filter(|current| !gone.contains(&current.thread));
        for thread in &gone {
            self.delete_thread(thread)?;
        }
        self.keep(user, None)?;
        for running in self.running.borrow_mut().iter_mut().filter(|running| gone.contains(&running.thread)) {
            running.fail();
        }
        Ok(Said::ok(json!({ "deleted": gone.len() as u64 })))
    }

    /// Everything that is stored of them, one conversation after the other: all at once would be too much for the memory.
    /// WeChat's `session_key` is not theirs.
    pub(super) fn export(&self, open: Opener<'_>) -> Result<(), Unreachable> {
        let user = self.snapshot();
        let holder = user.holder.as_ref();
        let sessions = holder.into_iter().flat_map(|holder| &holder.sessions);
        let sessions: Vec<Value> = sessions
            .map(|session| json!({ "created_at": session.created, "last_seen_at": session.seen }))
            .collect();
        let head = crate::json::text(&json!({
            "openid": holder.map(|holder| holder.openid.as_str()),
            "unionid": holder.and_then(|holder| holder.unionid.as_ref()).map(|unionid| unionid.as_str()),
            "official_account_openid": user.account.as_ref().map(|account| account.as_str()),
            "created_at": holder.map(|holder| holder.created),
            "last_seen_at": holder.map(|holder| holder.seen),
            "sessions": sessions,
        }));
        let outlet = open();
        outlet.send(&[head.strip_suffix('}').unwrap_or_default(), ",\"conversations\":["].concat());
        let mut comma = "";
        for entry in user.threads.iter().rev() {
            if let Some(thread) = self.thread(&entry.id)? {
                let thread = crate::json::text(&whole(&thread, &self.app.config.rules.texts));
                outlet.send(&[comma, &thread].concat());
                comma = ",";
            }
        }
        outlet.send("]}");
        outlet.close(OVER);
        Ok(())
    }

    /// Deletes everything, sessions included; at the Official Account too, if they are known there.
    pub(super) fn forget(&self, user: User, note: Option<String>) -> Result<Said, Unreachable> {
        let gone = self.snapshot();
        self.erase(user, note)?;
        self.part(&gone, true);
        Ok(Said::done())
    }

    /// Deletes everything that is here. What stays for a while holds no word of theirs: which messages of the customer
    /// service's chat were heard, so that a repeat does nothing, and what they are told there.
    pub(super) fn erase(&self, user: User, note: Option<String>) -> Result<(), Unreachable> {
        let User { asked, push, mut window, .. } = user;
        if let Some(window) = &mut window {
            window.forget(note);
        }
        self.run("DELETE FROM thread", &[])?;
        self.keep(User { asked, push, window, ..User::default() }, None)?;
        for running in self.running.borrow_mut().iter_mut() {
            running.fail();
        }
        if let Some(posted) = self.posted.borrow_mut().as_mut() {
            posted.forget();
        }
        Ok(())
    }
}

/// A conversation, in the list of them.
fn line(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "title": entry.title,
        "created_at": entry.created,
        "updated_at": entry.active,
        "status": entry.status.name(),
    })
}

/// A conversation with what was said.
fn whole(thread: &Thread, texts: &Texts) -> Value {
    let mut messages = Vec::new();
    for exchange in &thread.said {
        let source = match exchange.source {
            Source::App => None,
            Source::Window => Some("customer_service"),
            Source::Account => Some("official_account"),
        };
        let mut asked = message("user", &exchange.shown(texts), exchange.asked, source);
        // WeChat's own names of messages are nobody's business.
        let key = (exchange.source == Source::App && !exchange.key.is_empty()).then_some(&exchange.key);
        if let (Some(key), Some(asked)) = (key, asked.as_object_mut()) {
            asked.put("message_id", json!(key));
        }
        messages.push(asked);
        messages.extend(answer(exchange, source));
    }
    json!({
        "id": thread.id,
        "title": thread.title,
        "created_at": thread.created,
        "updated_at": thread.active,
        "status": thread.status().name(),
        "messages": messages,
    })
}

fn answer(exchange: &Exchange, source: Option<&str>) -> Option<Value> {
    // Whoever only tells something, such as a place, gets no answer.
    let answer = exchange.answer.as_ref().filter(|answer| !answer.failed && !answer.text.is_empty())?;
    let mut said = message("assistant", &answer.text, answer.at, source);
    said.as_object_mut()?.put("tokens_used", json!(answer.tokens));
    Some(said)
}

fn message(role: &str, content: &str, at: u64, source: Option<&str>) -> Value {
    let mut message = json!({ "role": role, "content": content, "created_at": at });
    if let (Some(source), Some(message)) = (source, message.as_object_mut()) {
        message.put("source", json!(source));
    }
    message
}
