//! What browsers show: the login page in every state, the phone's pages, and the refusals. Markup is made here and
//! nowhere else; everything that comes from outside is escaped by [`maud`].
//!
//! No page has a style or a script of its own, so that a strict policy can forbid both: looks are in
//! `frontend/login.css`, behaviour in `frontend/login.js`, which finds all it needs in attributes of `<main>`. Every
//! page works without the script, and reloads itself then.

mod attempt;
mod icon;
mod panel;
mod phone;
mod png;
mod qr;
mod refused;
mod shell;
mod text;

use maud::Markup;

use super::agent::Device;
use super::client::Client;
use super::session::{Consent, Failure, Fault, View};
use crate::lang::Lang;

/// What all pages have in common.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The language.
    pub lang: Lang,
    /// The theme that the website asked for; `None`: the browser's.
    pub theme: Option<Theme>,
    /// The Worker's host, which people read in the footer.
    pub host: &'a str,
    /// What the account is called in WeChat.
    pub account_name: Option<&'a str>,
}

/// A theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Its name, in addresses and in the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.name() == name)
    }
}

/// The login page.
#[derive(Clone, Copy, Debug)]
pub struct LoginPage<'a> {
    /// What all pages have in common.
    pub frame: Frame<'a>,
    /// Who asks.
    pub client: &'a Client,
    /// The website's host, which people read.
    pub site_host: &'a str,
    /// How far it is.
    pub view: &'a View,
    /// The attempt's name.
    pub login: &'a str,
    /// What the QR code says, for a method that has one.
    pub qr: Option<&'a str>,
    /// What the account's own QR code says.
    pub account_qr: Option<&'a str>,
    /// What the page is opened on.
    pub device: Device,
    /// What came of the last thing that the person did here.
    pub note: Option<Note>,
    /// Why another's login was of no use.
    pub failure: Option<Failure>,
    /// The origin of the window that is told the result, exactly; `None`: none is.
    pub origin: Option<&'a str>,
    /// The website's `state`, repeated to that window.
    pub state: Option<&'a str>,
    /// Where people go back to with the news that it failed: `redirect_uri` with an error.
    pub back: Option<&'a str>,
    /// The window expects the messages of the class of earlier projects.
    pub legacy: bool,
    /// The website asks for name and picture too.
    pub profile: bool,
}

/// What came of the last thing that the person did on the login page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The code that they typed is nobody's; so many tries are left.
    WrongCode {
        /// Tries left.
        left: u8,
    },
    /// The number that they typed is wrong; so many tries are left.
    WrongNumber {
        /// Tries left.
        left: u8,
    },
    /// The way that they chose does not work just now, so this is another. [`View::fallen_back`] says the same.
    FellBack,
}

/// What a phone asks before it confirms.
#[derive(Clone, Copy, Debug)]
pub struct ConfirmPage<'a> {
    /// What all pages have in common.
    pub frame: Frame<'a>,
    /// Who asks.
    pub client: &'a Client,
    /// The website's host, which people read.
    pub site_host: &'a str,
    /// What is asked.
    pub consent: &'a Consent,
    /// The attempt's name.
    pub login: &'a str,
    /// What the answer must bring back, so that no other page can give it.
    pub csrf: &'a str,
    /// The time of day at which the browser asked, e.g. `16:20`.
    pub when: &'a str,
    /// The number is typed instead of chosen: the browser is in another country than the phone.
    pub type_number: bool,
}

/// What a phone shows when there is nothing to ask (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneResult {
    /// They confirmed: the other screen goes on.
    Done,
    /// They said no.
    Denied,
    /// They chose a wrong number, which is a no.
    WrongNumber,
    /// The attempt has ended, or there never was one.
    Gone,
    /// Another phone was first.
    Taken,
    /// The QR code has ended.
    Stale,
    /// The phone has no handle, or another's: its browser keeps no cookies, or the link was sent by somebody.
    NotYours,
    /// The way to another's login page did not begin here, or was gone twice.
    State,
    /// It cannot be answered now: it is not that far, or further.
    NotNow,
    /// WeChat showed a snapshot of the page, as nobody.
    Snapshot,
    /// The code was used or has ended: begin anew.
    Restart,
    /// WeChat judges this person a risk.
    Blocked,
    /// They said no on the other's page.
    Refused,
    /// People are known by their unionid here, and WeChat told none.
    NoUnionid,
    /// The other side is down, or the account may not do this.
    Down,
    /// The QR code was opened in another browser than WeChat's.
    OpenInWechat,
}

