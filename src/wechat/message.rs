//! What a push says: messages of users, events, and a few requests that are neither.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html>

use super::event::Event;
use super::xml::{Fields, JsonError, XmlError, parse_json, parse_xml};
use super::{AppId, MsgId, OpenId, OriginalId};
use sha1::{Digest, Sha1};
use std::collections::BinaryHeap;
use std::fmt;

/// A push, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// The account that was written to; a reply comes from it.
    pub to: OriginalId,
    /// Who wrote. For some events (job results, authorisation changes) this is WeChat itself, not a person.
    pub from: OpenId,
    /// When it was written, in Unix seconds.
    pub created: u64,
    /// The message's number; events have none, except job results.
    pub id: Option<MsgId>,
    /// The article the message was sent from, if it was.
    pub article: Option<FromArticle>,
    /// What it says.
    pub message: Message,
    key: String,
}

/// Where in the account's articles a message was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromArticle {
    /// The article's message number.
    pub msg_data_id: String,
    /// Which article of a multi-article message, from 1.
    pub idx: Option<u32>,
}

/// The kinds of push. Unknown kinds are kept, because WeChat adds some without notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text, or a tap on a menu message.
    Text {
        /// What the user wrote.
        content: String,
        /// The `msgmenuid` of the tapped link, if it was a tap.
        menu_id: Option<String>,
    },
    /// A picture.
    Image {
        /// Where WeChat serves it.
        pic_url: String,
        /// For media/get; empty in old captures.
        media_id: String,
    },
    /// A voice message.
    Voice {
        /// For media/get.
        media_id: String,
        /// `amr` or `speex`.
        format: String,
        /// The text WeChat recognised, where the account has that switched on.
        recognition: Option<String>,
        /// The same voice in 16 kHz speex.
        media_id_16k: Option<String>,
    },
    /// A video.
    Video(Video),
    /// A short video, taken inside WeChat.
    ShortVideo(Video),
    /// A place the user picked. Numbers are kept as text: we never compute with them.
    Location {
        /// `Location_X`.
        latitude: String,
        /// `Location_Y`.
        longitude: String,
        /// The map's zoom.
        scale: String,
        /// The address; may be empty.
        label: String,
    },
    /// A shared web page.
    Link {
        /// Its title.
        title: String,
        /// Its summary.
        description: String,
        /// Its address.
        url: String,
    },
    /// A Mini Program card.
    MiniProgramPage {
        /// The card's title.
        title: String,
        /// The Mini Program.
        app_id: AppId,
        /// The page inside it.
        page_path: String,
        /// Where WeChat serves the card's picture.
        thumb_url: String,
        /// The card's picture for media/get.
        thumb_media_id: String,
    },
    /// A file; undocumented, but seen. Its content cannot be fetched.
    File {
        /// The file's name.
        title: String,
        /// A note such as its size; may be empty.
        description: String,
        /// WeChat's key of the file.
        file_key: String,
        /// MD5 of the content in hex.
        file_md5: String,
        /// Bytes.
        file_total_len: u64,
    },
    /// Data from legacy hardware.
    DeviceText(Device),
    /// Legacy hardware was bound, unbound, …
    DeviceEvent {
        /// `bind`, `unbind`, …
        event: String,
        /// The hardware.
        device: Device,
    },
    /// Something happened.
    Event(Event),
    /// WeChat cloud hosting asks whether we are alive. Answer `success`.
    Probe {
        /// `CheckContainerPath`.
        action: String,
    },
    /// An Open Platform event for a third-party platform. Answer `success`.
    Component {
        /// `component_verify_ticket`, `authorized`, …
        info_type: String,
    },
    /// A type we do not know, or none at all (empty). Answer `success`.
    Unknown {
        /// The `MsgType` in lower case.
        msg_type: String,
    },
}

/// A video or short video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// For media/get.
    pub media_id: String,
    /// The still picture for media/get.
    pub thumb_media_id: String,
}

