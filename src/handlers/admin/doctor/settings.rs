//! What can be seen from the configuration alone.

use serde_json::{Map, Value};

use super::Finding;
use crate::config::{Config, Problem};
use crate::json::{Put, json};
use crate::wechat::callback::{self, Envelope, Format, Keys, Query, WhichKey};
use crate::wechat::crypto::EncodingAesKey;
use crate::wechat::xml::find_encrypt;
use crate::wechat::{AppId, signature};

/// Settings that have a line of their own.
const ADDRESSES: [&str; 4] = ["WECHAT_API_BASE", "AI_BASE_URL", "WECHAT_OPEN_BASE", "GITHUB_BASE_URL"];
/// Random hexadecimal digits have some 16 different characters.
const DIFFERENT: usize = 10;
/// <https://developers.weixin.qq.com/doc/service/guide/dev/push/>
const TOKEN_LENGTHS: std::ops::RangeInclusive<usize> = 3..=32;

/// What is wrong with those settings whose name `is_meant`.
fn problems<'a>(config: &'a Config, is_meant: &dyn Fn(&str) -> bool) -> Vec<&'a Problem> {
    config.problems.iter().filter(|problem| is_meant(problem.name)).collect()
}

fn words(problems: &[&Problem]) -> String {
    let all: Vec<String> =
        problems.iter().map(|problem| [problem.name, " ", &problem.text].concat()).collect();
    all.join("; ")
}

/// The secrets, and whether each is set as far as the configuration shows. WECHAT_TOKEN is a problem if it is not.
fn presence(config: &Config) -> [(&'static str, bool); 9] {
    let (keys, login) = (config.keys.as_ref(), &config.login);
    [
        ("WECHAT_TOKEN", true),
        ("APP_ID", !config.app_id.is_empty()),
        ("APP_SECRET", config.account.is_some()),
        ("ENCODING_AES_KEY", keys.is_some_and(|keys| keys.current.is_some())),
        ("ADMIN_TOKEN", config.admin_token.is_some()),
        ("SUBJECT_SECRET", login.subject_secret.is_some()),
        ("OPEN_APP_SECRET", login.open.is_some()),
        ("GITHUB_CLIENT_SECRET", login.github.is_some()),
        ("AI_API_KEY", config.model.endpoint.as_ref().is_some_and(|endpoint| endpoint.key.is_some())),
    ]
}

fn is_secret(name: &str) -> bool {
    let ends = name.ends_with("_SECRET") || name.ends_with("_TOKEN");
    let others = [
        "ENCODING_AES_KEY_PREVIOUS",
        "OPEN_APP_ID",
        "GITHUB_CLIENT_ID",
        "APP_ID",
        "ENCODING_AES_KEY",
        "AI_API_KEY",
    ];
    !is_minis(name) && (ends || others.contains(&name))
}

/// Whether it is a setting of the Mini Program, which has a line of its own.
fn is_minis(name: &str) -> bool {
    name.starts_with("MINI_") || name == "MSG_SEC_CHECK"
}

/// Which secrets are there.
pub fn secrets(config: &Config) -> Finding {
    let faults = problems(config, &is_secret);
    let state = |name: &str, is_set: bool| match faults.iter().any(|fault| fault.name == name) {
        true => "faulty",
        false if is_set => "set",
        false => "missing",
    };
    let states = presence(config).map(|(name, is_set)| (name, state(name, is_set)));
    let mut values = Map::new();
    for (name, state) in &states {
        values.put(name, json!(state));
    }
    let values = Value::Object(values);
    let missing: Vec<&str> =
        states.iter().take(4).filter(|(_, state)| *state == "missing").map(|(name, _)| *name).collect();
    if !faults.is_empty() {
        return Finding::fail(
            words(&faults),
            "put each with `npm run wrangler -- secret put NAME`; docs/deploy.md says where it comes from",
        )
        .with(values);
    }
    if !missing.is_empty() {
        let found = ["not set: ", &missing.join(", ")].concat();
        let fix = "what needs them is off: menus, push and logins need APP_ID and APP_SECRET, encryption ENCODING_AES_KEY";
        return Finding::warn(found, fix).with(values);
    }
    Finding::ok("all that the account needs are set").with(values)
}

/// Problems with settings that have no line of their own.
pub fn others(config: &Config) -> Finding {
    let known = |name: &str| {
        is_secret(name) || is_minis(name) || ADDRESSES.contains(&name) || name.ends_with("_CLIENTS")
    };
    match problems(config, &|name| !known(name)) {
        none if none.is_empty() => Finding::ok("every setting is in order"),
        faults => Finding::warn(words(&faults), "correct them in wrangler.toml and deploy again"),
    }
}

/// Whether the token of this very API could be guessed.
pub fn admin_token(config: &Config) -> Finding {
    let token = config.admin_token.as_ref().map(|token| token.expose()).unwrap_or_default();
    let mut different: Vec<char> = Vec::new();
    for character in token.chars() {
        if !different.contains(&character) {
            different.push(character);
        }
    }
    let found = format!("{} characters, {} different ones", token.chars().count(), different.len());
    if different.len() < DIFFERENT {
        return Finding::warn(
            found,
            "it does not look random: put the output of `openssl rand -hex 32` in its place",
        );
    }
    Finding::ok(found)
}

/// Whether the console would take the Token.
pub fn wechat_token(config: &Config) -> Finding {
    let Some(keys) = &config.keys else { return Finding::skip("the callback is closed; see secrets") };
    let token = keys.token.expose();
    if TOKEN_LENGTHS.contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Finding::ok("the console takes it");
    }
    Finding::fail(
        "the console takes no such Token",
        "choose 3 to 32 letters and digits, here and in the console",
    )
}

