//! The control API: who may use it, and what it refuses.

use serde_json::json;

use crate::raw::{get, post};
use crate::world::{World, echo};

#[tokio::test]
async fn only_this_machine_may_control() {
    let world = World::alone().await;
    let health = || get("/_sim/health");
    assert_eq!(world.ask(health()).await.json()["name"], "wx-sim");
    assert_eq!(world.ask(health().header("Host", "localhost:8788")).await.status, 200);
    assert_eq!(world.ask(health().header("Host", "evil.example")).await.status, 403, "DNS rebinding");
    assert_eq!(world.ask(health().header("Origin", "https://evil.example")).await.status, 403);
    assert_eq!(world.ask(health().header("Origin", "null")).await.status, 403);
    let own = format!("http://127.0.0.1:{}", world.port);
    assert_eq!(world.ask(health().header("Origin", &own)).await.status, 200);
}

#[tokio::test]
async fn contradictions_are_refused_in_words() {
    let world = World::alone().await;
    let cases = [
        ("/_sim/send", json!({}), "exactly one of"),
        ("/_sim/send", json!({ "text": "a", "event": { "type": "scan" } }), "exactly one of"),
        ("/_sim/send", json!({ "text": "a", "xml": "<xml/>" }), "exactly one of"),
        ("/_sim/send", json!({ "text": "a", "mode": "rot13" }), "rot13"),
        ("/_sim/send", json!({ "text": "a", "mode": "plain", "tamper": "app_id" }), "aes mode"),
        ("/_sim/send", json!({ "text": "a", "deliveries": 0 }), "deliveries"),
        ("/_sim/send", json!({ "text": "a", "limit_ms": 0 }), "limit_ms"),
        ("/_sim/send", json!({ "text": "a", "msg_id": [] }), "msg_id"),
        ("/_sim/send", json!({ "text": "a", "target": "localhost" }), "http://"),
        ("/_sim/send", json!({ "image": "%" }), "base64"),
        ("/_sim/send", json!({ "text": "a", "txet": 1 }), "txet"),
        ("/_sim/faults", json!([{ "path": "/cgi-bin/token" }]), "errcode"),
        ("/_sim/account", json!({ "type": "royal" }), "royal"),
        ("/_sim/clock", json!({ "advance_s": u64::MAX }), "advance_s"),
    ];
    for (path, body, named) in cases {
        let got = world.ask(post(path, body.to_string())).await;
        let why = got.json()["error"].as_str().unwrap().to_owned();
        assert!(got.status == 400 && why.contains(named), "{path} {body}: {why}");
    }
    assert_eq!(world.ask(get("/_sim/inbox")).await.status, 400);
    assert_eq!(world.ask(get("/_sim/inbox?as=a&count=x")).await.status, 400);
    for (path, status) in [("/_sim/pic/none", 404), ("/_sim/nothing", 404), ("/_sim/send", 405)] {
        let got = world.ask(get(path)).await;
        assert!(got.status == status && got.json()["error"].is_string(), "{path}: {}", got.status);
    }
}

#[tokio::test]
async fn reset_forgets_everything_but_never_repeats_an_id() {
    let callback = echo(true).await;
    let world = World::new(&callback.url).await;
    let first = world.send(json!({ "text": "hi" })).await;
    let token = world.token().await;
    world.order("/_sim/account", json!({ "type": "personal" })).await;
    world.order("/_sim/model", json!([{ "reply": "x" }])).await;
    world.order("/_sim/reset", json!({})).await;
    assert_eq!(world.get("/_sim/calls").await["total"], 0);
    assert_eq!(world.get("/_sim/account").await["type"], "service");
    assert_eq!(world.get("/_sim/model").await["rules"], json!([]));
    assert_ne!(world.token().await, token);
    assert_eq!(world.get("/_sim/inbox?as=xiaoming").await["allowance"], 0);
    let second = world.send(json!({ "text": "hi" })).await;
    assert_eq!(first["openid"], second["openid"]);
    assert_ne!(first["msg_id"], second["msg_id"]);
}
