//! The Mini Program that belongs to the account.

use aes::Aes128;
use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Digest;

use crate::callback::Callback;
use crate::raw::post;
use crate::world::{APP_ID, APP_SECRET, MINI_APP_ID, MINI_APP_SECRET, World, event};

fn login_path(code: &str) -> String {
    format!(
        "/sns/jscode2session?appid={MINI_APP_ID}&secret={MINI_APP_SECRET}&js_code={code}&grant_type=authorization_code"
    )
}

async fn code(world: &World, order: Value) -> String {
    world.order("/_sim/login_code", order).await["code"].as_str().unwrap().to_owned()
}

/// 小明's openid in the Mini Program and session key.
async fn log_in(world: &World) -> (String, String) {
    let session = world.get(&login_path(&code(world, json!({ "as": "小明" })).await)).await;
    let text = |name: &str| session[name].as_str().unwrap().to_owned();
    (text("openid"), text("session_key"))
}

async fn api(world: &World, path: &str, body: Value) -> Value {
    let token = world.mini_token().await;
    world.api(&format!("{path}?access_token={token}"), body).await
}

async fn signed(world: &World, path: &str, openid: &str, key: &str) -> Value {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(b"");
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let token = world.mini_token().await;
    world
        .get(&format!(
            "{path}?access_token={token}&openid={openid}&signature={signature}&sig_method=hmac_sha256"
        ))
        .await
}

#[tokio::test]
async fn each_app_has_tokens_of_its_own() {
    let world = World::alone().await;
    let path = |secret: &str| {
        format!("/cgi-bin/token?grant_type=client_credential&appid={MINI_APP_ID}&secret={secret}")
    };
    assert_eq!(world.get(&path(APP_SECRET)).await["errcode"], 40125, "the account's secret");
    let token = world.get(&path(MINI_APP_SECRET)).await["access_token"].as_str().unwrap().to_owned();
    let check = |token: &str| format!("/wxa/msg_sec_check?access_token={token}");
    assert_eq!(world.api(&check(&token), json!({ "content": "好" })).await["errcode"], 0);
    assert_eq!(world.api(&check(&world.token().await), json!({ "content": "好" })).await["errcode"], 40001);
    let official = format!("/cgi-bin/user/info/batchget?access_token={token}");
    assert_eq!(world.api(&official, json!({})).await["errcode"], 40001);
    world.order("/_sim/token", json!({ "invalidate": true })).await;
    assert_eq!(world.api(&check(&token), json!({ "content": "好" })).await["errcode"], 40001);
}

#[tokio::test]
async fn a_code_is_exchanged_once() {
    let world = World::alone().await;
    world.order("/_sim/account", json!({ "bound": false })).await;
    let fresh = code(&world, json!({ "as": "小明" })).await;
    let session = world.get(&login_path(&fresh)).await;
    assert_eq!(STANDARD.decode(session["session_key"].as_str().unwrap()).unwrap().len(), 16);
    assert!(session.get("errcode").is_none() && session.get("unionid").is_none(), "{session}");
    assert_eq!(world.get(&login_path(&fresh)).await["errcode"], 40163);
    assert_eq!(world.get(&login_path("nonsense")).await["errcode"], 40029);
    let late = code(&world, json!({ "as": "小明" })).await;
    world.order("/_sim/clock", json!({ "advance_s": 300 })).await;
    assert_eq!(world.get(&login_path(&late)).await["errcode"], 40029);
    let risky = code(&world, json!({ "as": "小明", "risky": true })).await;
    assert_eq!(world.get(&login_path(&risky)).await["errcode"], 40226);
    for (from, to, code) in [
        (MINI_APP_ID, APP_ID, 40125),
        (MINI_APP_ID, "wx1", 40013),
        (MINI_APP_ID, "", 41002),
        (MINI_APP_SECRET, "", 41004),
        (MINI_APP_SECRET, "wrong", 40125),
        ("js_code=x", "js_code=", 41008),
        ("authorization_code", "client_credential", 40002),
    ] {
        assert_eq!(world.get(&login_path("x").replace(from, to)).await["errcode"], code, "{from} {to}");
    }
    let official = login_path("x").replace(MINI_APP_ID, APP_ID).replace(MINI_APP_SECRET, APP_SECRET);
    assert_eq!(world.get(&official).await["errcode"], 40013, "not a Mini Program");
}

