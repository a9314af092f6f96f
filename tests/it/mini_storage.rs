//! What is stored of the Mini Program's users: its shape, its bounds, its end, and what happens when it cannot be read or
//! written.

use proptest::prelude::*;
use serde_json::{Value, json};
use wxapi::chat::state::Question;
use wxapi::chat::text::Texts;
use wxapi::chat::thread::{Reply, Source, Status, Thread};
use wxapi::config::Config;
use wxapi::digest::Digest;
use wxapi::handlers::mini::user::User;
use wxapi::platform::{Millis, Object, Platform, Tables};

use crate::world::mini::{Heard, world};
use crate::world::{DAWN, World, answers, run};

const DAY: Millis = 86_400_000;

fn texts() -> Texts {
    Config::load(|_| None).rules.texts
}

fn user_of(world: &World, session: &str) -> Value {
    serde_json::from_str(&world.mini_disk(session).document().unwrap()).unwrap()
}

fn threads_of(world: &World, session: &str) -> Vec<Value> {
    let rows = world.mini_disk(session).run("SELECT document FROM thread ORDER BY rowid", &[]).unwrap();
    rows.iter().map(|row| serde_json::from_str(row["document"].as_str().unwrap()).unwrap()).collect()
}

async fn new(world: &World, session: &str, message: &str) -> Heard {
    let body = json!({ "message": message, "conversation_id": "new" }).to_string();
    world.api("POST", "chat", session, &body).await
}

/// Later releases have to read what this one stores.
#[test]
fn the_stored_documents() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(0, "A tree"));
        let anna = world.wx_login("anna").await;
        let body = json!({ "message": "What is a spruce?", "message_id": "m-1" }).to_string();
        let id = world.api("POST", "chat", &anna, &body).await.id();
        let session = json!({
            "digest": Digest::of(&anna).as_str(), "session_key": "MDEyMzQ1Njc4OWFiY2RlZg==", "created": DAWN, "seen": DAWN,
        });
        let entry = json!({
            "id": id, "title": "What is a spruce?", "created": DAWN, "active": DAWN, "status": "idle", "unfinished": false, "waits": false,
        });
        let mut user = user_of(&world, &anna);
        user.as_object_mut().unwrap().remove("push");
        assert_eq!(
            user,
            json!({
                "holder": { "openid": "mini-anna", "created": DAWN, "seen": DAWN, "sessions": [session] },
                "threads": [entry],
                "current": { "thread": id, "spoken": DAWN, "outside": false },
                "asked": [DAWN],
            })
        );
        let thread = json!({
            "id": id, "title": "What is a spruce?", "created": DAWN, "active": DAWN, "summarised": 0,
            "said": [{
                "n": 1, "key": "m-1", "question": { "text": "What is a spruce?" }, "asked": DAWN, "source": "app", "starts": 1,
                "answer": { "at": DAWN, "text": "A tree", "tokens": 6, "failed": false },
            }],
        });
        assert_eq!(threads_of(&world, &anna), [thread]);
    });
}

#[test]
fn documents_of_the_least_that_was_ever_stored_are_read() {
    let thread = json!({
        "id": "t", "title": "", "created": 1, "active": 2,
        "said": [{ "n": 3, "question": { "text": "x" }, "asked": 1, "source": "account" }],
    });
    let thread = Thread::from_json(&thread.to_string()).unwrap();
    assert_eq!((thread.status(), thread.exchange(3).unwrap().source), (Status::Pending, Source::Account));
    assert_eq!(Thread::from_json(&thread.to_json()), Some(thread));
    assert_eq!(serde_json::from_str::<User>("{}").unwrap(), User::default());
    let entry = json!({ "id": "t", "title": "", "created": 1, "active": 2, "status": "failed" });
    let user: User = serde_json::from_str(&json!({ "threads": [entry], "later": true }).to_string()).unwrap();
    assert!(!user.threads[0].unfinished);
    for odd in ["", "{}", "[]", "null", "{\"id\":7}"] {
        assert_eq!(Thread::from_json(odd), None, "{odd}");
    }
}

fn reply(text: String, failed: bool) -> Reply {
    Reply { at: 9, text, tokens: 0, failed, refused: false }
}

#[test]
fn a_conversation_keeps_two_hundred_exchanges_and_a_quarter_of_a_megabyte() {
    let texts = texts();
    let mut thread = Thread::new("t".to_owned(), 0);
    let pending = thread.ask(Question::Text("never answered".to_owned()), "", Source::App, 0, &texts);
    for _ in 0..300 {
        let n = thread.ask(Question::Text("q".to_owned()), "", Source::App, 1, &texts);
        assert!(thread.answered(n, reply("a".to_owned(), false)));
    }
    assert_eq!(thread.said.len(), 200);
    assert!(thread.exchange(pending).is_some(), "what is not answered stays");
    assert!(thread.exchange(102).is_none() && thread.exchange(103).is_some(), "the oldest go first");
    for _ in 0..40 {
        let n = thread.ask(Question::Text("问".repeat(2_000)), "", Source::App, 1, &texts);
        thread.answered(n, reply("答".repeat(5_000), false));
    }
    assert!(thread.to_json().len() < 256 * 1024 + 16_384, "{} bytes", thread.to_json().len());
    assert!(thread.said.len() > 10);
}

