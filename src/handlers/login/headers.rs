//! What every page of the login says about itself to the browser: no framing, no foreign script, no trace.

use crate::login::origin;
use crate::platform::{Request, Response};

/// The kind of window that a page is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// It may have an opener, whom it tells the result.
    Popup,
    /// It has no business with any other window: a phone's pages.
    Alone,
}

/// A year, seconds: <https://hstspreload.org/#deployment-recommendations>.
const HSTS: &str = "max-age=31536000";
/// The name of the only policy by which the page's script may make markup of what the Worker sends.
/// <https://www.w3.org/TR/trusted-types/#trusted-types-csp-directive>
const SCRIPT_POLICY: &str = "wxapi-login";
/// What no page here uses.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), \
    fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
    publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()";

/// A page, with all its headers. A form on it may lead to `form_targets` in the end, redirects included, and nowhere
/// else; addresses are cut down to their origins.
pub fn page(
    request: &Request,
    status: u16,
    html: impl Into<String>,
    window: Window,
    form_targets: &[&str],
) -> Response {
    let opener = match window {
        // With any other value, the opener of a pop-up could not be told the result.
        Window::Popup => "unsafe-none",
        Window::Alone => "same-origin",
    };
    let response = Response::new(status, "text/html; charset=utf-8", html)
        .with("content-security-policy", policy(request, form_targets))
        .with("cross-origin-opener-policy", opener)
        .with("x-frame-options", "DENY")
        .with("permissions-policy", PERMISSIONS)
        .with("x-robots-tag", "noindex, nofollow");
    private(request, response)
}

/// A redirect, or something that is no page: nobody stores it, and it is nobody else's.
pub fn private(request: &Request, response: Response) -> Response {
    let response = response
        .with("cache-control", "no-store")
        .with("referrer-policy", "no-referrer")
        .with("x-content-type-options", "nosniff")
        .with("cross-origin-resource-policy", "same-origin");
    if request.origin.starts_with("https://") {
        response.with("strict-transport-security", HSTS)
    } else {
        response
    }
}

/// The `Content-Security-Policy`: <https://www.w3.org/TR/CSP3/>.
fn policy(request: &Request, form_targets: &[&str]) -> String {
    // `'self'` alone does not cover WebSockets in older browsers.
    let socket = request.origin.replacen("http", "ws", 1);
    let mut targets: Vec<&str> = form_targets.iter().filter_map(|address| origin::of(address)).collect();
    targets.dedup();
    let targets: String = targets.into_iter().map(|target| format!(" {target}")).collect();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' {socket}; \
         base-uri 'none'; frame-ancestors 'none'; form-action 'self'{targets}; \
         require-trusted-types-for 'script'; trusted-types {SCRIPT_POLICY}"
    )
}

/// Whether a request was made by a page of ours. The pages send no referrer, so their forms say `Origin: null`: then
/// `Sec-Fetch-Site` tells; browsers too old for that still keep the cookie, which is `SameSite=Lax`, to themselves.
/// <https://fetch.spec.whatwg.org/#append-a-request-origin-header>
pub fn is_ours(request: &Request) -> bool {
    match (request.header("sec-fetch-site"), request.header("origin")) {
        (Some(site), Some("null") | None) => site == "same-origin",
        (Some(site), Some(origin)) => site == "same-origin" && origin == request.origin,
        (None, Some("null") | None) => true,
        (None, Some(origin)) => origin == request.origin,
    }
}

/// Whether the browser only looks ahead: nobody has asked for the page yet.
/// <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Purpose>
pub fn is_prefetch(request: &Request) -> bool {
    request.header("sec-purpose").is_some_and(|purpose| purpose.contains("prefetch"))
}

/// Whether the browser will show the answer in a window or tab of its own: not in a frame, and not as a picture.
/// Browsers too old to say so are believed.
/// <https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header>
pub fn is_navigation(request: &Request) -> bool {
    request.header("sec-fetch-dest").is_none_or(|destination| destination == "document")
}

/// Whether a page of ours, or nobody, led a person here: not an image, a frame or a script, and not another site.
/// Browsers too old to say so still keep the cookie from being sent along with anything but a visit.
/// <https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>
pub fn is_led_here_by_us(request: &Request) -> bool {
    let site = request.header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let mode = request.header("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    site && mode && is_navigation(request)
}

/// Whether a script asks, which wants JSON, and no page.
pub fn is_script(request: &Request) -> bool {
    let json = |accept: &str| accept.contains("application/json");
    request.header("sec-fetch-dest") == Some("empty") || request.header("accept").is_some_and(json)
}
