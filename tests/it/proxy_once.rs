//! What is sent again, what never is, and what an `Idempotency-Key` remembers.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;

use crate::world::admin::upload;
use crate::world::client::{no, said, world_with, yes};
use crate::world::{Answer, World, run};

const SEND: &str = "/cgi-bin/message/custom/send";

/// A world whose WeChat answers as told, one answer after the other, then yes.
fn answers(list: Vec<Result<Answer, String>>) -> World {
    let next = Cell::new(0);
    world_with(&[("shop", &["everything"])], move |_| {
        let index = next.replace(next.get() + 1);
        list.get(index).cloned().unwrap_or_else(yes)
    })
}

fn broken() -> Result<Answer, String> {
    Err("the connection was cut".to_owned())
}

fn page(status: u16) -> Result<Answer, String> {
    Ok(Answer { status, content_type: "text/html", body: b"<h1>error</h1>".to_vec() })
}

#[test]
fn a_token_that_died_is_replaced_once_whatever_the_call() {
    run(async {
        let world = answers(vec![no(40001)]);
        assert_eq!(world.client("shop", "POST", SEND, "{}").await["errcode"], 0);
        let urls: Vec<String> = world.passed_on().into_iter().map(|call| call.url).collect();
        assert!(urls[0].contains("=real-1") && urls[1].contains("=real-2") && urls.len() == 2, "{urls:?}");
        // Another one would not help: the client, whose own token is fine, must not come again with a new one.
        let world = answers(vec![no(42001), no(40014)]);
        assert_eq!(world.client("shop", "POST", SEND, "{}").await["errcode"], -1);
        assert_eq!(world.passed_on().len(), 2);
    });
}

#[test]
fn an_upload_whose_token_died_is_sent_again_by_the_client() {
    run(async {
        let world = answers(vec![no(40001)]);
        for errcode in [42001, 0] {
            let mut request =
                world.client_request("shop", "POST", "/cgi-bin/media/upload?type=image", b"").await;
            request.upload = Some(upload(&[1; 70_000]));
            assert_eq!(said(world.send(request).await).await["errcode"], errcode);
        }
        let urls: Vec<String> = world.passed_on().into_iter().map(|call| call.url).collect();
        assert!(urls[0].contains("=real-1") && urls[1].contains("=real-2") && urls.len() == 2, "{urls:?}");
    });
}

#[test]
fn what_may_be_repeated_is_tried_four_times_with_pauses() {
    run(async {
        for failure in [no(-1), page(502), broken()] {
            let world = answers(vec![failure.clone(), failure.clone(), failure.clone()]);
            let began = tokio::time::Instant::now();
            assert_eq!(world.client("shop", "GET", "/cgi-bin/menu/get", "").await["errcode"], 0);
            assert_eq!(began.elapsed().as_secs(), 7);
            assert_eq!(world.passed_on().len(), 4);
            let world = answers(vec![failure.clone(), failure.clone(), failure.clone(), failure]);
            assert_eq!(world.client("shop", "GET", "/cgi-bin/menu/get", "").await["errcode"], -1);
            assert_eq!(world.passed_on().len(), 4);
        }
    });
}

#[test]
fn what_sends_is_never_sent_twice() {
    run(async {
        for failure in
            [no(-1), page(502), page(302), broken(), Ok(Answer::json("{\"errc")), Ok(Answer::json(""))]
        {
            let world = answers(vec![failure]);
            let answer = world.client("shop", "POST", SEND, "{}").await;
            assert_eq!(answer["errcode"], 61450);
            assert!(answer["errmsg"].as_str().unwrap().contains("outcome unknown, not repeated"), "{answer}");
            world.pass(60_000).await;
            assert_eq!(world.passed_on().len(), 1);
            assert_eq!(world.audited().await, [format!("shop POST {SEND} unknown")]);
        }
    });
}

#[test]
fn other_refusals_are_neither_repeated_nor_changed() {
    run(async {
        // One of each class of reactions.
        for errcode in
            [45011, 45033, 45081, 45009, 45015, 48001, 40164, 89503, 40029, 40030, 40226, 40033, 99999]
        {
            let world = answers(vec![no(errcode)]);
            let answer = world.client("shop", "GET", "/cgi-bin/menu/get", "").await;
            assert_eq!(answer, json!({ "errcode": errcode, "errmsg": "no rid: 1-2-3" }));
            assert_eq!(world.passed_on().len(), 1);
        }
    });
}

#[test]
fn a_key_gives_the_same_answer_again_for_a_day() {
    run(async {
        let sent = Rc::new(Cell::new(0));
        let counted = Rc::clone(&sent);
        let world = world_with(&[("shop", &["message"]), ("other", &["message"])], move |_| {
            counted.set(counted.get() + 1);
            Ok(Answer::json(&json!({ "errcode": 0, "msgid": counted.get() }).to_string()))
        });
        let first = world.client_once("shop", "k", SEND, "{}").await;
        assert_eq!(first, (json!({ "errcode": 0, "msgid": 1 }), false));
        world.crash();
        assert_eq!(world.client_once("shop", "k", SEND, "{}").await, (first.0.clone(), true));
        let (other, _) = world.client_once("shop", "k", SEND, "{ }").await;
        assert_eq!(other["errcode"], 40035, "{other}");
        assert_eq!(world.client_once("other", "k", SEND, "{}").await.0["msgid"], 2);
        assert_eq!(world.client_once("shop", "k2", SEND, "{}").await.0["msgid"], 3);
        world.pass(86_400_000).await;
        assert_eq!(world.client_once("shop", "k", SEND, "{}").await.0["msgid"], 4);
        for wrong in ["", "two words", &"x".repeat(256), "é"] {
            assert_eq!(world.client_once("shop", wrong, SEND, "{}").await.0["errcode"], 40035, "{wrong}");
        }
        assert_eq!(sent.get(), 4);
    });
}

