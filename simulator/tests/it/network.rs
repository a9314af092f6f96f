//! The way between WeChat and the target, when it is bad.

use serde_json::{Value, json};

use crate::callback::{Callback, Reaction};
use crate::page::Page;
use crate::raw::post;
use crate::world::{World, answer, echo};

fn outcomes(report: &Value) -> Vec<&str> {
    report["deliveries"].as_array().unwrap().iter().filter_map(|one| one["outcome"].as_str()).collect()
}

#[tokio::test]
async fn a_slow_way_makes_every_answer_late() {
    let world = World::new(&echo(false).await.url).await;
    world.order("/_sim/network", json!({ "slow_ms": 60_000 })).await;
    let report = world.send(json!({ "text": "hi", "mode": "plain", "limit_ms": 50 })).await;
    assert_eq!((outcomes(&report), &report["error_line"]), (vec!["timeout"; 3], &json!(true)));
    world.order("/_sim/network", json!({ "slow_ms": 0 })).await;
    let report = world.send(json!({ "text": "hi", "mode": "plain" })).await;
    assert_eq!(outcomes(&report), ["reply"]);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again() {
    let callback = echo(true).await;
    let world = World::new(&callback.url).await;
    world.order("/_sim/network", json!({ "cut": true, "duplicate": true })).await;
    let report = world.send(json!({ "text": "hi" })).await;
    assert_eq!(outcomes(&report), ["cut", "reply", "reply"], "the last one is the duplicate");
    let same = report["checks"].as_array().unwrap().iter().find(|check| check["rule"] == "same_reply");
    assert_eq!(same.unwrap()["ok"], true);
    assert_eq!(callback.arrived().len(), 3);
}

#[tokio::test]
async fn forged_and_stale_pushes_come_from_the_way() {
    let callback = Callback::start(|_, push| match answer(push, true) {
        Ok(body) => Reaction::Answer(200, body),
        Err(refusal) => Reaction::Answer(403, refusal.to_string()),
    })
    .await;
    let world = World::new(&callback.url).await;
    for tamper in ["signature", "stale"] {
        world.order("/_sim/network", json!({ "tamper": tamper })).await;
        let report = world.send(json!({ "text": "hi", "deliveries": 1 })).await;
        assert_eq!(report["deliveries"][0]["status"], 403, "{tamper}");
    }
    world.order("/_sim/network", json!({ "tamper": null })).await;
    assert_eq!(world.send(json!({ "text": "hi" })).await["deliveries"][0]["status"], 200);
}

#[tokio::test]
async fn of_two_messages_the_second_arrives_first() {
    let callback = echo(false).await;
    let world = World::new(&callback.url).await;
    world.order("/_sim/network", json!({ "out_of_order": true })).await;
    let first = world.send(json!({ "text": "first", "mode": "plain" }));
    let second = async {
        let written = |page: &Page| page.lines.iter().find(|line| line["sent"]["text"] == "first").cloned();
        Page::open(&world).await.until(written).await;
        world.send(json!({ "text": "second", "mode": "plain" })).await
    };
    tokio::join!(first, second);
    let order: Vec<_> = callback.arrived().iter().map(|push| push.body.contains("second")).collect();
    assert_eq!(order, [true, false]);
}

#[tokio::test]
async fn nonsense_is_refused_and_changes_nothing() {
    let world = World::alone().await;
    world.order("/_sim/network", json!({ "cut": true })).await;
    for wrong in [r#"{"slow_ms":999999999}"#, r#"{"speed":1}"#, r#"{"tamper":"gently"}"#, "[]"] {
        assert_eq!(world.ask(post("/_sim/network", wrong)).await.status, 400, "{wrong}");
    }
    let network = world.get("/_sim/network").await;
    assert_eq!((&network["cut"], &network["slow_ms"]), (&json!(true), &json!(0)));
}
