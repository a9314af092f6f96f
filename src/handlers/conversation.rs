//! The user's object: the machine of `chat::turn`, kept in storage and driven by deliveries, answers and
//! the alarm.

mod answer;
mod kin;
mod push;
mod visit;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};

pub use kin::Call;

use super::login::chat::{self as login_chat, Chat};
use super::tasks::store_at_last;
use super::{App, metrics, rules};
use crate::chat::count::{Happened, number};
use crate::chat::intent;
use crate::chat::state::Conversation;
use crate::chat::turn::{Outcome, REPLY_WINDOW, Ticket};
use crate::log::Line;
use crate::platform::{Delivery, Millis, Platform, Storage, Unreachable, Verdict};
use crate::wechat::callback::SUCCESS;
use crate::wechat::message::Inbound;

/// While a job runs, the alarm looks after it this often.
const LOOK_AFTER: Millis = 30_000;

/// One user's object in memory.
pub struct UserObject<P: Platform, S: Storage> {
    platform: P,
    storage: S,
    app: Rc<App>,
    state: RefCell<Conversation>,
    /// The user's logins to websites.
    logins: Chat<P, S>,
    /// Messages that concern them, served one after the other; the first is being served.
    visits: RefCell<VecDeque<visit::Visit>>,
    /// Jobs at work in this memory.
    at_work: RefCell<Vec<u32>>,
    /// The deliveries that wait for them.
    waiting: RefCell<Vec<Waiting>>,
    /// The same person in the Mini Program is being told something.
    telling: Cell<bool>,
    /// When the alarm is set to ring, as far as this memory knows.
    alarm: Cell<Option<Millis>>,
}

/// A delivery that waits for the reply.
struct Waiting {
    ticket: Ticket,
    reply: oneshot::Sender<String>,
}

impl<P: Platform, S: Storage> UserObject<P, S> {
    /// The object, with what it stored; `logins` is for a second document. Jobs that an earlier life left unfinished
    /// go on with the next delivery or alarm.
    pub fn new(platform: P, storage: S, logins: S, app: Rc<App>) -> Result<Rc<Self>, Unreachable> {
        let state = load(&platform, &storage)?;
        let logins = Chat::new(platform.clone(), logins, Rc::clone(&app));
        Ok(Rc::new(Self {
            platform,
            storage,
            app,
            state: RefCell::new(state),
            logins,
            visits: RefCell::default(),
            at_work: RefCell::default(),
            waiting: RefCell::default(),
            telling: Cell::default(),
            alarm: Cell::default(),
        }))
    }

    /// A delivery arrived.
    ///
    /// 1. the account's rules are at hand, unless it is a repeat, for which they do not matter
    /// 2. what may concern a login goes to the login's desk first
    /// 3. the machine decides
    /// 4. what it decided is stored, before anything else happens
    /// 5. jobs that are not at work are started
    /// 6. wait for the answer until the reply window closes
    pub async fn receive(self: &Rc<Self>, delivery: &Delivery) -> Result<Verdict, Unreachable> {
        let Ok(inbound) = Inbound::parse(&delivery.document) else {
            // The edge parsed the same document with the same code; only another release could differ.
            self.platform.log(&Line::error("delivery.unreadable", "the document could not be parsed"));
            return Ok(Verdict::Reply(SUCCESS.to_owned()));
        };
        let known = self.state.borrow().knows(&inbound);
        if !known {
            rules::current(&self.platform, &self.app).await;
            self.before(&inbound).await;
        }
        if self.app.config.login.is_on() && !known {
            if let Some(word) = login_chat::word(&self.app.config, &inbound) {
                return self.visit(word, Rc::new(inbound), delivery).await;
            }
            if intent::forgets(&inbound, &self.app.config.rules.texts) {
                self.logins.forget()?;
            }
        }
        let verdict = self.accept(&inbound, delivery).await;
        if !known {
            self.seek(&inbound);
        }
        verdict
    }

    async fn accept(self: &Rc<Self>, inbound: &Inbound, delivery: &Delivery) -> Result<Verdict, Unreachable> {
        let outcome = self.decide(inbound)?;
        self.start_jobs();
        self.pass_on();
        self.settle_delivery(outcome, delivery).await
    }

