//! What `POST /_sim/send` takes and gives.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::phone::Bubble;
use crate::platform::api::App;
use crate::push::checks::Check;
use crate::push::deliver::Delivery;
use crate::push::envelope::{Format, Mode, Tamper};
use crate::push::message::{Event, Link, Location, Page};

/// Who does what. Exactly one of `text`, `image`, `voice`, `link`, `location`, `page`, `event` and `xml` is to be set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SendRequest {
    /// The person's name, or an openid. `xiaoming` without it.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Whether it happens in the chat with the Mini Program's customer service, where people send `text`, `image` and
    /// `page`, and `user_enter_tempsession` is an event.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mini: bool,
    /// How to seal it; `aes` without it if there is a key, else `plain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The notation of a message to the Mini Program; that of its settings without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// A text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The id of the one-tap link that wrote the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bizmsgmenuid: Option<String>,
    /// A picture in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// A recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
    /// A link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// A place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// A page of the Mini Program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
    /// An event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// A plain document, delivered as it is (sealed by `mode`). The Mini Program's may be JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xml: Option<String>,
    /// Most deliveries; 3 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<u32>,
    /// Milliseconds of each delivery; 5000 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_ms: Option<u64>,
    /// Deliver so many copies at once, instead of one after another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u32>,
    /// The MsgId, as a number or a text; a new one without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msg_id: Option<Value>,
    /// The CreateTime in seconds; now without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// What an attacker does to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tamper: Option<Tamper>,
    /// The callback URL; the server's own without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// A recording: its bytes in base64, or those with more about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Voice {
    /// Just the bytes.
    Bytes(String),
    /// With its format and WeChat's transcript.
    Full(FullVoice),
}

/// A recording with what WeChat says about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FullVoice {
    /// The bytes in base64.
    pub data: String,
    /// `amr` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// What WeChat's speech recognition understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recognition: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendReport {
    /// Who did it.
    #[serde(rename = "as")]
    pub person: String,
    /// Their openid.
    pub openid: String,
    /// The mode used.
    pub mode: Mode,
    /// The message's id; null for events.
    pub msg_id: Option<String>,
    /// Every delivery.
    pub deliveries: Vec<Delivery>,
    /// What the user sees of it.
    pub shown: Vec<Bubble>,
    /// Whether that is WeChat's error line.
    pub error_line: bool,
    /// The rules that apply, and whether they are kept.
    pub checks: Vec<Check>,
}

impl SendRequest {
    /// The name of who does it.
    pub fn person(&self) -> &str {
        self.person.as_deref().unwrap_or("xiaoming")
    }

    /// In which app it happens.
    pub fn app(&self) -> App {
        if self.mini { App::Mini } else { App::Official }
    }

    /// How many of the things are set of which exactly one is to be.
    pub fn kinds(&self) -> usize {
        let set = [
            self.text.is_some(),
            self.image.is_some(),
            self.voice.is_some(),
            self.link.is_some(),
            self.location.is_some(),
            self.page.is_some(),
            self.event.is_some(),
            self.xml.is_some(),
        ];
        set.into_iter().filter(|set| *set).count()
    }
}
