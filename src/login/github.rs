//! Login with GitHub: another's users, under the same kind of user id.
//!
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>

use form_urlencoded::Serializer;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Digest, base64url};
use crate::config::login::Github;
use crate::digest::mac;
use crate::platform::Outbound;
use crate::wechat::Secret;

/// GitHub answers within this time or not at all, milliseconds.
const TIMEOUT: u64 = 15_000;
/// GitHub refuses requests without a name.
/// <https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent>
const USER_AGENT: &str = "wxapi";
/// <https://docs.github.com/en/rest/about-the-rest-api/api-versions>
const VERSION: &str = "2022-11-28";

/// Somebody at GitHub.
/// <https://docs.github.com/en/rest/users/users#get-the-authenticated-user>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The number that outlives their name.
    pub id: u64,
    /// What they are called: the name that they chose, else the one that they log in with.
    pub name: Option<String>,
    /// The address of their picture.
    pub picture: Option<String>,
}

/// GitHub said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The code was used, has ended, or was not given to this attempt: `bad_verification_code`.
    Code,
    /// Anything else, in GitHub's short word where it has one.
    Other(String),
}

/// Where a browser is sent. No scope is asked for: who somebody is, is public.
pub fn authorize_url(github: &Github, redirect_uri: &str, state: &str) -> String {
    let verifier = verifier(github, &Digest::of(state));
    let challenge = base64url(&Sha256::digest(verifier.as_bytes()));
    let mut query = Serializer::new(String::new());
    query
        .append_pair("client_id", &github.client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("state", state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    format!("{}/login/oauth/authorize?{}", github.web, query.finish())
}

/// Exchanges the code that came back with `state`.
pub fn access_token(github: &Github, code: &str, redirect_uri: &str, state: &Digest) -> Outbound {
    let mut body = Serializer::new(String::new());
    body.append_pair("client_id", &github.client_id)
        .append_pair("client_secret", github.secret.expose())
        .append_pair("code", code)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("code_verifier", &verifier(github, state));
    let headers = vec![
        ("accept", "application/json".to_owned()),
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ("user-agent", USER_AGENT.to_owned()),
    ];
    let url = format!("{}/login/oauth/access_token", github.web);
    Outbound {
        method: "POST",
        url,
        headers,
        body: body.finish().into_bytes(),
        upload: None,
        timeout: TIMEOUT,
    }
}

/// Asks who a token belongs to.
/// <https://docs.github.com/en/rest/users/users#get-the-authenticated-user>
pub fn user(github: &Github, token: &Secret) -> Outbound {
    let headers = vec![
        ("accept", "application/vnd.github+json".to_owned()),
        ("authorization", format!("Bearer {}", token.expose())),
        ("user-agent", USER_AGENT.to_owned()),
        ("x-github-api-version", VERSION.to_owned()),
    ];
    Outbound {
        method: "GET",
        url: format!("{}/user", github.api),
        headers,
        body: Vec::new(),
        upload: None,
        timeout: TIMEOUT,
    }
}

/// Reads the answer to [`access_token`]. Errors come with status 200.
/// <https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors>
///
/// # Errors
/// [`Refusal`]
pub fn parse_token(answer: &[u8]) -> Result<Secret, Refusal> {
    let value = crate::json::value(answer).map_err(|_| no_sense())?;
    if let Some(token) = value.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty()) {
        return Ok(Secret::new(token));
    }
    match value.get("error").and_then(Value::as_str) {
        Some("bad_verification_code") => Err(Refusal::Code),
        Some(word) if is_word(word) => Err(Refusal::Other(word.to_owned())),
        _ => Err(no_sense()),
    }
}

/// Reads the answer to [`user`].
///
/// # Errors
/// [`Refusal::Other`]
pub fn parse_user(answer: &[u8]) -> Result<User, Refusal> {
    let value = crate::json::value(answer).map_err(|_| no_sense())?;
    let text = |name| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(id) = value.get("id").and_then(Value::as_u64) else {
        return Err(match text("status") {
            Some(status) if is_word(status) => Refusal::Other(format!("status {status}")),
            _ => no_sense(),
        });
    };
    let name = text("name").or_else(|| text("login")).map(str::to_owned);
    Ok(User { id, name, picture: text("avatar_url").map(str::to_owned) })
}

/// PKCE's secret half. Nothing has to be stored: only who has the client's secret can make it of the `state`, and a
/// code that somebody got with another `state` is worth nothing here.
/// <https://www.rfc-editor.org/rfc/rfc7636#section-4.1>
fn verifier(github: &Github, state: &Digest) -> String {
    mac(github.secret.expose(), "github/pkce", state.as_str())
}

fn no_sense() -> Refusal {
    Refusal::Other("the answer made no sense".to_owned())
}

/// One of the short words that GitHub has for errors, so that nothing else gets into a log.
fn is_word(text: &str) -> bool {
    text.len() <= 40
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
