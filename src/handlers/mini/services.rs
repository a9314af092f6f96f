//! `POST /api/wx/…`: what WeChat does for the Mini Program, for whoever has a session. Each is about themselves: the openid
//! is that of their session, whatever they send.

use std::rc::Rc;

use serde_json::Value;

use super::Caller;
use super::call::{Ask, Call, MINUTE, Said};
use crate::config::mini::Mini;
use crate::gateway::send::{Answer, Found, SendError};
use crate::handlers::tasks::{Task, all};
use crate::handlers::{App, call_mini, call_object, download_mini};
use crate::json::json;
use crate::log::Line;
use crate::platform::{Object, Opaque, Passage, Platform, Request, Response, Unreachable};
use crate::wechat::api::mini::{self, CHECKED, Place, Suggest, Verdict};
use crate::wechat::api::{ApiError, Reaction, UNREADABLE};
use crate::wechat::open_data::{self, OpenDataError};
use crate::wechat::{OpenId, Secret};

/// Where a text stands if nobody says it. WeChat has no number for chats; its people count them among the diaries.
/// <https://developers.weixin.qq.com/community/minigame/doc/000a86f14045c84a5b1dad64c5b000>
pub const CHAT: Place = Place::Diary;
/// The label of a text with which nothing is wrong.
const NORMAL: i64 = 100;

/// What WeChat's refusals mean to whoever asked; others by their [`Reaction`].
const REFUSALS: [(i64, u16, &str); 4] = [
    // Of the phone-number button. Not 401, which would make clients log in again and send the same code once more.
    (40029, 400, "Invalid code"),
    (40163, 400, "Invalid code"),
    (43101, 403, "Not subscribed"),
    (61010, 403, "Not in the Mini Program within two hours"),
];
/// Faults of an order that have no [`Reaction::FixRequest`]: scene, path of a page, length of a code's scene, and a scene
/// that WeChat reserves.
const FAULTS: [i64; 4] = [40129, 40165, 40169, 85096];

/// Somebody's order.
struct Visit<'a, P> {
    platform: &'a P,
    app: &'a App,
    mini: &'a Mini,
    openid: OpenId,
    session_key: Secret,
    body: Value,
}

/// A service, or the refusal.
type Outcome = Result<Response, Said>;

/// One of the services.
///
/// 1. the object knows who has the session, and counts the call
/// 2. what is no order is refused
/// 3. WeChat is asked; what it refuses is logged, and told by its meaning
pub(super) async fn serve<P: Platform>(
    service: &str,
    request: &Request,
    platform: &P,
    app: &App,
    mini: &Mini,
    caller: &Caller,
) -> Result<Response, Unreachable> {
    let call = Call::As { session: caller.session.clone(), ask: Ask::Who };
    let who: Said = call_object(platform, Object::MiniUser, &caller.user, &call).await?;
    if who.status != 200 {
        return Ok(who.response());
    }
    let text = |name: &str| who.body.get(name).and_then(Value::as_str).unwrap_or_default();
    let (openid, session_key) = (OpenId::new(text("openid")), Secret::new(text("session_key")));
    let body = crate::json::value(&request.body).unwrap_or_default();
    let visit = Visit { platform, app, mini, openid, session_key, body };
    let outcome = match service {
        "decrypt" => visit.decrypt(),
        "signature" => visit.signature(),
        "phone" => visit.phone().await,
        "check" => visit.check().await,
        "subscribe" => visit.subscribe().await,
        _ => visit.code().await,
    };
    Ok(outcome.unwrap_or_else(|refusal| refusal.response()))
}

