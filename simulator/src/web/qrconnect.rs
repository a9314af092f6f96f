//! `/connect/qrconnect`: login to a website of the Open Platform, by a QR code that a phone scans.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/dev/auth/web.html>

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::grants::{App, Consent, Scope};
use super::html::{Html, html};
use super::page::{Question, notice};
use super::redirect;
use super::visit::Visit;
use super::wrong::Wrong;
use crate::ids;
use crate::lang::Lang;
use crate::platform::qrcode::image;
use crate::query;
use crate::state::{Sim, State};

/// Milliseconds that a phone can scan a code.
const LOGIN_MS: u64 = 300_000;
/// Codes that are remembered.
const REMEMBERED: usize = 1000;
/// How long the page waits for news of its code in one request.
const WAIT: Duration = Duration::from_secs(25);

/// QR codes that are shown, the oldest forgotten.
#[derive(Debug, Default)]
pub struct Logins(VecDeque<Login>);

#[derive(Debug)]
struct Login {
    uuid: String,
    redirect_uri: String,
    state: String,
    ends_ms: u64,
    phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Waiting,
    Scanned,
    /// Allowed or refused: where the computer goes.
    Over(String),
}

impl Phase {
    fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Scanned => "scanned",
            Self::Over(_) => "over",
        }
    }
}

impl Logins {
    fn open(&mut self, ask: &Ask, now_ms: u64) -> String {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        let uuid = ids::oauth_code();
        let (redirect_uri, state) = (ask.redirect_uri.clone(), ask.state.clone());
        let phase = Phase::Waiting;
        self.0.push_back(Login {
            uuid: uuid.clone(),
            redirect_uri,
            state,
            ends_ms: now_ms + LOGIN_MS,
            phase,
        });
        uuid
    }

    /// The code that a phone scanned, unless it is over.
    fn live(&mut self, uuid: &str, now_ms: u64) -> Option<&mut Login> {
        self.0
            .iter_mut()
            .find(|login| login.uuid == uuid && now_ms < login.ends_ms)
            .filter(|login| !matches!(login.phase, Phase::Over(_)))
    }

    fn phase(&self, uuid: &str, now_ms: u64) -> Option<&Phase> {
        self.0.iter().find(|login| login.uuid == uuid && now_ms < login.ends_ms).map(|login| &login.phase)
    }
}

/// What a link asks for.
#[derive(Debug)]
struct Ask {
    redirect_uri: String,
    state: String,
}

impl Ask {
    fn read(sim: &Sim, visit: &Visit, state: &State) -> Result<Self, Wrong> {
        let open = sim.account.open_app.as_ref().ok_or(Wrong::NoWebsite)?;
        if visit.parameter("appid") != Some(&open.app_id) {
            return Err(Wrong::Parameter("appid"));
        }
        if visit.parameter("response_type") != Some("code") {
            return Err(Wrong::Parameter("response_type"));
        }
        let scopes = visit.parameter("scope").unwrap_or_default();
        if !scopes.split(',').any(|scope| scope == Scope::Login.name()) {
            return Err(Wrong::Parameter("scope"));
        }
        let redirect_uri = visit.parameter("redirect_uri").ok_or(Wrong::Parameter("redirect_uri"))?;
        if !redirect::is_allowed(redirect_uri, &state.web.settings.domains) {
            return Err(Wrong::Domain);
        }
        let state = query::get(&visit.query, "state").unwrap_or_default();
        Ok(Self { redirect_uri: redirect_uri.to_owned(), state: state.to_owned() })
    }
}

/// `GET /connect/qrconnect`: the code, and the people who could scan it.
pub async fn show(Extract(sim): Extract<Arc<Sim>>, visit: Visit) -> Response {
    let mut state = sim.lock();
    match Ask::read(&sim, &visit, &state) {
        Err(wrong) => wrong.show(visit.lang),
        Ok(ask) => code_page(&sim, &visit, &mut state, &ask, false),
    }
}

/// `POST /connect/qrconnect`: somebody was picked on this page instead of scanning.
pub async fn answer(Extract(sim): Extract<Arc<Sim>>, visit: Visit) -> Response {
    let mut state = sim.lock();
    let ask = match Ask::read(&sim, &visit, &state) {
        Err(wrong) => return wrong.show(visit.lang),
        Ok(ask) => ask,
    };
    if !visit.allows() {
        return redirect::to(&without_code(&ask.redirect_uri, &ask.state));
    }
    match visit.picked(&mut state, &sim.account.app_id) {
        Some(openid) => redirect::to(&with_code(&sim, &mut state, &openid, &ask.redirect_uri, &ask.state)),
        None => code_page(&sim, &visit, &mut state, &ask, true),
    }
}

fn code_page(sim: &Sim, visit: &Visit, state: &mut State, ask: &Ask, again: bool) -> Response {
    let lang = visit.lang;
    let uuid = state.web.logins.open(ask, sim.clock.now_ms());
    let scanned = lang.pick("已扫描，请在手机上确认", "Scanned: confirm on the phone");
    let above = html!(
        "<img class=\"code\" alt=\"{}\" src=\"/connect/qrcode/{}\">\
         <p class=\"middle\" role=\"status\" data-uuid=\"{}\" data-scanned=\"{}\">{}</p>\
         <script type=\"module\" src=\"/web/qr.js\"></script>",
        lang.pick("登录二维码", "QR code for the login"),
        uuid,
        uuid,
        scanned,
        lang.pick("用手机扫描，或在下面选一个人", "Scan it with a phone, or pick somebody below")
    );
    let buttons =
        (lang.pick("扫描并确认登录", "Scan and confirm"), Some(lang.pick("扫描并拒绝", "Scan and refuse")));
    ask_to_log_in(sim, visit, state, Some(above), buttons, again)
}

