//! Where a website sends a browser: who is let in, who is not, and who hears of it.

use serde_json::json;
use wxapi::platform::{Object, Response};

use super::world::browser::{Browser, Page, header};
use super::world::site::{
    self, BLOG, CALLBACK, SHOP, STATE, authorize, begin, challenge, legacy, popup, query, world,
};
use super::world::{ORIGIN, World, run};

/// Nobody but the person hears of it: no way out of the page, no handle, nothing stored, nothing about any client.
#[track_caller]
fn check_refused_here(world: &World, page: &Page, status: u16, code: &str) {
    let Page { response, .. } = page;
    assert_eq!(response.status, status, "{page:?}");
    assert!(page.body().contains(code), "{page:?}");
    check_nothing_began(world, response);
    // What was given may be repeated to the person who gave it.
    let given: Vec<String> =
        form_urlencoded::parse(page.url.split_once('?').map_or("", |(_, q)| q).as_bytes())
            .map(|(_, value)| value.into_owned())
            .collect();
    for secret in [BLOG, SHOP, "The Blog", "商店", CALLBACK, "postMessage", "data-origin"] {
        let repeated = given.iter().any(|value| value.contains(secret));
        assert!(repeated || !page.body().contains(secret), "{secret} in {page:?}");
    }
    assert!(!page.body().contains(STATE), "{page:?}");
    let log = world.log();
    let line = log.last().expect("a line in the log");
    assert_eq!(line.event, "login.refused");
    let (id, reason) = line.reason.split_once(' ').expect("a number to ask with");
    assert!(id.len() == 8 && page.body().contains(id), "{line:?}");
    assert!(reason.starts_with(code), "{line:?}");
}

#[track_caller]
fn check_nothing_began(world: &World, response: &Response) {
    assert_eq!(header(response, "location"), None, "{response:?}");
    assert_eq!(header(response, "set-cookie"), None, "{response:?}");
    assert_eq!(world.attempts(), 0, "{response:?}");
}

#[test]
fn an_unknown_origin_is_refused_here_and_hears_nothing() {
    run(async {
        let s256 = challenge("x");
        let ours = |target| query("/oauth", &[("target", target), ("state", "s"), ("challenge", &s256)]);
        for target in [
            "https://evil.example.com",
            "https://blog.example.com.evil.net",
            "https://evil.net/https://blog.example.com",
            "https://blog.example.com@evil.net",
            "https://blog.example.com:8443",
            "https://blog.example.com:443",
            "http://blog.example.com",
            "https://BLOG.example.com",
            "https://blog.example.com.",
            "https://www.blog.example.com",
            "https://blog.example.com\\@evil.net",
            "//blog.example.com",
            "null",
            "javascript:alert(1)",
            "file:///etc/passwd",
        ] {
            let world = world();
            let page = Browser::new(&world).open_from("https://evil.example.com", &ours(target)).await;
            check_refused_here(&world, &page, 400, "origin_not_allowed");
            if target.is_ascii() && !target.contains('\\') {
                let page = Browser::new(&world).open(&format!("/oauth?target={target}")).await;
                check_refused_here(&world, &page, 400, "origin_not_allowed");
            }
        }
    });
}

#[test]
fn what_cannot_be_trusted_is_refused_here() {
    run(async {
        let ours = popup(&[]);
        for (address, code) in [
            (popup(&[("redirect_uri", "https://blog.example.com/callback")]), "bad_redirect_uri"),
            (popup(&[("redirect_uri", "https://evil.net/")]), "bad_redirect_uri"),
            (popup(&[("mode", "redirect")]), "bad_redirect_uri"),
            (popup(&[("state", "another")]), "bad_request"),
            (ours.replace("client_id=blog", "client_id=blogs"), "unknown_client"),
            (ours.replace("client_id=blog", "client_id=shop"), "origin_not_allowed"),
            ("/oauth".to_owned(), "bad_request"),
            (authorize(&[]).replace("client_id=shop", "client_id=nobody"), "unknown_client"),
            (authorize(&[]).replace("%2Foidc", "%2Foidc%2F..%2Fevil"), "bad_redirect_uri"),
            (authorize(&[("client_id", "blog")]), "bad_request"),
        ] {
            let world = world();
            let page = Browser::new(&world).open_from(BLOG, &address).await;
            check_refused_here(&world, &page, 400, code);
        }
    });
}

