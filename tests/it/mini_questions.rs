//! Questions to the Mini Program's API: repeated, failed, too many, too slow, and deleted while they are answered.

use serde_json::json;
use wxapi::platform::Platform;

use crate::world::mini::world;
use crate::world::{ModelTurn, answers, run};

const NOT_FOUND: (u16, &str) = (404, "Not found");
const UNAVAILABLE: (u16, &str) = (500, "Service temporarily unavailable");

fn fails() -> ModelTurn {
    ModelTurn { delay: 0, outcome: Err("3040: Capacity temporarily exceeded".to_owned()) }
}

#[test]
fn a_message_that_comes_again_is_not_asked_again() {
    run(async {
        let world = world(&[]);
        world.model(|call| answers(2_000, &format!("{} {}", call.question(), call.number)));
        let anna = world.wx_login("anna").await;
        let body = json!({ "message": "Once", "conversation_id": null, "message_id": "m-1" });
        let (first, second) = tokio::join!(world.ask(&anna, body.clone()), world.ask(&anna, body.clone()));
        assert_eq!((first.status, &first.body), (200, &second.body));
        assert_eq!(first.body["reply"], "Once 1");
        let third = world.ask(&anna, body.clone()).await;
        assert_eq!(third.body, first.body, "repeated");
        let id = first.id();
        let there =
            world.ask(&anna, json!({ "message": "Once", "conversation_id": id, "message_id": "m-1" })).await;
        assert_eq!(there.body, first.body);
        assert_eq!(world.model_calls().len(), 1);
        // The name belongs to a conversation; elsewhere it is another message.
        let other = world.ask(&anna, json!({ "message": "Other", "conversation_id": "new" })).await.id();
        let elsewhere = json!({ "message": "Once", "conversation_id": other, "message_id": "m-1" });
        assert_eq!(world.ask(&anna, elsewhere).await.body["reply"], "Once 3");
        // Nor is it anything to others.
        let bella = world.wx_login("bella").await;
        let theirs = json!({ "message": "Theirs", "conversation_id": null, "message_id": "m-1" });
        assert_eq!(world.ask(&bella, theirs).await.body["reply"], "Theirs 4");
    });
}

#[test]
fn a_new_conversation_whose_id_never_came_is_found_by_the_message_even_after_a_crash() {
    run(async {
        let world = world(&[]);
        world.model(|call| answers(10_000, &format!("{} {}", call.question(), call.number)));
        let anna = world.wx_login("anna").await;
        let body = json!({ "message": "Once", "conversation_id": "new", "message_id": "m-1" });
        let lost =
            tokio::time::timeout(std::time::Duration::from_secs(1), world.ask(&anna, body.clone())).await;
        assert!(lost.is_err(), "the client gave up");
        world.crash();
        let again = world.ask(&anna, body).await;
        assert_eq!(
            again.body["reply"], "Once 2",
            "the call of the dead object is lost, and there is one other"
        );
        world.pass(120_000).await;
        assert_eq!(world.model_calls().len(), 2);
        assert_eq!(world.listed(&anna, "").await.0, [again.id()]);
    });
}

#[test]
fn a_failed_message_can_be_sent_again_by_the_same_name() {
    run(async {
        let world = world(&[("AI_MODEL", "one")]);
        world.model(|_| fails());
        let anna = world.wx_login("anna").await;
        let body = json!({ "message": "Try", "conversation_id": null, "message_id": "m-1" });
        assert_eq!(world.ask(&anna, body.clone()).await.refusal(), UNAVAILABLE);
        assert_eq!(world.model_calls().len(), 3);
        let list = world.api("GET", "conversations", &anna, "").await.body;
        let line = &list["conversations"][0];
        let id = line["id"].as_str().unwrap();
        assert_eq!(line["status"], "failed");
        assert_eq!(world.api("GET", &format!("chat/{id}"), &anna, "").await.refusal(), UNAVAILABLE);
        let shown = world.api("GET", &format!("conversations/{id}"), &anna, "").await.body;
        assert_eq!(shown["messages"].as_array().unwrap().len(), 1, "a failure is no message: {shown}");

        world.model(|_| answers(0, "Done"));
        let again = world.ask(&anna, body.clone()).await;
        assert_eq!((again.status, &again.body["reply"]), (200, &json!("Done")));
        assert_eq!(again.id(), id, "the conversation is the same");
        let shown = world.api("GET", &format!("conversations/{id}"), &anna, "").await.body;
        assert_eq!(shown["messages"].as_array().unwrap().len(), 2, "the question is there once: {shown}");
        assert_eq!(shown["status"], "idle");
        assert_eq!(world.ask(&anna, body).await.body, again.body);
        assert_eq!(world.model_calls().len(), 4);
    });
}

