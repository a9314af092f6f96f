//! The middle of the login page: a way to log in, or what became of it. Both have the same size.

use maud::{Markup, html};

use super::LoginPage;
use super::attempt::{self, check, clock, go, here};
use super::icon::{self, Icon};
use super::qr;
use super::shell::{account, fill};
use super::text::{self, State, Text};
use crate::login::agent::Device;
use crate::login::method::Method;
use crate::login::session::{LIFETIME, Status};

/// How much of the ring around the middle is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// As much as there is time, milliseconds.
    Left(u64),
    /// All.
    Full,
    /// Nothing.
    Empty,
}

impl Stage {
    /// The part that is not drawn, of 100.
    fn gone(self) -> u64 {
        match self {
            Self::Left(time) => 100 - time.min(LIFETIME) * 100 / LIFETIME,
            Self::Full => 0,
            Self::Empty => 100,
        }
    }
}

/// A way to log in that nobody has answered yet.
pub(super) fn pending(page: &LoginPage) -> Markup {
    match page.view.method {
        Method::Qr | Method::Scene | Method::Menu => scan(page),
        Method::Code => code(page),
        Method::Typed => typed(page),
        Method::Wechat | Method::Open | Method::Github => away(page),
    }
}

/// What became of it.
pub(super) fn state(page: &LoginPage, state: &State) -> Markup {
    let (icon, ring) = attempt::look(page);
    let alert = (page.view.status == Status::Denied).then_some("alert");
    let inside = html! {
        div.state role=[alert] {
            (icon::disc(icon))
            p.title { (state.title) }
            p { (fill(state.text, page.site_host)) }
            (action(page))
        }
    };
    html! {
        div.panel {
            (stage(ring, inside))
            h2 { (fill(state.below, page.site_host)) }
            (below(page))
            @if page.view.status == Status::Scanned { (check(page)) }
        }
    }
}

/// What can be done inside the box.
fn action(page: &LoginPage) -> Markup {
    let text = Text::of(page.frame.lang);
    let view = page.view;
    html! {
        @match view.status {
            Status::Denied | Status::Expired => a.button href=(view.again) { (text.try_again) },
            Status::Scanned if attempt::is_away(view.method) =>
                a.button href=(go(page, view.method)) data-go { (text.go_on) },
            Status::Number => form.type method="post" action=(format!("/oauth/s/{}/number", page.login)) {
                input #number name="number" required autofocus inputmode="numeric" autocomplete="one-time-code"
                    pattern="[0-9]{2}" maxlength="2" aria-label=(text.number_label);
                button.button { (text.log_in) }
            },
            Status::Done => button.button.js type="button" data-close { (text.close) },
            _ => {},
        }
    }
}

/// What can be done below it.
fn below(page: &LoginPage) -> Markup {
    let text = Text::of(page.frame.lang);
    html! {
        @match page.view.status {
            Status::Scanned => p.hint { (clock(page)) },
            Status::Number => p.hint {
                @if let Some(left) = page.view.left { (fill(text.tries_left, left)) " · " }
                (clock(page))
            },
            // Without a script this is how the result is taken; with one, it is for those whose window stays.
            Status::Confirmed => form.hint method="post" action=(format!("/oauth/s/{}/finish", page.login)) {
                button.link { (fill(text.back_to, page.site_host)) }
            },
            Status::Done => @if let Some(origin) = page.origin {
                p.hint { a href=(origin) { (fill(text.back_to, page.site_host)) } }
            },
            Status::Denied | Status::Expired => @if let Some(back) = page.back {
                p.hint { a href=(back) { (fill(text.back_to, page.site_host)) } }
            },
            Status::Pending => {},
        }
    }
}

/// A square with a ring, which is drawn from its top on, clockwise.
fn stage(ring: Stage, inside: Markup) -> Markup {
    const OUTLINE: &str = "M120 4.5h87.5a28 28 0 0 1 28 28v175a28 28 0 0 1-28 28h-175a28 28 0 0 1-28-28v-175a28 28 0 0 1 28-28z";
    html! {
        div.stage {
            svg.ring viewBox="0 0 240 240" aria-hidden="true" {
                path d=(OUTLINE) {}
                path.left d=(OUTLINE) pathLength="100" stroke-dasharray="100 100" stroke-dashoffset=(ring.gone()) {}
            }
            div.box { (inside) }
        }
    }
}

/// A QR code: a drawing on large screens, a picture where people save it or press it long.
fn code_of(page: &LoginPage, content: &str, label: &str) -> Option<Markup> {
    if page.device == Device::Desktop {
        return qr::drawing(content, label);
    }
    qr::picture(content).map(|address| html! { img.qr src=(address) alt=(label); })
}

