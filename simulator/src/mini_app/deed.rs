//! What a person does in the Mini Program.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::platform::mini::open_data::Kind;
use crate::scenario::{Brief, FromText};

/// One thing that a person does in the Mini Program: `"login"`, or `{"say": "你好"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Opens it: `wx.login`, and its code to the server, which gives a session.
    Login,
    /// The same with a code of another kind.
    LoginWith(LoginWith),
    /// Ends the session.
    Logout,
    /// Loses the session, as a phone does whose storage is cleared: the server hears nothing of it.
    LoseSession,
    /// Says something: a text, or more about it. Logs in before if there is no session, and once more after a 401.
    Say(Brief<Say>),
    /// Goes on with an answer that broke off, or that the person did not wait for.
    Resume,
    /// Begins another conversation with the next message.
    New,
    /// Lists the conversations.
    List,
    /// Opens one of them, by its id.
    Open(String),
    /// Deletes one of them, by its id.
    Delete(String),
    /// Deletes all of them.
    DeleteAll,
    /// Lets the Mini Program have open data, which the server decrypts.
    Decrypt(Kind),
    /// Taps the phone-number button; the server turns the code into a number.
    Phone,
    /// Lets the server check the signature of `rawData`.
    Signature,
    /// Any other call of the server's API, with the person's session.
    Call(Call),
}

/// A login with a code of another kind than a fresh one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LoginWith {
    /// This code, whatever it is: `jscode2session` answers 40029 to one that WeChat did not give.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The code of somebody whom WeChat distrusts: 40226.
    pub risky: bool,
    /// A code that was exchanged before: 40163.
    pub used: bool,
}

/// A message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Say {
    /// Its text.
    pub text: String,
    /// The id of a conversation, or `new`; without it, the one that is open in the phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// The client's own name of the message; a new one without it. The same one again asks for the same answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Whether the answer comes in pieces, as it is written: true without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// The phone goes away after so many pieces of the answer; of an answer in one piece, half a second after the
    /// message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_after: Option<u32>,
    /// Seconds for which the phone asks again for an answer that is still pending: 120 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience_s: Option<u64>,
}

impl FromText for Say {
    fn from_text(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    fn to_text(&self) -> Option<&str> {
        Some(self.text.as_str()).filter(|text| *self == Self::from_text((*text).to_owned()))
    }
}

/// A call of the server's API.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Its path, as `/api/export`, with a query if it needs one.
    pub path: String,
    /// `GET`, `POST`, `DELETE`; without it, `POST` with a body and `GET` without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The JSON that is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// A session of the test's own, in place of the person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeds_as_people_write_them() {
        let read = |text: &str| serde_json::from_str::<Deed>(text).unwrap();
        assert_eq!(read(r#""login""#), Deed::Login);
        assert_eq!(read(r#"{"say":"你好"}"#), Deed::Say(Brief(Say::from_text("你好".to_owned()))));
        let Deed::Say(Brief(say)) = read(r#"{"say":{"text":"a","conversation":"new","leave_after":1}}"#)
        else {
            panic!("a message")
        };
        assert_eq!((say.conversation.as_deref(), say.leave_after), (Some("new"), Some(1)));
        assert_eq!(read(r#"{"decrypt":"user_info"}"#), Deed::Decrypt(Kind::UserInfo));
        assert!(serde_json::from_str::<Deed>(r#"{"say":{"txet":"a"}}"#).is_err());
        assert!(serde_json::from_str::<Deed>(r#""dance""#).is_err());
    }
}