#[tokio::test]
async fn a_user_logs_in_a_hundred_times_a_minute() {
    let world = World::alone().await;
    let mut refused = 0;
    for _ in 0..220 {
        let answer = world.get(&login_path(&code(&world, json!({ "as": "小明" })).await)).await;
        refused = answer["errcode"].as_u64().unwrap_or(0);
        if refused != 0 {
            break;
        }
    }
    assert_eq!(refused, 45011, "even if a minute ends in between");
}

#[tokio::test]
async fn the_same_person_has_another_openid() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let report = world.send(json!({ "as": "小明", "text": "hi" })).await;
    let (openid, _) = log_in(&world).await;
    assert_ne!(report["openid"], json!(openid));
    let by_openid = world.order("/_sim/login_code", json!({ "as": report["openid"] })).await;
    assert_eq!(by_openid["openid"], json!(openid));
}

#[tokio::test]
async fn the_unionid_is_the_same_in_both_apps() {
    let world = World::with_website().await;
    let openid = world.follower("小明").await;
    let official = world.fetch(&format!("/cgi-bin/user/info?openid={openid}")).await;
    let session = world.get(&login_path(&code(&world, json!({ "as": "小明" })).await)).await;
    assert!(session["unionid"].is_string() && session["unionid"] == official["unionid"], "{session}");
    let data = world.order("/_sim/open_data", json!({ "as": "小明", "kind": "user_info" })).await;
    assert_eq!(decrypt(&data, session["session_key"].as_str().unwrap())["unionId"], session["unionid"]);
}

#[tokio::test]
async fn people_have_a_unionid_while_the_apps_are_bound() {
    let world = World::alone().await;
    let openid = world.follower("小明").await;
    let official =
        async || world.fetch(&format!("/cgi-bin/user/info?openid={openid}")).await["unionid"].clone();
    let mini = async || {
        let code = code(&world, json!({ "as": "小明" })).await;
        world.get(&login_path(&code)).await["unionid"].clone()
    };
    let unionid = official().await;
    assert!(unionid.is_string(), "bound from the start");
    assert_eq!(mini().await, unionid);
    assert_eq!(world.get("/_sim/account").await["bound"], true);
    world.order("/_sim/account", json!({ "bound": false })).await;
    assert_eq!((official().await, mini().await), (Value::Null, Value::Null));
    world.order("/_sim/account", json!({ "bound": true })).await;
    assert_eq!((official().await, mini().await), (unionid.clone(), unionid));
}

#[tokio::test]
async fn a_session_is_checked_and_reset_by_signature() {
    let world = World::alone().await;
    let (openid, key) = log_in(&world).await;
    assert_eq!(signed(&world, "/wxa/checksession", &openid, &key).await["errcode"], 0);
    assert_eq!(signed(&world, "/wxa/checksession", &openid, "another").await["errcode"], 87009);
    assert_eq!(signed(&world, "/wxa/checksession", "nobody", &key).await["errcode"], 40003);
    let reset = signed(&world, "/wxa/resetusersessionkey", &openid, &key).await;
    let new = reset["session_key"].as_str().unwrap();
    assert_ne!(new, key);
    assert_eq!(signed(&world, "/wxa/checksession", &openid, &key).await["errcode"], 87009);
    assert_eq!(signed(&world, "/wxa/checksession", &openid, new).await["errcode"], 0);
    assert_eq!(log_in(&world).await.1, new, "not every login makes a new key");
    world.order("/_sim/clock", json!({ "advance_s": 3600 })).await;
    assert_ne!(log_in(&world).await.1, new);
    world.order("/_sim/clock", json!({ "advance_s": 3 * 86_400 })).await;
    assert_eq!(signed(&world, "/wxa/checksession", &openid, new).await["errcode"], 87007);
}

#[tokio::test]
async fn a_phone_number_wants_its_own_code() {
    let world = World::alone().await;
    let path = "/wxa/business/getuserphonenumber";
    let login = code(&world, json!({ "as": "小明" })).await;
    assert_eq!(api(&world, path, json!({ "code": login })).await["errcode"], 40029);
    let order = world.order("/_sim/phone_code", json!({ "as": "小明" })).await;
    let answer = api(&world, path, json!({ "code": order["code"] })).await;
    let info = &answer["phone_info"];
    assert_eq!((&info["countryCode"], &info["watermark"]["appid"]), (&json!("86"), &json!(MINI_APP_ID)));
    assert_eq!(info["phoneNumber"], info["purePhoneNumber"]);
    assert_eq!(api(&world, path, json!({ "code": order["code"] })).await["errcode"], 40029, "used");
}

