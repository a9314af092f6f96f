//! Pushes: sealed in each mode, delivered again until WeChat is content, and judged.

use serde_json::{Value, json};

use crate::callback::{Callback, Reaction};
use crate::raw::get;
use crate::world::{World, echo, open, reply};

fn outcomes(report: &Value) -> Vec<&str> {
    report["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|delivery| delivery["outcome"].as_str().unwrap())
        .collect()
}

fn broken(report: &Value) -> Vec<&str> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["ok"] == false).map(|check| check["rule"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_message_is_answered_in_each_mode() {
    for (mode, secure) in [("plain", false), ("compat", true), ("aes", true)] {
        let callback = echo(secure).await;
        let world = World::new(&callback.url).await;
        let report = world.send(json!({ "as": "小明", "mode": mode, "text": "你好 <&]]>" })).await;
        assert_eq!(outcomes(&report), ["reply"], "{mode}: {report}");
        assert_eq!(
            report["shown"],
            json!([{ "type": "text", "text": "回声：你好 <&]]>", "links": [] }]),
            "{mode}"
        );
        assert_eq!((broken(&report).len(), &report["error_line"]), (0, &json!(false)), "{mode}: {report}");
        let plain = report["deliveries"][0]["plain"].as_str().unwrap();
        assert!(plain.contains("回声") && plain.contains(report["openid"].as_str().unwrap()), "{plain}");
        let [push] = callback.arrived().try_into().unwrap();
        assert!(push.headers.contains("content-type: text/xml") && push.headers.contains("Mozilla/4.0"));
        assert_eq!(push.body.contains("<Content>"), mode != "aes");
        assert_eq!(push.query.contains("encrypt_type=aes"), mode != "plain");
    }
}

#[tokio::test]
async fn the_mode_is_aes_when_there_is_a_key() {
    let callback = echo(true).await;
    let report = World::new(&callback.url).await.send(json!({ "text": "hi" })).await;
    assert_eq!((&report["mode"], &report["as"]), (&json!("aes"), &json!("xiaoming")));
}

#[tokio::test]
async fn what_runs_out_of_time_is_delivered_again_the_same() {
    let callback = Callback::start(|n, push| match (n, open(push, true)) {
        (2, Ok(opened)) => Reaction::Answer(200, reply(&opened, push, "终于")),
        _ => Reaction::Hang,
    })
    .await;
    let world = World::new(&callback.url).await;
    let report = world.send(json!({ "text": "慢",  "limit_ms": 2000 })).await;
    assert_eq!(outcomes(&report), ["timeout", "timeout", "reply"]);
    assert_eq!(report["shown"][0]["text"], "终于");
    let arrived = callback.arrived();
    assert_eq!(arrived.len(), 3);
    assert!(arrived.iter().all(|push| push == &arrived[0]), "query and body are repeated");
    let started: Vec<_> = (0..3).map(|n| report["deliveries"][n]["started_ms"].as_u64().unwrap()).collect();
    assert!(started[1] >= 2000 && started[2] >= 4000, "{started:?}");
}

#[tokio::test]
async fn after_three_misses_the_user_sees_the_error_line() {
    let callback = Callback::start(|_, _| Reaction::Hang).await;
    let report = World::new(&callback.url).await.send(json!({ "text": "慢", "limit_ms": 20 })).await;
    assert_eq!(outcomes(&report), ["timeout", "timeout", "timeout"]);
    assert_eq!(
        report["shown"],
        json!([{ "type": "error", "text": "该公众号提供的服务出现故障，请稍后再试" }])
    );
    assert_eq!((&report["error_line"], broken(&report)), (&json!(true), vec!["answered"]));
    let once =
        World::new(&callback.url).await.send(json!({ "text": "慢", "limit_ms": 20, "deliveries": 1 })).await;
    assert_eq!(outcomes(&once), ["timeout"]);
}

#[tokio::test]
async fn another_status_a_cut_and_a_refusal_are_delivered_again() {
    let callback = Callback::start(|n, _| match n {
        0 => Reaction::Answer(201, "success".to_owned()),
        1 => Reaction::Cut,
        _ => Reaction::Answer(200, "success".to_owned()),
    })
    .await;
    let world = World::new(&callback.url).await;
    let report = world.send(json!({ "text": "hi" })).await;
    assert_eq!(outcomes(&report), ["status", "cut", "success"]);
    assert_eq!(report["deliveries"][0]["status"], 201);
    assert_eq!((&report["shown"], &report["error_line"]), (&json!([]), &json!(false)));
    let nobody = World::alone().await.send(json!({ "text": "hi" })).await;
    assert_eq!((outcomes(&nobody), &nobody["error_line"]), (vec!["refused"; 3], &json!(true)));
}

#[tokio::test]
async fn a_reply_that_breaks_a_rule_is_not_shown() {
    let callback = Callback::answering("<html>Internal error</html>").await;
    let report = World::new(&callback.url).await.send(json!({ "text": "hi", "mode": "plain" })).await;
    assert_eq!((outcomes(&report), broken(&report)), (vec!["reply"], vec!["well_formed"]));
    assert_eq!(report["error_line"], true);
    let callback = Callback::start(|_, push| {
        let opened = open(push, true).unwrap();
        Reaction::Answer(200, reply(&opened, push, &"好".repeat(700)))
    })
    .await;
    let report = World::new(&callback.url).await.send(json!({ "text": "hi" })).await;
    assert_eq!((broken(&report), &report["error_line"]), (vec!["text_size"], &json!(true)));
}

#[tokio::test]
async fn copies_at_once_must_get_one_answer() {
    let callback = echo(true).await;
    let world = World::new(&callback.url).await;
    let report = world.send(json!({ "text": "hi", "parallel": 3 })).await;
    assert_eq!((outcomes(&report), broken(&report).len()), (vec!["reply"; 3], 0));
    assert_eq!(report["shown"].as_array().unwrap().len(), 1);
    let moody = Callback::start(|n, push| {
        let opened = open(push, true).unwrap();
        Reaction::Answer(200, reply(&opened, push, &n.to_string()))
    })
    .await;
    let report = World::new(&moody.url).await.send(json!({ "text": "hi", "parallel": 2 })).await;
    assert_eq!((broken(&report), &report["error_line"]), (vec!["same_reply"], &json!(true)));
    let hasty = Callback::start(|n, push| match n {
        0 => Reaction::Answer(200, "success".to_owned()),
        _ => Reaction::Answer(200, reply(&open(push, true).unwrap(), push, "hi")),
    })
    .await;
    let report = World::new(&hasty.url).await.send(json!({ "text": "hi", "parallel": 2 })).await;
    assert_eq!((broken(&report), &report["error_line"]), (vec!["same_reply"], &json!(true)));
    let quiet = Callback::start(|n, _| Reaction::Answer(200, ["", "success"][n].to_owned())).await;
    let report = World::new(&quiet.url).await.send(json!({ "text": "hi", "parallel": 2 })).await;
    assert_eq!((broken(&report).len(), &report["shown"]), (0, &json!([])), "both are nothing");
}

#[tokio::test]
async fn a_callback_that_checks_refuses_what_is_tampered_with() {
    let callback = echo(true).await;
    let world = World::new(&callback.url).await;
    for tamper in ["signature", "unsigned", "stale", "downgrade", "app_id"] {
        let report = world.send(json!({ "text": "hi", "tamper": tamper, "deliveries": 1 })).await;
        assert_eq!(
            (outcomes(&report), &report["deliveries"][0]["status"]),
            (vec!["status"], &json!(403)),
            "{tamper}"
        );
    }
    let good = world.send(json!({ "text": "hi" })).await;
    assert_eq!(outcomes(&good), ["reply"]);
}

#[tokio::test]
async fn ids_and_times_can_be_chosen_to_send_a_message_again() {
    let callback = echo(false).await;
    let world = World::new(&callback.url).await;
    let request =
        json!({ "mode": "plain", "text": "hi", "msg_id": 17999999999999999_u64, "created": 1_700_000_000 });
    let first = world.send(request.clone()).await;
    world.send(request).await;
    assert_eq!(first["msg_id"], "17999999999999999");
    let [one, two] = callback.arrived().try_into().unwrap();
    assert_eq!(one.body, two.body);
    assert!(one.body.contains("<CreateTime>1700000000</CreateTime>"), "{}", one.body);
    let new = world.send(json!({ "mode": "plain", "text": "hi" })).await;
    let msg_id: u64 = new["msg_id"].as_str().unwrap().parse().unwrap();
    assert!(msg_id > 1 << 53, "beyond what JavaScript can count");
}

#[tokio::test]
async fn a_raw_document_arrives_as_it_is() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let xml = "<xml><FromUserName>someone</FromUserName><MsgType>hologram</MsgType></xml>";
    let report = world.send(json!({ "mode": "plain", "xml": xml })).await;
    assert_eq!((callback.arrived()[0].body.as_str(), &report["openid"]), (xml, &json!("someone")));
    world.send(json!({ "mode": "plain", "xml": "not even XML" })).await;
    assert_eq!(callback.arrived()[1].body, "not even XML");
}

#[tokio::test]
async fn events_and_other_messages_have_their_fields() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let requests = [
        (
            json!({ "event": { "type": "subscribe", "key": "42" } }),
            vec!["<![CDATA[subscribe]]>", "qrscene_42", "<Ticket>"],
        ),
        (json!({ "event": { "type": "click", "key": "MENU" } }), vec!["<![CDATA[CLICK]]>", "MENU"]),
        (json!({ "event": { "type": "scan", "key": "42" } }), vec!["<![CDATA[SCAN]]>", "<![CDATA[42]]>"]),
        (
            json!({ "event": { "type": "LOCATION", "fields": { "Latitude": "23.1" } } }),
            vec!["<Latitude>", "23.1"],
        ),
        (
            json!({ "link": { "title": "t", "url": "https://a.example" } }),
            vec!["<![CDATA[link]]>", "https://a.example"],
        ),
        (
            json!({ "location": { "lat": 39.9, "lon": 116.4, "label": "天安门" } }),
            vec!["39.9", "116.4", "天安门"],
        ),
        (json!({ "text": "继续", "bizmsgmenuid": "1" }), vec!["<bizmsgmenuid><![CDATA[1]]>"]),
    ];
    for (mut request, expected) in requests {
        request["mode"] = json!("plain");
        world.send(request.clone()).await;
        let body = callback.arrived().pop().unwrap().body;
        assert!(expected.iter().all(|part| body.contains(part)), "{request}: {body}");
        assert_eq!(body.contains("<MsgId>"), request.get("event").is_none(), "{body}");
    }
}