#[test]
fn a_pop_up_begins_an_attempt() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let page = begin(&browser, &popup(&[("theme", "dark"), ("redirect_uri", CALLBACK)])).await;
        assert_eq!(page.way.len(), 2, "one redirect: {page:?}");
        assert_eq!(page.url, format!("{ORIGIN}/oauth/s/{}?lang=en&theme=dark", page.login()));
        assert!(page.body().contains("The Blog") && page.body().contains("blog.example.com"), "{page:?}");
        let attempt = world.attempt(&page.login());
        assert_eq!(attempt["methods"], json!(["qr", "scene", "code"]));
        let place = json!({ "country": "CN", "city": "Shenzhen", "browser": "Chrome", "system": "Windows" });
        assert_eq!(attempt["place"], place);
        assert_eq!(attempt["request"]["result"], json!({ "message": { "origin": BLOG } }));
        assert_eq!(attempt["request"]["state"], STATE);
        // The cookie itself is nowhere but in the browser.
        let cookie = browser.cookie("__Host-wxl").expect("a cookie");
        assert!(!attempt.to_string().contains(&cookie) && !page.body().contains(&cookie));
        for line in world.log() {
            assert!(!line.to_json().contains(&cookie) && !line.to_json().contains(STATE), "{line:?}");
        }
    });
}

#[test]
fn the_older_class_and_the_provider_begin_attempts_too() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let page = begin(&browser, &legacy()).await;
        let request = world.attempt(&page.login())["request"].clone();
        assert_eq!(request["result"], json!({ "legacy": { "origin": BLOG } }));
        assert_eq!(request["again"], legacy());
        let page = begin(&browser, &authorize(&[])).await;
        let request = world.attempt(&page.login())["request"].clone();
        assert_eq!(request["result"], json!({ "redirect": { "form_post": false } }));
        assert_eq!((&request["client"], &request["nonce"]), (&json!("shop"), &json!("n-1")));
        assert!(page.body().contains("商店"));
    });
}

#[test]
fn a_form_that_another_site_sends_does_not_end_other_attempts_of_the_browser() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let first = begin(&browser, &popup(&[])).await;
        let fields: Vec<(String, String)> =
            form_urlencoded::parse(authorize(&[]).split_once('?').unwrap().1.as_bytes())
                .into_owned()
                .collect();
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let second = browser.post_from(SHOP, "/authorize", &fields).await;
        assert_eq!(second.response.status, 200, "{second:?}");
        assert_eq!(second.way.len(), 3, "{second:?}");
        assert_eq!(world.attempts(), 2);
        assert_eq!(browser.open(&first.url).await.response.status, 200);
    });
}

#[test]
fn an_error_that_the_website_may_hear_goes_to_its_own_address() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let page = browser.open_from(SHOP, &authorize(&[("prompt", "none")])).await;
        assert!(
            page.leaves_to().unwrap().starts_with(&format!("{SHOP}/oidc?error=login_required&")),
            "{page:?}"
        );
        assert_eq!(page.answer("state").as_deref(), Some(STATE));
        assert_eq!(page.answer("iss").as_deref(), Some(ORIGIN));
        assert!(page.answer("error_description").is_some());
        let page =
            browser.open_from(SHOP, &authorize(&[("response_mode", "form_post"), ("prompt", "none")])).await;
        assert_eq!(page.response.status, 200);
        assert!(page.body().contains("login_required") && page.body().contains(&format!("{SHOP}/oidc")));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains(&format!("form-action 'self' {SHOP};")), "{policy}");
        assert_eq!(world.attempts(), 0);
        // A website may ask in a frame whether somebody is logged in: it hears that nobody is.
        let mut silent = browser.visit(&authorize(&[("prompt", "none")]));
        silent.headers.retain(|(name, _)| name != "sec-fetch-dest");
        silent.headers.push(("sec-fetch-dest".to_owned(), "iframe".to_owned()));
        assert_eq!(world.send(silent).await.status, 303);
    });
}

