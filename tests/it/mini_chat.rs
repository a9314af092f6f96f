//! The Mini Program's API: logging in, talking, coming back.

use serde_json::{Value, json};

use crate::world::mini::{Events, shown, world};
use crate::world::{World, answers, run};

/// Somebody asks for a stream, of which a word comes every second; their session.
async fn counting() -> (World, String, Events) {
    let world = world(&[]);
    world.model(|_| answers(0, "One two three four"));
    world.model_pause(1_000);
    let session = world.wx_login("anna").await;
    let body = json!({ "message": "Count", "conversation_id": null }).to_string();
    let events = world.events("POST", "chat", &session, None, &body).await.unwrap();
    (world, session, events)
}

#[test]
fn somebody_logs_in_talks_and_reads_it_again() {
    run(async {
        let world = world(&[]);
        let session = world.wx_login("anna").await;
        let first = world.chat(&session, "What is a spruce?", None).await;
        assert_eq!(first.status, 200, "{first:?}");
        assert_eq!(first.body["reply"], "Answer to What is a spruce?");
        assert_eq!(first.body["tokens_used"], "Answer to What is a spruce?".len());
        let id = first.body["conversation_id"].as_str().unwrap().to_owned();

        let second = world.chat(&session, "And a fir?", Some(&id)).await;
        assert_eq!(second.body["conversation_id"], *id);
        let told = world.model_calls().last().unwrap().inputs["messages"].clone();
        assert_eq!(told[1]["content"], "What is a spruce?", "the model is told what was said before: {told}");

        let shown = world.api("GET", &format!("conversations/{id}"), &session, "").await;
        let said: Vec<(&str, &str)> = shown.body["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| (message["role"].as_str().unwrap(), message["content"].as_str().unwrap()))
            .collect();
        assert_eq!(
            said,
            [
                ("user", "What is a spruce?"),
                ("assistant", "Answer to What is a spruce?"),
                ("user", "And a fir?"),
                ("assistant", "Answer to And a fir?"),
            ]
        );
        let list = world.api("GET", "conversations", &session, "").await;
        assert_eq!(list.body["conversations"][0]["title"], "What is a spruce?");
        assert_eq!(list.body["next"], Value::Null);
    });
}

#[test]
fn words_are_passed_on_as_they_come() {
    run(async {
        let (world, _, mut events) = counting().await;
        let begun = wxapi::platform::Platform::now(&world);
        assert_eq!(events.next().await.unwrap().kind, "begin");
        let first = events.next().await.unwrap();
        assert_eq!((first.kind.as_str(), &first.data["delta"]), ("delta", &json!("One")));
        assert!(wxapi::platform::Platform::now(&world) - begun <= 1_000, "the first word waits for no other");
        let rest = events.rest().await;
        let last = rest.last().unwrap();
        assert_eq!((last.kind.as_str(), &last.data["reply"]), ("done", &json!("One two three four")));
        let all: Vec<_> = [first].into_iter().chain(rest).collect();
        assert_eq!(shown(&all), "One two three four");
    });
}

#[test]
fn whoever_hangs_up_finds_the_answer_later() {
    run(async {
        let (world, session, mut events) = counting().await;
        let id = events.next().await.unwrap().data["conversation_id"].as_str().unwrap().to_owned();
        let seen = events.next().await.unwrap();
        drop(events);
        let target = format!("chat/{id}");
        let early = world.api("GET", &target, &session, "").await;
        assert_eq!((early.status, &early.body["status"]), (202, &json!("pending")));

        // Somebody comes back: what they have is not told again.
        let mut events = world.events("GET", &target, &session, Some(&seen.id), "").await.unwrap();
        let rest = events.rest().await;
        let all: Vec<_> = [seen].into_iter().chain(rest).collect();
        assert_eq!(shown(&all), "One two three four");
        assert!(all.iter().all(|event| event.kind != "replace"), "{all:?}");

        let late = world.api("GET", &target, &session, "").await;
        assert_eq!((late.status, &late.body["reply"]), (200, &json!("One two three four")));
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn an_answer_survives_the_death_of_its_object() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(10_000, "At last"));
        let session = world.wx_login("anna").await;
        let body = json!({ "message": "Wait", "conversation_id": null }).to_string();
        let mut events = world.events("POST", "chat", &session, None, &body).await.unwrap();
        let id = events.next().await.unwrap().data["conversation_id"].as_str().unwrap().to_owned();
        drop(events);
        world.pass(1_000).await;
        world.crash();
        // Nobody asks: the alarm finds the question.
        world.pass(60_000).await;
        assert_eq!(world.model_calls().len(), 2);
        let late = world.api("GET", &format!("chat/{id}"), &session, "").await;
        assert_eq!((late.status, &late.body["reply"]), (200, &json!("At last")));
    });
}

#[test]
fn an_earlier_answer_is_found_by_the_name_of_its_question() {
    run(async {
        let world = world(&[]);
        let session = world.wx_login("anna").await;
        let ask = async |text: &str, name: &str, place: &Value| {
            let body = json!({ "message": text, "message_id": name, "conversation_id": place }).to_string();
            world.api("POST", "chat", &session, &body).await
        };
        let first = ask("One", "m1", &Value::Null).await;
        let id = first.body["conversation_id"].clone();
        ask("Two", "m2", &id).await;
        let id = id.as_str().unwrap();
        let reply = async |target: &str| {
            let heard = world.api("GET", &format!("chat/{id}{target}"), &session, "").await;
            (heard.status, heard.body["reply"].clone())
        };
        assert_eq!(reply("").await, (200, json!("Answer to Two")));
        assert_eq!(reply("?message_id=m1").await, (200, json!("Answer to One")));
        assert_eq!(reply("?message_id=m3").await, (404, Value::Null));
    });
}

#[test]
fn whoever_comes_with_an_ended_session_is_counted_by_their_address() {
    run(async {
        let world = world(&[]);
        let session = world.wx_login("anna").await;
        assert_eq!(world.api("POST", "auth/logout", &session, "").await.status, 200);
        assert_eq!(world.api("GET", "export", &session, "").await.status, 401);
        world.flood();
        assert_eq!(world.api("GET", "export", &session, "").await.status, 429);
        assert_eq!(world.chat(&session, "Hello", None).await.status, 429);
    });
}

#[test]
fn a_session_needs_no_other_limit_than_its_own() {
    run(async {
        let world = world(&[]);
        let session = world.wx_login("anna").await;
        world.flood();
        assert_eq!(world.chat(&session, "Hello", None).await.status, 200);
        assert_eq!(world.api("HEAD", "health", "", "").await.response.body, "");
    });
}
