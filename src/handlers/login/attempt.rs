//! One attempt in the browser that began it: its page, and what the page asks for. Without the browser's cookie there
//! is nothing to see; the attempt's name alone, which the QR code shows to everybody, opens nothing.

use super::frame::{asked_lang, frame, or_down, refuse};
use super::headers::{self, Window};
use super::{call_login, handle, offer, outcome};
use crate::error::Error;
use crate::handlers::App;
use crate::json::json;
use crate::login::Digest;
use crate::login::agent;
use crate::login::client::{self, Client};
use crate::login::id::is_login_id;
use crate::login::method::Method;
use crate::login::origin;
use crate::login::page::{self, LoginPage, Note, Refused};
use crate::login::params::Params;
use crate::login::request::{AuthRequest, ResultBy};
use crate::login::session::{Call, Failure, Fault, Reply, Status, View};
use crate::platform::{Object, Platform, Request, Response, Watch};

/// `GET /oauth/s/<login>`
///
/// 1. only the browser that began sees it
/// 2. the method is made ready; `?lang=` speaks from now on
/// 3. with `?back`, the form that tells the website how it ended
/// 4. else the page in the state that the attempt is in
pub async fn page<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
) -> Result<Response, Error> {
    or_down(request, platform, app, visited(request, platform, app, login).await)
}

async fn visited<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
) -> Result<Response, Error> {
    let refused = |reason: &Refused, detail: &str| Ok(refuse(request, platform, app, reason, detail));
    if !is_login_id(login) {
        return refused(&Refused::Gone, "the name of no attempt");
    }
    let Some(browser) = handle::browser(request) else {
        return refused(&Refused::CookiesNeeded, "no cookie at the page of an attempt");
    };
    let params = Params::parse(request.query.as_bytes());
    let method = params.get("method").and_then(Method::parse);
    let call = Call::Show { browser, method, lang: asked_lang(request) };
    let (view, asked) = match call_login(platform, login, &call).await? {
        Ok(Reply::View(view, asked)) => (view, asked),
        Err(Fault::NotYours) => return refused(&Refused::NotYours, "another browser's cookie"),
        Err(Fault::Unavailable) => return refused(&Refused::ServiceDown, "no method can be shown just now"),
        Ok(_) | Err(_) => return refused(&Refused::Gone, "the attempt is no longer kept"),
    };
    if params.get("back").is_some()
        && let Some(form) = outcome::form_back(request, app, &asked, view.status)
    {
        return Ok(form);
    }
    let Some(client) = client::by_id(&app.config.login.clients, &asked.client) else {
        return refused(&Refused::UnknownClient, "the client was taken out of LOGIN_CLIENTS meanwhile");
    };
    Ok(shown(request, app, login, client, &view, &asked))
}

/// The page in the state that the attempt is in.
fn shown(
    request: &Request,
    app: &App,
    login: &str,
    client: &Client,
    view: &View,
    asked: &AuthRequest,
) -> Response {
    let params = Params::parse(request.query.as_bytes());
    let own_qr = view.token.as_ref().map(|token| format!("{}/m/{login}{token}", request.origin));
    let (origin, legacy) = match &asked.result {
        ResultBy::Legacy { origin } => (Some(origin.as_str()), true),
        ResultBy::Message { origin } => (Some(origin.as_str()), false),
        ResultBy::Redirect { .. } => (None, false),
    };
    let back = outcome::way_back(request, asked, view.status);
    let html = page::login(&LoginPage {
        frame: frame(request, app, view.lang),
        client,
        site_host: view.form_target.as_deref().map_or(&client.name, origin::host),
        view,
        login,
        qr: own_qr.as_deref().or(view.scene.as_deref()),
        account_qr: app.config.login.account_qr.as_deref(),
        device: agent::read(request.header("user-agent").unwrap_or_default()).device,
        note: note(&params, view),
        failure: params.get("failure").and_then(failure),
        origin,
        state: asked.state.as_deref(),
        back: back.as_deref(),
        legacy,
        profile: asked.profile,
    });
    let login = &app.config.login;
    let github = login.github.as_ref().map(|github| github.web.as_str());
    let leads = [
        view.form_target.as_deref(),
        Some(login.wechat_open.as_str()).filter(|_| goes(view, &[Method::Wechat, Method::Open])),
        github.filter(|_| goes(view, &[Method::Github])),
    ];
    let targets: Vec<&str> = leads.into_iter().flatten().collect();
    headers::page(request, 200, html, Window::Popup, &targets)
}

