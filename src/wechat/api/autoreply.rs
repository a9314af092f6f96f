//! The automatic replies that were set in WeChat's own console.
//! <https://developers.weixin.qq.com/doc/service/api/autoreply/api_getcurrentautoreplyinfo>

use super::{ApiRequest, Body, Method};

/// Asks for them. The answer is the operator's: it is passed on as it is read.
pub fn current() -> ApiRequest {
    ApiRequest {
        method: Method::Get,
        path: "/cgi-bin/get_current_autoreply_info",
        query: Vec::new(),
        body: Body::Empty,
    }
}
