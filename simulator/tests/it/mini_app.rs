//! The Mini Program in people's phones: logging in, chatting, streams that break off, conversations; by the control
//! API, by scenarios, and by `wx-sim mini`.

use serde_json::{Value, json};

use crate::cli::run;
use crate::mini_server::Server;
use crate::raw::{events, get, post};
use crate::world::{World, setting};

async fn world() -> (World, Server) {
    let server = Server::start().await;
    let world = World::with(&server.target, setting).await;
    server.memory.lock().unwrap().sim = world.port;
    (world, server)
}

async fn act(world: &World, deed: Value) -> Value {
    world.order("/_sim/mini/do", json!({ "as": "小明", "do": deed })).await
}

/// What the phone of 小明 shows: from a fresh watch.
async fn shown(world: &World) -> (Value, Vec<Value>) {
    let mut watch = events(world.port, "/_sim/watch").await;
    let update = watch.recv().await.unwrap();
    let messages = update["messages"].as_array().unwrap().clone();
    (update["panels"][0].clone(), messages)
}

/// The requests of the Mini Program in the timeline, in full.
async fn timeline(world: &World) -> Vec<Value> {
    let mut watch = events(world.port, "/_sim/watch").await;
    let update = watch.recv().await.unwrap();
    let mut all = Vec::new();
    for exchange in update["exchanges"].as_array().unwrap().iter().filter(|one| one["kind"] == "mini") {
        all.push(world.get(&format!("/_sim/exchanges/{}", exchange["id"])).await);
    }
    all
}

