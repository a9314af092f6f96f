//! What nobody does on purpose: callers that go away, resets while something runs, huge and strange input.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::callback::{Callback, Reaction};
use crate::page::Page;
use crate::raw::{get, post};
use crate::world::{APP_ID, PNG, World, echo, until};

fn outcomes(report: &Value) -> Vec<&str> {
    report["deliveries"].as_array().unwrap().iter().filter_map(|one| one["outcome"].as_str()).collect()
}

/// Begins a request, and returns its connection as soon as `begun` says so.
async fn leave(world: &World, path: &str, body: Value, begun: impl AsyncFnMut() -> Option<()>) -> TcpStream {
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    until(begun).await;
    stream
}

async fn yielding(is: bool) -> Option<()> {
    tokio::task::yield_now().await;
    is.then_some(())
}

#[tokio::test]
async fn a_picture_may_be_as_large_as_wechats() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let mut picture = PNG.to_vec();
    picture.resize(10 << 20, 0);
    let report = world.send(json!({ "image": STANDARD.encode(&picture) })).await;
    assert_eq!(outcomes(&report), ["success"]);
    let content = json!([{ "type": "image_url", "image_url": {
        "url": format!("data:image/png;base64,{}", STANDARD.encode(&picture)) } }]);
    let asked = json!({ "model": "m", "messages": [{ "role": "user", "content": content }] });
    let answer = world.api("/v1/chat/completions", asked).await;
    assert!(answer.to_string().contains("10485760 bytes, image/png"), "{answer}");
}

#[tokio::test]
async fn a_delivery_goes_on_when_its_caller_goes_away() {
    let callback = Callback::start(|n, _| match n {
        0 => Reaction::Hang,
        _ => Reaction::Answer(200, "success".to_owned()),
    })
    .await;
    let world = World::new(&callback.url).await;
    let order = json!({ "text": "hi", "limit_ms": 300 });
    let begun = async || yielding(callback.arrived().len() == 1).await;
    drop(leave(&world, "/_sim/send", order, begun).await);
    let ended = |page: &Page| {
        let states = page.exchanges.iter().filter_map(|one| one["state"].as_str()).collect::<Vec<_>>();
        (states == ["late", "ok"]).then_some(())
    };
    Page::open(&world).await.until(ended).await;
}

#[tokio::test]
async fn a_scenario_that_is_given_up_leaves_nothing_running() {
    let callback = Callback::start(|_, _| Reaction::Hang).await;
    let world = World::new(&callback.url).await;
    let order = json!({ "scenario": { "name": "n", "steps": [{ "send": "hi" }] } });
    let begun = async || yielding(callback.arrived().len() == 1).await;
    drop(leave(&world, "/_sim/run", order, begun).await);
    let ended = |page: &Page| {
        let exchange = page.exchanges.first().filter(|one| one["state"] == "failed")?;
        let ring = page.lines.iter().find_map(|line| line["deliveries"].get(0));
        Some((exchange["result"].clone(), ring?["state"].clone()))
    };
    let (result, ring) = Page::open(&world).await.until(ended).await;
    assert_eq!((result, ring), (json!("cut"), json!("cut")));
}

#[tokio::test]
async fn who_waits_to_be_overtaken_and_goes_away_leaves_the_place_free() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    world.order("/_sim/network", json!({ "out_of_order": true })).await;
    let order = json!({ "scenario": { "name": "n", "steps": [{ "send": "gone" }] } });
    let waits = async |text: &str| {
        let page = Page::open(&world).await;
        page.lines.iter().any(|line| line["sent"]["text"] == text).then_some(())
    };
    drop(leave(&world, "/_sim/run", order, async || waits("gone").await).await);
    let second = async {
        until(async || waits("first").await).await;
        world.send(json!({ "text": "second", "mode": "plain" })).await
    };
    tokio::join!(world.send(json!({ "text": "first", "mode": "plain" })), second);
    let order: Vec<_> = callback.arrived().iter().map(|push| push.body.contains("second")).collect();
    assert_eq!(order, [true, false]);
}