#[tokio::test]
async fn texts_are_checked() {
    let world = World::alone().await;
    let (openid, _) = log_in(&world).await;
    let check = async |content: &str, openid: &str, scene: u64| {
        let asked = json!({ "version": 2, "scene": scene, "openid": openid, "content": content });
        api(&world, "/wxa/msg_sec_check", asked).await
    };
    for (content, suggest, label) in
        [("早上好", "pass", 100), ("加微信", "review", 10001), ("赌博", "risky", 20006)]
    {
        let answer = check(content, &openid, 1).await;
        assert_eq!(answer["result"], json!({ "suggest": suggest, "label": label }), "{answer}");
        assert!(answer["trace_id"].is_string() && answer["detail"][0]["strategy"] == "content_model");
    }
    assert_eq!(check("好", &openid, 5).await["errcode"], 40129);
    assert_eq!(check("好", "oAbCd1234567890abcdefghijkl_", 1).await["errcode"], 43104);
    assert_eq!(check("好", "nobody", 1).await["errcode"], 40003);
    assert_eq!(check(&"好".repeat(2501), &openid, 1).await["errcode"], 45002);
    assert_eq!(
        api(&world, "/wxa/msg_sec_check", json!({ "content": "赌博" })).await["errcode"],
        87014,
        "version 1"
    );
    world.order("/_sim/clock", json!({ "advance_s": 7200 })).await;
    assert_eq!(check("好", &openid, 1).await["errcode"], 61010);
}

#[tokio::test]
async fn media_are_checked_later() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let (openid, _) = log_in(&world).await;
    let asked = json!({ "version": 2, "scene": 1, "openid": openid, "media_type": 2,
                        "media_url": "https://a.example/risky.png" });
    let answer = api(&world, "/wxa/media_check_async", asked.clone()).await;
    let found = event(&callback, "wxa_media_check").await;
    assert_eq!(found.get("trace_id"), answer["trace_id"].as_str());
    assert_eq!((found.get("appid"), found.get("FromUserName")), (Some(MINI_APP_ID), Some(openid.as_str())));
    assert_eq!(found.child("result").and_then(|result| result.get("suggest")), Some("risky"));
    assert_eq!(found.child("detail").and_then(|detail| detail.get("label")), Some("20002"));
    let mut wrong = asked;
    wrong["media_type"] = json!(3);
    assert_eq!(api(&world, "/wxa/media_check_async", wrong).await["errcode"], 40004);
}

#[tokio::test]
async fn codes_are_pictures_that_say_where_they_lead() {
    let world = World::alone().await;
    let token = world.mini_token().await;
    let path = |name: &str| format!("{name}?access_token={token}");
    let unlimited = "/wxa/getwxacodeunlimit";
    let read = async |name: &str, body: Value| {
        let got = world.ask(post(path(name), body.to_string())).await;
        assert!(got.has_header("content-type: image/png"), "{}", got.text());
        scan(&got.body)
    };
    let code = read(unlimited, json!({ "scene": "a=1", "page": "pages/index" })).await;
    assert_eq!(code, format!("wxapp://{MINI_APP_ID}/pages/index?scene=a%3D1"));
    let code = read("/wxa/getwxacode", json!({ "path": "pages/index?x=1", "width": 280 })).await;
    assert_eq!(code, format!("wxapp://{MINI_APP_ID}/pages/index?x=1"));
    read("/cgi-bin/wxaapp/createwxaqrcode", json!({ "path": "pages/index" })).await;
    world.order("/_sim/mini", json!({ "pages": ["pages/index"] })).await;
    read(unlimited, json!({ "scene": "a", "page": "pages/new", "check_path": false })).await;
    for (name, body, code) in [
        (unlimited, json!({ "scene": "" }), 40169),
        (unlimited, json!({ "scene": "a".repeat(33) }), 40169),
        (unlimited, json!({ "scene": "100%" }), 40129),
        (unlimited, json!({ "scene": "a", "page": "/pages/index" }), 41030),
        (unlimited, json!({ "scene": "a", "page": "pages/new" }), 41030),
        (unlimited, json!({ "scene": "a", "width": 100 }), 40097),
        (unlimited, json!({ "scene": "a", "env_version": "release_error" }), 40097),
        ("/wxa/getwxacode", json!({ "path": "" }), 40159),
        ("/cgi-bin/wxaapp/createwxaqrcode", json!({ "path": "p".repeat(129) }), 40159),
    ] {
        assert_eq!(world.api(&path(name), body.clone()).await["errcode"], code, "{name} {body}");
    }
}

