//! The callback's door: what is refused and why, what is trusted, and how the answer goes back.

use wxapi::wechat::callback::{
    BODY_LIMIT, Envelope, FRESH_FOR, Keys, Opened, Query, Refusal, WhichKey, open, seal, verify_url,
};
use wxapi::wechat::crypto::{CryptoError, EncodingAesKey};
use wxapi::wechat::message::{Message, MessageError};
use wxapi::wechat::signature::sign;
use wxapi::wechat::xml::{find_encrypt, parse_json};
use wxapi::wechat::{AppId, MsgId, Secret};

const TOKEN: &str = "the-secret-token";
const APP: &str = "wx0a1b2c3d4e5f6071";
pub const NEW: &str = "Vt1Q8mZr0KxYc3LdWb5HnGf7PaSjEu2Xo4Ti6Rw9BkM";
const OLD: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const OTHER: &str = "zyxwvutsrqponmlkjihgfedcba9876543210ZYXWVUS";
const USER: &str = "oTheSecretOpenId";
pub const NOW: u64 = 1_790_000_000;

fn key(text: &str) -> EncodingAesKey {
    EncodingAesKey::parse(text).unwrap()
}

pub fn keys(current: Option<&str>, previous: Option<&str>) -> Keys {
    Keys {
        token: Secret::new(TOKEN),
        app_id: Some(AppId::new(APP)),
        current: current.map(key),
        previous: previous.map(key),
    }
}

pub fn text(content: &str) -> String {
    format!(
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>{USER}</FromUserName><CreateTime>{NOW}</CreateTime>\
         <MsgType>text</MsgType><Content><![CDATA[{content}]]></Content><MsgId>7</MsgId></xml>"
    )
}

/// A push on its way, with parts that a test can bend.
#[derive(Clone)]
pub struct Push {
    pub query: Query<'static>,
    pub body: Vec<u8>,
}

impl Push {
    pub fn plain(document: &str) -> Self {
        let timestamp = NOW.to_string();
        let query = Query {
            signature: sign(&[TOKEN, &timestamp, "nonce"]).into(),
            timestamp: timestamp.into(),
            nonce: "nonce".into(),
            openid: USER.into(),
            ..Query::default()
        };
        Self { query, body: document.as_bytes().to_vec() }
    }

    pub fn secure(document: &str, encoding_aes_key: &str, app_id: &str) -> Self {
        let encrypt = key(encoding_aes_key).encrypt([7; 16], document, app_id);
        Self::around(&encrypt, &format!("<xml><ToUserName>gh_1</ToUserName>{}</xml>", element(&encrypt)))
    }

    fn compat(copy: &str, document: &str) -> Self {
        let encrypt = key(NEW).encrypt([7; 16], document, APP);
        Self::around(&encrypt, &copy.replace("</xml>", &format!("{}</xml>", element(&encrypt))))
    }

    fn json(document: &str) -> Self {
        let encrypt = key(NEW).encrypt([7; 16], document, APP);
        Self::around(&encrypt, &format!("{{\"ToUserName\":\"gh_1\", \"Encrypt\" : \"{encrypt}\"}}"))
    }

    pub fn around(encrypt: &str, body: &str) -> Self {
        let mut push = Self::plain(body);
        push.query.encrypt_type = "aes".into();
        push.query.msg_signature = sign(&[TOKEN, &push.query.timestamp, "nonce", encrypt]).into();
        push
    }

    fn with(mut self, bend: impl FnOnce(&mut Self)) -> Self {
        bend(&mut self);
        self
    }

    pub fn open(&self, keys: &Keys) -> Result<Opened, Refusal> {
        open(&self.query, &self.body, keys, NOW)
    }
}

fn element(encrypt: &str) -> String {
    format!("<Encrypt><![CDATA[{encrypt}]]></Encrypt>")
}

fn content(opened: &Opened) -> &str {
    match &opened.inbound.message {
        Message::Text { content, .. } => content,
        other => panic!("not a text: {other:?}"),
    }
}

