//! `/logout`: a website sends people here when they log out there.
//! <https://openid.net/specs/openid-connect-rpinitiated-1_0.html>
//!
//! Nobody stays logged in here, so there is nothing to end: all that matters is where people go next, and that it is
//! not where an attacker wants them.

use crate::error::Error;
use crate::handlers::App;
use crate::handlers::login::{frame, headers, issue};
use crate::lang::Lang;
use crate::log::Line;
use crate::login::client::{self, Client};
use crate::login::params::Params;
use crate::login::request::language;
use crate::platform::{Platform, Request, Response};

use super::{check_on, form};

const KNOWN: [&str; 4] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];

/// `GET` and `POST /logout`
///
/// 1. the client is named by an ID token of ours, however old, or by its id, or by both alike
/// 2. an address of that client's, byte for byte, is where people go
/// 3. whatever does not fit ends on a page of ours
pub async fn logout<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Response, Error> {
    check_on(app)?;
    let params = match request.method.as_str() {
        "POST" => form(request).unwrap_or_default(),
        _ => Params::parse(request.query.as_bytes()),
    };
    let asked = params.get("ui_locales").and_then(|tags| tags.split(' ').find_map(language));
    let lang = asked.unwrap_or_else(|| frame::lang(request, app));
    let outcome = match params.check(&KNOWN) {
        Ok(()) => destination(request, platform, app, &params).await?,
        Err(_) => Err("a parameter came twice"),
    };
    Ok(match outcome {
        Ok(Some(address)) => headers::private(request, Response::see_other(address)),
        Ok(None) => page(request, 200, lang),
        Err(why) => {
            platform.log(&Line::warn("login.logout_refused", why));
            page(request, 400, lang)
        }
    })
}

/// Where people go: nowhere, if that was not asked for.
async fn destination<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    params: &Params,
) -> Result<Result<Option<String>, &'static str>, Error> {
    let hinted = match params.get("id_token_hint") {
        None => None,
        Some(hint) => match issue::open_id_token(platform, app, &request.origin, hint).await? {
            Ok(claims) => Some(claims.aud),
            Err(_) => return Ok(Err("id_token_hint is no ID token of ours")),
        },
    };
    let id = match (params.get("client_id"), &hinted) {
        (Some(id), Some(hinted)) if id != hinted => return Ok(Err("id_token_hint is another client's")),
        (Some(id), _) => Some(id),
        (None, hinted) => hinted.as_deref(),
    };
    let client = id.map(|id| client::by_id(&app.config.login.clients, id));
    Ok(match (client, params.get("post_logout_redirect_uri")) {
        (Some(None), _) => Err("there is no such client"),
        (_, None) => Ok(None),
        (None, Some(_)) => Err("nobody says whose address it is"),
        (Some(Some(client)), Some(address)) => allowed(client, address, params.get("state")),
    })
}

fn allowed(client: &Client, address: &str, state: Option<&str>) -> Result<Option<String>, &'static str> {
    if !client.post_logout_redirect_uris.iter().any(|known| known == address) {
        return Err("the address is not the client's");
    }
    let Some(state) = state else { return Ok(Some(address.to_owned())) };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    Ok(Some(issue::with_query(address, &query)))
}

fn page(request: &Request, status: u16, lang: Lang) -> Response {
    let text = match status {
        200 => lang.pick("已退出登录，可以关闭此页。", "You are logged out. You can close this page."),
        _ => lang.pick(
            "这个退出链接不正确。可以关闭此页，回到网站。",
            "This logout link is not right. Close this page and go back to the website.",
        ),
    };
    let response = Response::text(status, text);
    headers::private(request, response)
        .with("content-security-policy", "default-src 'none'; frame-ancestors 'none'")
}