#[test]
fn whoever_does_not_look_begins_nothing() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        for (name, value) in [
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("sec-fetch-dest", "image"),
            ("sec-fetch-dest", "iframe"),
            ("sec-fetch-dest", "empty"),
        ] {
            let mut request = browser.visit(&popup(&[]));
            request.headers.retain(|(known, _)| known != name);
            request.headers.push((name.to_owned(), value.to_owned()));
            let response = world.send(request).await;
            assert_eq!(response.status, 403, "{name}: {value}");
            check_nothing_began(&world, &response);
        }
        for method in ["HEAD", "POST", "PUT", "OPTIONS"] {
            let mut request = browser.visit(&popup(&[]));
            request.method = method.to_owned();
            let response = world.send(request).await;
            assert_eq!(response.status, 405, "{method}");
            check_nothing_began(&world, &response);
        }
        let mut old = Browser::new(&world);
        old.old = true;
        begin(&old, &popup(&[])).await;
    });
}

#[test]
fn a_flood_ends_at_the_limiter() {
    run(async {
        let world = world();
        world.flood();
        for address in [popup(&[]), authorize(&[]), legacy()] {
            let page = Browser::new(&world).open_from(BLOG, &address).await;
            check_refused_here(&world, &page, 429, "too_many_attempts");
            assert_eq!(page.header("retry-after"), Some("600"));
        }
        assert_eq!(world.stored(), [""; 0], "the limiter costs nothing");
    });
}

#[test]
fn one_address_begins_twenty_attempts_in_ten_minutes() {
    run(async {
        let world = world();
        for number in 1..=20 {
            let page = Browser::new(&world).open_from(BLOG, &popup(&[])).await;
            assert_eq!(page.response.status, 200, "{number}: {page:?}");
            world.pass(20_000).await;
        }
        let page = Browser::new(&world).open_from(BLOG, &popup(&[])).await;
        assert_eq!(page.response.status, 429, "{page:?}");
        assert!(page.body().contains("too_many_attempts"));
        assert_eq!((page.header("location"), page.header("set-cookie")), (None, None));
        let mut other = Browser::new(&world);
        other.address = "203.0.113.8".to_owned();
        begin(&other, &popup(&[])).await;
        // Refusals cost nothing: an address that makes mistakes is not shut out by them.
        world.pass(600_000).await;
        for _ in 0..30 {
            Browser::new(&world).open_from(BLOG, "/oauth?target=https://evil.net").await;
        }
        begin(&Browser::new(&world), &popup(&[])).await;
    });
}

#[test]
fn in_wechat_the_way_goes_straight_to_web_authorization() {
    run(async {
        let world = world();
        let browser = Browser::wechat(&world);
        let page = browser.open_from(BLOG, &popup(&[])).await;
        // At once: to an address of ours, the browser would bring along that another site led it there.
        assert_eq!(page.way.len(), 1, "{page:?}");
        let there = page.leaves_to().expect("WeChat's page");
        assert!(there.starts_with("https://open.weixin.qq.com/connect/oauth2/authorize?"), "{there}");
        let login = there.split_once("state=").unwrap().1[..32].to_owned();
        assert!(browser.cookie("__Host-wxl").is_some() && browser.cookie("__Host-wxm").is_some());
        assert_eq!(world.attempt(&login)["methods"], json!(["wechat", "code", "scene"]));
        // Unless another way was asked for, or the account may not.
        let page = begin(&browser, &popup(&[("method", "code")])).await;
        assert_eq!(world.attempt(&page.login())["methods"], json!(["code", "wechat", "scene"]));
        let world = site::world_of_chat();
        let page = begin(&Browser::wechat(&world), &popup(&[])).await;
        assert_eq!(world.attempt(&page.login())["methods"], json!(["code"]));
    });
}

#[test]
fn a_phone_begins_with_the_code_and_may_choose() {
    run(async {
        let world = world();
        let page = begin(&Browser::phone(&world), &popup(&[])).await;
        assert_eq!(world.attempt(&page.login())["methods"], json!(["code", "qr", "scene"]));
        let page = begin(&Browser::phone(&world), &popup(&[("method", "qr")])).await;
        assert_eq!(world.attempt(&page.login())["methods"], json!(["qr", "code", "scene"]));
    });
}

