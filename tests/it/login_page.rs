//! The page of an attempt in the browser that began it: who sees it, who hears of it, and what it forbids.

use serde_json::json;
use wxapi::login::Digest;
use wxapi::login::session::{Call, Fault};

use super::world::browser::{Browser, header, json};
use super::world::site::{
    self, BLOG, SHOP, STATE, authorize, begin, below, check_turned_away, confirmed, finish, popup, status,
    world, world_of_chat,
};
use super::world::{ORIGIN, run};

#[test]
fn the_page_and_its_news_are_for_the_browser_that_began() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let page = begin(&browser, &popup(&[])).await;
        assert_eq!(status(&browser, &page).await, "pending");
        let socket = browser.socket_from(ORIGIN, &below(&page, "watch")).await;
        let watch = socket.watch.expect("a WebSocket");
        assert_eq!(watch.name, page.login());
        let object = world.login_object(&page.login());
        assert_eq!(object.greeting(&watch.proof).as_deref(), Some(r#"{"status":"pending"}"#));

        // The QR code shows the attempt's name and a token to everybody. Another browser has a cookie of its own.
        let stranger = Browser::new(&world);
        begin(&stranger, &popup(&[])).await;
        let nobody = Browser::new(&world);
        for other in [&stranger, &nobody] {
            check_turned_away(&other.fetch("GET", &below(&page, "status")).await);
            check_turned_away(&finish(other, &page).await);
            let shown = other.open(&page.url).await;
            assert!(matches!(shown.response.status, 400 | 403), "{shown:?}");
            for secret in [BLOG, "The Blog", STATE] {
                assert!(!shown.body().contains(secret), "{shown:?}");
            }
        }
        check_turned_away(&nobody.socket_from(ORIGIN, &below(&page, "watch")).await);
        let foreign =
            stranger.socket_from(ORIGIN, &below(&page, "watch")).await.watch.expect("asks the object");
        assert_eq!(object.greeting(&foreign.proof), None, "which says no");
        let token = world.attempt(&page.login())["tokens"][0]["text"].as_str().unwrap().to_owned();
        for handle in [&token, &page.login(), &Digest::of(&page.login()).as_str().to_owned()] {
            let thief = Browser::new(&world);
            thief.set_cookie("__Host-wxl", handle);
            check_turned_away(&thief.fetch("GET", &below(&page, "status")).await);
            check_turned_away(&finish(&thief, &page).await);
            assert_eq!(object.greeting(handle), None);
        }
        // The phone's handle opens nothing here either.
        let phone = Browser::new(&world);
        phone.set_cookie("__Host-wxm", &browser.cookie("__Host-wxl").unwrap());
        check_turned_away(&phone.fetch("GET", &below(&page, "status")).await);
    });
}

#[test]
fn no_other_site_listens_or_acts_in_the_persons_browser() {
    run(async {
        let world = world_of_chat();
        let browser = Browser::new(&world);
        let page = confirmed(&world, &browser, &popup(&[])).await;
        for origin in [
            "https://evil.example.com",
            BLOG,
            "null",
            "http://wx.example.com",
            "https://wx.example.com.evil.net",
        ] {
            let socket = browser.socket_from(origin, &below(&page, "watch")).await;
            check_turned_away(&socket);
            // Even from a place whose requests bring the cookie along.
            let mut request = browser.visit(&below(&page, "finish"));
            request.method = "POST".to_owned();
            request.headers.retain(|(name, _)| name != "sec-fetch-site");
            request.headers.push(("origin".to_owned(), origin.to_owned()));
            let site = if origin == "null" { "same-site" } else { "cross-site" };
            request.headers.push(("sec-fetch-site".to_owned(), site.to_owned()));
            check_turned_away(&world.send(request).await);
            for what in ["finish", "number", "typed"] {
                check_turned_away(
                    &browser.post_from(origin, &below(&page, what), &[("number", "1")]).await.response,
                );
            }
        }
        assert!(world.attempt(&page.login())["stage"].get("confirmed").is_some(), "nothing was taken");
        let no_socket = browser.fetch("GET", &below(&page, "watch")).await;
        assert_eq!((no_socket.status, header(&no_socket, "upgrade")), (426, Some("websocket")));
    });
}

