//! Customer-service messages on the phone.
//!
//! <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>

use serde_json::Value;

use super::{Article, Bubble, Choice, MiniProgram};

impl Bubble {
    /// How the message of a `custom/send` request looks; its shape was checked before.
    pub fn from_custom(body: &Value) -> Self {
        let msgtype = text(body, "msgtype");
        let payload = body.get(&msgtype).unwrap_or(&Value::Null);
        match msgtype.as_str() {
            "text" => Self::text(text(payload, "content")),
            "image" => Self::Image { media_id: text(payload, "media_id") },
            "voice" => Self::Voice { media_id: text(payload, "media_id") },
            "video" => Self::Video {
                media_id: text(payload, "media_id"),
                title: text(payload, "title"),
                description: text(payload, "description"),
            },
            "music" => Self::Music {
                title: text(payload, "title"),
                description: text(payload, "description"),
                url: text(payload, "musicurl"),
            },
            "news" => Self::News { articles: list(payload, "articles").iter().map(article).collect() },
            // A Mini Program's.
            "link" => Self::News {
                articles: vec![Article { pic_url: text(payload, "thumb_url"), ..article(payload) }],
            },
            "msgmenu" => Self::Menu {
                head: text(payload, "head_content"),
                choices: list(payload, "list").iter().map(choice).collect(),
                tail: text(payload, "tail_content"),
            },
            "miniprogrampage" => Self::Card {
                title: text(payload, "title"),
                lines: Vec::new(),
                url: None,
                mini_program: Some(MiniProgram {
                    appid: text(payload, "appid"),
                    pagepath: text(payload, "pagepath"),
                }),
            },
            _ => Self::Other { msgtype },
        }
    }
}

fn article(item: &Value) -> Article {
    Article {
        title: text(item, "title"),
        description: text(item, "description"),
        pic_url: text(item, "picurl"),
        url: text(item, "url"),
    }
}

fn choice(item: &Value) -> Choice {
    Choice { id: text(item, "id"), content: text(item, "content") }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member as text; WeChat takes numbers for strings.
fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
