//! The Mini Program's API: what each route answers, and what becomes of questions that are repeated, too many, too long,
//! or deleted while they are answered.

use serde_json::{Value, json};
use wxapi::platform::Platform;

use crate::world::mini::{Heard, settings, world};
use crate::world::{DAWN, ModelTurn, World, answers, run};

fn error(heard: &Heard) -> (u16, &str) {
    (heard.status, heard.error())
}

const NOT_FOUND: (u16, &str) = (404, "Not found");
const UNAVAILABLE: (u16, &str) = (500, "Service temporarily unavailable");

fn fails() -> ModelTurn {
    ModelTurn { delay: 0, outcome: Err("3040: Capacity temporarily exceeded".to_owned()) }
}

async fn ask(world: &World, session: &str, body: Value) -> Heard {
    world.api("POST", "chat", session, &body.to_string()).await
}

fn id_of(heard: &Heard) -> String {
    assert!(matches!(heard.status, 200 | 202), "{heard:?}");
    heard.body["conversation_id"].as_str().unwrap().to_owned()
}

/// Ids of the listed conversations.
async fn listed(world: &World, session: &str, query: &str) -> (Vec<String>, Value) {
    let heard = world.api("GET", &format!("conversations{query}"), session, "").await;
    assert_eq!(heard.status, 200, "{heard:?}");
    let all = heard.body["conversations"].as_array().unwrap();
    (all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect(), heard.body["next"].clone())
}

#[test]
fn every_answer_in_full() {
    run(async {
        let world = world(&[]);
        let anna = world.wx_login("anna").await;
        let heard = world.chat(&anna, "什么是云杉？\nSay it 🌲", None).await;
        let id = id_of(&heard);
        assert_eq!(id.len(), 32);
        let reply = "Answer to 什么是云杉？\nSay it 🌲";
        let whole = json!({ "reply": reply, "conversation_id": id, "tokens_used": reply.len() });
        assert_eq!((heard.status, &heard.body), (200, &whole));
        for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
            assert_eq!(heard.header(name), Some(value));
        }
        assert_eq!(heard.response.content_type, "application/json; charset=utf-8");
        assert_eq!(world.api("GET", &format!("chat/{id}"), &anna, "").await.body, whole);
        let shown = world.api("GET", &format!("conversations/{id}"), &anna, "").await.body;
        let conversation = json!({
            "id": id, "title": "什么是云杉？", "created_at": DAWN, "updated_at": DAWN, "status": "idle",
            "messages": [
                { "role": "user", "content": "什么是云杉？\nSay it 🌲", "created_at": DAWN },
                { "role": "assistant", "content": reply, "created_at": DAWN, "tokens_used": reply.len() },
            ],
        });
        assert_eq!(shown, conversation);
        let list = world.api("GET", "conversations", &anna, "").await.body;
        let line = json!({
            "id": id, "title": "什么是云杉？", "created_at": DAWN, "updated_at": DAWN, "status": "idle",
        });
        assert_eq!(list, json!({ "conversations": [line], "next": null }));
        let export = world.api("GET", "export", &anna, "").await;
        assert_eq!(
            export.body,
            json!({
                "openid": "mini-anna", "unionid": null, "official_account_openid": null, "created_at": DAWN, "last_seen_at": DAWN,
                "sessions": [{ "created_at": DAWN, "last_seen_at": DAWN }],
                "conversations": [conversation],
            })
        );
        assert_eq!(export.header("content-disposition"), Some("attachment; filename=\"wxapi-export.json\""));
        let deleted = world.api("DELETE", &format!("conversations/{id}"), &anna, "").await;
        assert_eq!((deleted.status, deleted.body), (200, json!({ "deleted": 1 })));
        let deleted = world.api("DELETE", "conversations", &anna, "").await;
        assert_eq!((deleted.status, deleted.body), (200, json!({ "deleted": 0 })));
        let forgotten = world.api("POST", "forget-me", &anna, "").await;
        assert_eq!((forgotten.status, forgotten.body), (200, json!({ "status": "ok" })));
        assert_eq!(error(&world.api("GET", "export", &anna, "").await), (401, "Invalid session"));
        let health = world.api("GET", "health", "", "").await;
        assert_eq!((health.status, health.body), (200, json!({ "status": "ok", "timestamp": world.now() })));
    });
}

