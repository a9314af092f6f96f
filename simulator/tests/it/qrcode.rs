//! QR codes: made, shown, and scanned by people. Short keys.

use png::Decoder;
use rqrr::PreparedImage;
use serde_json::{Value, json};
use wxapi::wechat::xml::{Fields, parse_xml};

use crate::callback::Callback;
use crate::raw::{Got, get, post};
use crate::world::{World, open};

const CREATE: &str = "/cgi-bin/qrcode/create";

fn text_code(scene: &str, seconds: u64) -> Value {
    let info = json!({ "scene": { "scene_str": scene } });
    json!({ "expire_seconds": seconds, "action_name": "QR_STR_SCENE", "action_info": info })
}

fn number_code(action: &str, scene: u64) -> Value {
    json!({ "expire_seconds": 600, "action_name": action, "action_info": { "scene": { "scene_id": scene } } })
}

fn escaped(ticket: &Value) -> String {
    let escape = |byte: u8| match byte {
        b'+' | b'/' | b'=' => format!("%{byte:02X}"),
        _ => char::from(byte).to_string(),
    };
    ticket.as_str().unwrap().bytes().map(escape).collect()
}

async fn picture(world: &World, ticket: &Value) -> Got {
    world.ask(get(format!("/cgi-bin/showqrcode?ticket={}", escaped(ticket)))).await
}

/// What a phone reads in a picture.
pub fn read(file: &[u8]) -> String {
    let mut reader = Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (width, height) = (info.width as usize, info.height as usize);
    let mut image = PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    let codes = image.detect_grids();
    assert_eq!(codes.len(), 1);
    codes[0].decode().unwrap().1
}

/// The newest push that the callback got.
fn newest(callback: &Callback) -> Fields {
    parse_xml(&open(callback.arrived().last().unwrap(), true).unwrap().xml).unwrap()
}

async fn world() -> (World, Callback) {
    let callback = Callback::answering("success").await;
    (World::new(&callback.url).await, callback)
}

#[tokio::test]
async fn a_picture_is_read_as_its_url_until_it_expires() {
    let (world, _callback) = world().await;
    let made = world.call(CREATE, text_code("lg_1", 120)).await;
    assert_eq!(made["expire_seconds"], 120);
    let shown = picture(&world, &made["ticket"]).await;
    assert!(shown.status == 200 && shown.has_header("content-type: image/png"), "{}", shown.headers);
    assert!(shown.has_header("content-disposition: inline"), "an <img> shows it");
    let url = made["url"].as_str().unwrap();
    assert!(url.starts_with("http://weixin.qq.com/q/"), "{url}");
    assert_eq!(read(&shown.body), url);
    world.order("/_sim/clock", json!({ "advance_s": 120 })).await;
    assert_eq!(picture(&world, &made["ticket"]).await.status, 404);
    assert_eq!(picture(&world, &json!("nonsense")).await.status, 404);
    assert_eq!(world.ask(get("/cgi-bin/showqrcode")).await.status, 404);
    let permanent = world.call(CREATE, number_code("QR_LIMIT_SCENE", 7)).await;
    assert_eq!(permanent.get("expire_seconds"), None);
    assert_eq!(permanent, world.call(CREATE, number_code("QR_LIMIT_SCENE", 7)).await);
    world.order("/_sim/clock", json!({ "advance_s": 40_000_000 })).await;
    assert_eq!(read(&picture(&world, &permanent["ticket"]).await.body), permanent["url"]);
}

#[tokio::test]
async fn each_wrong_order_of_a_code_has_its_code() {
    let (world, _callback) = world().await;
    for (body, code) in [
        (number_code("QR_SCENE", 0), 40053),
        (number_code("QR_LIMIT_SCENE", 100_001), 40053),
        (text_code(&"长".repeat(65), 60), 40053),
        (text_code("x", 2_592_001), 40053),
        (number_code("QR_CARD", 1), 40052),
        (json!({}), 40052),
    ] {
        assert_eq!(world.errcode(CREATE, body.clone()).await, code, "{body}");
    }
    for account in ["personal", "subscription"] {
        world.order("/_sim/account", json!({ "type": account })).await;
        assert_eq!(world.errcode(CREATE, text_code("x", 60)).await, 48001);
    }
}