#[tokio::test]
async fn a_message_logs_in_and_is_answered_in_pieces() {
    let (world, server) = world().await;
    let report = act(&world, json!({ "say": "你好" })).await;
    assert_eq!(
        (&report["outcome"], &report["status"], &report["logins"]),
        (&json!("done"), &json!(200), &json!(1)),
        "{report}"
    );
    assert_eq!((&report["reply"], &report["tokens_used"]), (&json!("回声：你好 😀 the end"), &json!(42)));
    assert_eq!(report["conversation_id"], "c1");
    assert!(report["pieces"].as_u64().unwrap() > 2 && report["first_ms"].is_u64(), "{report}");
    let headers = server.memory.lock().unwrap().headers.clone();
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert!(
        text("user-agent").contains("MicroMessenger")
            && text("referer").starts_with("https://servicewechat.com/wx")
    );
    let (panel, messages) = shown(&world).await;
    assert_eq!(
        (&panel["logged_in"], &panel["busy"], &panel["conversation_id"]),
        (&json!(true), &json!(false), &json!("c1"))
    );
    let said: Vec<_> =
        messages.iter().map(|one| (one["role"].as_str().unwrap(), one["state"].as_str().unwrap())).collect();
    assert_eq!(said, [("user", "done"), ("assistant", "done")]);
    let timeline = timeline(&world).await;
    let paths: Vec<_> = timeline.iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/api/auth/wx-login", "/api/chat"]);
    assert_eq!(timeline[0]["response"]["body"], r#"{"sessionKey":"***"}"#);
    let streamed = timeline[1]["response"]["body"].as_str().unwrap();
    assert_eq!(streamed.matches("event: delta").count(), 1, "pieces are folded: {streamed}");
    assert!(streamed.contains("回声：你好 😀 the end") && streamed.contains("event: done"), "{streamed}");
    assert!(!timeline.iter().any(|one| one.to_string().contains("session-0")), "the session is nowhere");
    assert!(timeline[1]["curl"].as_str().unwrap().contains("$WX_SESSION"));
}

#[tokio::test]
async fn a_session_that_ended_is_replaced_once() {
    let (world, server) = world().await;
    act(&world, json!("login")).await;
    server.memory.lock().unwrap().sessions.clear();
    let report = act(&world, json!({ "say": { "text": "again", "stream": false } })).await;
    assert_eq!(
        (&report["outcome"], &report["logins"], &report["pieces"]),
        (&json!("done"), &json!(1), &json!(0)),
        "{report}"
    );
    let asked = server.memory.lock().unwrap().asked.clone();
    assert_eq!(asked.len(), 1, "refused before it was asked");
}

#[tokio::test]
async fn logins_fail_as_they_are_told_to() {
    let (world, _server) = world().await;
    for (with, status) in
        [(json!({ "risky": true }), 403), (json!({ "used": true }), 401), (json!({ "code": "made-up" }), 401)]
    {
        let report = act(&world, json!({ "login_with": with })).await;
        assert_eq!((&report["outcome"], &report["status"]), (&json!("refused"), &json!(status)), "{report}");
        assert_eq!(report["logins"], 0, "nobody is logged in: {report}");
    }
    world.order("/_sim/faults", json!([{ "path": "/sns/jscode2session", "errcode": -1 }])).await;
    let report = act(&world, json!({ "say": "hi" })).await;
    assert_eq!(
        (&report["status"], &report["error"]),
        (&json!(500), &json!("Service temporarily unavailable"))
    );
    let (panel, messages) = shown(&world).await;
    assert_eq!((&panel["logged_in"], &panel["complaint"]["status"]), (&json!(false), &json!(500)));
    assert_eq!(
        (messages.len(), &messages[0]["state"]),
        (1, &json!("failed")),
        "the message stays, to be sent again"
    );
}

#[tokio::test]
async fn errors_are_told_with_their_seconds() {
    let (world, _server) = world().await;
    let report = act(&world, json!({ "say": "429" })).await;
    assert_eq!(
        (&report["status"], &report["retry_after_s"], &report["outcome"]),
        (&json!(429), &json!(7), &json!("refused"))
    );
    assert_eq!(shown(&world).await.0["complaint"]["retry_after_s"], 7);
    assert_eq!(act(&world, json!({ "say": "500" })).await["status"], 500);
    assert_eq!(act(&world, json!({ "say": "" })).await["error"], "Invalid message");
    let report = act(&world, json!({ "say": { "text": "x", "conversation": "c99" } })).await;
    assert_eq!(report["status"], 404);
    let report = act(&world, json!({ "say": { "text": "fails", "conversation": "new" } })).await;
    assert_eq!(
        (&report["outcome"], &report["error"]),
        (&json!("refused"), &json!("Service temporarily unavailable"))
    );
    assert_eq!(act(&world, json!({ "say": "ok" })).await["outcome"], "done");
    assert_eq!(shown(&world).await.0["complaint"], Value::Null, "it is over");
}

#[tokio::test]
async fn what_is_pending_is_asked_for_again() {
    let (world, _server) = world().await;
    let report = act(&world, json!({ "say": { "text": "pending", "stream": false } })).await;
    assert_eq!((&report["outcome"], &report["reply"]), (&json!("done"), &json!("回声：pending 😀 the end")));
    let asked = timeline(&world).await.iter().filter(|one| one["path"] == "/api/chat/c1").count();
    assert_eq!(asked, 3);
    let report = act(&world, json!({ "say": { "text": "pending", "patience_s": 0 } })).await;
    assert_eq!(report["outcome"], "pending");
    let report = act(&world, json!("resume")).await;
    assert_eq!(
        (&report["outcome"], &report["reply"]),
        (&json!("done"), &json!("回声：pending 😀 the end")),
        "{report}"
    );
}

#[tokio::test]
async fn an_answer_is_gone_on_with_after_the_last_piece_that_came() {
    let (world, server) = world().await;
    let report = act(&world, json!({ "say": { "text": "slow", "leave_after": 2 } })).await;
    assert_eq!((&report["outcome"], &report["pieces"]), (&json!("left"), &json!(2)), "{report}");
    let came = report["reply"].as_str().unwrap().to_owned();
    let (panel, messages) = shown(&world).await;
    assert_eq!(
        (&panel["unfinished"], &messages[1]["state"], &messages[1]["text"]),
        (&json!(true), &json!("left"), &json!(came))
    );
    let report = act(&world, json!("resume")).await;
    assert_eq!(
        (&report["outcome"], &report["reply"]),
        (&json!("done"), &json!("回声：slow 😀 the end")),
        "{report}"
    );
    assert_eq!(server.memory.lock().unwrap().asked.len(), 1, "asked once");
    assert_eq!(shown(&world).await.1.len(), 2, "it is one answer");
    let cut = act(&world, json!({ "say": "cut" })).await;
    assert_eq!(
        (&cut["outcome"], &cut["error"]),
        (&json!("broken"), &json!("the stream ended before the answer did"))
    );
    assert_eq!(act(&world, json!("resume")).await["reply"], "回声：cut 😀 the end");
    let again = act(&world, json!({ "say": "again" })).await;
    assert_eq!(again["reply"], "回声：again 😀 the end", "what is said at the end counts");
    let nothing = world.ask(post("/_sim/mini/do", json!({ "as": "小明", "do": "resume" }).to_string())).await;
    assert_eq!(nothing.status, 400);
}

#[tokio::test]
async fn who_leaves_before_the_first_word_asks_the_same_again() {
    let (world, server) = world().await;
    let left = act(&world, json!({ "say": { "text": "never", "stream": false, "leave_after": 0 } })).await;
    assert_eq!((&left["outcome"], &left["reply"]), (&json!("left"), &json!(null)));
    let asked = server.memory.lock().unwrap().asked.clone();
    // The second time, it is answered.
    server.memory.lock().unwrap().asked.clear();
    let order =
        json!({ "say": { "text": "never", "leave_after": 0, "stream": false, "message_id": asked[0].1 } });
    act(&world, order).await;
    assert_eq!(server.memory.lock().unwrap().asked, asked, "with the same name");
}

#[tokio::test]
async fn conversations_are_listed_opened_and_deleted() {
    let (world, _server) = world().await;
    act(&world, json!({ "say": "one" })).await;
    act(&world, json!({ "say": "two" })).await;
    act(&world, json!("new")).await;
    assert_eq!(act(&world, json!({ "say": "three" })).await["conversation_id"], "c2");
    let listed = act(&world, json!("list")).await;
    assert_eq!(listed["answer"]["conversations"][1]["title"], "one", "{listed}");
    act(&world, json!({ "open": "c1" })).await;
    let (panel, messages) = shown(&world).await;
    assert_eq!((&panel["conversation_id"], messages.len()), (&json!("c1"), 4));
    assert_eq!(panel["conversations"].as_array().unwrap().len(), 2);
    assert_eq!(act(&world, json!({ "delete": "c1" })).await["answer"]["deleted"], 1);
    let (panel, messages) = shown(&world).await;
    assert_eq!((&panel["conversation_id"], messages.len()), (&Value::Null, 0));
    assert_eq!(panel["conversations"].as_array().unwrap().len(), 1);
    assert_eq!(act(&world, json!("delete_all")).await["answer"]["deleted"], 1);
    act(&world, json!("logout")).await;
    assert_eq!(shown(&world).await.0["logged_in"], false);
}

#[tokio::test]
async fn the_server_gets_what_a_phone_would_send() {
    let (world, _server) = world().await;
    let got = async |deed: Value| act(&world, deed).await["answer"]["got"].clone();
    assert!(got(json!({ "decrypt": "user_info" })).await["encryptedData"].is_string());
    assert!(got(json!("phone")).await["code"].is_string());
    let signed = got(json!("signature")).await;
    assert!(
        signed["rawData"].as_str().unwrap().contains("小明")
            && signed["signature"].as_str().unwrap().len() == 40
    );
    let call = json!({ "call": { "path": "/api/wx/check", "body": { "content": "好" } } });
    assert_eq!(got(call).await, json!({ "content": "好" }));
    let foreign = json!({ "call": { "path": "/api/conversations", "session": "somebody else's" } });
    assert_eq!(act(&world, foreign).await["status"], 401);
}

#[tokio::test]
async fn without_a_server_nothing_hangs() {
    let world = World::alone().await;
    let report = act(&world, json!({ "say": "hi" })).await;
    assert_eq!((&report["outcome"], &report["status"]), (&json!("unreachable"), &Value::Null));
    assert_eq!(act(&world, json!("login")).await["outcome"], "unreachable", "the phone is free again");
}

#[tokio::test]
async fn scenarios_use_the_mini_program() {
    let (world, server) = world().await;
    let scenario = json!({ "name": "n", "steps": [
        { "mini": "login", "expect": { "status": 200 } },
        { "mini": { "say": "你好 ${id}" },
          "expect": { "text": { "contains": "${id}" }, "streamed": true, "answer": { "tokens_used": 42 } },
          "save": { "conversation": { "at": "/conversation_id" } } },
        { "mini": { "say": { "text": "429" } }, "expect": { "status": 429 } },
        { "mini": { "say": { "text": "slow", "leave_after": 1 } }, "expect": { "outcome": "left" } },
        { "mini": "resume", "expect": { "text": { "contains": "the end" } } },
        { "as": "bob", "mini": { "open": "${conversation}" } },
        { "window": true, "event": "user_enter_tempsession", "expect": { "allowance": 2, "inbox": [] }, "within_s": 0 },
        { "window": true, "send": "在吗", "expect": { "deliveries": ["success"], "allowance": 7 } },
        { "send": { "mini": true, "page": { "title": "t", "path": "pages/a" } }, "expect": { "type": "nothing" } }
    ] });
    let result = world.order("/_sim/run", json!({ "scenario": scenario })).await;
    assert_eq!(result["outcome"], "passed", "{result:#}");
    assert!(server.memory.lock().unwrap().asked.iter().all(|(text, _)| !text.contains("${")));
    let bad = json!({ "name": "n", "steps": [{ "mini": { "say": "500" } }] });
    let result = world.order("/_sim/run", json!({ "scenario": bad })).await;
    assert_eq!(
        (&result["outcome"], &result["steps"][0]["misses"][0]["place"]),
        (&json!("failed"), &json!("expect.outcome"))
    );
}

#[tokio::test]
async fn what_the_mini_program_sends_by_itself_is_expected_in_its_window() {
    let (world, _server) = world().await;
    let mini = world.mini_token().await;
    let scenario = json!({ "name": "n", "steps": [
        { "window": true, "send": "在吗" },
        { "window": true, "expect": { "inbox": [{ "type": "text", "text": "在的" }] } },
        { "expect": { "inbox": [] }, "within_s": 0 }
    ] });
    let answering = async {
        let openid = loop {
            let people = world.get("/_sim/people").await;
            if let Some(found) = people.as_array().unwrap().iter().find(|one| one["mini"]["allowance"] == 5) {
                break found["mini"]["openid"].clone();
            }
            tokio::task::yield_now().await;
        };
        let message = json!({ "touser": openid, "msgtype": "text", "text": { "content": "在的" } });
        world.api(&format!("/cgi-bin/message/custom/send?access_token={mini}"), message).await
    };
    let (result, sent) = tokio::join!(world.order("/_sim/run", json!({ "scenario": scenario })), answering);
    assert_eq!((&result["outcome"], &sent["errcode"]), (&json!("passed"), &json!(0)), "{result:#}");
}

#[tokio::test]
async fn what_is_done_there_is_recorded() {
    let (world, _server) = world().await;
    world.order("/_sim/record", json!({ "on": true })).await;
    act(&world, json!({ "say": "hi" })).await;
    world.send(json!({ "as": "小明", "mini": true, "text": "在吗" })).await;
    let recorded = world.order("/_sim/record", json!({ "on": false })).await["scenario"].clone();
    assert_eq!(recorded["steps"][0]["mini"], json!({ "say": "hi" }), "{recorded}");
    assert_eq!(
        (&recorded["steps"][1]["window"], &recorded["steps"][1]["send"]),
        (&json!(true), &json!("在吗"))
    );
    assert_eq!(world.order("/_sim/run", json!({ "scenario": recorded })).await["outcome"], "passed");
}

#[tokio::test]
async fn the_command_line_chats_too() {
    let (world, _server) = world().await;
    let port = world.port.to_string();
    let wx_sim = async |args: &[&str]| {
        let args = [&["mini"], args, &["--port", &port, "--as", "bob"]].concat();
        run(&args).await
    };
    let said = wx_sim(&["say", "你好"]).await;
    assert_eq!(said.0, 0, "{}", said.1);
    assert!(
        said.1.contains("Mini Program ◂ 回声：你好 😀 the end") && said.1.contains("42 tokens"),
        "{}",
        said.1
    );
    let listed = wx_sim(&["list"]).await;
    assert!(listed.1.contains("c1  你好"), "{}", listed.1);
    let whole = wx_sim(&["call", "/api/conversations"]).await;
    assert!(whole.1.contains(r#"{"conversations":[{"#), "as the server said it: {}", whole.1);
    assert_eq!(wx_sim(&["new"]).await.1, "The next message begins another conversation\n");
    let left = wx_sim(&["stream", "slow", "--leave-after", "1"]).await;
    assert!(left.0 == 0 && left.1.contains("left in the middle"), "{}", left.1);
    assert!(wx_sim(&["resume"]).await.1.contains("the end"));
    let refused = wx_sim(&["login", "--risky"]).await;
    let told = refused.1.contains("Login refused") && !refused.1.contains("logged in");
    assert!(refused.0 == 1 && told, "{}", refused.1);
    assert_eq!(wx_sim(&["code"]).await.1.trim().len(), 32);
    let window = wx_sim(&["window", "在吗", "--format", "json"]).await;
    assert!(window.0 == 0 && window.1.contains("在吗"), "{}", window.1);
    assert!(wx_sim(&["window", "--enter"]).await.1.contains("user_enter_tempsession"));
    assert!(world.ask(get("/_sim/mini")).await.status == 200);
}
