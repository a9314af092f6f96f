//! Who somebody is, and what a website knows them by.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::base64url;
use super::client::{Client, SubjectType};
use crate::wechat::{AppId, OpenId, Secret};

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

/// Why somebody has no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSubject {
    /// Pairwise ids need `SUBJECT_SECRET`.
    NoSecret,
    /// Ids are by unionid here, and the method told none.
    NoUnionid,
}

impl fmt::Display for NoSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSecret => "SUBJECT_SECRET is missing",
            Self::NoUnionid => "ids are by unionid, and WeChat told none",
        })
    }
}

/// What distinguishes these ids from whatever else may be made with the same secret.
const PURPOSE: &str = "wxlogin/sub/v1";
/// Bytes of the code that are kept: 160 bits, 27 characters.
const KEPT: usize = 20;

impl Who {
    /// Whose id it is, and the id: within one issuer nobody else has it.
    fn id(&self, by_unionid: bool) -> Result<(&str, Cow<'_, str>), NoSubject> {
        match self {
            Self::Wechat { unionid, .. } if by_unionid => {
                let unionid = unionid.as_ref().ok_or(NoSubject::NoUnionid)?;
                Ok(("unionid", unionid.as_str().into()))
            }
            Self::Wechat { app_id, openid, .. } => Ok((app_id.as_str(), openid.as_str().into())),
            Self::Github { id } => Ok(("github", id.to_string().into())),
        }
    }
}

/// What `client` knows somebody by: `sub` of OpenID Connect, `uid` of the pop-up.
///
/// A pairwise id is Base64url of the first 20 bytes of `HMAC-SHA256(SUBJECT_SECRET, message)`. The message is four
/// texts, each after its length in bytes as four big-endian bytes, so that no two lists of texts give one message:
/// `wxlogin/sub/v1`, the client's sector, whose id it is (the AppID, `unionid` or `github`), and the id. Two websites
/// cannot find out that they know the same person, and nobody gets from it to the openid without the secret.
///
/// A public id is the openid, the unionid, or `github-` and the number.
///
/// # Errors
/// [`NoSubject`]
pub fn uid(
    client: &Client,
    who: &Who,
    secret: Option<&Secret>,
    by_unionid: bool,
) -> Result<String, NoSubject> {
    let (issuer, id) = who.id(by_unionid)?;
    match (client.subject_type, who) {
        (SubjectType::Pairwise, _) => {
            let secret = secret.ok_or(NoSubject::NoSecret)?;
            pairwise(secret, [PURPOSE, &client.sector, issuer, &id])
        }
        (SubjectType::Public, Who::Wechat { .. }) => Ok(id.into_owned()),
        (SubjectType::Public, Who::Github { .. }) => Ok(format!("github-{id}")),
    }
}

fn pairwise(secret: &Secret, texts: [&str; 4]) -> Result<String, NoSubject> {
    // HMAC takes a key of any length, so this does not fail.
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes());
    let mut mac = mac.map_err(|_| NoSubject::NoSecret)?;
    for text in texts {
        mac.update(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        mac.update(text.as_bytes());
    }
    let code = mac.finalize().into_bytes();
    Ok(base64url(code.get(..KEPT).unwrap_or_default()))
}
