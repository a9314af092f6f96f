//! The customer service of the Mini Program: WeChat pushes what people write, and takes what they are told.

use std::cell::Cell;

use serde_json::{Value, json};
use wxapi::platform::{Object, Platform, Response};
use wxapi::wechat::crypto::EncodingAesKey;
use wxapi::wechat::signature::sign;

use super::mini::{MINI_APP, session_of, settings};
use super::{Answer, Disk, World};

pub const MINI_TOKEN: &str = "mini-token";
pub const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
/// The Mini Program's original id.
const SERVICE: &str = "gh_mini";
pub const OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

/// A world whose Mini Program has a customer service. `send` answers the custom/send of this number, from 1.
pub fn world(others: &[(&str, &str)], send: impl Fn(usize) -> Result<String, String> + 'static) -> World {
    let ours = [("MINI_TOKEN", MINI_TOKEN), ("RATE_LIMIT", "100")];
    let all: Vec<_> = ours.into_iter().chain(others.iter().copied()).collect();
    let world = World::new(&settings(&all));
    let sends = Cell::new(0);
    world.wechat(move |request| {
        if let Some(session) = session_of(&request.url) {
            return Ok(session);
        }
        if request.url.contains("/cgi-bin/stable_token") {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(body["appid"], MINI_APP, "the token of another app");
            return Ok(Answer::json(r#"{"access_token":"mini-token-1","expires_in":7200}"#));
        }
        if !request.url.contains("/message/custom/send") {
            return Ok(Answer::json(OK));
        }
        assert!(request.url.contains("access_token=mini-token-1"), "{}", request.url);
        sends.set(sends.get() + 1);
        send(sends.get()).map(|answer| Answer::json(&answer))
    });
    world
}

/// One in which WeChat takes everything.
pub fn calm() -> World {
    world(&[], |_| Ok(OK.to_owned()))
}

/// WeChat's refusal.
pub fn no(errcode: i64) -> Result<String, String> {
    Ok(json!({ "errcode": errcode, "errmsg": "no rid: 1" }).to_string())
}

/// A long answer: pages of it can be told apart.
pub fn story(sentences: usize) -> String {
    (0..sentences).map(|n| format!("sentence {n} is here.\n")).collect()
}

/// How a push is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    Xml,
    Json,
}

fn xml(value: &Value) -> String {
    let fields = value.as_object().unwrap().iter();
    let field = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("<{name}><![CDATA[{text}]]></{name}>"),
        other => format!("<{name}>{other}</{name}>"),
    };
    format!("<xml>{}</xml>", fields.map(field).collect::<String>())
}

impl World {
    /// A push from `user` with these fields; a number of its own unless it is an event.
    pub fn pushed(&self, user: &str, notation: Notation, fields: Value) -> String {
        let mut all = json!({
            "ToUserName": SERVICE,
            "FromUserName": user,
            "CreateTime": self.now() / 1_000,
        });
        let members = all.as_object_mut().unwrap();
        members.extend(fields.as_object().unwrap().clone());
        if members["MsgType"] != "event" {
            let number = self.0.message.replace(self.0.message.get() + 1);
            members.insert("MsgId".to_owned(), json!(9_007_199_254_740_993 + number));
        }
        if notation == Notation::Json { all.to_string() } else { xml(&all) }
    }

    /// One delivery to `/wechat/mini` in plain mode.
    pub async fn deliver_mini(&self, document: &str) -> Response {
        let timestamp = (self.now() / 1_000).to_string();
        let signature = sign(&[MINI_TOKEN, &timestamp, "n"]);
        let query = format!("signature={signature}&timestamp={timestamp}&nonce=n&openid=o");
        self.request("POST", "wechat/mini", &query, document).await
    }

    /// Query and body of an encrypted delivery; with a plain copy beside it in compat mode.
    pub fn sealed_mini(
        &self,
        document: &str,
        notation: Notation,
        key: &str,
        copy: Option<&str>,
    ) -> (String, String) {
        let encrypt = EncodingAesKey::parse(key).unwrap().encrypt(self.random(), document, MINI_APP);
        let timestamp = (self.now() / 1_000).to_string();
        let plain = sign(&[MINI_TOKEN, &timestamp, "n"]);
        let signature = sign(&[MINI_TOKEN, &timestamp, "n", &encrypt]);
        let query = format!(
            "signature={plain}&timestamp={timestamp}&nonce=n&encrypt_type=aes&msg_signature={signature}"
        );
        let body = match (notation, copy) {
            (Notation::Json, None) => json!({ "ToUserName": SERVICE, "Encrypt": encrypt }).to_string(),
            (Notation::Json, Some(copy)) => {
                let mut copy: Value = serde_json::from_str(copy).unwrap();
                copy["Encrypt"] = json!(encrypt);
                copy.to_string()
            }
            (Notation::Xml, None) => xml(&json!({ "ToUserName": SERVICE, "Encrypt": encrypt })),
            (Notation::Xml, Some(copy)) => {
                copy.replace("</xml>", &format!("<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"))
            }
        };
        (query, body)
    }

    /// Somebody does something; WeChat hears `success`.
    pub async fn act(&self, user: &str, fields: Value) {
        let document = self.pushed(user, Notation::Xml, fields);
        let response = self.deliver_mini(&document).await;
        assert_eq!((response.status, response.body.as_str()), (200, "success"));
    }

    /// Somebody writes something, and a moment passes.
    pub async fn write(&self, user: &str, content: &str) {
        self.act(user, json!({ "MsgType": "text", "Content": content })).await;
        self.pass(1_000).await;
    }

    /// Something happens.
    pub async fn event(&self, user: &str, event: &str, fields: Value) {
        let mut all = json!({ "MsgType": "event", "Event": event });
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.act(user, all).await;
        self.pass(1_000).await;
    }

    /// Whom WeChat was to tell what, whether it did or not.
    pub fn told(&self) -> Vec<(String, String)> {
        let calls = self.api_calls();
        let sends = calls.iter().filter(|call| call.url.contains("/message/custom/send"));
        let bodies = sends.map(|call| serde_json::from_slice::<Value>(&call.body).unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        bodies.map(|body| (text(&body["touser"]), text(&body["text"]["content"]))).collect()
    }

    /// The same, of a world in which only one person writes.
    pub fn texts_told(&self) -> Vec<String> {
        self.told().into_iter().map(|(_, text)| text).collect()
    }

    /// The storage of somebody's object.
    pub fn mini_disk_of(&self, user: &str) -> Disk {
        let app = wxapi::wechat::AppId::new(MINI_APP);
        let name = wxapi::login::mini::user_name(&app, &wxapi::wechat::OpenId::new(user));
        self.disk_behind(Object::MiniUser, &name)
    }
}
