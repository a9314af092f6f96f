//! Signing and encrypting a push, as WeChat does in each of the three modes.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Message_encryption_and_decryption_instructions.html>

use serde::{Deserialize, Serialize};
use wxapi::wechat::crypto::EncodingAesKey;
use wxapi::wechat::signature;
use wxapi::wechat::xml::XmlWriter;

use crate::account::Account;
use crate::{ids, query};

/// How long ago a stale push was signed, in seconds: no clock is that wrong.
const STALE_S: u64 = 3600;

/// An AppID that is not the account's.
const OTHER_APP_ID: &str = "wx0000000000000000";

/// The console's three settings for message encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// 明文模式: plain XML.
    Plain,
    /// 兼容模式: plain XML with the ciphertext beside it.
    Compat,
    /// 安全模式: ciphertext only.
    Aes,
}

/// The notation of messages. An Official Account has XML; a Mini Program chooses in the console.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// XML.
    #[default]
    Xml,
    /// JSON.
    Json,
}

impl Format {
    /// That of a document, by its first character.
    pub fn of(document: &str) -> Self {
        if document.trim_start().starts_with('{') { Self::Json } else { Self::Xml }
    }
}

/// What an attacker, or a broken proxy, does to a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tamper {
    /// Both signatures are wrong.
    Signature,
    /// There is no signature at all.
    Unsigned,
    /// Everything is right, but an hour old.
    Stale,
    /// A plain body under a query that was valid for another message.
    Downgrade,
    /// Encrypted for another account.
    AppId,
}

/// When a push was made, and its random parts. WeChat's repeated deliveries repeat all of it.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Ten digits.
    pub nonce: String,
    /// For the envelope.
    pub random: [u8; 16],
}

impl Stamp {
    /// A stamp for `now_s` with fresh random parts.
    pub fn new(now_s: u64) -> Self {
        Self { timestamp: now_s, nonce: ids::nonce(), random: ids::random_bytes() }
    }
}

/// A push, ready to be delivered any number of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The query string.
    pub query: String,
    /// The body.
    pub body: String,
}

/// Encryption was asked for, but there is no EncodingAESKey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoKey;

/// The mode that the settings suggest: encrypted if there is a key.
pub fn default_mode(account: &Account) -> Mode {
    if account.aes_key.is_some() { Mode::Aes } else { Mode::Plain }
}

/// Seals a document from `openid`; XML or JSON, the envelope is in the same notation.
///
/// # Errors
/// [`NoKey`] in compat and aes mode without an EncodingAESKey.
pub fn seal(
    account: &Account,
    mode: Mode,
    tamper: Option<Tamper>,
    openid: &str,
    document: &str,
    stamp: &Stamp,
) -> Result<Sealed, NoKey> {
    let mut stamp = stamp.clone();
    if tamper == Some(Tamper::Stale) {
        stamp.timestamp = stamp.timestamp.saturating_sub(STALE_S);
    }
    let plain = mode == Mode::Plain || tamper == Some(Tamper::Downgrade);
    let encrypt = if plain { None } else { Some(encrypt(account, tamper, document, &stamp)?) };
    let body = match &encrypt {
        None => document.to_owned(),
        Some(encrypt) if mode == Mode::Aes => secure_body(account, Format::of(document), encrypt),
        Some(encrypt) => compat_body(document, encrypt),
    };
    let query = if tamper == Some(Tamper::Unsigned) {
        query::write(&[("openid", openid)])
    } else {
        let forged = tamper == Some(Tamper::Signature);
        signed_query(account, &stamp, openid, encrypt.as_deref(), forged)
    };
    Ok(Sealed { query, body })
}

fn encrypt(
    account: &Account,
    tamper: Option<Tamper>,
    document: &str,
    stamp: &Stamp,
) -> Result<String, NoKey> {
    let key: &EncodingAesKey = account.aes_key.as_ref().ok_or(NoKey)?;
    let id = if tamper == Some(Tamper::AppId) { OTHER_APP_ID } else { &account.app_id };
    Ok(key.encrypt(stamp.random, document, id))
}

fn signed_query(
    account: &Account,
    stamp: &Stamp,
    openid: &str,
    encrypt: Option<&str>,
    forged: bool,
) -> String {
    let timestamp = stamp.timestamp.to_string();
    let signature = sign(&[&account.token, &timestamp, &stamp.nonce], forged);
    let msg_signature =
        encrypt.map(|encrypt| sign(&[&account.token, &timestamp, &stamp.nonce, encrypt], forged));
    let mut pairs = vec![
        ("signature", signature.as_str()),
        ("timestamp", &timestamp),
        ("nonce", &stamp.nonce),
        ("openid", openid),
    ];
    if let Some(msg_signature) = &msg_signature {
        pairs.extend([("encrypt_type", "aes"), ("msg_signature", msg_signature)]);
    }
    query::write(&pairs)
}

fn sign(parts: &[&str], forged: bool) -> String {
    let signature = signature::sign(parts);
    if forged { signature.chars().rev().collect() } else { signature }
}

