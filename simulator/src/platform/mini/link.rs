//! Links that open the Mini Program: URL links, schemes, short links. Nothing here resolves them.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/url-link/generateUrlLink.html>

use serde_json::{Value, json};

use super::random_name;
use crate::platform::ApiReply;
use crate::platform::api::{Call, number, ok_with, text};
use crate::platform::errcode::{self, Errcode};

/// Characters of a path with its query.
const PATH: usize = 1024;
/// A link ends after so many days at most.
const DAYS: u64 = 30;

const PAGE_PATH: Errcode = Errcode(40165);
const QUERY: Errcode = Errcode(40212);
const EXPIRY: Errcode = Errcode(85401);

/// `POST /wxa/generate_urllink?access_token=…`
pub fn url_link(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    check_target(call, &asked)?;
    check_expiry(&asked, call.now_ms)?;
    Ok(ok_with(json!({ "url_link": format!("https://wxaurl.cn/{}", random_name(11)) })))
}

/// `POST /wxa/generatescheme?access_token=…`
pub fn scheme(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    check_target(call, asked.get("jump_wxa").unwrap_or(&Value::Null))?;
    check_expiry(&asked, call.now_ms)?;
    Ok(ok_with(json!({ "openlink": format!("weixin://dl/business/?t={}", random_name(11)) })))
}

/// `POST /wxa/genwxashortlink?access_token=…`
pub fn short_link(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let page = text(&asked, "page_url");
    if page.is_empty() || page.chars().count() > PATH || call.state.mini.check_page(page).is_err() {
        return Err(PAGE_PATH);
    }
    let title = text(&asked, "page_title");
    let title = if title.is_empty() { String::new() } else { format!("{title}/") };
    Ok(ok_with(json!({ "link": format!("#小程序://wx-sim/{title}{}", random_name(15)) })))
}

/// Path, query and version; here a path may begin with `/`, and none is the first page.
fn check_target(call: &Call<'_>, target: &Value) -> Result<(), Errcode> {
    let (path, query) = (text(target, "path"), text(target, "query"));
    let page = path.strip_prefix('/').unwrap_or(path);
    if path.contains('?')
        || path.len() > PATH
        || !page.is_empty() && call.state.mini.check_page(page).is_err()
    {
        return Err(PAGE_PATH);
    }
    if query.len() > PATH || !query.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(QUERY);
    }
    match text(target, "env_version") {
        "" | "release" | "trial" | "develop" => Ok(()),
        _ => Err(errcode::ARGUMENTS),
    }
}

/// `expire_type` 0 with a time in seconds since 1970, or 1 with a number of days.
fn check_expiry(asked: &Value, now_ms: u64) -> Result<(), Errcode> {
    let now_s = now_ms / 1000;
    let good = match number(asked, "expire_type") {
        Some(1) => number(asked, "expire_interval").is_some_and(|days| (1..=DAYS).contains(&days)),
        _ => number(asked, "expire_time").is_none_or(|until| until > now_s && until <= now_s + DAYS * 86_400),
    };
    if good { Ok(()) } else { Err(EXPIRY) }
}
