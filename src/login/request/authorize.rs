//! `/authorize`: an authentication request of OpenID Connect, in a query or a form.
//! <https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest>

use super::{
    AuthRequest, Back, Local, NONCE_LENGTH, Parsed, QUERY_LENGTH, Refusal, ResultBy, STATE_LENGTH,
    is_challenge, wishes, words,
};
use crate::login::client::{self, Client};
use crate::login::params::Params;

/// What begins the same attempt anew; an `id_token_hint`, for one, is of no use there.
const KEPT: [&str; 13] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "ui_locales",
    "lang",
    "theme",
    "method",
];
/// What changes the answer besides. Everything else is ignored, however often it comes.
const HEEDED: [&str; 5] = ["prompt", "max_age", "request", "request_uri", "registration"];

/// `error` and `error_description`.
type Fault = (&'static str, &'static str);

/// Reads a raw query, or the body of a form.
///
/// 1. the client and its address, byte for byte: until they are known, nobody but the person hears of a fault
/// 2. what can only be refused
/// 3. PKCE, by S256 only; who can keep no secret must use it
/// 4. the scope; without `openid` it would be no authentication
///
/// # Errors
/// [`Refusal`]
pub fn parse_authorize(raw: &[u8], clients: &[Client]) -> Result<Parsed, Refusal> {
    let local = |reason| Refusal::Local(reason);
    let params = Params::parse(raw);
    let once = |name| params.once(name).map_err(|_| local(Local::Malformed("a parameter came twice")));
    let id = once("client_id")?.ok_or_else(|| local(Local::Malformed("client_id is missing")))?;
    let redirect_uri = once("redirect_uri")?;
    let client = client::by_id(clients, id).ok_or_else(|| local(Local::UnknownClient(id.to_owned())))?;
    let redirect_uri = redirect_uri.unwrap_or_default().to_owned();
    if !client.has_redirect(&redirect_uri) {
        return Err(local(Local::RedirectUri(redirect_uri)));
    }
    let again = format!("/authorize?{}", params.encode(&KEPT));
    let form_post = params.get("response_mode") == Some("form_post");
    let state = params.get("state").filter(|state| state.len() <= STATE_LENGTH).map(str::to_owned);
    if let Err((error, description)) = check(&params, client) {
        return Err(Refusal::Back(Box::new(Back { redirect_uri, form_post, error, description, state })));
    }
    let request = AuthRequest {
        client: client.id.clone(),
        result: ResultBy::Redirect { form_post },
        state,
        nonce: params.get("nonce").map(str::to_owned),
        challenge: params.get("code_challenge").map(str::to_owned),
        redirect_uri: Some(redirect_uri),
        profile: words(params.get("scope").unwrap_or_default()).any(|scope| scope == "profile"),
        again,
    };
    Ok(wishes(&params, request))
}

/// What is wrong with a request of a known client.
fn check(params: &Params, client: &Client) -> Result<(), Fault> {
    let invalid = |what| Err(("invalid_request", what));
    if params.check(&KEPT).and_then(|()| params.check(&HEEDED)).is_err() {
        return invalid("a parameter came twice");
    }
    if params.encode(&KEPT).len() > QUERY_LENGTH {
        return invalid("the request is too long");
    }
    if params.get("request").is_some() {
        return Err(("request_not_supported", "request objects are not supported"));
    }
    if params.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "request_uri is not supported"));
    }
    if params.get("registration").is_some() {
        return Err(("registration_not_supported", "registration is not supported"));
    }
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "response_type must be code")),
        None => return invalid("response_type is missing"),
    }
    if !matches!(params.get("response_mode"), None | Some("query" | "form_post")) {
        return invalid("response_mode must be query or form_post");
    }
    let too_long = |name: &str, most| params.get(name).is_some_and(|value| value.len() > most);
    if too_long("state", STATE_LENGTH) || too_long("nonce", NONCE_LENGTH) {
        return invalid("state or nonce is too long");
    }
    proof(params, client)?;
    if !words(params.get("scope").unwrap_or_default()).any(|scope| scope == "openid") {
        return Err(("invalid_scope", "scope must contain openid"));
    }
    presence(params)
}

/// PKCE. `plain`, which is also what a missing method means, protects from nobody who sees the request.
/// <https://www.rfc-editor.org/rfc/rfc7636#section-4.3>
fn proof(params: &Params, client: &Client) -> Result<(), Fault> {
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (Some(challenge), Some("S256")) if is_challenge(challenge) => Ok(()),
        (Some(_), Some("S256")) => Err(("invalid_request", "code_challenge is not a SHA-256 in Base64url")),
        (None, None) if client.secret.is_some() => Ok(()),
        (None, None) => Err(("invalid_request", "code_challenge is required of a client without a secret")),
        _ => Err(("invalid_request", "code_challenge needs code_challenge_method=S256")),
    }
}

/// Whether the person must be asked. They always are, so any `max_age` is kept and only `none` cannot be had.
/// <https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest>
fn presence(params: &Params) -> Result<(), Fault> {
    let prompt = params.get("prompt").unwrap_or_default();
    let none = words(prompt).any(|word| word == "none");
    if none && words(prompt).count() > 1 {
        return Err(("invalid_request", "prompt=none allows no other prompt"));
    }
    if none {
        return Err(("login_required", "nobody is logged in here; people are always asked"));
    }
    match params.get("max_age").map(str::parse::<u64>) {
        Some(Err(_)) => Err(("invalid_request", "max_age is not a number of seconds")),
        _ => Ok(()),
    }
}
