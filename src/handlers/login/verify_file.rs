//! The files by which WeChat knows a domain's owner.

use crate::handlers::App;
use crate::platform::{Request, Response};

/// `GET /MP_verify_<x>.txt` and `GET /<x>.txt`, from the configuration; `None` if it is not one of them.
pub fn find(_request: &Request, _app: &App) -> Option<Response> {
    None
}