#[tokio::test]
async fn what_runs_over_a_reset_does_not_touch_what_comes_after() {
    let callback = Callback::start(|n, _| match n {
        0 => Reaction::Hang,
        _ => Reaction::Answer(200, "success".to_owned()),
    })
    .await;
    let world = World::new(&callback.url).await;
    let slow = world.send(json!({ "as": "a", "text": "slow", "limit_ms": 500, "deliveries": 1 }));
    let after = async {
        until(async || yielding(callback.arrived().len() == 1).await).await;
        world.order("/_sim/reset", json!({})).await;
        world.send(json!({ "as": "a", "text": "fast" })).await
    };
    let (slow, fast) = tokio::join!(slow, after);
    assert_eq!((outcomes(&slow), outcomes(&fast)), (vec!["timeout"], vec!["success"]));
    let page = Page::open(&world).await;
    let exchanges: Vec<_> = page.exchanges.iter().map(|one| (&one["what"], &one["state"])).collect();
    assert_eq!(exchanges, [(&json!("text fast"), &json!("ok"))]);
    let said = page.lines.iter().filter(|line| line["from"] == "account").count();
    assert_eq!(said, 0, "the error line belongs to a chat that is forgotten");
}

#[tokio::test]
async fn a_model_call_that_runs_over_a_reset_does_not_end_another_one() {
    let world = World::alone().await;
    let ask = |text: &str| json!({ "model": "m", "messages": [{ "role": "user", "content": text }] });
    let rules = json!([{ "match": "old", "delay_ms": 500 }, { "delay_ms": 60_000 }]);
    world.order("/_sim/model", rules.clone()).await;
    let path = "/v1/chat/completions";
    let running = async || {
        let calls = world.get("/_sim/model").await;
        (calls["calls"][0]["outcome"] == "running").then_some(())
    };
    let new = async {
        until(running).await;
        world.order("/_sim/reset", json!({})).await;
        world.order("/_sim/model", rules.clone()).await;
        leave(&world, path, ask("new"), running).await
    };
    let (old, _new) = tokio::join!(world.api(path, ask("old")), new);
    assert!(old["choices"].is_array(), "{old}");
    running().await.expect("the new one still runs");
}

#[tokio::test]
async fn a_clock_that_goes_back_while_a_call_waits_breaks_nothing() {
    let world = World::alone().await;
    world.order("/_sim/clock", json!({ "advance_s": 3600 })).await;
    world.order("/_sim/faults", json!([{ "path": "/cgi-bin/token", "delay_ms": 300 }])).await;
    let reset = async {
        until(async || (world.get("/_sim/faults").await == json!([])).then_some(())).await;
        world.order("/_sim/reset", json!({})).await;
    };
    let (answer, ()) = tokio::join!(world.get("/cgi-bin/token"), reset);
    assert_eq!(answer["errcode"], 41002, "{answer}");
}

#[tokio::test]
async fn an_answer_without_a_body_is_not_cut() {
    let world = World::alone().await;
    let path = format!(
        "/mp/subscribemsg?action=get_confirm&appid={APP_ID}&scene=1&template_id=t&redirect_url=http%3A%2F%2F127.0.0.1%2F"
    );
    let got = world.ask(post(path, "answer=refuse")).await;
    assert_eq!(got.status, 302, "{}", got.text());
    let ended = |page: &Page| page.exchanges.iter().find(|one| one["state"] != "running").cloned();
    let exchange = Page::open(&world).await.until(ended).await;
    assert_eq!((&exchange["result"], &exchange["state"]), (&json!("302"), &json!("ok")));
}

#[tokio::test]
async fn a_page_of_another_port_may_not_control() {
    let world = World::alone().await;
    let from = |origin: &str| post("/_sim/reset", "").header("Origin", origin);
    assert_eq!(world.ask(from("http://127.0.0.1:4711")).await.status, 403);
    assert_eq!(world.ask(from(&format!("http://localhost:{}", world.port))).await.status, 403);
    assert_eq!(world.ask(from(&format!("https://127.0.0.1:{}", world.port))).await.status, 403);
    assert_eq!(world.ask(from(&format!("http://127.0.0.1:{}", world.port))).await.status, 200);
    let named = format!("localhost:{}", world.port);
    let request = from(&format!("http://{named}")).header("Host", &named);
    assert_eq!(world.ask(request).await.status, 200);
}