impl<P: Platform> Visit<'_, P> {
    /// A member that must be there.
    fn text(&self, name: &str) -> Result<&str, Said> {
        let text = self.body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| Said::refused(400, &[name, " must be a text"].concat()))
    }

    /// What `wx.getWeRunData` and the like encrypted.
    fn decrypt(&self) -> Outcome {
        let (data, iv) = (self.text("encryptedData")?, self.text("iv")?);
        match open_data::decrypt(&self.session_key, data, iv, &self.mini.app_id) {
            Ok(data) => Ok(said(json!({ "data": data }))),
            Err(error) => {
                self.platform.log(&Line::info("mini.not_decrypted", error));
                let stale = error.is_stale() || error == OpenDataError::Key;
                Err(match stale {
                    true => Said::refused(409, "Please log in again"),
                    false => Said::refused(400, &error.to_string()),
                })
            }
        }
    }

    /// Whether `rawData` is as WeChat signed it.
    fn signature(&self) -> Outcome {
        let valid = open_data::is_signed(self.text("rawData")?, &self.session_key, self.text("signature")?);
        Ok(said(json!({ "valid": valid })))
    }

    /// The phone number for the code of the phone-number button.
    async fn phone(&self) -> Outcome {
        let asked = mini::phone_number(&self.openid, self.text("code")?);
        let answer = call_mini(self.platform, self.app, &asked).await;
        let phone = read(answer, &|answer| mini::parse_phone(answer, &self.mini.app_id));
        let phone = phone.map_err(|error| self.refused("phone", &error))?;
        Ok(said(json!({
            "phoneNumber": phone.number,
            "purePhoneNumber": phone.pure,
            "countryCode": phone.country,
        })))
    }

    /// What WeChat thinks of a text.
    async fn check(&self) -> Outcome {
        let content = self.text("content")?;
        if content.trim().is_empty() || content.encode_utf16().count() > CHECKED {
            return Err(Said::refused(400, "content must be a text of 1 to 2500 characters"));
        }
        let place = match self.body.get("scene") {
            None | Some(Value::Null) => CHAT,
            Some(scene) => scene
                .as_u64()
                .and_then(Place::numbered)
                .ok_or_else(|| Said::refused(400, "scene must be 1, 2, 3 or 4"))?,
        };
        let verdict = verdict(self.platform, self.app, &self.openid, place, content).await;
        let verdict = verdict.map_err(|error| self.refused("check", &error))?;
        Ok(said(json!({ "suggest": verdict.suggest.as_str(), "label": verdict.label })))
    }

    /// A notification to themselves.
    async fn subscribe(&self) -> Outcome {
        let order =
            mini::notification(&self.openid, &self.body).map_err(|fault| Said::refused(400, fault))?;
        let sent = call_mini(self.platform, self.app, &order).await;
        sent.map_err(|error| self.refused("subscribe", &error))?;
        Ok(Said::done().response())
    }

    /// A code that opens a page, passed on as it comes.
    async fn code(&self) -> Outcome {
        let order = mini::code(&self.body).map_err(|fault| Said::refused(400, fault))?;
        let found = download_mini(self.platform, self.app, &order).await;
        let found = found.map_err(|error| self.refused("code", &error))?;
        if let Found::File { first, rest, .. } = found
            && let Some(content_type) = kind_of(&first)
        {
            let rest = Some(Opaque(Rc::new(rest)));
            let passage = Passage { content_type: content_type.to_owned(), first, rest };
            return Ok(Response { status: 200, passage: Some(Box::new(passage)), ..Response::default() }
                .with("cache-control", "no-store")
                .with("x-content-type-options", "nosniff"));
        }
        Err(self.refused("code", &SendError::Unknown("the answer is no picture".to_owned())))
    }

    /// What they hear when WeChat does not do it.
    fn refused(&self, service: &str, error: &SendError) -> Said {
        self.platform.log(&Line::warn("mini.service_refused", format_args!("{service}: {error}")));
        let SendError::Refused(error) = error else { return Said::unavailable() };
        let errcode = error.errcode;
        if let Some((_, status, words)) = REFUSALS.iter().find(|(known, ..)| *known == errcode) {
            return Said::refused(*status, words);
        }
        match error.reaction() {
            Reaction::Wait { .. } | Reaction::StopForToday => Said::slow_down(MINUTE),
            Reaction::FixRequest => refused_by_wechat(errcode),
            _ if FAULTS.contains(&errcode) => refused_by_wechat(errcode),
            _ => Said::unavailable(),
        }
    }
}

fn said(body: Value) -> Response {
    Said::ok(body).response()
}

fn refused_by_wechat(errcode: i64) -> Said {
    Said::refused(400, &["WeChat refused this: ", &errcode.to_string()].concat())
}

/// The kind of a picture by its first bytes: whatever a relay between says, nothing else goes out from here.
fn kind_of(first: &[u8]) -> Option<&'static str> {
    match first {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        _ => None,
    }
}

/// WeChat's verdict on a text of any length: the worst of those on its pieces, which are checked side by side. Nothing is
/// wrong with nothing.
///
/// # Errors
/// Why there is none: not that the text is good.
pub async fn verdict<P: Platform>(
    platform: &P,
    app: &App,
    openid: &OpenId,
    place: Place,
    text: &str,
) -> Result<Verdict, SendError> {
    let mut checks: Vec<Task<'_, _>> = Vec::new();
    for piece in mini::pieces(text) {
        checks.push(Box::pin(async move {
            let answer = call_mini(platform, app, &mini::check_text(openid, place, piece)).await;
            read(answer, &mini::parse_check)
        }));
    }
    let mut worst = Verdict { suggest: Suggest::Pass, label: NORMAL };
    for verdict in all(checks).await {
        worst = worst.max(verdict?);
    }
    Ok(worst)
}

/// What WeChat's answer says.
fn read<T>(
    answer: Result<Answer, SendError>,
    parse: &dyn Fn(&str) -> Result<T, ApiError>,
) -> Result<T, SendError> {
    let body = answer?.body;
    parse(std::str::from_utf8(&body).unwrap_or_default()).map_err(|error| match error.errcode {
        UNREADABLE => SendError::Unknown(error.into_words()),
        _ => SendError::Refused(error),
    })
}
