//! Customer-service agents: accounts, sessions, records.

use serde_json::{Value, json};
use wxapi::wechat::xml::{Fields, XmlWriter, parse_xml};

use crate::callback::{Callback, Reaction};
use crate::raw::post;
use crate::world::{World, open, until};

const ADD: &str = "/customservice/kfaccount/add";
const INVITE: &str = "/customservice/kfaccount/inviteworker";
const CREATE: &str = "/customservice/kfsession/create";
const CLOSE: &str = "/customservice/kfsession/close";
const AGENTS: &str = "/cgi-bin/customservice/getkflist?";
const SEND: &str = "/cgi-bin/message/custom/send";

fn agent(account: &str, nickname: &str) -> Value {
    json!({ "kf_account": account, "nickname": nickname })
}

/// An agent at work.
async fn hire(world: &World, account: &str, worker: &str) {
    assert_eq!(world.errcode(ADD, agent(account, "客服")).await, 0);
    assert_eq!(world.errcode(INVITE, json!({ "kf_account": account, "invite_wx": worker })).await, 0);
}

/// The pushes of this event, when there are so many.
async fn events(callback: &Callback, name: &str, count: usize) -> Vec<Fields> {
    until(async || {
        let pushes = callback
            .arrived()
            .iter()
            .map(|push| parse_xml(&open(push, true).unwrap().xml).unwrap())
            .collect::<Vec<_>>();
        let found: Vec<_> = pushes.into_iter().filter(|push| push.get("Event") == Some(name)).collect();
        tokio::task::yield_now().await;
        (found.len() == count).then_some(found)
    })
    .await
}

#[tokio::test]
async fn agents_are_hired_renamed_pictured_and_dismissed() {
    let world = World::alone().await;
    assert_eq!(world.errcode(ADD, agent("test1@test", "客服1")).await, 0);
    assert_eq!(world.errcode("/customservice/kfaccount/update", agent("test1@test", "小美")).await, 0);
    let form =
        "--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\n\r\n\u{0}\r\n--b--\r\n";
    let upload = async |account: &str, file: &[u8]| {
        let (head, tail) = form.split_once('\u{0}').unwrap();
        let body = [head.as_bytes(), file, tail.as_bytes()].concat();
        let path = "/customservice/kfaccount/uploadheadimg";
        let path = format!("{path}?kf_account={account}&access_token={}", world.token().await);
        let ask = post(path, body).header("content-type", "multipart/form-data; boundary=b");
        world.ask(ask).await.json()["errcode"].clone()
    };
    assert_eq!(upload("test1@test", b"\x89PNG\r\n\x1a\n...").await, 0);
    assert_eq!(upload("test1@test", b"#!AMR\n").await, 40005);
    assert_eq!(upload("test1@test", b"").await, 41005);
    assert_eq!(upload("test2@test", b"\x89PNG").await, 65401);
    let mut listed = world.fetch(AGENTS).await;
    let picture = listed["kf_list"][0]["kf_headimgurl"].take();
    let path = picture.as_str().unwrap().split_once("/_sim/").unwrap().1;
    let shown = world.ask(crate::raw::get(format!("/_sim/{path}"))).await;
    assert_eq!(shown.body, b"\x89PNG\r\n\x1a\n...");
    let expected =
        json!({ "kf_account": "test1@test", "kf_headimgurl": null, "kf_id": "1001", "kf_nick": "小美" });
    assert_eq!(listed, json!({ "kf_list": [expected] }));
    assert_eq!(world.errcode("/customservice/kfaccount/del", json!({ "kf_account": "test1@test" })).await, 0);
    assert_eq!(world.fetch(AGENTS).await, json!({ "kf_list": [] }));
    assert_eq!(world.errcode(ADD, agent("old@test", "老")).await, 0);
    let by_get = world.fetch("/customservice/kfaccount/del?kf_account=old@test").await;
    assert_eq!(by_get["errcode"], 0);
}

