//! WeChat's error codes, as far as the simulator answers them, with WeChat's own words.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/errCode/>

use serde_json::{Value, json};

use crate::ids;

/// An `errcode` other than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errcode(pub i64);

/// The token belongs to nobody, was replaced or was invalidated.
pub const NOT_LATEST: Errcode = Errcode(40001);
/// `grant_type` is not `client_credential`.
pub const GRANT_TYPE: Errcode = Errcode(40002);
/// No such user in this account.
pub const OPENID: Errcode = Errcode(40003);
/// No such media, or it is older than three days.
pub const MEDIA_ID: Errcode = Errcode(40007);
/// No such `msgtype`, or its payload is missing.
pub const MESSAGE_TYPE: Errcode = Errcode(40008);
/// Another AppID than the simulated account's.
pub const APP_ID: Errcode = Errcode(40013);
/// Not even the form of an access token.
pub const TOKEN_FORM: Errcode = Errcode(40014);
/// No such API.
pub const URL: Errcode = Errcode(40066);
/// A wrong AppSecret.
pub const APP_SECRET: Errcode = Errcode(40125);
/// This type of account may not do this (a test account's `msgmenu`).
pub const ACCOUNT_TYPE: Errcode = Errcode(40200);
/// No `access_token` in the query.
pub const TOKEN_MISSING: Errcode = Errcode(41001);
/// No `appid`.
pub const APP_ID_MISSING: Errcode = Errcode(41002);
/// No `secret`.
pub const APP_SECRET_MISSING: Errcode = Errcode(41004);
/// No `media_id`.
pub const MEDIA_ID_MISSING: Errcode = Errcode(41006);
/// The token's time is over.
pub const EXPIRED: Errcode = Errcode(42001);
/// This API wants GET.
pub const WANTS_GET: Errcode = Errcode(43001);
/// This API wants POST.
pub const WANTS_POST: Errcode = Errcode(43002);
/// A POST without a body.
pub const EMPTY_BODY: Errcode = Errcode(44002);
/// A text message without text.
pub const EMPTY_TEXT: Errcode = Errcode(44004);
/// A text over 2048 bytes.
pub const TOO_LONG: Errcode = Errcode(45002);
/// More than one article.
pub const TOO_MANY_ARTICLES: Errcode = Errcode(45008);
/// The day's quota of this API is used up.
pub const DAILY_QUOTA: Errcode = Errcode(45009);
/// The user wrote more than 48 hours ago, never wrote, or left.
pub const WINDOW_CLOSED: Errcode = Errcode(45015);
/// All messages that the user's last action allowed were sent.
pub const COUNT_USED: Errcode = Errcode(45047);
/// A typing command other than `Typing` and `CancelTyping`.
pub const TYPING_COMMAND: Errcode = Errcode(45072);
/// Typing without a message from the user within 30 seconds.
pub const TYPING_TOO_LATE: Errcode = Errcode(45080);
/// Typing is already shown.
pub const TYPING_ALREADY: Errcode = Errcode(45081);
/// Not JSON.
pub const NOT_JSON: Errcode = Errcode(47001);
/// The account has no right to use this API.
pub const UNAUTHORIZED: Errcode = Errcode(48001);

impl Errcode {
    /// What WeChat writes in `errmsg`, without its request id. For humans: never compare it.
    fn words(self) -> &'static str {
        match self.0 {
            -1 => "system error",
            40001 => "invalid credential, access_token is invalid or not latest",
            40002 => "invalid grant_type",
            40003 => "invalid openid",
            40007 => "invalid media_id",
            40008 => "invalid message type",
            40013 => "invalid appid",
            40014 => "invalid access_token",
            40066 => "invalid url",
            40125 => "invalid appsecret",
            40164 => "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist",
            40200 => "invalid account type",
            40243 => "AppSecret has been frozen, please unfreeze it on the platform",
            41001 => "access_token missing",
            41002 => "appid missing",
            41004 => "appsecret missing",
            41006 => "media_id missing",
            42001 => "access_token expired",
            43001 => "require GET method",
            43002 => "require POST method",
            43004 => "require subscribe",
            44002 => "empty post data",
            44004 => "empty content",
            45002 => "content size out of limit",
            45008 => "article size out of limit",
            45009 => "reach max api daily quota limit",
            45011 => "api minute-quota reach limit, must slower, retry next minute",
            45015 => "response out of time limit or subscription is canceled",
            45047 => "out of response count limit",
            45072 => "invalid typing command",
            45080 => "no message from the user within 30 seconds",
            45081 => "already typing",
            47001 => "data format error",
            48001 => "api unauthorized",
            50002 => "user limited",
            _ => "error",
        }
    }

    /// The JSON body, with a request id as WeChat adds one.
    pub fn body(self, now_ms: u64) -> Value {
        json!({ "errcode": self.0, "errmsg": format!("{} rid: {}", self.words(), ids::rid(now_ms)) })
    }
}
