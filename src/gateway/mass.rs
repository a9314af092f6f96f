//! A message to many: from a draft to the count of those who got it. Pure; the handlers read, store and send.
//!
//! Every change is stored in place of the version it was made of, so of two who send at once only one does. What is
//! about to be asked is stored before WeChat is asked, together with the `clientmsgid` by which WeChat knows a
//! repetition for 24 hours: whatever happens in between, asking again sends nothing twice.
//! <https://developers.weixin.qq.com/doc/service/api/notify/message/api_sendall>

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::platform::Millis;
use crate::wechat::api::ApiError;

/// A confirmation is good for this long.
pub const CONFIRMED_FOR: Millis = 10 * 60_000;
/// WeChat knows a `clientmsgid` again for this long; later, a repetition would be sent.
/// <https://developers.weixin.qq.com/doc/service/api/notify/message/api_sendall>
pub const KNOWN_FOR: Millis = 24 * 3_600_000;
/// Whoever asked WeChat has its answer by now, or will never have it.
pub const BUSY_FOR: Millis = 60_000;

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Written, or changed since.
    Draft,
    /// Its content and audience were checked.
    Checked,
    /// Somebody got a preview.
    Previewed,
    /// The number of people is known and waits for a yes.
    Confirming,
    /// WeChat is being asked.
    Sending,
    /// WeChat took all that it did not refuse; the result comes later.
    Submitted,
    /// Sent, at least in part.
    Done,
    /// Nobody got it.
    Failed,
    /// Whether WeChat took it is unknown; sending again is safe for a day.
    Unknown,
}

/// Where a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartStage {
    /// Not asked yet.
    Waiting,
    /// WeChat is being asked.
    Sending,
    /// WeChat took it.
    Submitted,
    /// Sent.
    Done,
    /// WeChat took it, but did not send it.
    Failed,
    /// WeChat did not take it, or was not asked because it did not take an earlier part.
    Refused,
    /// No answer came.
    Unknown,
}

/// A message to many, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Where it is.
    pub stage: Stage,
    /// What the operator calls it.
    pub name: String,
    /// The message in WeChat's form, without its audience.
    pub message: Value,
    /// `all`, `tag_id`, `openids` (how many) or `filter`.
    pub audience: Value,
    /// The stored lists of openids, if it goes to a list.
    pub lists: Vec<List>,
    /// How many people it is for, when that was counted last.
    pub heads: Option<u64>,
    /// What must be repeated to send it.
    pub confirmation: Option<Confirmation>,
    /// When WeChat was asked first.
    pub sent: Option<Millis>,
    /// One call of WeChat's each.
    pub parts: Vec<Part>,
    /// The `msg_id`s of all parts: a result is found by them.
    pub msg_ids: Vec<u64>,
}

/// A stored list of openids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// The id of its document.
    pub id: String,
    /// How many.
    pub people: u64,
}

/// A yes that is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// What must be repeated.
    pub code: String,
    /// Until when.
    pub until: Millis,
}

/// One call of WeChat's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Where it is.
    pub stage: PartStage,
    /// By this WeChat knows a repetition; at most 32 bytes.
    pub clientmsgid: String,
    /// The people, if it goes to a list.
    pub list: Option<List>,
    /// When WeChat was asked last.
    pub asked: Option<Millis>,
    /// WeChat's name for it.
    pub msg_id: Option<u64>,
    /// What WeChat said to the contrary.
    pub error: Option<ApiError>,
    /// What came of it: `status` and, if WeChat told them, the counts.
    pub result: Option<Value>,
    /// The articles whose page was taken away; 0: all.
    pub stopped: Vec<u64>,
}

impl Part {
    fn waits_for_counts(&self) -> bool {
        self.msg_id.is_some() && self.result.as_ref().is_none_or(|result| result.get("total").is_none())
    }
}

/// How asking WeChat went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// WeChat took it, now or before.
    Submitted(u64),
    /// WeChat did not take it.
    Refused(ApiError),
    /// It is not known whether it did; perhaps it said why.
    Unknown(Option<ApiError>),
    /// WeChat was never asked, because there is no access token.
    Never,
}