#[tokio::test]
async fn names_below_localhost_are_this_machine_whatever_a_name_server_says() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url.replace("127.0.0.1", "wx.test.localhost")).await;
    assert_eq!(outcomes(&world.send(json!({ "text": "hi" })).await), ["success"]);
}

#[tokio::test]
async fn a_message_is_sent_again_over_the_network_as_it_is_now() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    world.order("/_sim/network", json!({ "cut": true })).await;
    world.send(json!({ "text": "hi", "deliveries": 1 })).await;
    world.order("/_sim/network", json!({ "cut": false })).await;
    let again = world.order("/_sim/resend", json!({ "exchange": 1 })).await;
    assert_eq!(outcomes(&again), ["success"]);
}

#[tokio::test]
async fn logs_and_pages_keep_long_things_short() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let long = "好".repeat(500_000);
    world.send(json!({ "text": long, "mode": "plain" })).await;
    world.call("/cgi-bin/message/custom/send", json!({ "touser": "x", "msgtype": long })).await;
    let asked = json!({ "model": long, "messages": [{ "role": "user", "content": long }] });
    world.api("/v1/chat/completions", asked).await;
    let many: Vec<_> = (0..50_000).map(|n| json!({ "role": "user", "content": n.to_string() })).collect();
    world.api("/v1/chat/completions", json!({ "model": "m", "messages": many })).await;
    for path in ["/_sim/calls", "/_sim/model"] {
        let size = world.ask(get(path)).await.body.len();
        assert!(size < 400_000, "{path}: {size}");
    }
    let page = Page::open(&world).await;
    let (exchanges, lines) = (json!(page.exchanges).to_string(), json!(page.lines).to_string());
    assert!(exchanges.len() < 10_000 && lines.len() < 100_000, "{} {}", exchanges.len(), lines.len());
    let secret = json!({ "secret": "hush", "padding": "x".repeat(100_000) });
    world.api("/cgi-bin/stable_token", secret).await;
    let ended =
        |page: &Page| page.exchanges.last().filter(|one| one["path"] == "/cgi-bin/stable_token").cloned();
    let id = Page::open(&world).await.until(ended).await["id"].clone();
    assert!(!world.get(&format!("/_sim/exchanges/{id}")).await.to_string().contains("hush"));
}

#[tokio::test]
async fn names_and_messages_have_a_length() {
    let world = World::new(&echo(true).await.url).await;
    let long = "长".repeat(1000);
    assert_eq!(
        world.ask(post("/_sim/send", json!({ "as": long, "text": "a" }).to_string())).await.status,
        400
    );
    let text = json!({ "text": "a".repeat(3 << 20) });
    assert_eq!(world.ask(post("/_sim/send", text.to_string())).await.status, 400);
    let order = json!({ "name": "a", "nickname": long });
    assert_eq!(world.ask(post("/_sim/people", order.to_string())).await.status, 400);
    assert_eq!(world.get("/_sim/people").await, json!([]));
}

#[tokio::test]
async fn a_file_is_never_a_page() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    for bytes in ["<script>alert(1)</script>", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"]
    {
        world.send(json!({ "image": STANDARD.encode(bytes), "mode": "plain" })).await;
        let push = callback.arrived().pop().unwrap().body;
        let id = push.split("/_sim/pic/").nth(1).unwrap().split(']').next().unwrap().to_owned();
        let got = world.ask(get(format!("/_sim/pic/{id}"))).await;
        assert!(got.has_header("x-content-type-options: nosniff"), "{}", got.headers);
        assert!(got.has_header("content-security-policy: sandbox; default-src 'none'"), "{}", got.headers);
        assert_eq!(got.header("content-type"), Some("application/octet-stream"));
    }
}
