//! The browser inside the phone, in front of a tiny site of the test's own.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::oauth::{exchange, location, parameter};
use crate::raw::{self, Ask, Got, get, post};
use crate::world::{APP_ID, APP_SECRET, World};

/// A server that hands every connection to the test, with the head of its request.
struct Site {
    origin: String,
    visits: mpsc::UnboundedReceiver<(String, TcpStream)>,
}

impl Site {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (visitors, visits) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let head = head(&mut stream).await;
                let _ = visitors.send((head, stream));
            }
        });
        Self { origin, visits }
    }

    async fn visit(&mut self) -> (String, TcpStream) {
        self.visits.recv().await.expect("a visit")
    }

    /// Answers one visit, and tells its head.
    async fn answer(&mut self, headers: &str, body: &str) -> String {
        let (head, mut stream) = self.visit().await;
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {headers}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        head
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Reads exactly this.
async fn expect(stream: &mut TcpStream, text: &str) {
    let mut bytes = vec![0; text.len()];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), text);
}

/// Port and path of a page in somebody's phone.
async fn open(world: &World, name: &str, url: &str) -> (u16, String) {
    inside(world.order("/_sim/browser", json!({ "as": name, "url": url })).await["url"].as_str().unwrap())
}

fn inside(url: &str) -> (u16, String) {
    let rest = url.strip_prefix("http://127.0.0.1:").unwrap_or_else(|| panic!("not in the phone: {url}"));
    let (port, path) = rest.split_once('/').unwrap();
    (port.parse().unwrap(), format!("/{path}"))
}

async fn ask(port: u16, ask: Ask) -> Got {
    raw::send(port, ask).await.expect("an answer")
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    pairs.filter(|pair| pair.0.eq_ignore_ascii_case(name)).map(|pair| pair.1).next()
}

#[tokio::test]
async fn a_site_sees_wechat() {
    let (world, mut site) = (World::alone().await, Site::start().await);
    let (port, path) = open(&world, "小明", &format!("{}/a?b=1#c", site.origin)).await;
    assert_eq!(path, "/a?b=1#c");
    let own = format!("http://127.0.0.1:{port}");
    let request = post("/a?b=1", "hello")
        .header("User-Agent", "Desktop")
        .header("Origin", &own)
        .header("Referer", &format!("{own}/from?x=1"))
        .header("Sec-Fetch-Dest", "iframe")
        .header("Sec-CH-UA-Platform", "Linux")
        .header("X-Own", "kept")
        .header("Wxsim-Phone", "forged");
    let (got, head) = tokio::join!(ask(port, request), site.answer("200 OK\r\nX-Also: kept", "hi"));
    assert!(got.status == 200 && got.text() == "hi" && got.has_header("x-also: kept"), "{}", got.headers);
    assert!(head.starts_with("POST /a?b=1 HTTP/1.1\r\n"), "{head}");
    let agent = value(&head, "user-agent").unwrap();
    assert!(agent.contains("MicroMessenger/8.0.50") && agent.contains("Language/zh_CN"), "{agent}");
    assert_eq!(value(&head, "host"), site.origin.strip_prefix("http://"));
    assert_eq!(value(&head, "origin"), Some(&*site.origin));
    assert_eq!(value(&head, "referer"), Some(&*format!("{}/from?x=1", site.origin)));
    assert_eq!(value(&head, "sec-fetch-dest"), Some("document"));
    assert_eq!(value(&head, "x-own"), Some("kept"));
    for hidden in ["sec-ch-ua-platform", "wxsim-phone", "cookie"] {
        assert_eq!(value(&head, hidden), None, "{hidden}");
    }
}

#[tokio::test]
async fn a_page_behind_another_door_is_another_site() {
    let (world, mut here, there) = (World::alone().await, Site::start().await, Site::start().await);
    let (port, _) = open(&world, "ming", &here.origin).await;
    let (other, _) = open(&world, "ming", &there.origin).await;
    let site = ("Sec-Fetch-Site", "same-site");
    let (_, head) = tokio::join!(ask(port, get("/m").header(site.0, site.1)), here.answer("200 OK", ""));
    assert_eq!(value(&head, "sec-fetch-site"), Some("none"), "the person opened it");
    let linked = get("/m").header(site.0, site.1).header("Referer", &format!("http://127.0.0.1:{other}/p?q"));
    let (_, head) = tokio::join!(ask(port, linked), here.answer("200 OK", ""));
    assert_eq!(value(&head, "sec-fetch-site"), Some("cross-site"));
    assert_eq!(value(&head, "referer"), Some(&*format!("{}/p?q", there.origin)));
    for (sent, seen) in [(format!("http://127.0.0.1:{other}"), &*there.origin), ("null".to_owned(), "null")] {
        let forged = post("/m", "").header(site.0, site.1).header("Origin", &sent);
        let (_, head) = tokio::join!(ask(port, forged), here.answer("200 OK", ""));
        let told = (value(&head, "origin"), value(&head, "sec-fetch-site"));
        assert_eq!(told, (Some(seen), Some("cross-site")));
    }
    let own = post("/m", "").header("Sec-Fetch-Site", "same-origin").header("Origin", "null");
    let (_, head) = tokio::join!(ask(port, own), here.answer("200 OK", ""));
    let told = (value(&head, "origin"), value(&head, "sec-fetch-site"));
    assert_eq!(told, (Some("null"), Some("same-origin")), "a form of a page without a referrer");
}

