//! Taps on the menu below the chat.

use serde_json::{Value, json};
use wxapi::wechat::xml::{Fields, parse_xml};

use crate::callback::Callback;
use crate::cli::{Server, run};
use crate::raw::post;
use crate::world::{World, echo, open};

fn menu() -> Value {
    json!({ "button": [
        { "type": "click", "name": "今日歌曲", "key": "SONG" },
        { "name": "更多", "sub_button": [
            { "type": "view", "name": "主页", "url": "https://a.example/?x=1" },
            { "type": "scancode_push", "name": "扫码", "key": "PUSH" },
            { "type": "scancode_waitmsg", "name": "扫码等待", "key": "WAIT" },
            { "type": "pic_weixin", "name": "发图", "key": "PIC" },
            { "type": "location_select", "name": "位置", "key": "PLACE" },
        ] },
        { "type": "miniprogram", "name": "小程序", "url": "https://a.example", "appid": "wx286b93c14bbf93aa", "pagepath": "pages/index" },
    ] })
}

/// A world with the menu, and a callback that repeats what it is told.
async fn world() -> (World, Callback) {
    let callback = echo(true).await;
    let world = World::new(&callback.url).await;
    world.order("/_sim/seed", json!({ "menu": menu() })).await;
    (world, callback)
}

async fn click(world: &World, request: Value) -> Value {
    world.order("/_sim/click", request).await
}

/// The pushes that arrived, newest last.
fn pushes(callback: &Callback) -> Vec<Fields> {
    callback.arrived().iter().map(|push| parse_xml(&open(push, true).unwrap().xml).unwrap()).collect()
}

