//! A browser: it keeps cookies as browsers do, says who it is, and follows redirects as far as the Worker goes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wxapi::platform::{Millis, Peer, Platform, Request, Response};

use super::{ORIGIN, World};

pub const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
pub const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
pub const WECHAT: &str = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0 Mobile Safari/537.36 XWEB/1300259 MMWEBSDK/20240404 MicroMessenger/8.0.49.2600(0x28003133) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN";

/// Redirects that a browser follows before it gives up, as Chromium has it.
const MOST_REDIRECTS: usize = 20;

/// One browser of one person. Change its fields before it goes anywhere.
pub struct Browser {
    world: World,
    jar: RefCell<BTreeMap<String, Cookie>>,
    pub user_agent: &'static str,
    /// `Accept-Language`
    pub language: &'static str,
    pub address: String,
    pub country: &'static str,
    pub city: &'static str,
    /// It refuses cookies.
    pub no_cookies: bool,
    /// It is too old to send `Sec-Fetch-…`.
    pub old: bool,
}

struct Cookie {
    value: String,
    ends: Millis,
}

/// Where a browser came to, and what it sees there.
#[derive(Debug)]
pub struct Page {
    /// The address in its bar, with its origin.
    pub url: String,
    /// What it got last. A redirect only if that leads away from the Worker.
    pub response: Response,
    /// Every address that it asked for, in order.
    pub way: Vec<String>,
}

/// Who asks, as the browser sees it.
#[derive(Clone, Copy)]
enum By<'a> {
    /// The person, or a link or redirect: a navigation. The initiator's origin, if it was another site's page.
    Visit(Option<&'a str>),
    /// A form on the page at this origin.
    Form(&'a str),
    /// A script of the page at this origin.
    Script(&'a str),
}

impl Browser {
    /// Chrome on Windows, in English, from the address 203.0.113.7 in Shenzhen.
    pub fn new(world: &World) -> Self {
        Self {
            world: world.clone(),
            jar: RefCell::default(),
            user_agent: CHROME,
            language: "en-US,en;q=0.9,zh-CN;q=0.8",
            address: "203.0.113.7".to_owned(),
            country: "CN",
            city: "Shenzhen",
            no_cookies: false,
            old: false,
        }
    }

    /// Safari on a phone, on the same network.
    pub fn phone(world: &World) -> Self {
        Self { user_agent: IPHONE, ..Self::new(world) }
    }

    /// WeChat's own browser on a phone, on the same network.
    pub fn wechat(world: &World) -> Self {
        Self { user_agent: WECHAT, ..Self::new(world) }
    }

    /// Goes to an address: absolute, or from the path on. A path with a query is fine.
    pub async fn open(&self, address: &str) -> Page {
        self.travel("GET", address, "", By::Visit(None)).await
    }

    /// Follows a link on another site's page.
    pub async fn open_from(&self, origin: &str, address: &str) -> Page {
        self.travel("GET", address, "", By::Visit(Some(origin))).await
    }

    /// Sends a form of a page of the Worker's, as without a script.
    pub async fn post(&self, address: &str, fields: &[(&str, &str)]) -> Page {
        self.post_from(ORIGIN, address, fields).await
    }

    /// Sends a form that is on a page at `origin`.
    pub async fn post_from(&self, origin: &str, address: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.travel("POST", address, &body, By::Form(origin)).await
    }

    /// What `fetch(address, {method, headers: {accept: "application/json"}})` gets on a page of the Worker's.
    pub async fn fetch(&self, method: &str, address: &str) -> Response {
        self.fetch_from(ORIGIN, method, address).await
    }

    /// The same on a page at `origin`.
    pub async fn fetch_from(&self, origin: &str, method: &str, address: &str) -> Response {
        self.ask(method, &absolute(ORIGIN, address), "", By::Script(origin)).await
    }

    /// What `new WebSocket(address)` gets on a page at `origin`.
    pub async fn socket_from(&self, origin: &str, address: &str) -> Response {
        let mut request = self.request("GET", &absolute(ORIGIN, address), "", By::Script(origin));
        request.headers.retain(|(name, _)| !name.starts_with("sec-fetch-") && name != "origin");
        for (name, value) in [("origin", origin), ("upgrade", "websocket"), ("sec-fetch-mode", "websocket")] {
            request.headers.push((name.to_owned(), value.to_owned()));
        }
        self.world.send(request).await
    }

    /// The request that this browser makes for an address of the Worker's by a visit, to be changed before it is
    /// sent with [`World::send`].
    pub fn visit(&self, address: &str) -> Request {
        self.request("GET", &absolute(ORIGIN, address), "", By::Visit(None))
    }

    /// Sends a request, of [`Browser::visit`] or whatever was made of it, and keeps the cookies that come back.
    pub async fn send(&self, request: Request) -> Response {
        let response = self.world.send(request).await;
        for (_, header) in response.headers.iter().filter(|(name, _)| *name == "set-cookie") {
            self.keep(header);
        }
        response
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let now = self.world.now();
        self.jar.borrow().get(name).filter(|cookie| now < cookie.ends).map(|cookie| cookie.value.clone())
    }

    /// Puts a cookie into the jar, whoever it is from.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let cookie = Cookie { value: value.to_owned(), ends: Millis::MAX };
        self.jar.borrow_mut().insert(name.to_owned(), cookie);
    }

    /// Forgets one cookie.
    pub fn forget(&self, name: &str) {
        self.jar.borrow_mut().remove(name);
    }

    /// Forgets all cookies.
    pub fn clear(&self) {
        self.jar.borrow_mut().clear();
    }

    async fn travel(&self, method: &str, address: &str, body: &str, by: By<'_>) -> Page {
        let (mut method, mut body) = (method, body);
        let mut url = absolute(ORIGIN, address);
        let mut way = Vec::new();
        loop {
            way.push(url.clone());
            assert!(way.len() <= MOST_REDIRECTS, "a ring of redirects: {way:?}");
            let response = self.ask(method, &url, body, by).await;
            let next = redirect(&response).map(|location| absolute(ORIGIN, location));
            match next {
                Some(next) if below(&next).is_some() => url = next,
                _ => return Page { url, response, way },
            }
            (method, body) = ("GET", "");
        }
    }

    async fn ask(&self, method: &str, url: &str, body: &str, by: By<'_>) -> Response {
        self.send(self.request(method, url, body, by)).await
    }

    fn request(&self, method: &str, url: &str, body: &str, by: By<'_>) -> Request {
        let rest = below(url).unwrap_or_else(|| panic!("{url} is not the Worker's"));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (initiator, destination, mode) = match by {
            By::Visit(initiator) => (initiator, "document", "navigate"),
            By::Form(origin) => (Some(origin), "document", "navigate"),
            By::Script(origin) => (Some(origin), "empty", "cors"),
        };
        let ours = initiator == Some(ORIGIN);
        let site = if ours { "same-origin" } else { initiator.map_or("none", |_| "cross-site") };
        let mut headers = vec![("accept-language", self.language), ("user-agent", self.user_agent)];
        if !self.old {
            headers.extend([
                ("sec-fetch-dest", destination),
                ("sec-fetch-mode", mode),
                ("sec-fetch-site", site),
            ]);
        }
        match by {
            By::Script(origin) => headers.extend([("accept", "application/json"), ("origin", origin)]),
            // The Worker's pages send no referrer, so a form of theirs says no origin.
            By::Form(origin) if method == "POST" => {
                headers.push(("origin", if ours { "null" } else { origin }));
                headers.push(("content-type", "application/x-www-form-urlencoded"));
            }
            _ => headers.push(("accept", "text/html,application/xhtml+xml,*/*;q=0.8")),
        }
        // All of them are SameSite=Lax: another site's page brings them along only where it leads the person here.
        let lax = initiator.is_none() || ours || (method == "GET" && mode == "navigate");
        let cookies = if lax { self.cookies() } else { String::new() };
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        Request {
            method: method.to_owned(),
            origin: ORIGIN.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            peer: Peer {
                address: self.address.clone(),
                country: self.country.to_owned(),
                city: self.city.to_owned(),
            },
            body: body.as_bytes().to_vec(),
            ..Request::default()
        }
    }

    fn cookies(&self) -> String {
        let now = self.world.now();
        let jar = self.jar.borrow();
        let live = jar.iter().filter(|(_, cookie)| now < cookie.ends);
        live.map(|(name, cookie)| format!("{name}={}", cookie.value)).collect::<Vec<_>>().join("; ")
    }

    /// Takes a `Set-Cookie`, which must be such that a browser keeps it and nobody else gets at it.
    fn keep(&self, header: &str) {
        if self.no_cookies {
            return;
        }
        let mut parts = header.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a name and a value");
        let attributes: Vec<&str> = parts.collect();
        for wanted in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(attributes.contains(&wanted), "{header}: no {wanted}");
        }
        assert!(name.starts_with("__Host-") && !header.contains("Domain"), "{header}");
        let age = attributes.iter().find_map(|attribute| attribute.strip_prefix("Max-Age="));
        let age: Millis = age.expect("an end").parse().expect("seconds");
        let ends = self.world.now() + age * 1_000;
        self.jar.borrow_mut().insert(name.to_owned(), Cookie { value: value.to_owned(), ends });
    }
}

