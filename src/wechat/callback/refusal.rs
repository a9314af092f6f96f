//! Why a push is not accepted.

use super::super::crypto::CryptoError;
use super::super::message::MessageError;
use std::fmt;

/// Why a push is not accepted. `Display` is for logs: precise, and without secrets, ids or texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No token is configured, so nothing can be authentic.
    NoToken,
    /// The query has no `signature`.
    NoSignature,
    /// `signature` does not fit.
    BadSignature,
    /// A key is configured, but the body is not encrypted: a downgrade.
    NotEncrypted,
    /// The body is encrypted, but the query has no `msg_signature`.
    NoMsgSignature,
    /// `msg_signature` does not fit.
    BadMsgSignature,
    /// The signed timestamp is more than 10 minutes away, or no number.
    Stale,
    /// Neither key opens the envelope.
    Undecryptable(CryptoError),
    /// The envelope is for another account.
    OtherAppId,
    /// The body is encrypted and no key is configured.
    NoAesKey,
    /// The console's check came without `echostr`.
    NoEchostr,
    /// The body is not UTF-8.
    NotUtf8,
    /// Authentic, but not a message.
    Malformed(MessageError),
    /// More than [`BODY_LIMIT`](super::BODY_LIMIT) bytes.
    TooLarge,
}

impl Refusal {
    /// Its name in the counters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::NoSignature => "no_signature",
            Self::BadSignature => "bad_signature",
            Self::NotEncrypted => "not_encrypted",
            Self::NoMsgSignature => "no_msg_signature",
            Self::BadMsgSignature => "bad_msg_signature",
            Self::Stale => "stale",
            Self::Undecryptable(_) => "undecryptable",
            Self::OtherAppId => "other_app_id",
            Self::NoAesKey => "no_aes_key",
            Self::NoEchostr => "no_echostr",
            Self::NotUtf8 => "not_utf8",
            Self::Malformed(_) => "malformed",
            Self::TooLarge => "too_large",
        }
    }

    /// The HTTP status to answer with: 403 not authentic, 400 authentic but malformed, 413 too large.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoToken
            | Self::NoSignature
            | Self::BadSignature
            | Self::NotEncrypted
            | Self::NoMsgSignature
            | Self::BadMsgSignature
            | Self::Stale
            | Self::Undecryptable(_)
            | Self::OtherAppId
            | Self::NoAesKey => 403,
            Self::NoEchostr | Self::NotUtf8 | Self::Malformed(_) => 400,
            Self::TooLarge => 413,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self {
            Self::NoToken => "WECHAT_TOKEN is empty, so nothing can be verified",
            Self::NoSignature => "the query has no signature",
            Self::BadSignature => "the signature does not fit: another token, or not WeChat",
            Self::NotEncrypted => "ENCODING_AES_KEY is set, but the body is not encrypted",
            Self::NoMsgSignature => "the body is encrypted, but the query has no msg_signature",
            Self::BadMsgSignature => "the msg_signature does not fit: another token, or not WeChat",
            Self::Stale => "the timestamp is more than 10 minutes away",
            Self::Undecryptable(error) => {
                return write!(formatter, "ENCODING_AES_KEY does not open it: {error}");
            }
            Self::OtherAppId => "the envelope is for another account than APP_ID",
            Self::NoAesKey => "the body is encrypted, but ENCODING_AES_KEY is not set",
            Self::NoEchostr => "the query has no echostr",
            Self::NotUtf8 => "the body is not UTF-8",
            Self::Malformed(error) => return error.fmt(formatter),
            Self::TooLarge => "the body is larger than 64 KiB",
        };
        formatter.write_str(reason)
    }
}

impl std::error::Error for Refusal {}