#[test]
fn what_is_no_longer_kept_has_ended() {
    run(async {
        let world = world_of_chat();
        let browser = Browser::new(&world);
        let page = begin(&browser, &popup(&[])).await;
        world.pass(600_000).await;
        assert_eq!(world.attempts(), 0);
        assert_eq!(status(&browser, &page).await, "expired");
        let gone = browser.open(&page.url).await;
        assert_eq!(gone.response.status, 404);
        assert!(gone.body().contains("gone"));
        assert_eq!(finish(&browser, &page).await.status, 410);
        for name in ["0".repeat(31), "x".repeat(32), "A".repeat(32), "%2e%2e".to_owned(), "0".repeat(64)] {
            let never = browser.open(&format!("/oauth/s/{name}")).await;
            assert_eq!(never.response.status, 404, "{name}");
            for what in ["status", "finish"] {
                let method = if what == "finish" { "POST" } else { "GET" };
                assert_eq!(
                    browser.fetch(method, &format!("/oauth/s/{name}/{what}")).await.status,
                    403,
                    "{name}"
                );
            }
            assert_eq!(
                browser.post(&format!("/oauth/s/{name}/number"), &[("number", "1")]).await.response.status,
                403
            );
        }
        assert_eq!(world.attempts(), 0, "no name makes an object of its own");
    });
}

#[test]
fn without_cookies_the_page_says_so() {
    run(async {
        let world = world();
        let mut browser = Browser::new(&world);
        browser.no_cookies = true;
        let page = browser.open_from(BLOG, &popup(&[])).await;
        assert_eq!(page.response.status, 400);
        assert!(page.body().contains("cookies_needed") && !page.body().contains(STATE), "{page:?}");
    });
}

#[test]
fn the_cookie_is_kept_and_nothing_easier_to_guess_is_taken() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let first = begin(&browser, &popup(&[])).await;
        let cookie = browser.cookie("__Host-wxl").unwrap();
        assert!(cookie.len() == 32 && cookie != first.login());
        begin(&browser, &popup(&[])).await;
        assert_eq!(browser.cookie("__Host-wxl").as_ref(), Some(&cookie));
        for guessable in ["", "0", "1234", &"g".repeat(32), &"A".repeat(32), &"0".repeat(31), &"0".repeat(33)]
        {
            browser.set_cookie("__Host-wxl", guessable);
            begin(&browser, &popup(&[])).await;
            let new = browser.cookie("__Host-wxl").unwrap();
            assert!(new.len() == 32 && new != *guessable && new != cookie, "{guessable}");
        }
        world.pass(1_800_000).await;
        assert_eq!(browser.cookie("__Host-wxl"), None, "it ends");
    });
}

#[test]
fn two_tabs_of_one_browser_do_not_mix() {
    run(async {
        let world = world_of_chat();
        let browser = Browser::new(&world);
        let blog = begin(&browser, &popup(&[])).await;
        let shop = begin(&browser, &authorize(&[])).await;
        assert_ne!(blog.login(), shop.login());
        world.confirm_in_chat(&blog.login(), "o-reader").await;
        assert_eq!(
            (status(&browser, &blog).await, status(&browser, &shop).await),
            (json!("confirmed"), json!("pending"))
        );
        assert_eq!(world.heard(&shop.login()).all(), [""; 0]);
        assert_eq!(finish(&browser, &shop).await.status, 409);
        assert_eq!(json(&finish(&browser, &blog).await)["origin"], BLOG);
        assert!(browser.open(&shop.url).await.body().contains("商店"));
        let strangers = [("number", "11")];
        browser.post(&below(&shop, "number"), &strangers).await;
        assert_eq!(status(&browser, &shop).await, "pending");
    });
}

