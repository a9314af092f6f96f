//! What is around every page: the document, its head, and its foot.

use crate::grapheme::graphemes;
use maud::{DOCTYPE, Markup, Render, html};

use super::Frame;
use super::text::Text;

/// The mark of the QR codes, so that browsers ask for no file.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='1 1 7 7' fill='%23fff'%3E\
    %3Crect x='1' y='1' width='7' height='7' rx='1.8' fill='%23077a3f'/%3E%3Ccircle cx='4.5' cy='3.5' r='1.2'/%3E\
    %3Cpath d='M2.4 6.6a2.1 1.8 0 0 1 4.2 0z'/%3E%3C/svg%3E";

/// A whole document.
pub(super) struct Document<'a> {
    pub frame: &'a Frame<'a>,
    pub title: String,
    /// Where a browser without script looks again, every three seconds.
    pub reload: Option<String>,
    /// Who asks, with what is beside it.
    pub head: Markup,
    /// `<main>`.
    pub main: Markup,
    /// What the website learns, where that is known.
    pub learns: Option<&'static str>,
    /// What is in the footer, beside the Worker's name.
    pub foot: Markup,
}

impl Render for Document<'_> {
    fn render(&self) -> Markup {
        let frame = self.frame;
        let text = Text::of(frame.lang);
        let theme = frame.theme.map(super::Theme::name);
        html! {
            (DOCTYPE)
            html lang=(frame.lang.pick("zh-CN", "en")) data-theme=[theme] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover";
                    meta name="color-scheme" content=(theme.unwrap_or("light dark"));
                    title { (self.title) }
                    link rel="icon" href=(ICON);
                    link rel="stylesheet" href="/login.css";
                    script type="module" src="/login.js" {}
                    @if let Some(address) = &self.reload {
                        noscript { meta http-equiv="refresh" content=(format!("3;url={address}")); }
                    }
                }
                body {
                    div.card {
                        header { (self.head) }
                        (self.main)
                        footer { p { (fill(text.provided_by, frame.host)) @if let Some(what) = self.learns { " · " (what) } } (self.foot) }
                    }
                    p #say .sr role="status" {}
                    p #offline .toast role="status" data-text=(text.offline) {}
                }
            }
        }
    }
}

/// A tile and two lines: who asks.
pub(super) fn head(tile: &str, title: &str, host: &str) -> Markup {
    html! {
        (monogram(tile))
        div.who { h1 { (title) } p { (host) } }
    }
}

/// The same on a page that has a heading of its own.
pub(super) fn brief(title: &str, name: &str) -> Markup {
    html! {
        (monogram(name))
        div.who { p { (title) } }
    }
}

/// The first letter of a name, which the style sheet makes a capital, on one of six colours, which stays the same for a name.
fn monogram(name: &str) -> Markup {
    let colour = name.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % 6;
    let letter = graphemes(name).next().map_or("·", |(_, letter)| letter);
    html! { span.tile.{ "c" (colour) } aria-hidden="true" { (letter) } }
}

/// `text` with `what` in the place of its `{}`.
pub(super) fn fill(text: &str, what: impl Render) -> Markup {
    let (before, after) = text.split_once("{}").unwrap_or((text, ""));
    let marked = before.len() < text.len();
    html! { (before) @if marked { (what) } (after) }
}

/// The same for what is no markup.
pub(super) fn filled(text: &str, what: &str) -> String {
    text.replacen("{}", what, 1)
}

/// What the account is called.
pub(super) fn account(frame: &Frame) -> Markup {
    let text = Text::of(frame.lang);
    match frame.account_name {
        Some(name) => fill(text.account, html! { b { (name) } }),
        None => html! { (text.some_account) },
    }
}
