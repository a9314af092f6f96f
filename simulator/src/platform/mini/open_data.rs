//! Open data: what `wx.getUserInfo` and its like hand to the Mini Program, signed and encrypted with the session key.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html>

use aes::Aes128;
use aes::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::hex;
use super::session::phone_info;
use crate::account::MiniApp;
use crate::ids;
use crate::platform::api::{with, with_optional};
use crate::platform::errcode::Errcode;
use crate::state::State;

/// Days of steps that WeChat tells.
const DAYS: u64 = 31;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nickname and picture.
    UserInfo,
    /// The phone number, as older buttons give it.
    PhoneNumber,
    /// Steps of the last days.
    WeRun,
}

/// What the Mini Program's page gets, in the names of WeChat's own API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenData {
    /// The open part of the user's data; other kinds have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_data: Option<String>,
    /// SHA-1 of `rawData` and the session key, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// All of it, encrypted with AES-128-CBC, in base64.
    pub encrypted_data: String,
    /// The initialisation vector in base64.
    pub iv: String,
}

/// Makes the data for a user with a session.
///
/// # Errors
/// 40003 for nobody's openid.
pub fn make(
    state: &mut State,
    mini: &MiniApp,
    openid: &str,
    kind: Kind,
    key: &str,
    now_ms: u64,
) -> Result<OpenData, Errcode> {
    let watermark = json!({ "timestamp": now_ms / 1000, "appid": mini.app_id });
    let (raw, secret) = match kind {
        Kind::UserInfo => user_info(state, openid, &watermark)?,
        Kind::PhoneNumber => (None, phone_info(state, mini, openid, now_ms)?),
        Kind::WeRun => (None, json!({ "stepInfoList": steps(now_ms), "watermark": watermark })),
    };
    let signature = raw.as_ref().map(|raw| hex(Sha1::digest(format!("{raw}{key}"))));
    let iv = ids::random_bytes::<16>();
    let encrypted_data = encrypt(key, iv, &secret.to_string());
    Ok(OpenData { raw_data: raw, signature, encrypted_data, iv: STANDARD.encode(iv) })
}

fn user_info(state: &mut State, openid: &str, watermark: &Value) -> Result<(Option<String>, Value), Errcode> {
    let official = state.mini.find(openid)?.official.clone();
    let person = state.people.find(&official)?;
    let data = json!({
        "nickName": person.nickname, "gender": 0, "language": person.language, "city": "", "province": "",
        "country": "", "avatarUrl": ""
    });
    let raw = data.to_string();
    let data = with(with(data, "openId", openid), "watermark", watermark.clone());
    Ok((Some(raw), with_optional(data, "unionId", person.unionid.as_deref())))
}

/// A number of steps that depends on the day alone.
fn steps(now_ms: u64) -> Vec<Value> {
    let today = now_ms / 86_400_000;
    let days = today.saturating_sub(DAYS - 1)..=today;
    days.map(|day| json!({ "timestamp": day * 86_400, "step": 1000 + day * 7919 % 9000 })).collect()
}

/// AES-128-CBC with PKCS#7, in base64. A session key is always 16 bytes.
fn encrypt(key: &str, iv: [u8; 16], text: &str) -> String {
    let key = STANDARD.decode(key).ok().and_then(|key| <[u8; 16]>::try_from(key).ok()).unwrap_or_default();
    let cipher = cbc::Encryptor::<Aes128>::new(&key.into(), &iv.into());
    let mut bytes = text.as_bytes().to_vec();
    let length = bytes.len();
    bytes.resize(length + 16, 0);
    let encrypted = cipher.encrypt_padded::<Pkcs7>(&mut bytes, length).unwrap_or_default();
    STANDARD.encode(encrypted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes::cipher::BlockModeDecrypt;

    #[test]
    fn what_is_encrypted_can_be_read_with_the_session_key() {
        let (key, iv) = ([7; 16], [9; 16]);
        for text in ["", "{\"a\":\"好\"}", "0123456789abcdef"] {
            let mut bytes = STANDARD.decode(encrypt(&STANDARD.encode(key), iv, text)).unwrap();
            let cipher = cbc::Decryptor::<Aes128>::new(&key.into(), &iv.into());
            assert_eq!(cipher.decrypt_padded::<Pkcs7>(&mut bytes).unwrap(), text.as_bytes());
        }
    }
}
