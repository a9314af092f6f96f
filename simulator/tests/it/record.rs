//! Recording what is done, and running it again.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::callback::{Arrived, Callback, Reaction};
use crate::cli::{Server, run, wx_sim};
use crate::raw::{self, post};
use crate::world::{World, answer, open, reply};

async fn recorded(world: &World) -> Value {
    world.order("/_sim/record", json!({ "on": false })).await["scenario"].clone()
}

#[tokio::test]
async fn what_is_done_becomes_a_scenario_that_passes_until_something_changes() {
    let changed = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&changed);
    let callback = Callback::start(move |_, push: &Arrived| match answer(push, true) {
        Err(_) => Reaction::Answer(403, String::new()),
        Ok(_) if now.load(Ordering::Relaxed) => {
            Reaction::Answer(200, reply(&open(push, true).unwrap(), push, "changed"))
        }
        Ok(body) => Reaction::Answer(200, body),
    })
    .await;
    let world = World::new(&callback.url).await;
    world.send(json!({ "text": "before" })).await;
    world.order("/_sim/record", json!({ "on": true })).await;
    world.send(json!({ "text": "hi" })).await;
    world.send(json!({ "as": "bob", "event": { "type": "click", "key": "K" } })).await;
    world.send(json!({ "text": "forged", "tamper": "signature", "deliveries": 1 })).await;
    let bob = world.get("/_sim/inbox?as=bob").await["openid"].clone();
    let message = json!({ "touser": bob, "msgtype": "text", "text": { "content": "later" } });
    assert_eq!(world.errcode("/cgi-bin/message/custom/send", message).await, 0);
    let own = json!({ "name": "not recorded", "steps": [{ "send": "own" }] });
    world.order("/_sim/run", json!({ "scenario": own })).await;
    let scenario = recorded(&world).await;
    let expected = json!({
        "name": "recorded",
        "steps": [
            { "send": "hi", "expect": { "delivery": 1, "type": "text", "text": "回声：hi" } },
            { "as": "bob", "event": { "type": "click", "key": "K" }, "expect": { "delivery": 1, "type": "text", "text": "回声：CLICK" } },
            {
                "send": { "text": "forged", "deliveries": 1, "tamper": "signature" },
                "expect": { "deliveries": ["status"], "status": 403, "type": "error", "text": scenario["steps"][2]["expect"]["text"], "fails": "answered" },
            },
            { "as": "bob", "expect": { "inbox": [{ "type": "text", "text": "later" }] } },
        ],
    });
    assert_eq!(scenario, expected, "{scenario:#}");
    let mut again = scenario;
    again["steps"].as_array_mut().unwrap().pop();
    let result = world.order("/_sim/run", json!({ "scenario": again })).await;
    assert_eq!(result["outcome"], "passed", "{result:#}");
    changed.store(true, Ordering::Relaxed);
    let result = world.order("/_sim/run", json!({ "scenario": again })).await;
    assert_eq!(result["outcome"], "failed", "{result:#}");
}

#[tokio::test]
async fn recording_begins_and_ends_once() {
    let world = World::alone().await;
    let off = || post("/_sim/record", json!({ "on": false }).to_string());
    assert_eq!(world.ask(off()).await.status, 400);
    world.order("/_sim/record", json!({ "on": true })).await;
    world.order("/_sim/reset", json!({})).await;
    assert_eq!(recorded(&world).await["steps"], json!([]), "a reset does not end it");
    assert_eq!(world.ask(off()).await.status, 400);
}

#[tokio::test]
async fn the_command_line_records_until_enter_and_replays() {
    let callback = crate::world::echo(true).await;
    let server = Server::start(&callback.url);
    let (port, file) = (server.port.to_string(), format!("{}/recorded.json", env!("CARGO_TARGET_TMPDIR")));
    let mut command = wx_sim(&["--lang", "en", "record", "--out", &file, "--port", &port]);
    let mut recording = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(recording.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("press Enter"), "{line}");
    let sent = raw::send(server.port, post("/_sim/send", json!({ "text": "hi" }).to_string())).await.unwrap();
    assert_eq!(sent.status, 200);
    recording.stdin.take().unwrap().write_all(b"\n").unwrap();
    let code = tokio::task::spawn_blocking(move || recording.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0));
    let scenario: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&scenario["name"], &scenario["steps"][0]["send"]), (&json!("recorded"), &json!("hi")));
    let (code, out, error) = run(&["--lang", "en", "replay", &file, "--port", &port]).await;
    assert_eq!((code, out.contains("1 of 1 scenarios passed")), (0, true), "{out}{error}");
    let (code, _, error) = run(&["record", "--port", &port]).await;
    assert_eq!((code, error.contains("nothing was done")), (2, true), "{error}");
    assert_eq!(run(&["record", "--port", "1"]).await.0, 2);
}