/// Refused for exactly this reason, and the reason gives nothing away.
#[track_caller]
fn refused(push: &Push, keys: &Keys, expected: Refusal, status: u16) {
    let refusal = push.open(keys).unwrap_err();
    assert_eq!(refusal, expected);
    assert_eq!(refusal.status(), status);
    let reason = refusal.to_string();
    for secret in [TOKEN, USER, APP, NEW, OLD, "hello"] {
        assert!(!reason.contains(secret), "{reason}");
    }
}

#[test]
fn plain_pushes_need_their_signature() {
    let keys = keys(None, None);
    let push = Push::plain(&text("hello"));
    assert_eq!(content(&push.open(&keys).unwrap()), "hello");
    assert_eq!(push.open(&keys).unwrap().envelope, Envelope::Plain);
    assert_eq!(push.open(&keys).unwrap().xml, text("hello"));
    let no_signature = push.clone().with(|push| push.query.signature = "".into());
    refused(&no_signature, &keys, Refusal::NoSignature, 403);
    for wrong in ["0", "签名", &"a".repeat(40), &"a".repeat(9000), &push.query.signature.to_uppercase()] {
        let bent = push.clone().with(|push| push.query.signature = wrong.to_owned().into());
        refused(&bent, &keys, Refusal::BadSignature, 403);
    }
    refused(&push.clone().with(|push| push.query.nonce = "other".into()), &keys, Refusal::BadSignature, 403);
    let no_token = Keys { token: Secret::new(""), ..keys };
    let signed = push.with(|push| push.query.signature = sign(&["", &NOW.to_string(), "nonce"]).into());
    refused(&signed, &no_token, Refusal::NoToken, 403);
}

#[test]
fn nothing_is_parsed_before_the_signature_is_checked() {
    let broken = Push::plain("<!DOCTYPE xml>").with(|push| push.query.signature = "0".into());
    refused(&broken, &keys(None, None), Refusal::BadSignature, 403);
    let broken = Push::around("AAAA", &element("AAAA")).with(|push| push.query.msg_signature = "0".into());
    refused(&broken, &keys(Some(NEW), None), Refusal::BadMsgSignature, 403);
}

#[test]
fn with_a_key_plain_bodies_are_a_downgrade() {
    for keys in [keys(Some(NEW), None), keys(None, Some(OLD)), keys(Some(NEW), Some(OLD))] {
        let plain = Push::plain(&text("hello"));
        refused(&plain, &keys, Refusal::NotEncrypted, 403);
        let raw = plain.clone().with(|push| push.query.encrypt_type = "raw".into());
        refused(&raw, &keys, Refusal::NotEncrypted, 403);
        let empty = plain.clone().with(|push| push.body = element("").into_bytes());
        refused(&empty, &keys, Refusal::NotEncrypted, 403);
        let hidden = Push::plain(&text(&element("AAAA").replace("]]>", "")));
        refused(&hidden, &keys, Refusal::NotEncrypted, 403);
        refused(&Push::plain(""), &keys, Refusal::NotEncrypted, 403);
    }
}

#[test]
fn encrypted_pushes_need_their_own_signature() {
    let keys = keys(Some(NEW), None);
    let push = Push::secure(&text("hello"), NEW, APP);
    assert_eq!(content(&push.open(&keys).unwrap()), "hello");
    let unsigned = push.clone().with(|push| push.query.msg_signature = "".into());
    refused(&unsigned, &keys, Refusal::NoMsgSignature, 403);
    let borrowed = push.clone().with(|push| push.query.msg_signature = push.query.signature.clone());
    refused(&borrowed, &keys, Refusal::BadMsgSignature, 403);
    let other_body =
        push.clone().with(|moved| moved.body = Push::secure(&text("forged"), NEW, APP).body.clone());
    refused(&other_body, &keys, Refusal::BadMsgSignature, 403);
    // The plain signature is neither needed nor trusted here.
    let no_plain = push.with(|push| push.query.signature = "".into());
    assert_eq!(content(&no_plain.open(&keys).unwrap()), "hello");
}

