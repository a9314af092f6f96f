//! What the account may know of a user. Since the end of 2021 that is no name and no picture.
//!
//! <https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_userinfo.html>

use super::super::OpenId;
use super::{ApiError, ApiRequest, Body, Method, check};
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
