//! What a door changes in the headers that pass it.

use hyper::header::{
    CONNECTION, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN,
    REFERER, SET_COOKIE, STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
    X_FRAME_OPTIONS,
};

use super::proxy::Door;
use crate::server;
use crate::state::Sim;
use crate::web::visit::PHONE;

/// The directives of a page's policy that name who may show it and where its forms lead: its addresses are others
/// here.
const ADDRESSED: [&str; 2] = ["frame-ancestors", "form-action"];

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a request may pass: a page of another site must not use a person's cookies. A form of a page that sends no
/// referrer has the origin `null`.
pub fn may_pass(headers: &HeaderMap) -> bool {
    if headers.get(ORIGIN).is_none_or(|origin| origin != "null") {
        return server::is_ours(headers);
    }
    let mut named = headers.clone();
    named.remove(ORIGIN);
    server::is_ours(&named) && headers.get(FETCH_SITE).is_none_or(|site| site != "cross-site")
}

/// Makes a request look as from WeChat's browser at the origin itself.
pub fn dress(door: &Door, sim: &Sim, path: &str, headers: &mut HeaderMap) {
    let upgrade = headers.get(UPGRADE).cloned();
    drop_hops(headers);
    if let Some(upgrade) = upgrade {
        headers.insert(UPGRADE, upgrade);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    let hints: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("sec-ch-")).cloned().collect();
    for name in hints.iter().chain([&COOKIE, &PHONE]) {
        headers.remove(name);
    }
    put(headers, HOST, &door.origin.authority());
    put(headers, USER_AGENT, &door.agent);
    if headers.get(FETCH_DEST).is_some_and(|dest| dest == "iframe") {
        headers.insert(FETCH_DEST, HeaderValue::from_static("document"));
    }
    let state = sim.lock();
    for name in [ORIGIN, REFERER] {
        let value = headers.get(&name).and_then(|value| value.to_str().ok());
        let real = value.and_then(|value| state.web.browsers.real_address(&door.openid, value));
        real.into_iter().for_each(|real| put(headers, name.clone(), &real));
    }
    if headers.get(FETCH_SITE).is_some_and(|site| site == "same-site") {
        put(headers, FETCH_SITE, fetch_site(headers));
    }
    if door.leads_home(&state.base_url) {
        put(headers, PHONE, &door.token);
    }
    let cookies = state.web.browsers.cookies(&door.openid, door.origin.host(), path, sim.clock.now_ms());
    if let Some(cookies) = cookies {
        put(headers, COOKIE, &cookies);
    }
}

/// What a real phone says instead of `same-site`. All doors are on one host, so to the browser in front of them they
/// are one site; behind them are different ones. Whoever names no page comes from none: the person opened the address
/// (also if the last page hides its address, which cannot be seen from here).
fn fetch_site(headers: &HeaderMap) -> &'static str {
    let from_a_page = headers.contains_key(ORIGIN) || headers.contains_key(REFERER);
    if from_a_page { "cross-site" } else { "none" }
}

/// Makes an answer fit for the frame, and keeps its cookies.
pub fn undress(door: &Door, sim: &std::sync::Arc<Sim>, path: &str, headers: &mut HeaderMap, upgraded: bool) {
    if !upgraded {
        drop_hops(headers);
    }
    headers.remove(X_FRAME_OPTIONS);
    headers.remove(STRICT_TRANSPORT_SECURITY);
    let policies: Vec<String> = texts(headers, CONTENT_SECURITY_POLICY);
    headers.remove(CONTENT_SECURITY_POLICY);
    for policy in policies {
        let policy = policy.replace(&door.origin.authority(), &format!("127.0.0.1:{}", door.port));
        if let Ok(value) = without_addresses(&policy).parse() {
            headers.append(CONTENT_SECURITY_POLICY, value);
        }
    }
    let cookies = texts(headers, SET_COOKIE);
    headers.remove(SET_COOKIE);
    let mut state = sim.lock();
    let now_ms = sim.clock.now_ms();
    for cookie in cookies {
        state.web.browsers.jar(&door.openid, door.origin.host()).set(&cookie, path, now_ms);
    }
    if let Some(location) = texts(headers, LOCATION).pop() {
        let absolute = match location.strip_prefix("//") {
            Some(rest) => format!("{}://{rest}", door.origin.scheme()),
            None => location,
        };
        // Where the phone cannot follow, the frame goes by itself.
        if let Ok(inside) = super::enter(sim, &mut state, &door.openid, &absolute) {
            put(headers, LOCATION, &inside);
        }
    }
}

/// What is only between two neighbours.
fn drop_hops(headers: &mut HeaderMap) {
    let named: Vec<String> = texts(headers, CONNECTION)
        .iter()
        .flat_map(|list| list.split(','))
        .map(|name| name.trim().to_owned())
        .collect();
    for name in named {
        headers.remove(name.as_str());
    }
    for name in [CONNECTION, KEEP_ALIVE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
}

/// A header can hold several policies, with commas between them.
fn without_addresses(policies: &str) -> String {
    let named =
        |directive: &str| directive.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let kept = |policy: &str| {
        let directives = policy.split(';').map(str::trim);
        directives
            .filter(|directive| !ADDRESSED.contains(&named(directive).as_str()))
            .collect::<Vec<_>>()
            .join("; ")
    };
    policies.split(',').map(kept).collect::<Vec<_>>().join(", ")
}

fn texts(headers: &HeaderMap, name: HeaderName) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Browsers send cookies and addresses in UTF-8 as they got them.
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_keeps_what_does_not_name_addresses() {
        let policy =
            "default-src 'none'; Frame-Ancestors 'none'; img-src 'self', form-action 'self'; base-uri 'none'";
        assert_eq!(without_addresses(policy), "default-src 'none'; img-src 'self', base-uri 'none'");
        assert_eq!(without_addresses("frame-ancestors 'none'"), "");
    }

    #[test]
    fn a_page_of_another_site_does_not_pass() {
        let pass = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            may_pass(&headers.collect())
        };
        let host = ("host", "127.0.0.1:4711");
        assert!(pass(&[host]));
        assert!(pass(&[host, ("origin", "http://127.0.0.1:4711")]));
        assert!(pass(&[host, ("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(!pass(&[host, ("origin", "null"), ("sec-fetch-site", "cross-site")]));
        assert!(!pass(&[host, ("origin", "https://evil.example")]));
        assert!(!pass(&[("host", "evil.example:4711")]), "DNS rebinding");
    }
}
