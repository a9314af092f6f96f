//! What a Mini Program's server asks of WeChat: who a login code stands for, phone numbers, checks of texts, codes that
//! open a page, notifications.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/>

use super::super::xml::is_allowed;
use super::super::{AppId, OpenId, Secret, open_data};
use super::error::integer;
use super::{ApiError, ApiRequest, UNREADABLE, check, custom, get, post_json, text};
use crate::json::{Put, json};
use serde_json::{Map, Value};

/// Longest text of one check, characters. Counted here in UTF-16 units, of which a text has at least as many.
/// <https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_msgseccheck.html>
pub const CHECKED: usize = 2_500;
/// What two pieces of a longer text have in common, characters, so that no word is cut in two.
const OVERLAP: usize = 50;
/// Characters of a code's scene, at most; at least one.
/// <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/qr-code/getUnlimitedQRCode.html>
pub const SCENE_LIMIT: usize = 32;
/// What a scene may have besides letters and digits; the same page.
const SCENE_SIGNS: &[u8] = b"!#$&'()*+,/:;=?@-._~";
/// Pixels of a code's side; the same page.
pub const WIDTHS: std::ops::RangeInclusive<u64> = 280..=1_280;

/// Whom a login code stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who, at this Mini Program.
    pub openid: OpenId,
    /// What signs and encrypts open data: it never leaves the server.
    pub session_key: Secret,
    /// Who, at every app of the same owner, if the Mini Program is bound to an Open Platform account.
    pub unionid: Option<OpenId>,
}

/// Exchanges the code of `wx.login`, which lives for five minutes and serves once. Needs no access token. Read by
/// [`parse_session`]. 40029 and 40163: the code is wrong or used; 40226: WeChat takes the person for a risk; 45011: too
/// many within a minute.
/// <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html>
pub fn jscode2session(app_id: &AppId, secret: &Secret, code: &str) -> ApiRequest {
    let query = [
        ("appid", app_id.as_str()),
        ("secret", secret.expose()),
        ("js_code", code),
        ("grant_type", "authorization_code"),
    ];
    get("/sns/jscode2session", &query)
}

/// Reads the answer to [`jscode2session`].
///
/// # Errors
/// WeChat's error, or [`UNREADABLE`] when a field is missing.
pub fn parse_session(answer: &str) -> Result<Session, ApiError> {
    let value = check(answer)?;
    match (text(&value, "openid"), text(&value, "session_key")) {
        (Some(openid), Some(key)) => Ok(Session {
            openid: OpenId::new(openid),
            session_key: Secret::new(key),
            unionid: text(&value, "unionid").map(OpenId::new),
        }),
        _ => Err(unreadable("the answer has no openid with session_key")),
    }
}

/// A person's phone number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// With the country's code, if that is not China's.
    pub number: String,
    /// Without it.
    pub pure: String,
    /// The country's code: `86`.
    pub country: String,
}

/// Exchanges the code of the phone-number button, which is not the code of `wx.login`; it lives for five minutes and
/// serves once. WeChat checks that it is the code of `openid`. 40029: it is wrong, used or another's.
/// <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber.html>
pub fn phone_number(openid: &OpenId, code: &str) -> ApiRequest {
    post_json("/wxa/business/getuserphonenumber", &json!({ "code": code, "openid": openid.as_str() }))
}

/// Reads the answer; the country's code may be a number.
///
/// # Errors
/// WeChat's error, or [`UNREADABLE`] when a field is missing or the watermark is not that of `app_id`.
pub fn parse_phone(answer: &str, app_id: &AppId) -> Result<Phone, ApiError> {
    let value = check(answer)?;
    let info = value.get("phone_info").unwrap_or(&Value::Null);
    if !open_data::is_marked(info, app_id) {
        return Err(unreadable("the phone number is not for this Mini Program"));
    }
    let country = info.get("countryCode").and_then(integer).map(|code| code.to_string());
    match (text(info, "phoneNumber"), text(info, "purePhoneNumber"), country) {
        (Some(number), Some(pure), Some(country)) => {
            Ok(Phone { number: number.to_owned(), pure: pure.to_owned(), country })
        }
        _ => Err(unreadable("the answer has no whole phone number")),
    }
}