/// Legacy hardware and what it sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `DeviceType`: the manufacturer's original id.
    pub device_type: String,
    /// `DeviceID`.
    pub device_id: String,
    /// `SessionID`, to be returned in the answer.
    pub session_id: String,
    /// The user of the hardware.
    pub open_id: OpenId,
    /// The data, base64.
    pub content: String,
}

/// Why an authentic document is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageError {
    /// Starts neither like XML nor like JSON.
    Format,
    /// Broken or hostile XML.
    Xml(XmlError),
    /// Broken or hostile JSON.
    Json(JsonError),
    /// A field that every message has is not there.
    Missing(&'static str),
    /// A field that says who or what appears twice: no reading of it is safe.
    Repeated(&'static str),
    /// `CreateTime` is no number.
    CreateTime,
}

impl fmt::Display for MessageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => formatter.write_str("the document is neither XML nor JSON"),
            Self::Xml(error) => error.fmt(formatter),
            Self::Json(error) => error.fmt(formatter),
            Self::Missing(field) => write!(formatter, "the message has no {field}"),
            Self::Repeated(field) => write!(formatter, "the message has more than one {field}"),
            Self::CreateTime => formatter.write_str("the message's CreateTime is no number"),
        }
    }
}

impl std::error::Error for MessageError {}

impl Inbound {
    /// Reads a plain document, XML or JSON by its first character.
    ///
    /// # Errors
    /// See [`MessageError`]; unknown types and fields are none.
    pub fn parse(document: &str) -> Result<Self, MessageError> {
        Self::from_fields(&parse_document(document)?)
    }

    /// Reads a message from its fields.
    ///
    /// # Errors
    /// A message or event without sender, receiver or time, or with two of them. What has no `MsgType` is no
    /// message and needs none of these.
    pub fn from_fields(fields: &Fields) -> Result<Self, MessageError> {
        for name in ["ToUserName", "FromUserName", "CreateTime", "MsgType"] {
            if fields.children(name).nth(1).is_some() {
                return Err(MessageError::Repeated(name));
            }
        }
        let message = match fields.filled("MsgType") {
            Some(msg_type) => message(&msg_type.to_ascii_lowercase(), fields),
            None => not_a_message(fields),
        };
        if fields.filled("MsgType").is_some() {
            require(fields)?;
        }
        Ok(Self {
            to: OriginalId::new(fields.owned("ToUserName")),
            from: OpenId::new(fields.owned("FromUserName")),
            created: fields.number("CreateTime").unwrap_or_default(),
            id: msg_id(fields).map(MsgId::new),
            article: fields
                .optional("MsgDataId")
                .map(|msg_data_id| FromArticle { msg_data_id, idx: fields.number("Idx") }),
            key: key(fields),
            message,
        })
    }

    /// The message's identity for de-duplication: equal for WeChat's retries (also when encrypted anew), different
    /// for different messages. 32 hex characters; no id can be read from them.
    ///
    /// WeChat's own rule (MsgId, or sender and second for events) is known to collide: voice messages of several
    /// users in one moment, LOCATION beside CLICK, media checks and card events that differ in one deep field.
    pub fn key(&self) -> String {
        self.key.clone()
    }
}

/// Reads a plain document into its fields, XML or JSON by its first character.
///
/// # Errors
/// [`MessageError::Format`], [`MessageError::Xml`] or [`MessageError::Json`].
pub fn parse_document(document: &str) -> Result<Fields, MessageError> {
    let document = document.trim_start_matches('\u{feff}').trim();
    match document.chars().next() {
        Some('<') => parse_xml(document).map_err(MessageError::Xml),
        Some('{') => parse_json(document).map_err(MessageError::Json),
        _ => Err(MessageError::Format),
    }
}

fn require(fields: &Fields) -> Result<(), MessageError> {
    for name in ["ToUserName", "FromUserName", "CreateTime"] {
        fields.get(name).ok_or(MessageError::Missing(name))?;
    }
    fields.number::<u64>("CreateTime").map(|_| ()).ok_or(MessageError::CreateTime)
}

