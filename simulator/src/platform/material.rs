//! Permanent material.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html>

use axum::body::Bytes;
use serde_json::{Value, json};

use super::account_type::Right;
use super::api::{Api, Call, text, with};
use super::batch::{self, Page};
use super::errcode::{self, Errcode};
use super::media::{self, Media};
use super::upload::{self, Kind, Upload};
use super::{ApiReply, done};
use crate::multipart;
use crate::phone::Bubble;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/material/add_material", Right::Material, add),
    Api::post("/cgi-bin/material/get_material", Right::Material, get),
    Api::post("/cgi-bin/material/del_material", Right::Material, delete),
    Api::get("/cgi-bin/material/get_materialcount", Right::Material, count),
    Api::post("/cgi-bin/material/batchget_material", Right::Material, batch_get),
];

/// A video comes without its description.
const FIELDS_MISSING: Errcode = Errcode(41011);

/// One file with what the account noted about it.
#[derive(Debug)]
struct Material {
    media: Media,
    /// The file's name, or a video's title.
    name: String,
    /// A video's description.
    introduction: String,
    added_s: u64,
}

/// The files, in the order in which they came.
#[derive(Debug, Default)]
pub struct Materials {
    files: Vec<Material>,
    /// Pictures inside articles: no list shows them.
    article_images: Vec<Media>,
}

impl Materials {
    /// The file with this id.
    pub fn find(&self, id: &str) -> Option<&Media> {
        self.files.iter().map(|file| &file.media).chain(&self.article_images).find(|media| media.id == id)
    }

    /// Whether this is the id of material of one of these kinds.
    pub fn has(&self, id: &str, kinds: &[Kind]) -> bool {
        self.files.iter().any(|file| file.media.id == id && kinds.contains(&file.media.kind))
    }

    /// How a file looks in a chat.
    pub fn bubble(&self, id: &str) -> Option<Bubble> {
        let Material { media, name, introduction, .. } = self.get(id)?;
        let media_id = media.id.clone();
        Some(match media.kind {
            Kind::Image | Kind::Thumb => Bubble::Image { media_id },
            Kind::Voice => Bubble::Voice { media_id },
            Kind::Video => Bubble::Video { media_id, title: name.clone(), description: introduction.clone() },
        })
    }

    /// Keeps a picture for the inside of articles and returns its id.
    pub fn add_article_image(&mut self, bytes: Bytes) -> String {
        let media = Media::new(Kind::Image, bytes);
        let id = media.id.clone();
        self.article_images.push(media);
        id
    }

    fn get(&self, id: &str) -> Option<&Material> {
        self.files.iter().find(|file| file.media.id == id)
    }

    /// Those of one kind; a thumbnail is a picture.
    fn of(&self, kind: Kind) -> Vec<&Material> {
        let listed = |of: Kind| if of == Kind::Thumb { Kind::Image } else { of };
        self.files.iter().filter(|file| listed(file.media.kind) == listed(kind)).collect()
    }
}

/// `POST /cgi-bin/material/add_material?access_token=…&type=…`
fn add(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let (kind, Upload { name, bytes }) = upload::media(call.request)?;
    let (name, introduction) = if kind == Kind::Video { description(call)? } else { (name, String::new()) };
    let media = Media::new(kind, bytes);
    let answer = json!({ "media_id": media.id, "item": [] });
    let answer = match kind {
        Kind::Image | Kind::Thumb => with(answer, "url", media::url(&call.state.base_url, &media.id)),
        Kind::Voice | Kind::Video => answer,
    };
    let added_s = call.now_ms / 1000;
    call.state.materials.files.push(Material { media, name, introduction, added_s });
    Ok(ApiReply::Json(answer))
}

/// Title and introduction of a video, from another field of the form.
fn description(call: &Call<'_>) -> Result<(String, String), Errcode> {
    let parts = upload::form(call.request);
    let field = multipart::get(&parts, "description").ok_or(FIELDS_MISSING)?;
    let description: Value = serde_json::from_slice(field.content).map_err(|_| errcode::NOT_JSON)?;
    match text(&description, "title") {
        "" => Err(FIELDS_MISSING),
        title => Ok((title.to_owned(), text(&description, "introduction").to_owned())),
    }
}

/// `POST /cgi-bin/material/get_material?access_token=…`
fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let id = batch::media_id(&asked)?;
    let base_url = &call.state.base_url;
    if let Some(news) = call.state.drafts.published_news(id) {
        return Ok(ApiReply::Json(news.content(base_url, true)));
    }
    let file = call.state.materials.get(id).ok_or(errcode::MEDIA_ID)?;
    if file.media.kind != Kind::Video {
        return Ok(file.media.reply());
    }
    let Material { name, introduction, .. } = file;
    let down_url = media::url(base_url, id);
    Ok(ApiReply::Json(json!({ "title": name, "description": introduction, "down_url": down_url })))
}

/// `POST /cgi-bin/material/del_material?access_token=…`
fn delete(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let id = batch::media_id(&asked)?;
    let files = &mut call.state.materials.files;
    let index = files.iter().position(|file| file.media.id == id).ok_or(errcode::MEDIA_ID)?;
    files.remove(index);
    Ok(done())
}

/// `GET /cgi-bin/material/get_materialcount?access_token=…`
fn count(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let materials = &call.state.materials;
    let [image, voice, video] = [Kind::Image, Kind::Voice, Kind::Video].map(|kind| materials.of(kind).len());
    Ok(ApiReply::Json(json!({
        "voice_count": voice,
        "video_count": video,
        "image_count": image,
        "news_count": call.state.drafts.all_published_news().len(),
    })))
}

/// `POST /cgi-bin/material/batchget_material?access_token=…`
fn batch_get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let base_url = &call.state.base_url;
    if text(&asked, "type") == "news" {
        let news = call.state.drafts.all_published_news();
        return Ok(Page::read(&asked)?.answer(&news, |news| news.listed(base_url, true)));
    }
    let kind = Kind::named(text(&asked, "type"))?;
    let describe = |file: &&Material| {
        let Material { media: Media { id, .. }, name, added_s, .. } = file;
        json!({ "media_id": id, "name": name, "update_time": added_s, "url": media::url(base_url, id) })
    };
    Ok(Page::read(&asked)?.answer(&call.state.materials.of(kind), describe))
}
