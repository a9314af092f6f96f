//! Customer-service messages of the Mini Program. They arrive in the chat with its customer service.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/kf-message/api_sendcustommessage.html>

use serde_json::Value;

use crate::phone::Bubble;
use crate::platform::api::{App, Call, text};
use crate::platform::custom::{check_media, check_text, need};
use crate::platform::errcode::{self, Errcode};
use crate::platform::{ApiReply, done};

/// `POST /cgi-bin/message/custom/send?access_token=…` with a token of the Mini Program.
pub fn send(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let message = call.json()?;
    let app_id = call.account.app_id_of(App::Mini).to_owned();
    let Call { state, now_ms, .. } = call;
    state.mini.find(text(&message, "touser"))?;
    check_shape(&message)?;
    check_media(&message, state, *now_ms)?;
    let user = state.mini.find(text(&message, "touser"))?;
    user.window.ledger.take(*now_ms)?;
    let mut shown = Bubble::from_custom(&message);
    // Its messages name no AppID: the page is its own.
    if let Bubble::Card { mini_program: Some(page), .. } = &mut shown {
        page.appid = app_id;
    }
    user.window.receive(shown, message, *now_ms);
    Ok(done())
}

/// A Mini Program sends fewer kinds than an Official Account, and two with other members.
fn check_shape(message: &Value) -> Result<(), Errcode> {
    let msgtype = text(message, "msgtype");
    let payload = message.get(msgtype).ok_or(errcode::MESSAGE_TYPE)?;
    match msgtype {
        "text" => check_text(text(payload, "content")),
        "image" => need(payload, &["media_id"], errcode::MEDIA_ID),
        "link" => need(payload, &["title", "description", "url", "thumb_url"], errcode::MESSAGE_TYPE),
        "miniprogrampage" => need(payload, &["title", "pagepath", "thumb_media_id"], errcode::MESSAGE_TYPE),
        _ => Err(errcode::MESSAGE_TYPE),
    }
}
