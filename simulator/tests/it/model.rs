//! The stand-in for the model, in both protocols.

use serde_json::{Value, json};

use crate::raw::{self, Ask, Got, get, post};
use crate::world::{World, until};

const CHAT: &str = "/v1/chat/completions";

fn messages(text: &str) -> Value {
    json!([{ "role": "system", "content": "be kind" }, { "role": "user", "content": text }])
}

async fn chat(world: &World, text: &str) -> Got {
    world.ask(post(CHAT, json!({ "model": "m", "messages": messages(text) }).to_string())).await
}

fn content(got: &Got) -> String {
    got.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

/// A call of the AI binding, as miniflare forwards it.
fn binding(model: &str, inputs: Value) -> Ask {
    let ask = post("/any/path", json!({ "inputs": inputs, "options": {} }).to_string());
    ask.header("MF-URL", "https://workers-binding.ai/run?version=3")
        .header("MF-Header-content-type", "application/json")
        .header("MF-Header-cf-consn-model-id", model)
}

/// The `data:` lines of a stream; the last must be `[DONE]`.
fn events(got: &Got) -> Vec<Value> {
    assert!(got.has_header("content-type: text/event-stream") && got.whole, "{}", got.headers);
    let text = got.text();
    let mut data: Vec<_> = text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect();
    assert_eq!(data.pop(), Some("[DONE]"));
    data.into_iter().map(|event| serde_json::from_str(event).unwrap()).collect()
}

#[tokio::test]
async fn openai_whole() {
    let world = World::alone().await;
    let got = chat(&world, "今天天气？").await;
    assert_eq!(content(&got), "你好！我是 wx-sim 的模拟模型。你说的是：今天天气？");
    let answer = got.json();
    assert_eq!(
        (&answer["object"], &answer["choices"][0]["finish_reason"]),
        (&json!("chat.completion"), &json!("stop"))
    );
    assert!(answer["usage"]["total_tokens"].as_u64().unwrap() > 0);
    assert_eq!(world.ask(post(CHAT, "{}")).await.status, 400);
    assert_eq!(world.ask(post(CHAT, "nonsense")).await.json()["error"]["type"], "invalid_request_error");
}

#[tokio::test]
async fn openai_streamed() {
    let world = World::alone().await;
    let asked = json!({ "model": "m", "stream": true, "stream_options": { "include_usage": true }, "messages": messages("hello") });
    let events = events(&world.ask(post(CHAT, asked.to_string())).await);
    let deltas = events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
    assert_eq!(deltas.collect::<String>(), "Hello! I am wx-sim's simulated model. You said: hello");
    let (last, before) = events.split_last().unwrap();
    assert_eq!((&last["choices"], last["usage"]["completion_tokens"].is_u64()), (&json!([]), true));
    assert_eq!(before.last().unwrap()["choices"][0]["finish_reason"], "stop");
    assert!(before.iter().all(|event| event["usage"].is_null()));
}

#[tokio::test]
async fn the_binding_whole_and_streamed() {
    let world = World::alone().await;
    let whole = world.ask(binding("@cf/m", json!({ "messages": messages("你好") }))).await;
    assert!(whole.has_header("content-type: application/json"), "{}", whole.headers);
    assert!(whole.json()["response"].as_str().unwrap().ends_with("你说的是：你好"));
    let streamed = world.ask(binding("@cf/m", json!({ "stream": true, "messages": messages("你好") }))).await;
    let events = events(&streamed);
    let text: String = events.iter().map(|event| event["response"].as_str().unwrap()).collect();
    assert_eq!(text, whole.json()["response"].as_str().unwrap());
    assert!(events.last().unwrap()["usage"]["total_tokens"].is_u64());
}

#[tokio::test]
async fn the_binding_fails_in_its_own_words() {
    let world = World::alone().await;
    world.order("/_sim/model", json!([{ "fail": 1, "status": 429 }])).await;
    let failed = world.ask(binding("@cf/m", json!({ "prompt": "hi" }))).await;
    assert_eq!((failed.status, &failed.json()["internalCode"]), (429, &json!(3040)));
    assert_eq!(failed.json()["name"], "InferenceUpstreamError");
    assert_eq!(world.ask(binding("@cf/m", json!({ "prompt": "hi" }))).await.status, 200);
    assert_eq!(world.ask(binding("@cf/m", json!({}))).await.status, 400);
    assert_eq!(
        world.ask(get("/any/path").header("MF-URL", "https://workers-binding.ai/ai-api/models")).await.status,
        404
    );
    let socket = get("/").header("Upgrade", "websocket").header("MF-URL", "https://workers-binding.ai/run");
    assert_eq!(world.ask(socket).await.status, 400);
    assert_eq!(world.ask(get("/any/path")).await.status, 404);
}

#[tokio::test]
async fn recordings_are_written_down() {
    let world = World::alone().await;
    let expected = "模拟语音识别：收到 7 (audio/amr)";
    let numbers: Vec<u8> = b"#!AMR\n<".to_vec();
    for audio in [json!(numbers), json!("IyFBTVIKPA==")] {
        let got = world.ask(binding("@cf/openai/whisper", json!({ "audio": audio }))).await;
        assert_eq!(got.json()["text"], expected);
    }
    let stream = post("/", "#!AMR\n<")
        .header("MF-URL", "https://workers-binding.ai/run?version=3&userInputs=%7B%7D")
        .header("MF-Header-content-type", "audio/amr")
        .header("MF-Header-cf-consn-model-id", "@cf/openai/whisper");
    assert_eq!(world.ask(stream).await.json()["text"], expected);
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.amr\"\r\n\r\n#!AMR\n<\r\n--b--\r\n";
    let upload =
        post("/v1/audio/transcriptions", form).header("Content-Type", "multipart/form-data; boundary=b");
    assert_eq!(world.ask(upload).await.json()["text"], expected);
    world.order("/_sim/model", json!([{ "kind": "transcription", "reply": "你好" }])).await;
    let got = world.ask(binding("@cf/openai/whisper", json!({ "audio": numbers }))).await;
    assert_eq!(got.json()["text"], "你好");
    let kinds = world.get("/_sim/model").await;
    assert!(kinds["calls"].as_array().unwrap().iter().all(|call| call["kind"] == "transcription"));
}

#[tokio::test]
async fn pictures_are_seen() {
    let world = World::alone().await;
    let content_parts = json!([
        { "type": "text", "text": "这是什么？" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBORw0KGgo=" } },
    ]);
    let asked = json!({ "model": "v", "messages": [{ "role": "user", "content": content_parts }] });
    let answer = content(&world.ask(post(CHAT, asked.to_string())).await);
    assert!(answer.contains("这是什么？") && answer.contains("8 bytes, image/png"), "{answer}");
}

#[tokio::test]
async fn rules_and_directives_decide() {
    let world = World::alone().await;
    let rules = json!([
        { "match": "笑话", "reply": "从前有座山" },
        { "match": "长", "length": 3000, "think": true },
        { "match": "格式", "markdown": true },
    ]);
    world.order("/_sim/model", rules).await;
    assert_eq!(content(&chat(&world, "讲个笑话").await), "从前有座山");
    let long = content(&chat(&world, "长一点").await);
    let (thought, answer) = long.split_once("</think>\n\n").unwrap();
    assert!(thought.starts_with("<think>") && answer.chars().count() == 3000 && answer.ends_with("【完】"));
    assert!(content(&chat(&world, "格式").await).contains("## 回答"));
    assert_eq!(content(&chat(&world, "length=99 好").await).chars().count(), 99);
    for expected in [500, 500, 200] {
        assert_eq!(chat(&world, "不行 fail=2").await.status, expected);
    }
    assert_eq!(chat(&world, "不行 fail=always").await.json()["error"]["type"], "server_error");
    let wrong = world.ask(post("/_sim/model", r#"[{"dealy_ms":1}]"#)).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn calls_are_counted_with_their_outcomes() {
    let world = World::alone().await;
    let rules = json!([{ "match": "坏", "fail": "always" }, { "match": "断", "cut": true }, { "match": "慢", "delay_ms": 60_000 }]);
    world.order("/_sim/model", rules).await;
    chat(&world, "好").await;
    chat(&world, "坏").await;
    let streamed = json!({ "model": "m", "stream": true, "messages": messages("断") }).to_string();
    let cut = world.ask(post(CHAT, streamed)).await;
    assert!(!cut.whole && cut.text().contains("data: {") && !cut.text().contains("[DONE]"), "{}", cut.text());
    let half = chat(&world, "断").await;
    assert!(!half.whole && half.status == 200);
    let slow = json!({ "model": "m", "messages": messages("慢") }).to_string();
    let abandoned = raw::send(world.port, post(CHAT, slow));
    let five = async || Some(world.get("/_sim/model").await).filter(|log| log["total"] == 5);
    tokio::select! {
        _ = abandoned => panic!("answered at once"),
        log = until(five) => assert_eq!(log["calls"][4]["outcome"], "running"),
    }
    let over = async || five().await.filter(|log| log["calls"][4]["outcome"] != "running");
    let log = until(over).await;
    let outcomes: Vec<_> = log["calls"].as_array().unwrap().iter().map(|call| &call["outcome"]).collect();
    assert_eq!(outcomes, ["answered", "failed", "cut", "cut", "abandoned"]);
}
