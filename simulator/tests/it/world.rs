//! A simulator on a free port, and a callback that answers as a real backend does.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;
use wx_sim::{Account, Options, Sim, serve};
use wxapi::wechat::callback::{self, Envelope, Keys, Opened, Query, Refusal};
use wxapi::wechat::crypto::EncodingAesKey;
use wxapi::wechat::xml::{Fields, XmlWriter, parse_xml};
use wxapi::wechat::{AppId, Secret};

use crate::callback::{Arrived, Callback, Reaction};
use crate::raw::{self, Ask, Got, get, post};

pub const TOKEN: &str = "test_token";
pub const APP_ID: &str = "wx5823bf96d3bd56c7";
pub const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const MINI_APP_ID: &str = "wx00000000000000aa";
pub const MINI_APP_SECRET: &str = "fedcba9876543210fedcba9876543210";
pub const MINI_TOKEN: &str = "mini_token";
pub const MINI_AES_KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg";
pub const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

pub const OPEN_APP_ID: &str = "wxbdc5610cc59c1631";
pub const OPEN_APP_SECRET: &str = "fedcba9876543210fedcba9876543210";

pub fn setting(name: &str) -> Option<String> {
    let settings = [
        ("WECHAT_TOKEN", TOKEN),
        ("APP_ID", APP_ID),
        ("APP_SECRET", APP_SECRET),
        ("ENCODING_AES_KEY", AES_KEY),
        ("MINI_APP_ID", MINI_APP_ID),
        ("MINI_APP_SECRET", MINI_APP_SECRET),
        ("MINI_TOKEN", MINI_TOKEN),
        ("MINI_ENCODING_AES_KEY", MINI_AES_KEY),
    ];
    settings.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned())
}

/// The beginnings of files.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
pub const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0\x00";
pub const AMR: &[u8] = b"#!AMR\n\x3c";
pub const MP4: &[u8] = b"\x00\x00\x00\x18ftypmp42";

/// The settings of an account that is bound to an Open Platform account with a website.
fn with_website(name: &str) -> Option<String> {
    match name {
        "OPEN_APP_ID" => Some(OPEN_APP_ID.to_owned()),
        "OPEN_APP_SECRET" => Some(OPEN_APP_SECRET.to_owned()),
        other => setting(other),
    }
}

/// A running simulator.
pub struct World {
    pub port: u16,
}

impl World {
    /// Starts a simulator that delivers to `target`.
    pub async fn new(target: &str) -> Self {
        Self::with(target, setting).await
    }

    /// Starts one for another account.
    pub async fn with(target: &str, setting: impl Fn(&str) -> Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let options = Options { target: Some(target.parse().unwrap()), ..Options::default() };
        let sim = Sim::new(Account::from_settings(setting).unwrap(), options, format!("http://{address}"));
        tokio::spawn(serve(listener, Arc::new(sim)));
        Self { port: address.port() }
    }

    /// A simulator whose account nobody answers for.
    pub async fn alone() -> Self {
        Self::new("http://127.0.0.1:1/wechat").await
    }

    /// The same with a website.
    pub async fn with_website() -> Self {
        Self::with("http://127.0.0.1:1/wechat", with_website).await
    }

    pub async fn ask(&self, ask: Ask) -> Got {
        raw::send(self.port, ask).await.expect("an answer")
    }

    /// `GET`s JSON.
    pub async fn get(&self, path: &str) -> Value {
        self.ask(get(path)).await.json()
    }

