//! Open data of a Mini Program: what `wx.getUserProfile`, `wx.getWeRunData` and the like hand to its page, signed and
//! encrypted with the session key that only WeChat and the server know.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html>

use super::{AppId, Secret, signature};
use aes::Aes128;
use aes::cipher::{Array, BlockModeDecrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::fmt;

/// Bytes of a block of AES, of the session key, and of the initialisation vector.
const BLOCK: usize = 16;

/// Why encrypted data could not be read. Says nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenDataError {
    /// The session key is not 16 bytes in Base64.
    Key,
    /// The initialisation vector is not 16 bytes in Base64.
    Iv,
    /// The data is not Base64.
    Base64,
    /// The data is empty, or not a whole number of AES blocks.
    Blocks,
    /// The padding is wrong: most often, the session key is no longer the one that encrypted.
    Padding,
    /// What was decrypted is no JSON object: as a wrong padding.
    Json,
    /// There is no watermark, or it is another Mini Program's.
    Watermark,
}

impl OpenDataError {
    /// Whether it may help that the person logs in again: a later `wx.login` may have changed the session key between
    /// the encryption and now.
    pub fn is_stale(self) -> bool {
        matches!(self, Self::Padding | Self::Json)
    }
}

impl fmt::Display for OpenDataError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Key => "the session key is not 16 bytes in Base64",
            Self::Iv => "iv is not 16 bytes in Base64",
            Self::Base64 => "encryptedData is not Base64",
            Self::Blocks => "encryptedData is not a whole number of blocks",
            Self::Padding => "the padding is wrong, so the session key is probably another one",
            Self::Json => "no JSON came out, so the session key is probably another one",
            Self::Watermark => "the watermark is not this Mini Program's",
        })
    }
}

impl std::error::Error for OpenDataError {}

/// Decrypts `encryptedData`: AES-128-CBC with PKCS#7, key and vector in Base64. Whatever members WeChat adds are in
/// the answer; its watermark says that the data was made for the Mini Program `app_id`.
///
/// # Errors
/// See [`OpenDataError`].
pub fn decrypt(
    session_key: &Secret,
    encrypted_data: &str,
    iv: &str,
    app_id: &AppId,
) -> Result<Value, OpenDataError> {
    let key = block(session_key.expose()).ok_or(OpenDataError::Key)?;
    let iv = block(iv).ok_or(OpenDataError::Iv)?;
    let mut bytes = base64(encrypted_data).ok_or(OpenDataError::Base64)?;
    let (blocks, rest) = Array::slice_as_chunks_mut(&mut bytes);
    if blocks.is_empty() || !rest.is_empty() {
        return Err(OpenDataError::Blocks);
    }
    cbc::Decryptor::<Aes128>::new(&key.into(), &iv.into()).decrypt_blocks(blocks);
    let text = unpad(&bytes).ok_or(OpenDataError::Padding)?;
    let data: Value = std::str::from_utf8(text)
        .ok()
        .and_then(|text| serde_json::from_str(text).ok())
        .filter(Value::is_object)
        .ok_or(OpenDataError::Json)?;
    if is_marked(&data, app_id) { Ok(data) } else { Err(OpenDataError::Watermark) }
}

/// Whether the watermark of what WeChat says about a person is that of the Mini Program `app_id`.
pub fn is_marked(data: &Value, app_id: &AppId) -> bool {
    data.get("watermark").and_then(|mark| mark.get("appid")).and_then(Value::as_str) == Some(app_id.as_str())
}

/// Whether `given` is the signature of `rawData`, byte for byte as the page got it: SHA-1 of it and the session key's
/// text. Takes the same time wherever the two differ.
pub fn is_signed(raw_data: &str, session_key: &Secret, given: &str) -> bool {
    signature::verify(&[&[raw_data, session_key.expose()].concat()], given)
}

/// Signs `data` with the session key, as calls of WeChat's want it: HMAC-SHA256 in hexadecimal. The key is the session
/// key's text, not the bytes that its Base64 stands for.
/// <https://developers.weixin.qq.com/minigame/dev/guide/open-ability/http-signature.html>
pub fn sign(session_key: &Secret, data: &[u8]) -> String {
    // Never fails: a key of HMAC may have any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(session_key.expose().as_bytes()) else {
        return String::new();
    };
    mac.update(data);
    hex::encode(mac.finalize().into_bytes())
}

/// Base64 as it arrives: a form makes blanks of its `+`, and some clients break its lines.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mended: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .map(|byte| if byte == b' ' { b'+' } else { byte })
        .collect();
    STANDARD.decode(mended).ok()
}

fn block(text: &str) -> Option<[u8; BLOCK]> {
    base64(text)?.try_into().ok()
}

fn unpad(bytes: &[u8]) -> Option<&[u8]> {
    let pad = *bytes.last()?;
    let (text, padding) = bytes.split_at_checked(bytes.len().checked_sub(usize::from(pad))?)?;
    let valid = (1..=BLOCK).contains(&usize::from(pad)) && padding.iter().all(|byte| *byte == pad);
    valid.then_some(text)
}
