//! What a mass message may be, and how it looks on the phone.

use serde_json::Value;

use crate::phone::Bubble;
use crate::platform::api::{list, text};
use crate::platform::custom::{check_text, need};
use crate::platform::errcode::{self, Errcode};
use crate::platform::media;
use crate::platform::upload::Kind;
use crate::state::State;

/// Pictures of one message.
const PICTURES: usize = 20;

/// A message that may be sent.
#[derive(Debug)]
pub struct Message {
    /// The request.
    pub body: Value,
    /// How it looks: pictures are one bubble each.
    pub shown: Vec<Bubble>,
}

impl Message {
    /// Reads a request.
    ///
    /// # Errors
    /// 40008 for an unknown `msgtype` or a missing payload, 40007 for files and drafts that are not there or of another
    /// kind, 44004 and 45002 for texts, 40035.
    pub fn read(body: Value, state: &State, now_ms: u64) -> Result<Self, Errcode> {
        let payload = payload(&body).ok_or(errcode::MESSAGE_TYPE)?;
        let media_id = text(payload, "media_id");
        let file = |id: &str, kind| {
            let found = media::usable(state, id, now_ms).is_some_and(|media| media.kind == kind);
            if found { Ok(id.to_owned()) } else { Err(errcode::MEDIA_ID) }
        };
        let shown = match text(&body, "msgtype") {
            "text" => {
                check_text(text(payload, "content"))?;
                vec![Bubble::text(text(payload, "content"))]
            }
            "voice" => vec![Bubble::Voice { media_id: file(media_id, Kind::Voice)? }],
            "mpvideo" => {
                let [title, description] =
                    ["title", "description"].map(|name| text(payload, name).to_owned());
                vec![Bubble::Video { media_id: file(media_id, Kind::Video)?, title, description }]
            }
            "mpnews" => vec![articles(&body, media_id, state)?],
            "image" | "images" => {
                let ids = pictures(payload);
                if !(1..=PICTURES).contains(&ids.len()) {
                    return Err(errcode::MEDIA_ID);
                }
                let show = |id: &str| Ok(Bubble::Image { media_id: file(id, Kind::Image)? });
                ids.into_iter().map(show).collect::<Result<_, Errcode>>()?
            }
            "wxcard" => {
                need(payload, &["card_id"], errcode::MESSAGE_TYPE)?;
                vec![Bubble::Other { msgtype: "wxcard".to_owned() }]
            }
            _ => return Err(errcode::MESSAGE_TYPE),
        };
        Ok(Self { body, shown })
    }

    /// The addresses of its articles.
    pub fn article_urls(&self) -> Vec<&str> {
        let articles = self.shown.iter().filter_map(|bubble| match bubble {
            Bubble::News { articles } => Some(articles),
            _ => None,
        });
        articles.flatten().map(|article| article.url.as_str()).collect()
    }
}

fn articles(body: &Value, media_id: &str, state: &State) -> Result<Bubble, Errcode> {
    let reprint = body.get("send_ignore_reprint");
    if !reprint.is_none_or(|value| matches!(value.as_u64(), Some(0 | 1))) {
        return Err(errcode::INVALID);
    }
    let news = state.drafts.news(media_id).ok_or(errcode::MEDIA_ID)?;
    Ok(news.card(&state.base_url))
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pictures_old_and_new() {
        let new = json!({ "msgtype": "image", "images": { "media_ids": ["a", "b"], "recommend": "x" } });
        let old = json!({ "msgtype": "image", "image": { "media_id": "c" } });
        assert_eq!(pictures(payload(&new).unwrap()), ["a", "b"]);
        assert_eq!(pictures(payload(&old).unwrap()), ["c"]);
    }
}
