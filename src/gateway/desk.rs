//! What the account's object can be asked, apart from the access token for this Worker's own calls.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record;
use super::token::{self, TokenFailure};
use crate::platform::Millis;

/// A question, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// About stored documents. Answer: [`record::Reply`].
    Record(record::Call),
    /// About the access token and tickets. The answer is said at each.
    Token(token::Call),
    /// A client wants to call WeChat. Answer: [`Opening`].
    Begin(Begin),
    /// What became of that. Answer: nothing of interest.
    End(End),
    /// What clients did, the newest first. Answer: a list of entries, one more than `limit` if there are more.
    Audit {
        /// Only of this client.
        client: Option<String>,
        /// Only entries with smaller numbers than this.
        after: Option<u64>,
        /// So many at most.
        limit: u32,
    },
}

/// A call that a client wants to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// The request's name.
    pub request: String,
    /// The client's id.
    pub client: String,
    /// Calls per minute that it may make.
    pub per_minute: u32,
    /// `GET` or `POST`.
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// What it takes, by its name.
    pub scope: Value,
    /// Whether the client has that.
    pub permitted: bool,
    /// The client's name for this call, so that it is made once only.
    pub key: Option<Key>,
}

/// The client's name for a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The name.
    pub name: String,
    /// [`super::proxy::fingerprint`] of the request.
    pub digest: String,
}

/// What becomes of a call that a client wants to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opening {
    /// It can be made.
    Begun {
        /// The number of its entry in the audit.
        number: u64,
        /// The account's access token.
        token: String,
    },
    /// It was made before, and this is what was answered.
    Replay(Kept),
    /// It was made before, but what was answered was too long to be kept.
    Done,
    /// It is being made.
    Busy,
    /// It was made before, and nobody knows what became of it.
    Unknown,
    /// Another call was made with this name.
    Differs,
    /// The client made too many calls in this minute.
    Limited {
        /// Seconds until the next minute.
        seconds: u64,
    },
    /// So many names of calls are remembered that no other can be.
    Full,
    /// The client lacks the scope.
    Forbidden,
    /// There is no access token.
    NoToken(TokenFailure),
}

/// An answer that is given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// The body in Base64, of at most [`super::proxy::KEPT`] bytes.
    pub body: String,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The number of its entry.
    pub number: u64,
    /// WeChat's HTTP status; 0 if there was no answer.
    pub status: u16,
    /// WeChat's code, if it gave one.
    pub errcode: Option<i64>,
    /// WeChat's name of the request, if it gave one.
    pub rid: Option<String>,
    /// How long it took until the answer began.
    pub ms: Millis,
    /// How often it was sent again.
    pub retried: u8,
    /// In a word: `ok`, `refused`, `unknown`.
    pub outcome: String,
    /// What the client gets if it comes with the same key; `None` if it came without one.
    pub keep: Option<Keep>,
}

/// What is remembered of a call with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The answer.
    Answer(Kept),
    /// That it was made; the answer is too long.
    Done,
    /// That nobody knows.
    Unknown,
    /// Nothing: WeChat did not do it, and may do it another time.
    Nothing,
}