#[tokio::test]
async fn a_page_may_be_framed_and_its_redirects_stay_inside() {
    let (world, mut site) = (World::alone().await, Site::start().await);
    let (port, _) = open(&world, "ming", &site.origin).await;
    let authority = site.origin.strip_prefix("http://").unwrap().to_owned();
    let headers = format!(
        "200 OK\r\nX-Frame-Options: DENY\r\nStrict-Transport-Security: max-age=1\r\n\
         Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; connect-src ws://{authority}"
    );
    let (got, _) = tokio::join!(ask(port, get("/")), site.answer(&headers, ""));
    assert_eq!((got.header("x-frame-options"), got.header("strict-transport-security")), (None, None));
    let policy = format!("default-src 'none'; connect-src ws://127.0.0.1:{port}");
    assert_eq!(got.header("content-security-policy"), Some(&*policy));
    let there = [
        (format!("{}/next?a=1#b", site.origin), format!("http://127.0.0.1:{port}/next?a=1#b")),
        (format!("//{authority}"), format!("http://127.0.0.1:{port}/")),
        ("/relative".to_owned(), "/relative".to_owned()),
        ("https://example.com/x".to_owned(), "https://example.com/x".to_owned()),
    ];
    for (from, to) in there {
        let headers = format!("302 Found\r\nLocation: {from}");
        let (got, _) = tokio::join!(ask(port, get("/")), site.answer(&headers, ""));
        assert_eq!(got.header("location"), Some(&*to), "{from}");
    }
    let headers = "302 Found\r\nLocation: http://localhost:1/other";
    let (got, _) = tokio::join!(ask(port, get("/")), site.answer(headers, ""));
    let (other, path) = inside(got.header("location").unwrap());
    assert_ne!(other, port, "another origin has another door");
    assert_eq!(path, "/other");
    let refused = ask(other, get("/other")).await;
    assert!(refused.status == 502 && refused.text().contains("http://localhost:1 does not answer"));
}

#[tokio::test]
async fn everyone_has_their_own_cookies() {
    let (world, mut site) = (World::alone().await, Site::start().await);
    let (ming, _) = open(&world, "ming", &site.origin).await;
    let (hong, _) = open(&world, "hong", &site.origin).await;
    assert_ne!(ming, hong);
    let headers = "200 OK\r\nSet-Cookie: __Host-id=m; Path=/; Secure; HttpOnly\r\nSet-Cookie: b=2; Path=/sub";
    let (got, _) = tokio::join!(ask(ming, get("/")), site.answer(headers, ""));
    assert_eq!(got.header("set-cookie"), None);
    let seen = async |site: &mut Site, port: u16, path: &str| {
        let request = get(path).header("Cookie", "desktop=1");
        let (_, head) = tokio::join!(ask(port, request), site.answer("200 OK", ""));
        value(&head, "cookie").map(str::to_owned)
    };
    assert_eq!(seen(&mut site, ming, "/").await.as_deref(), Some("__Host-id=m"));
    assert_eq!(seen(&mut site, ming, "/sub/x").await.as_deref(), Some("b=2; __Host-id=m"));
    assert_eq!(seen(&mut site, hong, "/").await, None);
    let (again, _) = open(&world, "ming", &format!("{}/elsewhere", site.origin)).await;
    assert_eq!(again, ming, "one door to one origin");
}

/// Follows a redirect within the phone.
async fn follow(got: &Got) -> Got {
    let (port, path) = inside(&location(got));
    ask(port, get(path)).await
}

fn authorize(site: &Site, at: &str, scope: &str) -> String {
    let back = format!("{}/cb", site.origin).replace(':', "%3A").replace('/', "%2F");
    format!(
        "{at}/connect/oauth2/authorize?appid={APP_ID}&redirect_uri={back}&response_type=code&scope={scope}\
         &state=s1#wechat_redirect"
    )
}

