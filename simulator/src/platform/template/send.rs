//! Sending: template messages, and the one message of a one-time subscription.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::library::CONSTANTS;
use crate::phone::CardLine;
use crate::phone::transcript::How;
use crate::platform::api::{App, Call, number, ok_with, text};
use crate::platform::card::{self, FIELD};
use crate::platform::errcode::{self, Errcode};
use crate::platform::subscribe::fields;
use crate::platform::{ApiReply, done};

/// A `client_msg_id` sends one message within ten minutes.
const REPEAT_MS: u64 = 600_000;
/// Characters of the title and the content of a one-time subscription's message.
const TITLE: usize = 15;
const CONTENT: usize = 200;

const BLACKLISTED: Errcode = Errcode(43019);

/// How a message to somebody ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// It arrives.
    #[default]
    Success,
    /// The person switched messages of the account off.
    UserBlock,
    /// WeChat failed.
    SystemFailed,
}

impl Receipt {
    /// The event's `Status`, blanks as WeChat has them.
    fn status(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::UserBlock => "failed:user block",
            Self::SystemFailed => "failed: system failed",
        }
    }
}

/// The last messages with their `msgid`, and the `client_msg_id` of those that had one.
#[derive(Debug, Default)]
pub struct Sent {
    last_id: u64,
    recent: VecDeque<(String, String, u64, u64)>,
}

impl Sent {
    fn new_id(&mut self, now_ms: u64) -> u64 {
        self.last_id = (self.last_id + 1).max(now_ms / 1000);
        self.last_id
    }

    /// The message that this one repeats, if it repeats one.
    fn repeated(&mut self, openid: &str, client_id: &str, now_ms: u64) -> Option<u64> {
        self.recent.retain(|sent| now_ms < sent.3 + REPEAT_MS);
        let same = |sent: &&(String, String, u64, u64)| sent.0 == openid && sent.1 == client_id;
        self.recent.iter().find(same).map(|sent| sent.2)
    }

    fn note(&mut self, openid: &str, client_id: &str, id: u64, now_ms: u64) {
        if !client_id.is_empty() {
            self.recent.push_back((openid.to_owned(), client_id.to_owned(), id, now_ms));
        }
    }
}

/// `POST /cgi-bin/message/template/send?access_token=…`
pub fn send(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let message = call.json()?;
    let (openid, client_id) = (text(&message, "touser").to_owned(), text(&message, "client_msg_id"));
    let person = call.state.people.find(&openid)?;
    let template = call.state.templates.find(text(&message, "template_id"))?.clone();
    if !person.fan.following {
        return Err(errcode::NOT_FOLLOWING);
    }
    if person.fan.blacklisted {
        return Err(BLACKLISTED);
    }
    if let Some(wrong) = wrong_field(&template.content, &message) {
        return Ok(call.wrong(FIELD, &wrong));
    }
    let templates = &mut call.state.templates;
    if let Some(id) = templates.sent.repeated(&openid, client_id, call.now_ms) {
        return Ok(ok_with(json!({ "msgid": id })));
    }
    let id = templates.sent.new_id(call.now_ms);
    templates.sent.note(&openid, client_id, id, call.now_ms);
    let receipt = templates.receipts.get(&openid).copied().unwrap_or_default();
    if receipt == Receipt::Success {
        person.chat.receive_as(
            How::Template,
            card::bubble(&template.title, &template.content, &message),
            message,
            call.now_ms,
        );
    }
    call.push(&openid, "TEMPLATESENDJOBFINISH", json!({ "MsgID": id, "Status": receipt.status() }));
    Ok(ok_with(json!({ "msgid": id })))
}

/// Places whose name says of what kind they are, as `thing2`, take only that; old ones, as `keyword1`, take any text.
/// `first` and `remark` may stay away: WeChat does not ask for them any more.
fn wrong_field(content: &str, message: &Value) -> Option<String> {
    let data = message.get("data").unwrap_or(&Value::Null);
    let optional = |key: &str| matches!(key, "first" | "remark");
    let keys =
        card::keys(content).into_iter().filter(|key| !optional(key) || !card::value(data, key).is_empty());
    fields::first_wrong(keys, data, &|_| Some(&CONSTANTS))
}

/// `POST /cgi-bin/message/template/subscribe?access_token=…`: the person has agreed to one message of this template in
/// this scene; they need not follow.
pub fn subscribe(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let message = call.json()?;
    let openid = text(&message, "touser");
    call.state.people.find(openid)?;
    let title = text(&message, "title");
    if title.chars().count() > TITLE {
        return Err(errcode::TITLE_LENGTH);
    }
    let content = card::value(message.get("data").unwrap_or(&Value::Null), "content");
    if content.is_empty() || content.chars().count() > CONTENT {
        let what = if content.is_empty() { "is empty" } else { "invalid" };
        return Ok(call.wrong(FIELD, &format!("data.content.value {what}")));
    }
    let scene = number(&message, "scene").unwrap_or_default();
    let template_id = text(&message, "template_id");
    if !call.state.subscriptions.of(App::Official).take_scene(openid, template_id, scene) {
        return Err(errcode::NOT_SUBSCRIBED);
    }
    let lines = content.lines().map(|line| CardLine { name: String::new(), value: line.to_owned() });
    let shown = card::with_lines(title, lines, &message);
    call.state.people.find(openid)?.chat.receive_as(How::Subscribe, shown, message.clone(), call.now_ms);
    Ok(done())
}
