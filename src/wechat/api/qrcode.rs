//! Parametric QR codes: whoever scans one comes to the chat, and an event tells its scene. Verified service accounts
//! only.
//!
//! <https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode.html>

use super::{ApiError, ApiRequest, UNREADABLE, check, post_json, push_percent_encoded};
use crate::json::json;
use serde_json::Value;

/// Most characters of a scene.
pub const SCENE_LIMIT: usize = 64;
/// A temporary code lives for 30 days at most, seconds.
pub const EXPIRY_LIMIT: u64 = 2_592_000;

/// A QR code of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrCode {
    /// What its picture is fetched by; events repeat it.
    pub ticket: String,
    /// What the picture says, for whoever draws it.
    pub url: String,
}

/// Asks for a code that lives for `seconds` and tells `scene`, which is cut at [`SCENE_LIMIT`]. Without a time, WeChat
/// takes about a minute.
pub fn create_temporary(scene: &str, seconds: u64) -> ApiRequest {
    let scene: String = scene.chars().take(SCENE_LIMIT).collect();
    let body = json!({
        "expire_seconds": seconds.clamp(1, EXPIRY_LIMIT),
        "action_name": "QR_STR_SCENE",
        "action_info": { "scene": { "scene_str": scene } },
    });
    post_json("/cgi-bin/qrcode/create", &body)
}

/// Where WeChat shows the picture of a code to everybody.
/// <https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode.html>
pub fn picture(ticket: &str) -> String {
    let mut address = "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=".to_owned();
    push_percent_encoded(&mut address, ticket);
    address
}

/// Reads the answer.
///
/// # Errors
/// WeChat's error, or [`UNREADABLE`] when a field is missing.
pub fn parse(answer: &str) -> Result<QrCode, ApiError> {
    let value = check(answer)?;
    let text =
        |name| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    match (text("ticket"), text("url")) {
        (Some(ticket), Some(url)) => Ok(QrCode { ticket, url }),
        _ => Err(ApiError::new(UNREADABLE, "the answer has no ticket with url")),
    }
}
