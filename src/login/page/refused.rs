//! Pages that stand alone: nobody can log in, and the form that carries a result.

use maud::{Markup, Render, html};

use super::icon::{self, Icon};
use super::shell::{self, Document, fill};
use super::text::{self, PhoneText, Text};
use super::{Frame, Refused};

/// Nobody can log in. It holds nothing that the script could send to another window.
pub(super) fn refused(frame: &Frame, reason: &Refused, request_id: &str) -> Markup {
    let text = Text::of(frame.lang);
    let PhoneText { title, text: what } = text::refused(reason, frame.lang);
    let detail = match reason {
        Refused::OriginNotAllowed { origin } => origin,
        Refused::BadRequest { what } => what,
        _ => "",
    };
    let main = html! {
        main.end {
            div.trouble role="alert" {
                (icon::disc(Icon::Notice))
                div { h2 { (title) } p { (fill(what, detail)) } }
            }
            p.hint { code { (reason.code()) } @if !request_id.is_empty() { " · " (text.request_id) " " code { (request_id) } } }
            button.button.wide.quiet.js type="button" data-close { (text.close) }
        }
    };
    let head = shell::head(frame.host, text.cannot_log_in, frame.host);
    Document {
        frame,
        title: text.cannot_log_in.to_owned(),
        reload: None,
        head,
        main,
        learns: None,
        foot: html! {},
    }
    .render()
}

/// A form that the script sends at once.
pub(super) fn form_post(frame: &Frame, action: &str, fields: &[(&str, &str)]) -> Markup {
    let text = Text::of(frame.lang);
    let main = html! {
        main.end {
            (icon::disc(Icon::Tick))
            h1 { (text.sending) }
            form method="post" action=(action) data-send {
                @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                button.button.wide { (text.go_on) }
            }
        }
    };
    Document {
        frame,
        title: text.sending.to_owned(),
        reload: None,
        head: html! {},
        main,
        learns: None,
        foot: html! {},
    }
    .render()
}