#[tokio::test]
async fn each_mistake_with_an_agent_has_its_code() {
    let world = World::alone().await;
    hire(&world, "a@x", "worker_a").await;
    for (path, body, code) in [
        (ADD, agent("客服@x", "甲"), 65404),
        (ADD, agent("b@x", ""), 65403),
        (ADD, agent("a@x", "甲"), 65406),
        ("/customservice/kfaccount/update", agent("b@x", "甲"), 65401),
        ("/customservice/kfaccount/update", agent("a@x", ""), 65403),
        ("/customservice/kfaccount/del", json!({ "kf_account": "b@x" }), 65401),
        (INVITE, json!({ "kf_account": "b@x", "invite_wx": "w" }), 65401),
        (INVITE, json!({ "kf_account": "a@x", "invite_wx": "w" }), 65412),
    ] {
        assert_eq!(world.errcode(path, body.clone()).await, code, "{path} {body}");
    }
    world.order("/_sim/account", json!({ "type": "personal" })).await;
    assert_eq!(world.fetch(AGENTS).await["errcode"], 48001);
}

#[tokio::test]
async fn a_session_begins_and_ends_with_an_event() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let openid = world.follower("小明").await;
    hire(&world, "a@x", "worker_a").await;
    hire(&world, "b@x", "worker_b").await;
    assert_eq!(world.errcode(ADD, agent("c@x", "丙")).await, 0);
    let with = |account: &str| json!({ "kf_account": account, "openid": openid });
    assert_eq!(world.errcode(CREATE, with("nobody@x")).await, 65401);
    assert_eq!(world.errcode(CREATE, with("c@x")).await, 65402);
    assert_eq!(world.errcode(CREATE, json!({ "kf_account": "a@x", "openid": "nobody" })).await, 40003);
    assert_eq!(world.errcode(CREATE, with("a@x")).await, 0);
    assert_eq!(world.errcode(CREATE, with("a@x")).await, 0, "again, without an event");
    assert_eq!(world.errcode(CREATE, with("b@x")).await, 65414);
    let begun = events(&callback, "kf_create_session", 1).await;
    assert_eq!(begun[0].get("KfAccount"), Some("a@x"));
    assert_eq!((begun[0].get("FromUserName"), begun[0].get("EventKey")), (Some(openid.as_str()), None));
    let session = world.fetch(&format!("/customservice/kfsession/getsession?openid={openid}")).await;
    assert_eq!((&session["errcode"], &session["errmsg"]), (&json!(0), &json!("ok")));
    assert_eq!(session["kf_account"], "a@x");
    let online = world.fetch("/cgi-bin/customservice/getonlinekflist?").await;
    let expected = json!([
        { "kf_account": "a@x", "status": 1, "kf_id": "1001", "accepted_case": 1 },
        { "kf_account": "b@x", "status": 1, "kf_id": "1002", "accepted_case": 0 },
    ]);
    assert_eq!(online["kf_online_list"], expected);
    let sessions = world.fetch("/customservice/kfsession/getsessionlist?kf_account=a@x").await;
    let expected = json!([{ "createtime": session["createtime"], "openid": openid }]);
    assert_eq!(sessions["sessionlist"], expected);
    assert_eq!(world.errcode(CLOSE, with("b@x")).await, 65413);
    assert_eq!(world.errcode(CLOSE, with("a@x")).await, 0);
    assert_eq!(world.errcode(CLOSE, with("a@x")).await, 65413);
    let ended = events(&callback, "kf_close_session", 1).await;
    assert_eq!(ended[0].get("KfAccount"), Some("a@x"));
    let session = world.fetch(&format!("/customservice/kfsession/getsession?openid={openid}")).await;
    assert_eq!(session, json!({ "createtime": 0, "errcode": 0, "errmsg": "ok", "kf_account": "" }));
    world.errcode(CREATE, with("b@x")).await;
    world.errcode("/customservice/kfaccount/del", json!({ "kf_account": "b@x" })).await;
    assert_eq!(events(&callback, "kf_close_session", 2).await[1].get("KfAccount"), Some("b@x"));
    assert_eq!(events(&callback, "kf_create_session", 2).await.len(), 2);
}