/// Whether the page leads to another's by one of `methods`.
fn goes(view: &View, methods: &[Method]) -> bool {
    view.methods.iter().any(|method| methods.contains(method))
}

/// What the page says of the last thing that the person did on it.
fn note(params: &Params, view: &View) -> Option<Note> {
    let left = view.left.unwrap_or_default();
    match params.get("note") {
        Some("wrong_code") if view.status == Status::Pending => Some(Note::WrongCode { left }),
        Some("wrong_number") if view.status == Status::Number => Some(Note::WrongNumber { left }),
        // That the way fell back, the view says.
        _ => None,
    }
}

/// Why another's login was of no use, by its name.
fn failure(name: &str) -> Option<Failure> {
    crate::json::from_value(&name.into()).ok()
}

/// `GET /oauth/s/<login>/status`: `{"status": …}`, for a page whose WebSocket does not come through.
pub async fn status<P: Platform>(
    request: &Request,
    platform: &P,
    _app: &App,
    login: &str,
) -> Result<Response, Error> {
    let Some(browser) = handle::browser(request).filter(|_| is_login_id(login)) else {
        return Ok(failed(request, Fault::NotYours));
    };
    match call_login(platform, login, &Call::Status { browser }).await? {
        Ok(Reply::Status(status)) => Ok(told(request, 200, &json!({ "status": status.name() }))),
        // An attempt that is no longer kept has ended.
        Err(Fault::Gone) => Ok(told(request, 200, &json!({ "status": Status::Expired.name() }))),
        Ok(_) => Ok(failed(request, Fault::NotNow)),
        Err(fault) => Ok(failed(request, fault)),
    }
}

/// `GET /oauth/s/<login>/watch`: a WebSocket that hears every new status. No other site's page may open one, though
/// browsers would let it: <https://www.rfc-editor.org/rfc/rfc6455#section-10.2>.
pub async fn watch<P: Platform>(
    request: &Request,
    _platform: &P,
    _app: &App,
    login: &str,
) -> Result<Response, Error> {
    if !request.header("upgrade").is_some_and(|name| name.eq_ignore_ascii_case("websocket")) {
        let response = Response::text(426, "a WebSocket is spoken here").with("upgrade", "websocket");
        return Ok(headers::private(request, response));
    }
    if request.header("origin") != Some(request.origin.as_str()) {
        return Ok(failed(request, Fault::NotYours));
    }
    match handle::browser(request).filter(|_| is_login_id(login)) {
        // Whether it is this browser's attempt is for the object to say.
        Some(browser) => Ok(Response {
            watch: Some(Box::new(Watch {
                object: Object::Login,
                name: login.to_owned(),
                proof: browser.as_str().to_owned(),
            })),
            ..Response::default()
        }),
        None => Ok(failed(request, Fault::NotYours)),
    }
}

/// `POST /oauth/s/<login>/finish`: the result. JSON for a script, else what a form leads to.
///
/// 1. only a page of ours, in the browser that began
/// 2. a code is made, and the attempt knows it from now on
/// 3. the result, in the way that the website wants
pub async fn finish<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
) -> Result<Response, Error> {
    let Some(browser) = own(request, login) else { return Ok(turned_away(request, login, Fault::NotYours)) };
    let code = format!("{login}{}", hex::encode(platform.random()));
    let call = Call::Finish { browser, code: Digest::of(&code) };
    let finished = match call_login(platform, login, &call).await? {
        Ok(Reply::Finished(finished)) => finished,
        Ok(_) => return Ok(turned_away(request, login, Fault::NotNow)),
        Err(fault) => return Ok(turned_away(request, login, fault)),
    };
    // Why there is none is in the log; the attempt is kept, so the person may try again.
    let Ok(outcome) = outcome::of(request, platform, app, login, &finished, &code).await else {
        return Ok(turned_away(request, login, Fault::Unavailable));
    };
    if headers::is_script(request) {
        return Ok(told(request, 200, &outcome.to_json()));
    }
    // A message needs a script; without one, the page says what to do.
    Ok(outcome.without_script(request, app).unwrap_or_else(|| to_page(request, login, "")))
}

