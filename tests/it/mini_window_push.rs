//! The Mini Program's customer-service messages: what goes out, what waits, and what a crash leaves.

use std::cell::Cell;

use serde_json::json;

use crate::world::window::{OK, calm, no, story, world};
use crate::world::{Answer, DAWN, World, answers, run};

const ANNA: &str = "mini-anna";

/// A page without what is said below it.
fn body(page: &str) -> String {
    page.split("\n\n(").next().unwrap().split("\n\nAnother answer").next().unwrap().to_owned()
}

/// The pages put together are the answer, but for line ends between them.
fn whole(pages: &[String]) -> Vec<String> {
    let all: Vec<String> = pages.iter().map(|page| body(page)).collect();
    all.join("\n").lines().map(str::to_owned).collect()
}

fn lines(answer: &str) -> Vec<String> {
    answer.lines().map(str::to_owned).collect()
}

#[test]
fn typing_is_shown_while_the_model_works() {
    run(async {
        let world = calm();
        world.model(|call| answers(8_000, &call.question()));
        world.write(ANNA, "why?").await;
        let calls = world.api_calls();
        let typing = calls.iter().find(|call| call.url.contains("/custom/business/typing")).unwrap();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&typing.body).unwrap(),
            json!({ "touser": ANNA, "command": "Typing" })
        );
        assert!(world.told().is_empty());
        world.pass(10_000).await;
        assert_eq!(world.texts_told(), ["why?"]);
    });
}

#[test]
fn a_long_answer_comes_in_pages_up_to_the_quota_and_the_rest_on_request() {
    run(async {
        let world = calm();
        let answer = story(650);
        let told = answer.clone();
        world.model(move |_| answers(0, &told));
        world.write(ANNA, "a story").await;
        let pages = world.texts_told();
        assert_eq!(pages.len(), 5);
        assert!(pages.iter().all(|page| page.len() <= 2_048));
        assert!(pages[..4].iter().all(|page| !page.contains("Continue")));
        assert!(pages[4].contains("Continue: /retrieve"), "{}", pages[4]);
        for _ in 0..6 {
            world.pass(120_000).await;
            world.write(ANNA, "继续").await;
        }
        let pages = world.texts_told();
        let last = pages.last().unwrap();
        assert!(last.contains("No pending messages"), "{last}");
        let pages: Vec<String> = pages.into_iter().filter(|page| page.starts_with("sentence")).collect();
        assert!(pages.len() > 6, "{}", pages.len());
        let expected = lines(&answer);
        assert_eq!(whole(&pages), expected);
    });
}

#[test]
fn what_wechat_refuses_waits_and_is_read_in_either_window() {
    for code in [45015, 45047, 48001, 40003, 87014] {
        run(async move {
            let world = world(&[], move |n| if n == 1 { no(code) } else { Ok(OK.to_owned()) });
            world.write(ANNA, "why?").await;
            world.pass(120_000).await;
            assert_eq!(world.texts_told(), ["Answer to why?"], "{code}: it is not tried again by itself");
            let session = world.wx_login("anna").await;
            let list = world.api("GET", "conversations", &session, "").await;
            let id = list.body["conversations"][0]["id"].as_str().unwrap();
            let shown = world.api("GET", &format!("conversations/{id}"), &session, "").await;
            assert_eq!(shown.body["messages"][1]["content"], "Answer to why?", "{code}");
            // Who asks on gets that answer, and is told that another one waits.
            world.write(ANNA, "and now?").await;
            let told = world.texts_told();
            assert_eq!(told[1], "Answer to and now?\n\nAnother answer is waiting: /retrieve", "{code}");
            world.write(ANNA, "/status").await;
            assert!(world.texts_told()[2].contains("Unread answers: 1"), "{code}");
            world.write(ANNA, "/retrieve").await;
            assert_eq!(world.texts_told()[3..], ["Answer to why?".to_owned()], "{code}");
            world.write(ANNA, "/retrieve").await;
            assert!(world.texts_told()[4].contains("No pending"), "{code}");
        });
    }
}

#[test]
fn an_unknown_outcome_is_never_sent_twice_by_itself() {
    run(async {
        let world =
            world(&[], |n| if n == 1 { Err("connection lost".to_owned()) } else { Ok(OK.to_owned()) });
        world.write(ANNA, "why?").await;
        world.pass(600_000).await;
        assert_eq!(world.told().len(), 1);
        world.write(ANNA, "/retrieve").await;
        assert_eq!(world.texts_told(), ["Answer to why?", "Answer to why?"]);
    });
}