/// Why a job is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// It was not confirmed since it was changed.
    NotConfirmed,
    /// The confirmation is of another version, or too old.
    WrongConfirmation,
    /// Somebody is just sending it.
    Busy,
    /// All of it was sent.
    Sent,
    /// WeChat would no longer know a repetition.
    TooLate,
}

impl Job {
    /// A draft.
    pub fn new(name: &str, message: Value, audience: Value, lists: Vec<List>) -> Self {
        Self {
            stage: Stage::Draft,
            name: name.to_owned(),
            message,
            audience,
            lists,
            heads: None,
            confirmation: None,
            sent: None,
            parts: Vec::new(),
            msg_ids: Vec::new(),
        }
    }

    /// Whether it may still be changed: nobody can have got it.
    pub fn may_change(&self) -> bool {
        match self.stage {
            Stage::Draft | Stage::Checked | Stage::Previewed | Stage::Confirming => true,
            Stage::Failed => self.msg_ids.is_empty(),
            _ => false,
        }
    }

    /// Whether it may be deleted: nothing more will come of it, or it can no longer be sent to find out.
    pub fn may_go(&self, now: Millis) -> bool {
        let too_late = self.sent.is_some_and(|sent| now >= sent + KNOWN_FOR);
        self.may_change() || matches!(self.stage, Stage::Done | Stage::Failed) || too_late
    }

    /// Its content and audience were found good. What was confirmed must be confirmed again.
    pub fn checked(&mut self, heads: u64) {
        self.back_to(Stage::Checked);
        self.heads = Some(heads);
    }

    /// Somebody got a preview; `false` if it was not checked before.
    pub fn previewed(&mut self) -> bool {
        let checked = matches!(self.stage, Stage::Checked | Stage::Previewed | Stage::Confirming);
        if checked {
            self.back_to(Stage::Previewed);
        }
        checked
    }

    fn back_to(&mut self, stage: Stage) {
        self.stage = stage;
        self.confirmation = None;
        self.parts.clear();
        self.sent = None;
    }

    /// The number of people is known; `code` will confirm it. `name` is unique to this job and version, and begins the
    /// `clientmsgid` of each part.
    pub fn confirm(&mut self, name: &str, lists: Vec<List>, heads: u64, code: String, now: Millis) {
        self.back_to(Stage::Confirming);
        let part = |(number, list): (usize, Option<List>)| Part {
            stage: PartStage::Waiting,
            clientmsgid: format!("{name}-{number}"),
            list,
            asked: None,
            msg_id: None,
            error: None,
            result: None,
            stopped: Vec::new(),
        };
        let each: Vec<Option<List>> =
            if lists.is_empty() { vec![None] } else { lists.iter().cloned().map(Some).collect() };
        self.parts = each.into_iter().enumerate().map(part).collect();
        self.lists = lists;
        self.heads = Some(heads);
        self.confirmation = Some(Confirmation { code, until: now + CONFIRMED_FOR });
    }

    /// Whether it may be sent, for the first time or again.
    ///
    /// # Errors
    /// Why not.
    pub fn may_send(&self, code: &str, now: Millis) -> Result<(), No> {
        let confirmation = self.confirmation.as_ref().ok_or(No::NotConfirmed)?;
        if confirmation.code != code {
            return Err(No::WrongConfirmation);
        }
        let Some(sent) = self.sent else {
            return if now < confirmation.until { Ok(()) } else { Err(No::WrongConfirmation) };
        };
        let last = self.parts.iter().filter_map(|part| part.asked).max();
        if self.stage == Stage::Sending && last.is_some_and(|last| now < last + BUSY_FOR) {
            return Err(No::Busy);
        }
        match self.next() {
            None => Err(No::Sent),
            Some(_) if now >= sent + KNOWN_FOR => Err(No::TooLate),
            Some(_) => Ok(()),
        }
    }

