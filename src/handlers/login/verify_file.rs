//! The files by which WeChat knows a domain's owner.
//! <https://developers.weixin.qq.com/doc/service/guide/h5/auth>

use crate::handlers::App;
use crate::platform::{Request, Response};

/// `GET /MP_verify_<x>.txt` and `GET /<x>.txt`, from the configuration; `None` if it is not one of them.
pub fn find(request: &Request, app: &App) -> Option<Response> {
    let name = request.path.strip_prefix('/')?;
    let (_, content) = app.config.login.verify_files.iter().find(|(known, _)| known == name)?;
    Some(Response::text(200, content.as_str()).with("x-content-type-options", "nosniff"))
}
