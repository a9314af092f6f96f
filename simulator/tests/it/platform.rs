//! The stand-in for api.weixin.qq.com.

use serde_json::{Value, json};

use crate::callback::Callback;
use crate::raw::{self, get, post};
use crate::world::{APP_ID, APP_SECRET, PNG, World};

const SEND: &str = "/cgi-bin/message/custom/send";
const TYPING: &str = "/cgi-bin/message/custom/typing";

/// A world in which 小明 has just written; his openid.
async fn after_a_message() -> (World, String) {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let openid = write(&world).await;
    (world, openid)
}

async fn write(world: &World) -> String {
    world.send(json!({ "as": "小明", "text": "hi" })).await["openid"].as_str().unwrap().to_owned()
}

fn text(openid: &str, content: &str) -> Value {
    json!({ "touser": openid, "msgtype": "text", "text": { "content": content } })
}

async fn code(world: &World, path: &str) -> i64 {
    world.get(path).await["errcode"].as_i64().unwrap_or(0)
}

#[tokio::test]
async fn token_wants_get_and_the_right_secrets() {
    let world = World::alone().await;
    let path = |kind: &str, appid: &str, secret: &str| {
        format!("/cgi-bin/token?grant_type={kind}&appid={appid}&secret={secret}")
    };
    let granted = world.get(&path("client_credential", APP_ID, APP_SECRET)).await;
    assert_eq!((&granted["expires_in"], granted.get("errcode")), (&json!(7200), None));
    assert_eq!(code(&world, &path("password", APP_ID, APP_SECRET)).await, 40002);
    assert_eq!(code(&world, &path("client_credential", "wx1", APP_SECRET)).await, 40013);
    assert_eq!(code(&world, &path("client_credential", APP_ID, "wrong")).await, 40125);
    assert_eq!(code(&world, &path("client_credential", "", APP_SECRET)).await, 41002);
    assert_eq!(code(&world, &path("client_credential", APP_ID, "")).await, 41004);
    assert_eq!(world.api("/cgi-bin/token", json!({})).await["errcode"], 43001);
}

#[tokio::test]
async fn stable_token_wants_post_and_stays_the_same() {
    let world = World::alone().await;
    assert_eq!(code(&world, "/cgi-bin/stable_token").await, 43002);
    assert_eq!(world.ask(post("/cgi-bin/stable_token", "")).await.json()["errcode"], 44002);
    assert_eq!(world.ask(post("/cgi-bin/stable_token", "a=1")).await.json()["errcode"], 47001);
    let first = world.token().await;
    world.order("/_sim/clock", json!({ "advance_s": 3600 })).await;
    assert_eq!(world.token().await, first);
    world.order("/_sim/clock", json!({ "advance_s": 3301 })).await;
    assert_ne!(world.token().await, first);
    let asked = json!({ "grant_type": "client_credential", "appid": APP_ID, "secret": APP_SECRET, "force_refresh": true });
    let forced = world.api("/cgi-bin/stable_token", asked.clone()).await;
    assert_eq!(world.api("/cgi-bin/stable_token", asked).await["access_token"], forced["access_token"]);
}

#[tokio::test]
async fn each_bad_token_has_its_code() {
    let (world, openid) = after_a_message().await;
    let send = async |query: &str| {
        world.api(&format!("{SEND}{query}"), text(&openid, "hi")).await["errcode"].clone()
    };
    assert_eq!(send("").await, 41001);
    assert_eq!(send("?access_token=nonsense").await, 40014);
    let token = world.token().await;
    world.order("/_sim/token", json!({ "invalidate": true })).await;
    assert_eq!(send(&format!("?access_token={token}")).await, 40001);
    let token = world.token().await;
    assert_eq!(send(&format!("?access_token={token}")).await, 0);
    world.order("/_sim/clock", json!({ "advance_s": 7200 })).await;
    assert_eq!(send(&format!("?access_token={token}")).await, 42001);
}

#[tokio::test]
async fn five_messages_in_48_hours_reach_the_inbox() {
    let (world, openid) = after_a_message().await;
    for n in 1..=5 {
        assert_eq!(world.errcode(SEND, text(&openid, &format!("第{n}条"))).await, 0);
    }
    assert_eq!(world.errcode(SEND, text(&openid, "第6条")).await, 45047);
    let inbox = world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E&after=3").await;
    let shown: Vec<_> =
        inbox["messages"].as_array().unwrap().iter().map(|pushed| &pushed["shown"]["text"]).collect();
    assert_eq!((shown, &inbox["allowance"]), (vec![&json!("第4条"), &json!("第5条")], &json!(0)));
    write(&world).await;
    assert_eq!(world.errcode(SEND, text(&openid, "又来了")).await, 0);
    world.order("/_sim/clock", json!({ "advance_s": 48 * 3600 })).await;
    assert_eq!(world.errcode(SEND, text(&openid, "太晚")).await, 45015);
}

