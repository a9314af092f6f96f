//! The jobs behind mass messages: whom they reach, what came of them, and which request is a repetition.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::message::Message;
use crate::phone::transcript::How;
use crate::platform::AccountType;
use crate::platform::api::{text, with};
use crate::platform::errcode::Errcode;
use crate::platform::mini::check::{Suggestion, judge};
use crate::platform::quota::{day, month};
use crate::state::State;

/// A request is known again for 24 hours.
const KNOWN_MS: u64 = 86_400_000;
/// Two repetitions are at least a minute apart.
const RETRY_MS: u64 = 60_000;
/// Jobs kept.
const JOBS: usize = 1000;

const NO_QUOTA: Errcode = Errcode(45028);

/// Who is meant.
#[derive(Debug, Clone)]
pub enum Audience {
    /// Every follower.
    All,
    /// Followers with this tag.
    Tag(u32),
    /// These people.
    Openids(Vec<String>),
}

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Sent.
    Success,
    /// Nobody got it: its words were refused.
    Fail,
    /// Deleted afterwards.
    Delete,
}

impl Status {
    /// The status as `mass/get` has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "SEND_SUCCESS",
            Self::Fail => "SEND_FAIL",
            Self::Delete => "DELETE",
        }
    }
}

/// One job.
#[derive(Debug)]
pub struct Job {
    /// What became of it.
    pub status: Status,
    /// Its `msgtype`.
    pub msgtype: String,
    /// The draft that it sent; empty without one.
    pub media_id: String,
    client_id: String,
    at_ms: u64,
    repeated_ms: Option<u64>,
}

/// The speed of sending, from 0 to 4.
#[derive(Debug, Clone, Copy, Default)]
pub struct Speed {
    /// The smaller, the faster.
    pub level: u64,
}

impl Speed {
    /// Ten thousands of messages a minute.
    pub fn ten_thousands_a_minute(self) -> u32 {
        match self.level {
            0 => 80,
            1 => 60,
            2 => 45,
            3 => 30,
            _ => 10,
        }
    }
}

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Mass {
    /// The speed of sending.
    pub speed: Speed,
    jobs: BTreeMap<u64, Job>,
    last_id: u64,
    /// When each person was reached, newest last.
    reached: BTreeMap<String, Vec<u64>>,
}

/// A request that was there before.
#[derive(Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Its job.
    Known(u64),
    /// It is repeated again within a minute.
    TooFast,
}

impl Mass {
    /// The job with this `msg_id`.
    pub fn find(&mut self, id: u64) -> Option<&mut Job> {
        self.jobs.get_mut(&id)
    }

    /// A new `msg_id`: ten digits, as WeChat's have.
    pub fn new_id(&mut self, now_ms: u64) -> u64 {
        self.last_id = (self.last_id + 1).max(now_ms / 1000);
        self.last_id
    }

    /// Whether this `clientmsgid` was there within 24 hours.
    pub fn repeated(&mut self, client_id: &str, now_ms: u64) -> Option<Repeat> {
        let known = |job: &Job| job.client_id == client_id && now_ms < job.at_ms + KNOWN_MS;
        let (id, job) = self.jobs.iter_mut().find(|(_, job)| known(job))?;
        let too_fast = job.repeated_ms.is_some_and(|last| now_ms < last + RETRY_MS);
        job.repeated_ms = Some(now_ms);
        Some(if too_fast { Repeat::TooFast } else { Repeat::Known(*id) })
    }

    /// Keeps a job; its `msg_id`.
    pub fn note(&mut self, client_id: String, status: Status, message: &Value, now_ms: u64) -> u64 {
        let id = self.new_id(now_ms);
        if self.jobs.len() == JOBS {
            self.jobs.pop_first();
        }
        let msgtype = text(message, "msgtype").to_owned();
        let media_id =
            message.get("mpnews").map(|news| text(news, "media_id").to_owned()).unwrap_or_default();
        let job = Job { status, msgtype, media_id, client_id, at_ms: now_ms, repeated_ms: None };
        self.jobs.insert(id, job);
        id
    }

    /// Whether a person may get one more: a subscription account reaches everybody once a day, a service account four
    /// times a month.
    fn may_reach(&self, openid: &str, account: AccountType, now_ms: u64) -> bool {
        let before = self.reached.get(openid).map_or(&[][..], Vec::as_slice);
        match account {
            AccountType::Service => before.iter().filter(|at| month(**at) == month(now_ms)).count() < 4,
            _ => !before.iter().any(|at| day(*at) == day(now_ms)),
        }
    }

    fn reach(&mut self, openid: &str, now_ms: u64) {
        let reached = self.reached.entry(openid.to_owned()).or_default();
        reached.retain(|at| month(*at) == month(now_ms));
        reached.push(now_ms);
    }
}