#[test]
fn a_message_has_two_thousand_utf_16_units_at_most() {
    run(async {
        let world = World::new(&settings(&[("RATE_LIMIT", "100")]));
        world.wechat(|request| Ok(crate::world::mini::session_of(&request.url).unwrap()));
        let anna = world.wx_login("anna").await;
        let long = |text: &str, times: usize| json!(text.repeat(times));
        for (message, good) in [
            (long("x", 2_000), true),
            (long("云", 2_000), true),
            (long("🌲", 1_000), true),
            (long("x", 2_001), false),
            (long("云", 2_001), false),
            (json!("🌲".repeat(1_000) + "x"), false),
            (json!(""), false),
            (json!(" \n\t\u{3000}"), false),
            (json!(null), false),
            (json!(7), false),
            (json!(["x"]), false),
        ] {
            let heard = ask(&world, &anna, json!({ "message": message, "conversation_id": "new" })).await;
            let expected = if good { 200 } else { 400 };
            assert_eq!(heard.status, expected, "{message}");
            assert!(good || heard.body == json!({ "error": "Invalid message" }), "{heard:?}");
        }
        for body in ["", "no JSON", "[]", "null", "{\"message\":\"\\ud83d\"}"] {
            let heard = world.api("POST", "chat", &anna, body).await;
            assert_eq!(error(&heard), (400, "Invalid message"), "{body}");
        }
        for (body, fault) in [
            (json!({ "message": "x", "conversation_id": 7 }), "Invalid conversation_id"),
            (json!({ "message": "x", "conversation_id": {} }), "Invalid conversation_id"),
            (json!({ "message": "x", "message_id": 7 }), "Invalid message_id"),
            (json!({ "message": "x", "message_id": "" }), "Invalid message_id"),
            (json!({ "message": "x", "message_id": "云".repeat(65) }), "Invalid message_id"),
        ] {
            assert_eq!(error(&ask(&world, &anna, body.clone()).await), (400, fault), "{body}");
        }
        let longest = json!({ "message": "x", "message_id": "云".repeat(64) });
        assert_eq!(ask(&world, &anna, longest).await.status, 200, "64 characters, not bytes");
    });
}

#[test]
fn routes_and_methods() {
    run(async {
        let world = world(&[]);
        let anna = world.wx_login("anna").await;
        for (method, target, allow) in [
            ("GET", "chat", "POST"),
            ("DELETE", "chat/x", "GET"),
            ("POST", "chat/ws", "GET"),
            ("PUT", "conversations", "GET, DELETE"),
            ("POST", "conversations/x", "GET, DELETE"),
            ("GET", "forget-me", "POST"),
            ("POST", "export", "GET"),
            ("POST", "health", "GET"),
            ("GET", "auth/logout", "POST"),
        ] {
            let heard = world.api(method, target, &anna, "").await;
            assert_eq!(error(&heard), (405, "Method not allowed"), "{method} {target}");
            assert_eq!(heard.header("allow"), Some(allow));
        }
        for target in ["", "nothing", "chat/x/y", "conversations/x/y", "auth", "auth/x", "health/x"] {
            assert_eq!(error(&world.api("GET", target, &anna, "").await), NOT_FOUND, "{target}");
        }
        let heard = world.api("GET", "chat/ws", &anna, "").await;
        assert_eq!((error(&heard), heard.header("upgrade")), ((426, "Upgrade required"), Some("websocket")));
    });
}

#[test]
fn what_is_somebody_elses_is_not_found() {
    run(async {
        let world = world(&[]);
        let (anna, bella) = (world.wx_login("anna").await, world.wx_login("bella").await);
        let id = id_of(&world.chat(&anna, "Mine", None).await);
        for id in [id.as_str(), "00000000000000000000000000000000", "x", "%27%20OR%201=1"] {
            for (method, target) in [("GET", "chat"), ("GET", "conversations"), ("DELETE", "conversations")] {
                let heard = world.api(method, &format!("{target}/{id}"), &bella, "").await;
                assert_eq!(error(&heard), NOT_FOUND, "{method} {target}/{id}");
            }
            assert_eq!(error(&world.chat(&bella, "Let me in", Some(id)).await), NOT_FOUND);
            assert_eq!(
                error(&world.api("GET", &format!("conversations?after={id}"), &bella, "").await),
                NOT_FOUND
            );
        }
        assert_eq!(listed(&world, &bella, "").await.0.len(), 0);
        assert_eq!(world.model_calls().len(), 1);
        assert_eq!(world.api("GET", &format!("chat/{id}"), &anna, "").await.status, 200);
    });
}

