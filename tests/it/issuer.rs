//! Websites and their logins, for the tests of the OpenID provider: everything up to the code, without pages.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use wxapi::handlers::login::call_login;
use wxapi::login::Digest;
use wxapi::login::method::Method;
use wxapi::login::request::{AuthRequest, ResultBy};
use wxapi::login::session::{Call, Confirmer, Opening, Reply};
use wxapi::login::subject::Who;
use wxapi::platform::{Algorithm, Platform, Request, Response};

pub use crate::world::browser::{header, json};
pub use crate::world::site::{APP_ID, BLOG};
use crate::world::{ORIGIN, World, site};

pub const SUBJECT_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const OPENID: &str = "oABCDEFGHIJKLMNOPQRSTUVWXYZ01";
/// PKCE's example: <https://www.rfc-editor.org/rfc/rfc7636#appendix-B>.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// `app` has this secret, which needs encoding.
pub const SECRET: &str = "p+a%ss w:ord-0123456789";
pub const APP_CALLBACK: &str = "https://app.example.com/cb";

/// A world with websites of every kind.
pub fn world() -> World {
    world_with(&[])
}

/// The same, with these settings besides.
pub fn world_with(settings: &[(&str, &str)]) -> World {
    let hash = hex::encode(Sha256::digest(SECRET));
    let clients = format!(
        r#"[
        {{"id":"blog","origins":["{BLOG}"],"redirect_uris":["{BLOG}/cb"],"post_logout_redirect_uris":["{BLOG}/bye","{BLOG}/bye?x=1"]}},
        {{"id":"app","redirect_uris":["{APP_CALLBACK}"],"secret_sha256":"{hash}","post_logout_redirect_uris":["https://app.example.com/bye"]}},
        {{"id":"sister","origins":["https://sister.example.com"],"sector":"blog"}},
        {{"id":"curve","origins":["https://curve.example.com"],"id_token_alg":"ES256"}},
        {{"id":"old","origins":["https://old.example.com"],"subject_type":"public"}},
        {{"id":"mail","origins":["https://mail.example.com"],"synthetic_email":true}}]"#
    );
    let own = [
        ("APP_ID", APP_ID),
        ("ENCODING_AES_KEY", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"),
        ("SUBJECT_SECRET", SUBJECT_SECRET),
        ("LOGIN_CLIENTS", &clients),
    ];
    let world = World::new(&[&own[..], settings].concat());
    assert!(world.app().config.problems.is_empty(), "{:?}", world.app().config.problems);
    world
}

pub fn person() -> Who {
    site::person(OPENID)
}

/// What `client` asks for, by PKCE and with a message as the answer.
pub fn asks(client: &str) -> AuthRequest {
    AuthRequest {
        client: client.to_owned(),
        state: Some("a-state".to_owned()),
        nonce: Some("a-nonce".to_owned()),
        challenge: Some(CHALLENGE.to_owned()),
        ..site::asks()
    }
}

/// What `app` asks for: a visit to its address.
pub fn app_asks() -> AuthRequest {
    AuthRequest {
        result: ResultBy::Redirect { form_post: false },
        redirect_uri: Some(APP_CALLBACK.to_owned()),
        ..asks("app")
    }
}

/// A person logs in by the chat; the code that the website gets.
pub async fn code(world: &World, request: AuthRequest) -> String {
    let login = hex::encode(world.random());
    let browser = Digest::of("the browser's cookie");
    let opening = Opening { request, ..site::opening(&login, browser.clone(), &[Method::Code]) };
    let code = format!("{login}{}", hex::encode(world.random()));
    for call in [
        Call::Open(Box::new(opening)),
        Call::Claim { who: person(), by: Method::Code, token: None },
        Call::Confirm { by: Confirmer::Person(person()), number: None },
        Call::Finish { browser, code: Digest::of(&code) },
    ] {
        call_login(world, &login, &call).await.unwrap().unwrap();
    }
    code
}

/// Whether what came of a code was taken back.
pub async fn is_revoked(world: &World, code: &str) -> bool {
    match call_login(world, &code[..32], &Call::Standing).await.unwrap().unwrap() {
        Reply::Standing { revoked } => revoked,
        other => panic!("{other:?}"),
    }
}

/// A request with these headers and this form.
pub async fn send(
    world: &World,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    form: &[(&str, &str)],
) -> Response {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let content_type = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    world
        .send(Request {
            method: method.to_owned(),
            origin: ORIGIN.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.chain((method == "POST").then_some(content_type)).collect(),
            body: body.into_bytes(),
            ..Request::default()
        })
        .await
}

pub async fn get(world: &World, path: &str) -> Response {
    send(world, "GET", path, &[], &[]).await
}

/// A token request of a client without a secret, with these parameters besides or instead; an empty one is left out.
pub async fn redeem(world: &World, client: &str, code: &str, others: &[(&str, &str)]) -> Response {
    let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("client_id", client)];
    form.push(("code_verifier", VERIFIER));
    form.retain(|(name, _)| !others.iter().any(|(other, _)| other == name));
    form.extend(others.iter().filter(|(_, value)| !value.is_empty()));
    send(world, "POST", "/token", &[], &form).await
}

/// The tokens that `client` gets for a login.
pub async fn tokens(world: &World, request: AuthRequest) -> Value {
    let client = request.client.clone();
    let code = code(world, request).await;
    let response = redeem(world, &client, &code, &[]).await;
    assert_eq!(response.status, 200, "{}", response.body);
    json(&response)
}

pub async fn userinfo(world: &World, token: &str) -> Response {
    send(world, "GET", "/userinfo", &[("authorization", &format!("Bearer {token}"))], &[]).await
}

/// The response is this error of OAuth's, and nobody keeps it.
#[track_caller]
pub fn is_error(response: &Response, status: u16, error: &str) {
    assert_eq!((response.status, json(response)["error"].as_str()), (status, Some(error)), "{response:?}");
    assert_eq!(header(response, "cache-control"), Some("no-store"));
}

/// The `Authorization` header of a client, encoded as the specification has it.
pub fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

pub fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Header and claims of a token whose signature the published keys confirm, checked without the Worker's own code.
pub async fn verified(world: &World, token: &str) -> (Value, Value) {
    let (header, claims) = (part(token, 0), part(token, 1));
    let set = json(&get(world, "/.well-known/jwks.json").await);
    let named = |key: &&Value| key["kid"] == header["kid"];
    let key = set["keys"].as_array().unwrap().iter().find(named).expect("a key of this name");
    assert_eq!(key["alg"], header["alg"]);
    let algorithm: Algorithm = serde_json::from_value(key["alg"].clone()).unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert!(world.verify(algorithm, key, input.as_bytes(), &signature).await, "{token}");
    (header, claims)
}
