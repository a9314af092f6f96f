//! A person's chat with the account, as the phone shows it.

use std::collections::VecDeque;

use serde::Serialize;
use wxapi::wechat::xml::Fields;

use super::Bubble;
use crate::journal;
use crate::push::deliver::Outcome;
use crate::revision;

/// Lines kept for each person.
const KEPT: usize = 300;
/// Deliveries kept for each line.
const RINGS: usize = 200;

/// One line of a chat.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Unique in this process; later lines have greater ones.
    pub id: u64,
    /// Whose chat it is in.
    pub openid: String,
    /// When: simulated milliseconds since 1970.
    pub at_ms: u64,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
    /// The number of its last change.
    #[serde(skip)]
    pub revision: u64,
}

/// What a line is.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum What {
    /// The person did something.
    Person {
        /// What.
        sent: Sent,
        /// How the account was told of it.
        deliveries: Vec<Ring>,
        /// Milliseconds that each delivery may take.
        limit_ms: u64,
    },
    /// The account said something.
    Account {
        /// What it looks like.
        shown: Bubble,
        /// How it came.
        how: How,
    },
    /// WeChat itself remarks something.
    Notice {
        /// What.
        notice: Notice,
    },
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Sent {
    /// Wrote.
    Text {
        /// The text.
        text: String,
    },
    /// Sent a picture.
    Image {
        /// Where it is.
        url: String,
    },
    /// Spoke.
    Voice {
        /// Where the recording is.
        url: String,
        /// WeChat's transcript.
        recognition: Option<String>,
    },
    /// Sent a place.
    Location {
        /// Latitude in degrees.
        lat: f64,
        /// Longitude in degrees.
        lon: f64,
        /// Its address.
        label: String,
    },
    /// Sent a link.
    Link {
        /// Its title.
        title: String,
        /// Its summary.
        description: String,
        /// Where it leads.
        url: String,
    },
    /// Sent a page of the Mini Program.
    Page {
        /// The card's title.
        title: String,
        /// The page with its query.
        path: String,
    },
    /// Did something that is no message, or that this simulator does not draw.
    Event {
        /// The `Event`, or the `MsgType`.
        name: String,
        /// The `EventKey`.
        key: String,
    },
}

/// One delivery of what a person did, drawn as a small ring.
#[derive(Debug, Clone, Serialize)]
pub struct Ring {
    /// 1, 2, 3.
    pub n: u32,
    /// Its request in the journal.
    pub exchange: u64,
    /// When it began: real milliseconds since 1970.
    pub started_ms: u64,
    /// How it ended; absent while it runs.
    pub state: RingState,
    /// The HTTP status of its answer, if one came.
    pub status: Option<u16>,
    /// Milliseconds that it took; 0 while it runs.
    pub elapsed_ms: u64,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RingState {
    /// It waits for its answer.
    Running(Running),
    /// It ended.
    Ended(Outcome),
}

/// The word `running`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Running {
    /// `"running"`
    Running,
}

/// How a message of the account came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum How {
    /// As the answer to a delivery.
    Passive {
        /// The line that was answered.
        line: u64,
        /// The delivery that was answered; absent if none was.
        delivery: Option<u32>,
        /// Milliseconds that the answer took.
        elapsed_ms: u64,
    },
    /// As a customer-service message.
    Custom {
        /// Milliseconds after the person's last line; absent if there is none.
        after_ms: Option<u64>,
    },
    /// As a mass message.
    Mass,
    /// As a template message.
    Template,
    /// As a subscribe notification.
    Subscribe,
    /// From a menu button that sends material.
    Menu,
}

/// What WeChat remarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The person began to follow the account.
    Followed,
    /// The person stopped following it.
    Left,
}

/// The newest lines of one person's chat.
#[derive(Debug, Default)]
pub struct Transcript {
    lines: VecDeque<Line>,
    /// The number of the last change.
    pub revision: u64,
}

impl Transcript {
    /// Adds a line; returns its id.
    pub fn add(&mut self, openid: &str, at_ms: u64, what: What) -> u64 {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        let id = revision::next();
        self.revision = id;
        self.lines.push_back(Line { id, openid: openid.to_owned(), at_ms, what, revision: id });
        id
    }

    /// Lets `change` work on the deliveries of a line, if it is still there.
    pub fn change_rings(&mut self, line: u64, change: impl FnOnce(&mut Vec<Ring>)) {
        let Some(line) = self.lines.iter_mut().rev().find(|known| known.id == line) else { return };
        if let What::Person { deliveries, .. } = &mut line.what {
            change(deliveries);
            // The same message can be sent again and again.
            let old = deliveries.len().saturating_sub(RINGS);
            deliveries.drain(..old);
            line.revision = revision::next();
            self.revision = line.revision;
        }
    }

    /// The lines that changed after `revision`.
    pub fn since(&self, revision: u64) -> impl Iterator<Item = &Line> {
        let changed = self.revision > revision;
        self.lines.iter().filter(move |line| changed && line.revision > revision)
    }

    /// When the person last did something.
    pub fn last_sent_ms(&self) -> Option<u64> {
        let sent = |line: &&Line| matches!(line.what, What::Person { .. });
        self.lines.iter().rev().find(sent).map(|line| line.at_ms)
    }
}

impl Sent {
    /// What a push says that a person did.
    pub fn from_push(push: &Fields) -> Self {
        let text = |name: &str| journal::kept(push.get(name).unwrap_or_default().as_bytes());
        match push.get("MsgType").unwrap_or_default() {
            "text" => Self::Text { text: text("Content") },
            "image" => Self::Image { url: text("PicUrl") },
            "voice" => {
                let url = format!("/_sim/media/{}", text("MediaId"));
                Self::Voice { url, recognition: push.optional("Recognition") }
            }
            "location" => Self::Location {
                lat: push.number("Location_X").unwrap_or_default(),
                lon: push.number("Location_Y").unwrap_or_default(),
                label: text("Label"),
            },
            "link" => Self::Link { title: text("Title"), description: text("Description"), url: text("Url") },
            "miniprogrampage" => Self::Page { title: text("Title"), path: text("PagePath") },
            "event" => Self::Event { name: text("Event"), key: text("EventKey") },
            other => Self::Event { name: other.to_owned(), key: String::new() },
        }
    }

    /// The same in a few words, for lists.
    pub fn in_short(&self) -> String {
        let text = match self {
            Self::Text { text } => format!("text {text}"),
            Self::Image { .. } => "image".to_owned(),
            Self::Voice { recognition, .. } => {
                format!("voice {}", recognition.as_deref().unwrap_or_default())
            }
            Self::Location { label, .. } => format!("location {label}"),
            Self::Link { title, .. } => format!("link {title}"),
            Self::Page { title, path } => format!("page {title} {path}"),
            Self::Event { name, key } => format!("{name} {key}"),
        };
        journal::in_short(&text)
    }
}