fn secure_body(account: &Account, format: Format, encrypt: &str) -> String {
    if format == Format::Json {
        // Neither has a character that JSON escapes.
        return format!(r#"{{"ToUserName":"{}","Encrypt":"{encrypt}"}}"#, account.original_id);
    }
    let mut xml = XmlWriter::new(encrypt.len() + 128);
    xml.cdata("ToUserName", &account.original_id).cdata("Encrypt", encrypt);
    xml.finish()
}

fn compat_body(document: &str, encrypt: &str) -> String {
    if let Some(before) =
        document.trim_end().strip_suffix('}').filter(|_| Format::of(document) == Format::Json)
    {
        return format!(r#"{before},"Encrypt":"{encrypt}"}}"#);
    }
    let (before, after) = document.rsplit_once("</xml>").unwrap_or((document, ""));
    format!("{before}<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>{after}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::testing::{OPENID, account, stamp};
    use wxapi::wechat::callback::{self, Envelope, Keys, Query, Refusal};
    use wxapi::wechat::{AppId, Secret};

    const XML: &str = "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1800000000</CreateTime><MsgType>text</MsgType><Content>hi</Content><MsgId>1</MsgId></xml>";

    fn sealed(mode: Mode, tamper: Option<Tamper>) -> Sealed {
        seal(&account(), mode, tamper, OPENID, XML, &stamp()).unwrap()
    }

    /// How a receiver in secure mode, or without a key, takes the push.
    fn received(sealed: &Sealed, secure: bool) -> Result<callback::Opened, Refusal> {
        let account = account();
        let keys = Keys {
            token: Secret::new(account.token),
            app_id: Some(AppId::new(account.app_id)),
            current: account.aes_key.filter(|_| secure),
            previous: None,
        };
        callback::open(&Query::parse(&sealed.query), sealed.body.as_bytes(), &keys, stamp().timestamp)
    }

    #[test]
    fn each_mode_is_accepted_by_a_receiver_in_that_mode() {
        assert_eq!(received(&sealed(Mode::Plain, None), false).unwrap().envelope, Envelope::Plain);
        for mode in [Mode::Compat, Mode::Aes] {
            let opened = received(&sealed(mode, None), true).unwrap();
            assert_eq!(opened.xml, XML);
        }
        assert!(sealed(Mode::Compat, None).body.contains("<Content>hi</Content>"));
        assert!(!sealed(Mode::Aes, None).body.contains("hi</"));
    }

    #[test]
    fn json_is_sealed_in_an_envelope_of_json() {
        const JSON: &str = r#"{"ToUserName":"gh_1","FromUserName":"o1","CreateTime":1800000000,"MsgType":"text","Content":"hi","MsgId":1}"#;
        let sealed = |mode| seal(&account(), mode, None, OPENID, JSON, &stamp()).unwrap();
        assert_eq!(received(&sealed(Mode::Plain), false).unwrap().xml, JSON);
        for mode in [Mode::Compat, Mode::Aes] {
            let opened = received(&sealed(mode), true).unwrap();
            assert_eq!(opened.xml, JSON);
            assert!(matches!(opened.envelope, Envelope::Encrypted { format: callback::Format::Json, .. }));
        }
        let compat: serde_json::Value = serde_json::from_str(&sealed(Mode::Compat).body).unwrap();
        assert!(compat["Encrypt"].is_string() && compat["Content"] == "hi");
        assert!(!sealed(Mode::Aes).body.contains("Content"));
    }

    #[test]
    fn what_is_tampered_with_is_refused() {
        let refused = |mode, tamper, secure| received(&sealed(mode, Some(tamper)), secure).unwrap_err();
        assert_eq!(refused(Mode::Plain, Tamper::Signature, false), Refusal::BadSignature);
        assert_eq!(refused(Mode::Aes, Tamper::Signature, true), Refusal::BadMsgSignature);
        assert!(received(&sealed(Mode::Plain, Some(Tamper::Unsigned)), false).is_err());
        assert!(received(&sealed(Mode::Aes, Some(Tamper::Unsigned)), true).is_err());
        assert_eq!(refused(Mode::Plain, Tamper::Stale, false), Refusal::Stale);
        assert_eq!(refused(Mode::Aes, Tamper::Stale, true), Refusal::Stale);
        assert_eq!(refused(Mode::Aes, Tamper::Downgrade, true), Refusal::NotEncrypted);
        assert_eq!(refused(Mode::Aes, Tamper::AppId, true), Refusal::OtherAppId);
    }

    #[test]
    fn encryption_needs_a_key() {
        let account = Account { aes_key: None, ..account() };
        assert_eq!(default_mode(&account), Mode::Plain);
        assert_eq!(seal(&account, Mode::Aes, None, OPENID, XML, &stamp()), Err(NoKey));
        assert!(seal(&account, Mode::Plain, None, OPENID, XML, &stamp()).is_ok());
    }

    #[test]
    fn one_stamp_gives_one_push() {
        assert_eq!(sealed(Mode::Aes, None), sealed(Mode::Aes, None));
    }
}
