//! A website, an attempt to log in to it, and people who send encrypted messages.

use serde_json::Value;
use wxapi::config::Config;
use wxapi::login::Digest;
use wxapi::login::client::Client;
use wxapi::login::method::Method;
use wxapi::login::session::{Call, Fault, Opening, Reply, Session, Status, View};
use wxapi::platform::{Object, Platform, Response};
use wxapi::wechat::crypto::EncodingAesKey;
use wxapi::wechat::signature::sign;
use wxapi::wechat::xml::parse_xml;

use crate::world::{ACCOUNT, TOKEN, World, reply_text, site};

pub const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
pub const APP: &str = "wx0000000000000001";
/// The attempt of most tests.
pub const LOGIN: &str = "0123456789abcdef0123456789abcdef";

/// Somebody else than the person of a test.
pub const OTHER: &str = "o-other";

pub fn client() -> Client {
    Client { name: "My Blog".to_owned(), ..site::client("blog", site::BLOG) }
}

/// A world in secure mode with one website.
pub fn stage(adjust: impl FnOnce(&mut Config)) -> World {
    stage_with(&[], adjust)
}

pub fn stage_with(settings: &[(&str, &str)], adjust: impl FnOnce(&mut Config)) -> World {
    let mut all = vec![("ENCODING_AES_KEY", KEY), ("APP_ID", APP), ("APP_SECRET", "secret")];
    all.extend_from_slice(settings);
    World::with(&all, |config| {
        config.login.clients = vec![client()];
        config.login.abilities.allowed = vec![Method::Code, Method::Scene];
        config.login.rate_limit = 20;
        adjust(config);
    })
}

/// Opens an attempt, as the login page does.
pub async fn open(world: &World, login: &str, strict: bool) {
    let methods = [Method::Code, Method::Scene, Method::Menu, Method::Typed];
    let opening = Opening { strict, ..site::opening(login, Digest::of("browser"), &methods) };
    assert_eq!(call(world, login, &Call::Open(Box::new(opening))).await, Ok(Reply::Done));
}

pub async fn call(world: &World, login: &str, call: &Call) -> Result<Reply, Fault> {
    let call = serde_json::to_string(call).unwrap();
    serde_json::from_str(&Platform::call(world, Object::Login, login, &call).await.unwrap()).unwrap()
}

/// What the page shows.
pub async fn show(world: &World, login: &str, method: Method) -> View {
    let show = Call::Show { browser: Digest::of("browser"), method: Some(method), lang: None };
    match call(world, login, &show).await {
        Ok(Reply::View(view, _)) => *view,
        other => panic!("{other:?}"),
    }
}

pub async fn status(world: &World, login: &str) -> Status {
    show(world, login, Method::Code).await.status
}

/// An attempt as its object stored it.
pub fn stored(world: &World, login: &str) -> Session {
    serde_json::from_str(&world.disk_behind(Object::Login, login).document().expect("an attempt")).unwrap()
}

/// Opens an attempt and shows its digits.
pub async fn open_with_code(world: &World, login: &str) -> String {
    open(world, login, false).await;
    show(world, login, Method::Code).await.code.expect("digits")
}

/// Query and body of an encrypted delivery that was signed `age` seconds ago.
pub fn encrypted(world: &World, document: &str, age: i64) -> (String, String) {
    let encrypt = EncodingAesKey::parse(KEY).unwrap().encrypt([9; 16], document, APP);
    let timestamp = (i64::try_from(world.now() / 1_000).unwrap() - age).to_string();
    let signature = sign(&[TOKEN, &timestamp, "n", &encrypt]);
    (
        format!("timestamp={timestamp}&nonce=n&encrypt_type=aes&msg_signature={signature}"),
        format!("<xml><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"),
    )
}

/// The plain reply inside an encrypted one.
pub fn opened(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.body);
    if response.body == "success" {
        return response.body.clone();
    }
    let envelope = parse_xml(&response.body).unwrap();
    EncodingAesKey::parse(KEY).unwrap().decrypt(envelope.get("Encrypt").unwrap()).unwrap().message
}

/// The plain reply to an encrypted delivery.
pub async fn deliver(world: &World, document: &str) -> String {
    let (query, body) = encrypted(world, document, 0);
    opened(&world.request("POST", "wechat", &query, &body).await)
}

/// Somebody types something; the text that they see, empty for none.
pub async fn say(world: &World, user: &str, text: &str) -> String {
    reply_text(&deliver(world, &world.text(user, text)).await)
}

/// Something happens to somebody; the text that they see.
pub async fn happen(world: &World, user: &str, elements: &str) -> String {
    reply_text(&deliver(world, &event(world, user, elements)).await)
}

/// An event, which has no number.
pub fn event(world: &World, user: &str, elements: &str) -> String {
    let created = world.now() / 1_000;
    format!(
        "<xml><ToUserName>{ACCOUNT}</ToUserName><FromUserName>{user}</FromUserName><CreateTime>{created}</CreateTime><MsgType>event</MsgType>{elements}</xml>"
    )
}

/// The document that a user's object keeps beside the conversation.
pub fn desk(world: &World, user: &str) -> Option<Value> {
    let document = world.disk(user).beside("login").document()?;
    Some(serde_json::from_str(&document).unwrap())
}

/// How often `event` is in the log.
pub fn logged(world: &World, event: &str) -> usize {
    world.log().iter().filter(|line| line.event == event).count()
}
