//! `/wechat` from outside: what is let in, what is refused, and what the outside learns.

use wxapi::wechat::crypto::EncodingAesKey;
use wxapi::wechat::signature::sign;
use wxapi::wechat::xml::parse_xml;

use crate::world::{TOKEN, World, reply_text, run};

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const OLD_KEY: &str = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbS";
const APP: &str = "wx0000000000000001";

fn secure() -> World {
    World::new(&[("ENCODING_AES_KEY", KEY), ("ENCODING_AES_KEY_PREVIOUS", OLD_KEY), ("APP_ID", APP)])
}

fn now(world: &World) -> String {
    (wxapi::platform::Platform::now(world) / 1_000).to_string()
}

/// Query and body of an encrypted delivery.
fn encrypted(world: &World, document: &str, key: &str, app: &str) -> (String, String) {
    let encrypt = EncodingAesKey::parse(key).unwrap().encrypt([9; 16], document, app);
    let timestamp = now(world);
    let plain = sign(&[TOKEN, &timestamp, "n"]);
    let signature = sign(&[TOKEN, &timestamp, "n", &encrypt]);
    let query = format!(
        "signature={plain}&timestamp={timestamp}&nonce=n&encrypt_type=aes&msg_signature={signature}&openid=o"
    );
    (query, format!("<xml><ToUserName>gh</ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"))
}

#[test]
fn the_url_is_verified_with_the_raw_echostr_as_often_as_asked() {
    run(async {
        for world in [World::new(&[]), secure()] {
            let signature = sign(&[TOKEN, "1", "2"]);
            let query = format!("signature={signature}&echostr=4375120948345356249&timestamp=1&nonce=2");
            for _ in 0..3 {
                let response = world.request("GET", "wechat", &query, "").await;
                assert_eq!((response.status, response.body.as_str()), (200, "4375120948345356249"));
            }
            let forged = query.replace(&signature, &"0".repeat(40));
            let response = world.request("GET", "wechat", &forged, "").await;
            assert_eq!((response.status, response.body.as_str()), (403, "forbidden"));
        }
    });
}

#[test]
fn secure_mode_answers_encrypted_with_the_key_that_opened_the_message() {
    for (key, other) in [(KEY, OLD_KEY), (OLD_KEY, KEY)] {
        run(async move {
            let world = secure();
            let (query, body) = encrypted(&world, &world.text("o-user", "why?"), key, APP);
            let response = world.request("POST", "wechat", &query, &body).await;
            assert_eq!(response.status, 200);
            let envelope = parse_xml(&response.body).unwrap();
            let encrypt = envelope.get("Encrypt").unwrap();
            let parts = [TOKEN, envelope.get("TimeStamp").unwrap(), envelope.get("Nonce").unwrap(), encrypt];
            assert_eq!(envelope.get("MsgSignature"), Some(sign(&parts).as_str()));
            assert_eq!(envelope.get("Nonce"), Some("n"));
            let opened = EncodingAesKey::parse(key).unwrap().decrypt(encrypt).unwrap();
            assert_eq!(reply_text(&opened.message), "Answer to why?");
            assert!(EncodingAesKey::parse(other).unwrap().decrypt(encrypt).is_err());
        });
    }
}

#[test]
fn a_downgrade_is_refused_and_changes_nothing() {
    run(async {
        let world = secure();
        let document = world.text("o-user", "why?");
        let timestamp = now(&world);
        let plain = sign(&[TOKEN, &timestamp, "n"]);
        let plain_query = format!("signature={plain}&timestamp={timestamp}&nonce=n");
        let (query, body) = encrypted(&world, &document, KEY, APP);
        let unsigned = query.split("&encrypt_type").next().unwrap();
        let (_, other_app) = encrypted(&world, &document, KEY, "wx9999");
        let tampered = document.replace("</xml>", &format!("{}</xml>", &body[5..body.len() - 6]));
        for (query, body) in [
            (plain_query.as_str(), document.as_str()),
            (&format!("{plain_query}&encrypt_type=raw"), &document),
            (&format!("{plain_query}&encrypt_type=aes&msg_signature={plain}"), &document),
            (unsigned, &body),
            ("", &body),
            (&query.replace("msg_signature=", "msg_signature=0"), &body),
            (&query, &other_app),
            (&query, &document),
            (&query, &tampered.replace("why?", "other").replace("<Encrypt>", "<Encrypts>")),
        ] {
            let response = world.request("POST", "wechat", query, body).await;
            assert_eq!((response.status, response.body.as_str()), (403, "forbidden"), "{query} {body}");
        }
        assert_eq!(world.disk("o-user").document(), None);
        assert!(world.model_calls().is_empty());
        // The same message, sent properly, is answered.
        assert_eq!(world.request("POST", "wechat", &query, &body).await.status, 200);
    });
}