#[test]
fn a_failed_question_can_be_asked_anew_and_is_not_told_to_the_model() {
    run(async {
        let world = world(&[("AI_MODEL", "one, two")]);
        world.model(|_| fails());
        let anna = world.wx_login("anna").await;
        assert_eq!(world.chat(&anna, "Try", None).await.refusal(), UNAVAILABLE);
        let models: Vec<String> = world.model_calls().into_iter().map(|call| call.model).collect();
        assert_eq!(models, ["one", "one", "one", "two", "two", "two"]);
        let (ids, _) = world.listed(&anna, "").await;
        world.model(|call| if call.model == "one" { fails() } else { answers(0, "By two") });
        let again = world.chat(&anna, "Try", Some(&ids[0])).await;
        assert_eq!(again.body["reply"], "By two");
        let told = world.model_calls().last().unwrap().inputs["messages"].as_array().unwrap().len();
        assert_eq!(told, 2, "instructions and question");
    });
}

#[test]
fn twenty_questions_a_minute_in_all_conversations_together() {
    run(async {
        let world = world(&[]);
        let (anna, bella) = (world.wx_login("anna").await, world.wx_login("bella").await);
        for n in 0..20 {
            let message = if n == 7 { "" } else { "Hello" };
            let heard = world.ask(&anna, json!({ "message": message, "conversation_id": "new" })).await;
            assert_eq!(heard.status, if n == 7 { 400 } else { 200 }, "{n}");
            world.pass(1_000).await;
        }
        let refused = world.chat(&anna, "Hello", None).await;
        assert_eq!(refused.refusal(), (429, "Too many requests. Please slow down."));
        assert_eq!(refused.header("retry-after"), Some("40"), "the first was 20 s ago");
        let body = json!({ "message": "Hello", "conversation_id": null }).to_string();
        let stream = world.events("POST", "chat", &anna, None, &body).await.err().expect("no stream");
        assert_eq!((stream.status, stream.header("retry-after")), (429, Some("40")));
        assert_eq!(world.chat(&bella, "Hello", None).await.status, 200, "others are not concerned");
        world.crash();
        assert_eq!(world.chat(&anna, "Hello", None).await.status, 429, "it is stored");
        world.pass(39_000).await;
        assert_eq!(world.chat(&anna, "Hello", None).await.header("retry-after"), Some("1"));
        world.pass(1_000).await;
        assert_eq!(world.chat(&anna, "Hello", None).await.status, 200);
        assert_eq!(world.chat(&anna, "Hello", None).await.status, 429, "one only");
    });
}

#[test]
fn forgetting_oneself_does_not_buy_new_questions() {
    run(async {
        let world = world(&[("RATE_LIMIT", "2")]);
        let mut session = world.wx_login("anna").await;
        for _ in 0..2 {
            assert_eq!(world.chat(&session, "Hello", None).await.status, 200);
        }
        assert_eq!(world.api("POST", "forget-me", &session, "").await.status, 200);
        assert_eq!(world.mini_disk(&session).dump(), "");
        session = world.wx_login("anna").await;
        assert_eq!(world.chat(&session, "Hello", None).await.status, 429);
        world.api("POST", "auth/logout", &session, "").await;
        assert_eq!(world.mini_disk(&session).dump(), "");
        session = world.wx_login("anna").await;
        assert_eq!(world.chat(&session, "Hello", None).await.status, 429);
    });
}

#[test]
fn other_calls_have_a_limit_too() {
    run(async {
        let world = world(&[("RATE_LIMIT", "2")]);
        let anna = world.wx_login("anna").await;
        for n in 0..12 {
            assert_eq!(world.api("GET", "conversations", &anna, "").await.status, 200, "{n}");
        }
        let refused = world.api("GET", "export", &anna, "").await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("60")));
        assert_eq!(world.chat(&anna, "Hello", None).await.status, 200, "questions are counted apart");
    });
}

