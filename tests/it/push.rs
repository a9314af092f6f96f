//! `DELIVERY=push`: answers go out by customer-service message, or wait for `/retrieve`.

use serde_json::Value;

use crate::world::{Answer, USER, World, answers, run};

const OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

/// A world whose account may push. `send` answers custom/send; tokens are numbered.
fn world(send: impl Fn(usize, &str) -> String + 'static) -> World {
    let world = World::new(&[
        ("DELIVERY", "push"),
        ("APP_ID", "wx1"),
        ("APP_SECRET", "s3cret"),
        ("RATE_LIMIT", "100"),
    ]);
    let tokens = std::cell::Cell::new(0);
    let sends = std::cell::Cell::new(0);
    world.wechat(move |request| {
        if request.url.contains("/cgi-bin/stable_token") {
            tokens.set(tokens.get() + 1);
            return Ok(Answer::json(&format!(
                r#"{{"access_token":"token-{}","expires_in":7200}}"#,
                tokens.get()
            )));
        }
        if request.url.contains("/typing") {
            return Ok(Answer::json(OK));
        }
        sends.set(sends.get() + 1);
        Ok(Answer::json(&send(sends.get(), &request.url)))
    });
    world
}

/// The texts that were sent by custom/send, whether WeChat took them or not.
fn sent(world: &World) -> Vec<String> {
    let calls = world.api_calls();
    let sends = calls.iter().filter(|call| call.url.contains("/message/custom/send"));
    let bodies = sends.map(|call| serde_json::from_slice::<Value>(&call.body).unwrap());
    bodies.map(|body| body["text"]["content"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_first_delivery_is_acknowledged_and_the_answer_is_pushed() {
    run(async {
        let world = world(|_, _| OK.to_owned());
        world.model(|call| answers(8_000, &format!("Answer to {}", call.question())));
        let seen = world.say(USER, "why?").await;
        assert_eq!((seen.deliveries, seen.text.as_deref()), (1, Some("")));
        let typing = world.api_calls().iter().filter(|call| call.url.contains("/typing")).count();
        assert_eq!(typing, 0, "typing is shown by the job, which has not run yet");
        world.pass(10_000).await;
        assert_eq!(sent(&world), ["Answer to why?"]);
        assert_eq!(world.api_calls().iter().filter(|call| call.url.contains("/typing")).count(), 1);
        assert_eq!(world.api_calls().iter().filter(|call| call.url.contains("stable_token")).count(), 1);
    });
}

#[test]
fn a_message_that_is_delivered_again_is_pushed_once() {
    run(async {
        let world = world(|_, _| OK.to_owned());
        world.model(|_| answers(2_000, "once"));
        let message = world.text(USER, "why?");
        for _ in 0..3 {
            assert_eq!(world.deliver_once(&message).await.body, "success");
        }
        world.pass(10_000).await;
        assert_eq!(sent(&world), ["once"]);
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn a_refused_push_waits_for_retrieve() {
    for code in [45015, 45047, 48001, 40003] {
        run(async move {
            let world = world(move |_, _| format!(r#"{{"errcode":{code},"errmsg":"no rid: 1"}}"#));
            world.model(|call| answers(0, &format!("Answer to {}", call.question())));
            world.say(USER, "why?").await;
            world.pass(1_000).await;
            assert_eq!(sent(&world).len(), 1, "{code}");
            let seen = world.say(USER, "/retrieve").await.text.unwrap();
            assert_eq!(seen, "Answer to why?", "{code}");
        });
    }
}

#[test]
fn an_account_without_the_right_to_push_falls_back_to_passive_replies() {
    run(async {
        let world = world(|_, _| r#"{"errcode":48001,"errmsg":"api unauthorized"}"#.to_owned());
        world.model(|call| answers(0, &format!("Answer to {}", call.question())));
        world.say(USER, "first").await;
        world.pass(1_000).await;
        let seen = world.say(USER, "second").await;
        assert!(seen.text.unwrap().starts_with("Answer to second"));
        assert_eq!(sent(&world).len(), 1);
    });
}

#[test]
fn a_token_that_died_is_replaced_once_and_the_message_sent_again() {
    run(async {
        let world = world(|_, url| {
            let dead = url.contains("access_token=token-1");
            if dead { r#"{"errcode":40001,"errmsg":"invalid credential"}"#.to_owned() } else { OK.to_owned() }
        });
        world.model(|_| answers(0, "through"));
        world.say(USER, "why?").await;
        world.pass(1_000).await;
        assert_eq!(sent(&world), ["through", "through"]);
        let tokens = world.api_calls().iter().filter(|call| call.url.contains("stable_token")).count();
        assert_eq!(tokens, 2);
        assert_eq!(world.say(USER, "/retrieve").await.text.as_deref(), Some("through"));
    });
}

#[test]
fn a_token_that_stays_dead_is_forced_and_then_given_up() {
    run(async {
        let world = World::new(&[("DELIVERY", "push"), ("APP_ID", "wx1"), ("APP_SECRET", "s3cret")]);
        world.wechat(|request| {
            Ok(Answer::json(if request.url.contains("stable_token") {
                r#"{"access_token":"always-the-same","expires_in":7200}"#
            } else {
                r#"{"errcode":42001,"errmsg":"access_token expired"}"#
            }))
        });
        world.model(|_| answers(0, "kept"));
        world.say(USER, "why?").await;
        world.pass(1_000).await;
        let calls = world.api_calls();
        let fetches: Vec<String> = calls
            .iter()
            .filter(|call| call.url.contains("stable_token"))
            .map(|call| String::from_utf8(call.body.clone()).unwrap())
            .collect();
        assert!(fetches.len() <= 4, "no storm: {fetches:?}");
        assert_eq!(fetches.iter().filter(|body| body.contains("\"force_refresh\":true")).count(), 1);
        assert_eq!(world.say(USER, "/retrieve").await.text.as_deref(), Some("kept"));
    });
}

#[test]
fn the_quota_of_five_is_kept_and_the_last_message_tells_how_to_go_on() {
    run(async {
        let world = world(|_, _| OK.to_owned());
        world.model(|_| answers(0, &"一句不短的话，说了又说。\n".repeat(400)));
        world.say(USER, "a long story").await;
        world.pass(1_000).await;
        let pages = sent(&world);
        assert_eq!(pages.len(), 5);
        assert!(pages[..4].iter().all(|page| !page.contains("weixin://")));
        assert!(pages[4].contains("weixin://bizmsgmenu"), "{}", pages[4]);
        let next = world.say(USER, "/retrieve").await.text.unwrap();
        assert!(next.contains("(6/"), "{next}");
    });
}

#[test]
fn an_unknown_outcome_is_never_sent_twice_but_stays_retrievable() {
    run(async {
        let world = World::new(&[("DELIVERY", "push"), ("APP_ID", "wx1"), ("APP_SECRET", "s3cret")]);
        world.wechat(|request| {
            if request.url.contains("stable_token") {
                Ok(Answer::json(r#"{"access_token":"t","expires_in":"7200"}"#))
            } else {
                Err("connection lost".to_owned())
            }
        });
        world.model(|_| answers(0, "maybe"));
        world.say(USER, "why?").await;
        world.pass(120_000).await;
        assert_eq!(sent(&world), ["maybe"]);
        assert_eq!(world.say(USER, "/retrieve").await.text.as_deref(), Some("maybe"));
    });
}

#[test]
fn a_crash_before_the_push_does_not_lose_it() {
    run(async {
        let world = world(|_, _| OK.to_owned());
        world.model(|_| answers(20_000, "late"));
        world.say(USER, "why?").await;
        world.pass(5_000).await;
        world.crash();
        world.pass(60_000).await;
        assert_eq!(sent(&world), ["late"]);
    });
}

#[test]
fn no_secret_and_no_person_is_in_the_log() {
    run(async {
        let world = world(|_, _| r#"{"errcode":48001,"errmsg":"api unauthorized"}"#.to_owned());
        world.model(|_| answers(0, "a private answer"));
        world.say(USER, "a private question").await;
        world.pass(1_000).await;
        world.request("POST", "wechat", "signature=bad&timestamp=1&nonce=2", "<xml>private</xml>").await;
        let log: String = world.log().iter().map(wxapi::log::Line::to_json).collect();
        assert!(log.contains("48001") && log.contains("request.refused"), "{log}");
        for secret in ["private", USER, "s3cret", "token-1", crate::world::TOKEN] {
            assert!(!log.contains(secret), "{secret} is in {log}");
        }
    });
}

#[test]
fn a_page_on_its_way_is_not_fetched_as_well() {
    run(async {
        let world = world(|_, _| OK.to_owned());
        world
            .model(|_| answers(0, &(0..400).map(|n| format!("sentence {n} is here.\n")).collect::<String>()));
        world.network(2_000);
        world.say(USER, "a story").await;
        world.pass(3_000).await;
        assert_eq!(sent(&world).len(), 1, "the first page is on its way");
        let meanwhile = world.say(USER, "/retrieve").await.text.unwrap();
        assert!(meanwhile.contains("Still working"), "{meanwhile}");
        world.pass(60_000).await;
        let mut pages = sent(&world);
        let all = pages.len();
        pages.sort();
        pages.dedup();
        assert_eq!(pages.len(), all, "a page was pushed twice");
    });
}

#[test]
fn a_token_that_is_out_of_reach_for_a_moment_does_not_lose_the_push() {
    run(async {
        let world = world(|_, _| OK.to_owned());
        let fetches = std::cell::Cell::new(0);
        world.wechat(move |request| {
            if request.url.contains("stable_token") {
                fetches.set(fetches.get() + 1);
                if fetches.get() <= 2 {
                    return Err("no way through".to_owned());
                }
                return Ok(Answer::json(r#"{"access_token":"t","expires_in":7200}"#));
            }
            Ok(Answer::json(OK))
        });
        world.model(|call| answers(5_000, &call.question()));
        for question in ["first", "second"] {
            world.say(USER, question).await;
            world.pass(120_000).await;
        }
        assert_eq!(sent(&world), ["first", "second"]);
    });
}

#[test]
fn one_message_that_wechat_dislikes_does_not_stop_the_next() {
    run(async {
        let world = world(|number, _| {
            let risky = r#"{"errcode":87014,"errmsg":"risky content"}"#;
            if number == 1 { risky.to_owned() } else { OK.to_owned() }
        });
        world.model(|call| answers(1_000, &call.question()));
        for question in ["bad", "good"] {
            world.say(USER, question).await;
            world.pass(60_000).await;
        }
        assert_eq!(sent(&world), ["bad", "good"]);
    });
}

#[test]
fn what_is_kept_stays_bounded() {
    run(async {
        let world = world(|_, _| OK.to_owned());
        world.model(|_| answers(0, &"x".repeat(1_500)));
        for n in 0..200 {
            world.say(USER, &format!("question {n}")).await;
            world.pass(10_000).await;
        }
        let stored = world.disk(USER).document().unwrap();
        assert!(stored.len() < 80_000, "{} bytes", stored.len());
    });
}
