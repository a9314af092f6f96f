//! Websites that log people in, and what their pages do.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wxapi::handlers::login::call_login;
use wxapi::lang::Lang;
use wxapi::login::client::{self, Client};
use wxapi::login::method::Method;
use wxapi::login::request::{AuthRequest, ResultBy};
use wxapi::login::session::{Call, Confirmer, Fault, Opening, Place, Reply};
use wxapi::login::subject::Who;
use wxapi::login::{Digest, base64url};
use wxapi::platform::{Object, Response};
use wxapi::wechat::{AppId, OpenId};

use super::World;
use super::browser::{Browser, Page, json as read};

pub const BLOG: &str = "https://blog.example.com";
pub const CALLBACK: &str = "https://blog.example.com/callback?from=wx";
pub const SHOP: &str = "https://shop.example.net";
/// What the blog's page keeps for itself until it redeems its code.
pub const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";
pub const STATE: &str = "the-blog's state/1";
pub const APP_ID: &str = "wx0123456789abcdef";

/// A verified service account in secure mode, two websites of which the blog has no secret.
pub fn settings() -> Vec<(&'static str, String)> {
    let clients = json!([
        { "id": "blog", "name": "The Blog", "origins": [BLOG, "http://localhost:5173"], "redirect_uris": [CALLBACK] },
        {
            "id": "shop", "name": "商店", "origins": [SHOP], "redirect_uris": [format!("{SHOP}/oidc")],
            "secret_sha256": wxapi::login::Digest::of("a-secret-of-the-shop").as_str(),
        },
    ]);
    vec![
        ("APP_ID", APP_ID.to_owned()),
        ("APP_SECRET", "an-app-secret".to_owned()),
        ("ENCODING_AES_KEY", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".to_owned()),
        ("ACCOUNT_TYPE", "service_verified".to_owned()),
        ("ACCOUNT_NAME", "Test Account".to_owned()),
        ("SUBJECT_SECRET", "0123456789abcdef0123456789abcdef".to_owned()),
        ("LOGIN_CLIENTS", clients.to_string()),
    ]
}

/// A world with [`settings`], some of them different.
pub fn world_with(others: &[(&str, &str)]) -> World {
    let settings = settings();
    let mut all: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(others);
    World::new(&all)
}

/// A world with [`settings`].
pub fn world() -> World {
    world_with(&[])
}

/// An account that knows people only by their messages.
pub fn world_of_chat() -> World {
    world_with(&[("ACCOUNT_TYPE", "subscription")])
}

/// A website with one origin and nothing besides, for worlds that are made without `LOGIN_CLIENTS`.
pub fn client(id: &str, origin: &str) -> Client {
    let (mut clients, faults) = client::parse(&json!([{ "id": id, "origins": [origin] }]).to_string());
    clients.pop().unwrap_or_else(|| panic!("{faults:?}"))
}

/// What the blog asks for: a message to its page, and nothing besides.
pub fn asks() -> AuthRequest {
    AuthRequest {
        client: "blog".to_owned(),
        result: ResultBy::Message { origin: BLOG.to_owned() },
        state: None,
        nonce: None,
        challenge: None,
        redirect_uri: None,
        profile: false,
        again: "/oauth?client_id=blog".to_owned(),
    }
}

/// A new attempt for it, in a browser in Shenzhen.
pub fn opening(login: &str, browser: Digest, methods: &[Method]) -> Opening {
    Opening {
        id: login.to_owned(),
        request: asks(),
        browser,
        place: Place {
            country: "CN".to_owned(),
            city: "Shenzhen".to_owned(),
            browser: "Chrome".to_owned(),
            system: "Windows".to_owned(),
        },
        methods: methods.to_vec(),
        strict: false,
        lang: Lang::En,
    }
}

/// PKCE's challenge.
pub fn challenge(verifier: &str) -> String {
    base64url(&Sha256::digest(verifier.as_bytes()))
}

/// The query of these parameters.
pub fn query(path: &str, fields: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("{path}?{query}")
}

/// What the blog's pop-up opens, with more parameters.
pub fn popup(more: &[(&str, &str)]) -> String {
    let challenge = challenge(VERIFIER);
    let mut fields =
        vec![("client_id", "blog"), ("target", BLOG), ("state", STATE), ("challenge", challenge.as_str())];
    fields.extend(more);
    query("/oauth", &fields)
}

/// What the class of earlier projects opens.
pub fn legacy() -> String {
    format!("/oauth?target={BLOG}/post?id=1&page=2#comments").replace("#comments", "")
}

/// Where the shop's server sends browsers, with more parameters.
pub fn authorize(more: &[(&str, &str)]) -> String {
    let redirect_uri = format!("{SHOP}/oidc");
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", "shop"),
        ("redirect_uri", redirect_uri.as_str()),
        ("scope", "openid profile"),
        ("state", STATE),
        ("nonce", "n-1"),
    ];
    fields.extend(more);
    query("/authorize", &fields)
}

