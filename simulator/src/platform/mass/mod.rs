//! Mass messages: to all, by tag, to a list of openids, and previews.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html>

mod job;
mod message;

use serde_json::{Value, json};

use self::job::{Audience, Repeat, Status};
use self::message::Message;
use super::account_type::Right;
use super::api::{Api, Call, PLATFORM, list, number, text, with};
use super::errcode::{self, Errcode};
use super::{ApiReply, done};
use crate::phone::transcript::How;

pub use self::job::Mass;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/message/mass/sendall", Right::Mass, sendall).daily(100),
    Api::post("/cgi-bin/message/mass/send", Right::MassByOpenid, send).daily(100),
    Api::post("/cgi-bin/message/mass/preview", Right::Mass, preview).daily(100),
    Api::post("/cgi-bin/message/mass/delete", Right::Mass, delete),
    Api::post("/cgi-bin/message/mass/get", Right::Mass, get),
    Api::post("/cgi-bin/message/mass/speed/get", Right::Mass, speed),
    Api::post("/cgi-bin/message/mass/speed/set", Right::Mass, set_speed),
];

/// Calls of `sendall` and `send` within a minute.
const A_MINUTE: u32 = 60;
/// Articles have an id of their own, here so far from the `msg_id`.
const MSG_DATA_ID: u64 = 1_000_000_000;
/// Openids of one `send`.
const FEWEST: usize = 2;
const MOST: usize = 10_000;
/// Bytes of a `clientmsgid`.
const CLIENT_ID_BYTES: usize = 32;

const TOO_MANY_OPENIDS: Errcode = Errcode(40032);
const TOO_FEW_OPENIDS: Errcode = Errcode(40130);
const USERNAME: Errcode = Errcode(40132);
const CLIENT_ID_EXISTS: Errcode = Errcode(45065);
const CLIENT_ID_TOO_FAST: Errcode = Errcode(45066);
const CLIENT_ID_SIZE: Errcode = Errcode(45067);
const SPEED: Errcode = Errcode(45083);
const SPEED_MISSING: Errcode = Errcode(45084);

/// `POST /cgi-bin/message/mass/sendall?access_token=…`
fn sendall(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let message = call.json()?;
    let filter = message.get("filter").ok_or(errcode::INVALID)?;
    let to_all = filter.get("is_to_all").and_then(Value::as_bool).unwrap_or_default();
    let audience = match number(filter, "tag_id").and_then(|tag| u32::try_from(tag).ok()) {
        _ if to_all => Audience::All,
        Some(tag) if call.state.tags.contains(tag) => Audience::Tag(tag),
        Some(_) => return Err(errcode::TAG_ID),
        None => return Err(errcode::INVALID),
    };
    submit(call, message, &audience)
}

/// `POST /cgi-bin/message/mass/send?access_token=…`
fn send(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let message = call.json()?;
    let openids = list(&message, "touser").iter().filter_map(Value::as_str).map(str::to_owned);
    let openids: Vec<_> = openids.collect();
    match openids.len() {
        0..FEWEST => Err(TOO_FEW_OPENIDS),
        FEWEST..=MOST => submit(call, message, &Audience::Openids(openids)),
        _ => Err(TOO_MANY_OPENIDS),
    }
}

