//! How the result of an attempt, or an error, leaves the browser for the website: as a message of the page's script,
//! by a visit, or by a form.

use serde_json::Value;

use super::issue::{self, NotIssued, Way};
use super::{frame, headers};
use crate::handlers::App;
use crate::json::{Put, json};
use crate::login::page;
use crate::login::request::{AuthRequest, Back, ResultBy};
use crate::login::session::{Finished, Status};
use crate::platform::{Platform, Request, Response};

/// What the page does with the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The only origin that the message may go to, and the message: a string for the first class of this kind, an
    /// object for ours.
    message: Option<(String, Value)>,
    /// Where to go: at once without a message, else if the opener is out of reach.
    way: Option<Way>,
}

/// The result of an attempt whose person confirmed. `code` is what the website redeems.
///
/// # Errors
/// [`NotIssued`], which was logged.
pub async fn of<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
    finished: &Finished,
    code: &str,
) -> Result<Outcome, NotIssued> {
    let issuer = &request.origin;
    let asked = &finished.request;
    Ok(match &asked.result {
        ResultBy::Legacy { origin } => {
            let message = issue::legacy_message(platform, app, issuer, login, finished).await?;
            Outcome { message: Some((origin.clone(), Value::String(message))), way: None }
        }
        ResultBy::Message { origin } => Outcome {
            message: Some((origin.clone(), issue::message(asked, issuer, code))),
            way: issue::way_back(asked, issuer, code),
        },
        ResultBy::Redirect { .. } => Outcome { message: None, way: issue::way_back(asked, issuer, code) },
    })
}

impl Outcome {
    /// For the page's script.
    pub fn to_json(&self) -> Value {
        let origin = self.message.as_ref().map(|(origin, _)| origin);
        let message = self.message.as_ref().map(|(_, message)| message);
        let (redirect, form) = match &self.way {
            Some(Way::Redirect(address)) => (Some(address), None),
            Some(Way::Form { action, fields }) => {
                // One by one: to collect a map is to sort it first.
                let mut inputs = serde_json::Map::new();
                for (name, value) in fields {
                    inputs.put(name, value.as_str().into());
                }
                (None, Some(json!({ "action": action, "fields": inputs })))
            }
            None => (None, None),
        };
        json!({ "origin": origin, "message": message, "redirect": redirect, "form": form })
    }

    /// For a browser without a script; `None` if only a script can hand the result over.
    pub fn without_script(&self, request: &Request, app: &App) -> Option<Response> {
        self.way.as_ref().map(|way| go(request, app, way))
    }
}

/// Tells the website why there is no attempt.
pub fn refused(request: &Request, app: &App, back: &Back) -> Response {
    go(request, app, &issue::way_refused(back, &request.origin))
}

/// Where a person goes back to with the news that there is no result; `None` if the website named no address, or the
/// attempt has not come to such an end. A website that wants a form gets it from the page itself, asked with `?back`.
pub fn way_back(request: &Request, asked: &AuthRequest, status: Status) -> Option<String> {
    match bad_news(request, asked, status)? {
        Way::Redirect(address) => Some(address),
        // With two slashes in front it would be another host's.
        Way::Form { .. } => Some(format!("/{}?back=form", request.path.trim_start_matches('/'))),
    }
}

/// The form with the news that there is no result.
pub fn form_back(request: &Request, app: &App, asked: &AuthRequest, status: Status) -> Option<Response> {
    let way = bad_news(request, asked, status).filter(|way| matches!(way, Way::Form { .. }))?;
    Some(go(request, app, &way))
}

/// <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1>
fn bad_news(request: &Request, asked: &AuthRequest, status: Status) -> Option<Way> {
    let description = match status {
        Status::Denied => "the person said no",
        Status::Expired => "nobody answered in time",
        _ => return None,
    };
    issue::way_back_failed(asked, &request.origin, "access_denied", description)
}

/// The response that leads there.
fn go(request: &Request, app: &App, way: &Way) -> Response {
    match way {
        Way::Redirect(address) => headers::private(request, Response::see_other(address)),
        Way::Form { action, fields } => {
            let frame = frame::frame(request, app, frame::lang(request, app));
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let html = page::form_post(&frame, action, &fields);
            headers::page(request, 200, html, headers::Window::Popup, &[action])
        }
    }
}