#[test]
fn in_compat_mode_only_the_decrypted_text_counts() {
    let keys = keys(Some(NEW), None);
    let push = Push::compat(&text("forged"), &text("real"));
    let opened = push.open(&keys).unwrap();
    assert_eq!(content(&opened), "real");
    assert_eq!(opened.xml, text("real"));
    let typed = text("<Encrypt>AAAA</Encrypt> <!-- ");
    assert_eq!(content(&Push::compat(&typed, &typed).open(&keys).unwrap()), "<Encrypt>AAAA</Encrypt> <!--");
}

#[test]
fn without_a_key_compat_is_read_plainly_and_secure_is_refused() {
    let keys = keys(None, None);
    assert_eq!(content(&Push::compat(&text("copy"), &text("real")).open(&keys).unwrap()), "copy");
    for push in [Push::secure(&text("hello"), NEW, APP), Push::json("{}")] {
        refused(&push, &keys, Refusal::NoAesKey, 403);
    }
    assert!(Refusal::NoAesKey.to_string().contains("ENCODING_AES_KEY"));
}

#[test]
fn envelopes_for_another_account_are_refused() {
    for id in ["wxffffffffffffffff", "", "wx0a1b2c3d4e5f60712", "wx0a1b2c3d4e5f607"] {
        let push = Push::secure(&text("hello"), NEW, id);
        refused(&push, &keys(Some(NEW), None), Refusal::OtherAppId, 403);
        refused(&push, &keys(Some(OTHER), Some(NEW)), Refusal::OtherAppId, 403);
        refused(&push, &keys(Some(NEW), Some(OTHER)), Refusal::OtherAppId, 403);
        let anybody = Keys { app_id: None, ..keys(Some(NEW), None) };
        assert_eq!(content(&push.open(&anybody).unwrap()), "hello");
    }
}

#[test]
fn the_previous_key_still_opens_and_answers() {
    let which = |opened: &Opened| match &opened.envelope {
        Envelope::Encrypted { key, .. } => *key,
        Envelope::Plain => panic!("plain"),
    };
    for (current, previous) in [(NEW, OLD), (OLD, NEW)] {
        let keys = keys(Some(current), Some(previous));
        for (used, expected) in [(current, WhichKey::Current), (previous, WhichKey::Previous)] {
            let opened = Push::secure(&text("hello"), used, APP).open(&keys).unwrap();
            assert_eq!(which(&opened), expected);
            let sealed = seal("<xml></xml>", &opened.envelope, &keys, "n", NOW, [1; 16]);
            let encrypt = find_encrypt(sealed.as_bytes()).unwrap();
            assert_eq!(key(used).decrypt(encrypt).unwrap().message, "<xml></xml>");
        }
    }
    for keys in [keys(Some(NEW), None), keys(Some(NEW), Some(OLD))] {
        let push = Push::around("AAAA", &element("AAAA"));
        refused(&push, &keys, Refusal::Undecryptable(CryptoError::Blocks), 403);
    }
    let unknown = Push::secure(&text("hello"), OTHER, APP);
    assert!(matches!(unknown.open(&keys(Some(NEW), Some(OLD))), Err(Refusal::Undecryptable(_))));
    assert!(matches!(unknown.open(&keys(Some(NEW), None)), Err(Refusal::Undecryptable(_))));
}

#[test]
fn pushes_are_fresh_for_ten_minutes_both_ways() {
    let at = |keys: &Keys, push: &Push, now| open(&push.query, &push.body, keys, now).map(|_| ());
    let plain = (keys(None, None), Push::plain(&text("hello")));
    let secure = (keys(Some(NEW), None), Push::secure(&text("hello"), NEW, APP));
    for (keys, push) in [plain, secure] {
        for now in [NOW - FRESH_FOR, NOW, NOW + FRESH_FOR] {
            assert_eq!(at(&keys, &push, now), Ok(()));
        }
        for now in [0, NOW - FRESH_FOR - 1, NOW + FRESH_FOR + 1, u64::MAX] {
            assert_eq!(at(&keys, &push, now), Err(Refusal::Stale));
        }
    }
    for timestamp in ["", "x", "-1", "99999999999999999999", "1790000000.0"] {
        let signature = sign(&[TOKEN, timestamp, "nonce"]);
        let push = Push::plain(&text("hello")).with(|push| {
            push.query.timestamp = timestamp.to_owned().into();
            push.query.signature = signature.into();
        });
        refused(&push, &keys(None, None), Refusal::Stale, 403);
    }
}

