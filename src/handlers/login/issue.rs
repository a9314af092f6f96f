//! What a website gets of a login: a user id, tokens, and the way they go back.

use serde_json::{Value, json};

use crate::handlers::App;
use crate::login::request::{AuthRequest, Back, ResultBy};
use crate::login::session::Finished;
use crate::platform::Platform;

/// Why nothing is issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotIssued {
    /// The client is no longer in the configuration.
    NoClient,
}

/// How something gets back to a website's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The browser is redirected there.
    Redirect(String),
    /// A form is posted there.
    Form {
        /// Where.
        action: String,
        /// Names and values.
        fields: Vec<(&'static str, String)>,
    },
}

/// provisional
pub async fn legacy_message<P: Platform>(
    _platform: &P,
    _app: &App,
    _issuer: &str,
    _login: &str,
    _finished: &Finished,
) -> Result<String, NotIssued> {
    Err(NotIssued::NoClient)
}

/// The message of [`ResultBy::Message`].
pub fn message(request: &AuthRequest, issuer: &str, code: &str) -> Value {
    json!({ "type": "wxapi-login", "state": request.state, "code": code, "iss": issuer })
}

/// The message of [`ResultBy::Message`] when nobody was logged in: `error` is `access_denied` or `expired_token`.
pub fn message_failure(request: &AuthRequest, issuer: &str, error: &str) -> Value {
    json!({ "type": "wxapi-login", "state": request.state, "error": error, "iss": issuer })
}

/// The way back with a code; `None` if the website named no address to go to.
/// <https://www.rfc-editor.org/rfc/rfc9207>
pub fn way_back(request: &AuthRequest, issuer: &str, code: &str) -> Option<Way> {
    let fields = vec![("code", code.to_owned())];
    Some(way(request.redirect_uri.as_deref()?, is_form(request), fields, request.state.as_deref(), issuer))
}

/// The way back with an error; `None` if the website named no address to go to.
pub fn way_back_failed(
    request: &AuthRequest,
    issuer: &str,
    error: &'static str,
    description: &str,
) -> Option<Way> {
    let fields = vec![("error", error.to_owned()), ("error_description", description.to_owned())];
    Some(way(request.redirect_uri.as_deref()?, is_form(request), fields, request.state.as_deref(), issuer))
}

/// The way back of a request that was refused.
pub fn way_refused(back: &Back, issuer: &str) -> Way {
    let fields = vec![("error", back.error.to_owned()), ("error_description", back.description.to_owned())];
    way(&back.redirect_uri, back.form_post, fields, back.state.as_deref(), issuer)
}

fn is_form(request: &AuthRequest) -> bool {
    request.result == ResultBy::Redirect { form_post: true }
}

fn way(
    address: &str,
    form: bool,
    mut fields: Vec<(&'static str, String)>,
    state: Option<&str>,
    issuer: &str,
) -> Way {
    fields.extend(state.map(|state| ("state", state.to_owned())));
    fields.push(("iss", issuer.to_owned()));
    if form {
        return Way::Form { action: address.to_owned(), fields };
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    Way::Redirect(with_query(address, &query))
}

/// An address with more in its query.
pub fn with_query(address: &str, query: &str) -> String {
    let between = match address.split_once('?') {
        None => "?",
        Some((_, before)) if before.is_empty() || before.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{address}{between}{query}")
}