#[tokio::test]
async fn a_login_in_the_phone_is_silent() {
    let (world, mut site) = (World::alone().await, Site::start().await);
    let (port, _) = open(&world, "小明", &site.origin).await;
    let base = format!("http://127.0.0.1:{}", world.port);
    for at in [&*base, "https://open.weixin.qq.com"] {
        let headers = format!("302 Found\r\nLocation: {}", authorize(&site, at, "snsapi_base"));
        let (start, _) = tokio::join!(ask(port, get("/")), site.answer(&headers, ""));
        let back = follow(&start).await;
        assert_eq!(inside(&location(&back)).0, port, "the callback is in the phone, too");
        let (_, head) = tokio::join!(follow(&back), site.answer("200 OK", ""));
        let line = head.lines().next().unwrap();
        assert!(line.starts_with("GET /cb?code=") && line.contains("&state=s1 "), "{line}");
        assert!(head.contains("MicroMessenger"));
        let code = parameter(line.split(' ').nth(1).unwrap(), "code");
        let got = exchange(&world, APP_ID, APP_SECRET, &code).await;
        let ming = world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E").await;
        assert_eq!(got["openid"], ming["openid"]);
    }
}

#[tokio::test]
async fn the_phones_owner_consents_without_being_picked() {
    let (world, site) = (World::alone().await, Site::start().await);
    let (port, path) =
        open(&world, "小明", &authorize(&site, "https://open.weixin.qq.com", "snsapi_userinfo")).await;
    let page = ask(port, get(&*path)).await;
    assert!(page.text().contains("<span>小明</span>") && !page.text().contains("type=\"radio\""));
    assert!(!page.header("content-security-policy").unwrap().contains("frame-ancestors"));
    let style = "/web/style.css";
    assert!(page.text().contains(&format!("href=\"{style}\"")), "{}", page.text());
    assert!(ask(port, get(style)).await.has_header("content-type: text/css"));
    let answer =
        post(&*path, "as=new&name=hong&answer=allow").header("Origin", &format!("http://127.0.0.1:{port}"));
    let to = location(&ask(port, answer).await);
    assert_ne!(inside(&to).0, port);
    let got = exchange(&world, APP_ID, APP_SECRET, &parameter(&to, "code")).await;
    assert_eq!(
        got["openid"],
        world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E").await["openid"],
        "not whom the form names"
    );
}

#[tokio::test]
async fn a_link_to_the_login_is_taken_into_the_phone() {
    let (world, site) = (World::alone().await, Site::start().await);
    let (port, _) = open(&world, "ming", &site.origin).await;
    let link = authorize(&site, "", "snsapi_base");
    let clicked = get(&*link).header("Referer", &format!("http://127.0.0.1:{port}/"));
    let taken = world.ask(clicked).await;
    let back = follow(&taken).await;
    assert!(location(&back).starts_with(&format!("http://127.0.0.1:{port}/cb?code=")), "{}", back.headers);
    let elsewhere = get(&*link).header("Referer", "http://127.0.0.1:9/");
    assert!(world.ask(elsewhere).await.text().contains("<form"), "a page outside of phones has no person");
}