impl From<Failure> for PhoneResult {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Restart => Self::Restart,
            Failure::Snapshot => Self::Snapshot,
            Failure::Blocked => Self::Blocked,
            Failure::Refused => Self::Refused,
            Failure::NoUnionid => Self::NoUnionid,
            Failure::Down => Self::Down,
        }
    }
}

impl From<Fault> for PhoneResult {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Gone | Fault::Grant => Self::Gone,
            Fault::NotYours => Self::NotYours,
            Fault::Stale => Self::Stale,
            Fault::Taken => Self::Taken,
            Fault::NotNow => Self::NotNow,
            Fault::State => Self::State,
            Fault::Wrong { .. } => Self::WrongNumber,
            Fault::Unavailable => Self::Down,
        }
    }
}

/// Why nobody can log in here, in words that do not help an attacker. Nothing is sent to any other window then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused<'a> {
    /// No client has this origin.
    OriginNotAllowed {
        /// The origin, or what was given for one.
        origin: &'a str,
    },
    /// There is no such client.
    UnknownClient,
    /// The client has no such `redirect_uri`.
    BadRedirectUri,
    /// The request makes no sense.
    BadRequest {
        /// What is wrong, for the website's developer; empty if there is nothing to say.
        what: &'a str,
    },
    /// This address began too many attempts.
    TooManyAttempts,
    /// The browser keeps no cookies.
    CookiesNeeded,
    /// The page belongs to another browser.
    NotYours,
    /// The attempt has ended.
    Gone,
    /// The operator has not set the login up, or no method of it works.
    NotConfigured,
    /// An object of ours cannot be reached.
    ServiceDown,
}

impl Refused<'_> {
    /// Its name, for logs and for people who ask for help.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OriginNotAllowed { .. } => "origin_not_allowed",
            Self::UnknownClient => "unknown_client",
            Self::BadRedirectUri => "bad_redirect_uri",
            Self::BadRequest { .. } => "bad_request",
            Self::TooManyAttempts => "too_many_attempts",
            Self::CookiesNeeded => "cookies_needed",
            Self::NotYours => "not_yours",
            Self::Gone => "gone",
            Self::NotConfigured => "not_configured",
            Self::ServiceDown => "service_down",
        }
    }

    /// The status of its response.
    pub fn status(&self) -> u16 {
        match self {
            Self::OriginNotAllowed { .. }
            | Self::UnknownClient
            | Self::BadRedirectUri
            | Self::BadRequest { .. }
            | Self::CookiesNeeded => 400,
            Self::NotYours => 403,
            Self::Gone => 404,
            Self::TooManyAttempts => 429,
            Self::NotConfigured | Self::ServiceDown => 503,
        }
    }
}

/// The login page: a whole document, for every status, method and device.
pub fn login(page: &LoginPage) -> String {
    finish(attempt::render(page))
}

/// The phone's page that asks before a confirmation. Its form sends `csrf` and `answer=no`, `answer=yes` or
/// `number=<two digits>` to `POST /oauth/confirm/<login>`.
pub fn confirm(page: &ConfirmPage) -> String {
    finish(phone::confirm(page))
}

/// What a phone shows when there is nothing to ask (any more). `restart` is an address that begins this phone's part
/// anew, where that helps.
pub fn result(
    frame: &Frame,
    client_name: Option<&str>,
    outcome: PhoneResult,
    restart: Option<&str>,
) -> String {
    finish(phone::result(frame, client_name, outcome, restart))
}

/// Nobody can log in, and why.
pub fn refused(frame: &Frame, reason: &Refused, request_id: &str) -> String {
    finish(refused::refused(frame, reason, request_id))
}

/// `response_mode=form_post`: a page that sends its form by itself, or by a button where there is no script.
/// <https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html>
pub fn form_post(frame: &Frame, action: &str, fields: &[(&str, &str)]) -> String {
    finish(refused::form_post(frame, action, fields))
}

fn finish(markup: Markup) -> String {
    markup.into_string()
}
