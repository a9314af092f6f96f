//! What is not let in: what the log says of it, and which addresses there are for whom.

use super::world::browser::Browser;
use super::world::run;
use super::world::site::{CALLBACK, SHOP, STATE, query, world};

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
