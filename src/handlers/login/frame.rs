//! What the pages of the login have in common, and the page that says why there is none.

use super::headers::{self, Window};
use crate::error::Error;
use crate::handlers::App;
use crate::lang::Lang;
use crate::log::Line;
use crate::login::origin;
use crate::login::page::{self, Frame, Refused, Theme};
use crate::login::params::Params;
use crate::login::request::language;
use crate::platform::{Platform, Request, Response, Unreachable};

/// The language that the address asks for, else the one that the browser prefers, else the account's own.
pub fn lang(request: &Request, app: &App) -> Lang {
    asked_lang(request).or_else(|| preferred(request)).unwrap_or(app.config.rules.texts.lang)
}

/// The language that the address asks for.
pub fn asked_lang(request: &Request) -> Option<Lang> {
    Params::parse(request.query.as_bytes()).get("lang").and_then(language)
}

/// What all pages have in common.
pub fn frame<'a>(request: &'a Request, app: &'a App, lang: Lang) -> Frame<'a> {
    let theme = Params::parse(request.query.as_bytes()).get("theme").and_then(Theme::parse);
    let host = origin::host(&request.origin);
    Frame { lang, theme, host, account_name: app.config.login.account_name.as_deref() }
}

/// The page that says why nobody can log in here. The log says it more precisely, under the same number.
pub fn refuse<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    reason: &Refused,
    detail: &str,
) -> Response {
    let [a, b, c, d, ..] = platform.random();
    let id = hex::encode([a, b, c, d]);
    platform.log(&Line::warn("login.refused", format_args!("{id} {} {detail}", reason.code())));
    let html = page::refused(&frame(request, app, lang(request, app)), reason, &id);
    let response = headers::page(request, reason.status(), html, Window::Popup, &[]);
    match reason {
        // <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
        Refused::TooManyAttempts => response.with("retry-after", "600"),
        _ => response,
    }
}

/// An object of ours that cannot be reached is no fault of the person's: they see a page that says so.
pub fn or_down<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    outcome: Result<Response, Error>,
) -> Result<Response, Error> {
    match outcome {
        Err(Error::Object(Unreachable(reason))) => {
            Ok(refuse(request, platform, app, &Refused::ServiceDown, &reason))
        }
        other => other,
    }
}

/// The language that the browser likes best among ours.
/// <https://www.rfc-editor.org/rfc/rfc9110#field.accept-language>
fn preferred(request: &Request) -> Option<Lang> {
    let mut best: Option<(u16, Lang)> = None;
    for entry in request.header("accept-language")?.split(',') {
        let (tag, weight) = entry.split_once(";q=").unwrap_or((entry, "1"));
        let weight = thousandths(weight.trim());
        let Some(lang) = language(tag.trim()) else { continue };
        if weight > best.map_or(0, |(most, _)| most) {
            best = Some((weight, lang));
        }
    }
    best.map(|(_, lang)| lang)
}

/// A weight, which has at most three decimal places, in thousandths; 0 if it is none. The parser for every number with
/// a fraction would be 13 kB of the bundle.
/// <https://www.rfc-editor.org/rfc/rfc9110#name-quality-values>
fn thousandths(weight: &str) -> u16 {
    let (whole, places) = weight.split_once('.').unwrap_or((weight, ""));
    format!("{whole}{places:0<3.3}").parse().unwrap_or(0)
}
