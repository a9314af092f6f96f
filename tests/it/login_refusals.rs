//! What is not let in: what the log says of it, and which addresses there are for whom.

use super::world::browser::Browser;
use super::world::run;
use super::world::site::{CALLBACK, SHOP, STATE, query, world, world_with};

/// In a form as well as in a query; but nothing of it that nobody needs to know, and no more than a line can take.
#[test]
fn the_log_says_what_was_refused() {
    run(async {
        let world = world();
        let browser = Browser::new(&world);
        let reason = || {
            let log = world.log();
            log.last().unwrap().reason.split_once(' ').unwrap().1.to_owned()
        };
        let long = "x".repeat(200);
        for (client, address, expected) in [
            ("nobody", CALLBACK, "unknown_client nobody".to_owned()),
            ("no body\n", CALLBACK, "unknown_client no".to_owned()),
            (&long, CALLBACK, format!("unknown_client {}", &long[..100])),
            ("shop", "https://evil.net/?code=c#t", "bad_redirect_uri https://evil.net/".to_owned()),
            ("shop", "", "bad_redirect_uri ".to_owned()),
        ] {
            let fields = [("client_id", client), ("redirect_uri", address), ("state", STATE)];
            browser.open_from(SHOP, &query("/authorize", &fields)).await;
            assert_eq!(reason(), expected);
            browser.post_from(SHOP, "/authorize", &fields).await;
            assert_eq!(reason(), expected);
        }
        for target in ["https://evil.net/page?x=secret", "https%3A%2F%2Fevil.net%2Fpage"] {
            browser.open_from(SHOP, &format!("/oauth?target={target}")).await;
            assert_eq!(reason(), "origin_not_allowed https://evil.net");
        }
    });
}

/// An address that is there is not there for other methods; one that is not, is there for none.
#[test]
fn another_method_is_not_allowed_where_something_is() {
    run(async {
        let world = world();
        let id = "0".repeat(32);
        let (page, confirm) = (format!("oauth/s/{id}"), format!("oauth/confirm/{id}"));
        let below = |what: &str| format!("{page}/{what}");
        let there = [
            ("GET", "oauth".to_owned()),
            ("GET POST", "authorize".to_owned()),
            ("GET", page.clone()),
            ("GET", below("status")),
            ("GET", below("watch")),
            ("POST", below("finish")),
            ("POST", below("number")),
            ("POST", below("typed")),
            ("GET", below("go/wechat")),
            ("GET", "m/x".to_owned()),
            ("GET", "oauth/wechat".to_owned()),
            ("GET", "oauth/open".to_owned()),
            ("GET", "oauth/github".to_owned()),
            ("GET POST", confirm),
            ("POST", "oauth/config".to_owned()),
            ("POST", "oauth/token".to_owned()),
            ("POST", "oauth/refresh".to_owned()),
            ("POST", "oauth/userinfo".to_owned()),
            ("POST", "oauth/verify".to_owned()),
            ("GET OPTIONS", ".well-known/openid-configuration".to_owned()),
            ("GET OPTIONS", ".well-known/oauth-authorization-server".to_owned()),
            ("GET OPTIONS", ".well-known/jwks.json".to_owned()),
            ("POST OPTIONS", "token".to_owned()),
            ("GET POST OPTIONS", "userinfo".to_owned()),
            ("GET POST", "logout".to_owned()),
            ("GET POST", "wechat".to_owned()),
        ];
        let elsewhere =
            ["m", "m/x/y", "oauth/s", "oauth/s/a/b", "oauth/s/a/go", "oauth/confirm", "oauth/x", "token/x"];
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
            for (methods, path) in &there {
                let allowed = methods.split(' ').any(|allowed| allowed == method);
                let status = world.request(method, path, "", "").await.status;
                assert_eq!(status == 405, !allowed, "{method} /{path}: {status}");
            }
            for path in elsewhere {
                assert_eq!(world.request(method, path, "", "").await.status, 404, "{method} /{path}");
            }
        }
    });
}

#[test]
fn without_a_website_there_is_no_login() {
    run(async {
        let world = world_with(&[("LOGIN_CLIENTS", "")]);
        let browser = Browser::wechat(&world);
        let id = "0".repeat(32);
        for (method, path, status) in [
            ("GET", "oauth".to_owned(), 503),
            ("GET", "authorize".to_owned(), 503),
            ("GET", "logout".to_owned(), 404),
            ("GET", "userinfo".to_owned(), 404),
            ("POST", "token".to_owned(), 404),
            ("GET", ".well-known/openid-configuration".to_owned(), 404),
            ("GET", ".well-known/jwks.json".to_owned(), 404),
            ("POST", "oauth/config".to_owned(), 404),
            ("GET", format!("m/{id}{}", "1".repeat(24)), 410),
        ] {
            let mut request = browser.visit(&format!("/{path}"));
            request.method = method.to_owned();
            assert_eq!(world.send(request).await.status, status, "{method} /{path}");
        }
        assert_eq!(world.attempts(), 0);
    });
}
