//! The way to another's login page and back: of the phone that scanned, or of the browser itself.

use super::call_login;
use super::frame::{frame, lang};
use super::handle::{self, Handle};
use super::headers::{self, Window};
use crate::error::Error;
use crate::handlers::App;
use crate::log::Line;
use crate::login::agent::{self, Device};
use crate::login::id::{self, is_login_id};
use crate::login::method::Method;
use crate::login::page::{self, PhoneResult};
use crate::login::params::Params;
use crate::login::session::{Arrival, Call, Failure, Fault, Reply};
use crate::login::{Digest, github};
use crate::platform::{Platform, Request, Response};
use crate::wechat::api::sns::{self, Scope};

/// Longest code that is passed on, bytes; WeChat's and GitHub's are shorter than 100.
const LONGEST_CODE: usize = 512;

/// A page for a phone: what it says, and what it is about.
pub(super) struct Ending<'a> {
    pub result: PhoneResult,
    pub status: u16,
    /// The website's name.
    pub client: Option<&'a str>,
    /// The method by which somebody answered, where that is known.
    pub by: Option<Method>,
    /// The address that begins the way anew.
    pub restart: Option<String>,
}

/// `GET /m/<login><token>`: somebody scanned the QR code.
///
/// 1. outside of WeChat, say how to scan; nobody has the attempt then
/// 2. the first phone has it
/// 3. on to WeChat's authorization, at once
pub async fn scan<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    scanned: &str,
) -> Result<Response, Error> {
    let Some((login, token)) = id::split(scanned, id::TOKEN_DIGITS) else {
        return Ok(refused(request, platform, app, Method::Qr, Fault::Stale));
    };
    if agent::read(request.header("user-agent").unwrap_or_default()).device != Device::Wechat {
        return Ok(show(request, app, Ending::new(200, PhoneResult::OpenInWechat).by(Method::Qr)));
    }
    let phone = handle::keep_phone(request, platform.random());
    let call = Call::Scan { token: token.to_owned(), phone: phone.digest.clone() };
    if let Err(fault) = call_login(platform, login, &call).await? {
        return Ok(refused(request, platform, app, Method::Qr, fault));
    }
    leave(request, platform, app, login, Method::Qr, None, phone).await
}

/// `GET /oauth/s/<login>/go/<method>`: the browser that began goes to another's login page; by `qr`, the phone that
/// scanned goes again.
///
/// 1. only a page of ours, or the person by hand, may lead here: another site could else have somebody authorized
///    who did not ask for it
/// 2. only with the cookie that the method is for
/// 3. on to the other's page
pub async fn go<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
    method: &str,
) -> Result<Response, Error> {
    let to = Method::parse(method).filter(|method| method.comes_back_to().is_some());
    let (Some(to), true) = (to, is_login_id(login)) else { return Err(Error::NotFound) };
    if !headers::is_led_here_by_us(request) {
        platform.log(&Line::warn("login.refused", "another site led somebody to /go"));
        return Ok(show(request, app, Ending::new(403, PhoneResult::NotYours).by(to)));
    }
    if to == Method::Qr && handle::phone(request).is_some() {
        let phone = handle::keep_phone(request, platform.random());
        return leave(request, platform, app, login, to, None, phone).await;
    }
    match handle::browser(request).filter(|_| to != Method::Qr) {
        Some(browser) => depart(request, platform, app, login, to, browser).await,
        None => Ok(refused(request, platform, app, to, Fault::NotYours)),
    }
}

/// Sends the browser whose handle is `browser` to another's login page.
pub async fn depart<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
    to: Method,
    browser: Digest,
) -> Result<Response, Error> {
    let phone = handle::keep_phone(request, platform.random());
    leave(request, platform, app, login, to, Some(browser), phone).await
}

/// Sends the phone, or the browser if it is that which goes, to another's login page: by a redirect that also sets the
/// phone's cookie, because from here on such a browser is the phone too; or says why not.
async fn leave<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
    to: Method,
    browser: Option<Digest>,
    phone: Handle,
) -> Result<Response, Error> {
    let state = format!("{login}{}", hex::encode(platform.random()));
    let call = Call::Depart { to, browser, phone: phone.digest.clone(), state: Digest::of(&state) };
    let profile = match call_login(platform, login, &call).await? {
        Ok(Reply::Departing { profile }) => profile,
        Ok(_) => return Ok(refused(request, platform, app, to, Fault::NotNow)),
        Err(fault) => return Ok(refused(request, platform, app, to, fault)),
    };
    let Some(address) = address(request, app, to, &state, profile) else {
        let reason = format!("{}: its app's id and secret are not set", to.name());
        platform.log(&Line::error("login.not_configured", reason));
        return Ok(show(request, app, Ending::new(503, PhoneResult::Down).by(to)));
    };
    let response = Response::see_other(address).with("set-cookie", phone.cookie);
    Ok(headers::private(request, response))
}