#[test]
fn what_wechat_puts_off_is_tried_again_some_times() {
    for (code, what) in [(-1, "why?"), (45011, "why?"), (-1, "/help"), (45011, "/help")] {
        run(async move {
            let heard = world(&[], move |n| if n <= 2 { no(code) } else { Ok(OK.to_owned()) });
            heard.write(ANNA, what).await;
            assert_eq!(heard.told().len(), 1, "{code} {what}");
            heard.pass(120_000).await;
            assert_eq!(heard.told().len(), 3, "{code} {what}");

            let refused = world(&[], move |_| no(code));
            refused.write(ANNA, what).await;
            refused.pass(3_600_000).await;
            assert_eq!(refused.told().len(), 6, "{code} {what}: it ends");
        });
    }
}

#[test]
fn a_token_that_is_out_of_reach_for_a_moment_loses_nothing() {
    run(async {
        let world = calm();
        let fetches = Cell::new(0);
        world.wechat(move |request| {
            if request.url.contains("stable_token") {
                fetches.set(fetches.get() + 1);
                if fetches.get() <= 3 {
                    return Err("no way through".to_owned());
                }
                return Ok(Answer::json(r#"{"access_token":"t","expires_in":7200}"#));
            }
            Ok(Answer::json(OK))
        });
        world.write(ANNA, "why?").await;
        world.pass(300_000).await;
        assert_eq!(world.texts_told(), ["Answer to why?"]);
    });
}

#[test]
fn a_crash_before_the_answer_and_before_the_push_loses_nothing() {
    run(async {
        let world = calm();
        world.model(|call| answers(20_000, &call.question()));
        world.write(ANNA, "why?").await;
        world.crash();
        world.pass(60_000).await;
        assert_eq!(world.texts_told(), ["why?"]);
        assert_eq!(world.model_calls().len(), 2);
    });
}

/// A world that crashes while page `at` of an answer is on its way; every request takes two seconds.
async fn crashed(at: usize) -> (World, String) {
    let world = calm();
    let answer = story(300);
    let told = answer.clone();
    world.model(move |_| answers(0, &told));
    world.network(2_000);
    world.act(ANNA, json!({ "MsgType": "text", "Content": "a story" })).await;
    while world.told().len() < at {
        world.pass(100).await;
    }
    world.crash();
    (world, answer)
}

#[test]
fn a_crash_while_a_page_is_on_its_way_sends_none_twice_and_keeps_the_rest() {
    run(async {
        for at in 1..=3 {
            let (world, answer) = crashed(at).await;
            world.pass(600_000).await;
            assert_eq!(world.told().len(), at, "nobody knows whether page {at} arrived");
            world.write(ANNA, "/retrieve").await;
            world.pass(60_000).await;
            let mut pages = world.texts_told();
            // The one that was on its way is sent again because they ask for it.
            assert_eq!(pages[at - 1], pages[at]);
            pages.remove(at);
            let expected = lines(&answer);
            assert_eq!(whole(&pages), expected);
        }
    });
}

#[test]
fn a_page_on_its_way_is_not_fetched_as_well() {
    run(async {
        let world = calm();
        world.model(|_| answers(0, &story(200)));
        world.network(2_000);
        world.act(ANNA, json!({ "MsgType": "text", "Content": "a story" })).await;
        while world.told().is_empty() {
            world.pass(100).await;
        }
        world.act(ANNA, json!({ "MsgType": "text", "Content": "/retrieve" })).await;
        world.pass(60_000).await;
        let mut told = world.texts_told();
        assert!(told.iter().any(|text| text.contains("Still working")), "{told:?}");
        let all = told.len();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), all, "a page was sent twice");
    });
}

#[test]
fn a_failed_answer_is_told_too() {
    run(async {
        let world = calm();
        world.model(|_| crate::world::ModelTurn { delay: 0, outcome: Err("no".to_owned()) });
        world.write(ANNA, "why?").await;
        world.pass(120_000).await;
        let told = world.texts_told();
        assert!(told.len() == 1 && told[0].contains("could not answer this just now"), "{told:?}");
    });
}

