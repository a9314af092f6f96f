//! The page: a phone, its settings and a timeline, at `http://127.0.0.1:8788/`. Its sources are in `simulator/page`.

use std::borrow::Cow;
use std::path::{Component, Path as FilePath};
use std::{env, fs};

use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

/// Every file of the page, as the build script found them.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// A folder from which the page is read instead, so that an edit of it needs no other wx-sim.
const FOLDER: &str = "WX_SIM_PAGE";

/// Scripts, styles and calls are the page's own. Pictures and sounds may come from anywhere, since articles bring
/// theirs; what the phone's browser shows comes through a proxy on this machine.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data: blob: http: https:; media-src 'self' data: blob: http: https:; \
    frame-src 'self' http://127.0.0.1:* http://localhost:*; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// Whether a request is for the page: then it must come from this machine, as those of the control API.
pub fn is_wanted(method: &Method, path: &str) -> bool {
    matches!(*method, Method::GET | Method::HEAD) && (path == "/" || path.starts_with("/assets/"))
}

/// `GET /`
pub async fn index() -> Response {
    respond("index.html")
}

/// `GET /assets/…`
pub async fn asset(Path(file): Path<String>) -> Response {
    respond(&format!("assets/{file}"))
}

fn respond(name: &str) -> Response {
    let Some(bytes) = read(name) else {
        return (StatusCode::NOT_FOUND, "The page has no such file.\n").into_response();
    };
    let headers: [(HeaderName, &str); 5] = [
        (CONTENT_TYPE, content_type(name)),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Some servers of pictures answer only without one.
        (REFERRER_POLICY, "no-referrer"),
    ];
    (headers, bytes).into_response()
}

fn read(name: &str) -> Option<Cow<'static, [u8]>> {
    if let Some(folder) = env::var_os(FOLDER) {
        let name = FilePath::new(name);
        let is_inside = name.components().all(|part| matches!(part, Component::Normal(_)));
        return is_inside.then(|| fs::read(FilePath::new(&folder).join(name)).ok())?.map(Cow::Owned);
    }
    let (_, bytes) = FILES.iter().find(|(file, _)| *file == name)?;
    Some(Cow::Borrowed(*bytes))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole() {
        let (_, index) = FILES.iter().find(|(name, _)| *name == "index.html").unwrap();
        let index = std::str::from_utf8(index).unwrap();
        let named: Vec<_> = index.split('"').filter_map(|part| part.strip_prefix("/assets/")).collect();
        assert!(
            named.iter().any(|name| name.ends_with(".js")) && named.iter().any(|name| name.ends_with(".css"))
        );
        for name in named {
            let name = format!("assets/{name}");
            assert!(FILES.iter().any(|(file, _)| *file == name), "{name}");
            assert_ne!(content_type(&name), "application/octet-stream", "{name}");
        }
        assert!(!index.contains("<script>") && !index.contains("<style"), "the policy forbids inline code");
    }

    #[test]
    fn only_reading_is_for_the_page() {
        assert!(is_wanted(&Method::GET, "/") && is_wanted(&Method::HEAD, "/assets/x.js"));
        assert!(!is_wanted(&Method::POST, "/"), "the AI binding posts there");
        assert!(!is_wanted(&Method::GET, "/cgi-bin/token"));
    }
}
