//! Codes that open a page of the Mini Program. WeChat draws a round code of its own; here it is a QR code with the text
//! `wxapp://APPID/PAGE?…`, so that whoever reads it sees where it leads.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/qr-code/getUnlimitedQRCode.html>

use serde_json::Value;

use crate::platform::ApiReply;
use crate::platform::api::{Call, number, text};
use crate::platform::errcode::{self, Errcode};
use crate::platform::qrcode::image;
use crate::query;

/// Codes a minute without a limit of their number.
const A_MINUTE: u32 = 5000;
/// Codes of the two kinds with a limit, together.
const MOST: u32 = 100_000;
/// Characters of a scene, of a path, and of the path of the older kind.
const SCENE: usize = 32;
const PATH: usize = 1024;
const OLD_PATH: usize = 128;
/// What a scene may have besides letters and digits.
const SIGNS: &[u8] = b"!#$&'()*+,/:;=?@-._~";
/// Pixels of the side.
const WIDTHS: std::ops::RangeInclusive<u64> = 280..=1280;

const SCENE_LENGTH: Errcode = Errcode(40169);

/// `POST /wxa/getwxacodeunlimit?access_token=…`
pub fn unlimited(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let (scene, page) = (text(&asked, "scene"), text(&asked, "page"));
    if !(1..=SCENE).contains(&scene.chars().count()) {
        return Err(SCENE_LENGTH);
    }
    if !scene.bytes().all(|byte| byte.is_ascii_alphanumeric() || SIGNS.contains(&byte)) {
        return Err(errcode::SCENE);
    }
    if page.contains('?') || page.starts_with('/') {
        return Err(super::PAGE);
    }
    let checks = asked.get("check_path").and_then(Value::as_bool).unwrap_or(true);
    if checks && !page.is_empty() {
        call.state.mini.check_page(page)?;
    }
    if !call.state.quotas.take_in_minute("getwxacodeunlimit", A_MINUTE, call.now_ms) {
        return Err(errcode::MINUTE_QUOTA);
    }
    draw(call, &asked, &format!("{page}?scene={}", query::encode(scene)))
}

/// `POST /wxa/getwxacode?access_token=…`
pub fn limited(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    counted(call, PATH)
}

/// `POST /cgi-bin/wxaapp/createwxaqrcode?access_token=…`
pub fn qr_code(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    counted(call, OLD_PATH)
}

fn counted(call: &mut Call<'_>, longest: usize) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let path = text(&asked, "path");
    if !(1..=longest).contains(&path.chars().count()) {
        return Err(errcode::PATH);
    }
    call.state.mini.check_page(path.strip_prefix('/').unwrap_or(path))?;
    if call.state.mini.codes_made == MOST {
        return Err(errcode::TOO_MANY_CODES);
    }
    let picture = draw(call, &asked, path)?;
    call.state.mini.codes_made += 1;
    Ok(picture)
}

fn draw(call: &Call<'_>, asked: &Value, path: &str) -> Result<ApiReply, Errcode> {
    let width =
        asked.get("width").is_none() || number(asked, "width").is_some_and(|width| WIDTHS.contains(&width));
    let version = matches!(text(asked, "env_version"), "" | "release" | "trial" | "develop");
    if !width || !version {
        return Err(errcode::ARGUMENTS);
    }
    let app_id = call.account.mini.as_ref().map(|mini| mini.app_id.as_str()).unwrap_or_default();
    let picture = image::png(&format!("wxapp://{app_id}/{path}"));
    let bytes = picture.ok_or(errcode::PATH)?;
    Ok(ApiReply::File { content_type: "image/png", filename: "QRCode.png".to_owned(), bytes })
}
