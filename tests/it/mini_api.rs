//! The Mini Program's API: what each route answers.

use serde_json::{Value, json};
use wxapi::platform::Platform;

use crate::world::mini::{session_of, settings, world};
use crate::world::{DAWN, World, answers, run};

const NOT_FOUND: (u16, &str) = (404, "Not found");

#[test]
fn every_answer_in_full() {
    run(async {
        let world = world(&[]);
        let anna = world.wx_login("anna").await;
        let heard = world.chat(&anna, "什么是云杉？\nSay it 🌲", None).await;
        let id = heard.id();
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
        assert_eq!(world.api("GET", "export", &anna, "").await.refusal(), (401, "Invalid session"));
        let health = world.api("GET", "health", "", "").await;
        assert_eq!((health.status, health.body), (200, json!({ "status": "ok", "timestamp": world.now() })));
    });
}

#[test]
fn a_message_has_two_thousand_utf_16_units_at_most() {
    run(async {
        let world = World::new(&settings(&[("RATE_LIMIT", "100")]));
        world.wechat(|request| Ok(session_of(&request.url).unwrap()));
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
            let heard = world.ask(&anna, json!({ "message": message, "conversation_id": "new" })).await;
            let expected = if good { 200 } else { 400 };
            assert_eq!(heard.status, expected, "{message}");
            assert!(good || heard.body == json!({ "error": "Invalid message" }), "{heard:?}");
        }
        for body in ["", "no JSON", "[]", "null", "{\"message\":\"\\ud83d\"}"] {
            let heard = world.api("POST", "chat", &anna, body).await;
            assert_eq!(heard.refusal(), (400, "Invalid message"), "{body}");
        }
        for (body, fault) in [
            (json!({ "message": "x", "conversation_id": 7 }), "Invalid conversation_id"),
            (json!({ "message": "x", "conversation_id": {} }), "Invalid conversation_id"),
            (json!({ "message": "x", "message_id": 7 }), "Invalid message_id"),
            (json!({ "message": "x", "message_id": "" }), "Invalid message_id"),
            (json!({ "message": "x", "message_id": "云".repeat(65) }), "Invalid message_id"),
        ] {
            assert_eq!(world.ask(&anna, body.clone()).await.refusal(), (400, fault), "{body}");
        }
        let longest = json!({ "message": "x", "message_id": "云".repeat(64) });
        assert_eq!(world.ask(&anna, longest).await.status, 200, "64 characters, not bytes");
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
            ("POST", "health", "GET, HEAD"),
            ("GET", "auth/logout", "POST"),
        ] {
            let heard = world.api(method, target, &anna, "").await;
            assert_eq!(heard.refusal(), (405, "Method not allowed"), "{method} {target}");
            assert_eq!(heard.header("allow"), Some(allow));
        }
        for target in ["", "nothing", "chat/x/y", "conversations/x/y", "auth", "auth/x", "health/x"] {
            assert_eq!(world.api("GET", target, &anna, "").await.refusal(), NOT_FOUND, "{target}");
        }
        let heard = world.api("GET", "chat/ws", &anna, "").await;
        assert_eq!(
            (heard.refusal(), heard.header("upgrade")),
            ((426, "Upgrade required"), Some("websocket"))
        );
    });
}

#[test]
fn what_is_somebody_elses_is_not_found() {
    run(async {
        let world = world(&[]);
        let (anna, bella) = (world.wx_login("anna").await, world.wx_login("bella").await);
        let id = world.chat(&anna, "Mine", None).await.id();
        for id in [id.as_str(), "00000000000000000000000000000000", "x", "%27%20OR%201=1"] {
            for (method, target) in [("GET", "chat"), ("GET", "conversations"), ("DELETE", "conversations")] {
                let heard = world.api(method, &format!("{target}/{id}"), &bella, "").await;
                assert_eq!(heard.refusal(), NOT_FOUND, "{method} {target}/{id}");
            }
            assert_eq!(world.chat(&bella, "Let me in", Some(id)).await.refusal(), NOT_FOUND);
            assert_eq!(
                world.api("GET", &format!("conversations?after={id}"), &bella, "").await.refusal(),
                NOT_FOUND
            );
        }
        assert_eq!(world.listed(&bella, "").await.0.len(), 0);
        assert_eq!(world.model_calls().len(), 1);
        assert_eq!(world.api("GET", &format!("chat/{id}"), &anna, "").await.status, 200);
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
        world.chat(&anna, "Opening hours?", Some(&first.id())).await;
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
        let id = world.chat(&anna, "Question 1", None).await.id();
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
                world.ask(&anna, json!({ "message": message, "conversation_id": "new" })).await.id(),
            );
            world.pass(10).await;
        }
        let first = world.api("GET", "conversations?limit=1", &anna, "").await.body;
        let title = first["conversations"][0]["title"].as_str().unwrap();
        assert_eq!(title, format!("24 {}…", "云杉云杉云杉云杉云杉云杉云杉云杉云杉云"));
        let (page, next) = world.listed(&anna, "").await;
        assert_eq!((page.as_slice(), &next), (&ids[..20], &json!(ids[19])));
        let (rest, next) = world.listed(&anna, &format!("?after={}", ids[19])).await;
        assert_eq!((rest.as_slice(), &next), (&ids[20..], &Value::Null));
        for (query, length) in [("?limit=25", 25), ("?limit=0", 1), ("?limit=1000", 25), ("?limit=x", 20)] {
            assert_eq!(world.listed(&anna, query).await.0.len(), length, "{query}");
        }
        world.chat(&anna, "Again", Some(&ids[7])).await;
        assert_eq!(world.listed(&anna, "?limit=1").await.0, [ids[7].clone()], "spoken in last");
    });
}