#[test]
fn the_language_and_the_method_can_be_changed_in_the_same_attempt() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let page = begin(&browser, &popup(&[])).await;
        let before = world.attempt(&page.login());
        let chinese = browser.open(&format!("/oauth/s/{}?lang=zh", page.login())).await;
        assert!(chinese.body().contains("lang=\"zh"));
        let kept = browser.open(&format!("/oauth/s/{}", page.login())).await;
        assert!(kept.body().contains("lang=\"zh"), "it is remembered");
        let mut after = world.attempt(&page.login());
        assert_eq!(after["lang"], "zh");
        after["lang"] = before["lang"].clone();
        assert_eq!(after, before, "nothing else has changed");
        assert_eq!(world.attempts(), 1);

        let by_code = browser.open(&format!("/oauth/s/{}?method=code", page.login())).await;
        let attempt = world.attempt(&page.login());
        assert!(by_code.body().contains(attempt["code"].as_str().unwrap()), "{by_code:?}");
        assert_eq!(attempt["tokens"], before["tokens"], "the QR code can be scanned all the same");
        // What cannot be is not shown, nor an error.
        for method in ["github", "typed", "nonsense", "wechat"] {
            let other = browser.open(&format!("/oauth/s/{}?method={method}", page.login())).await;
            assert_eq!(other.response.status, 200, "{method}");
        }
    });
}

#[test]
fn qr_tokens_rotate_and_the_last_one_can_be_scanned_to_its_end() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let page = begin(&browser, &popup(&[])).await;
        let login = page.login();
        let mut seen = Vec::new();
        for second in 0..180 {
            browser.open(&page.url).await;
            let attempt = world.attempt(&login);
            let tokens = attempt["tokens"].as_array().unwrap().clone();
            assert!((1..=3).contains(&tokens.len()), "{second}: {tokens:?}");
            let newest = tokens.last().unwrap()["text"].as_str().unwrap().to_owned();
            if seen.last() != Some(&newest) {
                assert!(!seen.contains(&newest));
                seen.push(newest);
            }
            world.pass(1_000).await;
        }
        assert_eq!(seen.len(), 4, "one in 55 seconds");

        let page = begin(&browser, &popup(&[])).await;
        let login = page.login();
        let token = world.attempt(&login)["tokens"][0]["text"].as_str().unwrap().to_owned();
        let scan = |phone: &str| Call::Scan { token: token.clone(), phone: Digest::of(phone) };
        world.pass(58_000).await;
        browser.open(&page.url).await;
        assert_eq!(world.attempt(&login)["tokens"].as_array().unwrap().len(), 2);
        world.pass(1_999).await;
        assert!(
            world.ask_login(&login, scan("phone")).await.is_ok(),
            "what was on the screen two seconds ago"
        );
        let page = begin(&browser, &popup(&[])).await;
        let stale = world.ask_login(&page.login(), scan("phone")).await;
        assert_eq!(stale, Err(Fault::Stale), "of another attempt");
        world.pass(60_000).await;
        let token = world.attempt(&page.login())["tokens"][0]["text"].as_str().unwrap().to_owned();
        let scan = Call::Scan { token, phone: Digest::of("phone") };
        assert_eq!(world.ask_login(&page.login(), scan).await, Err(Fault::Stale), "a QR code that has ended");
    });
}

/// Every page of the login, with what its policy must have besides.
#[test]
fn every_page_forbids_frames_foreign_scripts_and_traces() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let shown = begin(&browser, &popup(&[])).await;
        let shop = begin(&browser, &authorize(&[])).await;
        let refused = browser.open("/oauth?target=https://evil.net").await;
        let post = browser.open(&authorize(&[("response_mode", "form_post"), ("prompt", "none")])).await;
        let gone = browser.open(&format!("/oauth/s/{}", "0".repeat(32))).await;
        browser.clear();
        let cookies = browser.open(&shown.url).await;
        for (page, targets) in [
            (&shown, format!(" {BLOG}")),
            (&shop, format!(" {SHOP}")),
            (&refused, String::new()),
            (&post, format!(" {SHOP}")),
            (&gone, String::new()),
            (&cookies, String::new()),
        ] {
            let policy = format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                 connect-src 'self' wss://wx.example.com; base-uri 'none'; frame-ancestors 'none'; \
                 form-action 'self'{targets}; require-trusted-types-for 'script'; trusted-types wxapi-login"
            );
            assert_eq!(page.header("content-security-policy"), Some(policy.as_str()), "{page:?}");
            for (name, value) in [
                ("cross-origin-opener-policy", "unsafe-none"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
                ("x-content-type-options", "nosniff"),
                ("cache-control", "no-store"),
                ("strict-transport-security", "max-age=31536000"),
                ("x-robots-tag", "noindex, nofollow"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(page.header(name), Some(value), "{name} of {page:?}");
            }
            assert!(page.header("permissions-policy").unwrap().contains("camera=()"));
            assert_eq!(page.response.content_type, "text/html; charset=utf-8");
            for forbidden in ["<style", " style=", " onclick=", "javascript:"] {
                assert!(!page.body().contains(forbidden), "{forbidden} in {page:?}");
            }
        }
    });
}

