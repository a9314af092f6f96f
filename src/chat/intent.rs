//! What a message or event of a user asks the chat to do.

use super::command::Command;
use super::prompt;
use super::state::Question;
use super::text::Texts;
use crate::wechat::OpenId;
use crate::wechat::event::Event;
use crate::wechat::message::{Inbound, Message};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Ask the model.
    Ask(Question),
    /// Carry out a command.
    Command(Command),
    /// Remember something for the next question, and say so.
    Note {
        /// What the history remembers.
        note: String,
        /// What the user is told.
        reply: String,
    },
    /// Say this.
    Say(String),
    /// Delete the user's data and say nothing.
    Forget,
    /// Nothing.
    Nothing,
}

/// What `inbound` asks for.
pub fn of(inbound: &Inbound, texts: &Texts) -> Intent {
    match &inbound.message {
        Message::Text { content, .. } => typed(content, texts),
        Message::Voice { recognition: Some(words), .. } => spoken(words, texts),
        Message::Voice { media_id, format, .. } => {
            Intent::Ask(Question::Voice { media_id: media_id.clone(), format: format.clone() })
        }
        Message::Image { pic_url, .. } => Intent::Ask(Question::Picture { url: pic_url.clone() }),
        Message::Link { title, description, url } => {
            Intent::Ask(Question::Text(prompt::link(texts.lang, title, description, url)))
        }
        Message::Location { latitude, longitude, label, .. } => location(latitude, longitude, label, texts),
        Message::Video(_)
        | Message::ShortVideo(_)
        | Message::File { .. }
        | Message::MiniProgramPage { .. } => Intent::Say(texts.cannot_open()),
        Message::Event(event) => of_event(event, texts),
        _ => Intent::Nothing,
    }
}

/// Whether `inbound` asks to delete the user's data.
pub fn forgets(inbound: &Inbound, texts: &Texts) -> bool {
    match &inbound.message {
        // A question that is no command need not be copied to find that out.
        Message::Text { content, .. } => Command::parse(content, &texts.retrieve) == Some(Command::Forget),
        Message::Voice { recognition: Some(_), .. } | Message::Event(_) => {
            matches!(of(inbound, texts), Intent::Forget | Intent::Command(Command::Forget))
        }
        _ => false,
    }
}

fn typed(content: &str, texts: &Texts) -> Intent {
    let content = content.trim();
    match Command::parse(content, &texts.retrieve) {
        Some(command) => Intent::Command(command),
        None if content.is_empty() => Intent::Command(Command::Help),
        None => Intent::Ask(Question::Text(content.to_owned())),
    }
}

/// Recognised speech ends in punctuation that nobody spoke.
pub(super) fn bare(words: &str) -> &str {
    words.trim().trim_end_matches(['。', '，', '.', ',', '!', '！', '?', '？', ' '])
}

fn spoken(words: &str, texts: &Texts) -> Intent {
    match Command::parse(bare(words), &texts.retrieve) {
        Some(command) => Intent::Command(command),
        None => typed(words, texts),
    }
}

fn location(latitude: &str, longitude: &str, label: &str, texts: &Texts) -> Intent {
    let coordinates = format!("{latitude}, {longitude}");
    let name = if label.is_empty() { coordinates.as_str() } else { label };
    Intent::Note { note: texts.location(name, latitude, longitude), reply: texts.location_noted(name) }
}

fn of_event(event: &Event, texts: &Texts) -> Intent {
    match event {
        Event::Subscribe { .. } => Intent::Say(texts.welcome()),
        // A menu button whose key is a command word acts like typing it.
        Event::Click { key } => Command::parse(key, &texts.retrieve).map_or(Intent::Nothing, Intent::Command),
        // WeChat's rules ask for deletion in these cases.
        // <https://developers.weixin.qq.com/doc/service/guide/h5/authorization_change>
        Event::Unsubscribe | Event::UserAuthorizationRevoke(_) | Event::UserAuthorizationCancellation(_) => {
            Intent::Forget
        }
        _ => Intent::Nothing,
    }
}

/// The user whose conversation `inbound` concerns; `None` if it concerns none and `success` is the answer.
pub fn addressee(inbound: &Inbound) -> Option<&OpenId> {
    let user = match &inbound.message {
        // The sender is WeChat here; the person is named inside.
        Message::Event(
            Event::UserAuthorizationRevoke(change) | Event::UserAuthorizationCancellation(change),
        ) => &change.open_id,
        Message::Event(
            Event::Subscribe { .. }
            | Event::Click { .. }
            | Event::Unsubscribe
            | Event::KfCreateSession { .. }
            | Event::KfSwitchSession { .. }
            | Event::KfCloseSession { .. },
        ) => &inbound.from,
        Message::Event(_)
        | Message::DeviceText(_)
        | Message::DeviceEvent { .. }
        | Message::Probe { .. }
        | Message::Component { .. }
        | Message::Unknown { .. } => return None,
        _ => &inbound.from,
    };
    (!user.as_str().is_empty()).then_some(user)
}