/// A round trip with each key of the account.
pub fn aes(config: &Config, now: u64, random: [u8; 16]) -> Finding {
    match &config.keys {
        Some(keys) => round_trips(keys, "", now, random),
        None => Finding::fail(
            "the callback is closed",
            "see what secrets says about WECHAT_TOKEN and ENCODING_AES_KEY",
        ),
    }
}

/// The Mini Program's settings, and a round trip with each of its keys.
pub fn mini(config: &Config, now: u64, random: [u8; 16]) -> Finding {
    let faults = problems(config, &is_minis);
    if !faults.is_empty() {
        let fix =
            "put each with `npm run wrangler -- secret put NAME`; docs/deploy.md says where it comes from";
        return Finding::fail(words(&faults), fix);
    }
    let Some(mini) = &config.mini else {
        return Finding::skip(
            "there is none: MINI_APP_ID and MINI_APP_SECRET are not set, or WECHAT_API_BASE is faulty",
        );
    };
    match &mini.keys {
        Some(keys) => round_trips(keys, "MINI_", now, random),
        None => Finding::ok("its message push is off: MINI_TOKEN is not set"),
    }
}

/// A round trip with each key; `prefix` is what the names of their settings begin with.
fn round_trips(keys: &Keys, prefix: &str, now: u64, random: [u8; 16]) -> Finding {
    if keys.current.is_none() {
        let fix = [
            "choose secure mode (安全模式) in the console, and put its EncodingAESKey as ",
            prefix,
            "ENCODING_AES_KEY",
        ];
        return Finding::warn(
            "plain mode: messages are not encrypted, and whoever saw one signature can forge others",
            fix.concat(),
        );
    }
    let all = [
        (WhichKey::Current, &keys.current, "ENCODING_AES_KEY"),
        (WhichKey::Previous, &keys.previous, "ENCODING_AES_KEY_PREVIOUS"),
    ];
    let mut tried = Vec::new();
    for (which, key, name) in all {
        let Some(key) = key else { continue };
        let name = [prefix, name].concat();
        if !round_trip(keys, key, which, now, random) {
            return Finding::fail(
                [&name, " does not open what it sealed"].concat(),
                "copy it from the console anew",
            );
        }
        tried.push(name);
    }
    Finding::ok(["sealed and opened with ", &tried.join(" and ")].concat())
}

/// Whether a message sealed with `key` is opened as a delivery is, and a reply to it can be opened again.
fn round_trip(keys: &Keys, key: &EncodingAesKey, which: WhichKey, now: u64, random: [u8; 16]) -> bool {
    const DOCUMENT: &str = "<xml><ToUserName>a</ToUserName><FromUserName>b</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>诊断</Content><MsgId>1</MsgId></xml>";
    let id = keys.app_id.as_ref().map(AppId::as_str).unwrap_or_default();
    let encrypt = key.encrypt(random, DOCUMENT, id);
    let timestamp = now.to_string();
    let msg_signature = signature::sign(&[keys.token.expose(), &timestamp, "doctor", &encrypt]);
    let query = Query {
        timestamp: timestamp.as_str().into(),
        nonce: "doctor".into(),
        msg_signature: msg_signature.into(),
        ..Query::default()
    };
    let body = ["<xml><Encrypt>", &encrypt, "</Encrypt></xml>"].concat();
    let Ok(opened) = callback::open(&query, body.as_bytes(), keys, now) else { return false };
    // Two equal keys are one.
    let is_same = matches!(opened.envelope, Envelope::Encrypted { .. }) && opened.xml == DOCUMENT;
    let envelope = Envelope::Encrypted { key: which, id: AppId::new(id), format: Format::Xml };
    let sealed = callback::seal(DOCUMENT, &envelope, keys, "doctor", now, random);
    let reply = find_encrypt(sealed.as_bytes()).and_then(|encrypt| key.decrypt(encrypt).ok());
    is_same && reply.is_some_and(|reply| reply.message == DOCUMENT && reply.id == id)
}