proptest! {
    /// Questions and answers in any order leave a conversation that makes sense.
    #[test]
    fn a_conversation_makes_sense_whatever_happens(steps in prop::collection::vec((0..6u8, 1..12u32), 0..80)) {
        let texts = texts();
        let mut thread = Thread::new("t".to_owned(), 0);
        let mut newest = 0;
        for (step, n) in steps {
            match step {
                0 | 1 => {
                    let key = n.to_string();
                    let asked = thread.ask(Question::Text(format!("question {}", newest + 1)), &key, Source::App, 1, &texts);
                    prop_assert!(asked > newest, "numbers grow");
                    newest = asked;
                    prop_assert_eq!(thread.by_key(&key).map(|exchange| exchange.n), Some(asked));
                }
                2 | 3 => {
                    let open = thread.exchange(n).is_some_and(|exchange| exchange.answer.is_none());
                    prop_assert_eq!(thread.answered(n, reply(format!("answer {n}"), step == 3)), open);
                    prop_assert!(!thread.answered(n, reply("twice".to_owned(), false)));
                }
                4 => {
                    let failed = thread.exchange(n).and_then(|e| e.answer.as_ref()).is_some_and(|answer| answer.failed);
                    prop_assert_eq!(thread.ask_again(n, 2), failed);
                }
                _ => thread.summarise(n.min(newest), "so far"),
            }
            let pending = thread.said.iter().any(|exchange| exchange.answer.is_none());
            prop_assert_eq!(thread.status() == Status::Pending, pending);
            let history = thread.context(newest + 1, &texts);
            for turn in &history.turns {
                prop_assert_eq!(turn.question.replace("question", "answer"), turn.answer.clone());
            }
            prop_assert!(thread.said.windows(2).all(|pair| pair[0].n < pair[1].n));
            prop_assert_eq!(Thread::from_json(&thread.to_json()), Some(thread.clone()));
        }
    }
}

#[test]
fn a_hundred_conversations_are_kept() {
    run(async {
        let world = world(&[("RATE_LIMIT", "200")]);
        let anna = world.wx_login("anna").await;
        let first = new(&world, &anna, "The first").await.id();
        for n in 1..=100 {
            assert_eq!(new(&world, &anna, &n.to_string()).await.status, 200);
        }
        assert_eq!(user_of(&world, &anna)["threads"].as_array().unwrap().len(), 100);
        assert_eq!(threads_of(&world, &anna).len(), 100, "its document went with it");
        assert_eq!(world.api("GET", &format!("conversations/{first}"), &anna, "").await.status, 404);
    });
}

#[test]
fn a_conversation_in_which_nobody_speaks_is_deleted_after_thirty_days() {
    run(async {
        let world = world(&[]);
        let anna = world.wx_login("anna").await;
        let (old, lively) = (new(&world, &anna, "Old").await.id(), new(&world, &anna, "Lively").await.id());
        let mut session = anna;
        for _ in 0..5 {
            world.pass(6 * DAY - 1).await;
            session = world.wx_login("anna").await;
            world.chat(&session, "Still here", Some(&lively)).await;
        }
        assert_eq!(threads_of(&world, &session).len(), 2);
        world.pass(10).await;
        let list = world.api("GET", "conversations", &session, "").await.body;
        assert_eq!(list["conversations"].as_array().unwrap().len(), 1, "{list}");
        assert_eq!(world.api("GET", &format!("chat/{old}"), &session, "").await.status, 404);
        assert_eq!(threads_of(&world, &session).len(), 1);
        world.pass(31 * DAY).await;
        assert_eq!(
            (world.mini_disk(&session).dump().as_str(), world.mini_disk(&session).alarm()),
            ("", None)
        );
    });
}

#[test]
fn a_user_that_cannot_be_read_is_set_aside() {
    run(async {
        let world = world(&[]);
        let anna = world.wx_login("anna").await;
        new(&world, &anna, "Hello").await;
        world.crash();
        let disk = world.mini_disk(&anna);
        disk.put("{\"threads\":7}");
        assert_eq!(world.api("GET", "conversations", &anna, "").await.status, 401);
        assert_eq!(disk.aside().as_deref(), Some("{\"threads\":7}"));
        assert!(world.log().iter().any(|line| line.event == "mini.unreadable"));
        let again = world.wx_login("anna").await;
        assert_eq!(new(&world, &again, "Hello").await.status, 200);
    });
}

