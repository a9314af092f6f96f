//! What cannot log in: guesses, messages that anybody may have sent or kept, and addresses that begin too often.

use wxapi::digest::mac;
use wxapi::handlers::login::offer;
use wxapi::login::session::Status;
use wxapi::platform::{Object, Peer, Platform};
use wxapi::wechat::signature::sign;

use crate::login_stage::{
    LOGIN, OTHER, deliver, desk, encrypted, event, logged, open_with_code, opened, say, stage, stage_with,
    status,
};
use crate::world::{TOKEN, USER, reply_text, run};

fn peer(address: &str) -> Peer {
    Peer { address: address.to_owned(), ..Peer::default() }
}

/// A code that is nobody's.
fn wrong(code: &str, by: u32) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + by) % 1_000_000)
}

#[test]
fn after_five_wrong_codes_nobody_listens_for_ten_minutes() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        for by in 1..5 {
            assert!(say(&world, USER, &format!("登录 {}", wrong(&code, by))).await.contains("no such code"));
        }
        assert!(say(&world, USER, &format!("登录 {}", wrong(&code, 5))).await.contains("wrong too often"));
        assert_eq!(say(&world, USER, &format!("登录 {}", wrong(&code, 6))).await, "");
        assert_eq!(say(&world, USER, &format!("登录 {code}")).await, "", "the right one, too late");
        assert_eq!(say(&world, USER, &code).await, format!("Answer to {code}"));
        assert_eq!(status(&world, LOGIN).await, Status::Pending);
        world.pass(600_000).await;
        let code = open_with_code(&world, LOGIN).await;
        assert!(say(&world, USER, &format!("登录 {code}")).await.contains("You are logging in"));
    });
}

#[test]
fn bare_digits_and_guesses_in_parallel_count_too() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        let guesses = (1..=8).map(|by| world.text(USER, &wrong(&code, by))).collect::<Vec<_>>();
        let replies =
            futures_util::future::join_all(guesses.iter().map(|guess| deliver(&world, guess))).await;
        // Those beyond what the model is asked at once are told so.
        assert!(replies.iter().all(|reply| !reply_text(reply).contains("code")));
        assert_eq!(desk(&world, USER).unwrap()["misses"].as_array().unwrap().len(), 5);
        assert_eq!(say(&world, USER, &format!("登录 {code}")).await, "");
        assert_eq!(status(&world, LOGIN).await, Status::Pending);
    });
}

#[test]
fn forgetting_does_not_buy_more_guesses_but_deletes_the_rest() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        for by in 1..=5 {
            say(&world, USER, &format!("登录 {}", wrong(&code, by))).await;
        }
        assert!(desk(&world, USER).unwrap()["pending"].is_object());
        say(&world, USER, "/forget").await;
        let left = desk(&world, USER).unwrap();
        assert_eq!(left.as_object().unwrap().keys().collect::<Vec<_>>(), ["misses"]);
        assert_eq!(say(&world, USER, &format!("登录 {code}")).await, "");
        assert_eq!(say(&world, USER, "确认").await, "Answer to 确认");

        let code = open_with_code(&world, &"f".repeat(32)).await;
        say(&world, OTHER, &code).await;
        assert!(desk(&world, OTHER).is_some());
        deliver(&world, &event(&world, OTHER, "<Event>unsubscribe</Event>")).await;
        assert_eq!(desk(&world, OTHER), None);
    });
}

#[test]
fn a_replayed_forget_deletes_nothing_new() {
    run(async {
        let world = stage(|_| {});
        let forget = world.text(USER, "/forget");
        deliver(&world, &forget).await;
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        deliver(&world, &forget).await;
        assert!(say(&world, USER, "确认").await.contains("just logged in"));
    });
}

#[test]
fn plain_mode_cannot_log_in_unless_it_is_allowed() {
    run(async {
        for allowed in [false, true] {
            let world = stage_with(&[("ENCODING_AES_KEY", "")], |config| config.login.plain_mode = allowed);
            let code = open_with_code(&world, LOGIN).await;
            let seen = world.say(USER, &format!("登录 {code}")).await.text.unwrap();
            assert_eq!(seen.contains("You are logging in"), allowed, "{seen}");
            assert_eq!(seen.contains("no message encryption"), !allowed, "{seen}");
            let line = world.log().into_iter().find(|line| line.event == "login.message_refused");
            assert_eq!(line.is_some_and(|line| line.reason.contains("ENCODING_AES_KEY")), !allowed);
            let expected = if allowed { Status::Scanned } else { Status::Pending };
            assert_eq!(status(&world, LOGIN).await, expected);
            // A number is a question, unless it may log in.
            let other = open_with_code(&world, &"e".repeat(32)).await;
            let seen = world.say(USER, &other).await.text.unwrap();
            assert_eq!(seen == format!("Answer to {other}"), !allowed, "{seen}");
        }
    });
}

