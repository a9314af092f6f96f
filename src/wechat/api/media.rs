//! Temporary media: what users sent, for 3 days.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html>

use super::{ApiError, ApiRequest, Body, Method, UNREADABLE, check};
use serde_json::Value;

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
        None => Err(ApiError { errcode: UNREADABLE, errmsg: "the answer has no video_url".to_owned() }),
    }
}
