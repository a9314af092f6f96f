//! What a website asks for when it sends a browser here.

mod authorize;
mod oauth;

pub use authorize::parse_authorize;
pub use oauth::parse_oauth;

use serde::{Deserialize, Serialize};

use super::method::Method;
use super::page::Theme;
use super::params::Params;
use crate::lang::Lang;

/// Bytes of a website's `state`, at most: some put a sealed document there.
const STATE_LENGTH: usize = 2_048;
/// Bytes of a website's `nonce`, at most.
const NONCE_LENGTH: usize = 512;
/// Bytes of the rest that is kept.
const QUERY_LENGTH: usize = 6_144;

/// A request that was checked: its client is known, and its result can only go where that client is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthRequest {
    /// The client's id.
    pub client: String,
    /// How the result goes back.
    pub result: ResultBy,
    /// The website's `state`, given back as it came.
    #[serde(default)]
    pub state: Option<String>,
    /// The website's `nonce`, for the ID token.
    #[serde(default)]
    pub nonce: Option<String>,
    /// PKCE's `code_challenge`, by S256.
    #[serde(default)]
    pub challenge: Option<String>,
    /// The `redirect_uri` of the request, which the token request must repeat.
    #[serde(default)]
    pub redirect_uri: Option<String>,
    /// `profile` was asked for: name and picture, where a method has them.
    #[serde(default)]
    pub profile: bool,
    /// The address, from the path on, that begins the same attempt anew.
    pub again: String,
}

impl AuthRequest {
    /// The address, from the path on, that begins the same attempt anew, with `method` shown first.
    ///
    /// The wish comes first in the query, because a target that is not encoded goes on to the end. An older wish goes:
    /// what is there twice is refused.
    pub fn again_by(&self, method: Method) -> String {
        let (path, query) = self.again.split_once('?').unwrap_or((&self.again, ""));
        let mut again = format!("{path}?method={}", method.name());
        let other = |pair: &&str| !form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == "method");
        for pair in query.split('&').filter(other) {
            again.push('&');
            again.push_str(pair);
        }
        // What is too long for one more word begins as it did.
        if again.len() > path.len() + 1 + QUERY_LENGTH { self.again.clone() } else { again }
    }
}

/// How the result goes back to the website.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultBy {
    /// The class of earlier projects: a message with the user id itself, to this origin.
    Legacy {
        /// The website's origin.
        origin: String,
    },
    /// A message with a code to this origin; where the opener is out of reach, a visit to `redirect_uri`.
    Message {
        /// The website's origin.
        origin: String,
    },
    /// A visit to `redirect_uri`.
    Redirect {
        /// `response_mode=form_post`: by a form instead of the query.
        form_post: bool,
    },
}

/// A request that may begin an attempt, and what the page should be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The request.
    pub request: AuthRequest,
    /// The page's language, if it was asked for.
    pub lang: Option<Lang>,
    /// Light or dark, if it was asked for.
    pub theme: Option<Theme>,
    /// The method that shall be shown first.
    pub method: Option<Method>,
}

/// Why a browser is not let in, and who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The person who sits there, and nobody else: where the result would go is not known to be the website.
    Local(Local),
    /// The website, at its own address.
    Back(Box<Back>),
}

/// Why nobody but the person is told, and what about: as it was sent, so it can be of any length and say anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Local {
    /// There is no client of this id.
    UnknownClient(String),
    /// The page that asks is at this origin, which is not the client's, or anybody's; empty if it is at none.
    OriginNotAllowed(String),
    /// This `redirect_uri` is not the client's; empty if there is none.
    RedirectUri(String),
    /// The request cannot be read; what is wrong with it, in English, for the website's developer.
    Malformed(&'static str),
}

/// An error that the website is told.
/// <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    /// Where: an address of the client's.
    pub redirect_uri: String,
    /// By a form instead of the query.
    pub form_post: bool,
    /// `error`
    pub error: &'static str,
    /// `error_description`
    pub description: &'static str,
    /// The website's `state`.
    pub state: Option<String>,
}

/// What the page should be like. What is not known is left to the page.
fn wishes(params: &Params, request: AuthRequest) -> Parsed {
    let theme = params.get("theme").and_then(Theme::parse);
    let method = params.get("method").and_then(Method::parse);
    let lang = params.get("lang").into_iter().chain(params.get("ui_locales").into_iter().flat_map(words));
    Parsed { request, lang: lang.filter_map(language).next(), theme, method }
}

/// Lists in OAuth are words with spaces between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

/// The language of a tag such as `zh-Hans`, if it is one of ours.
pub fn language(tag: &str) -> Option<Lang> {
    match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "zh" => Some(Lang::Zh),
        "en" => Some(Lang::En),
        _ => None,
    }
}

/// A SHA-256 in Base64url, as S256 makes it.
/// <https://www.rfc-editor.org/rfc/rfc7636#section-4.2>
fn is_challenge(text: &str) -> bool {
    text.len() == 43 && super::from_base64url(text).is_some_and(|bytes| bytes.len() == 32)
}
