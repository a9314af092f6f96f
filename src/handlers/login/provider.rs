//! The OpenID provider, besides `/authorize`, which is in [`entry`](super::entry).
//! <https://openid.net/specs/openid-connect-core-1_0.html>

mod logout;
mod token;
mod userinfo;

pub use logout::logout;
pub use token::token;
pub use userinfo::userinfo;

use serde_json::Value;

use super::issue;
use crate::error::Error;
use crate::handlers::App;
use crate::json::{Put, json};
use crate::login::params::Params;
use crate::platform::{Platform, Request, Response};

/// How long whoever fetched them keeps the key set and the description, seconds. Keys are shown days before they sign.
const PUBLIC_FOR: &str = "public, max-age=300";
/// How long a browser need not ask again whether it may send such a request, seconds.
const PREFLIGHT_FOR: &str = "7200";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// `GET /.well-known/openid-configuration`, and `/.well-known/oauth-authorization-server`.
/// <https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata>
/// <https://www.rfc-editor.org/rfc/rfc8414>
pub async fn discovery<P: Platform>(request: &Request, _platform: &P, app: &App) -> Result<Response, Error> {
    check_on(app)?;
    if request.method == "OPTIONS" {
        return Ok(preflight("*"));
    }
    Ok(public(&metadata(&request.origin, app)))
}

/// What is the same for every issuer. (Parsed, because `json!` of it would be code that puts it together, 2 kB of it.)
const METADATA: &str = r#"{
    "scopes_supported": ["openid", "profile"],
    "response_types_supported": ["code"],
    "response_modes_supported": ["query", "form_post"],
    "grant_types_supported": ["authorization_code"],
    "subject_types_supported": ["pairwise", "public"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
    "claims_supported": [
        "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash", "name", "picture",
        "preferred_username", "email", "email_verified"
    ],
    "code_challenge_methods_supported": ["S256"],
    "ui_locales_supported": ["zh", "en"],
    "authorization_response_iss_parameter_supported": true,
    "claims_parameter_supported": false,
    "request_parameter_supported": false,
    "request_uri_parameter_supported": false,
    "require_request_uri_registration": false
}"#;

/// Where things are, below the issuer.
const ENDPOINTS: [(&str, &str); 6] = [
    ("issuer", ""),
    ("authorization_endpoint", "/authorize"),
    ("token_endpoint", "/token"),
    ("userinfo_endpoint", "/userinfo"),
    ("jwks_uri", "/.well-known/jwks.json"),
    ("end_session_endpoint", "/logout"),
];

fn metadata(issuer: &str, app: &App) -> Value {
    let Ok(Value::Object(mut metadata)) = crate::json::value(METADATA.as_bytes()) else { return Value::Null };
    for (name, path) in ENDPOINTS {
        metadata.put(name, format!("{issuer}{path}").into());
    }
    metadata.put("id_token_signing_alg_values_supported", crate::json::of(&issue::algorithms(app)));
    metadata.into()
}

/// `GET /.well-known/jwks.json`
pub async fn jwks<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Response, Error> {
    check_on(app)?;
    if request.method == "OPTIONS" {
        return Ok(preflight("*"));
    }
    Ok(public(&issue::key_set(platform, app).await?))
}

/// Without a client there is no provider, and nobody makes it make keys.
fn check_on(app: &App) -> Result<(), Error> {
    if app.config.login.is_on() { Ok(()) } else { Err(Error::NotFound) }
}

/// What everybody may read, from every page.
fn public(value: &Value) -> Response {
    Response::new(200, JSON, crate::json::text(value))
        .with("cache-control", PUBLIC_FOR)
        .with("access-control-allow-origin", "*")
        .with("x-content-type-options", "nosniff")
}

/// What is for one client only.
/// <https://www.rfc-editor.org/rfc/rfc6749#section-5.1>
fn private(status: u16, value: &Value) -> Response {
    Response::new(status, JSON, crate::json::text(value))
        .with("cache-control", "no-store")
        .with("pragma", "no-cache")
        .with("x-content-type-options", "nosniff")
}

/// An error of OAuth's: <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>.
fn problem(status: u16, error: &str, description: &str) -> Response {
    private(status, &json!({ "error": error, "error_description": description }))
}

/// The answer to a browser that asks whether a page at `origin` may send a request.
fn preflight(origin: &str) -> Response {
    Response { status: 204, ..Response::default() }
        .with("access-control-allow-origin", origin)
        .with("access-control-allow-methods", "GET, POST")
        .with("access-control-allow-headers", "authorization, content-type")
        .with("access-control-max-age", PREFLIGHT_FOR)
        .with("vary", "origin")
}

/// The origin of the page that sends this, if it is one of a client. Cookies are never allowed: nothing here uses one.
fn page<'a>(request: &'a Request, app: &App) -> Option<&'a str> {
    let origin = request.header("origin")?;
    app.config.login.clients.iter().any(|client| client.has_origin(origin)).then_some(origin)
}

/// Answers a preflight, and lets pages of clients read what `answer` is; others get the same, but their browsers
/// keep it from them.
async fn shared(
    request: &Request,
    app: &App,
    answer: impl Future<Output = Result<Response, Error>>,
) -> Result<Response, Error> {
    check_on(app)?;
    let page = page(request, app);
    if request.method == "OPTIONS" {
        let nothing = Response { status: 204, ..Response::default() }.with("vary", "origin");
        return Ok(page.map_or(nothing, preflight));
    }
    let answer = answer.await?.with("vary", "origin");
    Ok(match page {
        None => answer,
        Some(page) => answer
            .with("access-control-allow-origin", page)
            .with("access-control-expose-headers", "www-authenticate"),
    })
}

/// The form in the body, if there is one.
fn form(request: &Request) -> Option<Params> {
    let content_type = request.header("content-type").unwrap_or_default();
    let fits = content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM));
    fits.then(|| Params::parse(&request.body))
}
