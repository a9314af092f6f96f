//! `MSG_SEC_CHECK=on`: WeChat looks at what people say, and at what the model answers, before anybody sees it.

use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::chat::thread::Thread;
use wxapi::platform::Platform;

use crate::world::mini::{Events, Heard, SentEvent, Wire, shown};
use crate::world::mini_api::{Api, no, world};
use crate::world::{Answer, World, answers, run};

const CHECK: &str = "/wxa/msg_sec_check";
const SORRY: &str = "Sorry, this is nothing I can talk about. Please ask me something else.";
const DOWN: &str = "Service temporarily unavailable";
const NOT_ALLOWED: &str = "Content not allowed";

/// WeChat takes `risky` for a risk, and would have somebody look at `review`.
fn judge(content: &str) -> Answer {
    let (suggest, label) = match content {
        content if content.contains("risky") => ("risky", 20006),
        content if content.contains("review") => ("review", 10001),
        _ => ("pass", 100),
    };
    Answer::json(&json!({ "errcode": 0, "result": { "suggest": suggest, "label": label } }).to_string())
}

/// A world with a guard, and somebody in it.
async fn guarded() -> (World, Rc<Api>, String) {
    let (world, api) = world(&[("MSG_SEC_CHECK", "on")], |path, body| {
        assert_eq!(path, CHECK);
        Ok(judge(body["content"].as_str().unwrap()))
    });
    let session = world.wx_login("anna").await;
    (world, api, session)
}

fn contents(api: &Api) -> Vec<String> {
    api.bodies(CHECK).iter().map(|body| body["content"].as_str().unwrap().to_owned()).collect()
}

fn log_of(world: &World) -> String {
    world.log().iter().map(|line| line.to_json() + "\n").collect()
}

fn message(text: &str, name: &str) -> String {
    json!({ "message": text, "conversation_id": null, "message_id": name }).to_string()
}

async fn listen(world: &World, session: &str, text: &str) -> Events {
    world.events("POST", "chat", session, None, &message(text, "m")).await.unwrap()
}

