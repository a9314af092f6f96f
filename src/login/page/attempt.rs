//! The login page: who asks, the ways, and the one that is shown.

use maud::{Markup, Render, html};

use super::icon::Icon;
use super::panel::{self, Stage};
use super::shell::{self, Document, fill, filled};
use super::text::{self, Text};
use super::{LoginPage, Note};
use crate::lang::Lang;
use crate::login::agent::Device;
use crate::login::method::Method;
use crate::login::session::{LIFETIME, Status};

/// The whole document.
pub(super) fn render(page: &LoginPage) -> Markup {
    let text = Text::of(page.frame.lang);
    let other = page.frame.lang.pick(Lang::En, Lang::Zh);
    let title = filled(text.log_in_to, &page.client.name);
    let head = html! {
        (shell::head(&page.client.name, &title, page.site_host))
        a.lang lang=(other.pick("zh-CN", "en")) hreflang=(other.pick("zh-CN", "en"))
            href=(address(page, page.view.method, other)) { span { (text.other_language) } }
    };
    let foot = html! { @if is_open(page) { (others(page)) } };
    let learns = Some(if page.profile { text.also_name } else { text.only_id });
    Document { frame: &page.frame, title, reload: reload(page), head, main: main(page), learns, foot }
        .render()
}

/// The page's own address by `method` in `lang`.
pub(super) fn address(page: &LoginPage, method: Method, lang: Lang) -> String {
    let theme = page.frame.theme.map(|theme| format!("&theme={}", theme.name())).unwrap_or_default();
    let (login, method, lang) = (page.login, method.name(), lang.pick("zh", "en"));
    format!("/oauth/s/{login}?method={method}&lang={lang}{theme}")
}

/// The address of this page.
pub(super) fn here(page: &LoginPage) -> String {
    address(page, page.view.method, page.frame.lang)
}

/// Somebody may still answer.
fn is_open(page: &LoginPage) -> bool {
    matches!(page.view.status, Status::Pending | Status::Scanned | Status::Number)
}

/// Without a script the page looks again by itself, but never while somebody types.
fn reload(page: &LoginPage) -> Option<String> {
    let waits = match page.view.status {
        Status::Pending => page.view.method != Method::Typed,
        Status::Scanned => true,
        _ => false,
    };
    waits.then(|| here(page))
}

/// All that changes with the status, and in its attributes all that the script needs.
fn main(page: &LoginPage) -> Markup {
    let view = page.view;
    let state = state(page);
    let error =
        matches!(view.status, Status::Denied | Status::Expired).then(|| state.as_ref().map(|s| s.title));
    html! {
        main data-login=(page.login) data-status=(view.status.name()) data-page=(here(page))
            data-origin=[page.origin] data-state=[page.state] data-legacy[page.legacy]
            data-lifetime=(LIFETIME) data-ends-in=(view.ends_in)
            data-rotate-in=[view.rotate_in.filter(|_| view.status == Status::Pending)]
            data-error=[error.flatten()] data-say=[state.as_ref().map(|state| say(page, state))] {
            (tabs(page))
            (notes(page))
            @match state {
                None => (panel::pending(page)),
                Some(state) => (panel::state(page, &state)),
            }
        }
    }
}

/// What is read out when this status begins.
fn say(page: &LoginPage, state: &text::State) -> String {
    let stop = page.frame.lang.pick("。", ". ");
    filled(&format!("{}{stop}{}", state.title, state.text), page.site_host)
}

/// The words of a status that shows no way to log in.
fn state(page: &LoginPage) -> Option<text::State> {
    let lang = page.frame.lang;
    Some(match page.view.status {
        Status::Pending => return None,
        Status::Scanned => text::scanned(page.view.method, lang),
        Status::Number => text::number(lang),
        Status::Confirmed => text::confirmed(page.origin.is_some(), lang),
        Status::Denied => text::denied(lang),
        Status::Expired => text::expired(lang),
        Status::Done => text::done(lang),
    })
}

/// What is drawn for a status: the icon, and how much of the ring.
pub(super) fn look(page: &LoginPage) -> (Icon, Stage) {
    match page.view.status {
        Status::Pending | Status::Scanned => (Icon::Phone, Stage::Left(page.view.ends_in)),
        Status::Number => (Icon::Chat, Stage::Left(page.view.ends_in)),
        Status::Confirmed | Status::Done => (Icon::Tick, Stage::Full),
        Status::Denied => (Icon::Cross, Stage::Empty),
        Status::Expired => (Icon::Again, Stage::Empty),
    }
}