/// `POST /oauth/s/<login>/number`: the number that the chat told.
pub async fn number<P: Platform>(
    request: &Request,
    platform: &P,
    _app: &App,
    login: &str,
) -> Result<Response, Error> {
    let Some(browser) = own(request, login) else { return Ok(turned_away(request, login, Fault::NotYours)) };
    let form = Params::parse(&request.body);
    // What is no number at all was not meant as one, and costs no try.
    let Some(number) = form.get("number").and_then(|text| text.trim().parse().ok()) else {
        return Ok(to_page(request, login, "note=wrong_number"));
    };
    match call_login(platform, login, &Call::Number { browser, number }).await? {
        Err(Fault::Wrong { .. }) => Ok(to_page(request, login, "note=wrong_number")),
        Err(fault @ Fault::NotYours) => Ok(turned_away(request, login, fault)),
        // Whatever else it is, the page says it.
        Ok(_) | Err(_) => Ok(to_page(request, login, "")),
    }
}

/// `POST /oauth/s/<login>/typed`: the code that the account gave somebody in the chat.
///
/// 1. only the browser that began, and only while it may: else somebody's code would be used up for nothing
/// 2. the code is looked up, once
/// 3. a wrong one counts
pub async fn typed<P: Platform>(
    request: &Request,
    platform: &P,
    _app: &App,
    login: &str,
) -> Result<Response, Error> {
    let Some(browser) = own(request, login) else { return Ok(turned_away(request, login, Fault::NotYours)) };
    let form = Params::parse(&request.body);
    let Some(code) = form.get("code").map(str::trim).filter(|code| !code.is_empty()) else {
        return Ok(to_page(request, login, "method=typed"));
    };
    let show = Call::Show { browser: browser.clone(), method: Some(Method::Typed), lang: None };
    match call_login(platform, login, &show).await? {
        Ok(Reply::View(view, _)) if takes_code(&view) => {}
        Err(fault @ Fault::NotYours) => return Ok(turned_away(request, login, fault)),
        Ok(_) | Err(_) => return Ok(to_page(request, login, "")),
    }
    let who = offer::take_code(platform, code).await?;
    match call_login(platform, login, &Call::Typed { browser, who }).await? {
        Err(Fault::Wrong { .. }) => Ok(to_page(request, login, "method=typed&note=wrong_code")),
        Ok(_) | Err(_) => Ok(to_page(request, login, "")),
    }
}

/// Whether a code may be typed on the page.
fn takes_code(view: &View) -> bool {
    view.methods.contains(&Method::Typed) && matches!(view.status, Status::Pending | Status::Scanned)
}

/// The browser's handle, if a page of ours in that browser sent the request.
fn own(request: &Request, login: &str) -> Option<Digest> {
    handle::browser(request).filter(|_| is_login_id(login) && headers::is_ours(request))
}

/// A script is told why; a person sees it on the page.
fn turned_away(request: &Request, login: &str, fault: Fault) -> Response {
    if headers::is_script(request) || !is_login_id(login) {
        return failed(request, fault);
    }
    match fault {
        // Not to the page: what another's page sent must not look as if the person had.
        Fault::NotYours => headers::private(request, Response::text(403, "forbidden")),
        _ => to_page(request, login, ""),
    }
}

/// The page again, by `GET`, in the language and theme that it had.
fn to_page(request: &Request, login: &str, query: &str) -> Response {
    let params = Params::parse(request.query.as_bytes());
    let kept = params.encode(&["lang", "theme"]);
    let parts: Vec<&str> = [query, &kept].into_iter().filter(|part| !part.is_empty()).collect();
    let sign = if parts.is_empty() { "" } else { "?" };
    let address = format!("/oauth/s/{login}{sign}{}", parts.join("&"));
    headers::private(request, Response::see_other(address))
}

/// JSON for the page's script.
fn told(request: &Request, status: u16, body: &serde_json::Value) -> Response {
    headers::private(request, Response::new(status, "application/json", crate::json::text(body)))
}

/// Why not, for the page's script.
fn failed(request: &Request, fault: Fault) -> Response {
    let (status, error) = match fault {
        Fault::NotYours => (403, "not_yours"),
        Fault::Gone => (410, "gone"),
        Fault::Unavailable => (503, "unavailable"),
        _ => (409, "not_now"),
    };
    told(request, status, &json!({ "error": error }))
}