#[test]
fn compat_mode_trusts_only_what_was_encrypted() {
    run(async {
        let world = secure();
        let (query, envelope) = encrypted(&world, &world.text("o-user", "the real one"), KEY, APP);
        let forged = world.text("o-user", "a forged copy");
        let body = forged.replace("</xml>", envelope.strip_prefix("<xml>").unwrap());
        let response = world.request("POST", "wechat", &query, &body).await;
        assert_eq!(response.status, 200);
        assert_eq!(world.model_calls()[0].question(), "the real one");
    });
}

#[test]
fn stale_early_oversized_and_malformed_bodies_are_refused() {
    run(async {
        let world = World::new(&[]);
        let signed = |offset: i64| {
            let timestamp = (now(&world).parse::<i64>().unwrap() + offset).to_string();
            format!("signature={}&timestamp={timestamp}&nonce=n", sign(&[TOKEN, &timestamp, "n"]))
        };
        let document = world.text("o-user", "why?");
        let large = document.replace("why?", &"x".repeat(65 * 1024));
        let lol =
            r#"<!DOCTYPE xml [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><xml><MsgType>&b;</MsgType></xml>"#;
        for (query, body, status) in [
            (signed(-601), document.as_str(), 403),
            (signed(601), &document, 403),
            (signed(-590), &document, 200),
            (signed(0), &large, 413),
            (signed(0), lol, 400),
            (signed(0), "not xml at all", 400),
            (signed(0), "", 400),
            (signed(0), "[]", 400),
            (signed(0), "{\"MsgType\":", 400),
        ] {
            let response = world.request("POST", "wechat", &query, body).await;
            assert_eq!(response.status, status, "{query} {:.80}", body);
        }
    });
}

#[test]
fn retries_with_the_same_nonce_are_fine() {
    run(async {
        let world = World::new(&[]);
        let document = world.text("o-user", "why?");
        let first = world.deliver_once(&document).await;
        assert_eq!(world.deliver_once(&document).await, first);
    });
}

#[test]
fn without_keys_the_callback_is_closed() {
    for settings in [
        [("WECHAT_TOKEN", ""), ("X", "")],
        [("WECHAT_TOKEN", "replace-me-with-your-token"), ("X", "")],
        [("ENCODING_AES_KEY", "too-short"), ("APP_ID", APP)],
        [("ENCODING_AES_KEY", "replace-me"), ("APP_ID", APP)],
        [("ENCODING_AES_KEY", KEY), ("APP_ID", "")],
    ] {
        run(async move {
            let world = World::new(&settings);
            let response = world.deliver_once(&world.text("o-user", "why?")).await;
            assert_eq!((response.status, response.body.as_str()), (503, "not configured"));
            assert!(!world.app().config.problems.is_empty());
        });
    }
}

#[test]
fn what_is_not_a_route_is_not_found() {
    run(async {
        let world = World::new(&[]);
        for (method, path, status) in [
            ("GET", "", 404),
            ("GET", "wechat/more", 404),
            ("POST", "api", 404),
            ("PUT", "wechat", 405),
            ("GET", "wechat", 403),
            ("POST", "wechat", 403),
        ] {
            assert_eq!(world.request(method, path, "", "").await.status, status, "{method} /{path}");
        }
    });
}
