//! `/oauth`: what the pop-up of a website's page asks for.
//!
//! Two notations. The first class of this kind, which many pages still have, writes `?target=` and its page's
//! address, encoded or not, and waits for a message with the user id. Ours names a PKCE `challenge` and gets a code.

use super::{
    AuthRequest, Local, NONCE_LENGTH, Parsed, QUERY_LENGTH, Refusal, ResultBy, STATE_LENGTH, is_challenge,
    wishes, words,
};
use crate::login::client::{self, Client};
use crate::login::origin;
use crate::login::params::Params;

/// Every parameter of ours.
const KNOWN: [&str; 12] = [
    "client_id",
    "target",
    "state",
    "challenge",
    "mode",
    "redirect_uri",
    "lang",
    "theme",
    "method",
    "scope",
    "nonce",
    "ui_locales",
];

/// Reads a raw query.
///
/// # Errors
/// [`Refusal::Local`]: whatever is wrong here is wrong in the page's program, which nothing is sent to.
pub fn parse_oauth(raw: &str, clients: &[Client]) -> Result<Parsed, Refusal> {
    let malformed = |what| Refusal::Local(Local::Malformed(what));
    if raw.len() > QUERY_LENGTH || !raw.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(malformed("the query is too long or not percent-encoded"));
    }
    let (target, rest) = split(raw);
    let params = Params::parse(rest.as_bytes());
    params.check(&KNOWN).map_err(|_| malformed("a parameter came twice"))?;
    let origin = match &target {
        Some(target) => Some(origin::of(target).ok_or_else(|| Refusal::Local(elsewhere("")))?),
        None => None,
    };
    let client = find(&params, origin, clients).map_err(Refusal::Local)?;
    let mut request = AuthRequest {
        client: client.id.clone(),
        result: ResultBy::Redirect { form_post: false },
        state: bounded(&params, "state", STATE_LENGTH).map_err(malformed)?,
        nonce: bounded(&params, "nonce", NONCE_LENGTH).map_err(malformed)?,
        challenge: None,
        redirect_uri: None,
        profile: words(params.get("scope").unwrap_or_default()).any(|scope| scope == "profile"),
        again: format!("/oauth?{raw}"),
    };
    match params.get("challenge") {
        Some(challenge) => ours(&mut request, challenge, &params, origin, client).map_err(Refusal::Local)?,
        None => {
            let origin = origin.ok_or_else(|| malformed("target is missing"))?.to_owned();
            request.result = ResultBy::Legacy { origin };
        }
    }
    Ok(wishes(&params, request))
}

/// The target, decoded, and the query without it.
///
/// An encoded target ends where its parameter ends. One that is not has its own `?` and `&`, so it goes on to the end;
/// except in our notation, whose target is an origin or at least without a query.
fn split(raw: &str) -> (Option<String>, String) {
    let start = if raw.starts_with("target=") { Some(0) } else { raw.find("&target=").map(|at| at + 1) };
    let Some((head, tail)) = start.and_then(|at| raw.split_at_checked(at)) else {
        return (None, raw.to_owned());
    };
    let tail = tail.strip_prefix("target=").unwrap_or_default();
    let (first, more) = tail.split_once('&').unwrap_or((tail, ""));
    let joined = format!("{head}&{more}");
    if !tail.starts_with("https://") && !tail.starts_with("http://") {
        let decoded = Params::parse(format!("target={first}").as_bytes());
        return (Some(decoded.get("target").unwrap_or_default().to_owned()), joined);
    }
    if !first.contains('?') && Params::parse(joined.as_bytes()).once("challenge") != Ok(None) {
        return (Some(first.to_owned()), joined);
    }
    (Some(tail.to_owned()), head.to_owned())
}

/// The client: by its id, else by its page's origin, which must be one of its own in any case.
fn find<'a>(params: &Params, origin: Option<&str>, clients: &'a [Client]) -> Result<&'a Client, Local> {
    match (params.get("client_id"), origin) {
        (Some(id), origin) => {
            let client = client::by_id(clients, id).ok_or_else(|| Local::UnknownClient(id.to_owned()))?;
            match origin.filter(|origin| !client.has_origin(origin)) {
                Some(origin) => Err(elsewhere(origin)),
                None => Ok(client),
            }
        }
        (None, Some(origin)) => client::by_origin(clients, origin).ok_or_else(|| elsewhere(origin)),
        (None, None) => Err(Local::Malformed("client_id and target are missing")),
    }
}

/// The page is at another origin.
fn elsewhere(origin: &str) -> Local {
    Local::OriginNotAllowed(origin.to_owned())
}

/// Our notation.
fn ours(
    request: &mut AuthRequest,
    challenge: &str,
    params: &Params,
    origin: Option<&str>,
    client: &Client,
) -> Result<(), Local> {
    if !is_challenge(challenge) {
        return Err(Local::Malformed("challenge is not a SHA-256 in Base64url"));
    }
    if request.state.is_none() {
        return Err(Local::Malformed("state is missing"));
    }
    request.challenge = Some(challenge.to_owned());
    request.redirect_uri = params.get("redirect_uri").map(str::to_owned);
    if let Some(address) = request.redirect_uri.as_ref().filter(|address| !client.has_redirect(address)) {
        return Err(Local::RedirectUri(address.clone()));
    }
    match params.get("mode") {
        None | Some("popup") => {
            let origin = origin.ok_or(Local::Malformed("target is missing"))?.to_owned();
            request.result = ResultBy::Message { origin };
        }
        Some("redirect") if request.redirect_uri.is_some() => {}
        Some("redirect") => return Err(Local::RedirectUri(String::new())),
        Some(_) => return Err(Local::Malformed("mode is neither popup nor redirect")),
    }
    Ok(())
}

fn bounded(params: &Params, name: &str, most: usize) -> Result<Option<String>, &'static str> {
    match params.get(name) {
        Some(value) if value.len() > most => Err("state or nonce is too long"),
        value => Ok(value.map(str::to_owned)),
    }
}
