//! Customer-service messages: `custom/send` and `custom/typing`.
//!
//! <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>

use serde_json::Value;

use super::account_type::Right;
use super::api::{Api, App, Call, text};
use super::draft::ARTICLE_ID;
use super::errcode::{self, Errcode};
use super::{AccountType, ApiReply, Kind, done, media, mini};
use crate::phone::Bubble;
use crate::state::State;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/message/custom/send", Right::CustomerService, send).for_both().daily(500_000),
    Api::post("/cgi-bin/message/custom/typing", Right::CustomerService, typing).for_both().daily(500_000),
];

/// Bytes of UTF-8 in a text. No page states it; 2048 is what was measured, in replies and here alike.
const TEXT_BYTES: usize = 2048;

/// `POST /cgi-bin/message/custom/send?access_token=…`
fn send(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    if call.app == App::Mini {
        return mini::custom::send(call);
    }
    let message = call.json()?;
    let Call { state, now_ms, .. } = call;
    state.people.find(text(&message, "touser"))?;
    check_shape(&message, state.account_type)?;
    check_media(&message, state, *now_ms)?;
    let shown = shown(&message, state)?;
    let speaker = state.agents.speaker(&message)?;
    let person = state.people.find(text(&message, "touser"))?;
    person.chat.ledger.take(*now_ms)?;
    if let Some(speaker) = speaker {
        state.agents.said(&speaker, &message, *now_ms);
    }
    person.chat.receive(shown, message, *now_ms);
    Ok(done())
}

/// `POST /cgi-bin/message/custom/typing?access_token=…`, for a Mini Program also `…/custom/business/typing`.
pub fn typing(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let Call { state, now_ms, app, .. } = call;
    let openid = text(&asked, "touser");
    let ledger = match app {
        App::Official => &mut state.people.find(openid)?.chat.ledger,
        App::Mini => &mut state.mini.find(openid)?.window.ledger,
    };
    match text(&asked, "command") {
        "Typing" => ledger.start_typing(*now_ms)?,
        "CancelTyping" => ledger.cancel_typing(),
        _ => return Err(errcode::TYPING_COMMAND),
    }
    Ok(done())
}

/// Every `msgtype` needs its object with its members.
fn check_shape(message: &Value, account: AccountType) -> Result<(), Errcode> {
    let msgtype = text(message, "msgtype");
    let payload = message.get(msgtype).ok_or(errcode::MESSAGE_TYPE)?;
    match msgtype {
        "text" => check_text(text(payload, "content")),
        "image" | "voice" | "video" | "mpnews" => need(payload, &["media_id"], errcode::MEDIA_ID),
        "music" => need(payload, &["musicurl", "hqmusicurl", "thumb_media_id"], errcode::MESSAGE_TYPE),
        "news" => check_news(payload),
        "mpnewsarticle" => need(payload, &["article_id"], errcode::MESSAGE_TYPE),
        "msgmenu" if account == AccountType::Test => Err(errcode::ACCOUNT_TYPE),
        "msgmenu" => check_menu(payload),
        "wxcard" => need(payload, &["card_id"], errcode::MESSAGE_TYPE),
        "miniprogrampage" => need(payload, &["appid", "pagepath", "thumb_media_id"], errcode::MESSAGE_TYPE),
        _ => Err(errcode::MESSAGE_TYPE),
    }
}

/// Files are temporary media or permanent material, and of the right kind.
pub(super) fn check_media(message: &Value, state: &State, now_ms: u64) -> Result<(), Errcode> {
    let msgtype = text(message, "msgtype");
    let payload = message.get(msgtype).unwrap_or(&Value::Null);
    let is = |name: &str, kinds: &[Kind]| {
        let found = media::usable(state, text(payload, name), now_ms);
        if found.is_some_and(|media| kinds.contains(&media.kind)) { Ok(()) } else { Err(errcode::MEDIA_ID) }
    };
    match msgtype {
        "image" => is("media_id", &[Kind::Image]),
        "voice" => is("media_id", &[Kind::Voice]),
        "video" => is("media_id", &[Kind::Video]),
        _ => Ok(()),
    }?;
    // A video does without.
    if text(payload, "thumb_media_id").is_empty() {
        return Ok(());
    }
    is("thumb_media_id", &[Kind::Thumb, Kind::Image])
}

/// How the message looks: articles are those that the account wrote.
fn shown(message: &Value, state: &State) -> Result<Bubble, Errcode> {
    let member =
        |payload: &str, name: &str| message.get(payload).map(|payload| text(payload, name).to_owned());
    let news = match text(message, "msgtype") {
        "mpnews" => {
            let id = member("mpnews", "media_id").unwrap_or_default();
            state.drafts.news(&id).ok_or(errcode::MEDIA_ID)?
        }
        "mpnewsarticle" => {
            let id = member("mpnewsarticle", "article_id").unwrap_or_default();
            state.drafts.published(&id).ok_or(ARTICLE_ID)?
        }
        _ => return Ok(Bubble::from_custom(message)),
    };
    Ok(news.card(&state.base_url))
}

pub(super) fn check_text(content: &str) -> Result<(), Errcode> {
    match content.len() {
        0 => Err(errcode::EMPTY_TEXT),
        1..=TEXT_BYTES => Ok(()),
        _ => Err(errcode::TOO_LONG),
    }
}

fn check_news(payload: &Value) -> Result<(), Errcode> {
    match payload.get("articles").and_then(Value::as_array).map(Vec::as_slice) {
        Some([article]) => need(article, &["title"], errcode::MESSAGE_TYPE),
        Some([_, _, ..]) => Err(errcode::TOO_MANY_ARTICLES),
        _ => Err(errcode::MESSAGE_TYPE),
    }
}

fn check_menu(payload: &Value) -> Result<(), Errcode> {
    let choices = payload.get("list").and_then(Value::as_array).filter(|list| !list.is_empty());
    let complete = |choice: &Value| choice.get("id").is_some() && !text(choice, "content").is_empty();
    if choices.is_some_and(|choices| choices.iter().all(complete)) {
        Ok(())
    } else {
        Err(errcode::MESSAGE_TYPE)
    }
}

pub(super) fn need(payload: &Value, names: &[&str], otherwise: Errcode) -> Result<(), Errcode> {
    if names.iter().all(|name| !text(payload, name).is_empty()) { Ok(()) } else { Err(otherwise) }
}
