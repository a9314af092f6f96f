//! The delayed-reply machine: what one user's object does with a delivery, a finished answer, a window that
//! closes. Pure: every method is a step from one [`Conversation`] to the next, and time is an argument.
//!
//! WeChat waits 5 s for a reply and delivers a message up to three times. The ladder that follows from it:
//!
//! | delivery | answer in time | not in time |
//! |---|---|---|
//! | 1, 2 | the answer, or its first page | no reply, so that WeChat delivers again |
//! | 3 | the answer, or its first page | a one-tap link that fetches the answer later |
//!
//! Whatever was replied to a message once is replied to it again, byte for byte.

use super::command::Command;
use super::count::{Happened, kind, number};
use super::history::{History, Turn};
use super::intent::{self, Intent};
use super::live::bounded;
use super::rule::Book;
use super::state::{ANSWER_COUNT, Answer, Conversation, Job, Question};
use super::text::{Status, Texts};
use crate::wechat::callback::SUCCESS;
use crate::wechat::message::Inbound;
use crate::wechat::reply::Reply;
use crate::wechat::{OpenId, OriginalId};

/// The time (milliseconds) from a delivery's arrival within which it is replied to. WeChat hangs up at 5 s;
/// the rest is for the way back.
/// <https://developers.weixin.qq.com/doc/service/guide/product/message/Passive_user_reply_message.html>
pub const REPLY_WINDOW: u64 = 4_500;
/// WeChat delivers a message this many times in total.
/// <https://developers.weixin.qq.com/doc/service/guide/dev/push/>
pub const DELIVERIES: u8 = 3;
/// Questions that one user may have in work at once.
pub const AT_ONCE: usize = 3;
/// So many lives of an object may work on a job; then it gets the graceful answer. Several, because a life may
/// end through no fault of the job: a deployment, or somebody else's trap.
pub const STARTS: u8 = 5;
/// The window of the rate limit, milliseconds.
pub const MINUTE: u64 = 60_000;

/// What the account's configuration says about conversations.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Texts in the account's language.
    pub texts: Texts,
    /// Silence after which a conversation is forgotten, milliseconds (`SESSION_TIMEOUT`).
    pub timeout: u64,
    /// Questions per minute (`RATE_LIMIT`).
    pub rate_limit: usize,
    /// Answers go out by customer-service message (`DELIVERY=push`).
    pub push: bool,
}

/// What to do with a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Reply with this at once: a plain reply document, or `success`.
    Reply(String),
    /// A job is at work for this message: wait for it until the window closes.
    Wait(Ticket),
}

/// One delivery that waits for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The job.
    pub job: u32,
    /// Which delivery of the message this is, from 1.
    pub delivery: u8,
    address: Address,
}

/// Where a reply goes, and to which message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    key: String,
    user: OpenId,
    account: OriginalId,
}

impl Address {
    fn of(inbound: &Inbound) -> Self {
        Self { key: inbound.key(), user: inbound.from.clone(), account: inbound.to.clone() }
    }
}

impl Conversation {
    /// A delivery arrived.
    ///
    /// 1. a message that was replied to gets the same reply
    /// 2. a message that is being answered joins its job
    /// 3. what is too old is forgotten
    /// 4. a rule answers, or a person does
    /// 5. a command is answered, a question becomes a job
    ///
    /// If a rule answers, `ruled` becomes its type.
    pub fn accept(
        &mut self,
        inbound: &Inbound,
        now: u64,
        rules: &Rules,
        book: &Book,
        ruled: &mut Option<&'static str>,
    ) -> Outcome {
        let address = Address::of(inbound);
        if let Some(reply) = self.reply_to(&address.key) {
            let body = reply.body.clone();
            self.note(Happened::Delivery("again", "repeat"));
            return Outcome::Reply(body);
        }
        if let Some(job) = self.jobs.iter_mut().find(|job| job.key == address.key) {
            job.deliveries = job.deliveries.saturating_add(1);
            let ticket = Ticket { job: job.id, delivery: job.deliveries, address };
            return self.take(&ticket, now, rules).map_or(Outcome::Wait(ticket), Outcome::Reply);
        }
        self.expire(now, rules.timeout);
        self.active = now;
        let intent = intent::of(inbound, &rules.texts);
        if let Some(outcome) = self.before_model(&intent, inbound, &address, now, book, ruled) {
            let fate = if ruled.is_some() { "rule" } else { "human" };
            self.note(Happened::Message(kind(&inbound.message), fate));
            return outcome;
        }
        let (outcome, fate) = match intent {
            Intent::Ask(question) => {
                self.push.open(now);
                self.ask(question, address, now, rules)
            }
            Intent::Command(command) => (self.command(command, address, now, rules), "command"),
            Intent::Note { note, reply } => {
                self.push.open(now);
                self.history.push(&note, "");
                self.tell(&address.key, now, now, Some(Turn { question: note, answer: String::new() }));
                (self.say(&address, &reply, now), "noted")
            }
            Intent::Say(text) => (self.say(&address, &text, now), "told"),
            Intent::Forget => {
                self.forget(now);
                (self.nothing(&address, now), "forgotten")
            }
            Intent::Nothing => (self.nothing(&address, now), "acknowledged"),
        };
        self.note(Happened::Message(kind(&inbound.message), fate));
        outcome
    }

