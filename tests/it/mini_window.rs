//! `/wechat/mini`: what people write to the Mini Program's customer service becomes part of the same conversation.

use serde_json::json;
use wxapi::platform::Platform;
use wxapi::wechat::signature::sign;

use crate::world::window::{KEY, MINI_TOKEN, Notation, OK, calm, world};
use crate::world::{Answer, TOKEN, World, answers, mini, run};

const ANNA: &str = "mini-anna";
const OLD_KEY: &str = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbS";
const DAY: u64 = 86_400_000;

fn secure() -> World {
    let keys = [("MINI_ENCODING_AES_KEY", KEY), ("MINI_ENCODING_AES_KEY_PREVIOUS", OLD_KEY)];
    world(&keys, |_| Ok(OK.to_owned()))
}

#[test]
fn the_url_is_verified_with_the_mini_programs_own_token() {
    run(async {
        for world in [calm(), secure()] {
            for (token, expected) in [(MINI_TOKEN, (200, "4375120948")), (TOKEN, (403, "forbidden"))] {
                let signature = sign(&[token, "1", "2"]);
                let query = format!("signature={signature}&echostr=4375120948&timestamp=1&nonce=2");
                let response = world.request("GET", "wechat/mini", &query, "").await;
                assert_eq!((response.status, response.body.as_str()), expected);
            }
        }
    });
}

#[test]
fn every_mode_and_notation_is_understood() {
    for notation in [Notation::Xml, Notation::Json] {
        for mode in ["plain", "compat", "secure", "old key"] {
            run(async move {
                let world = if mode == "plain" { calm() } else { secure() };
                let fields = json!({ "MsgType": "text", "Content": "为什么 <b> & \"why\"?" });
                let document = world.pushed(ANNA, notation, fields);
                let response = if mode == "plain" {
                    world.deliver_mini(&document).await
                } else {
                    let copy = document.replace("why", "a forged copy");
                    let copy = (mode == "compat").then_some(copy.as_str());
                    let key = if mode == "old key" { OLD_KEY } else { KEY };
                    let (query, body) = world.sealed_mini(&document, notation, key, copy);
                    world.request("POST", "wechat/mini", &query, &body).await
                };
                assert_eq!(
                    (response.status, response.body.as_str()),
                    (200, "success"),
                    "{mode} {notation:?}"
                );
                world.pass(1_000).await;
                let answer = "Answer to 为什么 <b> & \"why\"?".to_owned();
                assert_eq!(world.told(), [(ANNA.to_owned(), answer)], "{mode} {notation:?}");
            });
        }
    }
}

#[test]
fn what_is_not_authentic_is_refused() {
    run(async {
        let world = secure();
        let document = world.pushed(ANNA, Notation::Xml, json!({ "MsgType": "text", "Content": "why?" }));
        assert_eq!(world.deliver_mini(&document).await.status, 403, "a plain message though there is a key");
        let (query, body) = world.sealed_mini(&document, Notation::Xml, KEY, None);
        let forged = query.replace("msg_signature=", "msg_signature=0");
        assert_eq!(world.request("POST", "wechat/mini", &forged, &body).await.status, 403);
        let other = "9".repeat(43);
        let (query_of_other, body_of_other) = world.sealed_mini(&document, Notation::Xml, &other, None);
        assert_eq!(world.request("POST", "wechat/mini", &query_of_other, &body_of_other).await.status, 403);
        assert_eq!(world.request("POST", "wechat", &query, &body).await.status, 403, "the account's own URL");
        world.pass(601_000).await;
        assert_eq!(world.request("POST", "wechat/mini", &query, &body).await.status, 403, "stale");
        assert_eq!(world.request("PUT", "wechat/mini", &query, &body).await.status, 405);
        assert!(world.model_calls().is_empty());
    });
}

#[test]
fn without_its_settings_the_route_is_closed() {
    run(async {
        for world in [World::new(&[]), mini::world(&[])] {
            for method in ["GET", "POST"] {
                let response = world.request(method, "wechat/mini", "", "").await;
                assert_eq!((response.status, response.body.as_str()), (503, "not configured"));
            }
            assert_eq!(world.request("DELETE", "wechat/mini", "", "").await.status, 405);
        }
    });
}