/// 1. Checks the message. 2. Knows a repetition. 3. Sends. 4. Answers that it is queued; the result follows as an event.
fn submit(call: &mut Call<'_>, body: Value, audience: &Audience) -> Result<ApiReply, Errcode> {
    let message = Message::read(body, call.state, call.now_ms)?;
    if !call.state.quotas.take_in_minute("mass", A_MINUTE, call.now_ms) {
        return Err(errcode::MINUTE_QUOTA);
    }
    let client_id = text(&message.body, "clientmsgid");
    if client_id.len() > CLIENT_ID_BYTES {
        return Err(CLIENT_ID_SIZE);
    }
    let client_id = if client_id.is_empty() { job::derived_id(&message.body) } else { client_id.to_owned() };
    match call.state.mass.repeated(&client_id, call.now_ms) {
        Some(Repeat::Known(msg_id)) => return Ok(exists(msg_id, call.now_ms)),
        Some(Repeat::TooFast) => return Err(CLIENT_ID_TOO_FAST),
        None => {}
    }
    let result = job::run(call.state, &message, audience, call.now_ms)?;
    let msg_id = call.state.mass.note(client_id, result.status, &message.body, call.now_ms);
    call.push(PLATFORM, "MASSSENDJOBFINISH", result.event(msg_id, &message));
    let answer = json!({ "errcode": 0, "errmsg": "send job submission success", "msg_id": msg_id });
    let of_articles = text(&message.body, "msgtype") == "mpnews";
    if of_articles && result.status == Status::Success {
        call.state.drafts.note_sent(text(message.body.get("mpnews").unwrap_or(&Value::Null), "media_id"));
    }
    Ok(ApiReply::Json(if of_articles { with(answer, "msg_data_id", msg_id + MSG_DATA_ID) } else { answer }))
}

fn exists(msg_id: u64, now_ms: u64) -> ApiReply {
    ApiReply::Json(with(CLIENT_ID_EXISTS.body(now_ms), "msg_id", msg_id))
}

/// `POST /cgi-bin/message/mass/preview?access_token=…`: by `towxname`, here a person's name, or else by openid.
fn preview(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let now_ms = call.now_ms;
    let message = Message::read(call.json()?, call.state, now_ms)?;
    let (name, openid) = (text(&message.body, "towxname"), text(&message.body, "touser"));
    let person = if name.is_empty() {
        call.state.people.find(openid)?
    } else {
        let mut named = call.state.people.iter_mut().map(|(_, person)| person);
        named.find(|person| person.name == name).ok_or(USERNAME)?
    };
    if !person.fan.following {
        return Err(errcode::NOT_FOLLOWING);
    }
    for bubble in &message.shown {
        person.chat.receive_as(How::Mass, bubble.clone(), message.body.clone(), now_ms);
    }
    let msg_id = call.state.mass.new_id(now_ms);
    Ok(ApiReply::Json(json!({ "errcode": 0, "errmsg": "preview success", "msg_id": msg_id })))
}

/// `POST /cgi-bin/message/mass/delete?access_token=…`, of articles and videos: the page of the article `article_idx` is
/// gone, or of all without it; the message stays on the phones.
fn delete(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let job = number(&asked, "msg_id").and_then(|id| call.state.mass.find(id)).ok_or(errcode::INVALID)?;
    if !matches!(job.msgtype.as_str(), "mpnews" | "mpvideo") {
        return Err(errcode::INVALID);
    }
    let article = number(&asked, "article_idx").unwrap_or_default();
    if !call.state.drafts.delete_sent(&job.media_id, article)? {
        job.status = Status::Delete;
    }
    Ok(done())
}

/// `POST /cgi-bin/message/mass/get?access_token=…`
fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let id = number(&asked, "msg_id").ok_or(errcode::INVALID)?;
    let job = call.state.mass.find(id).ok_or(errcode::INVALID)?;
    Ok(ApiReply::Json(json!({ "msg_id": id, "msg_status": job.status.word() })))
}

/// `POST /cgi-bin/message/mass/speed/get?access_token=…`
fn speed(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let speed = call.state.mass.speed;
    Ok(ApiReply::Json(json!({ "speed": speed.level, "realspeed": speed.ten_thousands_a_minute() })))
}

/// `POST /cgi-bin/message/mass/speed/set?access_token=…`: 0 to 4, the smaller the faster. It changes what `get` says; the
/// simulated people are so few that all are reached at once.
fn set_speed(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    if asked.get("speed").is_none() {
        return Err(SPEED_MISSING);
    }
    let level = number(&asked, "speed").filter(|level| *level <= 4).ok_or(SPEED)?;
    call.state.mass.speed.level = level;
    Ok(done())
}