#[test]
fn a_key_of_a_form_does_not_depend_on_its_separator() {
    run(async {
        let world = world_with(&[("shop", &["media"])], |_| yes());
        for (boundary, content, replayed) in [("aaa", "x", false), ("bbb", "x", true), ("ccc", "y", false)] {
            let path = "/cgi-bin/media/upload?type=image";
            let body = format!("--{boundary}\r\n\r\n{content}\r\n--{boundary}--");
            let mut request = world.client_request("shop", "POST", path, body.as_bytes()).await;
            request.headers[0].1 = format!("multipart/form-data; boundary={boundary}");
            request.headers.push(("idempotency-key".to_owned(), "k".to_owned()));
            let response = world.send(request).await;
            assert_eq!(response.headers.iter().any(|(name, _)| *name == "idempotent-replayed"), replayed);
        }
        assert_eq!(world.passed_on().len(), 1);
    });
}

#[test]
fn two_at_once_with_one_key_are_one_call() {
    run(async {
        let world = world_with(&[("shop", &["message"])], |_| yes());
        world.network(500);
        let (first, second) = tokio::join!(
            world.client_once("shop", "k", SEND, "{}"),
            world.client_once("shop", "k", SEND, "{}")
        );
        assert_eq!(first.0["errcode"], 0);
        assert_eq!(second.0["errcode"], 45033);
        assert_eq!(world.passed_on().len(), 1);
        assert_eq!(world.client_once("shop", "k", SEND, "{}").await, (first.0, true));
    });
}

#[test]
fn what_became_unknown_stays_unknown() {
    run(async {
        let world = answers(vec![broken()]);
        for outcome in ["unknown", "not_repeated", "not_repeated"] {
            let (answer, replayed) = world.client_once("shop", "k", SEND, "{}").await;
            assert_eq!((&answer["errcode"], replayed), (&json!(61450), false));
            assert!(answer["errmsg"].as_str().unwrap().contains("outcome unknown, not repeated"), "{answer}");
            assert_eq!(world.audited().await[0], format!("shop POST {SEND} {outcome}"));
            world.crash();
        }
        assert_eq!(world.passed_on().len(), 1);
    });
}

#[test]
fn a_call_that_a_crash_interrupted_is_not_made_again() {
    run(async {
        let world = world_with(&[("shop", &["message"])], |_| yes());
        world.network(500);
        world.client("shop", "POST", SEND, "{}").await;
        let first = world.client_once("shop", "k", SEND, "{}");
        assert!(tokio::time::timeout(std::time::Duration::from_millis(300), first).await.is_err());
        // The object lives, and does not know that nobody waits any more.
        assert_eq!(world.client_once("shop", "k", SEND, "{}").await.0["errcode"], 45033);
        world.crash();
        assert_eq!(world.client_once("shop", "k", SEND, "{}").await.0["errcode"], 61450);
        assert_eq!(world.passed_on().len(), 2);
        // Without a crash, it is over when no call could still be on its way.
        let first = world.client_once("shop", "k2", SEND, "{}");
        assert!(tokio::time::timeout(std::time::Duration::from_millis(300), first).await.is_err());
        world.pass(480_000).await;
        assert_eq!(world.client_once("shop", "k2", SEND, "{}").await.0["errcode"], 61450);
        assert_eq!(world.passed_on().len(), 3);
    });
}

#[test]
fn a_refusal_that_passes_leaves_the_key_free_and_another_is_kept() {
    run(async {
        let world = answers(vec![no(45011), no(45015)]);
        assert_eq!(world.client_once("shop", "k", SEND, "{}").await.0["errcode"], 45011);
        assert_eq!(world.client_once("shop", "k", SEND, "{}").await.0["errcode"], 45015);
        assert_eq!(world.client_once("shop", "k", SEND, "{}").await, (no_json(45015), true));
        assert_eq!(world.passed_on().len(), 2);
    });
}

fn no_json(errcode: i64) -> serde_json::Value {
    json!({ "errcode": errcode, "errmsg": "no rid: 1-2-3" })
}

#[test]
fn without_a_token_nothing_is_sent_and_the_key_stays_free() {
    run(async {
        let world = world_with(&[("shop", &["message"])], |_| yes());
        world.wechat(|_| {
            Ok(Answer::json(
                r#"{"errcode":40164,"errmsg":"invalid ip 192.0.2.7 ipv6 ::1, not in whitelist"}"#,
            ))
        });
        let (answer, _) = world.client_once("shop", "k", SEND, "{}").await;
        assert_eq!(answer["errcode"], 40164);
        assert!(answer["errmsg"].as_str().unwrap().contains("192.0.2.7"), "{answer}");
        // A wrong secret of the account's is nothing that a client could mend with a new token.
        let other = world_with(&[("shop", &["message"])], |_| yes());
        other.wechat(|_| no(40001));
        assert_eq!(other.client_once("shop", "k", SEND, "{}").await.0["errcode"], -1);
        for world in [world, other] {
            assert_eq!(world.passed_on().len(), 0);
            assert_eq!(world.audited().await, [format!("shop POST {SEND} no_token")]);
        }
    });
}

#[test]
fn the_desk_out_of_reach_sends_nothing() {
    run(async {
        let world = world_with(&[("shop", &["message"])], |_| yes());
        world.client_token("shop").await;
        world.account_disk().set_full(true);
        assert_eq!(world.client("shop", "POST", SEND, "{}").await["errcode"], -1);
        assert_eq!(world.passed_on().len(), 0);
    });
}