/// A callback that hands every message to the agents.
async fn transferring() -> Callback {
    Callback::start(|_, push| {
        let push = parse_xml(&push.body).unwrap();
        let mut xml = XmlWriter::new(256);
        xml.cdata("ToUserName", &push.owned("FromUserName"))
            .cdata("FromUserName", &push.owned("ToUserName"))
            .number("CreateTime", 1_800_000_000)
            .cdata("MsgType", "transfer_customer_service");
        Reaction::Answer(200, xml.finish())
    })
    .await
}

#[tokio::test]
async fn who_is_handed_over_waits_and_is_then_recorded() {
    let world = World::new(&transferring().await.url).await;
    let say = async |text: &str| world.send(json!({ "as": "小明", "text": text, "mode": "plain" })).await;
    let said = say("有人吗").await;
    assert_eq!(said["shown"][0]["type"], "transfer", "{said}");
    let openid = said["openid"].as_str().unwrap().to_owned();
    hire(&world, "a@x", "worker_a").await;
    let waiting = async || world.fetch("/customservice/kfsession/getwaitcase?").await;
    let cases = waiting().await;
    assert_eq!((&cases["count"], &cases["waitcaselist"][0]["openid"]), (&json!(1), &json!(openid)));
    assert_eq!(world.errcode(CREATE, json!({ "kf_account": "a@x", "openid": openid })).await, 0);
    assert_eq!(waiting().await, json!({ "count": 0, "waitcaselist": [] }));
    say("你好").await;
    let answer = |text: &str, speaker: Value| json!({ "touser": openid, "msgtype": "text", "text": { "content": text }, "customservice": speaker });
    assert_eq!(world.errcode(SEND, answer("您好", json!({ "kf_account": "a@x" }))).await, 0);
    assert_eq!(world.errcode(SEND, answer("您好", json!({ "kf_account": "b@x" }))).await, 61452);
    assert_eq!(world.errcode(SEND, answer("您好", json!({}))).await, 61451);
    let now = said_at(&world).await;
    let path = "/customservice/msgrecord/getmsglist";
    let asked = |from: u64, to: u64, id: u64, number: u64| json!({ "starttime": from, "endtime": to, "msgid": id, "number": number });
    let got = world.call(path, asked(now - 60, now + 60, 1, 10_000)).await;
    let records = got["recordlist"].as_array().unwrap();
    let codes: Vec<_> =
        records.iter().map(|record| (record["opercode"].clone(), record["text"].clone())).collect();
    assert_eq!(codes, [(json!(2003), json!("你好")), (json!(2002), json!("您好"))]);
    assert!(records.iter().all(|record| record["worker"] == "a@x" && record["openid"] == openid.as_str()));
    assert_eq!((&got["number"], &got["msgid"]), (&json!(2), &json!(3)));
    let rest = world.call(path, asked(now - 60, now + 60, 2, 1)).await;
    assert_eq!((&rest["recordlist"][0]["opercode"], &rest["msgid"]), (&json!(2002), &json!(3)));
    assert_eq!(world.call(path, asked(now - 7200, now - 3600, 1, 1)).await["number"], 0);
    assert_eq!(world.errcode(path, asked(now, now, 1, 1)).await, 65416);
    assert_eq!(world.errcode(path, asked(now, now + 1, 1, 10_001)).await, 65416);
    assert_eq!(world.errcode(path, asked(now, now + 86_401, 1, 1)).await, 65417);
}

/// The simulator's time in seconds.
async fn said_at(world: &World) -> u64 {
    world.order("/_sim/clock", json!({ "advance_s": 0 })).await["now_ms"].as_u64().unwrap() / 1000
}