fn ask_to_log_in(
    sim: &Sim,
    visit: &Visit,
    state: &State,
    above: Option<Html>,
    buttons: (&str, Option<&str>),
    again: bool,
) -> Response {
    let app_id = sim.account.open_app.as_ref().map_or("", |open| &open.app_id);
    let title = visit.lang.pick("微信登录", "Log in with WeChat");
    let text = visit.lang.pick("网站将得到你的昵称和头像", "The website gets your nickname and picture");
    Question { app_id, title, text, above, buttons, again }.show(visit, state)
}

/// `GET /connect/qrcode/{uuid}`: a picture of the address of `/connect/confirm`.
pub async fn picture(Extract(sim): Extract<Arc<Sim>>, Path(uuid): Path<String>) -> Response {
    let base_url = sim.lock().base_url.clone();
    let png = image::png(&format!("{base_url}/connect/confirm?uuid={}", query::encode(&uuid)));
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "no-store")];
    png.map_or(StatusCode::NOT_FOUND.into_response(), |png| (headers, png).into_response())
}

/// `GET /connect/confirm?uuid=…`: what the phone opens when it scanned the code.
pub async fn scanned(Extract(sim): Extract<Arc<Sim>>, visit: Visit) -> Response {
    let mut state = sim.lock();
    let uuid = visit.parameter("uuid").unwrap_or_default();
    match state.web.logins.live(uuid, sim.clock.now_ms()) {
        None => too_late(visit.lang),
        Some(login) => {
            login.phase = Phase::Scanned;
            confirm_page(&sim, &visit, &state, false)
        }
    }
}

/// `POST /connect/confirm?uuid=…`: the phone's answer.
pub async fn confirm(Extract(sim): Extract<Arc<Sim>>, visit: Visit) -> Response {
    let mut state = sim.lock();
    let (uuid, now_ms) = (visit.parameter("uuid").unwrap_or_default(), sim.clock.now_ms());
    let Some(login) = state.web.logins.live(uuid, now_ms) else { return too_late(visit.lang) };
    let (redirect_uri, returned) = (login.redirect_uri.clone(), login.state.clone());
    let picked = visit.allows().then(|| visit.picked(&mut state, &sim.account.app_id));
    let (url, mark, title) = match picked {
        Some(None) => return confirm_page(&sim, &visit, &state, true),
        Some(Some(openid)) => {
            let url = with_code(&sim, &mut state, &openid, &redirect_uri, &returned);
            (url, "✓", visit.lang.pick("已登录", "Logged in"))
        }
        None => (without_code(&redirect_uri, &returned), "×", visit.lang.pick("你拒绝了", "You refused")),
    };
    if let Some(login) = state.web.logins.live(uuid, now_ms) {
        login.phase = Phase::Over(url);
    }
    let text = visit.lang.pick("请回到电脑上继续", "Go on at the computer");
    notice(visit.lang, mark, title, text, "")
}

fn confirm_page(sim: &Sim, visit: &Visit, state: &State, again: bool) -> Response {
    let buttons = (visit.lang.pick("登录", "Log in"), Some(visit.lang.pick("拒绝", "Refuse")));
    ask_to_log_in(sim, visit, state, None, buttons, again)
}

fn too_late(lang: Lang) -> Response {
    let title = lang.pick("二维码已失效", "This QR code is no longer valid");
    notice(lang, "!", title, lang.pick("请刷新电脑上的页面", "Reload the page on the computer"), "")
}

/// `GET /connect/l/qrconnect?uuid=…&last=…`: waits until the phone went on; asked by the page's script.
pub async fn wait(Extract(sim): Extract<Arc<Sim>>, visit: Visit) -> Response {
    let uuid = visit.parameter("uuid").unwrap_or_default().to_owned();
    let last = visit.parameter("last").unwrap_or_default();
    let look = |state: &State| state.web.logins.phase(&uuid, sim.clock.now_ms()).cloned();
    let news = |state: &State| match look(state) {
        Some(phase) if phase.name() == last => None,
        other => Some(other),
    };
    let phase = match sim.wait_for(WAIT, news).await {
        Some(phase) => phase,
        None => look(&sim.lock()),
    };
    let state = phase.as_ref().map_or("expired", Phase::name);
    let url = phase.and_then(|phase| if let Phase::Over(url) = phase { Some(url) } else { None });
    let headers = [(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "application/json")];
    (headers, json!({ "state": state, "url": url }).to_string()).into_response()
}

fn with_code(sim: &Sim, state: &mut State, person: &str, redirect_uri: &str, returned: &str) -> String {
    let app_id = sim.account.open_app.as_ref().map_or("", |open| &open.app_id);
    let openid = openid(app_id, state.people.get(person).map_or(person, |found| &found.name));
    let consent = Consent { app: App::Website, scope: Scope::Login, openid, person: Some(person.to_owned()) };
    let code = state.web.grants.code(consent, sim.clock.now_ms());
    redirect::with(redirect_uri, &[("code", &code), ("state", returned)])
}

fn without_code(redirect_uri: &str, returned: &str) -> String {
    redirect::with(redirect_uri, &[("state", returned)])
}

/// Another one than the account's, also of somebody who is called by that.
fn openid(app_id: &str, name: &str) -> String {
    if ids::is_openid(name) {
        ids::openid(app_id, &format!("person {name}"))
    } else {
        ids::openid(app_id, name)
    }
}
