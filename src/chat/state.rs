//! What is stored for one user: one JSON document, bounded in size. Its shape is pinned by a test and
//! described in `docs/storage.md`; new code must read what the previous release stored.

use serde::{Deserialize, Serialize};

use super::count::Happened;
use super::history::History;
use super::human::Human;
use super::kin::{ASKED_FOR, Kin};
use super::push::Push;
use crate::wechat::OpenId;
use crate::wechat::callback::SUCCESS;
use crate::wechat::message::Inbound;

/// An unread answer is kept this long (milliseconds).
pub const UNREAD_LIFETIME: u64 = 24 * 3_600_000;
/// Replies are kept word for word this long (milliseconds) for repeated deliveries. WeChat repeats within about
/// 15 s.
/// <https://developers.weixin.qq.com/doc/service/guide/dev/push/>
const REPLAY_LIFETIME: u64 = 60_000;
/// That a message was handled is known this long (milliseconds): as long as its signature could be accepted
/// again, by a clock that is wrong in either direction.
pub(super) const KEY_LIFETIME: u64 = 2 * crate::wechat::callback::FRESH_FOR * 1_000;
/// Replies kept word for word, and messages known, whatever their age.
const REPLAY_COUNT: usize = 32;
pub(super) const KEY_COUNT: usize = 500;
/// So many answers may wait unread; then the user is asked to read before asking on. Answers of which the
/// first page was read make room, oldest first.
pub const ANSWER_COUNT: usize = 20;

/// Everything that is known about one user's chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Number of the last job; starts anew when nothing is left of a user.
    #[serde(default)]
    pub last_job: u32,
    /// Number of the conversation; `/new` starts the next one.
    #[serde(default)]
    pub epoch: u32,
    /// When the user last wrote, milliseconds.
    #[serde(default)]
    pub active: u64,
    /// What the model is told about the conversation.
    #[serde(default)]
    pub history: History,
    /// Questions being answered and answers kept, oldest first.
    #[serde(default)]
    pub jobs: Vec<Job>,
    /// What was replied to recent messages.
    #[serde(default)]
    pub replies: Vec<Replied>,
    /// When the questions of the last minute were asked, milliseconds.
    #[serde(default)]
    pub asked: Vec<u64>,
    /// Customer-service messages: what may still be sent.
    #[serde(default)]
    pub push: Push,
    /// A person answers this user instead of us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human: Option<Human>,
    /// The same person in the Mini Program.
    #[serde(default, skip_serializing_if = "Kin::is_empty")]
    pub kin: Kin,
    /// What happened in the last steps, for the counters: whoever made them takes it.
    #[serde(skip)]
    pub happened: Vec<Happened>,
}

/// One question on its way to an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number; no other job in this document has it.
    pub id: u32,
    /// Identity of the message that asked.
    pub key: String,
    /// The conversation it belongs to.
    pub epoch: u32,
    /// When it was asked, milliseconds.
    pub asked: u64,
    /// What was asked, until it is answered.
    #[serde(default)]
    pub question: Option<Question>,
    /// How many times WeChat has delivered the message.
    pub deliveries: u8,
    /// How many lives of the object have worked on it; more than one only after a crash.
    #[serde(default)]
    pub starts: u8,
    /// The answer is to go out to this user by customer-service message; taken away before the first one is
    /// sent, so that none is ever sent twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_to: Option<OpenId>,
    /// The answer, once there is one.
    #[serde(default)]
    pub answer: Option<Answer>,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Typed text, or a voice message that WeChat turned into text.
    Text(String),
    /// A voice message to be downloaded and heard: its media id and format (`amr`, `speex`).
    Voice {
        /// `MediaId` of the message.
        media_id: String,
        /// `Format` of the message.
        format: String,
    },
    /// A picture: the address WeChat gave it.
    Picture {
        /// `PicUrl` of the message.
        url: String,
    },
    /// `/summary`.
    Summary,
}

/// An answer and how much of it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// When it was ready, milliseconds.
    pub at: u64,
    /// Its text, as WeChat shows it.
    pub text: String,
    /// Bytes already shown; a page boundary.
    #[serde(default)]
    pub read: usize,
    /// When a page of it was last shown, milliseconds.
    #[serde(default)]
    pub shown: u64,
    /// A page of it is on its way by customer-service message; of no meaning to the next life.
    #[serde(skip)]
    pub on_its_way: bool,
}

impl Answer {
    /// Whether there is something left to read.
    pub fn is_unread(&self) -> bool {
        self.read < self.text.len()
    }
}

/// A reply that was given, for repeated deliveries of its message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replied {
    /// Identity of the message.
    pub key: String,
    /// When, milliseconds.
    pub at: u64,
    /// The plain reply; `success` if nothing is shown, or after a minute.
    pub body: String,
}

impl Conversation {
    /// Reads a stored document, at the start of an object's life. `None`: it is not one of ours, and the user
    /// starts afresh.
    pub fn from_json(json: &str) -> Option<Self> {
        let mut conversation: Self = crate::json::from_str(json).ok()?;
        for job in &mut conversation.jobs {
            job.starts = job.starts.saturating_add(1);
        }
        Some(conversation)
    }

