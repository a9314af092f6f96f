//! What a person does, as the plain XML that WeChat pushes.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wxapi::wechat::xml::XmlWriter;

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
    /// Sent a page of the Mini Program.
    Page {
        /// Which.
        page: Page,
        /// The Mini Program's AppID.
        app_id: String,
        /// The media id of the card's picture.
        thumb_media_id: String,
    },
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

/// A page of the Mini Program, sent as a card from the chat with its customer service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    /// The card's title.
    pub title: String,
    /// The page with its query, as `pages/index/index?a=1`.
    pub path: String,
    /// Where the card's picture is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub thumb_url: String,
    /// The Mini Program's AppID; its own without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appid: Option<String>,
}

/// A document, element by element in the order of the wire.
type Members = Vec<(String, Value)>;

/// The wrappers that only XML has: in JSON, what is in them stands at the top.
const ONLY_IN_XML: [&str; 3] = ["SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent"];

/// The whole document as XML. As on the wire, a line ends after the first element.
pub fn write(head: &Head, content: &Content) -> String {
    let mut xml = XmlWriter::new(512);
    for (name, value) in members(head, content) {
        write_field(&mut xml, &name, &value);
    }
    xml.finish().replacen("</ToUserName>", "</ToUserName>\n", 1)
}

/// The whole document as JSON, which a Mini Program may choose.
pub fn write_json(head: &Head, content: &Content) -> String {
    let unwrapped = |(name, value): (String, Value)| match value {
        Value::Object(inside) if ONLY_IN_XML.contains(&name.as_str()) => inside.into_iter().collect(),
        value => vec![(name, value)],
    };
    let members = members(head, content).into_iter().flat_map(unwrapped);
    let written = members.map(|(name, value)| format!("{}:{value}", Value::String(name)));
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}

fn members(head: &Head, content: &Content) -> Members {
    let text = |name: &str, value: &str| (name.to_owned(), Value::from(value));
    let mut members = vec![
        text("ToUserName", &head.to),
        text("FromUserName", &head.from),
        ("CreateTime".to_owned(), Value::from(head.create_time)),
        text("MsgType", msg_type(content)),
    ];
    members.extend(content_members(content));
    if !matches!(content, Content::Event(_)) {
        // Cloud functions get ids that are no numbers.
        let number = head.msg_id.parse::<u64>().map(Value::from);
        members.push(("MsgId".to_owned(), number.unwrap_or_else(|_| Value::from(head.msg_id.as_str()))));
    }
    members
}

fn msg_type(content: &Content) -> &'static str {
    match content {
        Content::Text { .. } => "text",
        Content::Image { .. } => "image",
        Content::Voice { .. } => "voice",
        Content::Location(_) => "location",
        Content::Link(_) => "link",
        Content::Page { .. } => "miniprogrampage",
        Content::Event(_) => "event",
    }
}

fn content_members(content: &Content) -> Members {
    let pairs: Vec<(&str, Value)> = match content {
        Content::Text { text, menu_id } => {
            let menu_id = menu_id.iter().map(|id| ("bizmsgmenuid", Value::from(id.as_str())));
            std::iter::once(("Content", Value::from(text.as_str()))).chain(menu_id).collect()
        }
        Content::Image { media_id, pic_url } => {
            vec![("PicUrl", pic_url.as_str().into()), ("MediaId", media_id.as_str().into())]
        }
        Content::Voice { media_id, format, recognition } => {
            let recognition = recognition.iter().map(|text| ("Recognition", Value::from(text.as_str())));
            let voice = [("MediaId", media_id.as_str().into()), ("Format", format.as_str().into())];
            voice.into_iter().chain(recognition).collect()
        }
        Content::Location(Location { lat, lon, label }) => vec![
            ("Location_X", (*lat).into()),
            ("Location_Y", (*lon).into()),
            ("Scale", 15.into()),
            ("Label", label.as_str().into()),
        ],
        Content::Link(Link { title, description, url }) => vec![
            ("Title", title.as_str().into()),
            ("Description", description.as_str().into()),
            ("Url", url.as_str().into()),
        ],
        Content::Page { page, app_id, thumb_media_id } => vec![
            ("Title", page.title.as_str().into()),
            ("AppId", page.appid.as_deref().unwrap_or(app_id).into()),
            ("PagePath", page.path.as_str().into()),
            ("ThumbUrl", page.thumb_url.as_str().into()),
            ("ThumbMediaId", thumb_media_id.as_str().into()),
        ],
        Content::Event(event) => return event_members(event),
    };
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn event_members(event: &Event) -> Members {
    let key = event.key.as_deref().unwrap_or_default();
    let (name, key, ticket) = match event.kind.as_str() {
        "subscribe" if !key.is_empty() => ("subscribe", format!("qrscene_{key}"), true),
        "click" => ("CLICK", key.to_owned(), false),
        "view" => ("VIEW", key.to_owned(), false),
        "scan" => ("SCAN", key.to_owned(), true),
        other => (other, key.to_owned(), false),
    };
    let mut members = vec![("Event".to_owned(), Value::from(name))];
    let ticket = (ticket && !event.fields.contains_key("Ticket")).then(|| format!("wx-sim-ticket-{key}"));
    if event.key.is_some() || has_key(name) {
        members.push(("EventKey".to_owned(), Value::from(key)));
    }
    members.extend(ticket.map(|ticket| ("Ticket".to_owned(), Value::from(ticket))));
    members.extend(event.fields.clone());
    members
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

#[cfg(test)]
mod tests {
    use super::*;
    use wxapi::wechat::xml::{Fields, parse_xml};

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
    fn a_mini_program_may_want_json() {
        let (to, from, msg_id) = ("gh_1".to_owned(), "o1".to_owned(), "17999999999999999".to_owned());
        let head = Head { to, from, create_time: 1, msg_id };
        let text = Content::Text { text: "a\"好\n".to_owned(), menu_id: None };
        assert_eq!(
            write_json(&head, &text),
            r#"{"ToUserName":"gh_1","FromUserName":"o1","CreateTime":1,"MsgType":"text","Content":"a\"好\n","MsgId":17999999999999999}"#
        );
        let fields = serde_json::json!({ "SubscribeMsgPopupEvent": { "List": { "TemplateId": "t" } } });
        let fields = fields.as_object().unwrap().clone().into_iter().collect();
        let event = Event { kind: "subscribe_msg_popup_event".to_owned(), key: None, fields };
        let event = write_json(&head, &Content::Event(event));
        assert!(
            event.ends_with(r#""Event":"subscribe_msg_popup_event","List":{"TemplateId":"t"}}"#),
            "{event}"
        );
        let page = Page { title: "t".to_owned(), path: "p?a=1".to_owned(), ..Page::default() };
        let page = Content::Page { page, app_id: "wx1".to_owned(), thumb_media_id: "m".to_owned() };
        let read = parse_xml(&write(&head, &page)).unwrap();
        assert_eq!((read.get("MsgType"), read.get("AppId")), (Some("miniprogrampage"), Some("wx1")));
        assert_eq!((read.get("PagePath"), read.get("ThumbMediaId")), (Some("p?a=1"), Some("m")));
    }
}
