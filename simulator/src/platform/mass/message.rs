//! What a mass message may be, and how it looks on the phone.

use serde_json::Value;

use crate::phone::Bubble;
use crate::platform::api::{list, text};
use crate::platform::custom::{check_text, need};
use crate::platform::errcode::{self, Errcode};

/// Pictures of one message.
const PICTURES: usize = 20;

/// Every `msgtype` needs its object with its members. As with customer messages, media ids are not looked up.
pub fn check(message: &Value) -> Result<(), Errcode> {
    let msgtype = text(message, "msgtype");
    let payload = payload(message).ok_or(errcode::MESSAGE_TYPE)?;
    match msgtype {
        "text" => check_text(text(payload, "content")),
        "voice" | "mpvideo" => need(payload, &["media_id"], errcode::MEDIA_ID),
        "mpnews" => {
            need(payload, &["media_id"], errcode::MEDIA_ID)?;
            let reprint = message.get("send_ignore_reprint");
            let known = reprint.is_none_or(|value| matches!(value.as_u64(), Some(0 | 1)));
            if known { Ok(()) } else { Err(super::ARGUMENTS) }
        }
        "image" | "images" => match pictures(payload).len() {
            1..=PICTURES => Ok(()),
            _ => Err(errcode::MEDIA_ID),
        },
        "wxcard" => need(payload, &["card_id"], errcode::MESSAGE_TYPE),
        _ => Err(errcode::MESSAGE_TYPE),
    }
}

/// Pictures come as `images` today and as `image` in older programs, under either `msgtype`.
fn payload(message: &Value) -> Option<&Value> {
    match text(message, "msgtype") {
        "image" | "images" => message.get("images").or_else(|| message.get("image")),
        msgtype => message.get(msgtype),
    }
}

fn pictures(payload: &Value) -> Vec<&str> {
    let many = list(payload, "media_ids").iter().filter_map(Value::as_str);
    many.chain(Some(text(payload, "media_id"))).filter(|id| !id.is_empty()).collect()
}

/// How it looks: pictures are one bubble each.
pub fn bubbles(message: &Value) -> Vec<Bubble> {
    let Some(payload) = payload(message) else { return Vec::new() };
    let media_id = text(payload, "media_id").to_owned();
    match text(message, "msgtype") {
        "image" | "images" => {
            let pictures = pictures(payload).into_iter();
            pictures.map(|id| Bubble::Image { media_id: id.to_owned() }).collect()
        }
        "mpvideo" => {
            let part = |name| text(payload, name).to_owned();
            vec![Bubble::Video { media_id, title: part("title"), description: part("description") }]
        }
        _ => vec![Bubble::from_custom(message)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pictures_old_and_new() {
        let new = json!({ "msgtype": "image", "images": { "media_ids": ["a", "b"], "recommend": "x" } });
        let old = json!({ "msgtype": "image", "image": { "media_id": "a" } });
        let none = json!({ "msgtype": "image", "images": { "media_ids": [] } });
        assert_eq!((check(&new), bubbles(&new).len()), (Ok(()), 2));
        assert_eq!((check(&old), bubbles(&old).len()), (Ok(()), 1));
        assert_eq!(check(&none), Err(errcode::MEDIA_ID));
    }
}