#[test]
fn without_a_method_or_a_website_the_page_says_that_it_is_not_set_up() {
    run(async {
        let pinned = json!([{ "id": "blog", "origins": [BLOG], "method": "open" }]).to_string();
        for settings in
            [[("LOGIN_CLIENTS", "")], [("LOGIN_CLIENTS", pinned.as_str())], [("LOGIN_METHODS", "github")]]
        {
            let world = site::world_with(&settings);
            let page = Browser::new(&world).open_from(BLOG, &popup(&[])).await;
            check_refused_here(&world, &page, 503, "not_configured");
        }
    });
}

#[test]
fn the_page_speaks_the_language_of_the_address_or_of_the_browser() {
    run(async {
        let world = world();
        for (asked, language, expected) in [
            (None, "en-US,en;q=0.9,zh-CN;q=0.8", "en"),
            (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            (None, "fr-FR, fr;q=0.9, zh-TW;q=0.3, en-GB;q=0.7", "en"),
            (None, "de", "en"),
            (None, "zh;q=0, en;q=0.1", "en"),
            (None, "zh;q=0.85, en;q=0.9", "en"),
            (None, "zh;q=0.9, en;q=0.85", "zh"),
            (None, "zh;q=0.099, en;q=.1", "en"),
            (None, "zh;q=0.999, en;q=1.000", "en"),
            (None, "zh;q=much, en;q=0.001", "en"),
            (Some("zh"), "en", "zh"),
            (Some("zh-Hant"), "en", "zh"),
            (Some("fr"), "zh-CN", "zh"),
        ] {
            let mut browser = Browser::new(&world);
            browser.language = language;
            browser.address = format!("198.51.100.{}", world.attempts());
            let asked: Vec<(&str, &str)> = asked.map(|lang| ("lang", lang)).into_iter().collect();
            let page = begin(&browser, &popup(&asked)).await;
            assert!(page.url.contains(&format!("?lang={expected}")), "{language}: {page:?}");
            let tag = if expected == "zh" { "lang=\"zh" } else { "lang=\"en" };
            assert!(page.body().contains(tag), "{language}: {page:?}");
            // And so does a refusal.
            let refused = browser.open(&query("/oauth", &asked)).await;
            assert!(refused.body().contains(tag), "{language}: {refused:?}");
        }
    });
}

#[test]
fn nothing_that_a_browser_says_of_itself_is_shown_to_whoever_confirms() {
    run(async {
        let world = world();
        let mut browser = Browser::new(&world);
        browser.user_agent = "<b>Chrome</b> is your bank, confirm";
        browser.country = "<x";
        browser.city = "Llanfair\u{0}pwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch and on and on and on";
        let page = begin(&browser, &popup(&[])).await;
        let place = world.attempt(&page.login())["place"].clone();
        assert_eq!(
            (&place["browser"], &place["system"], &place["country"]),
            (&json!(""), &json!(""), &json!(""))
        );
        let city = place["city"].as_str().unwrap();
        assert!(city.chars().count() == 60 && !city.contains('\u{0}'), "{city}");
    });
}

/// Else whoever hides behind it would spare the phone the typing of the number.
#[test]
fn tor_counts_as_a_country() {
    run(async {
        let world = world();
        let mut browser = Browser::new(&world);
        browser.country = "T1";
        let page = begin(&browser, &popup(&[])).await;
        assert_eq!(world.attempt(&page.login())["place"]["country"], json!("T1"));
    });
}

#[test]
fn an_object_that_is_out_of_reach_is_nobodys_fault() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let page = begin(&browser, &popup(&[])).await;
        for name in world.stored() {
            let (class, name) = name.split_once(' ').unwrap();
            let object = if class == "Login" { Object::Login } else { Object::Throttle };
            world.disk_behind(object, name).set_full(true);
        }
        let shown = browser.open(&format!("/oauth/s/{}?lang=zh", page.login())).await;
        let begun = browser.open_from(BLOG, &popup(&[])).await;
        for page in [shown, begun] {
            assert_eq!(page.response.status, 503, "{page:?}");
            assert!(page.body().contains("service_down") && !page.body().contains("disk"), "{page:?}");
            assert!(page.header("content-security-policy").is_some());
        }
        assert_eq!(world.attempts(), 1);
        let log = world.log();
        assert!(log.iter().all(|line| line.reason.ends_with("the disk is full")), "{log:?}");
    });
}
