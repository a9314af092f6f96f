//! What a typed message says about its document: a claim per field, under the field's name there. Comparing claims
//! with an independent parse shows that every field was read, and read into the right place.

use crate::vectors::same;
use crate::vectors_event_claims;
use serde_json::Value;
use std::collections::HashSet;
use wxapi::wechat::event::Event;
use wxapi::wechat::message::{Device, Inbound, Message, Video};

/// Every `MsgType` that has a variant of its own.
const MESSAGES: [&str; 12] = [
    "text",
    "image",
    "voice",
    "video",
    "shortvideo",
    "location",
    "link",
    "miniprogrampage",
    "file",
    "device_text",
    "device_event",
    "event",
];

/// Paths are `A/B/0/C`; `x|y` names alternatives, of which a document has at most one.
#[derive(Default)]
pub struct Claims {
    texts: Vec<(String, String)>,
    numbers: Vec<(String, String)>,
    lists: Vec<(String, usize)>,
    known: Vec<&'static str>,
}

impl Claims {
    pub fn text(&mut self, path: impl Into<String>, text: impl Into<String>) -> &mut Self {
        self.texts.push((path.into(), text.into()));
        self
    }

    pub fn optional(&mut self, path: impl Into<String>, text: Option<&str>) -> &mut Self {
        self.text(path, text.unwrap_or_default())
    }

    /// A number that is 0 when the document does not state it.
    pub fn number(&mut self, path: impl Into<String>, number: impl ToString) -> &mut Self {
        self.numbers.push((path.into(), number.to_string()));
        self
    }

    /// A field that is left out on purpose.
    pub fn known(&mut self, path: &'static str) {
        self.known.push(path);
    }

    pub fn list(&mut self, path: impl Into<String>, length: usize) -> &mut Self {
        self.lists.push((path.into(), length));
        self
    }
}

/// Compares a typed message with `expected.fields` and `expected.normalized`. `complete` demands that every field of
/// the document is claimed, for types and events that have variants.
pub fn check(inbound: &Inbound, expected: &Value, complete: bool) -> Result<(), String> {
    let fields = &expected["fields"];
    let mut claims = Claims::default();
    common(&mut claims, inbound);
    message(&mut claims, &inbound.message);
    check_known(&inbound.message, fields)?;
    let mut claimed: HashSet<String> = claims.known.iter().map(|path| (*path).to_owned()).collect();
    for (path, text) in &claims.texts {
        let (found, at) = lookup(fields, path);
        claimed.insert(at);
        same(path, &comparable(path, text), &comparable(path, &found))?;
    }
    for (path, number) in &claims.numbers {
        let (found, at) = lookup(fields, path);
        claimed.insert(at);
        let found = if found.is_empty() { "0" } else { found.trim() };
        same(path, &number.as_str(), &found)?;
    }
    for (path, length) in &claims.lists {
        same(&format!("length of {path}"), length, &count(fields, path))?;
    }
    normalized(inbound, &expected["normalized"])?;
    if complete && is_typed(&inbound.message) && expected["extra"] != true {
        let mut leaves = Vec::new();
        collect(fields, String::new(), &mut leaves);
        leaves.retain(|leaf| !claimed.contains(leaf) && leaf != "Encrypt");
        same("fields that were not read", &leaves, &Vec::new())?;
    }
    Ok(())
}

fn common(claims: &mut Claims, inbound: &Inbound) {
    claims
        .text("ToUserName", inbound.to.as_str())
        .text("FromUserName", inbound.from.as_str())
        .number("CreateTime", inbound.created)
        .optional("MsgId|MsgID", inbound.id.as_ref().map(|id| id.as_str()));
    let article = inbound.article.as_ref();
    claims.optional("MsgDataId", article.map(|article| article.msg_data_id.as_str()));
    if let Some(idx) = article.and_then(|article| article.idx) {
        claims.number("Idx", idx);
    }
}

fn message(claims: &mut Claims, message: &Message) {
    claims.text("MsgType", msg_type(message));
    match message {
        Message::Text { content, menu_id } => {
            claims.text("Content", content).optional("bizmsgmenuid", menu_id.as_deref());
        }
        Message::Image { pic_url, media_id } => {
            claims.text("PicUrl", pic_url).text("MediaId", media_id);
        }
        Message::Voice { media_id, format, recognition, media_id_16k } => {
            claims
                .text("MediaId", media_id)
                .text("Format", format)
                .optional("Recognition", recognition.as_deref())
                .optional("MediaId16K", media_id_16k.as_deref());
        }
        Message::Video(video) | Message::ShortVideo(video) => film(claims, video),
        Message::DeviceText(hardware) => device(claims, hardware),
        Message::DeviceEvent { event, device: hardware } => {
            claims.text("Event", event);
            device(claims, hardware);
        }
        Message::Event(event) => vectors_event_claims::event(claims, event),
        Message::Probe { action } => {
            claims.text("action", action);
        }
        Message::Component { info_type } => {
            claims.text("InfoType", info_type);
        }
        other => card(claims, other),
    }
}

