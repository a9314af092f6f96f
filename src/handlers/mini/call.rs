//! What a user's object can be asked, and what it says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::json::json;
use crate::platform::Response;
use crate::wechat::OpenId;

/// A question, as JSON. The answer is a [`Said`], unless it is a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// WeChat says who logged in.
    Login {
        /// Who.
        openid: OpenId,
        /// Who, at every app of the same owner.
        unionid: Option<OpenId>,
        /// WeChat's `session_key`.
        session_key: String,
        /// Of the session key that they get.
        digest: Digest,
    },
    /// WeChat says what they wrote to the customer service, or what they did there.
    Window {
        /// The authenticated plain document.
        document: String,
    },
    /// Somebody with this session wants something.
    As {
        /// Of the session key.
        session: Digest,
        /// What.
        ask: Ask,
    },
    /// The same person's conversation at the Official Account says something.
    Kin(super::kin::Call),
}

/// What somebody with a session may want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// To say something.
    Chat {
        /// What [`Chat::read`] understands.
        chat: Value,
        /// As a stream of server-sent events.
        stream: bool,
    },
    /// The last answer of a conversation.
    Follow {
        /// The conversation.
        thread: String,
        /// The last event that they got of it.
        last: Option<String>,
        /// Their own name for the message whose answer they want, instead of the last one.
        #[serde(default)]
        message: Option<String>,
        /// As a stream of server-sent events.
        stream: bool,
    },
    /// Their conversations.
    List {
        /// Only those that are listed after this one.
        after: Option<String>,
        /// So many at most.
        limit: usize,
    },
    /// One conversation with what was said.
    Show {
        /// The conversation.
        thread: String,
    },
    /// To have one deleted; all, if none is named.
    Delete {
        /// The conversation.
        thread: Option<String>,
    },
    /// Everything that is stored of them.
    Export,
    /// To be forgotten.
    Forget,
    /// To log out.
    Logout,
    /// Who they are, for the services of WeChat: `openid` and `session_key`. For this Worker only.
    Who,
}

/// Something to say to the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    /// What.
    pub message: String,
    /// In which conversation.
    pub place: Place,
    /// The client's own name for the message; empty if it gave none.
    pub key: String,
}

/// The conversation in which something is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The one that they have in WeChat's own chat just now, else a new one.
    Any,
    /// A new one.
    New,
    /// This one.
    Thread(String),
}

/// Whoever does something too often, for us or for WeChat, may try again after so many seconds: all such limits count by
/// the minute.
pub const MINUTE: u64 = 60;
/// The longest message, in UTF-16 units, as JavaScript counts them.
pub const MESSAGE_LIMIT: usize = 2_000;
/// What is said of a message that WeChat takes for a risk.
pub const NOT_ALLOWED: &str = "Content not allowed";
/// The longest name that a client may give to a message, characters.
const KEY_LIMIT: usize = 64;

impl Chat {
    /// What a client sent.
    ///
    /// # Errors
    /// What is wrong with it, for the client.
    pub fn read(body: &Value) -> Result<Self, &'static str> {
        let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
        if message.trim().is_empty() || message.encode_utf16().count() > MESSAGE_LIMIT {
            return Err("Invalid message");
        }
        let place = match body.get("conversation_id") {
            None | Some(Value::Null) => Place::Any,
            Some(Value::String(id)) if id == "new" => Place::New,
            Some(Value::String(id)) => Place::Thread(id.clone()),
            Some(_) => return Err("Invalid conversation_id"),
        };
        let key = match body.get("message_id") {
            None | Some(Value::Null) => "",
            Some(Value::String(key)) if (1..=KEY_LIMIT).contains(&key.chars().count()) => key,
            Some(_) => return Err("Invalid message_id"),
        };
        Ok(Self { message: message.to_owned(), place, key: key.to_owned() })
    }
}

/// An answer of the API's, as the object makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// Seconds after which it may be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Said {
    /// A success.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body, retry_after: None }
    }

    /// That it was done.
    pub fn done() -> Self {
        Self::ok(json!({ "status": "ok" }))
    }

    /// A refusal; `error` is for the client.
    pub fn refused(status: u16, error: &str) -> Self {
        Self { status, body: json!({ "error": error }), retry_after: None }
    }

    /// Too often; what may be tried again in so many seconds.
    pub fn slow_down(seconds: u64) -> Self {
        let refusal = Self::refused(429, "Too many requests. Please slow down.");
        Self { retry_after: Some(seconds.max(1)), ..refusal }
    }

    /// Whoever asks has no session, or one that has ended.
    pub fn no_session() -> Self {
        Self::refused(401, "Invalid session")
    }

    /// There is none, or it is somebody else's.
    pub fn not_found() -> Self {
        Self::refused(404, "Not found")
    }

    /// Something of ours failed.
    pub fn unavailable() -> Self {
        Self::refused(500, "Service temporarily unavailable")
    }

    /// WeChat takes what they said for a risk.
    pub fn not_allowed() -> Self {
        Self::refused(400, NOT_ALLOWED)
    }

    /// As a response.
    pub fn response(&self) -> Response {
        let body = crate::json::text(&self.body);
        let response = Response::new(self.status, "application/json; charset=utf-8", body)
            .with("cache-control", "no-store")
            .with("x-content-type-options", "nosniff");
        match self.retry_after {
            // <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
            Some(seconds) => response.with("retry-after", seconds.to_string()),
            None => response,
        }
    }
}