impl Page {
    /// The name of the attempt in the address.
    #[track_caller]
    pub fn login(&self) -> String {
        let rest = self.url.split("/oauth/s/").nth(1).unwrap_or_else(|| panic!("{} is no attempt", self.url));
        rest.split(['/', '?']).next().unwrap_or_default().to_owned()
    }

    /// Where it leads, if that is not the Worker.
    pub fn leaves_to(&self) -> Option<&str> {
        redirect(&self.response)
    }

    /// A parameter of the address that it leads to.
    #[track_caller]
    pub fn answer(&self, name: &str) -> Option<String> {
        let address =
            self.leaves_to().unwrap_or_else(|| panic!("{} leads nowhere: {:?}", self.url, self.response));
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    pub fn body(&self) -> &str {
        &self.response.body
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.response, name)
    }
}

/// A header of a response.
pub fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// The JSON of a response.
#[track_caller]
pub fn json(response: &Response) -> serde_json::Value {
    serde_json::from_str(&response.body).unwrap_or_else(|error| panic!("{error}: {response:?}"))
}

fn redirect(response: &Response) -> Option<&str> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    // The method must not be repeated with the body.
    assert_eq!(response.status, 303, "{response:?}");
    header(response, "location")
}

fn absolute(origin: &str, address: &str) -> String {
    if address.contains("://") && !address.starts_with('/') {
        address.to_owned()
    } else {
        format!("{origin}{address}")
    }
}

/// What follows the Worker's origin.
fn below(url: &str) -> Option<&str> {
    url.strip_prefix(ORIGIN).filter(|rest| rest.starts_with('/'))
}