#[tokio::test]
async fn nobody_sees_what_answers_a_farewell() {
    let callback = Callback::start(|_, _| Reaction::Answer(500, String::new())).await;
    let world = World::new(&callback.url).await;
    let farewell = world.send(json!({ "event": { "type": "unsubscribe" } })).await;
    assert_eq!((&farewell["shown"], &farewell["error_line"]), (&json!([]), &json!(false)));
    let tap = world.send(json!({ "event": { "type": "click", "key": "K" } })).await;
    assert_eq!(tap["error_line"], true);
}

#[tokio::test]
async fn a_picture_can_be_fetched_from_its_url() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    world.send(json!({ "mode": "plain", "image": "iVBORw0KGgo=" })).await;
    let body = callback.arrived().pop().unwrap().body;
    let url = body.split("<PicUrl><![CDATA[").nth(1).unwrap().split("]]>").next().unwrap();
    let path = url.strip_prefix(&format!("http://127.0.0.1:{}", world.port)).expect("our own address");
    let picture = world.ask(get(path)).await;
    assert_eq!(picture.body, b"\x89PNG\r\n\x1a\n");
    assert!(picture.has_header("content-type: image/png"));
}

#[tokio::test]
async fn other_machines_are_left_alone() {
    let world = World::alone().await;
    let body = json!({ "text": "hi", "target": "http://192.0.2.1/wechat" }).to_string();
    let got = world.ask(crate::raw::post("/_sim/send", body)).await;
    assert_eq!(got.status, 403);
    assert!(got.text().contains("--allow-remote"), "{}", got.text());
}
