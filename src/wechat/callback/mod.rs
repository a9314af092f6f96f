//! The way in and out of WeChat's callback URL: verify, decrypt, parse; then encrypt and sign the answer.
//!
//! Nothing is parsed before a signature is checked. When a key is configured, only what that key decrypts counts:
//! the plain copy of compat mode is signed by nobody.
//! <https://developers.weixin.qq.com/doc/service/guide/dev/push/>

mod query;
mod refusal;

pub use query::Query;
pub use refusal::Refusal;

use super::crypto::{CryptoError, Decrypted, EncodingAesKey};
use super::message::{Inbound, Message, parse_document};
use super::xml::{XmlWriter, find_encrypt};
use super::{AppId, Secret, signature};

/// Largest body that is looked at, in bytes. Real pushes stay under 10 kB even in compat mode.
pub const BODY_LIMIT: usize = 64 * 1024;

/// How far a push's timestamp may lie in the past or the future, in seconds. WeChat states no limit; its retries
/// repeat the first timestamp for about 15 s, the rest is room for clocks.
pub const FRESH_FOR: u64 = 600;

/// The body that WeChat accepts in every mode when there is nothing to say.
pub const SUCCESS: &str = "success";

/// What the console and the Worker agreed on.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The console's Token.
    pub token: Secret,
    /// The account's AppID; when set, envelopes for another one are refused.
    pub app_id: Option<AppId>,
    /// The EncodingAESKey; when set, plain bodies are refused.
    pub current: Option<EncodingAesKey>,
    /// The key before the last change: pushes encrypted with it arrive for a while.
    pub previous: Option<EncodingAesKey>,
}

/// An authentic push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The plain document: in secure and compat mode the decrypted one.
    pub xml: String,
    /// The same, read.
    pub inbound: Inbound,
    /// How it came, so that the answer can go the same way.
    pub envelope: Envelope,
}

/// How a push was wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Not at all.
    Plain,
    /// Encrypted.
    Encrypted {
        /// The key that opened it; the answer must use the same.
        key: WhichKey,
        /// The id inside the envelope, written into the answer's too.
        id: AppId,
        /// The notation of the envelope.
        format: Format,
    },
}

/// One of the two keys that may be valid at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichKey {
    /// [`Keys::current`].
    Current,
    /// [`Keys::previous`].
    Previous,
}

/// The notation of a push: Official Accounts have XML, Mini Programs choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// XML.
    Xml,
    /// JSON.
    Json,
}

/// Answers the console's check of the URL: the text to send back, exactly as it came. Repeating it is normal, so
/// its age does not matter.
///
/// # Errors
/// [`Refusal::NoToken`], [`Refusal::NoSignature`], [`Refusal::BadSignature`], [`Refusal::NoEchostr`].
pub fn verify_url(query: &Query<'_>, keys: &Keys) -> Result<String, Refusal> {
    check_signature(query, keys)?;
    if query.echostr.is_empty() { Err(Refusal::NoEchostr) } else { Ok(query.echostr.to_string()) }
}

/// Opens a push: verifies, decrypts and parses it. `now` is in Unix seconds.
///
/// 1. size, 2. signature, 3. age, 4. decryption and addressee, 5. parsing. Without a key, steps 2 and 5 use the
///    plain form.
///
/// # Errors
/// See [`Refusal`]; [`Refusal::status`] tells what to answer.
pub fn open(query: &Query<'_>, body: &[u8], keys: &Keys, now: u64) -> Result<Opened, Refusal> {
    if body.len() > BODY_LIMIT {
        return Err(Refusal::TooLarge);
    }
    if keys.current.is_some() || keys.previous.is_some() {
        open_encrypted(query, body, keys, now)
    } else {
        open_plain(query, body, keys, now)
    }
}

fn open_encrypted(query: &Query<'_>, body: &[u8], keys: &Keys, now: u64) -> Result<Opened, Refusal> {
    let encrypt = find_encrypt(body).ok_or(Refusal::NotEncrypted)?;
    check_msg_signature(query, encrypt, keys)?;
    check_age(query, now)?;
    let (key, decrypted) = decrypt(encrypt, keys)?;
    let inbound = Inbound::parse(&decrypted.message).map_err(Refusal::Malformed)?;
    let format = if body.trim_ascii_start().starts_with(b"{") { Format::Json } else { Format::Xml };
    let envelope = Envelope::Encrypted { key, id: AppId::new(decrypted.id), format };
    Ok(Opened { xml: decrypted.message, inbound, envelope })
}

