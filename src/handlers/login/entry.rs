//! Where a website sends a browser: the pop-up's `/oauth` and OpenID's `/authorize`.

use super::frame::{self, or_down, refuse};
use super::{call_login, handle, headers, offer, outcome, phone};
use crate::error::Error;
use crate::handlers::App;
use crate::log::Line;
use crate::login::agent::{self, Agent};
use crate::login::client;
use crate::login::method::{Method, offered};
use crate::login::page::Refused;
use crate::login::request::{Local, Parsed, Refusal, parse_authorize, parse_oauth};
use crate::login::session::{Call, Opening, Place};
use crate::platform::{Peer, Platform, Request, Response};

/// Characters of a city's name, at most; the longest that is in use has 58.
const CITY_LENGTH: usize = 60;

/// `GET /oauth`
pub async fn oauth<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Response, Error> {
    let parsed = parse_oauth(&request.query, &app.config.login.clients);
    or_down(request, platform, app, enter(request, platform, app, parsed).await)
}

/// `GET` and `POST /authorize`. A form that another site sends brings no cookie along, so it is asked to come again by
/// `GET`: otherwise its answer would replace the cookie of an attempt that this browser is in the middle of.
pub async fn authorize<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Response, Error> {
    let raw = if request.method == "POST" { request.body.as_slice() } else { request.query.as_bytes() };
    let parsed = parse_authorize(raw, &app.config.login.clients);
    match parsed {
        Ok(parsed) if request.method == "POST" => {
            Ok(headers::private(request, Response::see_other(parsed.request.again)))
        }
        parsed => or_down(request, platform, app, enter(request, platform, app, parsed).await),
    }
}

/// 1. whoever only looks ahead begins nothing
/// 2. what cannot be answered is refused here, or told to the website
/// 3. a frame or a picture begins nothing either; but a website may ask in a frame and be told that it cannot
/// 4. the methods are chosen
/// 5. the attempts of one address are counted; a flood ends at the limiter. What was refused so far has cost nobody
///    anything, and does not count
/// 6. the attempt is opened, and the browser goes to its page
async fn enter<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    parsed: Result<Parsed, Refusal>,
) -> Result<Response, Error> {
    if headers::is_prefetch(request) {
        return Ok(not_a_page(request));
    }
    let refused = |reason: &Refused, detail: &str| Ok(refuse(request, platform, app, reason, detail));
    if !app.config.login.is_on() {
        return refused(&Refused::NotConfigured, "LOGIN_CLIENTS is empty, or nothing in it can be used");
    }
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(Refusal::Local(local)) => return Ok(locally(request, platform, app, local)),
        Err(Refusal::Back(back)) => {
            let reason = format_args!("{}: {}", back.error, back.description);
            platform.log(&Line::info("login.sent_back", reason));
            return Ok(outcome::refused(request, app, &back));
        }
    };
    if !headers::is_navigation(request) {
        return Ok(not_a_page(request));
    }
    let agent = agent::read(request.header("user-agent").unwrap_or_default());
    let found = client::by_id(&app.config.login.clients, &parsed.request.client);
    let Some(client) = found else { return refused(&Refused::UnknownClient, "") };
    let methods = offered(&app.config.login.abilities, agent.device, client.method, parsed.method);
    if methods.is_empty() {
        let detail = format!("no method for {:?} on this kind of device: {:?}", client.id, agent.device);
        return refused(&Refused::NotConfigured, &detail);
    }
    if !offer::admit(platform, app, &request.peer).await? {
        return refused(&Refused::TooManyAttempts, "by the limiter or LOGIN_RATE_LIMIT");
    }
    open(request, platform, app, Entrance { parsed, agent, methods, strict: client.strict }).await
}

fn not_a_page(request: &Request) -> Response {
    headers::private(request, Response::text(403, "open this address in a window of its own"))
}

/// Who comes in.
struct Entrance {
    parsed: Parsed,
    agent: Agent,
    methods: Vec<Method>,
    strict: bool,
}

/// Opens the attempt.
async fn open<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    entrance: Entrance,
) -> Result<Response, Error> {
    let Entrance { parsed, agent, methods, strict } = entrance;
    let login = hex::encode(platform.random());
    let browser = handle::keep_browser(request, platform.random());
    let lang = parsed.lang.unwrap_or_else(|| frame::lang(request, app));
    let in_wechat = methods.first() == Some(&Method::Wechat);
    let theme = parsed.theme.map(|theme| format!("&theme={}", theme.name())).unwrap_or_default();
    let opening = Opening {
        id: login.clone(),
        request: parsed.request,
        browser: browser.digest.clone(),
        place: place(&request.peer, &agent),
        methods,
        strict,
        lang,
    };
    if let Err(fault) = call_login(platform, &login, &Call::Open(Box::new(opening))).await? {
        let detail = format!("a new attempt was refused: {fault:?}");
        return Ok(refuse(request, platform, app, &Refused::ServiceDown, &detail));
    }
    if in_wechat {
        // Nothing needs to be shown first: who it is, is asked silently, and then whether they want to. Not by way of
        // our own address for that: a browser that another site led here says so of a redirect as well.
        let response = phone::depart(request, platform, app, &login, Method::Wechat, browser.digest).await?;
        return Ok(response.with("set-cookie", browser.cookie));
    }
    let address = format!("/oauth/s/{login}?lang={}{theme}", lang.pick("zh", "en"));
    let response = Response::see_other(address).with("set-cookie", browser.cookie);
    Ok(headers::private(request, response))
}

/// A refusal that nobody but the person sees.
fn locally<P: Platform>(request: &Request, platform: &P, app: &App, local: Local) -> Response {
    let (reason, detail) = match &local {
        // Its name as the log can take it: a few letters, and nothing that was not asked for.
        Local::UnknownClient(id) => (Refused::UnknownClient, in_short(id)),
        Local::OriginNotAllowed(origin) => (Refused::OriginNotAllowed { origin }, origin.as_str()),
        Local::RedirectUri(address) => {
            (Refused::BadRedirectUri, in_short(address.split(['?', '#']).next().unwrap_or_default()))
        }
        Local::Malformed(what) => (Refused::BadRequest { what }, *what),
    };
    refuse(request, platform, app, &reason, detail)
}

/// What somebody sent, as far as a line of the log can take it.
fn in_short(text: &str) -> &str {
    let printable = text.find(|c: char| !c.is_ascii_graphic()).unwrap_or(text.len());
    text.get(..printable.min(100)).unwrap_or_default()
}

/// Where the browser is, for whoever confirms: in words of ours or Cloudflare's, never of the browser's own.
fn place(peer: &Peer, agent: &Agent) -> Place {
    // `T1` is Cloudflare's name for Tor: <https://developers.cloudflare.com/network/ip-geolocation/>. Whoever confirms
    // from a country must see that it is another.
    let fine = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let known = peer.country.len() == 2 && peer.country.bytes().all(fine);
    let city = peer.city.chars().filter(|c| !c.is_control()).take(CITY_LENGTH);
    Place {
        country: if known { peer.country.clone() } else { String::new() },
        city: city.collect(),
        browser: agent.browser.to_owned(),
        system: agent.system.to_owned(),
    }
}
