//! The Mini Program's WebSockets, at the object that has them.

use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::digest::Digest;

use crate::world::mini::{SentEvent, Wire, shown, world};
use crate::world::{World, answers, run};

fn kinds(events: &[SentEvent]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

/// A person's WebSocket, and what they say by it.
fn tell(world: &World, session: &str, wire: &Wire, text: &str) {
    let user = world.mini_user(session.split('.').next().unwrap());
    user.heard(Digest::of(session).as_str(), text, Rc::new(wire.clone())).unwrap();
}

fn tell_json(world: &World, session: &str, wire: &Wire, message: &Value) {
    tell(world, session, wire, &message.to_string());
}

/// Until nothing goes on any more.
async fn settle(world: &World) {
    world.pass(20_000).await;
}

#[test]
fn an_answer_by_websocket() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(0, "One two three"));
        world.model_pause(1_000);
        let anna = world.wx_login("anna").await;
        let wire = Wire::default();
        let chat =
            json!({ "type": "chat", "message": "Count", "conversation_id": null, "message_id": "m-1" });
        tell_json(&world, &anna, &wire, &chat);
        settle(&world).await;
        let heard = wire.heard();
        let id = heard[0]["conversation_id"].as_str().unwrap().to_owned();
        for message in &heard {
            assert_eq!((&message["conversation_id"], &message["message_id"]), (&json!(id), &json!("m-1")));
            assert!(message["id"].is_string());
        }
        let types: Vec<&str> = heard.iter().map(|message| message["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["begin", "delta", "delta", "delta", "done"]);
        let done = heard.last().unwrap();
        assert_eq!((&done["reply"], &done["tokens_used"]), (&json!("One two three"), &json!(13)));

        // The same message again is the same answer; a resumed one says whose it is.
        let again = Wire::default();
        tell_json(&world, &anna, &again, &chat);
        let last = &heard[1]["id"];
        tell_json(
            &world,
            &anna,
            &again,
            &json!({ "type": "resume", "conversation_id": id, "last_event_id": last }),
        );
        let types: Vec<(Value, Value)> = again
            .heard()
            .iter()
            .map(|message| (message["type"].clone(), message["message_id"].clone()))
            .collect();
        assert_eq!(types, [(json!("done"), json!("m-1")), (json!("done"), Value::Null)]);
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn a_websocket_that_broke_is_followed_by_another_one() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(0, "One two three four five"));
        world.model_pause(1_000);
        let anna = world.wx_login("anna").await;
        let first = Wire::default();
        tell_json(
            &world,
            &anna,
            &first,
            &json!({ "type": "chat", "message": "Count", "conversation_id": "new" }),
        );
        world.pass(2_500).await;
        first.hang_up();
        let before = first.heard();
        let (id, last) = (&before[0]["conversation_id"], &before.last().unwrap()["id"]);
        world.pass(1_000).await;
        let second = Wire::default();
        tell_json(
            &world,
            &anna,
            &second,
            &json!({ "type": "resume", "conversation_id": id, "last_event_id": last }),
        );
        settle(&world).await;
        assert_eq!(first.heard(), before, "whoever hung up hears nothing");
        let events = before.into_iter().chain(second.heard()).map(|data| {
            let text = |name: &str| data[name].as_str().unwrap().to_owned();
            SentEvent { id: text("id"), kind: text("type"), data }
        });
        let events: Vec<SentEvent> = events.collect();
        assert!(!kinds(&events).contains(&"replace"));
        assert_eq!(shown(&events), "One two three four five");
        // A crash forgets who listened, but not what was asked.
        world.crash();
        let third = Wire::default();
        tell_json(
            &world,
            &anna,
            &third,
            &json!({ "type": "resume", "conversation_id": events[0].data["conversation_id"] }),
        );
        assert_eq!(third.heard()[0]["reply"], "One two three four five");
    });
}