#[test]
fn a_stale_or_future_timestamp_cannot_log_in() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        for age in [301, -301, 599] {
            let (query, body) = encrypted(&world, &world.text(USER, &format!("登录 {code}")), age);
            let reply = opened(&world.request("POST", "wechat", &query, &body).await);
            assert!(reply_text(&reply).contains("came too late"), "{reply}");
            assert_eq!(status(&world, LOGIN).await, Status::Pending);
        }
        assert_eq!(logged(&world, "login.message_refused"), 3);
        let fresh = world.text(USER, &format!("登录 {code}"));
        let (query, body) = encrypted(&world, &fresh, 299);
        assert!(opened(&world.request("POST", "wechat", &query, &body).await).contains("You are logging in"));
        // What was asked in good time is not answered by a stale yes either.
        let (query, body) = encrypted(&world, &world.text(USER, "确认"), 400);
        assert!(opened(&world.request("POST", "wechat", &query, &body).await).contains("came too late"));
        assert_eq!(status(&world, LOGIN).await, Status::Scanned);
    });
}

#[test]
fn even_where_plain_mode_is_allowed_a_stale_message_cannot_log_in() {
    run(async {
        let world = stage_with(&[("ENCODING_AES_KEY", "")], |config| config.login.plain_mode = true);
        let code = open_with_code(&world, LOGIN).await;
        let document = world.text(USER, &format!("登录 {code}"));
        let timestamp = (world.now() / 1_000 - 301).to_string();
        let signature = sign(&[TOKEN, &timestamp, "n"]);
        let query = format!("signature={signature}&timestamp={timestamp}&nonce=n");
        let reply = world.request("POST", "wechat", &query, &document).await;
        assert!(reply_text(&reply.body).contains("came too late"));
        assert_eq!(status(&world, LOGIN).await, Status::Pending);
    });
}

#[test]
fn an_address_may_begin_so_often_in_ten_minutes() {
    run(async {
        let world = stage(|config| config.login.rate_limit = 3);
        let admit = async |address: &str| offer::admit(&world, world.app(), &peer(address)).await.unwrap();
        for address in ["203.0.113.7", "::ffff:203.0.113.7", "203.0.113.7"] {
            assert!(admit(address).await, "one address in two notations");
        }
        assert!(!admit("203.0.113.7").await);
        assert!(admit("203.0.113.8").await);
        for address in ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:DB8:1:2:0:0:0:3"] {
            assert!(admit(address).await);
        }
        assert!(!admit("2001:db8:1:2::4").await, "a subscriber has a whole /64");
        assert!(admit("2001:db8:1:3::4").await);
        world.pass(599_000).await;
        assert!(!admit("203.0.113.7").await);
        world.crash();
        assert!(!admit("203.0.113.7").await);
        world.pass(1_000).await;
        assert!(admit("203.0.113.7").await);
    });
}

#[test]
fn a_throttle_does_not_show_the_address_and_cleans_up() {
    run(async {
        let world = stage(|_| {});
        let before = world.disks();
        offer::admit(&world, world.app(), &peer("203.0.113.7")).await.unwrap();
        let names: Vec<String> = world.disks().into_iter().filter(|name| !before.contains(name)).collect();
        let name = names[0].strip_prefix("Throttle ").unwrap();
        // Whoever knows the address but no secret does not find it.
        assert_eq!(name, mac(TOKEN, "login/throttle", "203.0.113.7"));
        let disk = world.disk_behind(Object::Throttle, name);
        assert!(disk.document().is_some());
        world.pass(300_000).await;
        offer::admit(&world, world.app(), &peer("203.0.113.7")).await.unwrap();
        world.pass(599_000).await;
        assert!(disk.document().is_some());
        world.pass(1_000).await;
        assert_eq!((disk.document(), disk.alarm()), (None, None));
        world.flood();
        assert_eq!(offer::admit(&world, world.app(), &peer("203.0.113.9")).await, Ok(false));
    });
}
