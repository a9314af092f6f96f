//! What somebody writes to the customer service of the Mini Program.

use std::rc::Rc;

use super::MiniUserObject;
use crate::chat::command::Command;
use crate::chat::count::kind;
use crate::chat::intent::{self, Intent};
use crate::chat::state::Question;
use crate::chat::text::{Status, Texts};
use crate::chat::thread::{Exchange, Pushed, Source, Thread};
use crate::chat::turn::{AT_ONCE, MINUTE};
use crate::handlers::metrics;
use crate::handlers::mini::call::Said;
use crate::handlers::mini::user::{Entry, User};
use crate::handlers::mini::window::addressee;
use crate::log::Line;
use crate::platform::{Millis, Platform, Storage, Tables, Unreachable};
use crate::wechat::event::Event;
use crate::wechat::message::{Inbound, Message};

impl<P: Platform, S: Storage + Tables> MiniUserObject<P, S> {
    /// A message, or an event.
    ///
    /// 1. a repeat does nothing
    /// 2. what follows from it is stored, before it is acknowledged
    /// 3. work on a question begins, and what is to be said goes out
    pub(super) fn heed(self: &Rc<Self>, document: &str) -> Result<Said, Unreachable> {
        let parsed = Inbound::parse(document).ok();
        let Some((inbound, who)) = parsed.as_ref().and_then(|inbound| Some((inbound, addressee(inbound)?)))
        else {
            // The edge parsed the same document with the same code; only another release could differ.
            self.platform.log(&Line::error("delivery.unreadable", "the document could not be parsed"));
            return Ok(Said::done());
        };
        let now = self.platform.now();
        let mut user = self.snapshot();
        let window = user.window.get_or_insert_default();
        if !window.hear(&inbound.key(), now) {
            return Ok(Said::done());
        }
        let intent = intent::of(inbound, &self.app.config.rules.texts);
        let fate = if intent == Intent::Forget {
            self.forget(user, None)?;
            "forgotten"
        } else if matches!(inbound.message, Message::Event(Event::UserEnterTempSession { .. })) {
            let is_new = window.meet(who, now);
            self.greet(user, is_new, now)?
        } else {
            window.meet(who, now);
            user.push.open(now);
            self.carry_out(intent, &inbound.key(), user, now)?
        };
        let labels = [("type", kind(&inbound.message)), ("outcome", fate)];
        metrics::count(&self.platform, &self.app, "wxapi_messages_total", &labels);
        self.start_jobs()?;
        Ok(Said::done())
    }

    /// What is said there: without one-tap links, which belong to Official Accounts.
    pub(super) fn typed_texts(&self) -> Texts {
        Texts { typed: true, ..self.app.config.rules.texts.clone() }
    }