fn scan(page: &LoginPage) -> Markup {
    let lang = page.frame.lang;
    let text = Text::of(lang);
    let Some(code) = page.qr.and_then(|content| code_of(page, content, text.qr_label)) else {
        return unavailable(page);
    };
    html! {
        div.panel {
            (stage(Stage::Left(page.view.ends_in), code))
            h2 { (fill(text::scan(page.view.method, page.device, lang), account(&page.frame))) }
            p.hint {
                @if page.view.method == Method::Scene { (fill(text.follows_first, account(&page.frame))) " · " }
                (clock(page)) " " a href=(here(page)) { (text.refresh) }
            }
            (check(page))
            template #stale data-say=(text::stale(lang).title) { (stale(page)) }
        }
    }
}

/// What takes the place of a QR code that nobody scanned for long.
fn stale(page: &LoginPage) -> Markup {
    let state = text::stale(page.frame.lang);
    html! {
        div.state {
            (icon::disc(Icon::Again))
            p.title { (state.title) }
            p { (state.text) }
            a.button href=(here(page)) { (Text::of(page.frame.lang).refresh) }
        }
    }
}

fn unavailable(page: &LoginPage) -> Markup {
    let state = text::unavailable(page.frame.lang);
    let inside = html! {
        div.state {
            (icon::disc(Icon::Notice))
            p.title { (state.title) }
            p { (state.text) }
            a.button href=(here(page)) { (Text::of(page.frame.lang).try_again) }
        }
    };
    html! { div.panel { (stage(Stage::Empty, inside)) h2 { (state.below) } } }
}

fn code(page: &LoginPage) -> Markup {
    let lang = page.frame.lang;
    let text = Text::of(lang);
    let Some(code) = &page.view.code else { return unavailable(page) };
    let words = text::words(code, lang);
    let phone = page.device == Device::Phone;
    html! {
        div.panel {
            (steps(page, text::code_steps(page.device, lang)))
            div.words {
                output #words { (words) }
                @if phone {
                    span.hint { (clock(page)) }
                } @else {
                    button.copy.js type="button" data-copy=(words) data-done=(text.copied) { (text.copy) }
                }
            }
            @if phone {
                a.button.wide.js href="weixin://" data-copy=(words) data-done=(text.copied) { (text.copy_and_open) }
            }
            p.hint {
                span.spin aria-hidden="true" {} (text.waiting)
                @if !phone { " " (clock(page)) }
            }
            (follow(page))
            (check(page))
        }
    }
}

/// The account's own QR code, for those who do not follow it yet.
fn follow(page: &LoginPage) -> Markup {
    let text = Text::of(page.frame.lang);
    let Some(code) = page.account_qr.and_then(|content| code_of(page, content, text.account_qr_label)) else {
        return html! {};
    };
    let account = account(&page.frame);
    html! {
        p.or { span { (text.not_following) } }
        @match page.device {
            Device::Phone => details.save {
                summary.button.wide.quiet { (text.save_to_follow) }
                div.follow { (code) }
            },
            Device::Desktop => div.follow { (code) p { (fill(text.scan_to_follow, account)) } },
            Device::Wechat => div.follow { (code) p { (fill(text.press_to_follow, account)) } },
        }
    }
}

fn typed(page: &LoginPage) -> Markup {
    let text = Text::of(page.frame.lang);
    html! {
        div.panel {
            (steps(page, &text::typed_steps(page.frame.lang)))
            form.type method="post" action=(format!("/oauth/s/{}/typed", page.login)) {
                input #code name="code" required autofocus inputmode="numeric" autocomplete="one-time-code"
                    maxlength="12" aria-label=(text.code_label);
                button.button { (text.log_in) }
            }
            p.hint {
                @if let Some(left) = page.view.left { (fill(text.tries_left, left)) " · " }
                (clock(page))
            }
            (follow(page))
        }
    }
}

/// The way leads to another's page.
fn away(page: &LoginPage) -> Markup {
    let lang = page.frame.lang;
    let method = page.view.method;
    let inside = html! {
        div.state {
            (icon::disc(Icon::Away))
            p.title { (text::way(method, lang)) }
            a.button href=(go(page, method)) data-go { (Text::of(lang).go_on) }
        }
    };
    html! {
        div.panel {
            (stage(Stage::Left(page.view.ends_in), inside))
            h2 { (text::away(method, lang)) }
            p.hint { (clock(page)) }
            (check(page))
        }
    }
}

fn steps(page: &LoginPage, steps: &[&str]) -> Markup {
    html! { ol.steps { @for step in steps { li { (fill(step, account(&page.frame))) } } } }
}