    /// Somebody else has answered this message: with `text`, or with silence. From here on it counts as answered.
    pub fn replied(&mut self, inbound: &Inbound, text: Option<&str>, now: u64, rules: &Rules) -> Outcome {
        self.expire(now, rules.timeout);
        self.active = now;
        self.note(Happened::Message(kind(&inbound.message), "login"));
        let address = Address::of(inbound);
        match text {
            Some(text) => self.say(&address, text, now),
            None => self.nothing(&address, now),
        }
    }

    /// A new question: within the limits it becomes a job. Also whether it was one too many.
    fn ask(
        &mut self,
        question: Question,
        address: Address,
        now: u64,
        rules: &Rules,
    ) -> (Outcome, &'static str) {
        if let Some(refusal) = self.over_limit(now, rules) {
            return (self.say(&address, &refusal, now), "refused");
        }
        self.asked.push(now);
        self.last_job = self.last_job.wrapping_add(1);
        let push_to = (rules.push && self.push.allows(now)).then(|| address.user.clone());
        let pushes = push_to.is_some();
        self.jobs.push(Job {
            id: self.last_job,
            key: address.key.clone(),
            epoch: self.epoch,
            asked: now,
            question: Some(question),
            deliveries: 1,
            starts: 1,
            push_to,
            answer: None,
        });
        if pushes {
            return (self.nothing(&address, now), "question");
        }
        (Outcome::Wait(Ticket { job: self.last_job, delivery: 1, address }), "question")
    }

    /// The sentence for a question too many, if it is one.
    fn over_limit(&self, now: u64, rules: &Rules) -> Option<String> {
        if let Some(first) = self.asked.first().filter(|_| self.asked.len() >= rules.rate_limit) {
            let resets_in = (first + MINUTE).saturating_sub(now).div_ceil(1_000).max(1);
            return Some(rules.texts.slow_down(resets_in));
        }
        if self.running().count() >= AT_ONCE {
            return Some(rules.texts.too_many_at_once());
        }
        let untouched =
            self.jobs.iter().filter(|job| job.answer.as_ref().is_some_and(|answer| answer.read == 0)).count();
        (untouched >= ANSWER_COUNT).then(|| rules.texts.read_first(untouched))
    }

    fn command(&mut self, command: Command, address: Address, now: u64, rules: &Rules) -> Outcome {
        let texts = &rules.texts;
        let text = match command {
            Command::Retrieve => self.retrieve(now, texts),
            Command::Help => texts.help(),
            Command::Status => texts.status(&self.status(rules)),
            Command::New => {
                self.epoch = self.epoch.wrapping_add(1);
                self.history = History::default();
                self.human = None;
                self.tell(&address.key, now, now, None);
                texts.new_conversation()
            }
            Command::Forget => {
                self.forget(now);
                texts.forgotten()
            }
            Command::Summary if self.history.is_empty() && self.kin.home.is_none() => {
                texts.nothing_to_summarise()
            }
            Command::Summary => return self.ask(Question::Summary, address, now, rules).0,
        };
        self.say(&address, &text, now)
    }

    fn status(&self, rules: &Rules) -> Status {
        Status {
            running: self.running().count(),
            unread: self.jobs.iter().filter(|job| job.answer.as_ref().is_some_and(Answer::is_unread)).count(),
            turns: self.kin.turns.unwrap_or(self.history.turns.len()),
            timeout_minutes: rules.timeout.div_ceil(MINUTE),
            left: rules.rate_limit.saturating_sub(self.asked.len()),
        }
    }

