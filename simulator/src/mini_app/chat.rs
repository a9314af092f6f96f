//! A message to the server, and its answer: whole, in pieces, later, or after it broke off.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::carry::{Phone, get, words};
use super::deed::Say;
use super::events::{Event, Folded, Reader};
use super::panel::{Message, Panel, Standing, Unfinished};
use super::report::Outcome;
use super::wire::{Answer, Ask, Whole};
use crate::control::Refused;
use crate::{ids, journal, query};

/// Between two questions whether a pending answer is there.
const PAUSE: Duration = Duration::from_secs(1);
/// Seconds for which the phone asks.
const PATIENCE_S: u64 = 120;
/// When a phone leaves that waits for an answer in one piece.
const LEAVES: Duration = Duration::from_millis(500);

/// How long the phone stays.
#[derive(Debug, Clone, Copy)]
struct Stay {
    leave_after: Option<u32>,
    patience: Duration,
}

impl Phone<'_> {
    /// 1. Shows the message. 2. Sends it. 3. Takes the answer as it comes.
    pub async fn say(&mut self, say: Say) -> Result<(), Refused> {
        let asked = self.conversation(&say);
        let at_ms = self.sim.clock.wall_ms();
        let message_id = say.message_id.unwrap_or_else(ids::base62::<16>);
        let (said, shown) = self
            .panel(|panel| {
                let said = panel.add(Message::new("user", &say.text, Standing::Done, at_ms));
                panel.complaint = None;
                panel.set_rest(None);
                (said, panel.add(Message::new("assistant", "", Standing::Waiting, at_ms)))
            })
            .unwrap_or_default();
        let rest = Unfinished { message_id, text: say.text, asked, shown, ..Unfinished::default() };
        let stay = Stay {
            leave_after: say.leave_after,
            patience: Duration::from_secs(say.patience_s.unwrap_or(PATIENCE_S)),
        };
        let ask = question(&rest, say.stream.unwrap_or(true));
        self.follow(&ask, rest, stay).await?;
        if matches!(self.report.outcome, Outcome::Refused | Outcome::Unreachable)
            && self.report.reply.is_none()
        {
            self.message(said, |message| message.state = Standing::Failed);
            self.panel(|panel| panel.remove(shown));
        }
        Ok(())
    }

    /// The conversation as the request names it; the phone shows another one if the order says so.
    fn conversation(&self, say: &Say) -> Value {
        let wanted = say.conversation.as_deref();
        let named = self.panel(|panel| {
            let other = wanted
                .is_some_and(|wanted| wanted == "new" || panel.conversation_id.as_deref() != Some(wanted));
            if other {
                let id = wanted.filter(|wanted| *wanted != "new").map(str::to_owned);
                panel.show(id, wanted == Some("new"));
            }
            match &panel.conversation_id {
                Some(id) => json!(id),
                None if panel.fresh => json!("new"),
                None => Value::Null,
            }
        });
        named.unwrap_or_default()
    }

    /// Goes on with an answer that did not come whole: after the last event that came, or by asking for it.
    pub async fn resume(&mut self) -> Result<(), Refused> {
        let rest = self.panel(|panel| {
            panel.complaint = None;
            panel.rest().cloned()
        });
        let rest = rest.flatten().ok_or_else(|| Refused::bad("no answer is unfinished"))?;
        let stay = Stay { leave_after: None, patience: Duration::from_secs(PATIENCE_S) };
        let ask = match (&rest.conversation_id, &rest.last_event_id) {
            // The server never said a word: the same message again gets the same answer.
            (None, _) => question(&rest, true),
            (Some(id), None) => get(answer_path(id), "answer"),
            (Some(id), Some(last)) => {
                let last_event_id = Some(last.clone());
                Ask { stream: true, last_event_id, ..get(answer_path(id), "resume") }
            }
        };
        self.report.conversation_id.clone_from(&rest.conversation_id);
        self.follow(&ask, rest, stay).await
    }

    async fn follow(&mut self, ask: &Ask, rest: Unfinished, stay: Stay) -> Result<(), Refused> {
        let begun = Instant::now();
        let limit = if ask.stream { None } else { stay.leave_after.map(|_| LEAVES) };
        let sent = match limit {
            None => Ok(self.send(ask).await?),
            Some(limit) => match tokio::time::timeout(limit, self.send(ask)).await {
                Ok(sent) => Ok(sent?),
                Err(elapsed) => Err(elapsed),
            },
        };
        let answer = match sent {
            Err(_) => {
                self.break_off(rest, Outcome::Left, Standing::Left);
                return Ok(());
            }
            Ok(None) => {
                self.panel(|panel| panel.set_rest(None));
                return Ok(());
            }
            Ok(Some(answer)) => answer,
        };
        if answer.is_stream() && answer.status == 200 {
            self.report.status = Some(200);
            self.read(answer, rest, stay, begun).await;
            return Ok(());
        }
        let whole = answer.whole().await;
        match self.whole(whole) {
            Some(whole) if whole.status == 200 => self.finish(&rest, &whole),
            Some(whole) if whole.status == 202 => self.wait(rest, stay).await?,
            Some(Whole { status: 404, .. }) => drop(self.panel(Panel::lose_conversation)),
            // What the server refuses is not to be had by waiting.
            _ => drop(self.panel(|panel| panel.set_rest(None))),
        }
        Ok(())
    }

    /// Reads the events, shows each, and goes away if it is time to.
    async fn read(&mut self, mut answer: Answer<'_>, mut rest: Unfinished, stay: Stay, begun: Instant) {
        let (mut reader, mut folded) = (Reader::default(), Folded::default());
        let leaves = |pieces: u32| stay.leave_after.is_some_and(|after| pieces >= after);
        let failure = 'stream: loop {
            if leaves(self.report.pieces) {
                answer.leave(&folded.finish());
                self.break_off(rest, Outcome::Left, Standing::Left);
                return;
            }
            let bytes = match answer.next().await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break None,
                Err(failure) => break Some(failure),
            };
            for event in reader.read(&bytes) {
                folded.add(&event);
                if self.event(&event, &mut rest, begun) {
                    answer.end(None, &folded.finish());
                    return;
                }
                if leaves(self.report.pieces) {
                    continue 'stream;
                }
            }
        };
        answer.end(failure.as_ref(), &folded.finish());
        let why = failure.as_ref().map_or("the stream ended before the answer did".to_owned(), words);
        self.report.error = Some(why);
        self.break_off(rest, Outcome::Broken, Standing::Broken);
    }

    /// Takes one event; whether it is the last one.
    fn event(&mut self, event: &Event, rest: &mut Unfinished, begun: Instant) -> bool {
        if !event.id.is_empty() {
            rest.last_event_id = Some(event.id.clone());
        }
        let id = event.text("conversation_id");
        if !id.is_empty() && rest.conversation_id.as_deref() != Some(id) {
            rest.conversation_id = Some(id.to_owned());
            self.is_in(id);
        }
        match event.kind() {
            "delta" => {
                let first_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.report.pieces += 1;
                let first_ms = *self.report.first_ms.get_or_insert(first_ms);
                self.show(rest.shown, |text| text.push_str(event.text("delta")), first_ms);
            }
            "replace" => self.show(rest.shown, |text| event.text("text").clone_into(text), 0),
            "done" => {
                let whole = Whole { status: 200, json: event.data.clone(), retry_after_s: None };
                self.report.answer = event.data.clone();
                self.finish(rest, &whole);
                return true;
            }
            "error" => {
                self.fail(Outcome::Refused, event.text("error"));
                self.report.answer = event.data.clone();
                self.message(rest.shown, |message| message.state = Standing::Failed);
                self.panel(|panel| panel.set_rest(None));
                return true;
            }
            _ => {}
        }
        false
    }

    fn show(&mut self, shown: u64, change: impl FnOnce(&mut String), first_ms: u64) {
        let mut came = self.report.reply.take().unwrap_or_default();
        self.message(shown, |message| {
            change(&mut message.text);
            message.state = Standing::Streaming;
            if message.first_ms.is_none() && first_ms > 0 {
                message.first_ms = Some(first_ms);
            }
            came.clone_from(&message.text);
        });
        self.report.reply = Some(came);
    }

    fn is_in(&mut self, id: &str) {
        self.report.conversation_id = Some(id.to_owned());
        self.panel(|panel| {
            panel.conversation_id = Some(id.to_owned());
            panel.fresh = false;
        });
    }

    /// The answer is whole.
    fn finish(&mut self, rest: &Unfinished, whole: &Whole) {
        let reply = whole.json.get("reply").and_then(Value::as_str).unwrap_or_default().to_owned();
        let tokens_used = whole.json.get("tokens_used").and_then(Value::as_u64);
        if let Some(id) = self.report.conversation_id.clone() {
            self.is_in(&id);
        }
        self.report.outcome = Outcome::Done;
        self.report.tokens_used = tokens_used;
        self.report.reply = Some(reply.clone());
        self.message(rest.shown, |message| {
            message.text = reply;
            message.state = Standing::Done;
            message.tokens_used = tokens_used;
        });
        self.panel(|panel| panel.set_rest(None));
    }

    /// The answer did not come whole.
    fn break_off(&mut self, rest: Unfinished, outcome: Outcome, standing: Standing) {
        self.report.outcome = outcome;
        self.message(rest.shown, |message| message.state = standing);
        self.panel(|panel| panel.set_rest(Some(rest)));
    }

    /// Asks again and again for an answer that the server still writes.
    async fn wait(&mut self, mut rest: Unfinished, stay: Stay) -> Result<(), Refused> {
        let begun = Instant::now();
        let Some(id) = self.report.conversation_id.clone() else {
            self.fail(Outcome::Refused, "status 202 without a conversation_id");
            return Ok(());
        };
        rest.conversation_id = Some(id.clone());
        self.is_in(&id);
        self.message(rest.shown, |message| message.state = Standing::Pending);
        while begun.elapsed() < stay.patience {
            tokio::time::sleep(PAUSE).await;
            match self.ask(&get(answer_path(&id), "answer")).await? {
                Some(whole) if whole.status == 200 => {
                    self.finish(&rest, &whole);
                    return Ok(());
                }
                Some(_) => {}
                None => {
                    self.message(rest.shown, |message| message.state = Standing::Failed);
                    self.panel(|panel| panel.set_rest(None));
                    return Ok(());
                }
            }
        }
        self.break_off(rest, Outcome::Pending, Standing::Pending);
        Ok(())
    }
}

fn question(rest: &Unfinished, stream: bool) -> Ask {
    let Unfinished { text, asked, message_id, .. } = rest;
    Ask {
        method: "POST",
        path: "/api/chat".to_owned(),
        body: Some(json!({ "message": text, "conversation_id": asked, "message_id": message_id })),
        stream,
        what: journal::in_short(text),
        ..Ask::default()
    }
}

fn answer_path(id: &str) -> String {
    format!("/api/chat/{}", query::encode(id))
}
