//! What a person does, as the plain XML that WeChat pushes.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wxapi::wechat::xml::{Fields, XmlWriter};

use crate::ledger::Action;

/// The fields that every message has.
#[derive(Debug, Clone)]
pub struct Head {
    /// The account's original id.
    pub to: String,
    /// The person's openid.
    pub from: String,
    /// Seconds since 1970.
    pub create_time: u64,
    /// The message's number; events have none.
    pub msg_id: String,
}

/// What a person did.
#[derive(Debug, Clone)]
pub enum Content {
    /// Wrote a text.
    Text {
        /// The text.
        text: String,
        /// The id of the one-tap link that wrote it.
        menu_id: Option<String>,
    },
    /// Sent a picture.
    Image {
        /// For `media/get`.
        media_id: String,
        /// Where the picture is.
        pic_url: String,
    },
    /// Spoke.
    Voice {
        /// For `media/get`.
        media_id: String,
        /// `amr`, `speex`, …
        format: String,
        /// WeChat's own transcript, for accounts that have it.
        recognition: Option<String>,
    },
    /// Sent a place.
    Location(Location),
    /// Sent a link.
    Link(Link),
    /// Did something else.
    Event(Event),
}

/// A place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Latitude in degrees.
    pub lat: f64,
    /// Longitude in degrees.
    pub lon: f64,
    /// Its address.
    #[serde(default)]
    pub label: String,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Its title.
    pub title: String,
    /// Its summary.
    #[serde(default)]
    pub description: String,
    /// Where it leads.
    pub url: String,
}

/// An event: `subscribe`, `unsubscribe`, `click`, `scan`, `view`, or any other `Event` by its own name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Event {
    /// The event's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The menu key, the scene, or the URL. For `subscribe`: the scene of the QR code that led here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Further elements, as they are: texts, numbers, elements within elements, and lists of elements of one name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
}

/// The whole document. As on the wire, a line ends after the first element.
pub fn write(head: &Head, content: &Content) -> String {
    let mut xml = XmlWriter::new(512);
    xml.cdata("ToUserName", &head.to)
        .cdata("FromUserName", &head.from)
        .number("CreateTime", head.create_time)
        .cdata("MsgType", msg_type(content));
    write_content(&mut xml, content);
    if !matches!(content, Content::Event(_)) {
        write_msg_id(&mut xml, &head.msg_id);
    }
    xml.finish().replacen("</ToUserName>", "</ToUserName>\n", 1)
}

fn msg_type(content: &Content) -> &'static str {
    match content {
        Content::Text { .. } => "text",
        Content::Image { .. } => "image",
        Content::Voice { .. } => "voice",
        Content::Location(_) => "location",
        Content::Link(_) => "link",
        Content::Event(_) => "event",
    }
}

fn write_content(xml: &mut XmlWriter, content: &Content) {
    match content {
        Content::Text { text, menu_id } => {
            xml.cdata("Content", text);
            if let Some(id) = menu_id {
                xml.cdata("bizmsgmenuid", id);
            }
        }
        Content::Image { media_id, pic_url } => {
            xml.cdata("PicUrl", pic_url).cdata("MediaId", media_id);
        }
        Content::Voice { media_id, format, recognition } => {
            xml.cdata("MediaId", media_id).cdata("Format", format);
            if let Some(text) = recognition {
                xml.cdata("Recognition", text);
            }
        }
        Content::Location(Location { lat, lon, label }) => {
            xml.decimal("Location_X", *lat)
                .decimal("Location_Y", *lon)
                .number("Scale", 15)
                .cdata("Label", label);
        }
        Content::Link(Link { title, description, url }) => {
            xml.cdata("Title", title).cdata("Description", description).cdata("Url", url);
        }
        Content::Event(event) => write_event(xml, event),
    }
}