/// Somebody of the account.
pub fn person(openid: &str) -> Who {
    Who::Wechat { app_id: AppId::new(APP_ID), openid: OpenId::new(openid), unionid: None }
}

impl World {
    /// Calls the object of an attempt.
    pub async fn ask_login(&self, login: &str, call: Call) -> Result<Reply, Fault> {
        call_login(self, login, &call).await.unwrap()
    }

    /// Somebody shows in the chat who they are, and confirms.
    pub async fn confirm_in_chat(&self, login: &str, openid: &str) {
        let who = person(openid);
        let claim = Call::Claim { who: who.clone(), by: Method::Code, token: None };
        self.ask_login(login, claim).await.unwrap();
        self.ask_login(login, Call::Confirm { by: Confirmer::Person(who), number: None }).await.unwrap();
    }

    /// Somebody says no in the chat.
    pub async fn deny_in_chat(&self, login: &str, openid: &str) {
        let who = person(openid);
        let claim = Call::Claim { who: who.clone(), by: Method::Code, token: None };
        self.ask_login(login, claim).await.unwrap();
        self.ask_login(login, Call::Deny { by: Confirmer::Person(who) }).await.unwrap();
    }

    /// What is stored of an attempt.
    #[track_caller]
    pub fn attempt(&self, login: &str) -> Value {
        let document = self.disk_behind(Object::Login, login).document().expect("an attempt");
        serde_json::from_str(&document).unwrap()
    }

    /// The names of all objects that have stored something, with their class.
    pub fn stored(&self) -> Vec<String> {
        let disks = self.0.disks.borrow();
        disks.iter().filter(|(_, disk)| disk.document().is_some()).map(|(name, _)| name.clone()).collect()
    }

    /// How many attempts have been opened and are kept.
    pub fn attempts(&self) -> usize {
        self.stored().iter().filter(|name| name.starts_with("Login ")).count()
    }
}

/// A browser opens an address and is at the page of an attempt then.
pub async fn begin(browser: &Browser, address: &str) -> Page {
    let page = browser.open_from(BLOG, address).await;
    assert_eq!(page.response.status, 200, "{page:?}");
    page
}

/// An address below the page of an attempt.
pub fn below(page: &Page, what: &str) -> String {
    format!("/oauth/s/{}/{what}", page.login())
}

/// What the page hears when it asks.
pub async fn status(browser: &Browser, page: &Page) -> serde_json::Value {
    read(&browser.fetch("GET", &below(page, "status")).await)["status"].clone()
}

/// A page, and its person has confirmed.
pub async fn confirmed(world: &World, browser: &Browser, address: &str) -> Page {
    let page = begin(browser, address).await;
    world.confirm_in_chat(&page.login(), "o-reader").await;
    page
}

/// Takes the result by the page's script.
pub async fn finish(browser: &Browser, page: &Page) -> Response {
    browser.fetch("POST", &below(page, "finish")).await
}

/// The blog's page redeems a code.
pub async fn redeem(world: &World, code: &str, verifier: &str) -> Response {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "blog"),
        ("code", code),
        ("code_verifier", verifier),
    ];
    Browser::new(world).post_from(BLOG, "/token", &fields).await.response
}

/// Whoever asks is told nothing.
#[track_caller]
pub fn check_turned_away(response: &Response) {
    assert_eq!(response.status, 403, "{response:?}");
    assert!(response.watch.is_none());
    for secret in ["code", "postMessage", "The Blog", STATE] {
        assert!(!response.body.contains(secret), "{secret} in {response:?}");
    }
}