#[tokio::test]
async fn only_what_a_person_did_opens_their_window() {
    let world = World::alone().await;
    let allowance = async || world.get("/_sim/inbox?as=xiaoming").await["allowance"].clone();
    for tamper in ["signature", "unsigned", "stale", "downgrade", "app_id"] {
        world.send(json!({ "text": "hi", "tamper": tamper })).await;
        assert_eq!(allowance().await, 0, "{tamper}");
    }
    world.send(json!({ "text": "hi" })).await;
    assert_eq!(allowance().await, 5);
    world.send(json!({ "event": { "type": "unsubscribe" }, "tamper": "signature" })).await;
    assert_eq!(allowance().await, 5, "whoever forged it");
}

#[tokio::test]
async fn who_leaves_or_never_came_cannot_be_written_to() {
    let (world, openid) = after_a_message().await;
    assert_eq!(world.errcode(SEND, text("oAbCd1234567890abcdefghijkl_", "hi")).await, 40003);
    world.send(json!({ "as": "小明", "event": { "type": "unsubscribe" } })).await;
    assert_eq!(world.errcode(SEND, text(&openid, "hi")).await, 45015);
    world.send(json!({ "as": "小明", "event": { "type": "subscribe" } })).await;
    for expected in [0, 0, 0, 45047] {
        assert_eq!(world.errcode(SEND, text(&openid, "hi")).await, expected);
    }
}

#[tokio::test]
async fn messages_are_checked_by_their_shape() {
    let (world, openid) = after_a_message().await;
    let image = world.upload("/cgi-bin/media/upload?type=image", "a.png", PNG, &[]).await["media_id"].clone();
    let article = json!({ "title": "t", "description": "d", "url": "https://a.example", "picurl": "" });
    let cases = [
        (json!({ "msgtype": "text", "text": { "content": "好".repeat(682) } }), 0),
        (json!({ "msgtype": "text", "text": { "content": "好".repeat(683) } }), 45002),
        (json!({ "msgtype": "text", "text": { "content": "" } }), 44004),
        (json!({ "msgtype": "image", "image": {} }), 40007),
        (json!({ "msgtype": "hologram", "hologram": {} }), 40008),
        (json!({ "msgtype": "text" }), 40008),
        (json!({ "msgtype": "news", "news": { "articles": [article, article] } }), 45008),
        (json!({ "msgtype": "news", "news": { "articles": [article] } }), 0),
        (
            json!({ "msgtype": "msgmenu", "msgmenu": { "head_content": "?", "list": [{ "id": 1, "content": "是" }] } }),
            0,
        ),
        (json!({ "msgtype": "msgmenu", "msgmenu": { "head_content": "?", "list": [] } }), 40008),
        (json!({ "msgtype": "image", "image": { "media_id": image } }), 0),
        (json!({ "msgtype": "image", "image": { "media_id": "m" } }), 40007),
        (json!({ "msgtype": "voice", "voice": { "media_id": image } }), 40007),
        (json!({ "msgtype": "mpnews", "mpnews": { "media_id": image } }), 40007),
        (json!({ "msgtype": "mpnewsarticle", "mpnewsarticle": { "article_id": "a" } }), 53600),
    ];
    for (mut message, expected) in cases {
        message["touser"] = json!(openid);
        assert_eq!(world.errcode(SEND, message.clone()).await, expected, "{message}");
    }
    let inbox = world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E").await;
    let kinds: Vec<_> =
        inbox["messages"].as_array().unwrap().iter().map(|pushed| &pushed["shown"]["type"]).collect();
    assert_eq!(kinds, ["text", "news", "menu", "image"]);
}

