//! What the Mini Program may call beside its own APIs: customer-service messages, files, quotas, addresses.

use serde_json::{Value, json};

use crate::callback::Callback;
use crate::raw::{get, post};
use crate::world::{APP_ID, MINI_APP_ID, MINI_APP_SECRET, PNG, World};

const SEND: &str = "/cgi-bin/message/custom/send";

/// A world in which people can say something to the Mini Program.
async fn world() -> World {
    let callback = Callback::answering("success").await;
    World::new(&callback.url).await
}

async fn api(world: &World, path: &str, body: Value) -> Value {
    world.api(&format!("{path}?access_token={}", world.mini_token().await), body).await
}

async fn errcode(world: &World, path: &str, body: Value) -> i64 {
    api(world, path, body).await["errcode"].as_i64().unwrap()
}

async fn fetch(world: &World, path: &str) -> Value {
    world.ask(get(format!("{path}?access_token={}", world.mini_token().await))).await.json()
}

/// 小明 says something in the Mini Program; the openid there.
async fn said(world: &World) -> String {
    let report = world.send(json!({ "as": "小明", "mini": true, "text": "hi" })).await;
    report["openid"].as_str().unwrap().to_owned()
}

fn text(openid: &str) -> Value {
    json!({ "touser": openid, "msgtype": "text", "text": { "content": "您好" } })
}

#[tokio::test]
async fn five_messages_follow_what_somebody_said() {
    let world = world().await;
    let openid = said(&world).await;
    for expected in [0, 0, 0, 0, 0, 45047] {
        assert_eq!(errcode(&world, SEND, text(&openid)).await, expected);
    }
    assert_eq!(world.errcode(SEND, text(&openid)).await, 40003, "the account does not know this openid");
    let official = world.send(json!({ "as": "小明", "text": "hi" })).await["openid"].clone();
    assert_eq!(errcode(&world, SEND, text(official.as_str().unwrap())).await, 40003);
    assert_eq!(errcode(&world, SEND, text(&openid)).await, 45047, "the other app's window is another");
    let inbox = world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E").await;
    assert_eq!((&inbox["allowance"], &inbox["newest"]), (&json!(5), &json!(0)), "another chat");
    let window = world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E&mini=true").await;
    assert_eq!((&window["allowance"], &window["newest"]), (&json!(0), &json!(5)));
    assert_eq!(window["openid"], json!(openid));
}

#[tokio::test]
async fn two_messages_follow_who_opens_the_chat() {
    let world = world().await;
    let event = json!({ "type": "user_enter_tempsession", "fields": { "SessionFrom": "button" } });
    let report = world.send(json!({ "as": "小明", "mini": true, "event": event })).await;
    let openid = report["openid"].as_str().unwrap();
    for expected in [0, 0, 45047] {
        assert_eq!(errcode(&world, SEND, text(openid)).await, expected);
    }
    world.order("/_sim/clock", json!({ "advance_s": 60 })).await;
    assert_eq!(errcode(&world, SEND, text(openid)).await, 45015);
}

#[tokio::test]
async fn it_sends_texts_pictures_links_and_pages_only() {
    let world = world().await;
    let openid = said(&world).await;
    let path = format!("/cgi-bin/media/upload?type=image&access_token={}", world.mini_token().await);
    let head = "--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\n\r\n";
    let form = [head.as_bytes(), PNG, b"\r\n--b--\r\n"].concat();
    let ask = post(path, form).header("Content-Type", "multipart/form-data; boundary=b");
    let image = world.ask(ask).await.json()["media_id"].clone();
    let link = json!({ "title": "t", "description": "d", "url": "https://a.example", "thumb_url": "https://a.example/p" });
    let page = json!({ "title": "t", "pagepath": "pages/index/index", "thumb_media_id": image });
    for (kind, payload, expected) in [
        ("image", json!({ "media_id": image }), 0),
        ("image", json!({ "media_id": "m" }), 40007),
        ("link", link, 0),
        ("link", json!({ "title": "t" }), 40008),
        ("miniprogrampage", page, 0),
        ("voice", json!({ "media_id": image }), 40008),
        ("msgmenu", json!({ "list": [{ "id": "1", "content": "是" }] }), 40008),
        ("text", json!({ "content": "" }), 44004),
    ] {
        let message = json!({ "touser": openid, "msgtype": kind, kind: payload });
        assert_eq!(errcode(&world, SEND, message.clone()).await, expected, "{message}");
    }
    let inbox = world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E&mini=true").await;
    let kinds: Vec<_> =
        inbox["messages"].as_array().unwrap().iter().map(|pushed| &pushed["shown"]["type"]).collect();
    assert_eq!(kinds, ["image", "news", "card"]);
    let media = format!("/cgi-bin/media/get?media_id={}&access_token=", image.as_str().unwrap());
    assert_eq!(world.ask(get(format!("{media}{}", world.mini_token().await))).await.body, PNG);
}