/// Job results spell it `MsgID`.
fn msg_id(fields: &Fields) -> Option<&str> {
    fields.filled("MsgId").or_else(|| fields.filled("MsgID"))
}

fn not_a_message(fields: &Fields) -> Message {
    if let Some(action) = fields.optional("action") {
        Message::Probe { action }
    } else if let Some(info_type) = fields.optional("InfoType") {
        Message::Component { info_type }
    } else {
        Message::Unknown { msg_type: String::new() }
    }
}

fn message(msg_type: &str, fields: &Fields) -> Message {
    let text = |name| fields.owned(name);
    match msg_type {
        "text" => Message::Text { content: text("Content"), menu_id: fields.optional("bizmsgmenuid") },
        "image" => Message::Image { pic_url: text("PicUrl"), media_id: text("MediaId") },
        "voice" => Message::Voice {
            media_id: text("MediaId"),
            format: text("Format"),
            recognition: fields.optional("Recognition"),
            media_id_16k: fields.optional("MediaId16K"),
        },
        "video" => Message::Video(video(fields)),
        "shortvideo" => Message::ShortVideo(video(fields)),
        "location" => Message::Location {
            latitude: text("Location_X"),
            longitude: text("Location_Y"),
            scale: text("Scale"),
            label: text("Label"),
        },
        "link" => Message::Link { title: text("Title"), description: text("Description"), url: text("Url") },
        "miniprogrampage" => Message::MiniProgramPage {
            title: text("Title"),
            app_id: AppId::new(text("AppId")),
            page_path: text("PagePath"),
            thumb_url: text("ThumbUrl"),
            thumb_media_id: text("ThumbMediaId"),
        },
        "file" => Message::File {
            title: text("Title"),
            description: text("Description"),
            file_key: text("FileKey"),
            file_md5: text("FileMd5"),
            file_total_len: fields.number("FileTotalLen").unwrap_or_default(),
        },
        "device_text" => Message::DeviceText(device(fields)),
        "device_event" => Message::DeviceEvent { event: text("Event"), device: device(fields) },
        "event" => Message::Event(Event::from_fields(fields)),
        other => Message::Unknown { msg_type: other.to_owned() },
    }
}

fn video(fields: &Fields) -> Video {
    Video { media_id: fields.owned("MediaId"), thumb_media_id: fields.owned("ThumbMediaId") }
}

fn device(fields: &Fields) -> Device {
    Device {
        device_type: fields.owned("DeviceType"),
        device_id: fields.owned("DeviceID"),
        session_id: fields.owned("SessionID"),
        open_id: OpenId::new(fields.owned("OpenID")),
        content: fields.owned("Content"),
    }
}

/// With a MsgId: sender, receiver, second and number. Without: every field, in any order, but not the ciphertext,
/// which a retry may carry in a new encryption.
fn key(fields: &Fields) -> String {
    let mut hash = Sha1::new();
    match msg_id(fields) {
        Some(id) => {
            for name in ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"] {
                absorb_text(&mut hash, fields.get(name).unwrap_or_default());
            }
            absorb_text(&mut hash, id);
        }
        None => {
            let all = fields.all();
            // A heap, because what sorts a list is five times the code.
            let places = (0..).zip(all).filter(|(_, field)| field.name() != "Encrypt");
            let heap: BinaryHeap<(&str, &str, usize)> =
                places.map(|(place, field)| (field.name(), field.text(), place)).collect();
            let sorted = heap.into_sorted_vec();
            let sorted = sorted.into_iter().filter_map(|(_, _, place)| all.get(place));
            sorted.for_each(|field| absorb(&mut hash, field));
        }
    }
    hex::encode(hash.finalize().get(..16).unwrap_or_default())
}

fn absorb(hash: &mut Sha1, field: &Fields) {
    absorb_text(hash, field.name());
    absorb_text(hash, field.text());
    for child in field.all() {
        absorb(hash, child);
    }
    hash.update([1]);
}

/// The terminating zero cannot be part of the text of a document.
fn absorb_text(hash: &mut Sha1, text: &str) {
    hash.update(text.as_bytes());
    hash.update([0]);
}