fn write_event(xml: &mut XmlWriter, event: &Event) {
    let key = event.key.as_deref().unwrap_or_default();
    let (name, key, ticket) = match event.kind.as_str() {
        "subscribe" if !key.is_empty() => ("subscribe", format!("qrscene_{key}"), true),
        "click" => ("CLICK", key.to_owned(), false),
        "view" => ("VIEW", key.to_owned(), false),
        "scan" => ("SCAN", key.to_owned(), true),
        other => (other, key.to_owned(), false),
    };
    xml.cdata("Event", name);
    if event.key.is_some() || has_key(name) {
        xml.cdata("EventKey", &key);
    }
    if ticket && !event.fields.contains_key("Ticket") {
        xml.cdata("Ticket", &format!("wx-sim-ticket-{key}"));
    }
    for (name, value) in &event.fields {
        write_field(xml, name, value);
    }
}

/// Whether an event always has an `EventKey`, be it empty: who came or left, a scan, a tap on the menu.
fn has_key(name: &str) -> bool {
    ["subscribe", "unsubscribe", "SCAN", "CLICK", "VIEW", "view_miniprogram", "location_select"]
        .contains(&name)
        || name.starts_with("scancode_")
        || name.starts_with("pic_")
}

fn write_field(xml: &mut XmlWriter, name: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            xml.open(name);
            for (name, value) in members {
                write_field(xml, name, value);
            }
            xml.close(name);
        }
        Value::Array(items) => items.iter().for_each(|item| write_field(xml, name, item)),
        Value::Number(number) if number.is_u64() => {
            xml.number(name, number.as_u64().unwrap_or_default());
        }
        Value::Number(number) => {
            xml.decimal(name, number.as_f64().unwrap_or_default());
        }
        Value::String(text) => {
            xml.cdata(name, text);
        }
        other => {
            xml.cdata(name, &other.to_string());
        }
    }
}

fn write_msg_id(xml: &mut XmlWriter, msg_id: &str) {
    match msg_id.parse() {
        Ok(number) => xml.number("MsgId", number),
        // Cloud functions get ids that are no numbers.
        Err(_) => xml.cdata("MsgId", msg_id),
    };
}

/// Which window for messages a push opens, if any.
pub fn action(push: &Fields) -> Option<Action> {
    if push.get("MsgType") != Some("event") {
        return Some(Action::Message);
    }
    match push.get("Event").unwrap_or_default().to_ascii_lowercase().as_str() {
        "subscribe" => Some(Action::Follow),
        "scan" => Some(Action::Scan),
        "click" | "scancode_push" | "scancode_waitmsg" => Some(Action::Menu),
        _ => None,
    }
}

/// The same for what happens in a Mini Program.
pub fn mini_action(push: &Fields) -> Option<Action> {
    match push.get("Event") {
        None => Some(Action::Message),
        Some(event) => event.eq_ignore_ascii_case("user_enter_tempsession").then_some(Action::Enter),
    }
}

/// The scene of the QR code by which somebody came to follow the account, if they did.
pub fn followed_scene(push: &Fields) -> Option<&str> {
    let follows =
        is_event(push) && push.get("Event").is_some_and(|event| event.eq_ignore_ascii_case("subscribe"));
    push.get("EventKey").filter(|_| follows)?.strip_prefix("qrscene_")
}

/// Whether the push says that the person left.
pub fn is_farewell(push: &Fields) -> bool {
    is_event(push) && push.get("Event").is_some_and(|event| event.eq_ignore_ascii_case("unsubscribe"))
}

/// Whether the push tells how a job of the account ended, what a check found, or which agent took a conversation: the
/// person did nothing.
pub fn is_job_result(push: &Fields) -> bool {
    let name = push.get("Event").unwrap_or_default().to_ascii_lowercase();
    is_event(push)
        && (name.ends_with("jobfinish")
            || name == "wxa_media_check"
            || name == "subscribe_msg_sent_event"
            || name.starts_with("kf_"))
}

/// Whether the push is an event.
pub fn is_event(push: &Fields) -> bool {
    push.get("MsgType") == Some("event")
}

