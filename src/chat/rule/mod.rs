//! Keyword rules: what the account answers without asking the model.
//!
//! Pure. [`read`] makes a rule of its document and says all that is wrong with it, [`pattern`] matches texts in linear
//! time, [`reply`] fills in what is said, [`import`] reads the rules of WeChat's own console.

pub mod import;
pub mod pattern;
pub mod read;
pub mod regex;
pub mod reply;

use serde_json::Value;

use super::intent::bare;
use crate::wechat::event::{Event, PictureSource, SubscribeSource};
use crate::wechat::message::{Inbound, Message, Video};
use pattern::{Pattern, Said};

/// Most rules of an account.
pub const RULES: usize = 500;
/// Most regular expressions in all rules together: a message is held against each.
pub const REGEXES: usize = 100;
/// Most steps of all of them together. The longest message then takes them 0.2 s at worst.
pub const STEPS: usize = 2_000;

/// The types of message that a rule can ask for, as WeChat calls them.
pub const MESSAGES: &[&str] =
    &["text", "image", "voice", "video", "shortvideo", "location", "link", "file", "miniprogrampage"];
/// The events that a rule can ask for: those whose reply WeChat shows.
pub const EVENTS: &[&str] = &[
    "subscribe",
    "scan",
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
];

/// What rules look at in a message or event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subject<'a> {
    /// One of [`MESSAGES`] or [`EVENTS`].
    pub kind: &'a str,
    /// What was said; of an event its key, or the scene that led to it; else empty.
    pub text: &'a str,
    /// The picture, voice or video; else empty.
    pub media_id: &'a str,
}

impl<'a> Subject<'a> {
    /// The subject of `inbound`; `None` if no rule can apply to it.
    pub fn of(inbound: &'a Inbound) -> Option<Self> {
        let (kind, text, media_id): (_, &str, &str) = match &inbound.message {
            Message::Text { content, .. } => ("text", content.trim(), ""),
            Message::Image { media_id, .. } => ("image", "", media_id),
            Message::Voice { media_id, recognition, .. } => {
                ("voice", bare(recognition.as_deref().unwrap_or_default()), media_id)
            }
            Message::Video(Video { media_id, .. }) => ("video", "", media_id),
            Message::ShortVideo(Video { media_id, .. }) => ("shortvideo", "", media_id),
            Message::Location { label, .. } => ("location", label, ""),
            Message::Link { title, .. } => ("link", title, ""),
            Message::File { title, .. } => ("file", title, ""),
            Message::MiniProgramPage { title, .. } => ("miniprogrampage", title, ""),
            Message::Event(event) => {
                let (kind, key) = of_event(event)?;
                (kind, key, "")
            }
            _ => return None,
        };
        Some(Self { kind, text, media_id })
    }

    /// Something happened, rather than that somebody wrote.
    pub fn is_event(&self) -> bool {
        EVENTS.contains(&self.kind)
    }

    /// Its text was written or spoken by the user.
    fn is_said(&self) -> bool {
        matches!(self.kind, "text" | "voice") && !self.text.is_empty()
    }
}

fn of_event(event: &Event) -> Option<(&'static str, &str)> {
    Some(match event {
        Event::Subscribe { source, .. } => match source {
            SubscribeSource::QrScene(scene) => ("subscribe", scene),
            _ => ("subscribe", ""),
        },
        Event::Scan { scene, .. } => ("scan", scene),
        Event::Click { key } => ("click", key),
        Event::ScanCode { key, waits: true, .. } => ("scancode_waitmsg", key),
        Event::ScanCode { key, .. } => ("scancode_push", key),
        Event::Pictures { key, source, .. } => match source {
            PictureSource::SysPhoto => ("pic_sysphoto", key),
            PictureSource::PhotoOrAlbum => ("pic_photo_or_album", key),
            PictureSource::Weixin => ("pic_weixin", key),
        },
        Event::LocationSelect { key, .. } => ("location_select", key),
        _ => return None,
    })
}

