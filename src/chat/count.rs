//! What happened in a step of the machine, in the words of the counters.

use super::state::Conversation;
use crate::wechat::message::Message;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A new message, its type, and what was decided about it: `question`, `refused`, `command`, `noted`, `told`,
    /// `forgotten`, `login` or `acknowledged`.
    Message(&'static str, &'static str),
    /// A delivery, its number, and what came of it: `reply`, `silent`, `repeat` (of what was replied before), `link` or
    /// `run_out`.
    Delivery(&'static str, &'static str),
    /// Somebody saw the beginning of an answer: in the reply to delivery `1`, `2` or `3`, by `retrieve` or by `push`.
    Answer(&'static str),
}

impl Conversation {
    /// Notes what happened.
    pub(super) fn note(&mut self, happened: Happened) {
        self.happened.push(happened);
    }
}

/// A delivery's number.
pub fn number(delivery: u8) -> &'static str {
    match delivery {
        1 => "1",
        2 => "2",
        3 => "3",
        _ => "more",
    }
}

/// A message's type, as `MsgType` has it. What WeChat adds without notice is `other`.
pub fn kind(message: &Message) -> &'static str {
    match message {
        Message::Text { .. } => "text",
        Message::Image { .. } => "image",
        Message::Voice { .. } => "voice",
        Message::Video(_) => "video",
        Message::ShortVideo(_) => "shortvideo",
        Message::Location { .. } => "location",
        Message::Link { .. } => "link",
        Message::MiniProgramPage { .. } => "miniprogrampage",
        Message::File { .. } => "file",
        Message::Event(_) => "event",
        _ => "other",
    }
}
