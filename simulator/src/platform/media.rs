//! Media that simulated people sent: kept three days, fetched by `media/get`.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html>

use std::collections::VecDeque;

use axum::body::Bytes;
use serde_json::json;

use super::ApiReply;
use super::account_type::Right;
use super::api::{Api, Call};
use super::errcode::{self, Errcode};
use crate::ids;
use crate::sniff::{self, FileType};

/// The family's APIs.
pub const APIS: &[Api] = &[Api::get("/cgi-bin/media/get", Right::Media, get).daily(10_000)];

/// Temporary media live three days.
const LIFETIME_MS: u64 = 3 * 86_400_000;
/// Files kept; the oldest go first.
const KEPT: usize = 500;

/// One file that somebody sent.
#[derive(Debug)]
pub struct Media {
    /// Its media id, also the end of its `PicUrl`.
    pub id: String,
    /// What it is, by its first bytes.
    pub file_type: FileType,
    /// The file.
    pub bytes: Bytes,
    until_ms: u64,
}

/// The files, newest last.
#[derive(Debug, Default)]
pub struct MediaStore {
    files: VecDeque<Media>,
}

impl MediaStore {
    /// Keeps a file and returns its media id.
    pub fn add(&mut self, bytes: Bytes, now_ms: u64) -> String {
        if self.files.len() == KEPT {
            self.files.pop_front();
        }
        let id = ids::media_id();
        let file_type = sniff::file_type(&bytes);
        self.files.push_back(Media { id: id.clone(), file_type, bytes, until_ms: now_ms + LIFETIME_MS });
        id
    }

    /// The file with this id, expired or not.
    pub fn find(&self, id: &str) -> Option<&Media> {
        self.files.iter().find(|media| media.id == id)
    }
}

/// `GET /cgi-bin/media/get?access_token=…&media_id=…`
fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let Call { state, now_ms, request, .. } = call;
    let id = request.parameter("media_id").ok_or(errcode::MEDIA_ID_MISSING)?;
    let media = state.media.find(id).filter(|media| *now_ms < media.until_ms).ok_or(errcode::MEDIA_ID)?;
    let FileType { content_type, extension } = media.file_type;
    if content_type.starts_with("video/") {
        return Ok(ApiReply::Json(json!({ "video_url": format!("{}/_sim/pic/{id}", state.base_url) })));
    }
    Ok(ApiReply::File { content_type, filename: format!("{id}.{extension}"), bytes: media.bytes.clone() })
}
