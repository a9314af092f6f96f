//! What comes before the model: rules, and the person to whom a conversation was handed over.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Forwarding_of_messages_to_service_center.html>

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::intent::Intent;
use super::rule::{Book, Ruling, Subject, reply};
use super::state::Conversation;
use super::turn::{Address, Outcome};
use crate::wechat::event::Event;
use crate::wechat::message::{Inbound, Message};
use crate::wechat::reply::Reply;

/// After this long without a message of the user's, the person is taken to have gone, milliseconds: WeChat does not
/// always say so.
pub const SILENCE: u64 = 3_600_000;

/// A person who answers instead of us.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Human {
    /// Until when, unless the user writes before, milliseconds.
    pub until: u64,
    /// Which one, if it is to be a certain one: `name@account`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

impl Human {
    fn new(account: &str, now: u64) -> Self {
        Self { until: now + SILENCE, account: Some(account.to_owned()).filter(|account| !account.is_empty()) }
    }
}

impl Conversation {
    /// What is done with a message before the model would be asked; `None` if nothing.
    ///
    /// 1. WeChat says when a person's session begins, moves and ends
    /// 2. commands are ours; bare words that could be meant for the person are not
    /// 3. a rule answers
    /// 4. everything else that the user says goes to the person
    pub(super) fn before_model(
        &mut self,
        intent: &Intent,
        inbound: &Inbound,
        address: &Address,
        now: u64,
        book: &Book,
        ruled: &mut Option<&'static str>,
    ) -> Option<Outcome> {
        self.note_session(&inbound.message, now);
        let ours = match intent {
            Intent::Forget => true,
            Intent::Command(command) => self.human.is_none() || is_for_us(*command, &inbound.message),
            _ => false,
        };
        let subject = Subject::of(inbound).filter(|_| !ours)?;
        if let Some(ruling) = book.decide(&subject, now, self.human.is_some()) {
            *ruled = Some(ruling.rule.map_or("welcome", |_| ruling.kind));
            return self.carry_out(&ruling, address, now);
        }
        let human = self.human.as_mut().filter(|_| !subject.is_event())?;
        human.until = now + SILENCE;
        let transfer = Reply::TransferCustomerService { kf_account: human.account.clone() };
        Some(Outcome::Reply(self.reply_with(address, &transfer, now)))
    }

    fn carry_out(&mut self, ruling: &Ruling<'_>, address: &Address, now: u64) -> Option<Outcome> {
        // "ai": as if there were no rule.
        let reply = reply::of(&ruling.reply)?;
        match (&reply, ruling.kind) {
            (Reply::TransferCustomerService { kf_account }, _) => {
                self.human = Some(Human::new(kf_account.as_deref().unwrap_or_default(), now));
            }
            (_, "end_hand_over") => self.human = None,
            (Reply::Success, _) => return Some(self.nothing(address, now)),
            _ => {}
        }
        Some(Outcome::Reply(self.reply_with(address, &reply, now)))
    }

    fn note_session(&mut self, message: &Message, now: u64) {
        match message {
            Message::Event(Event::KfCreateSession { kf_account: account })
            | Message::Event(Event::KfSwitchSession { to_kf_account: account, .. }) => {
                self.human = Some(Human::new(account, now));
            }
            Message::Event(Event::KfCloseSession { .. }) => self.human = None,
            _ => {}
        }
    }
}

/// Whether a command is carried out though a person answers: if it could not be meant for the person, or ends that.
fn is_for_us(command: Command, message: &Message) -> bool {
    let typed = match message {
        Message::Text { content, menu_id: None } => content.trim(),
        Message::Voice { .. } => "",
        _ => return true,
    };
    matches!(command, Command::New | Command::Forget) || typed.starts_with(['/', '／'])
}
