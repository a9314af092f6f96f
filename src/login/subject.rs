//! Who somebody is, and what a website knows them by.

use serde::{Deserialize, Serialize};

use crate::wechat::{AppId, OpenId};

/// Somebody, as a method found out. A closed set: the rest of the login does not care which it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Who.
    pub who: Who,
    /// What they are called, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address of their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A user of WeChat.
    Wechat {
        /// The account, or the website application, that knows them by this openid.
        app_id: AppId,
        /// Their openid there.
        openid: OpenId,
        /// Their id at every account of the same Open Platform owner, where WeChat told it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unionid: Option<OpenId>,
    },
    /// A user of GitHub, by the number that outlives their name.
    Github {
        /// `id` of GitHub's API.
        id: u64,
    },
}
