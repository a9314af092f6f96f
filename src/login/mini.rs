//! Users of the Mini Program: who they are, and the session keys by which they are known.
//!
//! A session key is ours, not WeChat's: `<user>.<secret>.<seal>`. The user's part names their object, the secret has 256
//! random bits, and the seal tells keys that we made from others before an object is asked. Only a digest is stored.

use serde::{Deserialize, Serialize};

use super::keys::{conceal, expose};
use crate::digest::{Digest, base64url, mac};
use crate::wechat::signature::same;
use crate::wechat::{AppId, OpenId, Secret};

/// A session ends when nobody has used it for so long, milliseconds …
pub const IDLE: u64 = 7 * DAY;
/// … and in any case after this time.
pub const LONGEST: u64 = 30 * DAY;
/// Sessions that one user may have: telephones, tablets, computers. The one used longest ago gives way.
const SESSIONS: usize = 10;
/// When a session was used last is stored this exactly, milliseconds: not every request is worth a write.
const SEEN_EVERY: u64 = 3_600_000;
const DAY: u64 = 86_400_000;
/// What the seal is made for.
const PURPOSE: &str = "wx-session";
/// Characters of a name, and of a seal: 128 bits.
const SHORT: usize = 22;
/// Characters of the secret: 256 bits.
const LONG: usize = 43;

/// The name of a user's object: nobody finds the openid by it.
pub fn user_name(app_id: &AppId, openid: &OpenId) -> String {
    short(&mac(app_id.as_str(), "mini-user", openid.as_str()))
}

fn short(text: &str) -> String {
    text.get(..SHORT).unwrap_or_default().to_owned()
}

/// A new session key of `user`.
pub fn new_key(app_secret: &Secret, user: &str, random: [[u8; 16]; 2]) -> String {
    let open = [user, ".", &base64url(&random.concat())].concat();
    let seal = seal(app_secret, &open);
    [open.as_str(), ".", &seal].concat()
}

fn seal(app_secret: &Secret, open: &str) -> String {
    short(&mac(app_secret.expose(), PURPOSE, open))
}

/// The user whose key this is, and its digest; `None` if we never made it.
pub fn open_key<'a>(app_secret: &Secret, key: &'a str) -> Option<(&'a str, Digest)> {
    let (open, given) = key.rsplit_once('.')?;
    let (user, secret) = open.split_once('.')?;
    let whole = user.len() == SHORT && secret.len() == LONG;
    (whole && same(seal(app_secret, open).as_bytes(), given.as_bytes())).then(|| (user, Digest::of(key)))
}

/// Who a user is, and their sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who, in the Mini Program.
    pub openid: OpenId,
    /// Who, at every app of the same owner, if WeChat tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unionid: Option<OpenId>,
    /// When they first logged in, milliseconds.
    pub created: u64,
    /// When they were last here, milliseconds; exact to an hour.
    pub seen: u64,
    /// Their sessions.
    #[serde(default)]
    pub sessions: Vec<Session>,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Of its key.
    pub digest: Digest,
    /// WeChat's own `session_key`, which never leaves the Worker.
    #[serde(serialize_with = "expose", deserialize_with = "conceal")]
    pub session_key: Secret,
    /// When it began, milliseconds.
    pub created: u64,
    /// When it was last used, milliseconds; exact to an hour.
    pub seen: u64,
}

impl Session {
    /// When it ends unless it is used, milliseconds.
    fn ends(&self) -> u64 {
        (self.seen + IDLE).min(self.created + LONGEST)
    }
}

impl Holder {
    /// Somebody who logs in for the first time.
    pub fn new(openid: OpenId, now: u64) -> Self {
        Self { openid, unionid: None, created: now, seen: now, sessions: Vec::new() }
    }

    /// They logged in.
    pub fn begin(&mut self, digest: Digest, session_key: Secret, unionid: Option<OpenId>, now: u64) {
        self.expire(now);
        if self.sessions.len() >= SESSIONS {
            let oldest = self.sessions.iter().enumerate().min_by_key(|(_, session)| session.seen);
            if let Some((index, _)) = oldest {
                self.sessions.remove(index);
            }
        }
        self.sessions.push(Session { digest, session_key, created: now, seen: now });
        self.seen = now;
        // A Mini Program that is no longer bound to an Open Platform account tells none; it is still true.
        self.unionid = unionid.or(self.unionid.take());
    }

    /// The session with this digest, if it has not ended.
    pub fn session(&self, digest: &Digest, now: u64) -> Option<&Session> {
        self.sessions.iter().find(|session| session.digest == *digest && now < session.ends())
    }

    /// A session was used; whether that is worth being stored.
    pub fn touch(&mut self, digest: &Digest, now: u64) -> bool {
        let session = self.sessions.iter_mut().find(|session| session.digest == *digest);
        let Some(session) = session.filter(|session| now >= session.seen + SEEN_EVERY) else { return false };
        session.seen = now;
        self.seen = now;
        true
    }

    /// They logged out, there.
    pub fn end(&mut self, digest: &Digest) {
        self.sessions.retain(|session| session.digest != *digest);
    }

    /// Drops the sessions that have ended.
    pub fn expire(&mut self, now: u64) {
        self.sessions.retain(|session| now < session.ends());
    }

    /// When the next session ends, milliseconds.
    pub fn next_expiry(&self) -> Option<u64> {
        self.sessions.iter().map(Session::ends).min()
    }
}
