//! What the account may know of a user. Since the end of 2021 that is no name and no picture.
//!
//! <https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_userinfo.html>

use super::super::OpenId;
use super::{ApiError, ApiRequest, Body, Method, check, post_json};
use crate::json::json;
use serde_json::Value;

/// Asks about a user.
pub fn info(user: &OpenId) -> ApiRequest {
    ApiRequest {
        method: Method::Get,
        path: "/cgi-bin/user/info",
        query: vec![("openid", user.as_str().to_owned())],
        body: Body::Empty,
    }
}

/// Reads the answer: the user's unionid, if the account is bound to an Open Platform owner.
///
/// # Errors
/// WeChat's.
pub fn parse_unionid(answer: &str) -> Result<Option<OpenId>, ApiError> {
    let value = check(answer)?;
    let unionid = value.get("unionid").and_then(Value::as_str).filter(|unionid| !unionid.is_empty());
    Ok(unionid.map(OpenId::new))
}

/// Most people of one [`batch`].
/// <https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_batchuserinfo.html>
pub const BATCH: usize = 100;
/// Most characters of a remark.
/// <https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_updateremark.html>
pub const REMARK_LIMIT: usize = 30;

/// Asks for followers, at most 10 000: those after `after`, or the first ones if it is empty. The answer has `total`.
/// <https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_getfans.html>
pub fn followers(after: &str) -> ApiRequest {
    let query = if after.is_empty() { Vec::new() } else { vec![("next_openid", after.to_owned())] };
    ApiRequest { method: Method::Get, path: "/cgi-bin/user/get", query, body: Body::Empty }
}

/// Asks about at most [`BATCH`] people.
pub fn batch(openids: &[&str]) -> ApiRequest {
    let people: Vec<_> = openids.iter().map(|openid| json!({ "openid": openid })).collect();
    post_json("/cgi-bin/user/info/batchget", &json!({ "user_list": people }))
}

/// Sets what the account calls somebody, at most [`REMARK_LIMIT`] characters.
pub fn remark(openid: &str, remark: &str) -> ApiRequest {
    post_json("/cgi-bin/user/info/updateremark", &json!({ "openid": openid, "remark": remark }))
}
