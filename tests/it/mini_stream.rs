//! The Mini Program's answers as they come: server-sent events, left and resumed at every point.

use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::platform::Platform;

use crate::world::mini::{Events, SentEvent, session_of, settings, shown, world};
use crate::world::{Answer, World, answers, run};

async fn say(world: &World, session: &str, message: &str) -> Events {
    let body = json!({ "message": message, "conversation_id": "new" }).to_string();
    world.events("POST", "chat", session, None, &body).await.unwrap()
}

async fn resume(world: &World, session: &str, id: &str, last: Option<&str>) -> Events {
    world.events("GET", &format!("chat/{id}"), session, last, "").await.unwrap()
}

fn kinds(events: &[SentEvent]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

fn id_of(event: &SentEvent) -> String {
    event.data["conversation_id"].as_str().unwrap().to_owned()
}

#[test]
fn events_in_full() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(0, "云杉 🌲"));
        world.model_pause(100);
        let anna = world.wx_login("anna").await;
        let seen = say(&world, &anna, "Tree").await.rest().await;
        let id = id_of(&seen[0]);
        let data: Vec<&Value> = seen.iter().map(|event| &event.data).collect();
        let tokens = "云杉 🌲".len();
        assert_eq!(
            data,
            [
                &json!({ "type": "begin", "conversation_id": id }),
                &json!({ "type": "delta", "conversation_id": id, "delta": "云杉" }),
                &json!({ "type": "delta", "conversation_id": id, "delta": " 🌲" }),
                &json!({ "type": "done", "conversation_id": id, "reply": "云杉 🌲", "tokens_used": tokens }),
            ]
        );
        for event in &seen {
            assert_eq!(event.data["type"], event.kind);
            assert!(!event.id.is_empty() && event.id.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    });
}

#[test]
fn a_stream_says_what_it_is() {
    run(async {
        let world = world(&[]);
        let anna = world.wx_login("anna").await;
        let request = wxapi::platform::Request {
            method: "POST".to_owned(),
            path: "/api/chat".to_owned(),
            headers: [("accept", "text/event-stream, */*"), ("x-wx-session", &anna)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: br#"{"message":"Hello"}"#.to_vec(),
            ..Default::default()
        };
        let response = world.send(request).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.passage.unwrap().content_type, "text/event-stream; charset=utf-8");
        for wanted in [("cache-control", "no-store"), ("x-accel-buffering", "no")] {
            assert!(
                response.headers.iter().any(|(name, value)| (*name, value.as_str()) == wanted),
                "{wanted:?}"
            );
        }
    });
}

#[test]
fn whoever_comes_back_at_any_point_reads_the_same() {
    run(async {
        let world = world(&[]);
        let text = "One 二 three 四🌲 five";
        world.model(move |_| answers(0, text));
        world.model_pause(1_000);
        let anna = world.wx_login("anna").await;
        let mut events = say(&world, &anna, "Count").await;
        let (mut seen, mut back) = (Vec::new(), Vec::new());
        while let Some(event) = events.next().await {
            let id = id_of(&event);
            seen.push(event);
            let last = seen.last().unwrap();
            back.push((seen.clone(), resume(&world, &anna, &id, Some(&last.id)).await));
        }
        let id = id_of(&seen[0]);
        assert_eq!(shown(&seen), text);
        for (mut before, mut events) in back {
            let rest = events.rest().await;
            assert!(rest.iter().all(|event| event.kind != "replace"), "{:?} then {rest:?}", before.last());
            assert_eq!(rest.last().unwrap().data["reply"], text);
            before.extend(rest);
            // Whoever comes when all is over is told the whole reply.
            assert!(shown(&before) == text || kinds(&before).ends_with(&["done", "done"]), "{before:?}");
        }
        // Afterwards, any event leads to the end.
        for event in &seen {
            let rest = resume(&world, &anna, &id, Some(&event.id)).await.rest().await;
            assert_eq!((kinds(&rest), &rest[0].data["reply"]), (vec!["done"], &json!(text)));
        }
        assert_eq!(kinds(&resume(&world, &anna, &id, None).await.rest().await), ["done"]);
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn an_event_that_never_was_leads_to_everything() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(0, "云杉 is a spruce"));
        world.model_pause(1_000);
        let anna = world.wx_login("anna").await;
        let mut events = say(&world, &anna, "Tree").await;
        events.next().await.unwrap();
        let delta = events.next().await.unwrap();
        let id = id_of(&delta);
        // `<exchange>.<life>.<edition>.<bytes>`; one of these would be in the middle of a character.
        let (place, _) = delta.id.rsplit_once('.').unwrap();
        let long = "9".repeat(5_000);
        let beyond =
            [format!("{place}.1"), format!("{place}.99999"), format!("{place}.-1"), format!("{place}.")];
        let odd = ["", "x", "1", "1.x.0.3", "2.00000000.0.0", "....", "-1.0.0.0", &long];
        let mut all = Vec::new();
        for last in beyond.iter().map(String::as_str).chain(odd) {
            all.push((last.to_owned(), resume(&world, &anna, &id, Some(last)).await));
        }
        for (last, mut events) in all {
            let rest = events.rest().await;
            assert_eq!(kinds(&rest[..2]), ["begin", "replace"], "{last}");
            assert_eq!(shown(&rest), "云杉 is a spruce", "{last}");
        }
    });
}

