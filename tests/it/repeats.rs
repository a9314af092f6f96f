//! Rare orders of events: repeats, replays, answers read between two deliveries, storage that fails.

use std::time::Duration;

use wxapi::chat::model::AnswerReader;
use wxapi::platform::Platform;
use wxapi::wechat::signature::sign;

use crate::world::{TOKEN, USER, World, answers, run};

/// About three pages.
fn long_answer() -> String {
    (0..250).map(|n| format!("sentence {n} is here.\n")).collect()
}

/// A query that stays valid, as one that somebody captured would.
fn captured_query(world: &World) -> String {
    let timestamp = (world.now() / 1_000).to_string();
    format!("signature={}&timestamp={timestamp}&nonce=n", sign(&[TOKEN, &timestamp, "n"]))
}

/// Delivers, and hangs up after a moment.
async fn glimpse(world: &World, document: &str) {
    let _ = tokio::time::timeout(Duration::from_secs(1), world.deliver_once(document)).await;
}

#[test]
fn a_replayed_request_does_nothing_as_long_as_its_signature_holds() {
    run(async {
        let world = World::new(&[]);
        let (query, question) = (captured_query(&world), world.text(USER, "why?"));
        let forget = world.text(USER, "/forget");
        world.request("POST", "wechat", &query, &forget).await;
        let first = world.request("POST", "wechat", &query, &question).await;
        world.pass(30_000).await;
        assert_eq!(world.request("POST", "wechat", &query, &question).await, first);
        world.pass(500_000).await;
        world.say(USER, "milk").await;
        assert_eq!(world.request("POST", "wechat", &query, &question).await.body, "success");
        assert_eq!(world.request("POST", "wechat", &query, &forget).await.body, "success");
        assert_eq!(world.model_calls().len(), 2);
        assert!(world.disk(USER).document().unwrap().contains("milk"));
    });
}

#[test]
fn an_answer_fetched_between_two_deliveries_is_not_asked_for_again() {
    run(async {
        let world = World::new(&[]);
        world.model(|call| {
            let question = call.question();
            answers(if question == "q1" { 4_600 } else { 2_700 }, &format!("A {question}"))
        });
        let q1 = world.text(USER, "q1");
        let meanwhile = async {
            world.pass(2_000).await;
            let q2 = world.text(USER, "q2");
            let fetch = async {
                world.pass(2_650).await;
                world.say(USER, "/retrieve").await
            };
            tokio::join!(world.deliver(&q2), fetch)
        };
        let (_, (second, fetched)) = tokio::join!(world.deliver(&q1), meanwhile);
        let asked: Vec<String> = world.model_calls().iter().map(|call| call.question()).collect();
        assert_eq!(asked, ["q1", "q2"]);
        assert!(fetched.text.unwrap().contains("A q1"));
        assert!(second.text.unwrap().contains("A q2"));
    });
}

#[test]
fn the_answer_that_is_being_read_is_never_dropped() {
    run(async {
        let world = World::new(&[]);
        let long = long_answer();
        world.model(move |call| answers(20_000, if call.question() == "q0" { &long } else { "short" }));
        for n in 0..19 {
            world.say(USER, &format!("q{n}")).await;
            world.pass(10_000).await;
        }
        let running = [world.text(USER, "r1"), world.text(USER, "r2")];
        tokio::join!(glimpse(&world, &running[0]), glimpse(&world, &running[1]));
        let first = world.say(USER, "/retrieve").await.text.unwrap();
        assert!(first.contains("sentence 0 ") && first.contains("(1/"), "{first}");
        let second = world.say(USER, "/retrieve").await.text.unwrap();
        assert!(second.contains("(2/"), "page 2 is gone: {second}");
    });
}

#[test]
fn forget_keeps_the_keys_of_what_is_running() {
    run(async {
        let world = World::new(&[]);
        world.model(|call| answers(9_000, &call.question()));
        for _ in 0..40 {
            world.say(USER, "/help").await;
        }
        let question = world.text(USER, "why?");
        glimpse(&world, &question).await;
        world.say(USER, "/forget").await;
        assert_eq!(world.deliver_once(&question).await.body, "success");
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn a_step_that_cannot_be_stored_did_not_happen() {
    run(async {
        let world = World::new(&[]);
        world.say(USER, "tea").await;
        let disk = world.disk(USER);
        disk.set_full(true);
        assert_eq!(world.deliver_once(&world.text(USER, "/new")).await.status, 503);
        disk.set_full(false);
        assert!(world.say(USER, "/status").await.text.unwrap().contains("remembered: 1"));
    });
}

#[test]
fn an_answer_is_kept_until_it_can_be_stored() {
    run(async {
        let world = World::new(&[]);
        world.say(USER, "so that there is context").await;
        world.model(|call| answers(1_000, &call.question()));
        let question = world.text(USER, "why?");
        let (seen, ()) = tokio::join!(world.deliver(&question), world.fill_disk_for_a_second(USER));
        assert!(seen.text.unwrap().contains("why?"));
        assert_eq!(world.model_calls().len(), 2);
    });
}

#[test]
fn long_thoughts_do_not_cut_the_answer_off() {
    run(async {
        let world = World::new(&[]);
        world.model(|_| answers(0, &format!("<think>{}</think>The answer.", "hm ".repeat(6_000))));
        assert_eq!(world.say(USER, "why?").await.text.as_deref(), Some("The answer."));
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn a_stream_without_an_end_is_given_up() {
    let mut reader = AnswerReader::default();
    let pieces = (0..).take_while(|_| reader.feed(&[b'x'; 16_384])).count();
    assert!(pieces <= 64, "{pieces} pieces");
    assert!(reader.finish().is_err());
}