#[test]
fn a_message_that_is_delivered_again_does_nothing() {
    run(async {
        let world = secure();
        world.model(|call| answers(2_000, &call.question()));
        for (content, told) in [("why?", "why?"), ("/help", "Just write"), ("/forget", "deleted")] {
            let fields = json!({ "MsgType": "text", "Content": content });
            let document = world.pushed(ANNA, Notation::Json, fields);
            let before = world.told().len();
            for pause in [0, 3_000, 600_000, 590_000] {
                world.pass(pause).await;
                // Each time encrypted anew.
                let (query, body) = world.sealed_mini(&document, Notation::Json, KEY, None);
                assert_eq!(world.request("POST", "wechat/mini", &query, &body).await.body, "success");
            }
            world.pass(5_000).await;
            let after = world.texts_told();
            assert_eq!(after.len(), before + 1, "{content}: {after:?}");
            assert!(
                after.last().unwrap().starts_with(told) || after.last().unwrap().contains(told),
                "{after:?}"
            );
        }
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn an_object_that_cannot_store_it_lets_wechat_deliver_again() {
    run(async {
        let world = calm();
        let disk = world.mini_disk_of(ANNA);
        let document = world.pushed(ANNA, Notation::Xml, json!({ "MsgType": "text", "Content": "why?" }));
        disk.set_full(true);
        assert_eq!(world.deliver_mini(&document).await.status, 503);
        disk.set_full(false);
        assert_eq!(world.deliver_mini(&document).await.body, "success");
        world.pass(1_000).await;
        assert_eq!(world.texts_told(), ["Answer to why?"]);
    });
}

#[test]
fn it_is_one_conversation_with_that_of_the_api() {
    run(async {
        let world = calm();
        world.write(ANNA, "What is a spruce?").await;
        let session = world.wx_login("anna").await;
        let list = world.api("GET", "conversations", &session, "").await;
        let id = list.body["conversations"][0]["id"].as_str().unwrap().to_owned();
        let shown = world.api("GET", &format!("conversations/{id}"), &session, "").await;
        assert_eq!(shown.body["messages"][1]["content"], "Answer to What is a spruce?");
        assert_eq!(shown.body["messages"][1]["source"], "customer_service");
        // The Mini Program goes on with it, and so does the customer service.
        assert_eq!(world.chat(&session, "And a fir?", None).await.body["conversation_id"], *id);
        world.write(ANNA, "And a pine?").await;
        let told = world.model_calls().last().unwrap().inputs["messages"].clone();
        assert_eq!(
            (told[1]["content"].clone(), told[3]["content"].clone()),
            (json!("What is a spruce?"), json!("And a fir?"))
        );
        // After a long silence, and after /new, another one begins.
        for begin in ["", "/new"] {
            if begin.is_empty() {
                world.pass(301_000).await
            } else {
                world.write(ANNA, begin).await
            }
            world.write(ANNA, "Who are you?").await;
            let told = world.model_calls().last().unwrap().inputs["messages"].clone();
            assert_eq!(told.as_array().unwrap().len(), 2, "{told}");
        }
        let list = world.api("GET", "conversations", &session, "").await;
        assert_eq!(list.body["conversations"].as_array().unwrap().len(), 3);
    });
}

#[test]
fn commands_are_answered_without_one_tap_links() {
    run(async {
        let world = calm();
        for (word, expected) in [
            ("/help", "Fetch an answer: /retrieve"),
            ("帮助", "Forget me: /forget"),
            ("/status", "Turns remembered: 0"),
            ("/summary", "We have not talked"),
            ("/retrieve", "No pending messages"),
            ("/new", "a fresh start"),
        ] {
            world.write(ANNA, word).await;
            let told = world.texts_told();
            assert!(told.last().unwrap().contains(expected), "{word}: {told:?}");
            assert!(!told.last().unwrap().contains("weixin://"), "{word}: {told:?}");
        }
        assert!(world.model_calls().is_empty());
        world.write(ANNA, "What is tea?").await;
        world.write(ANNA, "/status").await;
        assert!(world.texts_told().last().unwrap().contains("Turns remembered: 1"));
        world.write(ANNA, "总结").await;
        assert_eq!(world.model_calls().len(), 2);
        world.model(|call| answers(20_000, &call.question()));
        world.write(ANNA, "Slowly").await;
        world.write(ANNA, "/retrieve").await;
        let told = world.texts_told();
        assert!(
            told.last().unwrap().contains("Still working, 1 s so far.\nCheck again: /retrieve"),
            "{told:?}"
        );
    });
}

#[test]
fn pictures_are_seen_and_everything_else_is_declined() {
    run(async {
        let world = world(&[("AI_VISION_MODEL", "@cf/eyes")], |_| Ok(OK.to_owned()));
        let image = |url: &str| json!({ "MsgType": "image", "PicUrl": url, "MediaId": "m" });
        world.model(|call| answers(0, &call.model));
        world.wechat(|request| {
            let png = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13];
            Ok(match request.url.as_str() {
                url if url.contains("qpic.cn") => {
                    Answer { status: 200, content_type: "image/png", body: png.to_vec() }
                }
                url if url.contains("stable_token") => {
                    Answer::json(r#"{"access_token":"t","expires_in":7200}"#)
                }
                url if url.contains("api.weixin.qq.com") => Answer::json(OK),
                url => panic!("{url} is not WeChat's"),
            })
        });
        let page = json!({ "MsgType": "miniprogrampage", "Title": "t", "AppId": "wx", "PagePath": "p", "ThumbUrl": "u", "ThumbMediaId": "m" });
        let video = json!({ "MsgType": "video", "MediaId": "m", "ThumbMediaId": "t" });
        let place =
            json!({ "MsgType": "location", "Location_X": "1", "Location_Y": "2", "Scale": "3", "Label": "" });
        for (fields, expected) in [
            (image("http://mmbiz.qpic.cn/p/1"), "@cf/eyes"),
            (image("http://evil.example/p/1"), "could not look at this picture"),
            (page, "cannot open this kind"),
            (video, "cannot open this kind"),
            (place, "cannot open this kind"),
            (json!({ "MsgType": "hologram" }), "cannot open this kind"),
            (json!({ "MsgType": "voice", "MediaId": "m", "Format": "amr" }), "could not make out"),
        ] {
            let before = world.told().len();
            world.act(ANNA, fields.clone()).await;
            world.pass(1_000).await;
            let told = world.texts_told();
            assert_eq!(told.len(), before + 1, "{fields}");
            assert!(told.last().unwrap().contains(expected), "{fields}: {told:?}");
        }
    });
}

#[test]
fn whoever_comes_in_is_greeted_once_a_day() {
    run(async {
        let world = calm();
        let enter = || world.event(ANNA, "user_enter_tempsession", json!({ "SessionFrom": "s" }));
        enter().await;
        assert!(world.texts_told()[0].starts_with("Hello!"), "{:?}", world.told());
        enter().await;
        world.pass(DAY / 2).await;
        world.write(ANNA, "why?").await;
        world.pass(DAY / 2 + 60_000).await;
        enter().await;
        assert_eq!(world.told().len(), 2, "they were here within a day: {:?}", world.told());
        world.pass(2 * DAY).await;
        enter().await;
        assert_eq!(world.told().len(), 3);
    });
}

#[test]
fn what_concerns_no_conversation_is_acknowledged_and_nothing_is_stored() {
    run(async {
        let world = calm();
        for fields in [
            json!({ "MsgType": "event", "Event": "subscribe" }),
            json!({ "MsgType": "event", "Event": "wxa_media_check", "trace_id": "t" }),
            json!({ "MsgType": "event", "Event": "kf_create_session", "KfAccount": "a@b" }),
            json!({ "MsgType": "event", "Event": "something_new" }),
        ] {
            world.act(ANNA, fields).await;
        }
        assert_eq!(world.deliver_mini(r#"{"action":"CheckContainerPath"}"#).await.body, "success");
        world.pass(1_000).await;
        assert!(world.mini_disk_of(ANNA).document().is_none() && world.told().is_empty());
    });
}

#[test]
fn whoever_takes_back_what_they_allowed_is_forgotten() {
    run(async {
        for event in ["user_authorization_revoke", "user_authorization_cancellation"] {
            let world = calm();
            let session = world.wx_login("anna").await;
            world.write(ANNA, "a secret").await;
            let fields = json!({ "OpenID": ANNA, "AppID": mini::MINI_APP, "RevokeInfo": "6" });
            world.event("wechat-itself", event, fields).await;
            assert_eq!(world.api("GET", "conversations", &session, "").await.status, 401);
            assert_eq!(world.told().len(), 1, "nothing is said");
            let left = world.mini_disk_of(ANNA).document().unwrap();
            assert!(!left.contains(ANNA) && !left.contains("secret"), "{left}");
            world.pass(1_300_000).await;
            assert!(world.mini_disk_of(ANNA).document().is_none());
        }
    });
}

#[test]
fn forget_deletes_everything_and_says_so() {
    run(async {
        let world = calm();
        let session = world.wx_login("anna").await;
        world.write(ANNA, "a secret").await;
        world.write(ANNA, "忘记我").await;
        assert!(world.texts_told()[1].contains("Everything stored about you is deleted"));
        assert_eq!(world.api("GET", "conversations", &session, "").await.status, 401);
        let left = world.mini_disk_of(ANNA).document().unwrap();
        assert!(!left.contains(ANNA) && !left.contains("secret"), "{left}");
        world.pass(1_300_000).await;
        assert!(world.mini_disk_of(ANNA).document().is_none(), "{:?}", world.mini_disk_of(ANNA).document());
    });
}

#[test]
fn questions_are_limited_as_by_the_api() {
    run(async {
        let world = world(&[("RATE_LIMIT", "5")], |_| Ok(OK.to_owned()));
        world.model(|call| answers(10_000, &call.question()));
        for n in 1..=4 {
            world.write(ANNA, &format!("question {n}")).await;
        }
        assert!(
            world.texts_told()[0].contains("still working on your earlier questions"),
            "{:?}",
            world.told()
        );
        world.pass(20_000).await;
        world.write(ANNA, "question 5").await;
        world.write(ANNA, "question 6").await;
        assert!(world.texts_told().last().unwrap().contains("a bit fast"), "{:?}", world.told());
        world.write(ANNA, "/forget").await;
        world.write(ANNA, "question 7").await;
        assert!(world.texts_told().last().unwrap().contains("a bit fast"), "{:?}", world.told());
        assert!(world.now() > 0 && world.model_calls().len() == 4);
    });
}