    /// They came in. Whoever was here within a day is not greeted.
    fn greet(&self, mut user: User, is_new: bool, now: Millis) -> Result<&'static str, Unreachable> {
        if !is_new {
            return self.keep(user, None).map(|()| "acknowledged");
        }
        user.push.enter(now);
        self.tell(user, self.typed_texts().greeting()).map(|()| "told")
    }

    /// Stores that they are to be told something.
    fn tell(&self, mut user: User, note: String) -> Result<(), Unreachable> {
        user.window.get_or_insert_default().say(note);
        self.keep(user, None)
    }

    /// What follows from a message. Says so for the counters.
    fn carry_out(
        &self,
        intent: Intent,
        key: &str,
        user: User,
        now: Millis,
    ) -> Result<&'static str, Unreachable> {
        match intent {
            Intent::Ask(question) => self.put(question, key, user, now),
            Intent::Command(Command::Summary) if self.spoken_in(&user, now)?.is_some() => {
                self.put(Question::Summary, key, user, now)
            }
            Intent::Command(command) => self.command(command, user, now).map(|()| "command"),
            _ => self.tell(user, self.typed_texts().cannot_open()).map(|()| "told"),
        }
    }

    /// The conversation that they are having, in whatever window.
    fn spoken_in(&self, user: &User, now: Millis) -> Result<Option<Thread>, Unreachable> {
        let current = user.current(now, self.app.config.rules.timeout);
        current.map_or(Ok(None), |current| self.thread(&current.thread))
    }

    /// A question: stored in the conversation that they are having, or in a new one.
    fn put(
        &self,
        question: Question,
        key: &str,
        mut user: User,
        now: Millis,
    ) -> Result<&'static str, Unreachable> {
        let rules = &self.app.config.rules;
        let refusal = match user.may_ask(rules.rate_limit, now) {
            Err(seconds) => self.typed_texts().slow_down(seconds),
            Ok(()) if self.running.borrow().len() >= AT_ONCE => self.typed_texts().too_many_at_once(),
            Ok(()) => {
                let mut thread = self.spoken_in(&user, now)?.unwrap_or_else(|| self.new_thread(now));
                thread.ask(question, key, Source::Window, now, &rules.texts);
                user.speak_in(&thread.id, true, now);
                return self.keep(user, Some(&thread)).map(|()| "question");
            }
        };
        self.tell(user, refusal).map(|()| "refused")
    }

    fn command(&self, command: Command, mut user: User, now: Millis) -> Result<(), Unreachable> {
        let texts = self.typed_texts();
        let note = match command {
            Command::Help => texts.help(),
            Command::New => {
                user.current = None;
                texts.new_conversation()
            }
            Command::Summary => texts.nothing_to_summarise(),
            Command::Forget => return self.forget(user, Some(texts.forgotten())).map(drop),
            Command::Status => texts.status(&self.status(&user, now)?),
            Command::Retrieve => match self.released(&user)? {
                Some(thread) => return self.keep(user, Some(&thread)),
                None => self.nothing_waits(&user, now, &texts)?,
            },
        };
        self.tell(user, note)
    }

    /// The conversation in which something was said last and of whose answers some waits, with that let go. What is on its
    /// way waits for nobody.
    fn released(&self, user: &User) -> Result<Option<Thread>, Unreachable> {
        for entry in user.threads.iter().rev().filter(|entry| entry.waits) {
            let Some(mut thread) = self.thread(&entry.id)? else { continue };
            let posted = self.posted.borrow();
            let on_its_way = |n| posted.as_ref().is_some_and(|posted| posted.is_of(&entry.id, n));
            let mut found = false;
            for exchange in &mut thread.said {
                if exchange.waits() && !on_its_way(exchange.n) {
                    found = true;
                    exchange.push = exchange.push.map(|pushed| Pushed { waits: false, tries: 0, ..pushed });
                }
            }
            if found {
                return Ok(Some(thread));
            }
        }
        Ok(None)
    }

    /// How long it has been taking, if something is on its way, or that there is nothing.
    fn nothing_waits(&self, user: &User, now: Millis, texts: &Texts) -> Result<String, Unreachable> {
        let mut asked: Option<Millis> = None;
        for Entry { id, .. } in user.threads.iter().filter(|entry| entry.unfinished || entry.waits) {
            let Some(thread) = self.thread(id)? else { continue };
            let coming = |exchange: &&Exchange| {
                exchange.push.is_some() && (exchange.is_unfinished() || exchange.waits())
            };
            asked = thread.said.iter().filter(coming).map(|exchange| exchange.asked).chain(asked).min();
        }
        Ok(asked.map_or_else(
            || texts.nothing_pending(),
            |asked| texts.still_working(now.saturating_sub(asked) / 1_000),
        ))
    }

    fn status(&self, user: &User, now: Millis) -> Result<Status, Unreachable> {
        let rules = &self.app.config.rules;
        let turns = self.spoken_in(user, now)?;
        let mut unread = 0;
        for Entry { id, .. } in user.threads.iter().filter(|entry| entry.waits) {
            unread +=
                self.thread(id)?.map_or(0, |thread| thread.said.iter().filter(|said| said.waits()).count());
        }
        let asked = user.asked.iter().filter(|at| now < **at + MINUTE).count();
        Ok(Status {
            running: self.running.borrow().len(),
            unread,
            turns: turns.map_or(0, |thread| thread.context(u32::MAX, &rules.texts).turns.len()),
            timeout_minutes: rules.timeout.div_ceil(MINUTE),
            left: rules.rate_limit.saturating_sub(asked),
        })
    }
}
