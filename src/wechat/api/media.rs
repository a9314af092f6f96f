//! Temporary media: what users sent, and what was uploaded for them, for 3 days; and the limits of all uploads.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html>

use super::{ApiError, ApiRequest, Body, Method, UNREADABLE, check, post_json};
use crate::json::json;
use serde_json::Value;

/// Temporary media live so long, milliseconds.
pub const LIFETIME: u64 = 3 * 86_400_000;

/// What can be uploaded as a temporary medium or as material, and its bytes.
/// <https://developers.weixin.qq.com/doc/service/api/material/temporary/api_uploadtempmedia>
pub const UPLOAD_LIMITS: &[(&str, u64)] =
    &[("image", 10 << 20), ("voice", 2 << 20), ("video", 10 << 20), ("thumb", 64 << 10)];

/// Bytes of a picture inside an article.
/// <https://developers.weixin.qq.com/doc/service/api/material/permanent/api_uploadimage>
pub const ARTICLE_IMAGE_LIMIT: u64 = 1 << 20;

/// What a form may have besides the file, bytes: its boundaries, names, and a video's description.
pub const FORM_ROOM: u64 = 8 << 10;

/// Where forms with files go; the file is the field `media`.
pub fn upload(path: &'static str, kind: Option<&str>) -> ApiRequest {
    let query = kind.map(|kind| ("type", kind.to_owned())).into_iter().collect();
    ApiRequest { method: Method::Post, path, query, body: Body::Empty }
}

/// The id of what was uploaded as a temporary medium, and when, in seconds. A thumbnail's id has a name of its own.
pub fn uploaded(answer: &Value) -> Option<(&str, Option<u64>)> {
    let id = answer.get("media_id").or_else(|| answer.get("thumb_media_id"))?.as_str()?;
    Some((id, answer.get("created_at").and_then(Value::as_u64)))
}

/// Asks for material: the file itself, or JSON about articles and videos.
/// <https://developers.weixin.qq.com/doc/service/api/material/permanent/api_getmaterial>
pub fn material(media_id: &str) -> ApiRequest {
    post_json("/cgi-bin/material/get_material", &json!({ "media_id": media_id }))
}

/// A medium, or where to get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Media<'a> {
    /// The bytes of a picture or voice message.
    Bytes(&'a [u8]),
    /// A video's address, to be downloaded without an access token.
    VideoUrl(String),
}

/// Asks for a medium.
pub fn get(media_id: &str) -> ApiRequest {
    ApiRequest {
        method: Method::Get,
        path: "/cgi-bin/media/get",
        query: vec![("media_id", media_id.to_owned())],
        body: Body::Empty,
    }
}

/// Reads the answer. Errors and video addresses are JSON, although WeChat may call them `text/plain`; everything
/// else is the medium itself, and no medium starts with a brace.
///
/// # Errors
/// WeChat's error, or [`UNREADABLE`] for an empty body or JSON without an address.
pub fn parse<'a>(content_type: &str, body: &'a [u8]) -> Result<Media<'a>, ApiError> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let json = media_type.eq_ignore_ascii_case("application/json") || media_type.starts_with("text/");
    if !body.is_empty() && !json && !body.starts_with(b"{") {
        return Ok(Media::Bytes(body));
    }
    let value = check(std::str::from_utf8(body).unwrap_or_default())?;
    match value.get("video_url").and_then(Value::as_str) {
        Some(url) => Ok(Media::VideoUrl(url.to_owned())),
        None => Err(ApiError::new(UNREADABLE, "the answer has no video_url")),
    }
}