    /// Deletes everything about the user. What stays for a while holds no word of theirs: which messages were
    /// handled, so that a repeat does nothing, and the rate limit.
    pub fn forget(&mut self, now: u64) {
        let replied = std::mem::take(&mut self.replies).into_iter().map(|reply| reply.key);
        // The latest last: should there be too many, the oldest are given up.
        let keys: Vec<String> = replied.chain(self.jobs.drain(..).map(|job| job.key)).collect();
        let asked = std::mem::take(&mut self.asked);
        *self = Self { last_job: self.last_job, active: now, asked, ..Self::default() };
        for key in keys {
            if self.reply_to(&key).is_none() {
                self.remember_reply(&key, SUCCESS, now);
            }
        }
    }

    /// A job has its answer: the model's, or a graceful sentence after its failure (`turn` is then `None`).
    /// `turn` is what the history should remember. False: nobody waits for it any more (`/forget`), or it
    /// was answered already.
    pub fn answered(&mut self, job: u32, text: &str, turn: Option<&str>, now: u64, rules: &Rules) -> bool {
        let epoch = self.epoch;
        let Some(job) = self.job_mut(job).filter(|job| job.answer.is_none()) else { return false };
        let answer = bounded(text, &rules.texts);
        let same_conversation = job.epoch == epoch;
        let (key, asked) = (job.key.clone(), job.asked);
        job.question = None;
        job.answer = Some(Answer { at: now, text: answer.clone(), read: 0, shown: 0, on_its_way: false });
        if let Some(question) = turn.filter(|_| same_conversation) {
            self.history.push(question, text);
            self.active = self.active.max(now);
            self.tell(&key, asked, now, Some(Turn { question: question.to_owned(), answer }));
        }
        true
    }

    /// The reply for a waiting delivery, if there is one by now: what was replied to its message already, or
    /// the first page of its answer.
    pub fn take(&mut self, ticket: &Ticket, now: u64, rules: &Rules) -> Option<String> {
        let delivery = number(ticket.delivery);
        if let Some(reply) = self.reply_to(&ticket.address.key) {
            let body = reply.body.clone();
            self.note(Happened::Delivery(delivery, "repeat"));
            return Some(body);
        }
        let Some(job) = self.job(ticket.job) else {
            // Forgotten while it waited.
            self.note(Happened::Delivery(delivery, "silent"));
            return Some(SUCCESS.to_owned());
        };
        job.answer.as_ref()?;
        let page = self.show_page(ticket.job, delivery, now, &rules.texts);
        self.note(Happened::Delivery(delivery, "reply"));
        Some(self.reply(&ticket.address, &page, now))
    }

    /// The window of a delivery closed without an answer. `None`: let the delivery run out, WeChat will
    /// deliver again; after the last delivery, a link to fetch the answer with.
    pub fn window_closed(&mut self, ticket: &Ticket, now: u64, rules: &Rules) -> Option<String> {
        if let Some(reply) = self.take(ticket, now, rules) {
            return Some(reply);
        }
        (ticket.delivery >= DELIVERIES).then(|| {
            self.note(Happened::Delivery(number(ticket.delivery), "link"));
            self.reply(&ticket.address, &rules.texts.still_thinking(), now)
        })
    }

    /// Whether [`Self::window_closed`] would let the delivery run out, which changes nothing.
    pub fn runs_out(&self, ticket: &Ticket) -> bool {
        let unanswered = self.job(ticket.job).is_some_and(|job| job.answer.is_none());
        unanswered && ticket.delivery < DELIVERIES && self.reply_to(&ticket.address.key).is_none()
    }

    fn say(&mut self, address: &Address, text: &str, now: u64) -> Outcome {
        self.note(Happened::Delivery("1", "reply"));
        Outcome::Reply(self.reply(address, text, now))
    }

    pub(super) fn nothing(&mut self, address: &Address, now: u64) -> Outcome {
        self.note(Happened::Delivery("1", "silent"));
        self.remember_reply(&address.key, SUCCESS, now);
        Outcome::Reply(SUCCESS.to_owned())
    }

    fn reply(&mut self, address: &Address, text: &str, now: u64) -> String {
        self.reply_with(address, &Reply::Text { content: text.to_owned() }, now)
    }

    pub(super) fn reply_with(&mut self, address: &Address, reply: &Reply, now: u64) -> String {
        let reply = reply.to_xml(&address.user, &address.account, now / 1_000);
        // Every reply here keeps its limits; should one ever not, silence beats WeChat's error line.
        let body = reply.unwrap_or_else(|_| SUCCESS.to_owned());
        self.remember_reply(&address.key, &body, now);
        body
    }
}