fn open_plain(query: &Query<'_>, body: &[u8], keys: &Keys, now: u64) -> Result<Opened, Refusal> {
    check_signature(query, keys)?;
    check_age(query, now)?;
    let xml = std::str::from_utf8(body).map_err(|_| Refusal::NotUtf8)?;
    let fields = parse_document(xml).map_err(Refusal::Malformed)?;
    let inbound = Inbound::from_fields(&fields).map_err(Refusal::Malformed)?;
    let unreadable = matches!(&inbound.message, Message::Unknown { msg_type } if msg_type.is_empty());
    if unreadable && fields.filled("Encrypt").is_some() {
        return Err(Refusal::NoAesKey);
    }
    Ok(Opened { xml: xml.to_owned(), inbound, envelope: Envelope::Plain })
}

fn check_signature(query: &Query<'_>, keys: &Keys) -> Result<(), Refusal> {
    let parts = [token(keys)?, &query.timestamp, &query.nonce];
    match &*query.signature {
        "" => Err(Refusal::NoSignature),
        given if signature::verify(&parts, given) => Ok(()),
        _ => Err(Refusal::BadSignature),
    }
}

fn check_msg_signature(query: &Query<'_>, encrypt: &str, keys: &Keys) -> Result<(), Refusal> {
    let parts = [token(keys)?, &query.timestamp, &query.nonce, encrypt];
    match &*query.msg_signature {
        "" => Err(Refusal::NoMsgSignature),
        given if signature::verify(&parts, given) => Ok(()),
        _ => Err(Refusal::BadMsgSignature),
    }
}

/// Anybody can sign with an empty token, so without one nothing is authentic.
fn token(keys: &Keys) -> Result<&str, Refusal> {
    match keys.token.expose() {
        "" => Err(Refusal::NoToken),
        token => Ok(token),
    }
}

fn check_age(query: &Query<'_>, now: u64) -> Result<(), Refusal> {
    let timestamp: u64 = query.timestamp.parse().map_err(|_| Refusal::Stale)?;
    if timestamp.abs_diff(now) <= FRESH_FOR { Ok(()) } else { Err(Refusal::Stale) }
}

/// The current key first, then the previous one. That an envelope opens under a key but names another account is
/// the more telling reason, so it wins over "does not open".
fn decrypt(encrypt: &str, keys: &Keys) -> Result<(WhichKey, Decrypted), Refusal> {
    let candidates = [(WhichKey::Current, &keys.current), (WhichKey::Previous, &keys.previous)];
    let mut refusal = Refusal::Undecryptable(CryptoError::Padding);
    for (which, key) in candidates {
        let Some(key) = key else { continue };
        match key.decrypt(encrypt) {
            Ok(decrypted) if is_for(&decrypted, keys) => return Ok((which, decrypted)),
            Ok(_) => refusal = Refusal::OtherAppId,
            Err(error) if matches!(refusal, Refusal::Undecryptable(_)) => {
                refusal = Refusal::Undecryptable(error);
            }
            Err(_) => {}
        }
    }
    Err(refusal)
}

fn is_for(decrypted: &Decrypted, keys: &Keys) -> bool {
    keys.app_id.as_ref().is_none_or(|app_id| app_id.as_str() == decrypted.id)
}

/// Wraps an answer the way the push came. `success` and the empty body go as they are in every mode.
///
/// `nonce` is the push's, `now` in Unix seconds. Should the key of `envelope` be missing from `keys`, the answer is
/// `success`: an encrypted conversation is never continued in the open.
pub fn seal(
    plain_reply: &str,
    envelope: &Envelope,
    keys: &Keys,
    nonce: &str,
    now: u64,
    random: [u8; 16],
) -> String {
    let Envelope::Encrypted { key, id, format } = envelope else {
        return plain_reply.to_owned();
    };
    if plain_reply.is_empty() || plain_reply == SUCCESS {
        return plain_reply.to_owned();
    }
    let key = match key {
        WhichKey::Current => &keys.current,
        WhichKey::Previous => &keys.previous,
    };
    let Some(key) = key else {
        return SUCCESS.to_owned();
    };
    let encrypt = key.encrypt(random, plain_reply, id.as_str());
    let msg_signature = signature::sign(&[keys.token.expose(), &now.to_string(), nonce, &encrypt]);
    match format {
        Format::Xml => envelope_xml(&encrypt, &msg_signature, now, nonce),
        Format::Json => envelope_json(&encrypt, &msg_signature, now, nonce),
    }
}

fn envelope_xml(encrypt: &str, msg_signature: &str, now: u64, nonce: &str) -> String {
    let mut xml = XmlWriter::new(encrypt.len() + 256);
    xml.cdata("Encrypt", encrypt)
        .cdata("MsgSignature", msg_signature)
        .number("TimeStamp", now)
        .cdata("Nonce", nonce);
    xml.finish()
}

fn envelope_json(encrypt: &str, msg_signature: &str, now: u64, nonce: &str) -> String {
    let envelope = crate::json::json!({
        "Encrypt": encrypt,
        "MsgSignature": msg_signature,
        "TimeStamp": now,
        "Nonce": nonce,
    });
    serde_json::to_string(&envelope).unwrap_or_default()
}
