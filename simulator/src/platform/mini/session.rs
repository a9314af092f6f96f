//! Logging in: codes, session keys and what is signed with them, phone numbers.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html>

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wxapi::wechat::Secret;
use wxapi::wechat::open_data::sign;

use super::{Mini, hex};
use crate::account::MiniApp;
use crate::ids;
use crate::people::Person;
use crate::platform::api::{App, Call, ok_with, text, with_optional};
use crate::platform::errcode::{self, Errcode};
use crate::platform::{ApiReply, done};
use crate::state::State;

/// Codes live five minutes.
const CODE_MS: u64 = 300_000;
/// Codes remembered, so that a used one gets its error.
const CODES: usize = 1000;
/// How long a session key lasts without use. WeChat publishes no number; this one is ours.
const SESSION_MS: u64 = 3 * 86_400_000;
/// A login makes a new session key unless the present one is younger. This number is ours, too.
const SAME_KEY_MS: u64 = 3_600_000;
/// Exchanges of one user's codes within a minute.
const A_MINUTE: u32 = 100;

const RISKY_USER: Errcode = Errcode(40226);
const SESSION_OVER: Errcode = Errcode(87007);
const SIGNATURE_METHOD: Errcode = Errcode(87008);
const SIGNATURE: Errcode = Errcode(87009);

/// A user's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// 16 random bytes in base64.
    pub key: String,
    made_ms: u64,
    until_ms: u64,
}

impl Session {
    fn new(now_ms: u64) -> Self {
        let key = STANDARD.encode(ids::random_bytes::<16>());
        Self { key, made_ms: now_ms, until_ms: now_ms + SESSION_MS }
    }

    fn is_live(&self, now_ms: u64) -> bool {
        now_ms < self.until_ms
    }
}

/// What a code is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `wx.login`
    Login,
    /// The phone-number button.
    Phone,
}

#[derive(Debug)]
struct Code {
    text: String,
    purpose: Purpose,
    openid: String,
    until_ms: u64,
    risky: bool,
    used: bool,
}

/// The codes given out, newest last.
#[derive(Debug, Default)]
pub struct Codes {
    given: VecDeque<Code>,
}

impl Codes {
    fn give(&mut self, purpose: Purpose, openid: &str, risky: bool, now_ms: u64) -> String {
        let text = match purpose {
            // As WeChat's: 32 letters and digits, or 64 hexadecimal digits.
            Purpose::Login => format!("0{}", hex(ids::random_bytes::<16>()).get(1..).unwrap_or_default()),
            Purpose::Phone => hex(ids::random_bytes::<32>()),
        };
        if self.given.len() == CODES {
            self.given.pop_front();
        }
        let until_ms = now_ms + CODE_MS;
        let openid = openid.to_owned();
        self.given.push_back(Code { text: text.clone(), purpose, openid, until_ms, risky, used: false });
        text
    }

    /// Uses a code up; whose it is.
    fn take(&mut self, purpose: Purpose, text: &str, now_ms: u64) -> Result<String, Errcode> {
        let mut known = self.given.iter_mut().filter(|code| code.purpose == purpose);
        let code = known.find(|code| code.text == text && now_ms < code.until_ms).ok_or(errcode::CODE)?;
        if code.used {
            return Err(if purpose == Purpose::Login { errcode::CODE_USED } else { errcode::CODE });
        }
        code.used = true;
        if code.risky { Err(RISKY_USER) } else { Ok(code.openid.clone()) }
    }
}

impl Mini {
    /// The person's `wx.login`, or their tap on the phone-number button. `risky`: WeChat distrusts them.
    pub fn give_code(&mut self, purpose: Purpose, openid: &str, risky: bool, now_ms: u64) -> String {
        self.codes.give(purpose, openid, risky, now_ms)
    }

    /// Somebody else exchanges a code of `wx.login` before.
    pub fn spend(&mut self, code: &str, now_ms: u64) {
        let _ = self.codes.take(Purpose::Login, code, now_ms);
    }

    /// The user's session key, while it lasts.
    pub fn session_key(&self, openid: &str, now_ms: u64) -> Option<&str> {
        let session = self.users.get(openid)?.session.as_ref()?;
        session.is_live(now_ms).then_some(session.key.as_str())
    }
}

/// `GET /sns/jscode2session?appid=…&secret=…&js_code=…&grant_type=authorization_code`
pub fn jscode2session(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = |name, missing| call.request.parameter(name).ok_or(missing);
    let app_id = asked("appid", errcode::APP_ID_MISSING)?;
    let secret = asked("secret", errcode::APP_SECRET_MISSING)?;
    if call.account.app(app_id, secret)? != App::Mini {
        return Err(errcode::APP_ID);
    }
    let code = asked("js_code", errcode::CODE_MISSING)?;
    if asked("grant_type", errcode::GRANT_TYPE)? != "authorization_code" {
        return Err(errcode::GRANT_TYPE);
    }
    let Call { state, now_ms, .. } = call;
    let openid = state.mini.codes.take(Purpose::Login, code, *now_ms)?;
    if !state.quotas.take_in_minute(&format!("login {openid}"), A_MINUTE, *now_ms) {
        return Err(errcode::MINUTE_QUOTA);
    }
    let user = state.mini.find(&openid)?;
    let same = user.session.take().filter(|session| *now_ms < session.made_ms + SAME_KEY_MS);
    let key = user.session.insert(same.unwrap_or_else(|| Session::new(*now_ms))).key.clone();
    let body = json!({ "session_key": key, "openid": openid });
    let official = user.official.clone();
    let unionid = state.people.find(&official)?.unionid.as_deref();
    Ok(ApiReply::Json(with_optional(body, "unionid", unionid)))
}