    /// `POST`s JSON to the control API, which must accept it.
    pub async fn order(&self, path: &str, body: Value) -> Value {
        let got = self.ask(post(path, body.to_string())).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text());
        got.json()
    }

    /// Sends a message.
    pub async fn send(&self, request: Value) -> Value {
        self.order("/_sim/send", request).await
    }

    /// A stable token.
    pub async fn token(&self) -> String {
        self.token_of(APP_ID, APP_SECRET).await
    }

    /// A stable token of the Mini Program.
    pub async fn mini_token(&self) -> String {
        self.token_of(MINI_APP_ID, MINI_APP_SECRET).await
    }

    async fn token_of(&self, app_id: &str, secret: &str) -> String {
        let asked = json!({ "grant_type": "client_credential", "appid": app_id, "secret": secret });
        let got = self.api("/cgi-bin/stable_token", asked).await;
        got["access_token"].as_str().expect("a token").to_owned()
    }

    /// `POST`s JSON to the platform.
    pub async fn api(&self, path: &str, body: Value) -> Value {
        self.ask(post(path, body.to_string())).await.json()
    }

    /// `POST`s JSON to the platform with a valid token.
    pub async fn call(&self, path: &str, body: Value) -> Value {
        self.api(&self.with_token(path).await, body).await
    }

    /// `GET`s JSON of the platform with a valid token; `path` may have a query.
    pub async fn fetch(&self, path: &str) -> Value {
        self.download(path).await.json()
    }

    /// `GET`s the platform's answer with a valid token, whatever it is.
    pub async fn download(&self, path: &str) -> Got {
        self.ask(get(self.with_token(path).await)).await
    }

    async fn with_token(&self, path: &str) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}access_token={}", self.token().await)
    }

    /// Uploads a file as a form's field `media`, beside other fields.
    pub async fn upload(&self, path: &str, filename: &str, bytes: &[u8], fields: &[(&str, &str)]) -> Value {
        let mut form = Vec::new();
        for (name, value) in fields {
            let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            form.extend_from_slice(head.as_bytes());
        }
        let head =
            format!("--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"{filename}\"\r\n\r\n");
        form.extend([head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat());
        let path = self.with_token(path).await;
        self.ask(post(path, form).header("Content-Type", "multipart/form-data; boundary=b")).await.json()
    }

    /// The openid of somebody who follows from now on.
    pub async fn follower(&self, name: &str) -> String {
        let report = self.send(json!({ "as": name, "event": { "type": "subscribe" } })).await;
        report["openid"].as_str().unwrap().to_owned()
    }

    /// The errcode of a `POST` with a valid token; 0 for success.
    pub async fn errcode(&self, path: &str, body: Value) -> i64 {
        let answer = self.call(path, body).await;
        answer["errcode"].as_i64().expect("an errcode")
    }
}

/// Asks until there is something, for half a minute at most.
pub async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
        }
    };
    timeout(Duration::from_secs(30), asking).await.expect("it happens within half a minute")
}

/// Opens a push as a backend does: encrypted if `secure`.
pub fn open(push: &Arrived, secure: bool) -> Result<Opened, Refusal> {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    callback::open(&Query::parse(&push.query), push.body.as_bytes(), &keys(secure), now)
}

/// Opens a push to the Mini Program's callback.
pub fn open_mini(push: &Arrived, secure: bool) -> Result<Opened, Refusal> {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    callback::open(&Query::parse(&push.query), push.body.as_bytes(), &mini_keys(secure), now)
}

pub fn mini_keys(secure: bool) -> Keys {
    Keys {
        token: Secret::new(MINI_TOKEN),
        app_id: Some(AppId::new(MINI_APP_ID)),
        current: secure.then(|| EncodingAesKey::parse(MINI_AES_KEY).unwrap()),
        previous: None,
    }
}

fn keys(secure: bool) -> Keys {
    Keys {
        token: Secret::new(TOKEN),
        app_id: Some(AppId::new(APP_ID)),
        current: secure.then(|| EncodingAesKey::parse(AES_KEY).unwrap()),
        previous: None,
    }
}

/// A text reply to an opened push, sealed as the push was.
pub fn reply(opened: &Opened, push: &Arrived, text: &str) -> String {
    let fields = parse_xml(&opened.xml).unwrap();
    let mut xml = XmlWriter::new(256);
    xml.cdata("ToUserName", &fields.owned("FromUserName"))
        .cdata("FromUserName", &fields.owned("ToUserName"))
        .number("CreateTime", 1_800_000_000)
        .cdata("MsgType", "text")
        .cdata("Content", text);
    let nonce = Query::parse(&push.query).nonce.into_owned();
    let secure = opened.envelope != Envelope::Plain;
    callback::seal(&xml.finish(), &opened.envelope, &keys(secure), &nonce, 1_800_000_000, [1; 16])
}

/// A callback in plain or secure mode that repeats what it is told, and refuses what is not authentic.
pub async fn echo(secure: bool) -> Callback {
    Callback::start(move |_, push| match answer(push, secure) {
        Ok(body) => Reaction::Answer(200, body),
        Err(refusal) => Reaction::Answer(403, refusal.to_string()),
    })
    .await
}

/// What such a callback answers.
pub fn answer(push: &Arrived, secure: bool) -> Result<String, Refusal> {
    if push.method == "GET" {
        return callback::verify_url(&Query::parse(&push.query), &keys(secure));
    }
    let opened = open(push, secure)?;
    let fields = parse_xml(&opened.xml).unwrap();
    let said = fields.filled("Content").or(fields.filled("Event")).unwrap_or("?");
    Ok(reply(&opened, push, &format!("回声：{said}")))
}

/// The event that the callback was told of first under this name, as its fields.
pub async fn event(callback: &Callback, name: &str) -> Fields {
    until(async || {
        let pushes = callback.arrived().into_iter();
        let opened = |push: &Arrived| open(push, true).or_else(|_| open_mini(push, true)).ok();
        let mut opened = pushes.filter_map(|push| parse_xml(&opened(&push)?.xml).ok());
        let found = opened.find(|push| push.get("Event") == Some(name));
        if found.is_none() {
            tokio::task::yield_now().await;
        }
        found
    })
    .await
}
