//! Where a page may send the person back to, and how.

use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::http::Target;
use crate::query;

/// What cannot stand in a header's URL as it is.
const RAW: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Whether WeChat would redirect there: to a domain that the account registered, without a port. Here, this machine
/// counts as registered with all of its ports.
pub fn is_allowed(uri: &str, domains: &[String]) -> bool {
    let Ok(target) = uri.parse::<Target>() else { return false };
    if uri.contains('\\') || authority(uri).contains('@') {
        return false;
    }
    let registered = || domains.iter().any(|domain| domain.eq_ignore_ascii_case(&target.authority()));
    target.is_loopback() || registered()
}

/// The URL with more parameters, before its fragment.
pub fn with(uri: &str, added: &[(&str, &str)]) -> String {
    let (uri, fragment) = uri.split_once('#').map_or((uri, None), |(uri, fragment)| (uri, Some(fragment)));
    let slash = if uri.ends_with(authority(uri)) { "/" } else { "" };
    let mark = if uri.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{uri}{slash}{mark}{}{fragment}", query::write(added))
}

/// `user@host:port`
fn authority(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Sends the browser there.
pub fn to(url: &str) -> Response {
    let url = utf8_percent_encode(url, RAW).to_string();
    let Ok(location) = HeaderValue::from_str(&url) else { return StatusCode::BAD_REQUEST.into_response() };
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (StatusCode::FOUND, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_registered_domains() {
        let domains = ["www.example.com".to_owned()];
        for uri in [
            "http://127.0.0.1:8787/cb",
            "http://localhost/cb?a=1",
            "https://[::1]:9/",
            "https://www.example.com/cb",
            "http://WWW.example.com",
        ] {
            assert!(is_allowed(uri, &domains), "{uri}");
        }
        for uri in [
            "",
            "/cb",
            "javascript:alert(1)",
            "https://example.com/cb",
            "https://a.www.example.com/",
            "https://www.example.com:8443/",
            "https://www.example.com./",
            "https://www.example.com@evil.example/",
            "http://x@127.0.0.1/",
            "http://127.0.0.1\\@evil.example/",
            "http://127.0.0.1.evil.example/",
        ] {
            assert!(!is_allowed(uri, &domains), "{uri}");
        }
    }

    #[test]
    fn parameters_go_before_the_fragment() {
        let added = [("code", "a b"), ("state", "1")];
        assert_eq!(with("http://h/cb", &added), "http://h/cb?code=a%20b&state=1");
        assert_eq!(with("http://h/cb?x=1#/route", &added), "http://h/cb?x=1&code=a%20b&state=1#/route");
        assert_eq!(with("http://h:1", &added), "http://h:1/?code=a%20b&state=1");
        assert_eq!(with("http://h?x=1", &added), "http://h?x=1&code=a%20b&state=1");
    }
}