/// Where a text stands that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In somebody's profile.
    Profile = 1,
    /// In a comment.
    Comment = 2,
    /// In a forum.
    Forum = 3,
    /// In a public diary.
    Diary = 4,
}

impl Place {
    /// The place with this number.
    pub fn numbered(number: u64) -> Option<Self> {
        [Self::Profile, Self::Comment, Self::Forum, Self::Diary]
            .into_iter()
            .find(|place| *place as u64 == number)
    }
}

/// What WeChat suggests to do with a text, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suggest {
    /// Show it.
    Pass,
    /// Let somebody look at it.
    Review,
    /// Do not show it.
    Risky,
}

impl Suggest {
    /// WeChat's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Review => "review",
            Self::Risky => "risky",
        }
    }
}

/// What WeChat says of a text. The worst of several is their greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verdict {
    /// What to do with it.
    pub suggest: Suggest,
    /// Why: 100 normal, 10001 advertisement, 20001 politics, 20002 pornography, …
    pub label: i64,
}

/// Has a text checked, of at most [`CHECKED`] characters: longer ones go in [`pieces`]. Control characters are left out,
/// because JSON can only write them as `\u` escapes. 61010: the person was not in the Mini Program within two hours;
/// 44991 and 45009: too many; 40129: no such place; 43104: another Mini Program's openid.
/// <https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_msgseccheck.html>
pub fn check_text(openid: &OpenId, place: Place, content: &str) -> ApiRequest {
    let content: String = content.chars().filter(|character| is_allowed(*character)).collect();
    let body = json!({ "version": 2, "openid": openid.as_str(), "scene": place as u8, "content": content });
    post_json("/wxa/msg_sec_check", &body)
}

/// The pieces in which a text can be checked: each as long as one check allows, and begun a little before the end of
/// the one before. None if there is nothing to check.
pub fn pieces(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = text;
    loop {
        let (end, again) = cut(rest);
        let (piece, after) = rest.split_at(end);
        if piece.trim().is_empty() && after.is_empty() {
            return all;
        }
        all.push(piece);
        if after.is_empty() {
            return all;
        }
        rest = rest.get(again..).unwrap_or_default();
    }
}

/// Where the first piece of a text ends, and where the next one begins; both are bytes.
fn cut(text: &str) -> (usize, usize) {
    let (mut units, mut again) = (0, 0);
    for (at, character) in text.char_indices() {
        units += character.len_utf16();
        if units > CHECKED {
            return (at, again);
        }
        if units <= CHECKED - OVERLAP {
            again = at + character.len_utf8();
        }
    }
    (text.len(), text.len())
}

/// Reads the answer to [`check_text`].
///
/// # Errors
/// WeChat's error, or [`UNREADABLE`] when it says nothing that is known: not that the text is good.
pub fn parse_check(answer: &str) -> Result<Verdict, ApiError> {
    let value = check(answer)?;
    let result = value.get("result").unwrap_or(&Value::Null);
    let word = text(result, "suggest").unwrap_or_default();
    let suggest =
        [Suggest::Pass, Suggest::Review, Suggest::Risky].into_iter().find(|known| known.as_str() == word);
    match (suggest, result.get("label").and_then(integer)) {
        (Some(suggest), Some(label)) => Ok(Verdict { suggest, label }),
        _ => Err(unreadable("the answer has no known suggestion with its label")),
    }
}

/// Shows or hides "typing…" in the chat with the Mini Program's service, as [`custom::typing`] does in the account's.
/// <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/setTyping.html>
pub fn typing(to: &OpenId, command: custom::Typing) -> ApiRequest {
    ApiRequest { path: "/cgi-bin/message/custom/business/typing", ..custom::typing(to, command) }
}

/// What a member of an order may be.
type Rule = (&'static str, fn(&Value) -> bool, &'static str);

