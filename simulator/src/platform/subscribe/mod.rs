//! Subscribe notifications of the Official Account and of the Mini Program: templates, consents, sending.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html>

pub mod book;
pub mod fields;
mod library;
mod newtmpl;

use serde_json::{Value, json};

use self::book::Template;
use super::account_type::Right;
use super::api::{Api, Call, text, with};
use super::card::{self, FIELD};
use super::errcode::{self, Errcode};
use super::{ApiReply, done};
use crate::phone::transcript::How;

pub use self::book::Subscriptions;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/message/subscribe/bizsend", Right::Subscribe, bizsend),
    Api::post("/cgi-bin/message/subscribe/send", Right::Basic, send).for_mini(),
    Api::get("/wxaapi/newtmpl/getcategory", Right::Subscribe, newtmpl::categories).for_both(),
    Api::get("/wxaapi/newtmpl/getpubtemplatetitles", Right::Subscribe, newtmpl::titles).for_both(),
    Api::get("/wxaapi/newtmpl/getpubtemplatekeywords", Right::Subscribe, newtmpl::keywords).for_both(),
    Api::post("/wxaapi/newtmpl/addtemplate", Right::Subscribe, newtmpl::add).for_both(),
    Api::post("/wxaapi/newtmpl/deltemplate", Right::Subscribe, newtmpl::delete).for_both(),
    Api::get("/wxaapi/newtmpl/gettemplate", Right::Subscribe, newtmpl::list).for_both(),
];

/// `POST /cgi-bin/message/subscribe/bizsend?access_token=…`
fn bizsend(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let message = call.json()?;
    call.state.people.find(text(&message, "touser"))?;
    // The page of a notification is what other messages call its URL.
    let shown = with(message.clone(), "url", text(&message, "page"));
    let official = text(&message, "touser").to_owned();
    notify(call, message, &shown, &official)
}

/// `POST /cgi-bin/message/subscribe/send?access_token=…`, of the Mini Program.
fn send(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let message = call.json()?;
    let official = call.state.mini.find(text(&message, "touser"))?.official.clone();
    let page = text(&message, "page");
    if !page.is_empty() {
        call.state.mini.check_page(page)?;
    }
    for (name, known) in [
        ("miniprogram_state", &["developer", "trial", "formal"][..]),
        ("lang", &["zh_CN", "en_US", "zh_HK", "zh_TW"][..]),
    ] {
        if message.get(name).is_some() && !known.contains(&text(&message, name)) {
            return Ok(call.wrong(FIELD, name));
        }
    }
    let app_id = call.account.mini.as_ref().map(|mini| mini.app_id.as_str()).unwrap_or_default();
    let mini_program = json!({ "appid": app_id, "pagepath": page });
    let shown = json!({ "data": message.get("data"), "miniprogram": mini_program });
    notify(call, message, &shown, &official)
}

/// 1. Finds the template. 2. Checks the fields. 3. Takes the consent. 4. Shows the card. 5. Pushes the event.
fn notify(call: &mut Call<'_>, message: Value, shown: &Value, official: &str) -> Result<ApiReply, Errcode> {
    let (openid, template_id) = (text(&message, "touser").to_owned(), text(&message, "template_id"));
    let book = call.state.subscriptions.of(call.app);
    let template = book.find(template_id)?.clone();
    let data = message.get("data").unwrap_or(&Value::Null);
    let options = |key: &str| template.options(key);
    if let Some(wrong) = fields::first_wrong(card::keys(&template.content), data, &options) {
        return Ok(call.wrong(FIELD, &wrong));
    }
    if !book.take(&openid, &template.id) {
        return Err(errcode::NOT_SUBSCRIBED);
    }
    let person = call.state.people.find(official)?;
    let msg_id = {
        let card = card::bubble(&template.title, &template.content, shown);
        person.chat.receive_as(How::Subscribe, card, message, call.now_ms);
        call.state.new_msg_id(call.now_ms)
    };
    call.push(&openid, "subscribe_msg_sent_event", sent(&template, msg_id));
    Ok(done())
}

fn sent(template: &Template, msg_id: u64) -> Value {
    let item = json!({
        "TemplateId": template.id, "MsgID": msg_id, "ErrorCode": 0, "ErrorStatus": "success"
    });
    json!({ "SubscribeMsgSentEvent": { "List": item } })
}
