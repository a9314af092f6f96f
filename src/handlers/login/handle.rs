//! The cookies by which a browser and a phone are known again. Neither is of any use for the other's part, and only
//! their digests leave this file.

use crate::login::{Digest, id};
use crate::platform::Request;

/// The cookie of the browser that began. Its prefix keeps other hosts of the same domain from setting it; browsers take
/// it without TLS only from 127.0.0.1 and localhost.
/// <https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix>
const BROWSER: &str = "__Host-wxl";
/// The cookie of the first phone that scanned.
const PHONE: &str = "__Host-wxm";
/// A cookie is kept this long after its last use, seconds: longer than any attempt.
const KEPT_FOR: u64 = 1_800;

/// A cookie that a response shall set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    /// What is stored of it.
    pub digest: Digest,
    /// The value of `Set-Cookie`.
    pub cookie: String,
}

/// The browser's handle, if it has one.
pub fn browser(request: &Request) -> Option<Digest> {
    value(request, BROWSER).map(Digest::of)
}

/// The phone's handle, if it has one.
pub fn phone(request: &Request) -> Option<Digest> {
    value(request, PHONE).map(Digest::of)
}

/// The browser's handle: the one that it has, kept longer, or a new one of `random`. Two attempts of one browser share
/// it, and are told apart by their names.
pub fn keep_browser(request: &Request, random: [u8; 16]) -> Handle {
    keep(request, BROWSER, random)
}

/// The phone's handle: the one that it has, kept longer, or a new one of `random`.
pub fn keep_phone(request: &Request, random: [u8; 16]) -> Handle {
    keep(request, PHONE, random)
}

fn keep(request: &Request, name: &str, random: [u8; 16]) -> Handle {
    let value = value(request, name).map_or_else(|| hex::encode(random), str::to_owned);
    let cookie = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={KEPT_FOR}");
    Handle { digest: Digest::of(&value), cookie }
}

/// The cookie's value, if it is one of ours: 32 hexadecimal digits, so that nothing easy to guess is ever taken.
fn value<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.cookie(name).filter(|value| id::is_hex(value, id::DIGITS))
}