    /// The machine's decision, stored.
    fn decide(&self, inbound: &Inbound) -> Result<Outcome, Unreachable> {
        let book = rules::at_hand(&self.app);
        let mut ruled = None;
        let outcome =
            self.step(|state, now, app| state.accept(inbound, now, &app.config.rules, &book, &mut ruled))?;
        if let Some(kind) = ruled {
            metrics::count(&self.platform, &self.app, "wxapi_rules_total", &[("kind", kind)]);
        }
        Ok(outcome)
    }

    async fn settle_delivery(&self, outcome: Outcome, delivery: &Delivery) -> Result<Verdict, Unreachable> {
        match outcome {
            Outcome::Reply(reply) => Ok(Verdict::Reply(reply)),
            Outcome::Wait(ticket) => self.wait(ticket, delivery.arrived + REPLY_WINDOW).await,
        }
    }

    /// The alarm rang: what is too old is forgotten, what a dead object left is finished.
    pub fn alarm(self: &Rc<Self>) -> Result<(), Unreachable> {
        self.alarm.set(None);
        // Deletes what is too old, and makes known when the rest will be.
        self.logins.is_empty()?;
        self.step(|state, now, app| state.expire(now, app.config.rules.timeout))?;
        self.start_jobs();
        self.pass_on();
        Ok(())
    }

    /// One step of the machine, stored. A step that cannot be stored did not happen: memory is never ahead of
    /// storage, and WeChat will deliver again.
    fn step<T>(&self, step: impl FnOnce(&mut Conversation, Millis, &App) -> T) -> Result<T, Unreachable> {
        let (mut step, mut result) = (Some(step), None);
        // What is the same for all steps is compiled once.
        self.take_step(&mut |state, now, app| result = step.take().map(|step| step(state, now, app)))?;
        result.ok_or_else(|| Unreachable("a step was not taken".to_owned()))
    }

    fn take_step(&self, step: &mut dyn FnMut(&mut Conversation, Millis, &App)) -> Result<(), Unreachable> {
        let now = self.platform.now();
        let mut next = self.state.borrow().clone();
        step(&mut next, now, &self.app);
        self.store(&next, now)
            .inspect_err(|Unreachable(reason)| self.platform.log(&Line::error("state.not_stored", reason)))?;
        let happened = std::mem::take(&mut next.happened);
        self.state.replace(next);
        for happened in happened {
            self.count(happened);
        }
        Ok(())
    }

    fn count(&self, happened: Happened) {
        let (name, labels): (_, &[(&str, &str)]) = match happened {
            Happened::Message(kind, fate) => ("wxapi_messages_total", &[("type", kind), ("outcome", fate)]),
            Happened::Delivery(number, result) => {
                ("wxapi_deliveries_total", &[("number", number), ("result", result)])
            }
            Happened::Answer(rung) => ("wxapi_answers_total", &[("rung", rung)]),
        };
        metrics::count(&self.platform, &self.app, name, labels);
    }

    /// Counts a question by where its answer came from.
    fn count_question(&self, outcome: &str) {
        metrics::count(&self.platform, &self.app, "wxapi_questions_total", &[("outcome", outcome)]);
    }

    fn store(&self, state: &Conversation, now: Millis) -> Result<(), Unreachable> {
        if state.is_forgettable() {
            self.alarm.set(None);
            if self.logins.is_empty()? {
                return self.storage.clear();
            }
            self.storage.delete()?;
            return self.set_alarm(state, now);
        }
        self.storage.save(&state.to_json())?;
        self.set_alarm(state, now)
    }

    /// Rings in time for whatever is due next. An alarm that is set for an earlier time stays: it costs less
    /// to ring once in vain than to be set anew with every message.
    fn set_alarm(&self, state: &Conversation, now: Millis) -> Result<(), Unreachable> {
        let watch = state.unfinished().next().map(|_| now + LOOK_AFTER);
        let watch = watch.or_else(|| state.kin.again(now, LOOK_AFTER));
        let expiry = state.next_expiry(self.app.config.rules.timeout);
        if let Some(due) = watch.into_iter().chain(expiry).chain(self.logins.ends()).min()
            && self.alarm.get().is_none_or(|set| due < set)
        {
            self.storage.set_alarm(due)?;
            self.alarm.set(Some(due));
        }
        Ok(())
    }