/// The `clientmsgid` of a request without one: made from the audience and the content.
pub fn derived_id(message: &Value) -> String {
    Sha1::digest(message.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a job came to.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it was sent.
    pub status: Status,
    reason: String,
    total: usize,
    filtered: usize,
    errors: usize,
}

impl Outcome {
    /// The fields of `MASSSENDJOBFINISH`: FilterCount are those who are left to be sent to, so it is
    /// SentCount + ErrorCount.
    pub fn event(&self, msg_id: u64, message: &Message) -> Value {
        let left = self.total - self.filtered;
        let fields = json!({
            "MsgID": msg_id,
            "Status": self.reason,
            "TotalCount": self.total,
            "FilterCount": left,
            "SentCount": left - self.errors,
            "ErrorCount": self.errors,
        });
        if text(&message.body, "msgtype") != "mpnews" {
            return fields;
        }
        let check = json!({ "Count": 0, "ResultList": {}, "CheckState": 0 });
        let fields = with(fields, "CopyrightCheckResult", check);
        let numbered = message.article_urls().into_iter().zip(1..);
        let items = numbered.map(|(url, n)| json!({ "ArticleIdx": n, "ArticleUrl": url }));
        let items: Vec<_> = items.collect();
        let urls = json!({ "Count": items.len(), "ResultList": { "item": items } });
        with(fields, "ArticleUrlResult", urls)
    }
}

/// Sends a message to everybody who is left of the audience: people on the blacklist, and those who had their share,
/// are filtered out; those of a list who do not follow are errors.
///
/// # Errors
/// 45028 when everybody who would be left had their share.
pub fn run(
    state: &mut State,
    message: &Message,
    audience: &Audience,
    now_ms: u64,
) -> Result<Outcome, Errcode> {
    let openids = audience.openids(state);
    let total = openids.len();
    let banned = |openid: &String| state.people.get(openid).is_some_and(|person| person.fan.blacklisted);
    let allowed: Vec<_> = openids.into_iter().filter(|openid| !banned(openid)).collect();
    let may = |openid: &String| state.mass.may_reach(openid, state.account_type, now_ms);
    let left: Vec<_> = allowed.iter().filter(|openid| may(openid)).cloned().collect();
    if left.is_empty() && !allowed.is_empty() {
        return Err(NO_QUOTA);
    }
    let verdict = judge(text(message.body.get("text").unwrap_or(&Value::Null), "content"));
    if verdict.suggestion == Suggestion::Risky {
        let reason = format!("err({})", verdict.label);
        let (filtered, errors) = (total - left.len(), left.len());
        return Ok(Outcome { status: Status::Fail, reason, total, filtered, errors });
    }
    let filtered = total - left.len();
    let sent = left.iter().filter(|openid| deliver(state, openid, message, now_ms)).count();
    let errors = left.len() - sent;
    let reason = "send success".to_owned();
    Ok(Outcome { status: Status::Success, reason, total, filtered, errors })
}

fn deliver(state: &mut State, openid: &str, message: &Message, now_ms: u64) -> bool {
    let Some(person) = state.people.find(openid).ok().filter(|person| person.fan.following) else {
        return false;
    };
    for bubble in &message.shown {
        person.chat.receive_as(How::Mass, bubble.clone(), message.body.clone(), now_ms);
    }
    state.mass.reach(openid, now_ms);
    true
}

impl Audience {
    /// Everybody who is meant, once.
    fn openids(&self, state: &State) -> Vec<String> {
        let mut openids: Vec<_> = match self {
            Self::All => state.people.followers().map(|(openid, _)| openid.to_owned()).collect(),
            Self::Tag(tag) => {
                let tagged = state.people.followers().filter(|(_, person)| person.fan.tags.contains(tag));
                tagged.map(|(openid, _)| openid.to_owned()).collect()
            }
            Self::Openids(openids) => openids.clone(),
        };
        openids.sort_unstable();
        openids.dedup();
        openids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;
    /// Noon in Beijing on the first of a month.
    const START: u64 = 1_793_505_600_000;

    #[test]
    fn shares_of_a_day_and_of_a_month() {
        use AccountType::{Service, Subscription};
        let mut mass = Mass::default();
        for n in 0..4 {
            assert!(mass.may_reach("o1", Service, START + n), "{n}");
            mass.reach("o1", START + n);
            assert!(
                !mass.may_reach("o1", Subscription, START + n) && mass.may_reach("o2", Subscription, START)
            );
        }
        assert!(!mass.may_reach("o1", Service, START + 29 * DAY));
        assert!(mass.may_reach("o1", Service, START + 30 * DAY), "the next month");
        assert!(mass.may_reach("o1", Subscription, START + DAY));
    }

    #[test]
    fn a_repetition_is_known_for_a_day() {
        let mut mass = Mass::default();
        let id = mass.note("a".to_owned(), Status::Success, &Value::Null, START);
        assert_eq!(mass.repeated("b", START), None);
        assert_eq!(mass.repeated("a", START), Some(Repeat::Known(id)));
        assert_eq!(mass.repeated("a", START + 59_999), Some(Repeat::TooFast));
        assert_eq!(mass.repeated("a", START + 59_999 + RETRY_MS), Some(Repeat::Known(id)));
        assert_eq!(mass.repeated("a", START + DAY), None);
    }
}