#[test]
fn refusals_by_websocket() {
    run(async {
        let world = world(&[("RATE_LIMIT", "3")]);
        let anna = world.wx_login("anna").await;
        let invalid = json!({ "type": "error", "status": 400, "error": "Invalid message" });
        let wire = Wire::default();
        for text in ["", "garbage", "[]", "null", "7", "{}", "{\"type\":7}", "{\"type\":\"dance\"}", "\u{0}"]
        {
            tell(&world, &anna, &wire, text);
            assert_eq!(wire.heard().last().unwrap(), &invalid, "{text}");
        }
        let cases = [
            (
                json!({ "type": "chat", "message": "", "message_id": "a" }),
                json!({ "type": "error", "status": 400, "error": "Invalid message", "message_id": "a" }),
            ),
            (
                json!({ "type": "chat", "message": "x", "conversation_id": "none" }),
                json!({ "type": "error", "status": 404, "error": "Not found" }),
            ),
            (
                json!({ "type": "resume", "conversation_id": "none" }),
                json!({ "type": "error", "status": 404, "error": "Not found" }),
            ),
            (json!({ "type": "resume" }), json!({ "type": "error", "status": 404, "error": "Not found" })),
        ];
        for (said, refusal) in cases {
            tell_json(&world, &anna, &wire, &said);
            assert_eq!(wire.heard().last().unwrap(), &refusal, "{said}");
        }
        tell_json(&world, &anna, &wire, &json!({ "type": "chat", "message": "Hello" }));
        tell_json(&world, &anna, &wire, &json!({ "type": "chat", "message": "Hello", "message_id": "b" }));
        let slow_down = json!({
            "type": "error", "status": 429, "error": "Too many requests. Please slow down.", "retry_after": 60, "message_id": "b",
        });
        assert_eq!(wire.heard().last().unwrap(), &slow_down);
        settle(&world).await;
        assert_eq!(wire.heard().last().unwrap()["reply"], "Answer to Hello", "the one before is answered");
        assert_eq!(wire.closed(), None);
    });
}

#[test]
fn nobody_keeps_an_object_busy_with_garbage() {
    run(async {
        let world = world(&[("RATE_LIMIT", "2")]);
        let anna = world.wx_login("anna").await;
        let wire = Wire::default();
        for _ in 0..20 {
            tell(&world, &anna, &wire, "garbage");
        }
        let statuses: Vec<u64> =
            wire.heard().iter().map(|message| message["status"].as_u64().unwrap()).collect();
        assert_eq!((&statuses[..12], statuses[12]), (&[400; 12][..], 429));
    });
}

#[test]
fn a_websocket_ends_with_its_session() {
    run(async {
        let world = world(&[]);
        let (anna, tablet) = (world.wx_login("anna").await, world.wx_login("anna").await);
        let (wire, other) = (Wire::default(), Wire::default());
        let hello = json!({ "type": "chat", "message": "Hello", "conversation_id": "new" });
        world.api("POST", "auth/logout", &anna, "").await;
        tell_json(&world, &anna, &wire, &hello);
        assert_eq!((wire.closed(), wire.heard().len()), (Some(4_401), 0));
        tell_json(&world, &tablet, &other, &hello);
        assert_eq!((other.closed(), other.heard().len()), (None, 1));
        settle(&world).await;
        // The attachment of a WebSocket is the digest of a key; what is none opens nothing.
        let user = world.mini_user(tablet.split('.').next().unwrap());
        for session in ["", "x", &tablet] {
            let wire = Wire::default();
            user.heard(session, &hello.to_string(), Rc::new(wire.clone())).unwrap();
            assert_eq!((wire.closed(), wire.heard().len()), (Some(4_401), 0), "{session}");
            assert_eq!(user.admit(session).unwrap_err().status, 401);
        }
        world.pass(wxapi::login::mini::IDLE).await;
        let late = Wire::default();
        tell_json(&world, &tablet, &late, &hello);
        assert_eq!(late.closed(), Some(4_401));
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn using_a_websocket_keeps_the_session_alive() {
    run(async {
        let world = world(&[]);
        let anna = world.wx_login("anna").await;
        let wire = Wire::default();
        let hello = json!({ "type": "chat", "message": "Hello", "conversation_id": "new" });
        tell_json(&world, &anna, &wire, &hello);
        let id = wire.heard()[0]["conversation_id"].clone();
        for _ in 0..3 {
            world.pass(5 * 86_400_000).await;
            tell_json(&world, &anna, &wire, &json!({ "type": "resume", "conversation_id": id }));
        }
        assert_eq!(wire.closed(), None);
    });
}
