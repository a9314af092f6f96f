//! Errors of WeChat's API and what to do about each.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/errCode/>

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::ops::Deref;

/// Our own code, outside WeChat's range: the answer was not a JSON object (an error page, a cut connection), so
/// nobody knows whether the call was carried out.
pub const UNREADABLE: i64 = i64::MIN;

/// What [`check`] says of an answer that is no JSON object.
pub const NO_OBJECT: &str = "the answer is not a JSON object";

/// WeChat said no. On the heap, because every `?` on its way would move it, which is code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiError(Box<No>);

/// What WeChat said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct No {
    /// WeChat's code, or [`UNREADABLE`].
    pub errcode: i64,
    /// WeChat's words, for people; never to be compared.
    pub errmsg: String,
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "WeChat answered {}: {}", self.errcode, self.errmsg)
    }
}

impl std::error::Error for ApiError {}

impl Deref for ApiError {
    type Target = No;

    fn deref(&self) -> &No {
        &self.0
    }
}

impl ApiError {
    /// An error in the form of WeChat's.
    pub fn new(errcode: i64, errmsg: impl AsRef<str>) -> Self {
        Self::make(errcode, errmsg.as_ref())
    }

    #[cold]
    fn make(errcode: i64, errmsg: &str) -> Self {
        Self(Box::new(No { errcode, errmsg: errmsg.to_owned() }))
    }

    /// WeChat's words.
    pub fn into_words(self) -> String {
        self.0.errmsg
    }

    /// The request's number for WeChat's support and for openapi/rid/get (7 days).
    pub fn rid(&self) -> Option<&str> {
        self.word_after("rid: ")
    }

    /// The address that WeChat saw and refused (40164): what the operator has to enter in the whitelist.
    pub fn whitelist_ip(&self) -> Option<&str> {
        if self.errcode == 40164 { self.word_after("invalid ip ") } else { None }
    }

    /// What to do about it.
    pub fn reaction(&self) -> Reaction {
        reaction(self.errcode)
    }

    fn word_after(&self, mark: &str) -> Option<&str> {
        let (_, rest) = self.errmsg.split_once(mark)?;
        let end = rest.find(|character: char| character == ',' || character.is_whitespace());
        rest.get(..end.unwrap_or(rest.len())).filter(|word| !word.is_empty())
    }
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The access token is no longer valid: get a new one if this one is still the current one, and retry once.
    RefreshToken,
    /// WeChat is busy: retry after 1, 2, 4 seconds, but only what may happen twice.
    BackOff,
    /// Too fast: retry after this many seconds.
    Wait {
        /// Seconds to wait.
        seconds: u32,
    },
    /// Nothing to do: e.g. "already typing".
    Harmless,
    /// The day's quota is used up: stop until midnight in Beijing (or clear_quota).
    StopForToday,
    /// The user's state forbids it (window closed, unsubscribed, refused): drop this message.
    Drop,
    /// The account lacks a permission or a setting is wrong: tell the operator.
    Configuration,
    /// Our address is not in the whitelist: show it to the operator.
    AllowIp,
    /// An administrator must confirm; asking again before does not help.
    AwaitAdministrator {
        /// Seconds for which WeChat refuses; 0 when it only depends on the administrator.
        seconds: u32,
    },
    /// The login code is used or wrong: begin the login anew, never with the same code.
    RestartLogin,
    /// The user's grant is gone: ask for it anew.
    Reauthorize,
    /// WeChat has judged this user a risk: no login.
    Block,
    /// The request itself is wrong: a bug or bad input, never to be retried.
    FixRequest,
    /// A code that we do not know: permanent; log errcode and rid.
    Unknown,
}

/// The reaction to a code.
pub fn reaction(errcode: i64) -> Reaction {
    match errcode {
        40001 | 40014 | 41001 | 42001 => Reaction::RefreshToken,
        UNREADABLE | -1 | 61450 => Reaction::BackOff,
        44991 | 45011 | 45066 | 89501 => Reaction::Wait { seconds: 60 },
        45033 => Reaction::Wait { seconds: 1 },
        45072 | 45080 | 45081 => Reaction::Harmless,
        45009 | 45028 | 48006 => Reaction::StopForToday,
        40003 | 43004 | 43019 | 43101 | 43107 | 43108 | 45015 | 45047 | 46004 | 48002 | 50005 => {
            Reaction::Drop
        }
        40002 | 40013 | 40125 | 40200 | 40243 | 41002 | 41004 | 48001 | 48004 | 50001 | 50002 | 50004
        | 50007 => Reaction::Configuration,
        40164 | 61004 => Reaction::AllowIp,
        89503..=89505 => Reaction::AwaitAdministrator { seconds: 0 },
        89506 => Reaction::AwaitAdministrator { seconds: 24 * 3600 },
        89507 => Reaction::AwaitAdministrator { seconds: 3600 },
        40029 | 40163 | 41008 | 42003 | 87009 => Reaction::RestartLogin,
        40030 | 42002 | 42007 => Reaction::Reauthorize,
        40226 => Reaction::Block,
        40004..=40007 | 40009 | 40033 | 40035 | 40037 | 40097 | 40159 | 41030 | 43001..=43003 | 44002 => {
            Reaction::FixRequest
        }
        45001 | 45002 | 45007 | 45008 | 45065 | 45067 | 45157..=45159 | 46001 | 46003 | 47001 | 47003 => {
            Reaction::FixRequest
        }
        65301..=65318 | 76003 | 76021 | 76022 => Reaction::FixRequest,
        _ => Reaction::Unknown,
    }
}

/// Reads an answer: the object, or the error it states. No `errcode` means success, and so does 0.
///
/// # Errors
/// WeChat's, or [`UNREADABLE`] when the text is no JSON object.
pub fn check(answer: &str) -> Result<Value, ApiError> {
    let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(answer.trim_start_matches('\u{feff}'))
    else {
        return Err(ApiError::new(UNREADABLE, NO_OBJECT));
    };
    match value.get("errcode").map_or(Some(0), integer) {
        Some(0) => Ok(value),
        errcode => Err(ApiError::new(
            errcode.unwrap_or(UNREADABLE),
            value.get("errmsg").and_then(Value::as_str).unwrap_or_default(),
        )),
    }
}

/// Numbers may come as strings.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}