#[tokio::test]
async fn typing_is_shown_by_both_addresses() {
    let world = world().await;
    let openid = said(&world).await;
    let command = |command: &str| json!({ "touser": openid, "command": command });
    let (new, old) = ("/cgi-bin/message/custom/business/typing", "/cgi-bin/message/custom/typing");
    assert_eq!(errcode(&world, new, command("Typing")).await, 0);
    assert_eq!(errcode(&world, old, command("Typing")).await, 45081);
    assert_eq!(errcode(&world, old, command("CancelTyping")).await, 0);
    world.order("/_sim/clock", json!({ "advance_s": 31 })).await;
    assert_eq!(errcode(&world, new, command("Typing")).await, 45080);
    assert_eq!(world.errcode(new, command("Typing")).await, 40001, "not the account's");
}

#[tokio::test]
async fn each_app_has_quotas_of_its_own() {
    let world = world().await;
    let quota = async |mini: bool, path: &str| {
        let asked = json!({ "cgi_path": path });
        let path = "/cgi-bin/openapi/quota/get";
        if mini { api(&world, path, asked).await } else { world.call(path, asked).await }
    };
    let openid = said(&world).await;
    world.order("/_sim/account", json!({ "type": "test" })).await;
    assert_eq!(errcode(&world, SEND, text(&openid)).await, 0);
    assert_eq!(
        quota(true, SEND).await["quota"],
        json!({ "daily_limit": 500_000, "used": 1, "remain": 499_999 })
    );
    assert_eq!(
        quota(false, SEND).await["quota"],
        json!({ "daily_limit": 50_000, "used": 0, "remain": 50_000 })
    );
    assert_eq!(quota(true, "/cgi-bin/user/get").await["errcode"], 76022, "the account's");
    assert_eq!(quota(false, "/wxa/msg_sec_check").await["errcode"], 76022, "the Mini Program's");
    assert_eq!(errcode(&world, "/cgi-bin/clear_quota", json!({ "appid": APP_ID })).await, 40013);
    assert_eq!(errcode(&world, "/cgi-bin/clear_quota", json!({ "appid": MINI_APP_ID })).await, 0);
    assert_eq!(quota(true, SEND).await["quota"]["used"], 0);
    let by_secret = json!({ "appid": MINI_APP_ID, "appsecret": MINI_APP_SECRET });
    for _ in 1..10 {
        assert_eq!(world.api("/cgi-bin/clear_quota/v2", by_secret.clone()).await["errcode"], 0);
    }
    assert_eq!(world.api("/cgi-bin/clear_quota/v2", by_secret).await["errcode"], 48006);
    assert_eq!(world.errcode("/cgi-bin/clear_quota", json!({ "appid": APP_ID })).await, 0, "not used up");
}

#[tokio::test]
async fn tokens_are_counted_for_each_app_once_the_secret_is_right() {
    let world = World::alone().await;
    world.order("/_sim/account", json!({ "type": "test" })).await;
    let ask = async |appid: &str, secret: &str| {
        let path = format!("/cgi-bin/token?grant_type=client_credential&appid={appid}&secret={secret}");
        world.get(&path).await["errcode"].as_i64().unwrap_or(0)
    };
    assert_eq!(ask(APP_ID, "wrong").await, 40125);
    for _ in 0..200 {
        assert_eq!(ask(APP_ID, crate::world::APP_SECRET).await, 0);
    }
    assert_eq!(ask(APP_ID, crate::world::APP_SECRET).await, 45009);
    assert_eq!(ask(MINI_APP_ID, MINI_APP_SECRET).await, 0);
}

#[tokio::test]
async fn addresses_are_told_to_both() {
    let world = world().await;
    for path in ["/cgi-bin/getcallbackip", "/cgi-bin/get_api_domain_ip"] {
        assert_eq!(fetch(&world, path).await["ip_list"][0], "127.0.0.1");
    }
    let asked = json!({ "action": "all", "check_operator": "DEFAULT" });
    assert_eq!(api(&world, "/cgi-bin/callback/check", asked).await["ping"][0]["package_loss"], "0%");
}