fn scan(png: &[u8]) -> String {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let (width, height) = (frame.width as usize, frame.height as usize);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    image.detect_grids()[0].decode().unwrap().1
}

#[tokio::test]
async fn links_end_within_thirty_days() {
    let world = World::alone().await;
    let target = json!({ "path": "/pages/index", "query": "a=1", "env_version": "release" });
    let scheme = |interval: u64| json!({ "jump_wxa": target, "is_expire": true, "expire_type": 1, "expire_interval": interval });
    let made = api(&world, "/wxa/generatescheme", scheme(30)).await;
    assert!(made["openlink"].as_str().unwrap().starts_with("weixin://dl/business/?t="), "{made}");
    assert_eq!(api(&world, "/wxa/generatescheme", scheme(31)).await["errcode"], 85401);
    let made = api(&world, "/wxa/generate_urllink", target.clone()).await;
    assert!(made["url_link"].as_str().unwrap().starts_with("https://wxaurl.cn/"), "{made}");
    let bad = json!({ "path": "pages/index?a=1" });
    assert_eq!(api(&world, "/wxa/generate_urllink", bad).await["errcode"], 40165);
    let short = json!({ "page_url": "pages/index?a=1", "page_title": "首页", "is_permanent": false });
    let made = api(&world, "/wxa/genwxashortlink", short).await;
    assert!(made["link"].as_str().unwrap().starts_with("#小程序://wx-sim/首页/"), "{made}");
}

#[tokio::test]
async fn open_data_is_signed_and_encrypted_with_the_session_key() {
    let world = World::alone().await;
    let order = |kind: &str| json!({ "as": "小明", "kind": kind });
    let early = world.ask(post("/_sim/open_data", order("user_info").to_string())).await;
    assert_eq!(early.status, 400, "no session yet");
    let (openid, key) = log_in(&world).await;
    let data = world.order("/_sim/open_data", order("user_info")).await;
    let raw = data["rawData"].as_str().unwrap();
    let signature: String =
        sha1::Sha1::digest(format!("{raw}{key}")).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(data["signature"], json!(signature));
    let opened = decrypt(&data, &key);
    assert_eq!((&opened["nickName"], &opened["openId"]), (&json!("小明"), &json!(openid)));
    assert_eq!(opened["watermark"]["appid"], MINI_APP_ID);
    let phone = decrypt(&world.order("/_sim/open_data", order("phone_number")).await, &key);
    assert_eq!(phone["countryCode"], "86");
    let run = decrypt(&world.order("/_sim/open_data", order("we_run")).await, &key);
    assert_eq!(run["stepInfoList"].as_array().unwrap().len(), 31);
}

fn decrypt(data: &Value, key: &str) -> Value {
    let decode = |text: &str| STANDARD.decode(text).unwrap();
    let bytes = |text: &str| <[u8; 16]>::try_from(decode(text)).unwrap();
    let (key, iv) = (bytes(key), bytes(data["iv"].as_str().unwrap()));
    let mut encrypted = decode(data["encryptedData"].as_str().unwrap());
    let cipher = cbc::Decryptor::<Aes128>::new(&key.into(), &iv.into());
    serde_json::from_slice(cipher.decrypt_padded::<Pkcs7>(&mut encrypted).unwrap()).unwrap()
}

#[tokio::test]
async fn customer_messages_come_from_the_mini_program_too() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let (openid, _) = log_in(&world).await;
    let fields = json!({ "SessionFrom": "index" });
    let report = world
        .send(json!({ "as": "小明", "mini": true, "event": { "type": "user_enter_tempsession", "fields": fields } }))
        .await;
    assert_eq!(report["openid"], json!(openid));
    let entered = event(&callback, "user_enter_tempsession").await;
    assert_eq!(entered.get("SessionFrom"), Some("index"));
    assert_ne!(entered.get("ToUserName"), world.get("/_sim/account").await["original_id"].as_str());
    assert_eq!(world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E").await["allowance"], 0, "another chat");
}