#[test]
fn retries_repeat_the_nonce_and_open_again() {
    let keys = keys(Some(NEW), None);
    let push = Push::secure(&text("hello"), NEW, APP);
    let (first, second) = (push.open(&keys).unwrap(), push.open(&keys).unwrap());
    assert_eq!(first, second);
    let again = key(NEW).encrypt([9; 16], &text("hello"), APP);
    let reencrypted = Push::around(&again, &element(&again)).open(&keys).unwrap();
    assert_eq!(first.inbound.key(), reencrypted.inbound.key());
    assert!(!first.inbound.key().contains(USER));
    assert_eq!(first.inbound.key().len(), 32);
}

#[test]
fn bodies_have_a_limit_and_an_encoding() {
    assert_eq!(BODY_LIMIT, 65_536);
    let keys = keys(None, None);
    let blanks = |length: usize| " ".repeat(length - text("hello").len());
    let padded = |length: usize| Push::plain(&(text("hello") + &blanks(length)));
    assert_eq!(content(&padded(BODY_LIMIT).open(&keys).unwrap()), "hello");
    refused(&padded(BODY_LIMIT + 1), &keys, Refusal::TooLarge, 413);
    let latin = Push::plain(&text("hello")).with(|push| push.body.extend([0xff, 0xfe]));
    refused(&latin, &keys, Refusal::NotUtf8, 400);
    for (body, error) in [
        ("", MessageError::Format),
        ("[]", MessageError::Format),
        ("success", MessageError::Format),
        ("<xml><MsgType>text</MsgType></xml>", MessageError::Missing("ToUserName")),
    ] {
        refused(&Push::plain(body), &keys, Refusal::Malformed(error), 400);
    }
}

#[test]
fn json_pushes_land_in_the_same_message() {
    let document = format!(
        r#"{{"ToUserName":"gh_1","FromUserName":"{USER}","CreateTime":"{NOW}","MsgType":"text","Content":"hello","MsgId":18446744073709551615}}"#
    );
    let plain = Push::plain(&document).open(&keys(None, None)).unwrap();
    assert_eq!(content(&plain), "hello");
    assert_eq!(plain.inbound.id, Some(MsgId::new("18446744073709551615")));
    let keys = keys(Some(NEW), None);
    let opened = Push::json(&document).open(&keys).unwrap();
    assert_eq!(opened.inbound, plain.inbound);
    let sealed = seal("{}", &opened.envelope, &keys, "n", NOW, [1; 16]);
    let envelope = parse_json(&sealed).unwrap();
    assert_eq!(envelope.get("TimeStamp"), Some(NOW.to_string().as_str()));
    assert_eq!(key(NEW).decrypt(envelope.get("Encrypt").unwrap()).unwrap().message, "{}");
}

#[test]
fn the_console_gets_its_text_back_at_any_age() {
    for keys in [keys(None, None), keys(Some(NEW), Some(OLD))] {
        let signature = sign(&[TOKEN, "1", "2"]);
        let raw = format!("signature={signature}&echostr=4375120948345356249&timestamp=1&nonce=2");
        assert_eq!(verify_url(&Query::parse(&raw), &keys), Ok("4375120948345356249".to_owned()));
        let no_echostr = raw.replace("echostr", "echo");
        assert_eq!(verify_url(&Query::parse(&no_echostr), &keys), Err(Refusal::NoEchostr));
        let forged = raw.replace("nonce=2", "nonce=3");
        assert_eq!(verify_url(&Query::parse(&forged), &keys), Err(Refusal::BadSignature));
        assert_eq!(verify_url(&Query::default(), &keys), Err(Refusal::NoSignature));
    }
}
