//! The phone's pages: what is asked before a confirmation, and how it ended.

use maud::{Markup, Render, html};

use super::icon::{self, Icon};
use super::shell::{self, Document, fill, filled};
use super::text::{self, PhoneText, Text};
use super::{ConfirmPage, Frame, PhoneResult};

/// Asks before a confirmation.
pub(super) fn confirm(page: &ConfirmPage) -> Markup {
    let text = Text::of(page.frame.lang);
    let title = filled(text.log_in_to, &page.client.name);
    let main = html! {
        main.phone {
            dl.facts { (facts(page)) }
            @if let Some(name) = &page.consent.name { p.note { (fill(text.logged_in_as, html! { b { (name) } })) } }
            form.answer method="post" action=(format!("/oauth/confirm/{}", page.login)) {
                input type="hidden" name="csrf" value=(page.csrf);
                (question(page))
                p.hint { (text.opened_by_you) }
                button.button.wide.quiet name="answer" value="no" formnovalidate { (text.deny) }
            }
        }
    };
    let head = shell::head(&page.client.name, &title, page.site_host);
    Document {
        frame: &page.frame,
        title,
        reload: None,
        head,
        main,
        learns: page.consent.name.is_none().then_some(text.only_id),
        foot: html! {},
    }
    .render()
}

/// Where the browser is.
fn facts(page: &ConfirmPage) -> Markup {
    let text = Text::of(page.frame.lang);
    let place = &page.consent.place;
    let join = |parts: [&str; 2], by: &str| {
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(by)
    };
    let time = format!("{}{}", page.when, text.time_zone);
    let facts = [
        (text.device, join([&place.browser, &place.system], " · ")),
        (text.place, join([&place.city, &place.country], page.frame.lang.pick("，", ", "))),
        (text.time, time),
    ];
    html! {
        @for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
            div { dt { (name) } dd { (fact) } }
        }
    }
}

/// A number to choose, a number to type, or simply yes.
fn question(page: &ConfirmPage) -> Markup {
    let text = Text::of(page.frame.lang);
    html! {
        @match page.consent.choices {
            Some(_) if page.type_number => {
                h2 #question { (text.type_number) }
                div.type {
                    input #number name="number" required inputmode="numeric" autocomplete="off" pattern="[0-9]{2}"
                        maxlength="2" aria-labelledby="question";
                    button.button { (text.confirm) }
                }
            },
            Some(choices) => {
                h2 #question { (text.choose_number) }
                div.choices role="group" aria-labelledby="question" {
                    @for number in choices {
                        button.choice name="number" value=(number) { (format!("{number:02}")) }
                    }
                }
            },
            None => button.button.wide name="answer" value="yes" { (text.confirm) },
        }
    }
}

/// How it ended.
pub(super) fn result(
    frame: &Frame,
    client: Option<&str>,
    outcome: PhoneResult,
    restart: Option<&str>,
) -> Markup {
    let text = Text::of(frame.lang);
    let PhoneText { title, text: what } = text::result(outcome, frame.lang);
    let main = html! {
        main.end {
            (icon::disc(icon(outcome)))
            h1 { (title) }
            p { (what) }
            @if let Some(address) = restart { a.button.wide href=(address) { (text.try_again) } }
            button.button.wide.quiet.js type="button" data-close { (text.close) }
        }
    };
    // The page's heading is what happened; the website's name is only a reminder.
    let head = client.map_or_else(|| html! {}, |name| shell::brief(&filled(text.log_in_to, name), name));
    Document { frame, title: title.to_owned(), reload: None, head, main, learns: None, foot: html! {} }
        .render()
}

fn icon(outcome: PhoneResult) -> Icon {
    match outcome {
        PhoneResult::Done => Icon::Tick,
        PhoneResult::Denied | PhoneResult::Refused | PhoneResult::WrongNumber | PhoneResult::Blocked => {
            Icon::Cross
        }
        PhoneResult::Gone | PhoneResult::Stale | PhoneResult::Restart => Icon::Again,
        PhoneResult::OpenInWechat => Icon::Phone,
        _ => Icon::Notice,
    }
}