/// Whether nobody looks at the chat when this event happens: neither a reply nor an error line is shown.
pub fn is_unseen(push: &Fields) -> bool {
    let name = push.get("Event").unwrap_or_default().to_ascii_lowercase();
    let unseen = ["unsubscribe", "location", "view", "view_miniprogram"];
    let told = ["subscribe_msg_", "kf_"].iter().any(|family| name.starts_with(family));
    is_event(push) && (unseen.contains(&name.as_str()) || told || is_job_result(push))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wxapi::wechat::xml::parse_xml;

    fn written(content: Content) -> Fields {
        let (to, from, msg_id) = ("gh_1".to_owned(), "o1".to_owned(), "17999999999999999".to_owned());
        parse_xml(&write(&Head { to, from, create_time: 1_800_000_000, msg_id }, &content)).unwrap()
    }

    fn event(kind: &str, key: &str) -> Fields {
        let key = Some(key.to_owned()).filter(|key| !key.is_empty());
        written(Content::Event(Event { kind: kind.to_owned(), key, ..Event::default() }))
    }

    #[test]
    fn a_text_survives_whatever_was_typed() {
        let text = "<b>&amp; ]]> </xml>".to_owned();
        let push = written(Content::Text { text: text.clone(), menu_id: Some("1".to_owned()) });
        assert_eq!(push.get("Content"), Some(text.as_str()));
        assert_eq!(push.get("MsgId"), Some("17999999999999999"));
        assert_eq!(push.get("bizmsgmenuid"), Some("1"));
        assert_eq!(push.number::<u64>("CreateTime"), Some(1_800_000_000));
    }

    #[test]
    fn events_have_their_keys_and_no_msg_id() {
        let push = event("subscribe", "42");
        assert_eq!((push.get("Event"), push.get("EventKey")), (Some("subscribe"), Some("qrscene_42")));
        assert!(push.filled("Ticket").is_some() && push.get("MsgId").is_none());
        assert_eq!(followed_scene(&push), Some("42"));
        assert_eq!(followed_scene(&event("scan", "qrscene_42")), None);
        assert_eq!(followed_scene(&event("subscribe", "qrscene_42")), Some("qrscene_42"), "one prefix goes");
        assert_eq!(event("kf_create_session", "").get("EventKey"), None);
        assert_eq!(event("subscribe", "").get("EventKey"), Some(""));
        assert_eq!(event("click", "MENU_1").get("Event"), Some("CLICK"));
        assert_eq!(event("scan", "42").get("EventKey"), Some("42"));
        assert_eq!(event("LOCATION", "").get("Event"), Some("LOCATION"));
    }

    #[test]
    fn only_events_that_have_a_key_at_wechat_have_one() {
        for keyless in ["LOCATION", "verify_expired", "user_enter_tempsession", "user_authorization_revoke"] {
            assert_eq!(event(keyless, "").get("EventKey"), None, "{keyless}");
        }
        for keyed in ["unsubscribe", "click", "scancode_waitmsg", "pic_weixin", "view_miniprogram"] {
            assert_eq!(event(keyed, "").get("EventKey"), Some(""), "{keyed}");
        }
        assert_eq!(
            event("user_enter_tempsession", "k").get("EventKey"),
            Some("k"),
            "who asks for it gets it"
        );
    }

    #[test]
    fn numbers_are_bare() {
        let head = Head { to: String::new(), from: String::new(), create_time: 1, msg_id: "1".to_owned() };
        let place = Location { lat: 30.283_878, lon: -120.0, label: String::new() };
        let place = write(&head, &Content::Location(place));
        assert!(place.contains("<Location_X>30.283878</Location_X><Location_Y>-120</Location_Y>"), "{place}");
        let fields =
            [("errcode".to_owned(), Value::from(-1008)), ("Precision".to_owned(), Value::from(119.4))];
        let event = Event { kind: "wxa_media_check".to_owned(), key: None, fields: fields.into() };
        let event = write(&head, &Content::Event(event));
        assert!(event.contains("<Precision>119.4</Precision><errcode>-1008</errcode>"), "{event}");
    }

    #[test]
    fn what_opens_a_window_and_what_nobody_sees() {
        assert_eq!(
            action(&written(Content::Text { text: "x".to_owned(), menu_id: None })),
            Some(Action::Message)
        );
        assert_eq!(action(&event("subscribe", "")), Some(Action::Follow));
        assert_eq!(action(&event("view", "https://a.example")), None);
        assert!(is_farewell(&event("unsubscribe", "")) && is_unseen(&event("unsubscribe", "")));
        assert!(is_unseen(&event("TEMPLATESENDJOBFINISH", "")) && !is_unseen(&event("click", "a")));
    }
}
