//! Proving who scanned: an attempt to log in to a website, and the tokens that follow from it. Pure: time, random
//! bytes and configuration are arguments.
//!
//! Reading order: [`client`] and [`request`] say who asks for what; [`method`] says how a person can answer;
//! [`session`] is one attempt from its first page to the code that the website redeems; [`subject`], [`token`] and
//! [`keys`] make of it what the website gets. [`words`], [`desk`] and [`text`] are the part that happens in the chat,
//! [`page`] the part that happens in browsers.
//!
//! Four words: an *attempt* is one [`session::Session`]; `login`, where it is a text, is the attempt's name ([`id`]);
//! a *handle* is what a cookie holds; a *code* is what a person sends or types ([`code`]), or what a website redeems.

pub mod agent;
pub mod client;
pub mod code;
pub mod desk;
pub mod github;
pub mod id;
pub mod keys;
pub mod mac;
pub mod method;
pub mod origin;
pub mod page;
pub mod params;
pub mod request;
pub mod session;
pub mod subject;
pub mod text;
pub mod throttle;
pub mod token;
pub mod words;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What is stored of something that only its holder may know: its SHA-256, in hexadecimal. What is hashed has 128
/// random bits or more, so that nobody finds it by trying.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of `text`.
    pub fn of(text: &str) -> Self {
        Self(hex::encode(Sha256::digest(text.as_bytes())))
    }

    /// A digest that was written down, e.g. in the configuration: 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let fine = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fine.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Base64 as URLs and JOSE have it: <https://www.rfc-editor.org/rfc/rfc7515#section-2>.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The way back from [`base64url`].
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