fn card(claims: &mut Claims, message: &Message) {
    match message {
        Message::Location { latitude, longitude, scale, label } => {
            claims
                .text("Location_X", latitude)
                .text("Location_Y", longitude)
                .text("Scale", scale)
                .text("Label", label);
        }
        Message::Link { title, description, url } => {
            claims.text("Title", title).text("Description", description).text("Url", url);
        }
        Message::MiniProgramPage { title, app_id, page_path, thumb_url, thumb_media_id } => {
            claims
                .text("Title", title)
                .text("AppId", app_id.as_str())
                .text("PagePath", page_path)
                .text("ThumbUrl", thumb_url)
                .text("ThumbMediaId", thumb_media_id);
        }
        Message::File { title, description, file_key, file_md5, file_total_len } => {
            claims
                .text("Title", title)
                .text("Description", description)
                .text("FileKey", file_key)
                .text("FileMd5", file_md5)
                .number("FileTotalLen", file_total_len);
        }
        _ => {}
    }
}

fn film(claims: &mut Claims, video: &Video) {
    claims.text("MediaId", &video.media_id).text("ThumbMediaId", &video.thumb_media_id);
}

fn device(claims: &mut Claims, device: &Device) {
    claims
        .text("DeviceType", &device.device_type)
        .text("DeviceID", &device.device_id)
        .text("SessionID", &device.session_id)
        .text("OpenID", device.open_id.as_str())
        .text("Content", &device.content);
}

fn msg_type(message: &Message) -> &str {
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
        Message::DeviceText(_) => "device_text",
        Message::DeviceEvent { .. } => "device_event",
        Message::Event(_) => "event",
        Message::Probe { .. } | Message::Component { .. } => "",
        Message::Unknown { msg_type } => msg_type,
    }
}

/// A type or event with a variant must not end among the others.
fn check_known(message: &Message, fields: &Value) -> Result<(), String> {
    let lower = |name: &str| leaf(&fields[name]).trim().to_ascii_lowercase();
    let lost = match message {
        Message::Unknown { .. } => MESSAGES.contains(&lower("MsgType").as_str()),
        Message::Event(Event::Other { .. }) => {
            vectors_event_claims::EVENTS.contains(&lower("Event").as_str())
        }
        _ => false,
    };
    if lost { Err(format!("{message:?} has a variant of its own")) } else { Ok(()) }
}

/// Whether the variant promises to hold every field. Some vectors have `extra` ones on purpose.
fn is_typed(message: &Message) -> bool {
    !matches!(
        message,
        Message::Unknown { .. }
            | Message::Probe { .. }
            | Message::Component { .. }
            | Message::Event(Event::Other { .. })
    )
}

/// The vectors' own reading, where they have one.
fn normalized(inbound: &Inbound, expected: &Value) -> Result<(), String> {
    let found = [
        ("to_user", inbound.to.as_str().to_owned()),
        ("from_user", inbound.from.as_str().to_owned()),
        ("create_time", inbound.created.to_string()),
        ("msg_id", inbound.id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default()),
    ];
    for (name, found) in found {
        if let Some(value) = expected.get(name) {
            same(name, &found.as_str(), &leaf(value).trim())?;
        }
    }
    Ok(())
}

/// WeChat's own spelling varies in case (types, events) and in blanks (job results).
fn comparable(path: &str, text: &str) -> String {
    match path {
        "MsgType" | "Event" => text.trim().to_ascii_lowercase(),
        "Status" => text.replace(' ', ""),
        _ => text.trim().to_owned(),
    }
}

/// The text at a path, and the path without the index of lists of one.
fn lookup(fields: &Value, path: &str) -> (String, String) {
    let mut first = None;
    for alternative in path.split('|') {
        match walk(fields, alternative) {
            Some((value, at)) => return (leaf(value), at),
            None => first = first.or(Some(alternative.to_owned())),
        }
    }
    (String::new(), first.unwrap_or_default())
}

fn walk<'a>(fields: &'a Value, path: &str) -> Option<(&'a Value, String)> {
    let mut value = fields;
    let mut at: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match (step.parse::<usize>(), value) {
            (Ok(index), Value::Array(values)) => {
                value = values.get(index)?;
                at.push(step);
            }
            (Ok(0), _) => {}
            (Ok(_), _) => return None,
            (Err(_), _) => {
                value = value.get(step)?;
                at.push(step);
            }
        }
    }
    Some((value, at.join("/")))
}

fn count(fields: &Value, path: &str) -> usize {
    let found = path.split('|').find_map(|alternative| walk(fields, alternative));
    match found {
        Some((Value::Array(values), _)) => values.len(),
        Some((Value::String(text), _)) if text.trim().is_empty() => 0,
        Some(_) => 1,
        None => 0,
    }
}

fn collect(value: &Value, at: String, leaves: &mut Vec<String>) {
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| collect(value, below(name), leaves));
        }
        Value::Array(values) => {
            values
                .iter()
                .enumerate()
                .for_each(|(index, value)| collect(value, below(&index.to_string()), leaves));
        }
        leaf if self::leaf(leaf).trim().is_empty() => {}
        _ => leaves.push(at),
    }
}

/// A value as the text that XML would have.
pub fn leaf(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