/// <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html>
const NOTIFICATION: [Rule; 5] = [
    ("template_id", is_filled, "template_id must be a text"),
    ("data", is_data, "data must be an object of objects with a value"),
    ("page", Value::is_string, "page must be a text"),
    (
        "miniprogram_state",
        |value| is_one_of(value, &["developer", "trial", "formal"]),
        "miniprogram_state must be developer, trial or formal",
    ),
    (
        "lang",
        |value| is_one_of(value, &["zh_CN", "en_US", "zh_HK", "zh_TW"]),
        "lang must be zh_CN, en_US, zh_HK or zh_TW",
    ),
];
/// <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/qr-code/getUnlimitedQRCode.html>
const CODE: [Rule; 8] = [
    ("scene", is_scene, "scene must be 1 to 32 letters, digits or !#$&'()*+,/:;=?@-._~"),
    ("page", is_page, "page must be the path of a page without a leading / and without a query"),
    ("check_path", Value::is_boolean, "check_path must be true or false"),
    (
        "env_version",
        |value| is_one_of(value, &["release", "trial", "develop"]),
        "env_version must be release, trial or develop",
    ),
    (
        "width",
        |value| value.as_u64().is_some_and(|width| WIDTHS.contains(&width)),
        "width must be 280 to 1280",
    ),
    ("auto_color", Value::is_boolean, "auto_color must be true or false"),
    ("line_color", is_color, "line_color must have r, g and b from 0 to 255"),
    ("is_hyaline", Value::is_boolean, "is_hyaline must be true or false"),
];

/// Sends a notification to somebody who agreed to one of this template. `order` has `template_id`, `data`, and what else
/// WeChat knows; the rest of it is left out. 43101: they did not agree; 47003: a value is not what the template takes;
/// 41030: there is no such page.
/// <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html>
///
/// # Errors
/// What is wrong with the order, in words.
pub fn notification(to: &OpenId, order: &Value) -> Result<ApiRequest, &'static str> {
    let mut body = picked(order, &NOTIFICATION, 2)?;
    body.put("touser", Value::String(to.as_str().to_owned()));
    Ok(post_json("/cgi-bin/message/subscribe/send", &Value::Object(body)))
}

/// Asks for a round code that opens a page with a scene; there may be any number of them. The answer is a picture, or JSON
/// with an error: 41030 for a page that is not released, 40097 and 40169 for what should have been refused here.
/// <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/qr-code/getUnlimitedQRCode.html>
///
/// # Errors
/// What is wrong with the order, in words.
pub fn code(order: &Value) -> Result<ApiRequest, &'static str> {
    Ok(post_json("/wxa/getwxacodeunlimit", &Value::Object(picked(order, &CODE, 1)?)))
}

/// The members of an order that have rules, of which the first `needed` must be there. One that is null is not there.
fn picked(order: &Value, rules: &[Rule], needed: usize) -> Result<Map<String, Value>, &'static str> {
    let mut picked = Map::new();
    for (index, (name, is_right, otherwise)) in rules.iter().enumerate() {
        match order.get(*name).filter(|value| !value.is_null()) {
            Some(value) if is_right(value) => picked.put(name, value.clone()),
            None if index >= needed => {}
            _ => return Err(otherwise),
        }
    }
    Ok(picked)
}

fn is_filled(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_one_of(value: &Value, words: &[&str]) -> bool {
    value.as_str().is_some_and(|word| words.contains(&word))
}

fn is_data(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.values().all(|field| field.get("value").is_some()))
}

fn is_scene(value: &Value) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || SCENE_SIGNS.contains(&byte);
    value.as_str().is_some_and(|scene| (1..=SCENE_LIMIT).contains(&scene.len()) && scene.bytes().all(fits))
}

/// An empty page is the first one.
fn is_page(value: &Value) -> bool {
    value.as_str().is_some_and(|page| !page.starts_with('/') && !page.contains('?'))
}

/// WeChat's own examples write the parts as texts.
fn is_color(value: &Value) -> bool {
    let part = |name| value.get(name).and_then(integer).is_some_and(|part| (0..=255).contains(&part));
    part("r") && part("g") && part("b")
}

#[cold]
fn unreadable(what: &str) -> ApiError {
    ApiError::new(UNREADABLE, what)
}
