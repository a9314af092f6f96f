//! Customer-service messages: how many may still be sent to this user, and whether at all.
//! <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>

use serde::{Deserialize, Serialize};

use super::count::Happened;
use super::reading::next_page;
use super::state::{Answer, Conversation};
use super::text::Texts;
use super::turn::{MINUTE, STARTS};
use crate::wechat::OpenId;

/// After a message of the user, WeChat allows this many customer-service messages …
pub const QUOTA: u8 = 5;
/// … within this time (48 h, in milliseconds).
pub const WINDOW: u64 = 48 * 3_600_000;
/// An account that may not send at all (48001 and its kin) is not tried again for this long, milliseconds.
const REFUSED_FOR: u64 = 3_600_000;

/// The ledger of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// When the user's last message opened the window, milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    opened: u64,
    /// Messages sent since then.
    #[serde(default, skip_serializing_if = "is_zero_u8")]
    sent: u8,
    /// Until when the account is taken to have no right to send, milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    refused_until: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference; wasm32 has no objection")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero_u8(value: &u8) -> bool {
    *value == 0
}

impl Push {
    /// The user wrote: five more messages, for 48 hours.
    pub fn open(&mut self, now: u64) {
        self.opened = now;
        self.sent = 0;
    }

    /// Whether another message may be sent now.
    pub fn allows(&self, now: u64) -> bool {
        now < self.opened + WINDOW && self.sent < QUOTA && now >= self.refused_until
    }

    /// A message is about to be sent. Counted before, since its outcome may stay unknown.
    pub fn count(&mut self) {
        self.sent = self.sent.saturating_add(1);
    }

    /// The user came in without a word: two messages, for a minute.
    /// <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/send.html>
    pub fn enter(&mut self, now: u64) {
        if !self.allows(now) {
            self.opened = (now + MINUTE).saturating_sub(WINDOW);
            self.sent = QUOTA - 2;
        }
    }

    /// A message was certainly not sent.
    pub fn uncount(&mut self) {
        self.sent = self.sent.saturating_sub(1);
    }

    /// WeChat said that the window is closed or used up (45015, 45047).
    pub fn exhaust(&mut self) {
        self.sent = QUOTA;
    }

    /// WeChat said that the account may not send at all.
    pub fn refuse(&mut self, now: u64) {
        self.refused_until = now + REFUSED_FOR;
    }

    /// The account was refused a short while ago: the passive ladder serves instead.
    pub fn refused(&self) -> bool {
        self.refused_until > 0
    }

    /// Until when the account is taken to have no right to send, milliseconds; 0 if it has.
    pub(super) fn refused_until(&self) -> u64 {
        self.refused_until
    }

    pub(super) fn expire(&mut self, now: u64) {
        if now >= self.refused_until {
            self.refused_until = 0;
        }
    }
}

/// One customer-service message that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// To whom.
    pub to: OpenId,
    /// Its text.
    pub text: String,
    /// Where it ends in the answer, bytes.
    pub end: usize,
}

impl Conversation {
    /// The first page of a job's answer, if it is to be pushed and may be.
    pub fn first_push(&mut self, job: u32, now: u64, texts: &Texts) -> Option<Page> {
        let to = self.job_mut(job).filter(|job| job.answer.is_some())?.push_to.take()?;
        self.next_push(job, to, now, texts)
    }

    /// The next page of an answer that is being pushed. It counts as sent from here on, but as read only once
    /// [`Self::pushed`] says so. The last message that the quota allows says how to get the rest.
    pub fn next_push(&mut self, job: u32, to: OpenId, now: u64, texts: &Texts) -> Option<Page> {
        if !self.push.allows(now) {
            return None;
        }
        let answer = self.answer_mut(job).filter(|answer| answer.is_unread())?;
        answer.on_its_way = true;
        let page = next_page(&answer.text, answer.read, texts);
        self.push.count();
        let mut text = page.text;
        if page.number < page.of && !self.push.allows(now) {
            text.push_str(&texts.next_page(page.number, page.of));
        }
        Some(Page { to, text, end: page.end })
    }

    /// WeChat took a page.
    pub fn pushed(&mut self, job: u32, end: usize, now: u64) {
        if let Some(answer) = self.answer_mut(job) {
            answer.on_its_way = false;
            answer.read = answer.read.max(end);
            if std::mem::replace(&mut answer.shown, now) == 0 {
                self.note(Happened::Answer("push"));
            }
        }
        self.drop_old_answers(now);
    }

    /// WeChat did not take a page, or nobody knows: it stays unread, for `/retrieve`.
    pub fn not_pushed(&mut self, job: u32) {
        if let Some(answer) = self.answer_mut(job) {
            answer.on_its_way = false;
        }
    }

    /// A page was certainly not sent: it is tried again later, unless that was done too often.
    pub fn push_later(&mut self, job: u32, to: OpenId) {
        self.not_pushed(job);
        self.push.uncount();
        if let Some(job) = self.job_mut(job).filter(|job| job.starts < STARTS) {
            job.starts += 1;
            job.push_to = Some(to);
        }
    }

    fn answer_mut(&mut self, job: u32) -> Option<&mut Answer> {
        self.job_mut(job)?.answer.as_mut()
    }
}
