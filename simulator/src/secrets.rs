//! Secrets have no place in logs, not even a simulator's: its settings may be a real account's.

use axum::body::Bytes;
use serde_json::Value;

use crate::journal::{self, BODY_KEPT};

/// Names whose values are never shown.
const NAMES: [&str; 9] = [
    "access_token",
    "secret",
    "appsecret",
    "component_access_token",
    "refresh_token",
    "session_key",
    "sessionKey",
    "client_secret",
    "api_key",
];
/// What is shown instead.
pub const HIDDEN: &str = "***";

/// Whether the value of this name is one.
pub fn is_secret(name: &str) -> bool {
    NAMES.contains(&name)
}

/// A query without its secrets.
pub fn in_query(raw: &str) -> String {
    let shown = raw.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    });
    shown.collect::<Vec<_>>().join("&")
}

/// Decoded pairs without their secrets.
pub fn in_pairs(pairs: &[(String, String)]) -> Vec<(String, String)> {
    let hide = |(name, value): &(String, String)| {
        (name.clone(), if is_secret(name) { HIDDEN.to_owned() } else { value.clone() })
    };
    pairs.iter().map(hide).collect()
}

/// A document without its secrets. What is no JSON is kept in part, as are large documents: a file that is uploaded
/// may be large, and many calls are kept.
pub fn in_body(body: &Bytes) -> Value {
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            hide(&mut value);
            if body.len() > BODY_KEPT {
                Value::String(journal::kept(value.to_string().as_bytes()))
            } else {
                value
            }
        }
        Err(_) => Value::String(journal::kept(body)),
    }
}

/// A body as the journal keeps it. What is cut off is no JSON any more: its secrets go first.
pub fn kept(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) => journal::kept(in_text(text).as_bytes()),
        Err(_) => journal::kept(body),
    }
}

/// A text without its secrets, in its own layout unless it is JSON that has some.
pub fn in_text(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    if hide(&mut value) { value.to_string() } else { text.to_owned() }
}

/// Hides every secret below `value`; whether there was one.
fn hide(value: &mut Value) -> bool {
    match value {
        Value::Object(members) => members.iter_mut().fold(false, |found, (name, member)| {
            let secret = is_secret(name);
            if secret {
                *member = Value::from(HIDDEN);
            }
            (secret || hide(member)) | found
        }),
        Value::Array(items) => items.iter_mut().fold(false, |found, item| hide(item) | found),
        _ => false,
    }
}

/// Request headers without what proves who asks.
pub fn in_headers(headers: &axum::http::HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().map(|(name, value)| {
        let secret = ["authorization", "cookie", "set-cookie", "wxsim-phone", "x-api-key", "x-wx-session"]
            .contains(&name.as_str());
        let value =
            if secret { HIDDEN.to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() };
        (name.to_string(), value)
    });
    shown.collect()
}

/// The path and query of a URL without secrets.
pub fn in_uri(uri: &axum::http::Uri) -> String {
    uri.query().map_or_else(|| uri.path().to_owned(), |query| format!("{}?{}", uri.path(), in_query(query)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query;

    #[test]
    fn secrets_are_hidden_wherever_they_are() {
        assert_eq!(in_query("appid=wx1&secret=s&x"), "appid=wx1&secret=***&x");
        assert_eq!(in_text(r#"{"a":[{"access_token":"t"}]}"#), r#"{"a":[{"access_token":"***"}]}"#);
        assert_eq!(in_text("{ \"a\": 1 }"), "{ \"a\": 1 }", "the layout stays");
        assert_eq!(in_text("<xml>"), "<xml>");
        assert_eq!(query::get(&in_pairs(&query::parse("secret=a%26b&n=1")), "secret"), Some(HIDDEN));
    }
}
