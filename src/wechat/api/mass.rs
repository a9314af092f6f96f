//! Messages to many. What WeChat takes is only queued; its result comes as `MASSSENDJOBFINISH`.
//!
//! <https://developers.weixin.qq.com/doc/service/api/notify/message/api_sendall>

use serde_json::Value;

use super::error::integer;
use super::{ApiRequest, post_json};
use crate::json::{Put, json};

/// Fewest and most openids of one call.
/// <https://developers.weixin.qq.com/doc/service/api/notify/message/api_masssend>
pub const OPENIDS: (usize, usize) = (2, 10_000);
/// This `clientmsgid` was there before; the answer has the `msg_id` that it got then.
pub const KNOWN: i64 = 45065;
/// This `clientmsgid` was there less than a minute ago.
pub const TOO_SOON: i64 = 45066;

/// Who gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// All followers.
    All,
    /// All with this tag.
    Tag(u64),
    /// These people, [`OPENIDS`] of them.
    People(Vec<String>),
}

/// Sends `message`, an object with `msgtype` and what belongs to it.
pub fn submit(message: &Value, to: To, clientmsgid: &str) -> ApiRequest {
    let (path, name, audience) = match to {
        To::All => ("/cgi-bin/message/mass/sendall", "filter", json!({ "is_to_all": true })),
        To::Tag(tag) => {
            ("/cgi-bin/message/mass/sendall", "filter", json!({ "is_to_all": false, "tag_id": tag }))
        }
        To::People(openids) => ("/cgi-bin/message/mass/send", "touser", json!(openids)),
    };
    let mut body = message.clone();
    if let Value::Object(body) = &mut body {
        body.put(name, audience);
        body.put("clientmsgid", json!(clientmsgid));
    }
    post_json(path, &body)
}

/// Shows `message` to one person, by `touser` or `towxname`; 100 times a day.
/// <https://developers.weixin.qq.com/doc/service/api/notify/message/api_preview>
pub fn preview(message: &Value, to: &Value) -> ApiRequest {
    let mut body = message.clone();
    if let (Value::Object(body), Value::Object(to)) = (&mut body, to) {
        let to = to.iter().filter(|(name, _)| matches!(name.as_str(), "touser" | "towxname"));
        body.extend(to.map(|(name, value)| (name.clone(), value.clone())));
    }
    post_json("/cgi-bin/message/mass/preview", &body)
}

/// Asks what became of a message: `SEND_SUCCESS`, `SENDING`, `SEND_FAIL` or `DELETE`.
/// <https://developers.weixin.qq.com/doc/service/api/notify/message/api_massmsgget>
pub fn status(msg_id: u64) -> ApiRequest {
    post_json("/cgi-bin/message/mass/get", &json!({ "msg_id": msg_id }))
}

/// Takes the page of an article or video away; the message itself stays on the phones. Article 0: all of them.
/// <https://developers.weixin.qq.com/doc/service/api/notify/message/api_deletemassmsg>
pub fn delete(msg_id: u64, article: u64) -> ApiRequest {
    post_json("/cgi-bin/message/mass/delete", &json!({ "msg_id": msg_id, "article_idx": article }))
}

/// Asks for the speed, and with that whether the account may send to many at all.
/// <https://developers.weixin.qq.com/doc/service/api/notify/message/api_getspeed>
pub fn speed() -> ApiRequest {
    post_json("/cgi-bin/message/mass/speed/get", &json!({}))
}

/// Sets the speed: 0 is 800 000 a minute, 4 is 100 000.
/// <https://developers.weixin.qq.com/doc/service/api/notify/message/api_setspeed>
pub fn set_speed(speed: u64) -> ApiRequest {
    post_json("/cgi-bin/message/mass/speed/set", &json!({ "speed": speed }))
}

/// The `msg_id` of an answer, also of one with [`KNOWN`].
pub fn msg_id(answer: &Value) -> Option<u64> {
    answer.get("msg_id").and_then(integer).and_then(|id| u64::try_from(id).ok())
}
