//! QR codes with parameters, and short keys.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Generating_a_Parametric_QR_Code.html>

mod code;
pub mod image;
mod shorten;

use serde_json::{Value, json};

use super::ApiReply;
use super::account_type::Right;
use super::api::{Api, Call, number, text};
use super::errcode::Errcode;
use crate::push::message::Event;
use crate::query;
use crate::state::State;

pub use code::{Code, QrCodes, Scene};
pub use shorten::ShortKeys;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/qrcode/create", Right::QrCode, create).daily(100_000),
    Api::get("/cgi-bin/showqrcode", Right::Basic, show).without_token(),
    Api::post("/cgi-bin/shorten/gen", Right::QrCode, shorten::generate),
    Api::post("/cgi-bin/shorten/fetch", Right::QrCode, shorten::fetch),
];

const ACTION_NAME: Errcode = Errcode(40052);
const ACTION_INFO: Errcode = Errcode(40053);

/// Seconds that a code lives if nobody says how long.
const DEFAULT_LIFE_S: u64 = 60;
/// Seconds that a code lives at most: 30 days.
const LONGEST_LIFE_S: u64 = 2_592_000;
/// The greatest number of a permanent code.
const LAST_PERMANENT: u32 = 100_000;
/// Characters of a scene in words.
const SCENE_CHARACTERS: usize = 64;

/// `POST /cgi-bin/qrcode/create?access_token=…`
fn create(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let (temporary, scene) = wanted(&asked)?;
    let codes = &mut call.state.qr_codes;
    if !temporary {
        let code = codes.add_permanent(scene, call.now_ms)?;
        return Ok(ApiReply::Json(json!({ "ticket": code.ticket, "url": code.url })));
    }
    let life_s = life_s(&asked)?;
    let code = codes.add_temporary(scene, life_s, call.now_ms);
    Ok(ApiReply::Json(json!({ "ticket": code.ticket, "expire_seconds": life_s, "url": code.url })))
}

/// Whether the code is to be temporary, and its scene.
fn wanted(asked: &Value) -> Result<(bool, Scene), Errcode> {
    let scene = asked.get("action_info").and_then(|info| info.get("scene")).unwrap_or(&Value::Null);
    let id = || number(scene, "scene_id").and_then(|id| u32::try_from(id).ok()).filter(|id| *id > 0);
    let words = || {
        let text = text(scene, "scene_str");
        let fits = (1..=SCENE_CHARACTERS).contains(&text.chars().count());
        fits.then(|| Scene::Text(text.to_owned()))
    };
    let (temporary, scene) = match text(asked, "action_name") {
        "QR_SCENE" => (true, id().map(Scene::Number)),
        "QR_STR_SCENE" => (true, words()),
        "QR_LIMIT_SCENE" => (false, id().filter(|id| *id <= LAST_PERMANENT).map(Scene::Number)),
        "QR_LIMIT_STR_SCENE" => (false, words()),
        _ => return Err(ACTION_NAME),
    };
    Ok((temporary, scene.ok_or(ACTION_INFO)?))
}

/// No page says what becomes of a longer life; here it is an error, so that nobody counts on it.
fn life_s(asked: &Value) -> Result<u64, Errcode> {
    if asked.get("expire_seconds").is_none() {
        return Ok(DEFAULT_LIFE_S);
    }
    number(asked, "expire_seconds").filter(|life| (1..=LONGEST_LIFE_S).contains(life)).ok_or(ACTION_INFO)
}

/// `GET /cgi-bin/showqrcode?ticket=…`: WeChat serves it at `mp.weixin.qq.com`, as a JPEG.
fn show(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let code = call.request.parameter("ticket").and_then(|ticket| call.state.qr_codes.by_ticket(ticket));
    let picture = code.filter(|code| code.is_live(call.now_ms)).and_then(|code| image::png(&code.url));
    Ok(picture.map_or(ApiReply::Status(404), |bytes| ApiReply::File {
        content_type: "image/png",
        filename: String::new(),
        bytes,
    }))
}

/// The code that somebody means: by its ticket, by the URL in it, by the URL of its picture, or by its scene (then
/// the newest). It may have expired.
pub fn find_code<'a>(state: &'a State, text: &str) -> Option<&'a Code> {
    let text = text.trim();
    let codes = &state.qr_codes;
    if let Some((_, query)) = text.split_once("/cgi-bin/showqrcode?") {
        return codes.by_ticket(query::get(&query::parse(query), "ticket")?);
    }
    let url = text.replacen("https://", "http://", 1);
    codes.by_ticket(text).or_else(|| codes.by_url(&url)).or_else(|| codes.by_scene(text))
}

/// What the account hears when somebody scans this code: `subscribe` from who did not follow yet, else `SCAN`.
pub fn scan_event(state: &State, openid: &str, code: &Code) -> Event {
    let follows = state.people.get(openid).is_some_and(|person| person.fan.following);
    Event {
        kind: if follows { "scan" } else { "subscribe" }.to_owned(),
        key: Some(code.scene.to_string()),
        fields: [("Ticket".to_owned(), Value::from(code.ticket.as_str()))].into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, scene: &Value) -> Value {
        json!({ "action_name": name, "action_info": { "scene": scene } })
    }

    #[test]
    fn each_kind_has_its_scenes() {
        let number = Scene::Number;
        let text = |text: &str| Scene::Text(text.to_owned());
        let long = "长".repeat(64);
        for (name, scene, expected) in [
            ("QR_SCENE", json!({ "scene_id": u32::MAX }), Ok((true, number(u32::MAX)))),
            ("QR_SCENE", json!({ "scene_id": "7" }), Ok((true, number(7)))),
            ("QR_SCENE", json!({ "scene_id": 0 }), Err(ACTION_INFO)),
            ("QR_SCENE", json!({ "scene_id": 4_294_967_296_u64 }), Err(ACTION_INFO)),
            ("QR_SCENE", json!({ "scene_str": "a" }), Err(ACTION_INFO)),
            ("QR_STR_SCENE", json!({ "scene_str": long }), Ok((true, text(&long)))),
            ("QR_STR_SCENE", json!({ "scene_str": format!("{long}长") }), Err(ACTION_INFO)),
            ("QR_STR_SCENE", json!({ "scene_str": "" }), Err(ACTION_INFO)),
            ("QR_LIMIT_SCENE", json!({ "scene_id": 100_000 }), Ok((false, number(100_000)))),
            ("QR_LIMIT_SCENE", json!({ "scene_id": 100_001 }), Err(ACTION_INFO)),
            ("QR_LIMIT_STR_SCENE", json!({ "scene_str": "42" }), Ok((false, text("42")))),
            ("QR_CARD", json!({ "scene_id": 1 }), Err(ACTION_NAME)),
        ] {
            assert_eq!(wanted(&asked(name, &scene)), expected, "{name} {scene}");
        }
        assert_eq!(wanted(&json!({ "action_name": "QR_SCENE" })), Err(ACTION_INFO));
    }

    #[test]
    fn how_long_a_code_lives() {
        assert_eq!(life_s(&json!({})), Ok(60));
        assert_eq!(life_s(&json!({ "expire_seconds": 2_592_000 })), Ok(2_592_000));
        for wrong in [json!(2_592_001), json!(0), json!(-1), json!("soon")] {
            assert_eq!(life_s(&json!({ "expire_seconds": wrong })), Err(ACTION_INFO));
        }
    }
}
