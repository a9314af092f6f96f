//! What the proxy changes of a call on its way, and what it makes of the answer. Pure.

use crate::digest::Digest;
use crate::platform::Millis;
use crate::wechat::api::{ApiError, Reaction, check, push_percent_encoded, reaction};

/// A body up to this size is read, so that it can be sent twice and its escapes be undone; a longer one is passed on as it
/// comes. An answer is read that far, to see whether it is an error.
pub const SMALL: usize = 64 * 1024;
/// The longest answer that is kept for an `Idempotency-Key`. What sends or makes something is answered with ids; as many
/// keys as there may be then fill half a gigabyte.
pub const KEPT: usize = 4 * 1024;
/// The longest body that is passed on, bytes: what a Worker of the free plan can be sent. WeChat takes 10 MB.
/// <https://developers.cloudflare.com/workers/platform/limits/#request-limits>
pub const LARGEST_UPLOAD: u64 = 100_000_000;
/// Pauses before the second, third and fourth try of what may be repeated.
pub const PAUSES: [Millis; 3] = [1_000, 2_000, 4_000];

/// The query with `token` as its only `access_token`, and otherwise as it came.
pub fn with_token(query: &str, token: &str) -> String {
    let mut all = "access_token=".to_owned();
    push_percent_encoded(&mut all, token);
    let rest = without_token(query);
    if !rest.is_empty() {
        all.push('&');
        all.push_str(&rest);
    }
    all
}

/// The query as it came, but for its `access_token`.
pub fn without_token(query: &str) -> String {
    let mut rest = String::new();
    for pair in query.split('&').filter(|pair| !is_token(pair)) {
        if !rest.is_empty() {
            rest.push('&');
        }
        rest.push_str(pair);
    }
    rest
}

/// Whether the pair's name is `access_token`, also if somebody hides it behind escapes.
fn is_token(pair: &str) -> bool {
    let name = form_urlencoded::parse(pair.as_bytes()).next();
    name.is_some_and(|(name, _)| name == "access_token")
}

/// JSON with every character as itself instead of as `\u` and four digits, which WeChat refuses in menus (40033) and
/// shows as they are elsewhere. What is no JSON, and what JSON cannot have otherwise, stays.
pub fn raw_utf8(body: Vec<u8>) -> Vec<u8> {
    let starts = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let json = matches!(starts, Some(b'{' | b'['));
    let Some(text) = std::str::from_utf8(&body).ok().filter(|text| json && text.contains("\\u")) else {
        return body;
    };
    let mut all = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        all.push_str(before);
        if let Some((character, taken)) = escaped(after) {
            push_plain(&mut all, character);
            rest = after.get(taken..).unwrap_or_default();
            continue;
        }
        all.push('\\');
        // The character after it belongs to it, above all another backslash.
        let end = after.chars().next().map_or(0, char::len_utf8);
        let (escape, others) = after.split_at(end);
        all.push_str(escape);
        rest = others;
    }
    all.push_str(rest);
    all.into_bytes()
}

/// The character of `u` and four digits, or of a pair of them with a backslash between, and how long that is. Control characters must stay escaped.
fn escaped(text: &str) -> Option<(char, usize)> {
    let unit = |text: &str| {
        let digits = text.strip_prefix('u')?.get(..4)?;
        let fine = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        fine.then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let first = unit(text)?;
    if first < 0x20 && short(char::from_u32(first.into())?).is_none() {
        return None;
    }
    let second = text.get(5..).and_then(|rest| rest.strip_prefix('\\')).and_then(unit);
    let mut units = [first, second.unwrap_or_default()].into_iter();
    let character = char::decode_utf16(units.by_ref()).next()?.ok()?;
    Some((character, if character.len_utf16() == 2 { 11 } else { 5 }))
}

fn push_plain(all: &mut String, character: char) {
    match short(character) {
        Some(letter) => all.extend(['\\', letter]),
        None => all.push(character),
    }
}

/// What follows the backslash for a character that must be escaped and has a short way of it.
fn short(character: char) -> Option<char> {
    Some(match character {
        '"' | '\\' => character,
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        _ => return None,
    })
}

/// What tells two requests apart that come with the same key: the digest of all that WeChat would see but for the token.
/// Of a long upload, `length` stands for what it holds.
pub fn fingerprint(
    method: &str,
    path: &str,
    query: &str,
    content_type: &str,
    body: &[u8],
    length: u64,
) -> Digest {
    let mut all = Vec::new();
    for part in [method.as_bytes(), path.as_bytes(), without_token(query).as_bytes()] {
        all.extend_from_slice(part);
        all.push(0);
    }
    all.extend_from_slice(&length.to_be_bytes());
    // A form with files has a different separator each time that it is sent.
    let boundary =
        content_type.split_once("boundary=").map(|(_, rest)| rest.split(';').next().unwrap_or(rest));
    let boundary =
        boundary.map(|boundary| boundary.trim_matches('"')).filter(|boundary| !boundary.is_empty());
    match boundary {
        Some(boundary) => all.extend(replaced(body, boundary.as_bytes(), b"")),
        None => all.extend_from_slice(body),
    }
    Digest::of_bytes(&all)
}

/// `bytes` with every `needle` replaced.
pub fn replaced(bytes: &[u8], needle: &[u8], by: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(needle) {
            Some(after) if !needle.is_empty() => {
                all.extend_from_slice(by);
                rest = after;
            }
            _ => {
                all.push(*first);
                rest = after;
            }
        }
    }
    all
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// WeChat did it, or gave what was asked for.
    Done,
    /// WeChat did not do it.
    Refused(ApiError),
    /// Nobody knows whether WeChat did it; it may do it later.
    Unknown(ApiError),
}

/// What the beginning of an answer means; `complete` if there is no more. Only a small JSON object can be an error.
pub fn judge(status: u16, first: &[u8], complete: bool) -> Judged {
    let error = |errmsg: String| ApiError::new(-1, errmsg);
    match status {
        200..=299 => {}
        400..=499 => return Judged::Refused(error(format!("status {status}"))),
        // A redirection is not followed: it would take the token along.
        _ => return Judged::Unknown(error(format!("status {status}"))),
    }
    if !complete || !looks_like_json(first) {
        return Judged::Done;
    }
    match check(std::str::from_utf8(first).unwrap_or_default()) {
        Ok(_) => Judged::Done,
        Err(error) if reaction(error.errcode) == Reaction::BackOff => Judged::Unknown(error),
        Err(error) => Judged::Refused(error),
    }
}

/// Whether an answer could be a JSON object, by what there is of it.
pub fn looks_like_json(first: &[u8]) -> bool {
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    first.iter().find(|byte| !byte.is_ascii_whitespace()).is_none_or(|byte| *byte == b'{')
}

/// Whether the same call can be answered otherwise before long, so that a refusal is not what became of it. A refusal
/// with -1 is a relay's, such as 429: WeChat's own -1 is none.
pub fn passes(errcode: i64) -> bool {
    use Reaction::{AllowIp, AwaitAdministrator, BackOff, RefreshToken, StopForToday, Wait};
    matches!(
        reaction(errcode),
        BackOff | RefreshToken | Wait { .. } | StopForToday | AllowIp | AwaitAdministrator { .. }
    )
}
