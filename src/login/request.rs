//! What a website asks for when it sends a browser here.

use serde::{Deserialize, Serialize};

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

/// How the result goes back to the website.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultBy {
    /// The seeds' class: a message with the user id itself, to this origin.
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