#[test]
fn without_tls_a_developers_page_works_too() {
    run(async {
        let world = world();
        let mut request = Browser::new(&world).visit("/oauth?target=https://evil.net");
        request.origin = "http://127.0.0.1:8787".to_owned();
        let response = world.send(request).await;
        let policy = header(&response, "content-security-policy").unwrap();
        assert!(policy.contains("connect-src 'self' ws://127.0.0.1:8787;"), "{policy}");
        assert_eq!(header(&response, "strict-transport-security"), None);
    });
}

#[test]
fn a_form_may_lead_to_the_login_pages_that_are_offered_and_to_no_others() {
    run(async {
        let settings = [
            ("ACCOUNT_TYPE", "subscription"),
            ("LOGIN_METHODS", "code,open,github"),
            ("OPEN_APP_ID", "wxopen"),
            ("OPEN_APP_SECRET", "an-open-secret"),
            ("GITHUB_CLIENT_ID", "gh"),
            ("GITHUB_CLIENT_SECRET", "a-github-secret"),
        ];
        for (most, others) in
            [(6, " https://open.weixin.qq.com https://github.com"), (4, " https://open.weixin.qq.com")]
        {
            let world = site::world_with(&settings[..most]);
            let page = begin(&Browser::new(&world), &popup(&[])).await;
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.contains(&format!("form-action 'self' {BLOG}{others};")), "{policy}");
        }
    });
}

/// Every host of a domain can set such a cookie in a browser that keeps the prefix to ours.
#[test]
fn a_cookie_that_only_looks_like_ours_opens_nothing() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let page = begin(&browser, &popup(&[])).await;
        let value = browser.cookie("__Host-wxl").unwrap();
        let request = |header: &str| {
            let mut request = Browser::new(&world).visit(&below(&page, "status"));
            request.headers.push(("cookie".to_owned(), header.to_owned()));
            request
        };
        for space in ["\u{2000}", "\u{2003}", "\u{3000}", "\u{a0}", "\u{85}", "\u{b}", "\u{c}"] {
            let refused = world.send(request(&format!("a=b; {space}__Host-wxl={value}"))).await;
            assert_eq!(refused.status, 403, "{space:?}");
        }
        let other = "0".repeat(32);
        let twice = format!("__Host-wxl={value}; __Host-wxl={other}");
        assert_eq!(world.send(request(&twice)).await.status, 403, "one of them is somebody else's");
        assert_eq!(world.send(request(&format!("a=b;\t__Host-wxl={value} ;c"))).await.status, 200);
    });
}

/// Whoever chose a way does not have to choose it again.
#[test]
fn after_the_end_the_same_way_begins_anew() {
    run(async {
        let world = world();
        for address in [popup(&[("method", "qr")]), authorize(&[]), site::legacy()] {
            let browser = Browser::new(&world);
            let page = begin(&browser, &address).await;
            let chosen = browser.open(&format!("/oauth/s/{}?method=code&lang=en", page.login())).await;
            world.pass(180_000).await;
            let ended = browser.open(&chosen.url).await;
            let link = ended.body().split(r#"<a class="button" href=""#).nth(1).expect("a link");
            let again = link.split('"').next().unwrap().replace("&amp;", "&");
            let anew = begin(&browser, &again).await;
            assert_ne!(anew.login(), page.login());
            let attempt = world.attempt(&anew.login());
            assert_eq!(attempt["methods"], json!(["code", "qr", "scene"]), "{again}");
            let before = world.attempt(&page.login())["request"]["result"].clone();
            assert_eq!(attempt["request"]["result"], before);
        }
    });
}
