//! `POST /admin/rules/test`: what would be answered.

use serde_json::Value;

use super::{Outcome, answer, refuse};
use crate::chat::command::Command;
use crate::chat::rule::read::{self, Faults};
use crate::chat::rule::{Book, EVENTS, MESSAGES, Subject};
use crate::handlers::rules::Stored;
use crate::json::json;
use crate::platform::Millis;

/// Says which rule would answer a message, and what. Nobody is sent anything.
///
/// 1. the message: `{text}`, `{type, text?, media_id?}` or `{event, key?}`; `at` is another time than now
/// 2. the rules: those that are stored, or the one in `rule`, which need not be
/// 3. commands come before rules, the model after them
pub struct Trial<'a> {
    /// What is asked.
    pub body: Value,
    /// What is stored.
    pub stored: &'a Stored,
    /// The time, milliseconds.
    pub now: Millis,
    /// The account's word for fetching answers.
    pub retrieve: &'a str,
}

impl Trial<'_> {
    /// Who would answer, and what.
    pub fn verdict(self) -> Outcome {
        let body = &self.body;
        let mut faults = Faults::new();
        let subject = subject(body, &mut faults);
        let at = body.get("at").map_or(Some(self.now), Value::as_u64);
        if at.is_none() {
            read::fault(&mut faults, &["/at"], "it must be a time in milliseconds");
        }
        let draft = body.get("rule").map(|document| {
            let mut of_rule = Faults::new();
            let rule = read::rule("", document, &mut of_rule);
            faults
                .extend(of_rule.into_iter().map(|(pointer, detail)| (["/rule", &pointer].concat(), detail)));
            Book { rules: vec![rule], welcome: None }
        });
        refuse(faults)?;
        let book = draft.unwrap_or_else(|| self.stored.book());
        let typed = matches!(subject.kind, "text" | "voice" | "click");
        let command = typed && Command::parse(subject.text, self.retrieve).is_some();
        let ruling = book.decide(&subject, at.unwrap_or_default(), false).filter(|_| !command);
        let rule = ruling.as_ref().and_then(|ruling| ruling.rule);
        let answers = match &ruling {
            _ if command => "command",
            Some(ruling) if ruling.kind == "ai" => "model",
            Some(ruling) if ruling.rule.is_none() => "welcome",
            Some(_) => "rule",
            None if matches!(subject.kind, "text" | "voice" | "image" | "link") => "model",
            None if !subject.is_event() || subject.kind == "subscribe" => "default",
            None => "nothing",
        };
        Ok(answer(
            200,
            &json!({
                "answers": answers,
                "rule": rule.map(|rule| json!({ "id": rule.id, "name": rule.name })),
                "reply": ruling.as_ref().map(|ruling| &ruling.reply),
            }),
        ))
    }
}

fn subject<'a>(body: &'a Value, faults: &mut Faults) -> Subject<'a> {
    read::members(body, &["text", "type", "media_id", "event", "key", "at", "rule"], "", faults);
    let mut member = |name| read::optional(body, name, 2048, "", faults).unwrap_or_default();
    let (text, media_id, key) = (member("text").trim(), member("media_id"), member("key"));
    let (kind, event) = (member("type"), member("event"));
    let (name, wanted, known) = match (kind, event) {
        ("", "") => ("/text", "text", MESSAGES),
        (kind, "") => ("/type", kind, MESSAGES),
        (_, event) => ("/event", event, EVENTS),
    };
    if !known.contains(&wanted) {
        read::fault(faults, &[name], format!("it must be one of: {}", known.join(", ")));
    }
    if wanted == "text" && text.is_empty() {
        read::fault(faults, &["/text"], "it is missing, or blank; or give a type or an event");
    }
    if event.is_empty() {
        Subject { kind: wanted, text, media_id }
    } else {
        Subject { kind: wanted, text: key, media_id: "" }
    }
}
