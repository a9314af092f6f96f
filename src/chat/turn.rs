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
use super::history::{History, clip};
use super::model::ANSWER_LIMIT;
use super::paging::pages;
use super::rule::Book;
use super::state::{ANSWER_COUNT, Answer, Conversation, Job, Question};
use super::text::{Status, Texts};
use crate::wechat::callback::SUCCESS;
use crate::wechat::message::Inbound;
use crate::wechat::reply::{Reply, TEXT_LIMIT};
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
            return Outcome::Reply(reply.body.clone());
        }
        if let Some(job) = self.jobs.iter_mut().find(|job| job.key == address.key) {
            job.deliveries = job.deliveries.saturating_add(1);
            let ticket = Ticket { job: job.id, delivery: job.deliveries, address };
            return self.take(&ticket, now, rules).map_or(Outcome::Wait(ticket), Outcome::Reply);
        }
        self.expire(now, rules.timeout);
        self.active = now;
        let intent = super::intent::of(inbound, &rules.texts);
        if let Some(outcome) = self.before_model(&intent, inbound, &address, now, book, ruled) {
            return outcome;
        }
        match intent {
            super::intent::Intent::Ask(question) => {
                self.push.open(now);
                self.ask(question, address, now, rules)
            }
            super::intent::Intent::Command(command) => self.command(command, address, now, rules),
            super::intent::Intent::Note { note, reply } => {
                self.push.open(now);
                self.history.push(&note, "");
                self.say(&address, &reply, now)
            }
            super::intent::Intent::Say(text) => self.say(&address, &text, now),
            super::intent::Intent::Forget => {
                self.forget(now);
                self.nothing(&address, now)
            }
            super::intent::Intent::Nothing => self.nothing(&address, now),
        }
    }

    /// Somebody else has answered this message: with `text`, or with silence. From here on it counts as answered.
    pub fn replied(&mut self, inbound: &Inbound, text: Option<&str>, now: u64, rules: &Rules) -> Outcome {
        self.expire(now, rules.timeout);
        self.active = now;
        let address = Address::of(inbound);
        match text {
            Some(text) => self.say(&address, text, now),
            None => self.nothing(&address, now),
        }
    }

    /// A new question: within the limits it becomes a job.
    fn ask(&mut self, question: Question, address: Address, now: u64, rules: &Rules) -> Outcome {
        if let Some(refusal) = self.over_limit(now, rules) {
            return self.say(&address, &refusal, now);
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
            return self.nothing(&address, now);
        }
        Outcome::Wait(Ticket { job: self.last_job, delivery: 1, address })
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
                texts.new_conversation()
            }
            Command::Forget => {
                self.forget(now);
                texts.forgotten()
            }
            Command::Summary if self.history.is_empty() => texts.nothing_to_summarise(),
            Command::Summary => return self.ask(Question::Summary, address, now, rules),
        };
        self.say(&address, &text, now)
    }

    /// `/retrieve`: the next unread page; else how long it has been taking; else the last answer again; else
    /// that there is nothing.
    fn retrieve(&mut self, now: u64, texts: &Texts) -> String {
        if let Some(job) = self.next_unread() {
            return self.show_page(job, now, texts);
        }
        let on_its_way = |job: &&Job| job.answer.as_ref().is_some_and(|answer| answer.on_its_way);
        let coming = self.unfinished().chain(self.jobs.iter().filter(on_its_way));
        if let Some(oldest) = coming.map(|job| job.asked).min() {
            return texts.still_working(now.saturating_sub(oldest) / 1_000);
        }
        let last = self.jobs.iter().filter(|job| job.answer.is_some()).max_by_key(|job| shown(job));
        match last.map(|job| job.id) {
            Some(job) => {
                if let Some(answer) = self.job_mut(job).and_then(|job| job.answer.as_mut()) {
                    answer.read = 0;
                }
                self.show_page(job, now, texts)
            }
            None => texts.nothing_pending(),
        }
    }

    /// The answer that is being read goes on; otherwise the oldest one of which nothing was read. What is on
    /// its way by customer-service message is not shown twice.
    fn next_unread(&self) -> Option<u32> {
        let unread =
            |job: &&Job| job.answer.as_ref().is_some_and(|answer| answer.is_unread() && !answer.on_its_way);
        let last_shown = self.jobs.iter().filter(|job| shown(job) > 0).max_by_key(|job| shown(job));
        last_shown.filter(unread).or_else(|| self.jobs.iter().find(unread)).map(|job| job.id)
    }

    /// Shows the next page of an answer and notes that it was read.
    fn show_page(&mut self, job: u32, now: u64, texts: &Texts) -> String {
        let others = self.jobs.iter().any(|j| j.id != job && j.answer.as_ref().is_some_and(|a| a.read == 0));
        let Some(answer) = self.job_mut(job).and_then(|job| job.answer.as_mut()) else {
            return texts.nothing_pending();
        };
        let Page { mut text, end, number, of } = next_page(&answer.text, answer.read, texts);
        answer.read = end;
        answer.shown = now;
        if number < of {
            text.push_str(&texts.next_page(number, of));
        } else if others && text.len() + texts.also_waiting().len() <= TEXT_LIMIT {
            text.push_str(&texts.also_waiting());
        }
        self.drop_old_answers(now);
        text
    }

    fn status(&self, rules: &Rules) -> Status {
        Status {
            running: self.running().count(),
            unread: self.jobs.iter().filter(|job| job.answer.as_ref().is_some_and(Answer::is_unread)).count(),
            turns: self.history.turns.len(),
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
        let mut answer = clip(text, ANSWER_LIMIT);
        if answer.len() < text.len() {
            answer.push_str(rules.texts.cut_short());
        }
        let same_conversation = job.epoch == epoch;
        job.question = None;
        job.answer = Some(Answer { at: now, text: answer, read: 0, shown: 0, on_its_way: false });
        if let Some(question) = turn.filter(|_| same_conversation) {
            self.history.push(question, text);
            self.active = self.active.max(now);
        }
        true
    }

    /// The reply for a waiting delivery, if there is one by now: what was replied to its message already, or
    /// the first page of its answer.
    pub fn take(&mut self, ticket: &Ticket, now: u64, rules: &Rules) -> Option<String> {
        if let Some(reply) = self.reply_to(&ticket.address.key) {
            return Some(reply.body.clone());
        }
        let Some(job) = self.job(ticket.job) else {
            // Forgotten while it waited.
            return Some(SUCCESS.to_owned());
        };
        job.answer.as_ref()?;
        let page = self.show_page(ticket.job, now, &rules.texts);
        Some(self.reply(&ticket.address, &page, now))
    }

    /// The window of a delivery closed without an answer. `None`: let the delivery run out, WeChat will
    /// deliver again; after the last delivery, a link to fetch the answer with.
    pub fn window_closed(&mut self, ticket: &Ticket, now: u64, rules: &Rules) -> Option<String> {
        if let Some(reply) = self.take(ticket, now, rules) {
            return Some(reply);
        }
        (ticket.delivery >= DELIVERIES)
            .then(|| self.reply(&ticket.address, &rules.texts.still_thinking(), now))
    }

    /// Whether [`Self::window_closed`] would let the delivery run out, which changes nothing.
    pub fn runs_out(&self, ticket: &Ticket) -> bool {
        let unanswered = self.job(ticket.job).is_some_and(|job| job.answer.is_none());
        unanswered && ticket.delivery < DELIVERIES && self.reply_to(&ticket.address.key).is_none()
    }

    fn say(&mut self, address: &Address, text: &str, now: u64) -> Outcome {
        Outcome::Reply(self.reply(address, text, now))
    }

    pub(super) fn nothing(&mut self, address: &Address, now: u64) -> Outcome {
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

/// When a page of a job's answer was last shown; 0 if none was.
fn shown(job: &Job) -> u64 {
    job.answer.as_ref().map_or(0, |answer| answer.shown)
}

/// One page of an answer, ready to be shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// Its text, without a footer.
    pub text: String,
    /// Where it ends in the answer, bytes.
    pub end: usize,
    /// Its number, from 1.
    pub number: usize,
    /// Pages of the whole answer.
    pub of: usize,
}

/// The page of `answer` that starts at byte `read`. Room for the footer is kept on every page of an answer
/// that needs more than one.
pub fn next_page(answer: &str, read: usize, texts: &Texts) -> Page {
    let limit = TEXT_LIMIT.saturating_sub(texts.next_page(99, 99).len());
    let all = if answer.len() <= TEXT_LIMIT { vec![answer] } else { pages(answer, limit) };
    let of = all.len();
    let mut end = 0;
    for (index, page) in all.iter().enumerate() {
        end += page.len();
        // A page of blanks would be an empty message, which WeChat shows as an error.
        if end > read && !page.trim().is_empty() {
            return Page { text: page.trim_end().to_owned(), end, number: index + 1, of };
        }
    }
    let last = all.last().copied().unwrap_or_default();
    Page { text: last.trim_end().to_owned(), end: answer.len(), number: of, of }
}