/// What came of the last thing that somebody did.
fn notes(page: &LoginPage) -> Markup {
    let lang = page.frame.lang;
    let note = page.note.or(page.view.fallen_back.then_some(Note::FellBack));
    html! {
        @if let Some(failure) = page.failure { p.note.bad role="alert" { (text::failure(failure, lang)) } }
        @if let Some(note) = note {
            p.note.bad[note != Note::FellBack] role="alert" { (text::note(note, lang)) }
        }
    }
}

/// The two ways that most people want: by a QR code, and by the chat.
fn main_ways(page: &LoginPage) -> Vec<Method> {
    let kinds: [&[Method]; 2] = [&[Method::Qr, Method::Scene, Method::Menu], &[Method::Code, Method::Typed]];
    let view = page.view;
    let first = |kind: &[Method]| {
        let shown = Some(view.method).filter(|method| kind.contains(method));
        shown.or_else(|| view.methods.iter().copied().find(|method| kind.contains(method)))
    };
    kinds.into_iter().filter_map(first).collect()
}

/// The two ways as tabs. When nobody can answer any more they lead nowhere, but keep their place.
fn tabs(page: &LoginPage) -> Markup {
    let ways = main_ways(page);
    let lang = page.frame.lang;
    let current = |way| (way == page.view.method).then_some("page");
    html! {
        @if ways.len() > 1 && is_open(page) {
            nav.tabs aria-label=(Text::of(lang).ways) {
                @for way in ways {
                    a href=(address(page, way, lang)) aria-current=[current(way)] { (text::tab(way, page.device, lang)) }
                }
            }
        } @else if ways.len() > 1 {
            div.tabs aria-hidden="true" {
                @for way in ways { span.on[current(way).is_some()] { (text::tab(way, page.device, lang)) } }
            }
        }
    }
}

/// The rest, under "use another way".
fn others(page: &LoginPage) -> Markup {
    let lang = page.frame.lang;
    let tabs = main_ways(page);
    let single = tabs.len() < 2;
    let offered = |method: &Method| {
        // WeChat's own browser alone can be authorized in place.
        *method != page.view.method
            && (single || !tabs.contains(method))
            && (*method != Method::Wechat || page.device == Device::Wechat)
    };
    let rest: Vec<Method> = page.view.methods.iter().copied().filter(offered).collect();
    html! {
        @if !rest.is_empty() {
            details.others {
                summary { (Text::of(lang).other_ways) }
                ul { @for method in rest { li { (link(page, method)) } } }
            }
        }
    }
}

fn link(page: &LoginPage, method: Method) -> Markup {
    let words = text::way(method, page.frame.lang);
    html! {
        @if is_away(method) {
            a href=(go(page, method)) data-go { (words) }
        } @else {
            a href=(address(page, method, page.frame.lang)) { (words) }
        }
    }
}

/// The method leads to another's login page.
pub(super) fn is_away(method: Method) -> bool {
    matches!(method, Method::Wechat | Method::Open | Method::Github)
}

/// The way to another's login page.
pub(super) fn go(page: &LoginPage, method: Method) -> String {
    format!("/oauth/s/{}/go/{}", page.login, method.name())
}

/// The two digits, and where the browser is: what the phone shows too.
pub(super) fn check(page: &LoginPage) -> Markup {
    let text = Text::of(page.frame.lang);
    let place = place(page);
    html! {
        @if page.view.number.is_some() || !place.is_empty() {
            div.check {
                @if let Some(number) = page.view.number { b.number { (format!("{number:02}")) } }
                div {
                    @if page.view.number.is_some() { p { (text.same_number) } }
                    @if !place.is_empty() { p { (text.this_login) (place) } }
                }
            }
        }
    }
}

fn place(page: &LoginPage) -> String {
    let place = &page.view.place;
    let spot = if place.city.is_empty() { &place.country } else { &place.city };
    let parts = [spot, &place.browser, &place.system];
    parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" · ")
}

/// How long the page lasts, which the script counts down.
pub(super) fn clock(page: &LoginPage) -> Markup {
    let seconds = page.view.ends_in / 1_000;
    let left = html! { span.clock role="timer" { (format!("{}:{:02}", seconds / 60, seconds % 60)) } };
    fill(Text::of(page.frame.lang).ends_in, left)
}