fn kinds(events: &[SentEvent]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

#[track_caller]
fn check(heard: &Heard, status: u16, error: &str) {
    assert_eq!((heard.status, heard.error()), (status, error), "{heard:?}");
}

#[test]
fn question_and_answer_are_looked_at_for_whoever_asks() {
    run(async {
        let (world, api, session) = guarded().await;
        let heard = world.chat(&session, "Trees?", None).await;
        assert_eq!((heard.status, &heard.body["reply"]), (200, &json!("Answer to Trees?")));
        let asked = api.bodies(CHECK);
        let one = |text: &str| json!({ "version": 2, "openid": "mini-anna", "scene": 4, "content": text });
        assert_eq!(asked, [one("Trees?"), one("Answer to Trees?")]);
        // The cache, which others fill as well, saves the model's call and not WeChat's look.
        let heard = world.chat(&session, "Trees?", Some("new")).await;
        assert_eq!(heard.status, 200);
        assert_eq!((api.bodies(CHECK).len(), world.model_calls().len()), (4, 1));
    });
}

#[test]
fn without_a_guard_nobody_is_asked() {
    run(async {
        let (world, api) = world(&[], |_, _| Ok(judge("risky")));
        let session = world.wx_login("anna").await;
        assert_eq!(world.chat(&session, "risky", None).await.body["reply"], "Answer to risky");
        assert_eq!(api.calls.borrow().len(), 0);
    });
}

#[test]
fn a_risky_question_gets_no_answer_and_stays_refused() {
    run(async {
        let (world, api, session) = guarded().await;
        let first = world.api("POST", "chat", &session, &message("a risky one", "m1")).await;
        check(&first, 400, NOT_ALLOWED);
        let looks = api.bodies(CHECK).len();
        let again = world.api("POST", "chat", &session, &message("a risky one", "m1")).await;
        check(&again, 400, NOT_ALLOWED);
        assert_eq!((api.bodies(CHECK).len(), looks, world.model_calls().len()), (1, 1, 0));
        let list = world.api("GET", "conversations", &session, "").await;
        let id = list.body["conversations"][0]["id"].as_str().unwrap().to_owned();
        check(&world.api("GET", &format!("chat/{id}"), &session, "").await, 400, NOT_ALLOWED);

        // No later question refers to it.
        let next = world.chat(&session, "And now?", Some(&id)).await;
        assert_eq!(next.status, 200);
        let told = world.model_calls()[0].inputs["messages"].to_string();
        assert!(!told.contains("risky"), "{told}");
        let log = log_of(&world);
        assert!(log.contains("mini.risky") && log.contains("question: label 20006"), "{log}");
        assert!(!log.contains("a risky one") && !log.contains("mini-anna"), "{log}");
    });
}

#[test]
fn a_risky_question_is_refused_in_a_stream_and_by_a_socket() {
    run(async {
        let (world, _, session) = guarded().await;
        let events = listen(&world, &session, "risky").await.rest().await;
        assert_eq!(kinds(&events), ["begin", "error"]);
        let id = events[1].data["conversation_id"].as_str().unwrap();
        let error = json!({ "type": "error", "conversation_id": id, "error": NOT_ALLOWED });
        assert_eq!(events[1].data, error);
        let resumed = world.events("GET", &format!("chat/{id}"), &session, Some("1.0.0.0"), "").await;
        assert_eq!(resumed.unwrap().rest().await.last().unwrap().data, error);

        let (name, proof) = (session.split('.').next().unwrap(), wxapi::digest::Digest::of(&session));
        let wire = Wire::default();
        let user = world.mini_user(name);
        let say = json!({ "type": "chat", "message": "risky", "conversation_id": null, "message_id": "w" });
        user.heard(proof.as_str(), &say.to_string(), Rc::new(wire.clone())).unwrap();
        world.pass(100).await;
        let last = wire.heard().last().unwrap().clone();
        assert_eq!((&last["type"], &last["status"]), (&json!("error"), &json!(400)));
        assert_eq!((&last["error"], &last["message_id"]), (&json!(NOT_ALLOWED), &json!("w")));
        // The same again is answered at once, and the same way.
        user.heard(proof.as_str(), &say.to_string(), Rc::new(wire.clone())).unwrap();
        assert_eq!(wire.heard().last().unwrap()["status"], 400);
    });
}

#[test]
fn nothing_of_an_answer_is_shown_before_it_was_looked_at() {
    run(async {
        let (world, api, session) = guarded().await;
        world.model(|_| answers(0, "One two three four"));
        world.model_pause(1_000);
        let start = world.now();
        let mut events = listen(&world, &session, "Count").await;
        assert_eq!(events.next().await.unwrap().kind, "begin");
        assert!(world.now() < start + 500, "that it is heard is told at once");
        let first = events.next().await.unwrap();
        assert!(world.now() >= start + 4_000, "the model needs so long");
        assert_eq!(contents(&api), ["Count", "One two three four"]);
        let all: Vec<_> = [first].into_iter().chain(events.rest().await).collect();
        assert_eq!(kinds(&all), ["delta", "done"]);
        assert_eq!(shown(&all), "One two three four");
    });
}

#[test]
fn a_risky_answer_is_replaced_by_a_sentence_of_ours() {
    run(async {
        let (world, _, session) = guarded().await;
        world.model(|_| answers(0, "Something risky indeed"));
        let heard = world.chat(&session, "Tell me", None).await;
        assert_eq!((heard.status, &heard.body["reply"]), (200, &json!(SORRY)));
        assert_eq!(heard.body["tokens_used"], "Something risky indeed".len());
        let events = listen(&world, &session, "Tell me").await.rest().await;
        assert_eq!(kinds(&events), ["begin", "delta", "done"]);
        assert_eq!(shown(&events), SORRY);
        assert_eq!(world.model_calls().len(), 2, "it was not kept for others");
        let export = world.api("GET", "export", &session, "").await;
        assert!(!export.response.body.contains("Something risky"), "it is not kept at all");
        assert!(log_of(&world).contains("answer: label 20006"));
    });
}

#[test]
fn the_sentence_is_in_the_language_of_the_account() {
    run(async {
        let guarded = [("MSG_SEC_CHECK", "on"), ("LANG", "zh")];
        let (world, _) = world(&guarded, |_, body| Ok(judge(body["content"].as_str().unwrap())));
        world.model(|_| answers(0, "risky"));
        let session = world.wx_login("anna").await;
        let heard = world.chat(&session, "说说看", None).await;
        assert_eq!(heard.body["reply"], "抱歉，这个话题我不方便讨论，换个问题试试吧。");
    });
}

#[test]
fn what_should_be_reviewed_is_let_through_and_told() {
    run(async {
        let (world, _, session) = guarded().await;
        let heard = world.chat(&session, "review this", None).await;
        assert_eq!((heard.status, &heard.body["reply"]), (200, &json!("Answer to review this")));
        let log = log_of(&world);
        assert_eq!(log.matches("mini.review").count(), 2, "{log}");
        assert!(!log.contains("review this"), "{log}");
    });
}

#[test]
fn what_others_left_in_the_cache_is_looked_at() {
    run(async {
        let (world, _, session) = guarded().await;
        let now = world.now();
        world.app().answers.borrow_mut().put("What?", "a risky answer", now);
        let heard = world.chat(&session, "What?", None).await;
        assert_eq!((heard.status, &heard.body["reply"]), (200, &json!(SORRY)));
        assert_eq!(world.model_calls().len(), 0);
    });
}

#[test]
fn a_long_text_is_looked_at_in_pieces() {
    run(async {
        let (world, api, session) = guarded().await;
        // The risk is at the very end, and where the first piece is cut.
        for (words, reply) in [(2_000, None), (1_000, Some(SORRY)), (416, Some(SORRY))] {
            let text = match reply {
                None => "words ".repeat(words),
                Some(_) => format!("{}risky{}", "words ".repeat(words), " words".repeat(20)),
            };
            let written = text.clone();
            world.model(move |_| answers(0, &written));
            let before = api.bodies(CHECK).len();
            let heard = world.chat(&session, "Write", Some("new")).await;
            assert_eq!(heard.status, 200);
            assert_eq!(heard.body["reply"], reply.unwrap_or(text.trim_end()), "{words}");
            let looks = api.bodies(CHECK).split_off(before + 1);
            assert!(looks.len() > 1, "{words}: one look is not enough");
            let longest = looks.iter().map(|body| body["content"].as_str().unwrap().chars().count()).max();
            assert!(longest.unwrap() <= 2_500);
            // No cache between the rounds.
            world.app().answers.replace(Default::default());
        }
    });
}

#[test]
fn if_wechat_cannot_be_asked_nobody_sees_anything() {
    run(async {
        let (world, api, session) = guarded().await;
        api.down.set(true);
        let heard = world.api("POST", "chat", &session, &message("Hello", "m1")).await;
        check(&heard, 500, DOWN);
        assert_eq!(world.model_calls().len(), 0);
        assert!(log_of(&world).contains("mini.unchecked"));
        let events = listen(&world, &session, "Hello").await.rest().await;
        assert_eq!((kinds(&events), &events[1].data["error"]), (vec!["begin", "error"], &json!(DOWN)));

        // It may be asked again.
        api.down.set(false);
        let heard = world.chat(&session, "Hello", None).await;
        assert_eq!((heard.status, &heard.body["reply"]), (200, &json!("Answer to Hello")));
    });
}

#[test]
fn an_answer_that_nobody_could_look_at_is_kept_back() {
    run(async {
        for errcode in [48001, 45009, 61010, 43104] {
            let (world, _) = world(&[("MSG_SEC_CHECK", "on")], move |_, body| {
                let content = body["content"].as_str().unwrap();
                Ok(if content.starts_with("Answer") { no(errcode) } else { judge(content) })
            });
            let session = world.wx_login("anna").await;
            let events = listen(&world, &session, "Hello").await.rest().await;
            assert_eq!((kinds(&events), &events[1].data["error"]), (vec!["begin", "error"], &json!(DOWN)));
            let export = world.api("GET", "export", &session, "").await;
            assert!(!export.response.body.contains("Answer to"));
            let log = log_of(&world);
            assert!(log.contains(&format!("answer: WeChat answered {errcode}")), "{log}");
            let now = world.now();
            assert_eq!(world.app().answers.borrow().get("Hello", now), None, "it is not kept for others");
        }
    });
}

#[test]
fn a_dead_token_and_a_busy_wechat_are_got_over() {
    run(async {
        let (world, api, session) = guarded().await;
        assert_eq!(world.chat(&session, "One", None).await.status, 200);
        api.dead.set(true);
        assert_eq!(world.chat(&session, "Two", None).await.status, 200);
        assert_eq!(api.tokens.get(), 2);

        for (fault, looks) in [(Some(-1), 4), (None, 4)] {
            let left = std::cell::Cell::new(2);
            let (world, api) = crate::world::mini_api::world(&[("MSG_SEC_CHECK", "on")], move |_, body| {
                if left.get() > 0 {
                    left.set(left.get() - 1);
                    return fault.map(no).ok_or_else(|| "connection reset".to_owned());
                }
                Ok(judge(body["content"].as_str().unwrap()))
            });
            let session = world.wx_login("anna").await;
            let heard = world.chat(&session, "Three", None).await;
            assert_eq!((heard.status, api.bodies(CHECK).len()), (200, looks), "{fault:?}");
        }
    });
}

#[test]
fn only_a_verdict_lets_a_text_pass() {
    run(async {
        for nothing in [r#"{"errcode":0}"#, r#"{"result":{"suggest":"fine","label":100}}"#, "<html>", "[]"] {
            let (world, _) = world(&[("MSG_SEC_CHECK", "on")], move |_, _| Ok(Answer::json(nothing)));
            let session = world.wx_login("anna").await;
            check(&world.chat(&session, "Hello", None).await, 500, DOWN);
            assert_eq!(world.model_calls().len(), 0, "{nothing}");
        }
    });
}

#[test]
fn documents_of_before_are_read_and_new_ones_look_like_them() {
    let before = r#"{"id":"t","title":"Hi","created":1,"active":3,"summarised":0,"said":[{"n":1,"question":{"text":"Hi"},"asked":1,"source":"app","starts":1,"answer":{"at":3,"text":"Hello","tokens":5,"failed":false}}]}"#;
    let mut thread = Thread::from_json(before).expect("a document of before");
    assert!(!thread.said[0].answer.as_ref().unwrap().refused);
    let shape = |thread: &Thread| serde_json::from_str::<Value>(&thread.to_json()).unwrap();
    assert_eq!(shape(&thread), serde_json::from_str::<Value>(before).unwrap());
    thread.said[0].answer.as_mut().unwrap().refused = true;
    assert_eq!(shape(&thread)["said"][0]["answer"]["refused"], true);
    assert_eq!(Thread::from_json(&thread.to_json()), Some(thread));
}