/// Whether secrets go to others by https only.
pub fn addresses(config: &Config) -> Finding {
    let faults = problems(config, &|name| ADDRESSES.contains(&name));
    if !faults.is_empty() {
        return Finding::fail(words(&faults), "write the whole address, with https://");
    }
    let endpoint = config.model.endpoint.as_ref().map(|endpoint| endpoint.base_url.as_str());
    let github = config.login.github.as_ref().map(|github| github.api.as_str());
    let all = [Some(config.wechat_api.as_str()), endpoint, Some(config.login.wechat_open.as_str()), github];
    let plain: Vec<&str> = ADDRESSES
        .iter()
        .zip(all)
        .filter(|(_, base)| base.is_some_and(is_plain))
        .map(|(name, _)| *name)
        .collect();
    if plain.is_empty() {
        return Finding::ok("https everywhere, or on this machine");
    }
    Finding::fail(
        [&plain.join(", "), ": http, so secrets and tokens can be read on the way"].concat(),
        "use https",
    )
}

fn is_plain(address: &str) -> bool {
    address.starts_with("http://") && !is_loopback(host(address))
}

/// The host of an address, without its port.
fn host(address: &str) -> &str {
    let authority = address.split("://").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
        Some(ipv6) => ipv6,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "::1") || host.starts_with("127.") || host.ends_with(".localhost")
}

/// Whether WeChat could reach the address that this request came to.
pub fn domain(origin: &str) -> Finding {
    let host = host(origin);
    if is_loopback(host) {
        return Finding::skip("asked on the machine itself");
    }
    let found = ["asked at ", origin].concat();
    if !origin.starts_with("https://") {
        return Finding::fail(
            found,
            "turn on \"Always use HTTPS\" for the domain, and use the https address everywhere",
        );
    }
    if host == "workers.dev" || host.ends_with(".workers.dev") {
        return Finding::warn(
            found,
            "WeChat may not reach workers.dev: add a route with a domain of your own (docs/deploy.md)",
        );
    }
    // https://developers.weixin.qq.com/doc/service/guide/dev/push/
    if origin.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        return Finding::warn(found, "WeChat calls ports 80 and 443 only");
    }
    Finding::ok(found)
}

/// Whether the websites that log people in are in order.
pub fn login_clients(config: &Config) -> Finding {
    let faults = problems(config, &|name| name == "LOGIN_CLIENTS");
    let clients = &config.login.clients;
    if !faults.is_empty() {
        let (found, fix) = (words(&faults), "docs/login.md describes LOGIN_CLIENTS");
        return if clients.is_empty() { Finding::fail(found, fix) } else { Finding::warn(found, fix) };
    }
    if clients.is_empty() {
        return Finding::skip("login is off: there is no LOGIN_CLIENTS");
    }
    let plain = |client: &&crate::login::client::Client| {
        client.origins.iter().chain(&client.redirect_uris).any(|address| is_plain(address))
    };
    let plain: Vec<&str> = clients.iter().filter(plain).map(|client| client.id.as_str()).collect();
    if !plain.is_empty() {
        let found = ["http, so a login can be read on the way: ", &plain.join(", ")].concat();
        return Finding::warn(found, "give these clients https addresses");
    }
    Finding::ok(format!("{} in order", clients.len()))
}

/// Whether the programs that use the account are in order.
pub fn api_clients(config: &Config) -> Finding {
    let faults = problems(config, &|name| name == "API_CLIENTS");
    if !faults.is_empty() {
        return Finding::fail(words(&faults), "docs/http-api.md describes API_CLIENTS");
    }
    let clients = &config.api_clients;
    if clients.is_empty() {
        return Finding::skip("no other program uses the account: there is no API_CLIENTS");
    }
    if config.account.is_none() {
        return Finding::fail(
            "there are clients, but no account to serve them with",
            "set APP_ID and APP_SECRET",
        );
    }
    let raw: Vec<&str> =
        clients.iter().filter(|client| client.raw_token).map(|client| client.id.as_str()).collect();
    if !raw.is_empty() {
        let found = ["these get the account's own token, beyond scopes, limits and audit: ", &raw.join(", ")]
            .concat();
        return Finding::warn(found, "take raw_token away once they call WeChat through this Worker");
    }
    Finding::ok(format!("{} in order", clients.len()))
}

/// Whether somebody can look at pictures and hear voices.
pub fn senses(config: &Config) -> Finding {
    let (vision, speech) = (config.model.vision.as_deref(), config.model.speech.as_deref());
    let values = json!({ "vision": vision, "speech": speech });
    let finding = match (vision, speech) {
        (Some(_), Some(_)) if config.account.is_none() => {
            Finding::warn("voice messages cannot be fetched", "set APP_ID and APP_SECRET")
        }
        (Some(_), Some(_)) => Finding::ok("both are set"),
        (None, None) => Finding::warn(
            "neither is set",
            "name AI_VISION_MODEL and AI_SPEECH_MODEL, if AI_BASE_URL serves such",
        ),
        (None, _) => {
            Finding::warn("nobody can look at pictures", "name AI_VISION_MODEL, if AI_BASE_URL serves one")
        }
        (_, None) => {
            Finding::warn("nobody can hear voice messages", "name AI_SPEECH_MODEL, if AI_BASE_URL serves one")
        }
    };
    finding.with(values)
}
