//! Hashes and keyed hashes: what is stored instead of a secret, and texts that only the holder of a key can make.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::wechat::signature::same;

/// What is stored of something that only its holder may know: its SHA-256, in hexadecimal. What is hashed has 128
/// random bits or more, so that nobody finds it by trying.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of `text`.
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// The digest of `bytes`.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
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

    /// Whether it is that of `text`; the time it takes tells nothing.
    pub fn is_of(&self, text: &str) -> bool {
        same(self.0.as_bytes(), Self::of(text).0.as_bytes())
    }
}

/// HMAC-SHA256 of `text` for one purpose, in Base64: 43 characters. What is made for another purpose differs.
/// <https://www.rfc-editor.org/rfc/rfc2104>
pub fn mac(key: &str, purpose: &str, text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(purpose.as_bytes());
    mac.update(b"\0");
    mac.update(text.as_bytes());
    base64url(&mac.finalize().into_bytes())
}

/// Base64 as URLs and JOSE have it: <https://www.rfc-editor.org/rfc/rfc7515#section-2>.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The way back from [`base64url`].
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
