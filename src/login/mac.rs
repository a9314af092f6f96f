//! Texts that only the holder of a key can make.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::base64url;

/// HMAC-SHA256 of `text` for one purpose, in Base64: 43 characters. What is made for another purpose differs.
/// <https://www.rfc-editor.org/rfc/rfc2104>
pub fn mac(key: &str, purpose: &str, text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(purpose.as_bytes());
    mac.update(b"\0");
    mac.update(text.as_bytes());
    base64url(&mac.finalize().into_bytes())
}
