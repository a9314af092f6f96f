//! How the result of an attempt, or an error, reaches the website: as a message, by a visit, or by a form.

use serde::Serialize;
use serde_json::{Value, json};

use super::{frame, headers, issue};
use crate::handlers::App;
use crate::login::client::Client;
use crate::login::page;
use crate::login::request::{AuthRequest, Back, ResultBy};
use crate::login::session::{Finished, Status};
use crate::platform::{Platform, Request, Response};

/// What the page's script does with the result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The only origin that the message may go to.
    pub origin: Option<String>,
    /// A string for the first class of this kind, an object for ours.
    pub message: Option<Value>,
    /// Where to go: at once without a message, else if the opener is out of reach.
    pub redirect: Option<String>,
    /// What to send instead of going there.
    pub form: Option<Form>,
}

/// `response_mode=form_post`.
/// <https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Where.
    pub action: String,
    /// Names and values.
    pub fields: Fields,
}

/// Names and values, in the order in which they are sent; an object in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(&'static str, String)>);

impl Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Fields {
    /// What every answer has: `state` as it came, and `iss`, by which a website that knows several providers sees
    /// which one answers. <https://www.rfc-editor.org/rfc/rfc9207>
    fn new(request: &Request, state: Option<&str>, first: &[(&'static str, &str)]) -> Self {
        let mut fields: Vec<_> = first.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        fields.extend(state.map(|state| ("state", state.to_owned())));
        fields.push(("iss", request.origin.clone()));
        Self(fields)
    }

    /// `address` with these in its query.
    fn in_query(&self, address: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish();
        let sign = if address.contains('?') { '&' } else { '?' };
        format!("{address}{sign}{query}")
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// The result of an attempt whose person confirmed. `code` is what the website redeems.
///
/// # Errors
/// Why there is none, for the log.
pub async fn of<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    client: &Client,
    finished: &Finished,
    code: &str,
) -> Result<Outcome, String> {
    let Finished { request: asked, answer } = finished;
    let fields = Fields::new(request, asked.state.as_deref(), &[("code", code)]);
    let visit = || asked.redirect_uri.as_deref().map(|address| fields.in_query(address));
    Ok(match &asked.result {
        ResultBy::Legacy { origin } => {
            let message = issue::legacy_message(platform, app, request, client, asked, answer).await?;
            Outcome {
                origin: Some(origin.clone()),
                message: Some(Value::String(message)),
                ..Outcome::default()
            }
        }
        ResultBy::Message { origin } => Outcome {
            origin: Some(origin.clone()),
            message: Some(json!({
                "type": "wxapi-login", "state": asked.state, "code": code, "iss": request.origin,
            })),
            redirect: visit(),
            form: None,
        },
        ResultBy::Redirect { form_post: false } => Outcome { redirect: visit(), ..Outcome::default() },
        ResultBy::Redirect { form_post: true } => {
            let action = asked.redirect_uri.clone().unwrap_or_default();
            Outcome { form: Some(Form { action, fields }), ..Outcome::default() }
        }
    })
}

/// The same for a browser without a script; `None` if only a script can hand it over.
pub fn without_script(request: &Request, app: &App, outcome: &Outcome) -> Option<Response> {
    if let Some(form) = &outcome.form {
        return Some(post(request, app, &form.action, &form.fields));
    }
    let address = outcome.redirect.as_ref()?;
    Some(headers::private(request, Response::see_other(address)))
}

/// Tells the website why there is no attempt.
pub fn back(request: &Request, app: &App, back: &Back) -> Response {
    let first = [("error", back.error), ("error_description", back.description)];
    let fields = Fields::new(request, back.state.as_deref(), &first);
    if back.form_post {
        return post(request, app, &back.redirect_uri, &fields);
    }
    headers::private(request, Response::see_other(fields.in_query(&back.redirect_uri)))
}

/// Where a person goes back to with the news that there is no result; `None` if the website named no address, or the
/// attempt is not at such an end. A website that wants a form gets it by the page itself, asked with `?back`.
pub fn way_back(request: &Request, asked: &AuthRequest, status: Status) -> Option<String> {
    let address = asked.redirect_uri.as_deref()?;
    let fields = bad_news(request, asked, status)?;
    match asked.result {
        ResultBy::Redirect { form_post: true } => Some(format!("{}?back=form", request.path)),
        _ => Some(fields.in_query(address)),
    }
}

/// The form with the news that there is no result.
pub fn form_back(request: &Request, app: &App, asked: &AuthRequest, status: Status) -> Option<Response> {
    let action = asked.redirect_uri.as_deref()?;
    matches!(asked.result, ResultBy::Redirect { form_post: true }).then_some(())?;
    Some(post(request, app, action, &bad_news(request, asked, status)?))
}

/// <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1>
fn bad_news(request: &Request, asked: &AuthRequest, status: Status) -> Option<Fields> {
    let description = match status {
        Status::Denied => "the person said no",
        Status::Expired => "nobody answered in time",
        _ => return None,
    };
    let first = [("error", "access_denied"), ("error_description", description)];
    Some(Fields::new(request, asked.state.as_deref(), &first))
}

fn post(request: &Request, app: &App, action: &str, fields: &Fields) -> Response {
    let frame = frame::frame(request, app, frame::lang(request, app));
    let html = page::form_post(&frame, action, &fields.pairs());
    headers::page(request, 200, html, headers::Window::Popup, &[action])
}