#[tokio::test]
async fn a_scan_is_a_follow_or_a_scan() {
    let (world, callback) = world().await;
    let made = world.call(CREATE, number_code("QR_SCENE", 4_294_967_295)).await;
    let scan = json!({ "as": "小明", "code": made["url"] });
    let report = world.order("/_sim/scan", scan.clone()).await["report"].clone();
    assert_eq!((&report["as"], &report["deliveries"][0]["outcome"]), (&json!("小明"), &json!("success")));
    let push = newest(&callback);
    assert_eq!(push.get("Event"), Some("subscribe"));
    assert_eq!(push.get("EventKey"), Some("qrscene_4294967295"));
    assert_eq!(push.get("Ticket"), made["ticket"].as_str());
    world.order("/_sim/scan", scan).await;
    let push = newest(&callback);
    assert_eq!((push.get("Event"), push.get("EventKey")), (Some("SCAN"), Some("4294967295")));
    assert_eq!(push.get("Ticket"), made["ticket"].as_str());
    let openid = report["openid"].as_str().unwrap();
    let info = world.fetch(&format!("/cgi-bin/user/info?openid={openid}")).await;
    assert_eq!(info["subscribe_scene"], "ADD_SCENE_QR_CODE");
    assert_eq!((&info["qr_scene"], &info["qr_scene_str"]), (&json!(4_294_967_295_u64), &json!("")));
    let inbox = world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E").await;
    assert_eq!(inbox["allowance"], 6, "a follow and a scan open a window each");
}

#[tokio::test]
async fn a_code_is_named_by_ticket_url_picture_or_scene() {
    let (world, callback) = world().await;
    let made = world.call(CREATE, text_code("42", 60)).await;
    let image = format!("https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket={}", escaped(&made["ticket"]));
    let secure = made["url"].as_str().unwrap().replace("http:", "https:");
    let names =
        [made["ticket"].clone(), made["url"].clone(), json!(secure), json!(image), json!(" 42 "), json!(42)];
    for (n, code) in names.iter().enumerate() {
        let answer =
            world.order("/_sim/scan", json!({ "as": format!("人{n}"), "code": code, "mode": "aes" })).await;
        assert_eq!(answer["report"]["mode"], "aes");
        let push = newest(&callback);
        assert_eq!(
            (push.get("EventKey"), push.get("Ticket")),
            (Some("qrscene_42"), made["ticket"].as_str()),
            "{code}"
        );
        let openid = answer["report"]["openid"].as_str().unwrap();
        let info = world.fetch(&format!("/cgi-bin/user/info?openid={openid}")).await;
        assert_eq!((&info["qr_scene"], &info["qr_scene_str"]), (&json!(0), &json!("42")));
    }
    let codes = world.get("/_sim/codes").await;
    assert_eq!(
        (codes[0]["scene"].clone(), codes[0]["url"].clone(), codes.as_array().unwrap().len()),
        (json!("42"), made["url"].clone(), 1)
    );
}

#[tokio::test]
async fn what_is_no_live_code_of_the_account_is_told_apart() {
    let (world, callback) = world().await;
    world.call(CREATE, text_code("lg_1", 60)).await;
    let scan = async |code: Value| world.ask(post("/_sim/scan", json!({ "code": code }).to_string())).await;
    assert_eq!(
        scan(json!("https://a.example/?b=1")).await.json(),
        json!({ "open": "https://a.example/?b=1" })
    );
    world.order("/_sim/clock", json!({ "advance_s": 60 })).await;
    assert_eq!(world.get("/_sim/codes").await, json!([]));
    for (code, words) in [
        (json!("lg_1"), "has expired"),
        (json!("http://weixin.qq.com/q/other"), "another account"),
        (json!("lg_2"), "no QR code has this"),
        (json!(null), "code is missing"),
    ] {
        let got = scan(code).await;
        assert!(got.status == 400 && got.text().contains(words), "{}", got.text());
    }
    let got = world.ask(post("/_sim/scan", r#"{"code":"x","wrong":1}"#)).await;
    assert!(got.status == 400 && got.text().contains("wrong"), "{}", got.text());
    assert_eq!(callback.arrived().len(), 0);
}

#[tokio::test]
async fn long_data_gets_a_short_key() {
    let (world, _callback) = world().await;
    let (generate, fetch) = ("/cgi-bin/shorten/gen", "/cgi-bin/shorten/fetch");
    let made =
        world.call(generate, json!({ "long_data": "长".repeat(1000), "expire_seconds": 86_400 })).await;
    let key = made["short_key"].as_str().unwrap();
    assert!(key.len() == 15 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
    world.order("/_sim/clock", json!({ "advance_s": 100 })).await;
    let found = world.call(fetch, json!({ "short_key": key })).await;
    assert_eq!(found["long_data"], "长".repeat(1000));
    assert!((86_299..=86_300).contains(&found["expire_seconds"].as_u64().unwrap()), "{found}");
    world.order("/_sim/clock", json!({ "advance_s": 86_400 })).await;
    for (path, body, code) in [
        (fetch, json!({ "short_key": key }), 9_410_012),
        (fetch, json!({}), 47003),
        (generate, json!({}), 47003),
        (generate, json!({ "long_data": "x".repeat(4097) }), 9_410_010),
        (generate, json!({ "long_data": "x", "expire_seconds": 2_592_001 }), 9_410_011),
        (generate, json!({ "long_data": "x".repeat(4096) }), 0),
    ] {
        assert_eq!(world.errcode(path, body).await, code, "{path}");
    }
}