#[tokio::test]
async fn typing_has_its_own_rules() {
    let (world, openid) = after_a_message().await;
    let command = |command: &str| json!({ "touser": openid, "command": command });
    assert_eq!(world.errcode(TYPING, command("Sleeping")).await, 45072);
    assert_eq!(world.errcode(TYPING, command("Typing")).await, 0);
    assert_eq!(world.errcode(TYPING, command("Typing")).await, 45081);
    assert_eq!(world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E").await["typing"], true);
    assert_eq!(world.errcode(TYPING, command("CancelTyping")).await, 0);
    world.order("/_sim/clock", json!({ "advance_s": 31 })).await;
    assert_eq!(world.errcode(TYPING, command("Typing")).await, 45080);
}

#[tokio::test]
async fn the_account_type_decides_what_is_unauthorized() {
    let (world, openid) = after_a_message().await;
    let menu = json!({ "touser": openid, "msgtype": "msgmenu", "msgmenu": { "list": [{ "id": "1", "content": "是" }] } });
    for (account, send, menus) in
        [("personal", 48001, 48001), ("test", 0, 40200), ("subscription", 0, 0), ("service", 0, 0)]
    {
        world.order("/_sim/account", json!({ "type": account })).await;
        assert_eq!(world.get("/_sim/account").await["type"], account);
        write(&world).await;
        assert_eq!(world.errcode(SEND, text(&openid, "hi")).await, send, "{account}");
        assert_eq!(world.errcode(SEND, menu.clone()).await, menus, "{account}");
    }
}

#[tokio::test]
async fn media_are_the_bytes_that_were_sent() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    world.send(json!({ "mode": "plain", "voice": { "data": "IyFBTVIKPA==", "recognition": "你好" } })).await;
    let body = callback.arrived().pop().unwrap().body;
    assert!(body.contains("<Recognition><![CDATA[你好]]>") && body.contains("<Format><![CDATA[amr]]>"));
    let media_id = body.split("<MediaId><![CDATA[").nth(1).unwrap().split("]]>").next().unwrap();
    let path = format!("/cgi-bin/media/get?access_token={}&media_id=", world.token().await);
    let voice = world.ask(get(format!("{path}{media_id}"))).await;
    assert_eq!(voice.body, b"#!AMR\n<");
    assert!(voice.has_header("content-type: audio/amr"));
    assert!(voice.has_header(&format!("content-disposition: attachment; filename=\"{media_id}.amr\"")));
    assert_eq!(code(&world, &format!("{path}other")).await, 40007);
    assert_eq!(code(&world, &path).await, 41006);
    world.order("/_sim/clock", json!({ "advance_s": 3 * 86_400 })).await;
    let path = format!("/cgi-bin/media/get?access_token={}&media_id={media_id}", world.token().await);
    assert_eq!(code(&world, &path).await, 40007, "three days later");
}

#[tokio::test]
async fn faults_happen_as_ordered_and_are_over() {
    let (world, openid) = after_a_message().await;
    let faults = json!([
        { "path": SEND, "errcode": -1, "times": 2 },
        { "path": SEND, "http_status": 502 },
        { "path": SEND, "cut": true },
        { "path": "/cgi-bin/token", "delay_ms": 60_000 },
    ]);
    world.order("/_sim/faults", faults).await;
    let path = format!("{SEND}?access_token={}", world.token().await);
    for _ in 0..2 {
        let answer = world.api(&path, text(&openid, "hi")).await;
        assert_eq!(answer["errcode"], -1);
        assert!(answer["errmsg"].as_str().unwrap().starts_with("system error rid: "), "{answer}");
    }
    let ask = || post(path.as_str(), text(&openid, "hi").to_string());
    assert_eq!(world.ask(ask()).await.status, 502);
    assert!(raw::send(world.port, ask()).await.is_none(), "the connection is cut");
    assert_eq!(world.ask(ask()).await.json()["errcode"], 0);
    assert_eq!(world.get("/_sim/faults").await.as_array().unwrap().len(), 1);
    assert_eq!(world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E").await["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_no_api_has_is_an_invalid_url_wherever_apis_are() {
    let world = World::alone().await;
    for start in ["/cgi-bin", "/sns", "/wxa", "/wxaapi", "/customservice", "/datacube"] {
        assert_eq!(code(&world, &format!("{start}/nothing")).await, 40066, "{start}");
    }
}

#[tokio::test]
async fn every_call_is_logged_without_its_secrets() {
    let (world, openid) = after_a_message().await;
    world.errcode(SEND, text(&openid, "hi")).await;
    world.ask(get("/cgi-bin/nothing?x=1")).await;
    let log = world.get("/_sim/calls").await;
    assert_eq!(log["total"], 3);
    let calls = log["calls"].as_array().unwrap();
    let seen: Vec<_> =
        calls.iter().map(|call| (call["path"].as_str().unwrap(), call["errcode"].as_i64())).collect();
    assert_eq!(
        seen,
        [("/cgi-bin/stable_token", Some(0)), (SEND, Some(0)), ("/cgi-bin/nothing", Some(40066))]
    );
    assert_eq!(calls[1]["body"]["text"]["content"], "hi");
    let text = log.to_string();
    assert!(!text.contains(APP_SECRET) && text.contains("[\"access_token\",\"***\"]"), "{text}");
}

#[tokio::test]
async fn the_inbox_waits_for_what_is_to_come() {
    let (world, openid) = after_a_message().await;
    let waiting = world.ask(get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E&count=2&wait_ms=60000"));
    let sending = async {
        assert_eq!(world.errcode(SEND, text(&openid, "一")).await, 0);
        assert_eq!(world.errcode(SEND, text(&openid, "二")).await, 0);
    };
    let (inbox, ()) = tokio::join!(waiting, sending);
    assert_eq!(inbox.json()["messages"].as_array().unwrap().len(), 2);
    assert_eq!(world.get("/_sim/inbox?as=stranger&wait_ms=1").await["messages"], json!([]));
}