    /// Waits until the ticket's job is answered or its window closes.
    async fn wait(&self, ticket: Ticket, window_end: Millis) -> Result<Verdict, Unreachable> {
        let (sender, reply) = oneshot::channel();
        let waiting = Waiting { ticket: ticket.clone(), reply: sender };
        self.waiting.borrow_mut().push(waiting);
        let left = window_end.saturating_sub(self.platform.now());
        match select(reply, pin!(self.platform.sleep(left))).await {
            Either::Left((Ok(reply), _)) => Ok(Verdict::Reply(reply)),
            _ if self.state.borrow().runs_out(&ticket) => {
                self.count(Happened::Delivery(number(ticket.delivery), "run_out"));
                Ok(Verdict::RunOut)
            }
            _ => {
                let reply =
                    self.step(|state, now, app| state.window_closed(&ticket, now, &app.config.rules))?;
                Ok(reply.map_or(Verdict::RunOut, Verdict::Reply))
            }
        }
    }

    /// Starts every unfinished job that is not at work: new ones, and those of an object that died.
    fn start_jobs(self: &Rc<Self>) {
        let idle: Vec<u32> = {
            let at_work = self.at_work.borrow();
            self.state.borrow().unfinished().map(|job| job.id).filter(|id| !at_work.contains(id)).collect()
        };
        for job in idle {
            self.at_work.borrow_mut().push(job);
            let object = Rc::clone(self);
            self.platform.spawn(async move { object.work(job).await });
        }
    }

    /// A job from its question to its delivery.
    ///
    /// 1. ask, unless an earlier life got the answer already
    /// 2. store the answer and the replies to the deliveries that wait for it, then hand these out
    /// 3. push it, if this account answers by customer-service message
    /// 4. condense the history, if it grew too long
    async fn work(self: Rc<Self>, job: u32) {
        // What cannot be stored is logged; the alarm, or the next message, starts the job again.
        if self.finish(job).await.is_ok() {
            self.pass_on();
            self.condense().await;
        }
        self.at_work.borrow_mut().retain(|other| *other != job);
        drop(self.waiting_for(job));
    }

    async fn finish(self: &Rc<Self>, job: u32) -> Result<(), Unreachable> {
        if let Some(question) = self.question(job) {
            self.show_typing(job);
            let (text, turn) = self.answer(question).await;
            store_at_last(&self.platform, &|| self.settle(job, &text, turn.as_deref())).await?;
        }
        self.push(job).await
    }

    /// Takes the deliveries that wait for a job.
    fn waiting_for(&self, job: u32) -> Vec<Waiting> {
        let mut all = self.waiting.borrow_mut();
        let (those, others) = all.drain(..).partition(|waiting| waiting.ticket.job == job);
        *all = others;
        those
    }

    /// Stores a job's answer together with the replies to the deliveries that still wait for it.
    fn settle(&self, job: u32, text: &str, turn: Option<&str>) -> Result<(), Unreachable> {
        let waiting = self.waiting_for(job);
        let replies: Vec<_> = self.step(|state, now, app| {
            let rules = &app.config.rules;
            state.answered(job, text, turn, now, rules);
            let listening = waiting.into_iter().filter(|waiting| !waiting.reply.is_canceled());
            listening.filter_map(|w| Some((w.reply, state.take(&w.ticket, now, rules)?))).collect()
        })?;
        for (delivery, reply) in replies {
            // Its window may close at this very moment; then it finds the same reply in the state.
            let _ = delivery.send(reply);
        }
        Ok(())
    }
}

/// What an object stored. What another release left in a form that this one cannot read is set aside, not
/// overwritten.
fn load<P: Platform, S: Storage>(platform: &P, storage: &S) -> Result<Conversation, Unreachable> {
    let Some(json) = storage.load()? else { return Ok(Conversation::default()) };
    if let Some(conversation) = Conversation::from_json(&json) {
        return Ok(conversation);
    }
    platform.log(&Line::error("state.unreadable", "the stored conversation was set aside"));
    storage.set_aside(&json)?;
    Ok(Conversation::default())
}
