//! Customer-service messages: answers outside the response to a push. Verified accounts only.
//!
//! A user's message opens a window of 48 hours and 5 messages; a menu tap, a follow or a scan one of a minute and 3.
//! <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>

use super::super::OpenId;
use super::super::xml::is_allowed;
use super::{ApiRequest, post_json};
use crate::json::json;

/// Whether the user sees "typing…", for 15 seconds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// Show it.
    Typing,
    /// Stop showing it.
    CancelTyping,
}

/// Sends a text; the markup of passive replies works. The answer has no data. Never repeat it blindly: a call whose
/// answer was lost may have arrived.
///
/// Control characters are dropped, because JSON can only write them as `\u` escapes.
pub fn send_text(to: &OpenId, content: &str) -> ApiRequest {
    let content: String = content.chars().filter(|character| is_allowed(*character)).collect();
    let body = json!({
        "touser": to.as_str(),
        "msgtype": "text",
        "text": { "content": content },
    });
    post_json("/cgi-bin/message/custom/send", &body)
}

/// Shows or hides "typing…". Refused with 45080 unless the user wrote within 30 seconds, with 45081 while it shows.
pub fn typing(to: &OpenId, command: Typing) -> ApiRequest {
    let command = match command {
        Typing::Typing => "Typing",
        Typing::CancelTyping => "CancelTyping",
    };
    let body = json!({ "touser": to.as_str(), "command": command });
    post_json("/cgi-bin/message/custom/typing", &body)
}
