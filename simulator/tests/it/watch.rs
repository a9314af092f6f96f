//! What a page sees: the watch, the timeline, and the chat.

use serde_json::{Value, json};

use crate::callback::{Callback, Reaction};
use crate::page::Page;
use crate::raw::{get, post};
use crate::world::{APP_ID, APP_SECRET, World, echo};

fn rings(line: &Value) -> Vec<&str> {
    line["deliveries"].as_array().into_iter().flatten().filter_map(|ring| ring["state"].as_str()).collect()
}

#[tokio::test]
async fn a_chat_shows_each_delivery_and_the_answer() {
    let callback = Callback::start(|n, _| match n {
        0 => Reaction::Answer(500, String::new()),
        _ => Reaction::Answer(200, "success".to_owned()),
    })
    .await;
    let world = World::new(&callback.url).await;
    let mut page = Page::open(&world).await;
    assert_eq!((page.resets, page.lines.len()), (1, 0));
    world.send(json!({ "as": "小明", "text": "你好" })).await;
    let line =
        page.until(|page| page.lines.iter().find(|line| rings(line) == ["status", "success"]).cloned()).await;
    assert_eq!(line["sent"], json!({ "type": "text", "text": "你好" }));
    assert_eq!(page.lines[0]["notice"], "followed", "who writes follows");
    let kinds: Vec<_> = page.exchanges.iter().map(|one| (&one["state"], &one["delivery"]["line"])).collect();
    assert_eq!(kinds, [(&json!("failed"), &line["id"]), (&json!("ok"), &line["id"])]);
    assert_eq!(page.view["people"][0]["name"], "小明");
}

#[tokio::test]
async fn an_exchange_is_shown_whole_and_sent_again() {
    let callback = echo(true).await;
    let world = World::new(&callback.url).await;
    let mut page = Page::open(&world).await;
    world.send(json!({ "text": "it's 1" })).await;
    let done = |page: &Page| page.exchanges.iter().find(|one| one["state"] == "ok").cloned();
    let exchange = page.until(done).await;
    assert_eq!((&exchange["kind"], &exchange["what"]), (&json!("push"), &json!("text it's 1")));
    let whole = world.get(&format!("/_sim/exchanges/{}", exchange["id"])).await;
    assert!(whole["plain"].as_str().unwrap().contains("it's 1"));
    assert!(!whole["request"]["body"].as_str().unwrap().contains("it's 1"), "it is encrypted");
    assert!(whole["reply_plain"].as_str().unwrap().contains("回声：it's 1"));
    assert!(whole["checks"].as_array().unwrap().iter().all(|check| check["ok"] == true));
    let curl = whole["curl"].as_str().unwrap();
    assert!(curl.starts_with("curl -i -X POST 'http://127.0.0.1:") && curl.contains("--data-raw '<xml>"));
    let shown = page.until(|page| page.lines.iter().find(|line| line["from"] == "account").cloned()).await;
    assert_eq!((&shown["shown"]["text"], &shown["how"]["delivery"]), (&json!("回声：it's 1"), &json!(1)));
    let again = world.order("/_sim/resend", json!({ "exchange": exchange["id"] })).await;
    assert_eq!(again["deliveries"][0]["outcome"], "reply");
    let twice = |page: &Page| page.lines.iter().find(|line| rings(line).len() == 2).cloned();
    page.until(twice).await;
    let before = page.exchanges.len();
    world.order("/_sim/resend", json!({ "exchange": exchange["id"], "fresh": true })).await;
    let fresh = |page: &Page| page.exchanges.get(before).filter(|one| one["state"] == "ok").cloned();
    let fresh = page.until(fresh).await;
    let fresh = world.get(&format!("/_sim/exchanges/{}", fresh["id"])).await;
    assert_ne!(fresh["request"]["url"], whole["request"]["url"], "it is signed anew");
    assert_eq!(fresh["plain"], whole["plain"]);
    assert_eq!(world.ask(get("/_sim/exchanges/99")).await.status, 404);
    assert_eq!(world.ask(post("/_sim/resend", r#"{"exchange":99}"#)).await.status, 404);
}

#[tokio::test]
async fn calls_of_platform_and_model_are_noted_without_secrets() {
    let world = World::alone().await;
    let mut page = Page::open(&world).await;
    let path = format!("/cgi-bin/token?grant_type=client_credential&appid={APP_ID}&secret=");
    world.get(&format!("{path}{APP_SECRET}")).await;
    world.get(&format!("{path}wrong")).await;
    world
        .api(
            "/v1/chat/completions",
            json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] }),
        )
        .await;
    let both = |page: &Page| {
        let ended = page.exchanges.iter().filter(|one| one["state"] != "running");
        let ended: Vec<_> = ended.map(|one| json!([one["kind"], one["what"], one["result"]])).collect();
        (ended.len() == 3).then_some(ended)
    };
    let ended = page.until(both).await;
    let expected =
        [json!(["api", "", "200"]), json!(["api", "", "errcode 40125"]), json!(["model", "hi m", "200"])];
    assert_eq!(ended, expected);
    let whole = world.get("/_sim/exchanges/1").await.to_string();
    assert!(!whole.contains(APP_SECRET) && whole.contains("\\\"access_token\\\":\\\"***\\\""), "{whole}");
}

#[tokio::test]
async fn settings_people_and_reset_reach_the_page() {
    let world = World::alone().await;
    let mut page = Page::open(&world).await;
    world.order("/_sim/account", json!({ "type": "personal", "mode": "plain" })).await;
    page.until(|page| {
        (page.view["account"]["type"] == "personal" && page.view["mode"] == "plain").then_some(())
    })
    .await;
    world.order("/_sim/people", json!({ "name": "ahua", "nickname": "阿花" })).await;
    let added = page.until(|page| page.view["people"].get(0).cloned()).await;
    assert_eq!((&added["nickname"], &added["following"]), (&json!("阿花"), &json!(false)));
    assert_eq!(world.ask(post("/_sim/people", r#"{"name":"ahua"}"#)).await.status, 409);
    assert_eq!(world.ask(post("/_sim/people", r#"{"name":" "}"#)).await.status, 400);
    world.order("/_sim/reset", json!({})).await;
    page.until(|page| (page.resets == 2 && page.view["people"] == json!([])).then_some(())).await;
}

#[tokio::test]
async fn the_console_checks_the_target() {
    let callback = echo(false).await;
    let world = World::new(&callback.url).await;
    let check = world.order("/_sim/verify", json!({})).await;
    assert_eq!((&check["ok"], &check["detail"]), (&json!(true), &json!("echostr")));
    let deaf = Callback::answering("hello").await;
    let check = World::new(&deaf.url).await.order("/_sim/verify", json!({})).await;
    assert_eq!((&check["ok"], &check["detail"]), (&json!(false), &json!("200, but not the echostr")));
}

#[tokio::test]
async fn a_page_hears_that_time_passes() {
    let world = World::alone().await;
    let mut page = Page::open(&world).await;
    world.order("/_sim/clock", json!({ "advance_s": 7200 })).await;
    page.until(|page| (page.view["advanced_ms"] == 7_200_000).then_some(())).await;
}
