//! A website, an attempt to log in to it, and people who send encrypted messages.

use serde_json::Value;
use wxapi::config::Config;
use wxapi::lang::Lang;
use wxapi::login::Digest;
use wxapi::login::client::{Client, SubjectType};
use wxapi::login::method::Method;
use wxapi::login::request::{AuthRequest, ResultBy};
use wxapi::login::session::{Call, Fault, Opening, Place, Reply, Standing, Status, View};
use wxapi::platform::{Algorithm, Object, Platform, Response};
use wxapi::wechat::crypto::EncodingAesKey;
use wxapi::wechat::signature::sign;
use wxapi::wechat::xml::parse_xml;

use crate::world::{ACCOUNT, TOKEN, World, reply_text};

pub const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
pub const APP: &str = "wx0000000000000001";
/// The attempt of most tests.
pub const LOGIN: &str = "0123456789abcdef0123456789abcdef";

pub fn client() -> Client {
    Client {
        id: "blog".to_owned(),
        name: "My Blog".to_owned(),
        origins: vec!["https://blog.example.com".to_owned()],
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        secret: None,
        method: None,
        subject_type: SubjectType::Pairwise,
        sector: "blog".to_owned(),
        algorithm: Algorithm::Rs256,
        strict: false,
        synthetic_email: false,
    }
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
    let opening = Opening {
        id: login.to_owned(),
        request: AuthRequest {
            client: "blog".to_owned(),
            result: ResultBy::Message { origin: "https://blog.example.com".to_owned() },
            state: None,
            nonce: None,
            challenge: None,
            redirect_uri: None,
            profile: false,
            again: "/oauth?client_id=blog".to_owned(),
        },
        browser: Digest::of("browser"),
        place: Place {
            country: "CN".to_owned(),
            city: "Shenzhen".to_owned(),
            browser: "Chrome".to_owned(),
            system: "Windows".to_owned(),
        },
        methods: vec![Method::Code, Method::Scene, Method::Menu, Method::Typed],
        strict,
        lang: Lang::En,
    };
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

pub async fn standing(world: &World, login: &str) -> Standing {
    match call(world, login, &Call::Standing).await {
        Ok(Reply::Standing(standing)) => standing,
        other => panic!("{other:?}"),
    }
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