#[tokio::test]
async fn both_callbacks_bring_the_phones_cookies() {
    let (world, mut site) = (World::alone().await, Site::start().await);
    world.order("/_sim/oauth", json!({ "duplicate_callback": true })).await;
    let (port, _) = open(&world, "ming", &site.origin).await;
    let headers = format!(
        "302 Found\r\nSet-Cookie: s=1; Path=/\r\nLocation: {}",
        authorize(&site, "https://open.weixin.qq.com", "snsapi_base")
    );
    let (start, _) = tokio::join!(ask(port, get("/")), site.answer(&headers, ""));
    let (back, first) = tokio::join!(follow(&start), site.answer("200 OK", ""));
    let (_, second) = tokio::join!(follow(&back), site.answer("200 OK", ""));
    assert_eq!(first.lines().next(), second.lines().next());
    assert_eq!((value(&first, "cookie"), value(&second, "cookie")), (Some("s=1"), Some("s=1")));
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let (world, mut site) = (World::alone().await, Site::start().await);
    let (port, _) = open(&world, "ming", &site.origin).await;
    let mut phone = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let start = format!(
        "POST /up HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    );
    phone.write_all(start.as_bytes()).await.unwrap();
    let (_, mut stream) = site.visit().await;
    expect(&mut stream, "3\r\nabc\r\n").await;
    stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n").await.unwrap();
    assert!(head(&mut phone).await.starts_with("HTTP/1.1 200 OK\r\n"));
    expect(&mut phone, "2\r\nhi\r\n").await;
    phone.write_all(b"1\r\nd\r\n0\r\n\r\n").await.unwrap();
    expect(&mut stream, "1\r\nd\r\n0\r\n\r\n").await;
    stream.write_all(b"1\r\n!\r\n0\r\n\r\n").await.unwrap();
    expect(&mut phone, "1\r\n!\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn a_web_socket_passes_and_closes_with_the_phone() {
    let (world, mut site) = (World::alone().await, Site::start().await);
    let (port, _) = open(&world, "ming", &site.origin).await;
    let mut phone = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let start = format!(
        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Key: abc\r\n\r\n"
    );
    phone.write_all(start.as_bytes()).await.unwrap();
    let (asked, mut stream) = site.visit().await;
    assert_eq!(
        (value(&asked, "upgrade"), value(&asked, "sec-websocket-key")),
        (Some("websocket"), Some("abc"))
    );
    assert_eq!(value(&asked, "origin"), Some(&*site.origin));
    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst";
    stream.write_all(switch.as_bytes()).await.unwrap();
    let switched = head(&mut phone).await;
    assert!(switched.starts_with("HTTP/1.1 101 "), "{switched}");
    assert_eq!(value(&switched, "upgrade"), Some("websocket"));
    expect(&mut phone, "first").await;
    phone.write_all(b"ping").await.unwrap();
    expect(&mut stream, "ping").await;
    stream.write_all(b"pong").await.unwrap();
    expect(&mut phone, "pong").await;
    world.order("/_sim/reset", json!({})).await;
    assert_eq!(phone.read(&mut [0; 1]).await.unwrap_or(0), 0, "a reset hangs up");
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0, "at both ends");
}

#[tokio::test]
async fn only_pages_of_this_machine_open() {
    let world = World::alone().await;
    for (url, why) in [
        ("http://example.com/", "--allow-remote"),
        ("http://127.0.0.1@example.com/", "--allow-remote"),
        ("http://10.0.0.1/", "--allow-remote"),
        ("javascript:alert(1)", "not an http:// or https:// URL"),
        ("/relative", "not an http:// or https:// URL"),
    ] {
        let got = world.ask(post("/_sim/browser", json!({ "as": "ming", "url": url }).to_string())).await;
        assert_eq!(got.status, 400, "{url}");
        assert!(got.json()["error"].as_str().unwrap().contains(why), "{url}: {}", got.text());
    }
    let nobody =
        world.ask(post("/_sim/browser", json!({ "as": "", "url": "http://127.0.0.1/" }).to_string())).await;
    assert_eq!(nobody.status, 400);
}

#[tokio::test]
async fn pages_of_other_sites_do_not_pass() {
    let (world, site) = (World::alone().await, Site::start().await);
    let (port, _) = open(&world, "ming", &site.origin).await;
    for request in [
        get("/").header("Host", "evil.example"),
        post("/", "").header("Origin", "https://evil.example"),
        post("/", "").header("Origin", "null").header("Sec-Fetch-Site", "cross-site"),
    ] {
        assert_eq!(ask(port, request).await.status, 403);
    }
}

#[tokio::test]
async fn doors_are_bounded_and_close_at_a_reset() {
    let (world, mut site) = (World::alone().await, Site::start().await);
    let (first, _) = open(&world, "p0", &site.origin).await;
    let (got, _) = tokio::join!(ask(first, get("/")), site.answer("200 OK", ""));
    assert_eq!(got.status, 200);
    let mut last = first;
    for n in 1..=64 {
        last = open(&world, &format!("p{n}"), &site.origin).await.0;
    }
    closes(first).await;
    let (got, _) = tokio::join!(ask(last, get("/")), site.answer("200 OK", ""));
    assert_eq!(got.status, 200);
    world.order("/_sim/reset", json!({})).await;
    closes(last).await;
}

/// Waits until nobody listens at this port any more.
async fn closes(port: u16) {
    crate::world::until(async || TcpStream::connect(("127.0.0.1", port)).await.err()).await;
}

#[tokio::test]
async fn cookies_and_addresses_may_be_chinese() {
    let (world, mut site) = (World::alone().await, Site::start().await);
    let (port, _) = open(&world, "ming", &site.origin).await;
    let headers =
        format!("302 Found\r\nSet-Cookie: name=小明\r\nSet-Cookie: id=1\r\nLocation: {}/你好", site.origin);
    let (got, _) = tokio::join!(ask(port, get("/")), site.answer(&headers, ""));
    assert_eq!(location(&got), format!("http://127.0.0.1:{port}/你好"), "it stays in the phone");
    let (_, head) = tokio::join!(ask(port, get("/")), site.answer("200 OK", ""));
    assert_eq!(value(&head, "cookie"), Some("name=小明; id=1"));
    let gone = Ask { method: "DELETE", path: "/_sim/people?as=ming".to_owned(), ..Ask::default() };
    assert_eq!(world.ask(gone).await.status, 200);
    let (port, _) = open(&world, "ming", &site.origin).await;
    let (_, head) = tokio::join!(ask(port, get("/")), site.answer("200 OK", ""));
    assert_eq!(value(&head, "cookie"), None, "somebody else of the same name");
}