#[test]
fn a_conversation_that_cannot_be_read_keeps_nobody_awake() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(20_000, "Late"));
        let anna = world.wx_login("anna").await;
        let asked = tokio::time::timeout(std::time::Duration::from_secs(1), new(&world, &anna, "Lost")).await;
        assert!(asked.is_err());
        world.crash();
        let disk = world.mini_disk(&anna);
        disk.run("UPDATE thread SET document = '{}'", &[]).unwrap();
        world.pass(60_000).await;
        let list = world.api("GET", "conversations", &anna, "").await.body;
        let line = &list["conversations"][0];
        let id = line["id"].as_str().unwrap();
        assert_eq!(line["status"], "failed", "{list}");
        for target in ["chat", "conversations"] {
            assert_eq!(world.api("GET", &format!("{target}/{id}"), &anna, "").await.status, 404);
        }
        let next = disk.alarm().unwrap();
        assert!(next > world.now() + DAY, "the next alarm is for something: in {} ms", next - world.now());
        assert_eq!(new(&world, &anna, "Another").await.status, 200);
        let deleted = world.api("DELETE", &format!("conversations/{id}"), &anna, "").await;
        assert_eq!(deleted.body, json!({ "deleted": 1 }));
        assert_eq!(threads_of(&world, &anna).len(), 1);
    });
}

#[test]
fn a_full_disk_refuses_questions_and_loses_no_answer() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(2_000, "Kept"));
        let anna = world.wx_login("anna").await;
        let disk = world.mini_disk(&anna);
        disk.set_full(true);
        let refused = new(&world, &anna, "Refused").await;
        assert_eq!((refused.status, refused.error()), (500, "Service temporarily unavailable"));
        assert_eq!(world.model_calls().len(), 0, "what is not stored is not asked");
        disk.set_full(false);
        let list = world.api("GET", "conversations", &anna, "").await.body;
        assert_eq!(list["conversations"], json!([]));
        let filling = async {
            world.pass(1_000).await;
            disk.set_full(true);
            world.pass(4_000).await;
            disk.set_full(false);
        };
        let (answered, ()) = tokio::join!(new(&world, &anna, "Patience"), filling);
        assert_eq!((answered.status, &answered.body["reply"]), (200, &json!("Kept")));
        assert_eq!(world.model_calls().len(), 1);
        assert!(world.log().iter().any(|line| line.event == "mini.not_stored"));
    });
}

#[test]
fn a_disk_that_stays_full_costs_the_answer_but_not_the_question() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(2_000, "Kept"));
        let anna = world.wx_login("anna").await;
        let disk = world.mini_disk(&anna);
        let filling = async {
            tokio::time::sleep(std::time::Duration::from_millis(1_000)).await;
            disk.set_full(true);
            tokio::time::sleep(std::time::Duration::from_millis(15_000)).await;
            disk.set_full(false);
        };
        let (first, ()) = tokio::join!(new(&world, &anna, "Patience"), filling);
        assert_eq!(first.status, 202, "it is not over");
        world.pass(60_000).await;
        let list = world.api("GET", "conversations", &anna, "").await.body;
        assert_eq!(list["conversations"][0]["status"], "idle");
        let late = world.api("GET", &format!("chat/{}", first.id()), &anna, "").await;
        assert_eq!((late.status, &late.body["reply"]), (200, &json!("Kept")));
    });
}

#[test]
fn a_question_that_kills_its_object_again_and_again_is_given_up() {
    run(async {
        let world = world(&[]);
        world.model(|_| answers(170_000, "Never"));
        let anna = world.wx_login("anna").await;
        let asked =
            tokio::time::timeout(std::time::Duration::from_secs(1), new(&world, &anna, "Deadly")).await;
        assert!(asked.is_err());
        for _ in 0..8 {
            world.crash();
            world.pass(31_000).await;
        }
        let list = world.api("GET", "conversations", &anna, "").await.body;
        assert_eq!(list["conversations"][0]["status"], "failed");
        assert_eq!(world.model_calls().len(), 5);
        assert!(world.log().iter().any(|line| line.event == "mini.given_up"));
    });
}

#[test]
fn nothing_is_stored_of_whoever_is_only_asked_about() {
    run(async {
        let world = world(&[]);
        let disk = world.disk_behind(Object::MiniUser, "nobody-at-all");
        let user = world.mini_user("nobody-at-all");
        assert_eq!(user.admit(Digest::of("x").as_str()).unwrap_err().status, 401);
        user.alarm().unwrap();
        assert_eq!((disk.dump().as_str(), disk.alarm()), ("", None));
    });
}