/// `GET /wxa/checksession?access_token=…&openid=…&signature=…&sig_method=hmac_sha256`: use prolongs the session.
pub fn check(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let now_ms = call.now_ms;
    signed_session(call)?.1.until_ms = now_ms + SESSION_MS;
    Ok(done())
}

/// `GET /wxa/resetusersessionkey?access_token=…&openid=…&signature=…&sig_method=hmac_sha256`: another key that ends
/// when the former would have.
pub fn reset(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let now_ms = call.now_ms;
    let (openid, session) = signed_session(call)?;
    *session = Session { until_ms: session.until_ms, ..Session::new(now_ms) };
    Ok(ok_with(json!({ "openid": openid, "session_key": session.key })))
}

/// The session of the user in the query, if the query is signed with its key.
fn signed_session<'a>(call: &'a mut Call<'_>) -> Result<(String, &'a mut Session), Errcode> {
    let openid = call.request.parameter("openid").ok_or(errcode::OPENID_MISSING)?.to_owned();
    if call.request.parameter("sig_method") != Some("hmac_sha256") {
        return Err(SIGNATURE_METHOD);
    }
    let signature = call.request.parameter("signature").unwrap_or_default();
    let session = call.state.mini.find(&openid)?.session.as_mut();
    let session = session.filter(|session| session.is_live(call.now_ms)).ok_or(SESSION_OVER)?;
    if sign(&Secret::new(session.key.as_str()), b"") == signature {
        Ok((openid, session))
    } else {
        Err(SIGNATURE)
    }
}

/// `POST /wxa/business/getuserphonenumber?access_token=…`
pub fn phone_number(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let Call { state, now_ms, .. } = call;
    let openid = state.mini.codes.take(Purpose::Phone, text(&asked, "code"), *now_ms)?;
    // Whoever says whose code it should be has that checked. WeChat does not publish the error.
    let claimed = text(&asked, "openid");
    if !claimed.is_empty() && claimed != openid {
        return Err(errcode::CODE);
    }
    let info = call.account.mini.as_ref().map(|mini| phone_info(call.state, mini, &openid, call.now_ms));
    Ok(ok_with(json!({ "phone_info": info.transpose()? })))
}

/// A phone number as WeChat hands it out, with the watermark of the Mini Program.
///
/// # Errors
/// 40003 for nobody's openid.
pub fn phone_info(state: &mut State, mini: &MiniApp, openid: &str, now_ms: u64) -> Result<Value, Errcode> {
    let official = state.mini.find(openid)?.official.clone();
    let (country, pure) = phone_of(state.people.find(&official)?);
    let full = if country == "86" { pure.clone() } else { format!("{country}{pure}") };
    Ok(json!({
        "phoneNumber": full,
        "purePhoneNumber": pure,
        "countryCode": country,
        "watermark": { "timestamp": now_ms / 1000, "appid": mini.app_id },
    }))
}

/// Country code and number; whoever has none gets one that nobody has.
fn phone_of(person: &Person) -> (String, String) {
    let given = person.phone.as_deref().unwrap_or_default().trim();
    let made_up = format!("100{:08}", person.number);
    match given.strip_prefix('+').and_then(|given| given.split_once(' ')) {
        Some((country, number)) => (country.to_owned(), number.replace(' ', "")),
        None if given.is_empty() => ("86".to_owned(), made_up),
        None => ("86".to_owned(), given.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_signature_is_the_text() {
        // The example of WeChat's page on signatures of user sessions.
        let expected = "654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b";
        assert_eq!(sign(&Secret::new("o0q0otL8aEzpcZL/FT9WsQ=="), br#"{"foo":"bar"}"#), expected);
    }

    #[test]
    fn a_code_serves_once_for_five_minutes_and_for_one_purpose() {
        let mut codes = Codes::default();
        let login = codes.give(Purpose::Login, "o1", false, 0);
        assert_eq!((login.len(), codes.take(Purpose::Phone, &login, 0)), (32, Err(errcode::CODE)));
        assert_eq!(codes.take(Purpose::Login, &login, CODE_MS - 1), Ok("o1".to_owned()));
        assert_eq!(codes.take(Purpose::Login, &login, CODE_MS - 1), Err(errcode::CODE_USED));
        assert_eq!(codes.take(Purpose::Login, &login, CODE_MS), Err(errcode::CODE));
        let risky = codes.give(Purpose::Login, "o1", true, 0);
        assert_eq!(codes.take(Purpose::Login, &risky, 0), Err(RISKY_USER));
    }

    #[test]
    fn phone_numbers() {
        let of = |phone: Option<&str>| {
            phone_of(&Person { phone: phone.map(str::to_owned), number: 7, ..Person::default() })
        };
        let pair = |country: &str, number: &str| (country.to_owned(), number.to_owned());
        assert_eq!(of(None), pair("86", "10000000007"));
        assert_eq!(of(Some("+1 555 0100")), pair("1", "5550100"));
        assert_eq!(of(Some("13800000000")), pair("86", "13800000000"));
    }
}