#[test]
fn a_message_that_comes_again_is_not_asked_again() {
    run(async {
        let world = world(&[]);
        world.model(|call| answers(2_000, &format!("{} {}", call.question(), call.number)));
        let anna = world.wx_login("anna").await;
        let body = json!({ "message": "Once", "conversation_id": null, "message_id": "m-1" });
        let (first, second) =
            tokio::join!(ask(&world, &anna, body.clone()), ask(&world, &anna, body.clone()));
        assert_eq!((first.status, &first.body), (200, &second.body));
        assert_eq!(first.body["reply"], "Once 1");
        let third = ask(&world, &anna, body.clone()).await;
        assert_eq!(third.body, first.body, "repeated");
        let id = id_of(&first);
        let there =
            ask(&world, &anna, json!({ "message": "Once", "conversation_id": id, "message_id": "m-1" }))
                .await;
        assert_eq!(there.body, first.body);
        assert_eq!(world.model_calls().len(), 1);
        // The name belongs to a conversation; elsewhere it is another message.
        let other = id_of(&ask(&world, &anna, json!({ "message": "Other", "conversation_id": "new" })).await);
        let elsewhere = json!({ "message": "Once", "conversation_id": other, "message_id": "m-1" });
        assert_eq!(ask(&world, &anna, elsewhere).await.body["reply"], "Once 3");
        // Nor is it anything to others.
        let bella = world.wx_login("bella").await;
        let theirs = json!({ "message": "Theirs", "conversation_id": null, "message_id": "m-1" });
        assert_eq!(ask(&world, &bella, theirs).await.body["reply"], "Theirs 4");
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
            tokio::time::timeout(std::time::Duration::from_secs(1), ask(&world, &anna, body.clone())).await;
        assert!(lost.is_err(), "the client gave up");
        world.crash();
        let again = ask(&world, &anna, body).await;
        assert_eq!(
            again.body["reply"], "Once 2",
            "the call of the dead object is lost, and there is one other"
        );
        world.pass(120_000).await;
        assert_eq!(world.model_calls().len(), 2);
        assert_eq!(listed(&world, &anna, "").await.0, [id_of(&again)]);
    });
}

#[test]
fn a_failed_message_can_be_sent_again_by_the_same_name() {
    run(async {
        let world = world(&[("AI_MODEL", "one")]);
        world.model(|_| fails());
        let anna = world.wx_login("anna").await;
        let body = json!({ "message": "Try", "conversation_id": null, "message_id": "m-1" });
        assert_eq!(error(&ask(&world, &anna, body.clone()).await), UNAVAILABLE);
        assert_eq!(world.model_calls().len(), 3);
        let list = world.api("GET", "conversations", &anna, "").await.body;
        let line = &list["conversations"][0];
        let id = line["id"].as_str().unwrap();
        assert_eq!(line["status"], "failed");
        assert_eq!(error(&world.api("GET", &format!("chat/{id}"), &anna, "").await), UNAVAILABLE);
        let shown = world.api("GET", &format!("conversations/{id}"), &anna, "").await.body;
        assert_eq!(shown["messages"].as_array().unwrap().len(), 1, "a failure is no message: {shown}");

        world.model(|_| answers(0, "Done"));
        let again = ask(&world, &anna, body.clone()).await;
        assert_eq!((again.status, &again.body["reply"]), (200, &json!("Done")));
        assert_eq!(id_of(&again), id, "the conversation is the same");
        let shown = world.api("GET", &format!("conversations/{id}"), &anna, "").await.body;
        assert_eq!(shown["messages"].as_array().unwrap().len(), 2, "the question is there once: {shown}");
        assert_eq!(shown["status"], "idle");
        assert_eq!(ask(&world, &anna, body).await.body, again.body);
        assert_eq!(world.model_calls().len(), 4);
    });
}

#[test]
fn a_failed_question_can_be_asked_anew_and_is_not_told_to_the_model() {
    run(async {
        let world = world(&[("AI_MODEL", "one, two")]);
        world.model(|_| fails());
        let anna = world.wx_login("anna").await;
        assert_eq!(error(&world.chat(&anna, "Try", None).await), UNAVAILABLE);
        let models: Vec<String> = world.model_calls().into_iter().map(|call| call.model).collect();
        assert_eq!(models, ["one", "one", "one", "two", "two", "two"]);
        let (ids, _) = listed(&world, &anna, "").await;
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
            let heard = ask(&world, &anna, json!({ "message": message, "conversation_id": "new" })).await;
            assert_eq!(heard.status, if n == 7 { 400 } else { 200 }, "{n}");
            world.pass(1_000).await;
        }
        let refused = world.chat(&anna, "Hello", None).await;
        assert_eq!(error(&refused), (429, "Too many requests. Please slow down."));
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
        let id = id_of(&heard);
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
        let new =
            |text: &'static str| ask(&world, &anna, json!({ "message": text, "conversation_id": "new" }));
        let (one, two, three, four) = tokio::join!(new("1"), new("2"), new("3"), new("4"));
        assert_eq!(four.header("retry-after"), Some("5"));
        assert_eq!(error(&four), (429, "Too many requests. Please slow down."));
        let replies = [one, two, three].map(|heard| heard.body["reply"].as_str().unwrap().to_owned());
        assert_eq!(replies, ["1", "2", "3"]);
        assert_eq!(new("4").await.body["reply"], "4");
    });
}

