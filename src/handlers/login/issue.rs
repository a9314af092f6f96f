//! What a website gets of a login: a user id, tokens, and the way they go back.

use serde_json::Value;

use crate::handlers::App;
use crate::handlers::call_object;
use crate::json::{Put, json};
use crate::log::Line;
use crate::login::client::{self, Client};
use crate::login::keys::{self, Call, Signed, Unsigned};
use crate::login::request::{AuthRequest, Back, ResultBy};
use crate::login::session::{Answer, Finished};
use crate::login::subject::{self, Identity, NoSubject};
use crate::login::token::{self, AccessClaims, Bad, IdClaims, Kind};
use crate::platform::{Algorithm, Millis, Object, Platform, Unreachable};

/// An isolate keeps the key set for so long, milliseconds. A key is shown days before it signs.
const KEYS_KEPT: Millis = 300_000;

/// Why nothing is issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotIssued {
    /// The client is no longer in the configuration.
    NoClient,
    /// The person has no id there.
    NoSubject(NoSubject),
    /// The keys are out of reach.
    Keys(Unreachable),
}

/// Where a login came from and what it is about, for [`tokens`].
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The Worker's origin.
    pub issuer: &'a str,
    /// The attempt's name.
    pub id: &'a str,
    /// What the website asked for.
    pub request: &'a AuthRequest,
    /// Who answered.
    pub answer: &'a Answer,
}

/// What came of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// What the website knows the person by; the `sub` of the tokens.
    pub uid: String,
    /// The tokens.
    pub signed: Signed,
    /// What was granted: `openid`, perhaps with `profile`.
    pub scope: &'static str,
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

/// What `client` knows somebody by.
///
/// # Errors
/// [`NoSubject`]
pub fn uid(app: &App, client: &Client, identity: &Identity) -> Result<String, NoSubject> {
    let login = &app.config.login;
    subject::uid(client, &identity.who, login.subject_secret.as_ref(), login.by_unionid)
}

/// The tokens of a login; an access token only `with_access`.
///
/// # Errors
/// [`NotIssued`], which was logged.
pub async fn tokens<P: Platform>(
    platform: &P,
    app: &App,
    login: Login<'_>,
    with_access: bool,
) -> Result<Issued, NotIssued> {
    let outcome = sign(platform, app, login, with_access).await;
    if let Err(reason) = &outcome {
        let line = match reason {
            NotIssued::NoClient => Line::warn("login.not_issued", "the client is not configured"),
            NotIssued::NoSubject(reason) => Line::warn("login.not_issued", reason),
            NotIssued::Keys(Unreachable(reason)) => Line::error("login.not_issued", reason),
        };
        platform.log(&line);
    }
    outcome
}

async fn sign<P: Platform>(
    platform: &P,
    app: &App,
    login: Login<'_>,
    with_access: bool,
) -> Result<Issued, NotIssued> {
    let Login { issuer, id, request, answer } = login;
    let client = client::by_id(&app.config.login.clients, &request.client).ok_or(NotIssued::NoClient)?;
    let uid = uid(app, client, &answer.identity).map_err(NotIssued::NoSubject)?;
    let login = token::Login { issuer, id, client, request, answer, sub: &uid, now: platform.now() };
    let (scope, id) = (login.scope(), login.id_claims());
    let access = with_access.then(|| login.access_claims(platform.random()));
    let call = Call::Sign(Box::new(Unsigned { algorithm: client.algorithm, id, access }));
    let signed = call_object(platform, Object::Key, keys::NAME, &call).await.map_err(NotIssued::Keys)?;
    Ok(Issued { uid, signed, scope })
}

/// The message of [`ResultBy::Legacy`]: a text of JSON with the user id itself.
///
/// # Errors
/// [`NotIssued`], which was logged.
pub async fn legacy_message<P: Platform>(
    platform: &P,
    app: &App,
    issuer: &str,
    login: &str,
    finished: &Finished,
) -> Result<String, NotIssued> {
    let Finished { request, answer } = finished;
    let issued = tokens(platform, app, Login { issuer, id: login, request, answer }, false).await?;
    let (data, id_token) = (issued.uid, issued.signed.id_token);
    let mut message = json!({ "code": 200, "data": data, "id_token": id_token });
    if let (Some(message), Some(state)) = (message.as_object_mut(), &request.state) {
        message.put("state", state.as_str().into());
    }
    Ok(crate::json::text(&message))
}

/// The message of [`ResultBy::Message`].
pub fn message(request: &AuthRequest, issuer: &str, code: &str) -> Value {
    json!({ "type": "wxapi-login", "state": request.state, "code": code, "iss": issuer })
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

/// The key set, from the object or as this isolate has it.
///
/// # Errors
/// [`Unreachable`]
pub async fn key_set<P: Platform>(platform: &P, app: &App) -> Result<Value, Unreachable> {
    let now = platform.now();
    if let Some((at, keys)) = app.keys.borrow().as_ref()
        && now.saturating_sub(*at) < KEYS_KEPT
    {
        return Ok(keys.clone());
    }
    let call = Call::Shown { algorithms: algorithms(app) };
    let keys: Value = call_object(platform, Object::Key, keys::NAME, &call).await?;
    *app.keys.borrow_mut() = Some((now, keys.clone()));
    Ok(keys)
}

/// What tokens are signed by: RS256, which every client must know, and what some client wants besides.
pub fn algorithms(app: &App) -> Vec<Algorithm> {
    let others = app.config.login.clients.iter().map(|client| client.algorithm);
    let mut algorithms = vec![Algorithm::Rs256];
    algorithms.extend(others.filter(|algorithm| *algorithm != Algorithm::Rs256).take(1));
    algorithms
}

/// What an access token of ours says. Whether it was taken back is for its attempt to say.
///
/// # Errors
/// [`Bad`]; or the keys are out of reach.
pub async fn open_access_token<P: Platform>(
    platform: &P,
    app: &App,
    issuer: &str,
    token: &str,
) -> Result<Result<AccessClaims, Bad>, Unreachable> {
    let token = verified(platform, app, Kind::Access, token).await?;
    Ok(token.and_then(|token| token.access(issuer, platform.now())))
}

/// What an ID token of ours says, even if it has ended.
///
/// # Errors
/// [`Bad`]; or the keys are out of reach.
pub async fn open_id_token<P: Platform>(
    platform: &P,
    app: &App,
    issuer: &str,
    token: &str,
) -> Result<Result<IdClaims, Bad>, Unreachable> {
    let token = verified(platform, app, Kind::Id, token).await?;
    Ok(token.and_then(|token| token.id(issuer)))
}

async fn verified<P: Platform>(
    platform: &P,
    app: &App,
    kind: Kind,
    token: &str,
) -> Result<Result<token::Unverified, Bad>, Unreachable> {
    let token = match token::read(token, kind, &key_set(platform, app).await?) {
        Ok(token) => token,
        Err(bad) => return Ok(Err(bad)),
    };
    let fine = platform.verify(token.algorithm, &token.key, token.input.as_bytes(), &token.signature).await;
    Ok(if fine { Ok(token) } else { Err(Bad::Signature) })
}