#[tokio::test]
async fn a_button_is_found_by_its_places_its_name_and_its_key() {
    let (world, callback) = world().await;
    for button in [json!([0]), json!("今日歌曲"), json!("SONG"), json!("1")] {
        let report = click(&world, json!({ "button": button })).await;
        assert_eq!(report["report"]["shown"][0]["text"], "回声：CLICK", "{report}");
    }
    assert!(pushes(&callback).iter().all(|push| push.get("EventKey") == Some("SONG")));
    assert_eq!(callback.arrived().len(), 4);
    for (request, named) in [
        (json!({ "button": [7] }), "1 今日歌曲, 2.1 主页"),
        (json!({ "button": "nothing" }), "no such button"),
        (json!({ "button": [1] }), "only opens its sub-menu"),
        (json!({ "button": [1, 1] }), "scan_result"),
        (json!({}), "button"),
    ] {
        let got = world.ask(post("/_sim/click", request.to_string())).await;
        assert!(got.status == 400 && got.text().contains(named), "{request}: {}", got.text());
    }
    let bare = World::alone().await.ask(post("/_sim/click", r#"{"button":[0]}"#)).await;
    assert!(bare.text().contains("the account has no menu"), "{}", bare.text());
}

#[tokio::test]
async fn pages_and_mini_programs_open_and_the_account_hears_of_it() {
    let (world, callback) = world().await;
    let view = click(&world, json!({ "button": [1, 0], "as": "bob" })).await;
    assert_eq!((&view["open"], &view["report"]["as"]), (&json!("https://a.example/?x=1"), &json!("bob")));
    let opened = click(&world, json!({ "button": "小程序" })).await;
    assert_eq!(opened["mini_program"], json!({ "appid": "wx286b93c14bbf93aa", "pagepath": "pages/index" }));
    let pushes = pushes(&callback);
    assert_eq!(
        (pushes[0].get("Event"), pushes[0].get("EventKey")),
        (Some("VIEW"), Some("https://a.example/?x=1"))
    );
    assert_eq!(
        (pushes[1].get("Event"), pushes[1].get("EventKey")),
        (Some("view_miniprogram"), Some("pages/index"))
    );
    assert!(pushes.iter().all(|push| push.filled("MenuId").is_some()));
}

#[tokio::test]
async fn scanning_pictures_and_places() {
    let (world, callback) = world().await;
    let scanned = click(&world, json!({ "button": "PUSH", "scan_result": "https://b.example/" })).await;
    assert_eq!(scanned["open"], "https://b.example/");
    let waited = click(&world, json!({ "button": "WAIT", "scan_result": "https://b.example/" })).await;
    assert_eq!(
        (&waited["open"], &waited["report"]["shown"][0]["text"]),
        (&Value::Null, &json!("回声：scancode_waitmsg"))
    );
    click(&world, json!({ "button": "PIC", "image": "iVBORw0KGgo=" })).await;
    let place = json!({ "lat": 31.2, "lon": 121.5, "label": "外滩" });
    let sent = click(&world, json!({ "button": "PLACE", "location": place })).await;
    assert!(sent["followed"]["msg_id"].is_string(), "{sent}");
    let pushes = pushes(&callback);
    let info = |n: usize, name: &str| pushes[n].child(name).unwrap().clone();
    assert_eq!(info(0, "ScanCodeInfo").get("ScanResult"), Some("https://b.example/"));
    assert_eq!(info(1, "ScanCodeInfo").get("ScanType"), Some("qrcode"));
    let pictures = info(2, "SendPicsInfo");
    let digest = pictures.child("PicList").unwrap().child("item").unwrap().owned("PicMd5Sum");
    assert_eq!((pictures.get("Count"), digest.as_str()), (Some("1"), "e9dd2797018cad79186e03e8c5aec8dc"));
    assert_eq!((pushes[3].get("MsgType"), pushes[3].filled("PicUrl").is_some()), (Some("image"), true));
    assert_eq!(info(4, "SendLocationInfo").get("Label"), Some("外滩"));
    assert_eq!((pushes[5].get("MsgType"), pushes[5].get("Location_X")), (Some("location"), Some("31.2")));
}

#[tokio::test]
async fn material_is_shown_without_a_word_to_the_account() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let media_id = material(&world).await;
    let menu = json!({ "button": [{ "type": "media_id", "name": "材料", "media_id": media_id }] });
    world.order("/_sim/seed", json!({ "menu": menu })).await;
    let shown = click(&world, json!({ "button": [0] })).await;
    assert_eq!(shown["shown"][0]["type"], "image", "{shown}");
    assert!(shown.get("report").is_none() && callback.arrived().is_empty());
}

/// The id of a picture among the permanent material.
async fn material(world: &World) -> String {
    let token = world.token().await;
    let path = format!("/cgi-bin/material/add_material?access_token={token}&type=image");
    let body = [
        b"--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n".as_slice(),
        b"\x89PNG\r\n\x1a\n",
        b"\r\n--b--\r\n",
    ]
    .concat();
    let got = world.ask(post(path, body).header("Content-Type", "multipart/form-data; boundary=b")).await;
    got.json()["media_id"].as_str().unwrap_or_else(|| panic!("{}", got.text())).to_owned()
}

#[tokio::test]
async fn scenarios_click_and_scan() {
    let (world, _callback) = world().await;
    let code =
        json!({ "action_name": "QR_LIMIT_STR_SCENE", "action_info": { "scene": { "scene_str": "shop" } } });
    let steps = json!([
        { "click": "今日歌曲", "expect": { "delivery": 1, "text": "回声：CLICK" } },
        { "click": { "button": [1, 0] }, "expect": { "open": { "contains": "a.example" } } },
        { "click": "小程序", "expect": { "mini_program": "wx286b93c14bbf93aa" } },
        { "click": { "button": "PUSH", "scan_result": "https://b.example/" }, "expect": { "open": "https://b.example/" } },
        { "api": { "path": "/cgi-bin/qrcode/create", "body": code }, "save": { "ticket": { "at": "/ticket" } } },
        { "as": "bob", "scan": "${ticket}", "expect": { "delivery": 1, "text": "回声：subscribe" } },
        { "as": "bob", "scan": "shop", "expect": { "text": "回声：SCAN" } },
        { "scan": "https://c.example/", "expect": { "open": "https://c.example/" } },
    ]);
    let result = world.order("/_sim/run", json!({ "scenario": { "name": "n", "steps": steps } })).await;
    assert_eq!(result["outcome"], "passed", "{result:#}");
}

#[tokio::test]
async fn the_command_line_clicks_and_scans() {
    let callback = echo(true).await;
    let server = Server::start(&callback.url);
    let port = server.port.to_string();
    let seed = post("/_sim/seed", json!({ "menu": menu() }).to_string());
    assert_eq!(crate::raw::send(server.port, seed).await.unwrap().status, 200);
    let (code, out, error) = run(&["--lang", "zh", "click", "SONG", "--as", "bob", "--port", &port]).await;
    assert_eq!(code, 0, "{error}");
    assert!(out.contains("bob ▸ [菜单] SONG  aes") && out.contains("公众号 ◂ 回声：CLICK"), "{out}");
    let (code, out, _) = run(&["--lang", "en", "click", "2.1", "--port", &port]).await;
    assert!(code == 0 && out.contains("opens https://a.example/?x=1"), "{out}");
    let (code, out, _) = run(&["--lang", "en", "scan", "https://c.example/", "--port", &port]).await;
    assert!(code == 0 && out.contains("[scan]") && out.contains("opens https://c.example/"), "{out}");
    let (code, _, error) = run(&["click", "nothing", "--port", &port]).await;
    assert!(code == 2 && error.contains("1 今日歌曲"), "{error}");
}
