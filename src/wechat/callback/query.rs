//! The query string of a push, read without building a URL.

use std::borrow::Cow;

/// The parameters of a push. What is missing is empty, of what is repeated the first counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query<'a> {
    /// Signs token, timestamp and nonce, but not the body.
    pub signature: Cow<'a, str>,
    /// Unix seconds, as text: that is how it is signed.
    pub timestamp: Cow<'a, str>,
    /// A random number; WeChat's retries repeat it.
    pub nonce: Cow<'a, str>,
    /// The text to send back when the console checks the URL.
    pub echostr: Cow<'a, str>,
    /// `aes` in secure and compat mode. Not trusted: the configuration decides.
    pub encrypt_type: Cow<'a, str>,
    /// Signs token, timestamp, nonce and ciphertext.
    pub msg_signature: Cow<'a, str>,
    /// The sender; signed by nobody.
    pub openid: Cow<'a, str>,
}

impl<'a> Query<'a> {
    /// Reads a raw query string (without `?`). Borrows every value that is not percent-encoded.
    pub fn parse(raw: &'a str) -> Self {
        let mut query = Self::default();
        for pair in raw.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let field = match name {
                "signature" => &mut query.signature,
                "timestamp" => &mut query.timestamp,
                "nonce" => &mut query.nonce,
                "echostr" => &mut query.echostr,
                "encrypt_type" => &mut query.encrypt_type,
                "msg_signature" => &mut query.msg_signature,
                "openid" => &mut query.openid,
                _ => continue,
            };
            if field.is_empty() {
                *field = decode(value);
            }
        }
        query
    }
}

fn decode(value: &str) -> Cow<'_, str> {
    if !value.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(value);
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, escaped(tail)) {
            (b'%', Some((decoded, tail))) => {
                bytes.push(decoded);
                rest = tail;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(value), Cow::Owned)
}

/// The byte of the two hex digits that `tail` starts with.
fn escaped(tail: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, tail) = tail.split_first_chunk::<2>()?;
    let mut byte = [0];
    hex::decode_to_slice(digits, &mut byte).ok()?;
    let [byte] = byte;
    Some((byte, tail))
}
