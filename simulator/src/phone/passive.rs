//! Passive replies on the phone.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html>

use wxapi::wechat::xml::Fields;

use super::{Article, Bubble};

impl Bubble {
    /// How the reply looks; `most_articles` is 1 in answer to a message and 8 in answer to an event.
    pub fn from_reply(reply: &Fields, most_articles: usize) -> Self {
        let inside = |element: &str, name: &str| {
            reply.child(element).and_then(|element| element.get(name)).unwrap_or_default().to_owned()
        };
        match reply.get("MsgType").unwrap_or_default() {
            "text" => Self::text(reply.owned("Content")),
            "image" => Self::Image { media_id: inside("Image", "MediaId") },
            "voice" => Self::Voice { media_id: inside("Voice", "MediaId") },
            "video" => Self::Video {
                media_id: inside("Video", "MediaId"),
                title: inside("Video", "Title"),
                description: inside("Video", "Description"),
            },
            "music" => Self::Music {
                title: inside("Music", "Title"),
                description: inside("Music", "Description"),
                url: inside("Music", "MusicUrl"),
            },
            "news" => Self::News { articles: articles(reply, most_articles) },
            "transfer_customer_service" => {
                Self::Transfer { agent: reply.child("TransInfo").and_then(|info| info.optional("KfAccount")) }
            }
            other => Self::Other { msgtype: other.to_owned() },
        }
    }
}

fn articles(reply: &Fields, most: usize) -> Vec<Article> {
    let items = reply.child("Articles").into_iter().flat_map(|articles| articles.children("item"));
    let read = |item: &Fields| Article {
        title: item.owned("Title"),
        description: item.owned("Description"),
        pic_url: item.owned("PicUrl"),
        url: item.owned("Url"),
    };
    items.take(most).map(read).collect()
}
