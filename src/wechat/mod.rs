//! What WeChat says: wire formats and limits. Imports nothing of ours, does no I/O, reads no clock.
//!
//! Reading order: [`callback`] is the way in and out; it uses [`signature`], [`crypto`] and [`xml`] and ends in
//! [`message`] and [`event`]. [`reply`] is the answer in the same HTTP response, [`api`] what we ask of WeChat;
//! [`open_data`] is what Mini Programs' pages hand on.

pub mod api;
pub mod callback;
pub mod crypto;
pub mod event;
pub mod message;
pub mod open_data;
pub mod reply;
pub mod signature;
pub mod xml;

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is; WeChat promises no shape that could be checked.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text as WeChat wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

macro_rules! plain_debug {
    ($($name:ident)+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, formatter)
            }
        }
    )+};
}

text_id! {
    /// A user as one account sees them: the same person has another OpenID at every account.
    /// Personal data, so `Debug` does not show it.
    /// <https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html>
    OpenId
}

text_id! {
    /// An account's `wx…` identifier, used by the APIs and inside the encrypted envelope.
    AppId
}

text_id! {
    /// An account's `gh_…` name, the `ToUserName` of messages; not the AppID.
    OriginalId
}

text_id! {
    /// A message's number, up to 64 bits; kept as text because cloud functions get a non-numeric one.
    /// <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html>
    MsgId
}

plain_debug!(AppId OriginalId MsgId);

impl fmt::Debug for OpenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OpenId(…)")
    }
}

/// A text that must not be seen: `Debug` hides it and comparing takes the same time wherever the texts differ.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether `given` is the secret, in constant time for a given length.
    pub fn matches(&self, given: &str) -> bool {
        signature::same(self.0.as_bytes(), given.as_bytes())
    }

    /// The secret itself, for signing and sending; never for logs.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}
