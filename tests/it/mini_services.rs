//! `/api/wx/…`: what WeChat does for the Mini Program, for whoever has a session.

use aes::cipher::{Array, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wxapi::platform::{Pace, Pieces};
use wxapi::wechat::signature::sign;

use crate::world::mini::{Heard, MINI_APP};
use crate::world::mini_api::{no, world};
use crate::world::{Answer, World, run};

/// The session key of everybody here, and another one.
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";
const IV: [u8; 16] = [9; 16];
const SERVICES: [&str; 6] = ["decrypt", "phone", "signature", "check", "subscribe", "code"];

const DOWN: &str = "Service temporarily unavailable";

async fn ask(world: &World, service: &str, session: &str, body: Value) -> Heard {
    world.api("POST", &format!("wx/{service}"), session, &body.to_string()).await
}

/// A world in which WeChat gives this answer to everything, and somebody in it.
async fn answering(answer: Answer) -> (World, String) {
    let (world, _) = world(&[], move |_, _| Ok(answer.clone()));
    let session = world.wx_login("anna").await;
    (world, session)
}

/// Each order that somebody may give.
fn order(service: &str) -> Value {
    match service {
        "decrypt" => encrypted(&json!({ "n": 1, "watermark": { "appid": MINI_APP } }).to_string(), KEY),
        "phone" => json!({ "code": "c" }),
        "signature" => json!({ "rawData": "{}", "signature": sign(&[&format!("{{}}{KEY}")]) }),
        "check" => json!({ "content": "hello" }),
        "subscribe" => json!({ "template_id": "t", "data": { "thing1": { "value": "v" } } }),
        _ => json!({ "scene": "a=1" }),
    }
}

fn encrypted(text: &str, key: &str) -> Value {
    let key: [u8; 16] = STANDARD.decode(key).unwrap().try_into().unwrap();
    let pad = 16 - text.len() % 16;
    let mut bytes = text.as_bytes().to_vec();
    bytes.extend(vec![u8::try_from(pad).unwrap(); pad]);
    let (blocks, _) = Array::slice_as_chunks_mut(&mut bytes);
    cbc::Encryptor::<aes::Aes128>::new(&key.into(), &IV.into()).encrypt_blocks(blocks);
    json!({ "encryptedData": STANDARD.encode(bytes), "iv": STANDARD.encode(IV) })
}

fn log_of(world: &World) -> String {
    world.log().iter().map(|line| line.to_json() + "\n").collect()
}

#[test]
fn they_are_for_whoever_has_a_session_and_by_post() {
    run(async {
        let (world, api) = world(&[], |_, _| Ok(Answer::json("{}")));
        let session = world.wx_login("anna").await;
        for service in SERVICES {
            let target = format!("wx/{service}");
            for foreign in ["", "nonsense", &session[..session.len() - 1]] {
                let heard = ask(&world, service, foreign, order(service)).await;
                assert_eq!((heard.status, heard.error()), (401, "Invalid session"), "{service}");
            }
            let heard = world.api("GET", &target, &session, "").await;
            assert_eq!((heard.status, heard.header("allow")), (405, Some("POST")), "{service}");
            for broken in ["", "[]", "{", "null"] {
                let heard = world.api("POST", &target, &session, broken).await;
                assert_eq!(heard.status, 400, "{service} {broken}: {heard:?}");
                assert!(heard.error().contains(" must be "), "{heard:?}");
            }
        }
        for nothing in ["wx", "wx/else", "wx/check/more"] {
            let heard = world.api("POST", nothing, &session, "{}").await;
            assert_eq!((heard.status, heard.error()), (404, "Not found"));
        }
        assert_eq!(api.calls.borrow().len(), 0, "nothing of that is WeChat's concern");

        world.api("POST", "auth/logout", &session, "").await;
        assert_eq!(ask(&world, "check", &session, order("check")).await.status, 401);
        let off = World::new(&[]);
        assert_eq!(ask(&off, "check", &session, order("check")).await.status, 503);
    });
}

#[test]
fn every_order_counts() {
    run(async {
        let (world, _) = world(&[("RATE_LIMIT", "1")], |_, _| Ok(Answer::json("{}")));
        let session = world.wx_login("anna").await;
        for _ in 0..6 {
            assert_eq!(ask(&world, "signature", &session, order("signature")).await.status, 200);
        }
        let heard = ask(&world, "signature", &session, order("signature")).await;
        assert_eq!((heard.status, heard.header("retry-after")), (429, Some("60")));
    });
}

#[test]
fn open_data_is_read_with_the_session_key() {
    run(async {
        let (world, session) = answering(Answer::json("{}")).await;
        let data =
            json!({ "stepInfoList": [{ "step": 7 }], "watermark": { "appid": MINI_APP, "timestamp": 1 } });
        let heard = ask(&world, "decrypt", &session, encrypted(&data.to_string(), KEY)).await;
        assert_eq!((heard.status, &heard.body["data"]), (200, &data));
        assert_eq!(heard.header("cache-control"), Some("no-store"));
        assert!(!heard.response.body.contains(KEY));

        // Under a key that is no longer theirs: wrong padding, or garbage whose padding happens to be right.
        let mut statuses = Vec::new();
        for number in 0..300_u16 {
            let key = STANDARD.encode([number.to_be_bytes(); 8].concat());
            // All but the first would be too much for a minute.
            if number % 100 == 0 {
                world.pass(60_000).await;
            }
            let heard = ask(&world, "decrypt", &session, encrypted(&data.to_string(), &key)).await;
            assert_eq!(heard.error(), "Please log in again");
            statuses.push(heard.status);
        }
        assert!(statuses.iter().all(|status| *status == 409));
        let log = log_of(&world);
        assert!(log.contains("the padding is wrong") && log.contains("no JSON came out"), "both happened");
    });
}

#[test]
fn what_is_no_open_data_of_ours_is_refused_in_words() {
    run(async {
        let (world, session) = answering(Answer::json("{}")).await;
        let good = order("decrypt");
        let with = |name: &str, value: Value| {
            let mut order = good.clone();
            order[name] = value;
            order
        };
        let marked = |mark: Value| encrypted(&json!({ "watermark": mark }).to_string(), KEY);
        for (order, error) in [
            (with("iv", json!("AAAA")), "iv is not 16 bytes in Base64"),
            (with("iv", json!("!")), "iv is not 16 bytes in Base64"),
            (with("iv", json!(7)), "iv must be a text"),
            (with("iv", Value::Null), "iv must be a text"),
            (with("encryptedData", json!("")), "encryptedData must be a text"),
            (with("encryptedData", json!("%")), "encryptedData is not Base64"),
            (with("encryptedData", json!("AAAA")), "encryptedData is not a whole number of blocks"),
            (marked(json!({ "appid": "wx-another" })), "the watermark is not this Mini Program's"),
            (marked(Value::Null), "the watermark is not this Mini Program's"),
        ] {
            let heard = ask(&world, "decrypt", &session, order).await;
            assert_eq!((heard.status, heard.error()), (400, error));
        }
    });
}

#[test]
fn a_signature_is_right_or_not() {
    run(async {
        let (world, session) = answering(Answer::json("{}")).await;
        let raw = "{\"nickName\":\"云\"}";
        let right = sign(&[&format!("{raw}{KEY}")]);
        for (raw, signature, valid) in [
            (raw, right.as_str(), true),
            ("{\"nickName\":\"雨\"}", right.as_str(), false),
            (raw, "0", false),
            (raw, &right.replace('a', "b"), !right.contains('a')),
        ] {
            let order = json!({ "rawData": raw, "signature": signature });
            let heard = ask(&world, "signature", &session, order).await;
            assert_eq!((heard.status, heard.body), (200, json!({ "valid": valid })));
        }
        let heard = ask(&world, "signature", &session, json!({ "rawData": raw })).await;
        assert_eq!((heard.status, heard.error()), (400, "signature must be a text"));
    });
}

fn phone_info(app_id: &str) -> Answer {
    Answer::json(
        &json!({ "errcode": 0, "errmsg": "ok", "phone_info": {
            "phoneNumber": "15550100", "purePhoneNumber": "5550100", "countryCode": 1,
            "watermark": { "timestamp": 1, "appid": app_id },
        } })
        .to_string(),
    )
}

#[test]
fn a_phone_number_is_got_for_their_own_code() {
    run(async {
        let (world, api) = world(&[], |_, _| Ok(phone_info(MINI_APP)));
        let session = world.wx_login("anna").await;
        let heard = ask(&world, "phone", &session, json!({ "code": "c", "openid": "mini-otto" })).await;
        let phone = json!({ "phoneNumber": "15550100", "purePhoneNumber": "5550100", "countryCode": "1" });
        assert_eq!((heard.status, heard.body), (200, phone));
        let asked = api.bodies("/wxa/business/getuserphonenumber");
        assert_eq!(asked, [json!({ "code": "c", "openid": "mini-anna" })], "WeChat checks whose code it is");

        let (world, session) = answering(phone_info("wx-another")).await;
        let heard = ask(&world, "phone", &session, order("phone")).await;
        assert_eq!((heard.status, heard.error()), (500, DOWN));
        assert!(!log_of(&world).contains("5550100"));
    });
}

#[test]
fn a_notification_goes_to_oneself_only() {
    run(async {
        let (world, api) = world(&[], |_, _| Ok(Answer::json(r#"{"errcode":0,"errmsg":"ok"}"#)));
        let session = world.wx_login("anna").await;
        let mut order = order("subscribe");
        order["touser"] = json!("mini-otto");
        order["openid"] = json!("mini-otto");
        order["page"] = json!("pages/index/index");
        let heard = ask(&world, "subscribe", &session, order).await;
        assert_eq!((heard.status, heard.body), (200, json!({ "status": "ok" })));
        let sent = &api.bodies("/cgi-bin/message/subscribe/send")[0];
        assert_eq!(sent["touser"], "mini-anna");
        assert_eq!(sent["page"], "pages/index/index");
        assert_eq!(sent["openid"], Value::Null);
        let heard = ask(&world, "subscribe", &session, json!({ "template_id": "t", "data": 1 })).await;
        assert_eq!((heard.status, heard.error()), (400, "data must be an object of objects with a value"));
    });
}

#[test]
fn a_text_is_checked_for_whoever_asks() {
    run(async {
        let verdict = r#"{"errcode":0,"result":{"suggest":"review","label":10001}}"#;
        let (world, api) = world(&[], move |_, _| Ok(Answer::json(verdict)));
        let session = world.wx_login("anna").await;
        let order = json!({ "content": "buy", "scene": 2, "openid": "mini-otto" });
        let heard = ask(&world, "check", &session, order).await;
        assert_eq!((heard.status, heard.body), (200, json!({ "suggest": "review", "label": 10001 })));
        // The longest, and where it stands if nobody says it.
        let longest = "好".repeat(2_500);
        assert_eq!(ask(&world, "check", &session, json!({ "content": longest })).await.status, 200);
        let asked = api.bodies("/wxa/msg_sec_check");
        let place = |at: usize| (&asked[at]["openid"], &asked[at]["scene"]);
        assert_eq!(place(0), (&json!("mini-anna"), &json!(2)));
        assert_eq!(place(1), (&json!("mini-anna"), &json!(4)));
        assert_eq!((asked.len(), &asked[1]["content"]), (2, &json!(longest)));

        for (order, error) in [
            (json!({ "content": longest + "!" }), "content must be a text of 1 to 2500 characters"),
            (json!({ "content": " \n" }), "content must be a text of 1 to 2500 characters"),
            (json!({ "content": "x", "scene": 5 }), "scene must be 1, 2, 3 or 4"),
            (json!({ "content": "x", "scene": "2" }), "scene must be 1, 2, 3 or 4"),
        ] {
            let heard = ask(&world, "check", &session, order).await;
            assert_eq!((heard.status, heard.error()), (400, error));
        }
        assert_eq!(api.bodies("/wxa/msg_sec_check").len(), 2);
    });
}

/// Bytes and type of a response that is passed on.
async fn picture(heard: Heard) -> (Vec<u8>, String) {
    let passage = heard.response.passage.expect("a picture");
    let mut bytes = passage.first;
    let rest = passage.rest.expect("its rest").0.downcast::<crate::world::Body>().ok();
    let mut rest = rest.and_then(std::rc::Rc::into_inner).expect("a body");
    while let Some(piece) = rest.next(Pace::Calm).await {
        bytes.extend(piece.unwrap());
    }
    (bytes, passage.content_type)
}

#[test]
fn a_code_is_passed_on_as_it_comes() {
    run(async {
        let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[7; 5_000]].concat();
        let jpeg = [b"\xff\xd8\xff\xe0".as_slice(), &[8; 5_000]].concat();
        for (bytes, kind) in [(png, "image/png"), (jpeg, "image/jpeg")] {
            let sent = bytes.clone();
            let (world, api) = world(&[], move |_, _| {
                Ok(Answer { status: 200, content_type: "text/html", body: sent.clone() })
            });
            let session = world.wx_login("anna").await;
            let order = json!({ "scene": "a=1", "page": "pages/index/index", "width": 280, "else": 1 });
            let heard = ask(&world, "code", &session, order).await;
            assert_eq!((heard.status, heard.header("x-content-type-options")), (200, Some("nosniff")));
            assert_eq!(picture(heard).await, (bytes, kind.to_owned()));
            let asked = json!({ "scene": "a=1", "page": "pages/index/index", "width": 280 });
            assert_eq!(api.bodies("/wxa/getwxacodeunlimit"), [asked]);
            let heard = ask(&world, "code", &session, json!({ "scene": "a b" })).await;
            assert!(heard.status == 400 && heard.error().starts_with("scene must be"), "{heard:?}");
        }
        for nothing in ["<html>no</html>", r#"{"errcode":0}"#, ""] {
            let body = nothing.as_bytes().to_vec();
            let (world, session) = answering(Answer { status: 200, content_type: "image/png", body }).await;
            let heard = ask(&world, "code", &session, order("code")).await;
            assert_eq!((heard.status, heard.error()), (500, DOWN), "{nothing}");
        }
    });
}

#[test]
fn each_refusal_of_wechats_has_its_meaning() {
    run(async {
        for (service, errcode, status, error) in [
            ("phone", 40029, 400, "Invalid code"),
            ("phone", 40163, 400, "Invalid code"),
            ("phone", 45011, 429, "Too many requests. Please slow down."),
            ("phone", 47001, 400, "WeChat refused this: 47001"),
            ("phone", 40013, 500, DOWN),
            ("phone", 48001, 500, DOWN),
            ("phone", -1, 500, DOWN),
            ("check", 61010, 403, "Not in the Mini Program within two hours"),
            ("check", 44991, 429, "Too many requests. Please slow down."),
            ("check", 45009, 429, "Too many requests. Please slow down."),
            ("check", 40129, 400, "WeChat refused this: 40129"),
            ("check", 43104, 500, DOWN),
            ("subscribe", 43101, 403, "Not subscribed"),
            ("subscribe", 40037, 400, "WeChat refused this: 40037"),
            ("subscribe", 47003, 400, "WeChat refused this: 47003"),
            ("subscribe", 41030, 400, "WeChat refused this: 41030"),
            ("subscribe", 43107, 500, DOWN),
            ("subscribe", 40003, 500, DOWN),
            ("code", 41030, 400, "WeChat refused this: 41030"),
            ("code", 40097, 400, "WeChat refused this: 40097"),
            ("code", 40169, 400, "WeChat refused this: 40169"),
            ("code", 85096, 400, "WeChat refused this: 85096"),
            ("code", 45009, 429, "Too many requests. Please slow down."),
        ] {
            let (world, session) = answering(no(errcode)).await;
            let heard = ask(&world, service, &session, order(service)).await;
            assert_eq!((heard.status, heard.error()), (status, error), "{service} {errcode}");
            assert_eq!(heard.header("retry-after").is_some(), status == 429, "{service} {errcode}");
            let log = log_of(&world);
            assert!(
                log.contains("mini.service_refused")
                    && log.contains(&format!("{service}: WeChat answered {errcode}")),
                "{log}"
            );
            assert!(log.contains("rid: 6560-1-2") && !log.contains("mini-anna"), "{log}");
        }
    });
}

#[test]
fn a_dead_token_is_repaired_and_silence_is_told() {
    run(async {
        for service in ["phone", "check", "subscribe", "code"] {
            let (world, api) = world(&[], |path, _| {
                Ok(match path {
                    "/wxa/msg_sec_check" => Answer::json(r#"{"result":{"suggest":"pass","label":100}}"#),
                    "/wxa/business/getuserphonenumber" => phone_info(MINI_APP),
                    "/wxa/getwxacodeunlimit" => {
                        Answer { status: 200, content_type: "image/png", body: b"\x89PNG....".to_vec() }
                    }
                    _ => Answer::json(r#"{"errcode":0}"#),
                })
            });
            let session = world.wx_login("anna").await;
            assert_eq!(ask(&world, service, &session, order(service)).await.status, 200, "{service}");
            api.dead.set(true);
            assert_eq!(ask(&world, service, &session, order(service)).await.status, 200, "{service}");
            assert_eq!((api.tokens.get(), api.calls.borrow().len()), (2, 2), "{service}");

            api.down.set(true);
            let heard = ask(&world, service, &session, order(service)).await;
            assert_eq!((heard.status, heard.error()), (500, DOWN), "{service}");
            assert!(log_of(&world).contains("mini.service_refused"));
        }
    });
}
