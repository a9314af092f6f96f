//! One article, and the limits of what it is made of.
//!
//! <https://developers.weixin.qq.com/doc/service/api/draftbox/draftmanage/api_draft_add>

use serde::Serialize;
use serde_json::{Value, json};

use super::content;
use crate::platform::api::{list, number, text, with};
use crate::platform::errcode::{self, Errcode};
use crate::platform::media;
use crate::platform::upload::Kind;
use crate::state::State;

const DIGEST_LENGTH: Errcode = Errcode(45004);
const URL_LENGTH: Errcode = Errcode(45005);
const AUTHOR_LENGTH: Errcode = Errcode(45110);

/// Characters of title, author and digest.
const TITLE: usize = 32;
const AUTHOR: usize = 16;
const DIGEST: usize = 128;
/// Characters of the text that become the digest of a single article without one.
const OWN_DIGEST: usize = 54;
/// The text is shorter than so many characters, and than so many bytes.
const CONTENT: usize = 20_000;
const CONTENT_BYTES: usize = 1 << 20;
/// Bytes of the original's URL.
const SOURCE_URL_BYTES: usize = 1024;
/// Pictures of a picture message.
const MOST_IMAGES: usize = 20;

/// An article of a draft, published or not.
#[derive(Debug, Clone, Serialize)]
pub struct Article {
    /// `news`, or `newspic` for a picture message.
    pub article_type: String,
    /// Its headline.
    pub title: String,
    /// Who wrote it.
    pub author: String,
    /// Its summary.
    pub digest: String,
    /// Its text: HTML, of a picture message plain text.
    pub content: String,
    /// The original's URL; empty without one.
    pub content_source_url: String,
    /// Its cover: permanent material. Empty for a picture message.
    pub thumb_media_id: String,
    show_cover_pic: u64,
    need_open_comment: u64,
    only_fans_can_comment: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_info: Option<Value>,
    /// Whether it was published and deleted since.
    #[serde(skip)]
    pub is_deleted: bool,
}

impl Article {
    /// Reads an article, which is `alone` in its draft or not.
    ///
    /// # Errors
    /// 40007 for a cover or a picture that is no permanent material; 40035 for a picture message of no or over 20
    /// pictures, or another type; 44004, 45002 to 45005 and 45110 for what is missing or too long.
    pub fn read(asked: &Value, alone: bool, state: &State) -> Result<Self, Errcode> {
        check_lengths(asked)?;
        let article_type =
            Some(text(asked, "article_type")).filter(|kind| !kind.is_empty()).unwrap_or("news");
        let image_info = match article_type {
            "news" => None,
            "newspic" => Some(check_images(asked, state)?),
            _ => return Err(errcode::INVALID),
        };
        let thumb_media_id = text(asked, "thumb_media_id");
        if image_info.is_none() {
            check_picture(thumb_media_id, state)?;
        }
        let content = content::clean(text(asked, "content"), &state.base_url);
        let digest = match text(asked, "digest") {
            "" if alone => content::plain(&content).chars().take(OWN_DIGEST).collect(),
            digest => digest.to_owned(),
        };
        let flag = |name| number(asked, name).unwrap_or_default();
        Ok(Self {
            article_type: article_type.to_owned(),
            title: text(asked, "title").to_owned(),
            author: text(asked, "author").to_owned(),
            digest,
            content,
            content_source_url: text(asked, "content_source_url").to_owned(),
            thumb_media_id: thumb_media_id.to_owned(),
            show_cover_pic: flag("show_cover_pic"),
            need_open_comment: flag("need_open_comment"),
            only_fans_can_comment: flag("only_fans_can_comment"),
            image_info,
            is_deleted: false,
        })
    }

    /// As WeChat gives it, with the URL of its page, and with its text if that is asked for.
    pub fn described(&self, base_url: &str, page: &str, content: bool) -> Value {
        let mut item = json!(self);
        if let (false, Some(members)) = (content, item.as_object_mut()) {
            members.remove("content");
        }
        with(with(item, "thumb_url", self.cover(base_url).unwrap_or_default()), "url", page)
    }

    /// Where its cover is: its own, or its first picture.
    pub fn cover(&self, base_url: &str) -> Option<String> {
        let own = Some(self.thumb_media_id.as_str()).filter(|id| !id.is_empty());
        own.or_else(|| self.images().next()).map(|id| media::url(base_url, id))
    }

    /// The media ids of a picture message's pictures.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.image_info
            .iter()
            .flat_map(|info| list(info, "image_list"))
            .map(|image| text(image, "image_media_id"))
    }
}

fn check_lengths(asked: &Value) -> Result<(), Errcode> {
    let characters = |name| text(asked, name).chars().count();
    if !(1..=TITLE).contains(&characters("title")) {
        return Err(errcode::TITLE_LENGTH);
    }
    if characters("author") > AUTHOR {
        return Err(AUTHOR_LENGTH);
    }
    if characters("digest") > DIGEST {
        return Err(DIGEST_LENGTH);
    }
    if text(asked, "content_source_url").len() > SOURCE_URL_BYTES {
        return Err(URL_LENGTH);
    }
    match text(asked, "content") {
        "" => Err(errcode::EMPTY_TEXT),
        long if long.len() >= CONTENT_BYTES || long.chars().count() >= CONTENT => Err(errcode::TOO_LONG),
        _ => Ok(()),
    }
}

fn check_images(asked: &Value, state: &State) -> Result<Value, Errcode> {
    let info = asked.get("image_info").ok_or(errcode::INVALID)?;
    let images = list(info, "image_list");
    if !(1..=MOST_IMAGES).contains(&images.len()) {
        return Err(errcode::INVALID);
    }
    images.iter().try_for_each(|image| check_picture(text(image, "image_media_id"), state))?;
    Ok(info.clone())
}

fn check_picture(id: &str, state: &State) -> Result<(), Errcode> {
    let permanent = state.materials.has(id, &[Kind::Image, Kind::Thumb]);
    if permanent { Ok(()) } else { Err(errcode::MEDIA_ID) }
}