/// The other's login page.
fn address(request: &Request, app: &App, to: Method, state: &str, profile: bool) -> Option<String> {
    let back = redirect_uri(request, to)?;
    let login = &app.config.login;
    match to {
        Method::Wechat | Method::Qr => {
            let account = app.config.account.as_ref()?;
            // WeChat tells a unionid only to whom the person shares name and picture with.
            let scope = if profile || login.by_unionid { Scope::UserInfo } else { Scope::Base };
            Some(sns::authorize_url(&login.wechat_open, &account.app_id, &back, scope, state))
        }
        Method::Open => {
            let lang = lang(request, app).pick("cn", "en");
            let open = login.open.as_ref()?;
            Some(sns::qrconnect_url(&login.wechat_open, &open.app_id, &back, state, lang))
        }
        Method::Github => login.github.as_ref().map(|settings| github::authorize_url(settings, &back, state)),
        Method::Code | Method::Scene | Method::Menu | Method::Typed => None,
    }
}

fn redirect_uri(request: &Request, by: Method) -> Option<String> {
    by.comes_back_to().map(|page| format!("{}/oauth/{page}", request.origin))
}

/// `GET /oauth/{wechat,open,github}`: somebody comes back.
///
/// 1. `state` names the attempt; only with the phone's cookie it is theirs
/// 2. the attempt uses the code, once, however often it is brought
/// 3. on to the confirmation; or say what went wrong, with a way to begin anew that nobody is sent on by itself
pub async fn arrive<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    from: Method,
) -> Result<Response, Error> {
    let refused = |fault| Ok(refused(request, platform, app, from, fault));
    let params = Params::parse(request.query.as_bytes());
    // What is there twice could be read in two ways.
    let (Ok(Some(state)), Ok(code)) = (params.once("state"), params.once("code")) else {
        return refused(Fault::State);
    };
    let Some((login, _)) = id::split(state, id::DIGITS) else { return refused(Fault::State) };
    let (Some(phone), Some(redirect_uri)) = (handle::phone(request), redirect_uri(request, from)) else {
        return refused(Fault::NotYours);
    };
    if code.is_some_and(|code| code.len() > LONGEST_CODE) {
        return refused(Fault::State);
    }
    let code = code.map(str::to_owned);
    let arrival = Arrival { from, phone, state: Digest::of(state), code, redirect_uri };
    match call_login(platform, login, &Call::Arrive(arrival)).await? {
        Ok(Reply::Arrived { failure: None, .. }) => {
            let next = Response::see_other(format!("/oauth/confirm/{login}"));
            Ok(headers::private(request, next))
        }
        Ok(Reply::Arrived { by, failure: Some(failure) }) => {
            let ending = Ending::of(failure).by(by).restarting(login, by);
            Ok(show(request, app, ending))
        }
        Ok(_) => refused(Fault::NotNow),
        Err(fault) => refused(fault),
    }
}

impl<'a> Ending<'a> {
    pub(super) fn new(status: u16, result: PhoneResult) -> Self {
        Self { result, status, client: None, by: None, restart: None }
    }

    fn of(failure: Failure) -> Self {
        let status = match failure {
            Failure::Restart => 400,
            Failure::Snapshot | Failure::Refused => 200,
            Failure::Blocked => 403,
            Failure::NoUnionid | Failure::Down => 503,
        };
        Self::new(status, failure.into())
    }

    pub(super) fn fault(fault: Fault) -> Self {
        let status = match fault {
            Fault::NotYours | Fault::State | Fault::Wrong { .. } => 403,
            Fault::Unavailable => 404,
            Fault::Taken | Fault::NotNow => 409,
            Fault::Gone | Fault::Stale | Fault::Grant => 410,
        };
        Self::new(status, fault.into())
    }

    pub(super) fn by(self, by: Method) -> Self {
        Self { by: Some(by), ..self }
    }

    pub(super) fn at(self, client: &'a str) -> Self {
        Self { client: Some(client), ..self }
    }

    /// Whoever is blocked would be blocked again.
    fn restarting(self, login: &str, by: Method) -> Self {
        let restart = format!("/oauth/s/{login}/go/{}", by.name());
        Self { restart: (self.result != PhoneResult::Blocked).then_some(restart), ..self }
    }
}

/// What somebody is told whom the attempt refused; the log says more.
pub(super) fn refused<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    by: Method,
    fault: Fault,
) -> Response {
    platform.log(&Line::warn("login.refused", format_args!("{} {fault:?}", by.name())));
    show(request, app, Ending::fault(fault).by(by))
}

/// The page that says so.
pub(super) fn show(request: &Request, app: &App, ending: Ending<'_>) -> Response {
    let Ending { result, status, client, by, restart } = ending;
    let html = page::result(&frame(request, app, lang(request, app)), client, result, restart.as_deref());
    headers::page(request, status, html, window(request, by), &[])
}

/// The phone that scanned stands alone. A browser that went to another's page may be the pop-up of a website, which
/// must still hear of the result.
pub(super) fn window(request: &Request, by: Option<Method>) -> Window {
    match by {
        Some(Method::Qr) => Window::Alone,
        _ if handle::browser(request).is_some() => Window::Popup,
        _ => Window::Alone,
    }
}
