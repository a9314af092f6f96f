//! The encrypted envelope: AES-256-CBC over `random(16) | length(4, big endian) | message | id`, in base64.
//!
//! The IV is the first half of the key; PKCS#7 pads to 32 bytes although AES has blocks of 16.
//! <https://developers.weixin.qq.com/doc/subscription/guide/dev/push/encryption>

use aes::Aes256;
use aes::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit, consts::U16};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD};
use std::fmt;

/// Characters of an EncodingAESKey: 32 bytes of base64 without their `=`.
const KEY_TEXT: usize = 43;
/// WeChat pads to this, not to the 16 bytes of an AES block.
const PAD_TO: usize = 32;
/// `random` and the length field, before the message.
const HEAD: usize = 20;

type Block = Array<u8, U16>;

/// 43 characters carry 258 bits; consoles hand out keys whose two spare bits are not zero.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Why a text is no EncodingAESKey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Not exactly 43 characters.
    Length,
    /// A character outside `A-Z a-z 0-9 + /`.
    Alphabet,
}

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Length => "an EncodingAESKey has exactly 43 characters",
            Self::Alphabet => "an EncodingAESKey has only letters, digits, + and /",
        })
    }
}

impl std::error::Error for KeyError {}

/// Why a ciphertext could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CryptoError {
    /// Not base64.
    Base64,
    /// Empty, or not a whole number of AES blocks.
    Blocks,
    /// The padding is not 1 to 32 equal bytes: most often another key.
    Padding,
    /// The length field points beyond the text.
    Length,
    /// The message or the id is not UTF-8.
    Utf8,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Base64 => "the ciphertext is not base64",
            Self::Blocks => "the ciphertext is not a whole number of blocks",
            Self::Padding => "the padding is wrong, so the key is probably another one",
            Self::Length => "the length field points beyond the text",
            Self::Utf8 => "the decrypted text is not UTF-8",
        })
    }
}

impl std::error::Error for CryptoError {}

/// What an envelope held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decrypted {
    /// The sender's 16 random bytes.
    pub random: [u8; 16],
    /// The message: a document in XML or JSON.
    pub message: String,
    /// The AppID the sender wrote for; the caller compares it.
    pub id: String,
}

/// An EncodingAESKey with its expanded key schedule.
#[derive(Clone)]
pub struct EncodingAesKey {
    cipher: Aes256,
    iv: Block,
}

impl fmt::Debug for EncodingAesKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EncodingAesKey(…)")
    }
}

impl EncodingAesKey {
    /// Reads the 43 characters of the console.
    ///
    /// # Errors
    /// Another length or a character outside base64. The spare bits of the last character may be anything.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() != KEY_TEXT {
            return Err(KeyError::Length);
        }
        let mut key = [0; 32];
        KEY_BASE64.decode_slice(text, &mut key).map_err(|_| KeyError::Alphabet)?;
        let (iv, _) = key.split_first_chunk::<16>().ok_or(KeyError::Length)?;
        Ok(Self { cipher: Aes256::new(&Array::from(key)), iv: Array::from(*iv) })
    }

    /// Encrypts `message` for the account `id` (its AppID) and returns the base64 text of `Encrypt`.
    pub fn encrypt(&self, random: [u8; 16], message: &str, id: &str) -> String {
        let used = HEAD + message.len() + id.len();
        let pad = PAD_TO - used % PAD_TO;
        let mut bytes = Vec::with_capacity(used + pad);
        bytes.extend_from_slice(&random);
        // A message over 4 GiB cannot exist in a Worker's 128 MB.
        bytes.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(message.as_bytes());
        bytes.extend_from_slice(id.as_bytes());
        bytes.resize(used + pad, u8::try_from(pad).unwrap_or_default());
        let (blocks, _) = Array::slice_as_chunks_mut(&mut bytes);
        cbc::Encryptor::inner_iv_init(&self.cipher, &self.iv).encrypt_blocks(blocks);
        STANDARD.encode(&bytes)
    }

    /// Decrypts the base64 text of `Encrypt`. Says nothing about who wrote it: the signature does, and the `id`.
    ///
    /// # Errors
    /// Anything that is not a well-formed envelope under this key. All padding bytes are checked: every genuine
    /// push has them equal, and a strict check leaves no second ciphertext for one text.
    pub fn decrypt(&self, encrypt: &str) -> Result<Decrypted, CryptoError> {
        let mut bytes = STANDARD.decode(encrypt).map_err(|_| CryptoError::Base64)?;
        let (blocks, rest) = Array::slice_as_chunks_mut(&mut bytes);
        if blocks.is_empty() || !rest.is_empty() {
            return Err(CryptoError::Blocks);
        }
        cbc::Decryptor::inner_iv_init(&self.cipher, &self.iv).decrypt_blocks(blocks);
        let text = unpad(&bytes).ok_or(CryptoError::Padding)?;
        let (random, text) = text.split_first_chunk::<16>().ok_or(CryptoError::Length)?;
        let (length, text) = text.split_first_chunk::<4>().ok_or(CryptoError::Length)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| CryptoError::Length)?;
        let (message, id) = text.split_at_checked(length).ok_or(CryptoError::Length)?;
        Ok(Decrypted { random: *random, message: utf8(message)?, id: utf8(id)? })
    }
}

fn unpad(bytes: &[u8]) -> Option<&[u8]> {
    let pad = usize::from(*bytes.last()?);
    let (text, padding) = bytes.split_at_checked(bytes.len().checked_sub(pad)?)?;
    let valid = (1..=PAD_TO).contains(&pad) && padding.iter().all(|byte| usize::from(*byte) == pad);
    valid.then_some(text)
}

fn utf8(bytes: &[u8]) -> Result<String, CryptoError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| CryptoError::Utf8)
}
