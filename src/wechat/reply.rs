//! Passive replies: the answer in the response to a push. Exactly one per push.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html>

use super::api::push_percent_encoded;
use super::callback::SUCCESS;
use super::xml::{XmlWriter, is_allowed};
use super::{OpenId, OriginalId};
use std::fmt;

/// Most bytes of UTF-8 in a text reply. WeChat documents no limit; this is measured, and a longer text makes the
/// user see "该公众号暂时无法提供服务". <https://github.com/MamaShip/Observer/issues/77>
pub const TEXT_LIMIT: usize = 2048;

/// Most articles in a news reply. In answer to a user's message WeChat shows only the first.
pub const NEWS_LIMIT: usize = 8;

/// What the account answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A text of 1 to [`TEXT_LIMIT`] bytes; `<a href>` links work in it.
    Text {
        /// The text.
        content: String,
    },
    /// A picture.
    Image {
        /// From media/upload or material/add_material.
        media_id: String,
    },
    /// A voice message.
    Voice {
        /// From media/upload or material/add_material.
        media_id: String,
    },
    /// A video.
    Video {
        /// From media/upload or material/add_material.
        media_id: String,
        /// Its title.
        title: Option<String>,
        /// Its description.
        description: Option<String>,
    },
    /// A piece of music.
    Music {
        /// Its title.
        title: Option<String>,
        /// Its description.
        description: Option<String>,
        /// Where to play it.
        music_url: Option<String>,
        /// Where to play it on Wi-Fi.
        hq_music_url: Option<String>,
        /// Its picture.
        thumb_media_id: String,
    },
    /// 1 to [`NEWS_LIMIT`] articles.
    News(Vec<Article>),
    /// Hands the conversation to a human agent.
    TransferCustomerService {
        /// A certain agent; if that one is offline, the message waits.
        kf_account: Option<String>,
    },
    /// Nothing is shown; WeChat is content.
    Success,
}

/// A card that leads to a web page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// Its title.
    pub title: String,
    /// Its summary.
    pub description: String,
    /// Its picture, JPG or PNG: 360×200 for the first, 200×200 for others.
    pub pic_url: String,
    /// The page.
    pub url: String,
}

/// Why a reply cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// A text without content: WeChat would show an error to the user.
    EmptyText,
    /// A text of more than [`TEXT_LIMIT`] bytes.
    LongText,
    /// No article, or more than [`NEWS_LIMIT`].
    ArticleCount,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::EmptyText => "a text reply must not be empty",
            Self::LongText => "a text reply has at most 2048 bytes",
            Self::ArticleCount => "a news reply has 1 to 8 articles",
        })
    }
}

impl std::error::Error for ReplyError {}

impl Reply {
    /// The XML document that answers a push: `to` is the push's sender, `from` the account, `created` in Unix
    /// seconds. [`Reply::Success`] is the bare word.
    ///
    /// # Errors
    /// A limit of [`ReplyError`].
    pub fn to_xml(&self, to: &OpenId, from: &OriginalId, created: u64) -> Result<String, ReplyError> {
        self.check()?;
        if *self == Self::Success {
            return Ok(SUCCESS.to_owned());
        }
        let mut xml = XmlWriter::new(self.capacity());
        xml.cdata("ToUserName", to.as_str())
            .cdata("FromUserName", from.as_str())
            .number("CreateTime", created)
            .cdata("MsgType", self.msg_type());
        self.write(&mut xml);
        Ok(xml.finish())
    }

    fn check(&self) -> Result<(), ReplyError> {
        match self {
            Self::Text { content } if !content.contains(is_visible) => Err(ReplyError::EmptyText),
            Self::Text { content } if content.len() > TEXT_LIMIT => Err(ReplyError::LongText),
            Self::News(articles) if articles.is_empty() || articles.len() > NEWS_LIMIT => {
                Err(ReplyError::ArticleCount)
            }
            _ => Ok(()),
        }
    }

    /// Enough for the frame and the longest text, so that the string grows at most for news and music.
    fn capacity(&self) -> usize {
        320 + match self {
            Self::Text { content } => content.len(),
            Self::News(articles) => articles.len() * 512,
            _ => 256,
        }
    }

    fn msg_type(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Image { .. } => "image",
            Self::Voice { .. } => "voice",
            Self::Video { .. } => "video",
            Self::Music { .. } => "music",
            Self::News(_) => "news",
            Self::TransferCustomerService { .. } => "transfer_customer_service",
            Self::Success => SUCCESS,
        }
    }

    fn write(&self, xml: &mut XmlWriter) {
        match self {
            Self::Text { content } => {
                xml.cdata("Content", content);
            }
            Self::Image { media_id } => {
                xml.open("Image").cdata("MediaId", media_id).close("Image");
            }
            Self::Voice { media_id } => {
                xml.open("Voice").cdata("MediaId", media_id).close("Voice");
            }
            Self::Video { media_id, title, description } => {
                xml.open("Video").cdata("MediaId", media_id);
                optional(xml, &[("Title", title), ("Description", description)]);
                xml.close("Video");
            }
            Self::Music { title, description, music_url, hq_music_url, thumb_media_id } => {
                xml.open("Music");
                optional(xml, &[("Title", title), ("Description", description)]);
                optional(xml, &[("MusicUrl", music_url), ("HQMusicUrl", hq_music_url)]);
                xml.cdata("ThumbMediaId", thumb_media_id).close("Music");
            }
            Self::News(articles) => news(xml, articles),
            Self::TransferCustomerService { kf_account: Some(kf_account) } => {
                xml.open("TransInfo").cdata("KfAccount", kf_account).close("TransInfo");
            }
            Self::TransferCustomerService { kf_account: None } | Self::Success => {}
        }
    }
}

/// What is left after control characters are dropped and blanks are ignored.
fn is_visible(character: char) -> bool {
    is_allowed(character) && !character.is_whitespace()
}

fn optional(xml: &mut XmlWriter, elements: &[(&str, &Option<String>)]) {
    for (name, text) in elements {
        if let Some(text) = text {
            xml.cdata(name, text);
        }
    }
}

fn news(xml: &mut XmlWriter, articles: &[Article]) {
    xml.number("ArticleCount", articles.len() as u64).open("Articles");
    for article in articles {
        xml.open("item")
            .cdata("Title", &article.title)
            .cdata("Description", &article.description)
            .cdata("PicUrl", &article.pic_url)
            .cdata("Url", &article.url)
            .close("item");
    }
    xml.close("Articles");
}

/// A link inside a text that sends `command` as the user's own message when tapped, shown as `label`.
///
/// The tap arrives as a text with `bizmsgmenuid` 1. Clients that do not know the scheme show the label only, so a
/// text should name the command too.
pub fn menu_link(label: &str, command: &str) -> String {
    let mut link = String::with_capacity(96 + label.len() + command.len() * 3);
    link.push_str("<a href=\"weixin://bizmsgmenu?msgmenucontent=");
    push_percent_encoded(&mut link, command);
    link.push_str("&msgmenuid=1\">");
    for character in label.chars() {
        match character {
            '&' => link.push_str("&amp;"),
            '<' => link.push_str("&lt;"),
            '>' => link.push_str("&gt;"),
            '"' => link.push_str("&quot;"),
            other => link.push(other),
        }
    }
    link.push_str("</a>");
    link
}