    /// The document to store.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A job by its number.
    pub fn job(&self, id: u32) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    pub(super) fn job_mut(&mut self, id: u32) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    /// Jobs that have no answer yet.
    pub fn running(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.answer.is_none())
    }

    /// Jobs that somebody has to work on: no answer yet, or one that is still to be pushed.
    pub fn unfinished(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.answer.is_none() || job.push_to.is_some())
    }

    /// The reply that was given to a message.
    pub fn reply_to(&self, key: &str) -> Option<&Replied> {
        self.replies.iter().find(|reply| reply.key == key)
    }

    /// Whether this message was answered, or is being answered.
    pub fn knows(&self, inbound: &Inbound) -> bool {
        let key = inbound.key();
        self.reply_to(&key).is_some() || self.jobs.iter().any(|job| job.key == key)
    }

    pub(super) fn remember_reply(&mut self, key: &str, body: &str, now: u64) {
        self.replies.push(Replied { key: key.to_owned(), at: now, body: body.to_owned() });
        if let Some(at) = self.replies.len().checked_sub(REPLAY_COUNT + 1)
            && let Some(old) = self.replies.get_mut(at)
        {
            SUCCESS.clone_into(&mut old.body);
        }
        if self.replies.len() > KEY_COUNT {
            self.replies.remove(0);
        }
    }

    /// Forgets what is too old: replies, unread answers after a day, and after `timeout` milliseconds of
    /// silence the history and the answers that were read.
    pub fn expire(&mut self, now: u64, timeout: u64) {
        self.replies.retain(|reply| now < reply.at + KEY_LIFETIME);
        for reply in self.replies.iter_mut().filter(|reply| now >= reply.at + REPLAY_LIFETIME) {
            SUCCESS.clone_into(&mut reply.body);
        }
        self.asked.retain(|at| now < at + super::turn::MINUTE);
        self.push.expire(now);
        self.expire_kin(now);
        self.human = self.human.take().filter(|human| now < human.until);
        let silent = now >= self.active + timeout;
        if silent && self.running().next().is_none() {
            self.history = History::default();
        }
        self.drop_jobs(now, |job| match &job.answer {
            None => false,
            Some(answer) if answer.is_unread() => now >= answer.at + UNREAD_LIFETIME,
            Some(_) => silent,
        });
    }

    /// Drops jobs. A delivery of their messages that comes late must not ask the model again.
    fn drop_jobs(&mut self, now: u64, too_old: impl Fn(&Job) -> bool) {
        let (dropped, kept) = std::mem::take(&mut self.jobs).into_iter().partition(too_old);
        self.jobs = kept;
        let dropped: Vec<Job> = dropped;
        for job in dropped {
            if self.reply_to(&job.key).is_none() {
                self.remember_reply(&job.key, SUCCESS, now);
            }
        }
    }

    /// Makes room: of the answers read to their end only the last one stays, and when there are too many, the
    /// one begun longest ago goes. The answer that was shown last stays, and so does one of which nothing was
    /// read.
    pub(super) fn drop_old_answers(&mut self, now: u64) {
        let shown = |job: &Job| job.answer.as_ref().map_or(0, |answer| answer.shown);
        let last_shown = self.jobs.iter().max_by_key(|job| (shown(job), job.id)).map(|job| job.id);
        let finished = |job: &Job| job.answer.as_ref().is_some_and(|answer| !answer.is_unread());
        self.drop_jobs(now, |job| finished(job) && Some(job.id) != last_shown);
        while self.jobs.iter().filter(|job| job.answer.is_some()).count() > ANSWER_COUNT {
            let begun = |job: &&Job| job.answer.as_ref().is_some_and(|answer| answer.read > 0);
            let others = self.jobs.iter().filter(begun).filter(|job| Some(job.id) != last_shown);
            let Some(oldest) = others.min_by_key(|job| shown(job)).map(|job| job.id) else { return };
            self.drop_jobs(now, |job| job.id == oldest);
        }
    }

    /// When [`Self::expire`] will next have something to do, if nothing happens until then, milliseconds.
    pub fn next_expiry(&self, timeout: u64) -> Option<u64> {
        let answers = || self.jobs.iter().filter_map(|job| job.answer.as_ref());
        let unread = answers().filter(|answer| answer.is_unread()).map(|answer| answer.at + UNREAD_LIFETIME);
        let talk = !self.history.is_empty() || answers().any(|answer| !answer.is_unread());
        let silence = talk.then_some(self.active + timeout.max(REPLAY_LIFETIME));
        // Whatever is only there to know repeats by goes last, in one sweep.
        let known = self.replies.last().map(|reply| reply.at + KEY_LIFETIME);
        let refused = self.push.refused().then(|| self.push.refused_until());
        let human = self.human.as_ref().map(|human| human.until);
        let asked = (self.kin.asked > 0).then(|| self.kin.asked + ASKED_FOR);
        let last = known.into_iter().chain(refused).chain(asked);
        unread.chain(silence).chain(human).min().or_else(|| last.max())
    }

    /// Nothing is left that is worth a row in the storage.
    pub fn is_forgettable(&self) -> bool {
        self.jobs.is_empty()
            && self.replies.is_empty()
            && self.history.is_empty()
            && !self.push.refused()
            && self.human.is_none()
            && self.kin.is_empty()
    }
}