#[test]
fn whoever_is_cut_off_after_the_beginning_lacks_what_followed_it() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(0, "One two three four"));
        world.model_pause(1_000);
        let anna = world.wx_login("anna").await;
        let mut events = say(&world, &anna, "Count").await;
        let mut seen = vec![events.next().await.unwrap(), events.next().await.unwrap()];
        let id = id_of(&seen[0]);
        events.next().await.unwrap();
        // Those who know where they were, and those who do not.
        for last in [Some(seen[1].id.clone()), None] {
            let begin = resume(&world, &anna, &id, last.as_deref()).await.next().await.unwrap();
            assert_eq!(begin.kind, "begin");
            seen.push(begin.clone());
            let mut rest = resume(&world, &anna, &id, Some(&begin.id)).await;
            seen.extend([rest.next().await.unwrap(), rest.next().await.unwrap()]);
            assert_eq!(shown(&seen), "One two");
        }
    });
}

#[test]
fn an_answer_of_another_life_is_told_anew() {
    run(async {
        let world = world(&[]);
        world.model(|call| answers(0, if call.number == 1 { "Old words here" } else { "New words there" }));
        world.model_pause(1_000);
        let anna = world.wx_login("anna").await;
        let mut events = say(&world, &anna, "Speak").await;
        let mut seen = vec![events.next().await.unwrap(), events.next().await.unwrap()];
        assert_eq!(shown(&seen), "Old");
        world.crash();
        let rest = resume(&world, &anna, &id_of(&seen[0]), Some(&seen[1].id)).await.rest().await;
        assert!(rest.iter().any(|event| event.kind == "replace"), "{rest:?}");
        seen.extend(rest);
        assert_eq!(shown(&seen), "New words there");
        assert_eq!(world.model_calls().len(), 2);
    });
}

#[test]
fn of_two_who_listen_one_may_leave() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(0, "One two three four"));
        world.model_pause(1_000);
        let anna = world.wx_login("anna").await;
        let mut first = say(&world, &anna, "Count").await;
        let id = id_of(&first.next().await.unwrap());
        first.next().await.unwrap();
        let mut second = resume(&world, &anna, &id, Some("")).await;
        assert_eq!(second.next().await.unwrap().kind, "begin");
        drop(first);
        let rest = second.rest().await;
        assert_eq!(
            (shown(&rest).as_str(), rest.last().unwrap().kind.as_str()),
            ("One two three four", "done")
        );
    });
}

#[test]
fn silence_is_broken_every_fifteen_seconds_and_no_longer_than_needed() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(50_000, "Finally"));
        let anna = world.wx_login("anna").await;
        let mut events = say(&world, &anna, "Think").await;
        let begun = world.now();
        let seen = events.rest().await;
        assert_eq!(world.now() - begun, 50_000);
        assert_eq!((kinds(&seen), events.beats), (vec!["begin", "delta", "done"], 3));
    });
}