/// One rule, ready to match.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The id of its document.
    pub id: String,
    /// Its name, for the operator.
    pub name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// One of these is said …
    texts: Vec<Pattern>,
    /// … or the message is of one of these types …
    types: Vec<&'static str>,
    /// … or one of these events happens, with this key if one is given …
    events: Vec<(&'static str, Option<String>)>,
    /// … and the minute of the day, in China, is from the first to before the second.
    hours: Option<(u16, u16)>,
    /// A reply as [`reply`] reads it.
    reply: Value,
}

impl Rule {
    /// How many of its conditions are regular expressions.
    pub fn regexes(&self) -> usize {
        self.texts.iter().filter(|pattern| matches!(pattern, Pattern::Regex(_))).count()
    }

    /// How many steps those have together.
    pub fn steps(&self) -> usize {
        let steps = |pattern: &Pattern| if let Pattern::Regex(regex) = pattern { regex.steps() } else { 0 };
        self.texts.iter().map(steps).sum()
    }

    /// What the groups of a regular expression matched, if the rule matches.
    fn matches(&self, subject: &Subject<'_>, said: &Said<'_>, minute: u16) -> Option<Vec<String>> {
        if !self.enabled || self.hours.is_some_and(|hours| !within(hours, minute)) {
            return None;
        }
        let heard = subject.is_said().then(|| self.texts.iter().find_map(|pattern| pattern.matches(said)));
        if let Some(groups) = heard.flatten() {
            return Some(groups);
        }
        let event = |(kind, key): &(&str, Option<String>)| {
            *kind == subject.kind && key.as_deref().is_none_or(|key| key == subject.text)
        };
        (self.types.contains(&subject.kind) || self.events.iter().any(event)).then(Vec::new)
    }
}

/// A span may go beyond midnight.
fn within((from, to): (u16, u16), minute: u16) -> bool {
    if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
}

/// The minute of the day in China, which has had no summer time since 1991.
fn minute_of_day(now: u64) -> u16 {
    let minute = (now / 60_000 + 8 * 60) % (24 * 60);
    u16::try_from(minute).unwrap_or_default()
}

/// Every rule of the account, in order, and what new followers are told.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// The rules; the first that matches answers.
    pub rules: Vec<Rule>,
    /// The reply to `subscribe`, unless a rule has another one; `None` for the usual text.
    pub welcome: Option<Value>,
}

/// What the book says to a message.
#[derive(Clone, Debug)]
pub struct Ruling<'a> {
    /// The rule; `None` for the welcome.
    pub rule: Option<&'a Rule>,
    /// The reply's type: one of [`reply::KINDS`].
    pub kind: &'static str,
    /// The reply with everything filled in.
    pub reply: Value,
}

impl Book {
    /// What is said to `subject`. A rule whose reply makes nothing of it, such as an echo of a place, is passed over.
    ///
    /// `with_human`: a person is answering this user's messages, so only rules that begin or end that are asked about
    /// them.
    pub fn decide(&self, subject: &Subject<'_>, now: u64, with_human: bool) -> Option<Ruling<'_>> {
        let said = Said::new(subject.text);
        let minute = minute_of_day(now);
        for rule in &self.rules {
            let Some(kind) = reply::kind(&rule.reply) else { continue };
            if with_human && !subject.is_event() && !matches!(kind, "hand_over" | "end_hand_over") {
                continue;
            }
            let Some(groups) = rule.matches(subject, &said, minute) else { continue };
            if let Some(reply) = reply::fill(&rule.reply, subject, &groups) {
                return Some(Ruling { rule: Some(rule), kind, reply });
            }
        }
        let welcome = self.welcome.as_ref().filter(|_| subject.kind == "subscribe")?;
        Some(Ruling { rule: None, kind: reply::kind(welcome)?, reply: reply::fill(welcome, subject, &[])? })
    }
}