#[test]
fn a_question_without_context_comes_from_the_cache() {
    run(async {
        let world = world(&[]);
        let (anna, bella) = (world.wx_login("anna").await, world.wx_login("bella").await);
        let first = world.chat(&anna, "Opening hours?", None).await;
        let second = world.chat(&bella, "Opening hours?", None).await;
        assert_eq!(second.body["reply"], first.body["reply"]);
        assert_eq!(second.body["tokens_used"], 0, "it cost nothing");
        assert_eq!(world.model_calls().len(), 1);
        world.chat(&anna, "Opening hours?", Some(&id_of(&first))).await;
        assert_eq!(world.model_calls().len(), 2, "with context it may mean something else");
    });
}

#[test]
fn a_long_conversation_is_condensed() {
    run(async {
        let world = world(&[("RATE_LIMIT", "100")]);
        world.model(|call| match call.is_compaction() {
            true => answers(0, &"The gist. ".repeat(1_000)),
            false => answers(0, &format!("{} {}", call.number, "words ".repeat(200))),
        });
        let anna = world.wx_login("anna").await;
        let id = id_of(&world.chat(&anna, "Question 1", None).await);
        for n in 2..=20 {
            assert_eq!(world.chat(&anna, &format!("Question {n}"), Some(&id)).await.status, 200);
            world.pass(1_000).await;
        }
        let told = world.model_calls().last().unwrap().inputs["messages"].to_string();
        assert!(told.contains("The gist.") && !told.contains("Question 1\""), "{told}");
        assert!(told.contains("Question 19") && told.len() < 14_000, "{} bytes", told.len());
        let shown = world.api("GET", &format!("conversations/{id}"), &anna, "").await.body;
        assert_eq!(shown["messages"].as_array().unwrap().len(), 40, "people still find all of it");
        let stored = world.mini_disk(&anna).dump();
        assert!(stored.matches("The gist.").count() <= 200, "a summary is 2,000 bytes at most");
    });
}

#[test]
fn titles_and_pages() {
    run(async {
        let world = world(&[("RATE_LIMIT", "100")]);
        let anna = world.wx_login("anna").await;
        let mut ids = Vec::new();
        for n in 0..25 {
            let message = format!("  {n} {}\nand more", "云杉".repeat(20));
            ids.insert(
                0,
                id_of(&ask(&world, &anna, json!({ "message": message, "conversation_id": "new" })).await),
            );
            world.pass(10).await;
        }
        let first = world.api("GET", "conversations?limit=1", &anna, "").await.body;
        let title = first["conversations"][0]["title"].as_str().unwrap();
        assert_eq!(title, format!("24 {}…", "云杉云杉云杉云杉云杉云杉云杉云杉云杉云"));
        let (page, next) = listed(&world, &anna, "").await;
        assert_eq!((page.as_slice(), &next), (&ids[..20], &json!(ids[19])));
        let (rest, next) = listed(&world, &anna, &format!("?after={}", ids[19])).await;
        assert_eq!((rest.as_slice(), &next), (&ids[20..], &Value::Null));
        for (query, length) in [("?limit=25", 25), ("?limit=0", 1), ("?limit=1000", 25), ("?limit=x", 20)] {
            assert_eq!(listed(&world, &anna, query).await.0.len(), length, "{query}");
        }
        world.chat(&anna, "Again", Some(&ids[7])).await;
        assert_eq!(listed(&world, &anna, "?limit=1").await.0, [ids[7].clone()], "spoken in last");
    });
}

#[test]
fn a_conversation_deleted_while_it_is_answered_stays_deleted() {
    run(async {
        let world = world(&[]);
        world.model(|call| answers(5_000, &call.question()));
        let anna = world.wx_login("anna").await;
        let kept = id_of(&world.chat(&anna, "Kept", None).await);
        let question = json!({ "message": "Deleted", "conversation_id": "new" });
        let waiting = ask(&world, &anna, question.clone());
        let deleting = async {
            let mut events = world.events("POST", "chat", &anna, None, &question.to_string()).await.unwrap();
            assert_eq!(events.next().await.unwrap().kind, "begin");
            let all = world.api("DELETE", "conversations", &anna, "").await;
            assert_eq!(all.body, json!({ "deleted": 3 }));
            events.rest().await
        };
        let (waited, seen) = tokio::join!(waiting, deleting);
        assert_eq!(error(&waited), NOT_FOUND);
        assert_eq!(seen.last().unwrap().kind, "error");
        world.pass(60_000).await;
        assert_eq!(listed(&world, &anna, "").await.0.len(), 0);
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
        assert_eq!(listed(&world, &back, "").await.0.len(), 0);
    });
}