#[test]
fn thoughts_are_not_shown_and_what_turns_out_to_be_one_is_replaced() {
    run(async {
        let world = world(&[]);
        world.model_pause(500);
        let anna = world.wx_login("anna").await;
        world.model(|_| answers(0, "<think>I think so </think>Well, **yes** it is"));
        let seen = say(&world, &anna, "Thinks").await.rest().await;
        assert!(!format!("{seen:?}").contains("think so"), "{seen:?}");
        assert_eq!((shown(&seen).as_str(), kinds(&seen).contains(&"replace")), ("Well, yes it is", false));
        world.model(|_| answers(0, "I think so </think>Well, yes"));
        let seen = say(&world, &anna, "Thinks aloud").await.rest().await;
        assert!(kinds(&seen).contains(&"replace"), "{seen:?}");
        assert_eq!(shown(&seen), "Well, yes");
        assert_eq!(seen.last().unwrap().data["reply"], "Well, yes");
    });
}

#[test]
fn a_model_that_breaks_off_is_asked_again_and_what_was_shown_replaced() {
    run(async {
        let world =
            World::new(&settings(&[("AI_BASE_URL", "https://model.example.com/v1"), ("AI_MODEL", "m")]));
        let calls = Rc::new(std::cell::Cell::new(0));
        let count = Rc::clone(&calls);
        world.wechat(move |request| {
            if let Some(answer) = session_of(&request.url) {
                return Ok(answer);
            }
            count.set(count.get() + 1);
            let event = |content: &str| {
                format!("data: {}\n\n", json!({ "choices": [{ "delta": { "content": content } }] }))
            };
            let body = match count.get() {
                1 => event("Half an answer, then") + "data: {\"error\":{\"message\":\"overloaded\"}}\n\n",
                _ => event("A whole ") + &event("answer.") + "data: [DONE]\n\n",
            };
            Ok(Answer { status: 200, content_type: "text/event-stream", body: body.into_bytes() })
        });
        let anna = world.wx_login("anna").await;
        let seen = say(&world, &anna, "Speak").await.rest().await;
        assert_eq!(calls.get(), 2);
        assert!(seen[1].data["delta"].as_str().unwrap().starts_with("Half"), "{seen:?}");
        assert!(kinds(&seen).contains(&"replace"));
        assert_eq!(shown(&seen), "A whole answer.");
    });
}

#[test]
fn a_failure_ends_the_stream() {
    run(async {
        let world = world(&[("AI_MODEL", "m")]);
        world.model(|_| crate::world::ModelTurn { delay: 0, outcome: Err("5007: No such model".to_owned()) });
        let anna = world.wx_login("anna").await;
        let seen = say(&world, &anna, "Speak").await.rest().await;
        let id = id_of(&seen[0]);
        assert_eq!(kinds(&seen), ["begin", "error"]);
        let error =
            json!({ "type": "error", "conversation_id": id, "error": "Service temporarily unavailable" });
        assert_eq!(seen[1].data, error);
        let again = resume(&world, &anna, &id, Some(&seen[0].id)).await.rest().await;
        assert_eq!((kinds(&again), &again[0].data), (vec!["error"], &error));
    });
}

#[test]
fn whoever_resumes_nothing_is_told_so() {
    run(async {
        let world = world(&[]);
        let anna = world.wx_login("anna").await;
        let refused = world.events("GET", "chat/nothing", &anna, Some("1.2.3.4"), "").await.err().unwrap();
        assert_eq!((refused.status, refused.error()), (404, "Not found"));
        let refused = world.events("POST", "chat", &anna, None, "{}").await.err().unwrap();
        assert_eq!((refused.status, refused.error()), (400, "Invalid message"));
        let refused = world.events("POST", "chat", "forged", None, "{}").await.err().unwrap();
        assert_eq!((refused.status, refused.error()), (401, "Invalid session"));
    });
}
