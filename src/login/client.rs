//! The websites that may log people in (configuration `LOGIN_CLIENTS`).

use serde::{Deserialize, Serialize};

use super::Digest;
use super::method::Method;
use crate::platform::Algorithm;

/// One website.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id` of OAuth.
    pub id: String,
    /// What people read on the login page.
    pub name: String,
    /// Where its pages are: `https://blog.example.com`, exactly as browsers write an origin.
    pub origins: Vec<String>,
    /// Where people may be sent back to, compared byte for byte.
    pub redirect_uris: Vec<String>,
    /// Where people may be sent after a logout.
    pub post_logout_redirect_uris: Vec<String>,
    /// SHA-256 of its `client_secret`; `None` for a website that can keep no secret.
    pub secret: Option<Digest>,
    /// The one method that it wants; `None` leaves the choice to the page.
    pub method: Option<Method>,
    /// What it knows people by.
    pub subject_type: SubjectType,
    /// Clients with the same sector know a person by the same id; its own `id` by default.
    pub sector: String,
    /// What signs its ID tokens.
    pub algorithm: Algorithm,
    /// After a confirmation in the chat, a number must be typed in the browser too.
    pub strict: bool,
    /// Gives people an address at `.invalid`, for programs that refuse those without one.
    pub synthetic_email: bool,
}

/// What a website knows people by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// An id that no other website has.
    #[default]
    Pairwise,
    /// The openid itself: for those who come from an older system.
    Public,
}