#[test]
fn who_waits_for_long_is_told_to_come_back() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(100_000, "At last"));
        let anna = world.wx_login("anna").await;
        let begun = world.now();
        let heard = world.chat(&anna, "Think", None).await;
        let id = heard.id();
        assert_eq!(world.now() - begun, 55_000);
        assert_eq!((heard.status, heard.body), (202, json!({ "status": "pending", "conversation_id": id })));
        let list = world.api("GET", "conversations", &anna, "").await.body;
        assert_eq!(list["conversations"][0]["status"], "pending");
        world.pass(46_000).await;
        let late = world.api("GET", &format!("chat/{id}"), &anna, "").await;
        assert_eq!((late.status, &late.body["reply"]), (200, &json!("At last")));
        assert_eq!(world.model_calls().len(), 1, "alarms in between do not ask again");
    });
}

#[test]
fn three_questions_at_once() {
    run(async {
        let world = world(&[]);
        world.model(|call| answers(10_000, &call.question()));
        let anna = world.wx_login("anna").await;
        let new = |text: &'static str| world.ask(&anna, json!({ "message": text, "conversation_id": "new" }));
        let (one, two, three, four) = tokio::join!(new("1"), new("2"), new("3"), new("4"));
        assert_eq!(four.header("retry-after"), Some("5"));
        assert_eq!(four.refusal(), (429, "Too many requests. Please slow down."));
        let replies = [one, two, three].map(|heard| heard.body["reply"].as_str().unwrap().to_owned());
        assert_eq!(replies, ["1", "2", "3"]);
        assert_eq!(new("4").await.body["reply"], "4");
    });
}

#[test]
fn a_conversation_deleted_while_it_is_answered_stays_deleted() {
    run(async {
        let world = world(&[]);
        world.model(|call| answers(5_000, &call.question()));
        let anna = world.wx_login("anna").await;
        let kept = world.chat(&anna, "Kept", None).await.id();
        let question = json!({ "message": "Deleted", "conversation_id": "new" });
        let waiting = world.ask(&anna, question.clone());
        let deleting = async {
            let mut events = world.events("POST", "chat", &anna, None, &question.to_string()).await.unwrap();
            assert_eq!(events.next().await.unwrap().kind, "begin");
            let all = world.api("DELETE", "conversations", &anna, "").await;
            assert_eq!(all.body, json!({ "deleted": 3 }));
            events.rest().await
        };
        let (waited, seen) = tokio::join!(waiting, deleting);
        assert_eq!(waited.refusal(), NOT_FOUND);
        assert_eq!(seen.last().unwrap().kind, "error");
        world.pass(60_000).await;
        assert_eq!(world.listed(&anna, "").await.0.len(), 0);
        let stored = world.mini_disk(&anna).dump();
        assert!(!stored.contains("Deleted") && !stored.contains(&kept), "{stored}");
    });
}

#[test]
fn somebody_forgotten_while_they_are_answered_stays_forgotten() {
    run(async {
        let world = world(&[]);
        world.model(|call| answers(5_000, &call.question()));
        let anna = world.wx_login("anna").await;
        let tablet = world.wx_login("anna").await;
        let question = json!({ "message": "Forgotten", "conversation_id": "new" });
        let mut events = world.events("POST", "chat", &anna, None, &question.to_string()).await.unwrap();
        events.next().await.unwrap();
        let heard = world.api("POST", "forget-me", &anna, "").await;
        assert_eq!((heard.status, heard.body), (200, json!({ "status": "ok" })));
        assert_eq!(events.rest().await.last().unwrap().kind, "error");
        world.pass(60_000).await;
        assert_eq!((world.mini_disk(&anna).dump().as_str(), world.mini_disk(&anna).alarm()), ("", None));
        for session in [&anna, &tablet] {
            assert_eq!(world.api("GET", "export", session, "").await.status, 401);
        }
        let back = world.wx_login("anna").await;
        assert_eq!(world.listed(&back, "").await.0.len(), 0);
    });
}
