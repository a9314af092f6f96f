//! Temporary media of the account and of people: kept three days.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html>

use std::collections::VecDeque;

use axum::body::Bytes;
use serde_json::json;

use super::ApiReply;
use super::account_type::Right;
use super::api::{Api, Call};
use super::errcode::{self, Errcode};
use super::upload::{self, Kind};
use crate::ids;
use crate::sniff::{self, FileType};
use crate::state::State;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/media/upload", Right::Media, upload).for_both().daily(5000),
    Api::get("/cgi-bin/media/get", Right::Media, get).for_both().daily(10_000),
    Api::get("/cgi-bin/media/get/jssdk", Right::Media, get_voice).daily(10_000),
    Api::post("/cgi-bin/media/uploadimg", Right::Material, upload_article_image),
];

/// Temporary media live three days.
const LIFETIME_MS: u64 = 3 * 86_400_000;
/// Files kept, and their bytes; the oldest go first.
const KEPT: usize = 500;
const KEPT_BYTES: usize = 256 << 20;

/// One file.
#[derive(Debug)]
pub struct Media {
    /// Its media id, also the end of its URL.
    pub id: String,
    /// What it is for.
    pub kind: Kind,
    /// What it is, by its first bytes.
    pub file_type: FileType,
    /// The file.
    pub bytes: Bytes,
}

impl Media {
    /// A file under a new id.
    pub fn new(kind: Kind, bytes: Bytes) -> Self {
        Self { id: ids::media_id(), kind, file_type: sniff::file_type(&bytes), bytes }
    }

    /// The file as an answer.
    pub fn reply(&self) -> ApiReply {
        let FileType { content_type, extension } = self.file_type;
        let filename = format!("{}.{extension}", self.id);
        ApiReply::File { content_type, filename, bytes: self.bytes.clone() }
    }
}

/// The files, newest last, with the time at which they end.
#[derive(Debug, Default)]
pub struct MediaStore {
    files: VecDeque<(Media, u64)>,
}

impl MediaStore {
    /// Keeps a file and returns its media id.
    pub fn add(&mut self, kind: Kind, bytes: Bytes, now_ms: u64) -> String {
        let media = Media::new(kind, bytes);
        let id = media.id.clone();
        self.files.push_back((media, now_ms + LIFETIME_MS));
        while self.files.len() > KEPT || (self.size() > KEPT_BYTES && self.files.len() > 1) {
            self.files.pop_front();
        }
        id
    }

    /// The file with this id, unless its three days are over.
    pub fn live(&self, id: &str, now_ms: u64) -> Option<&Media> {
        let entry = self.files.iter().find(|(media, until_ms)| media.id == id && now_ms < *until_ms);
        entry.map(|(media, _)| media)
    }

    fn size(&self) -> usize {
        self.files.iter().map(|(media, _)| media.bytes.len()).sum()
    }
}

/// The file with this id, temporary or permanent, expired or not: what phone and page show.
pub fn find<'a>(state: &'a State, id: &str) -> Option<&'a Media> {
    let temporary = state.media.files.iter().map(|(media, _)| media).find(|media| media.id == id);
    temporary.or_else(|| state.materials.find(id))
}

/// The file with this id, temporary or permanent, that may still be sent.
pub fn usable<'a>(state: &'a State, id: &str, now_ms: u64) -> Option<&'a Media> {
    state.media.live(id, now_ms).or_else(|| state.materials.find(id))
}

/// Where the simulator serves a file.
pub fn url(base_url: &str, id: &str) -> String {
    format!("{base_url}/_sim/media/{id}")
}

/// `POST /cgi-bin/media/upload?access_token=…&type=…`
fn upload(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let (kind, file) = upload::media(call.request)?;
    let id = call.state.media.add(kind, file.bytes, call.now_ms);
    let name = if kind == Kind::Thumb { "thumb_media_id" } else { "media_id" };
    Ok(ApiReply::Json(json!({ "type": kind.name(), name: id, "created_at": call.now_ms / 1000 })))
}

/// `GET /cgi-bin/media/get?access_token=…&media_id=…`
fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let media = asked(call)?;
    if media.kind == Kind::Video {
        return Ok(ApiReply::Json(json!({ "video_url": url(&call.state.base_url, &media.id) })));
    }
    Ok(media.reply())
}

/// `GET /cgi-bin/media/get/jssdk?access_token=…&media_id=…`: WeChat gives Speex in better quality. Here it is the file
/// that was sent, since nothing here can record.
fn get_voice(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let media = asked(call)?;
    if media.kind == Kind::Voice { Ok(media.reply()) } else { Err(errcode::MEDIA_ID) }
}

fn asked<'a>(call: &'a Call<'_>) -> Result<&'a Media, Errcode> {
    let id = call.request.parameter("media_id").ok_or(errcode::MEDIA_ID_MISSING)?;
    call.state.media.live(id, call.now_ms).ok_or(errcode::MEDIA_ID)
}

/// `POST /cgi-bin/media/uploadimg?access_token=…`
fn upload_article_image(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let file = upload::article_image(call.request)?;
    let id = call.state.materials.add_article_image(file.bytes);
    Ok(ApiReply::Json(json!({ "url": url(&call.state.base_url, &id) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_end_after_three_days_and_the_oldest_make_room() {
        let mut store = MediaStore::default();
        let first = store.add(Kind::Image, Bytes::from_static(b"1"), 0);
        assert!(store.live(&first, LIFETIME_MS - 1).is_some());
        assert!(store.live(&first, LIFETIME_MS).is_none());
        for _ in 1..KEPT {
            store.add(Kind::Image, Bytes::from_static(b"2"), 0);
        }
        assert!(store.live(&first, 1).is_some());
        let huge = store.add(Kind::Image, vec![0; KEPT_BYTES].into(), 0);
        assert!(store.live(&first, 1).is_none() && store.live(&huge, 1).is_some());
        assert_eq!(store.files.len(), 1);
    }
}