#[test]
fn a_question_that_kills_its_object_ends_with_an_excuse() {
    run(async {
        let world = calm();
        world.model(|call| answers(20_000, &call.question()));
        world.write(ANNA, "why?").await;
        for _ in 0..8 {
            world.crash();
            world.pass(31_000).await;
            world.crash();
        }
        world.pass(60_000).await;
        let told = world.texts_told();
        assert_eq!(told.len(), 1, "{told:?}");
    });
}

#[test]
fn nothing_of_a_person_is_in_the_log() {
    run(async {
        let world = world(&[], |_| no(48001));
        world.model(|_| answers(0, "a private answer"));
        world.write(ANNA, "a private question").await;
        world.write(ANNA, "/help").await;
        let log: String = world.log().iter().map(wxapi::log::Line::to_json).collect();
        assert!(log.contains("push.failed") && log.contains("48001"), "{log}");
        for secret in ["private", ANNA, "mini-secret", "mini-token"] {
            assert!(!log.contains(secret), "{secret} is in {log}");
        }
    });
}

#[test]
fn a_page_that_went_out_but_could_not_be_noted_is_sent_again_only_on_request() {
    run(async {
        let world = calm();
        world.network(2_000);
        world.act(ANNA, json!({ "MsgType": "text", "Content": "why?" })).await;
        while world.told().is_empty() {
            world.pass(100).await;
        }
        world.mini_disk_of(ANNA).set_full(true);
        world.pass(10_000).await;
        world.mini_disk_of(ANNA).set_full(false);
        world.pass(600_000).await;
        assert_eq!(world.told().len(), 1);
        world.write(ANNA, "/retrieve").await;
        world.pass(5_000).await;
        assert_eq!(world.texts_told(), ["Answer to why?", "Answer to why?"]);
    });
}

#[test]
fn the_pages_of_two_answers_do_not_mix() {
    run(async {
        let world = calm();
        world.model(|call| {
            let name = call.question();
            answers(0, &(0..200).map(|n| format!("{name} sentence {n} is here.\n")).collect::<String>())
        });
        world.network(500);
        let session = world.wx_login("anna").await;
        for name in ["first", "second"] {
            world.act(ANNA, json!({ "MsgType": "text", "Content": name })).await;
            // The next one belongs to another conversation.
            world.act(ANNA, json!({ "MsgType": "text", "Content": "/new" })).await;
        }
        world.pass(60_000).await;
        for _ in 0..3 {
            world.act(ANNA, json!({ "MsgType": "text", "Content": "/retrieve" })).await;
            world.pass(60_000).await;
        }
        let told = world.texts_told();
        let names: Vec<&str> =
            told.iter().filter(|page| page.contains("sentence")).map(|page| &page[..5]).collect();
        let mut changes = names.clone();
        changes.dedup();
        assert_eq!((names.len(), changes.len()), (6, 2), "{names:?}");
        for name in ["first", "second"] {
            let pages: Vec<String> = told.iter().filter(|page| page.starts_with(name)).cloned().collect();
            assert_eq!(whole(&pages).len(), 200, "{name}");
        }
        let list = world.api("GET", "conversations", &session, "").await;
        assert_eq!(list.body["conversations"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn what_is_stored_keeps_its_shape() {
    run(async {
        let world = world(&[], |n| if n == 1 { no(45047) } else { Ok(OK.to_owned()) });
        world.write(ANNA, "why?").await;
        let stored: serde_json::Value =
            serde_json::from_str(&world.mini_disk_of(ANNA).document().unwrap()).unwrap();
        let window = &stored["window"];
        assert_eq!(window["openid"], ANNA);
        assert_eq!((&window["notes"], &window["tries"]), (&json!([]), &json!(0)));
        assert_eq!(window["heard"][0]["key"].as_str().unwrap().len(), 32);
        assert_eq!((&window["met"], &window["heard"][0]["at"]), (&json!(DAWN), &json!(DAWN)));
        assert_eq!(stored["threads"][0]["waits"], true);
        // What the previous release stored is read.
        let thread = r#"{"id":"t","title":"","created":1,"active":1,"said":[{"n":1,"question":{"text":"q"},"asked":1,"source":"window","push":{"sent":3}}]}"#;
        let thread = wxapi::chat::thread::Thread::from_json(thread).unwrap();
        assert_eq!(thread.said[0].push.map(|push| (push.sent, push.waits, push.tries)), Some((3, false, 0)));
    });
}
