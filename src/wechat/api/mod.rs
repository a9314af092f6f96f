//! What we ask of WeChat: each call is built as data here, sent elsewhere, and its answer read here.
//!
//! The access token is not part of a request: whoever sends it adds the token, and may have to repeat it with a
//! new one.

pub mod autoreply;
pub mod custom;
pub mod mass;
pub mod media;
pub mod menu;
pub mod mini;
pub mod qrcode;
pub mod sns;
pub mod ticket;
pub mod token;
pub mod user;

mod error;

pub use error::{ApiError, NO_OBJECT, Reaction, UNREADABLE, check, reaction};

/// A call of WeChat's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRequest {
    /// The HTTP method; a wrong one is answered with 43001 or 43002.
    pub method: Method,
    /// The path, e.g. `/cgi-bin/message/custom/send`.
    pub path: &'static str,
    /// Query parameters, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

/// The methods of WeChat's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
}

impl Method {
    /// The method's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The body of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// JSON, with every character as itself: WeChat refuses `\u` escapes with 40033 or shows them as they are.
    Json(String),
}

impl ApiRequest {
    /// The whole address at `base` (without a final slash), with the access token where one is given.
    pub fn url(&self, base: &str, access_token: Option<&str>) -> String {
        let mut url = String::with_capacity(base.len() + self.path.len() + 256);
        url.push_str(base);
        url.push_str(self.path);
        let token = access_token.map(|token| ("access_token", token));
        let query = self.query.iter().map(|(name, value)| (*name, value.as_str()));
        for (index, (name, value)) in token.into_iter().chain(query).enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            push_percent_encoded(&mut url, value);
        }
        url
    }
}

/// A `GET` with this query.
fn get(path: &'static str, query: &[(&'static str, &str)]) -> ApiRequest {
    let query = query.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    ApiRequest { method: Method::Get, path, query, body: Body::Empty }
}

/// A member that is a text and not empty.
fn text<'a>(value: &'a serde_json::Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty())
}

/// A `POST` with JSON.
pub fn post_json(path: &'static str, body: &serde_json::Value) -> ApiRequest {
    ApiRequest {
        method: Method::Post,
        path,
        query: Vec::new(),
        body: Body::Json(serde_json::to_string(body).unwrap_or_default()),
    }
}

/// Appends `text` with everything but unreserved characters percent-encoded.
pub(crate) fn push_percent_encoded(out: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
            continue;
        }
        out.push('%');
        for digit in [byte >> 4, byte & 15] {
            out.push(DIGITS.get(usize::from(digit)).copied().map_or('0', char::from));
        }
    }
}