    /// The part that WeChat is to be asked for next.
    pub fn next(&self) -> Option<usize> {
        self.parts.iter().position(|part| {
            matches!(
                part.stage,
                PartStage::Waiting | PartStage::Sending | PartStage::Refused | PartStage::Unknown
            )
        })
    }

    /// WeChat is about to be asked for a part: to be stored before. A part that may have been taken when it was asked
    /// before stays in doubt meanwhile.
    pub fn ask(&mut self, number: usize, now: Millis) {
        self.stage = Stage::Sending;
        self.sent.get_or_insert(now);
        if let Some(part) = self.parts.get_mut(number) {
            part.stage = match part.stage {
                PartStage::Sending | PartStage::Unknown => PartStage::Unknown,
                _ => PartStage::Sending,
            };
            part.asked = Some(now);
        }
    }

    /// WeChat was asked for a part. Only that it took it ends a doubt: a refusal is of this time, and a part that is
    /// confirmed anew would be another message to WeChat.
    pub fn answered(&mut self, number: usize, asked: &Asked) {
        let not_taken = |part: &&mut Part| part.msg_id.is_none();
        let Some(part) = self.parts.get_mut(number).filter(not_taken) else { return };
        let in_doubt = part.stage == PartStage::Unknown;
        match asked {
            Asked::Submitted(msg_id) => {
                part.stage = PartStage::Submitted;
                part.msg_id = Some(*msg_id);
                part.error = None;
                self.msg_ids.push(*msg_id);
            }
            Asked::Refused(error) if in_doubt => part.error = Some(error.clone()),
            Asked::Never if in_doubt => {}
            Asked::Refused(error) => {
                part.stage = PartStage::Refused;
                part.error = Some(error.clone());
                for rest in self.parts.iter_mut().filter(|part| part.stage == PartStage::Waiting) {
                    rest.stage = PartStage::Refused;
                    rest.error = Some(error.clone());
                }
            }
            Asked::Unknown(error) => {
                part.stage = PartStage::Unknown;
                part.error.clone_from(error);
            }
            Asked::Never => part.stage = PartStage::Waiting,
        }
        self.settle();
    }

    /// What came of the part with this `msg_id`; `false` if that is known already. Counts, which only the event has,
    /// replace a result without them.
    pub fn finished(&mut self, msg_id: u64, success: bool, result: &Value) -> bool {
        let waits = |part: &&mut Part| part.msg_id == Some(msg_id) && part.waits_for_counts();
        let Some(part) = self.parts.iter_mut().find(waits) else { return false };
        part.stage = if success { PartStage::Done } else { PartStage::Failed };
        part.result = Some(result.clone());
        self.settle();
        true
    }

    /// The `msg_id`s whose counts are not known yet.
    pub fn awaited(&self) -> Vec<u64> {
        self.parts.iter().filter(|part| part.waits_for_counts()).filter_map(|part| part.msg_id).collect()
    }

    /// The `msg_id`s of which it is not even known whether they were sent.
    pub fn submitted(&self) -> Vec<u64> {
        let submitted = self.parts.iter().filter(|part| part.stage == PartStage::Submitted);
        submitted.filter_map(|part| part.msg_id).collect()
    }

    /// The page of an article was taken away; 0: of all.
    pub fn stopped(&mut self, article: u64) {
        for part in self.parts.iter_mut().filter(|part| part.msg_id.is_some()) {
            if !part.stopped.contains(&article) {
                part.stopped.push(article);
            }
        }
    }

    fn settle(&mut self) {
        let has = |stage| self.parts.iter().any(|part| part.stage == stage);
        self.stage = if has(PartStage::Sending) {
            Stage::Sending
        } else if has(PartStage::Unknown) {
            Stage::Unknown
        } else if self.parts.iter().all(|part| part.stage == PartStage::Waiting) {
            // Nobody was asked after all.
            self.sent = None;
            Stage::Confirming
        } else if has(PartStage::Waiting) {
            Stage::Sending
        } else if has(PartStage::Submitted) {
            Stage::Submitted
        } else if has(PartStage::Done) {
            Stage::Done
        } else {
            Stage::Failed
        };
    }
}
