//! Which keys sign, which are shown, and when they change. A key is
//!
//! 1. made and shown: [`SHOWN_BEFORE`] before it signs, so that whoever keeps the key set for a day has it by then.
//!    The very first one of an algorithm signs at once
//! 2. the one that signs, for [`ROTATED_AFTER`]
//! 3. shown [`SHOWN_AFTER`] longer, while something that it signed may live
//! 4. deleted
//!
//! Nothing happens by itself: whoever asks for a key makes the ring do what is due.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{base64url, token};
use crate::json::{Put, json};
use crate::platform::{Algorithm, KeyPair};
use crate::wechat::Secret;

/// What the object with the keys can be asked: JSON between objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// The JWK set, in which there is a key for each of these. Answer: the set itself.
    Shown {
        /// What clients have their tokens signed by.
        algorithms: Vec<Algorithm>,
    },
    /// Sign. Answer: [`Signed`].
    Sign(Box<Unsigned>),
}

/// What is to be signed for one login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsigned {
    /// By what.
    pub algorithm: Algorithm,
    /// What the ID token says; `at_hash` follows from the access token.
    pub id: token::IdClaims,
    /// What the access token says, if there shall be one.
    pub access: Option<token::AccessClaims>,
}

/// Tokens of one login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The ID token.
    pub id_token: String,
    /// The access token, if one was asked for.
    pub access_token: Option<String>,
}

/// The name of the only object with keys.
pub const NAME: &str = "keys";
const DAY: u64 = 86_400_000;
/// A key signs for so long, milliseconds.
pub const ROTATED_AFTER: u64 = 90 * DAY;
/// A key is shown so long before it signs, milliseconds. Many clients keep a key set for a day.
pub const SHOWN_BEFORE: u64 = 2 * DAY;
/// A key is shown so long after it signed last, milliseconds: while its tokens live, and an hour for slow clocks.
pub const SHOWN_AFTER: u64 = token::LIFETIME * 1_000 + 3_600_000;

/// Every key. Its shape is pinned by a test and described in `docs/storage.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// In the order in which they were made.
    #[serde(default)]
    pub keys: Vec<Key>,
}

/// One pair of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its name, made of its public half: <https://www.rfc-editor.org/rfc/rfc7638>.
    pub kid: String,
    /// What it signs by.
    pub algorithm: Algorithm,
    /// What signs.
    #[serde(serialize_with = "expose", deserialize_with = "conceal")]
    pub private: Secret,
    /// What verifies: a JWK with no more than the public members.
    pub public: Value,
    /// When it begins to sign, milliseconds.
    pub begins: u64,
}

impl Ring {
    /// The key that signs by `algorithm` now: the last that has begun. Should the clock have been set back, the first.
    pub fn signer(&self, algorithm: Algorithm, now: u64) -> Option<&Key> {
        let all = || self.keys.iter().filter(|key| key.algorithm == algorithm);
        let begun = all().filter(|key| key.begins <= now).max_by_key(|key| key.begins);
        begun.or_else(|| all().min_by_key(|key| key.begins))
    }

    /// When a key that has to be made now will begin to sign; `None` if there is nothing to do.
    pub fn due(&self, algorithm: Algorithm, now: u64) -> Option<u64> {
        let Some(last) =
            self.keys.iter().filter(|key| key.algorithm == algorithm).map(|key| key.begins).max()
        else {
            return Some(now);
        };
        (now + SHOWN_BEFORE >= last + ROTATED_AFTER).then_some((last + ROTATED_AFTER).max(now + SHOWN_BEFORE))
    }

    /// Takes a new key in. `None`: what was made is not a key of this kind.
    pub fn add(&mut self, algorithm: Algorithm, pair: KeyPair, begins: u64) -> Option<()> {
        let (public, kid) = public_half(algorithm, &pair.public)?;
        self.keys.push(Key { kid, algorithm, private: pair.private, public, begins });
        Some(())
    }

    /// Drops the keys whose tokens have all ended; `true` if there were some.
    pub fn clean(&mut self, now: u64) -> bool {
        let successor = |key: &Key| {
            let later = self.keys.iter().filter(|other| other.algorithm == key.algorithm);
            later.map(|other| other.begins).filter(|begins| *begins > key.begins).min()
        };
        let gone = |key: &Key| successor(key).is_some_and(|begins| now >= begins + SHOWN_AFTER);
        let gone: Vec<String> = self.keys.iter().filter(|key| gone(key)).map(|key| key.kid.clone()).collect();
        self.keys.retain(|key| !gone.contains(&key.kid));
        !gone.is_empty()
    }

    /// The JWK set: <https://www.rfc-editor.org/rfc/rfc7517#section-5>.
    pub fn shown(&self) -> Value {
        json!({ "keys": self.keys.iter().map(Key::shown).collect::<Vec<_>>() })
    }
}

impl Key {
    /// Its public half, with what a client wants to know of it.
    fn shown(&self) -> Value {
        let mut jwk = self.public.clone();
        if let Some(members) = jwk.as_object_mut() {
            members.put("kid", self.kid.as_str().into());
            members.put("use", "sig".into());
            members.put("alg", crate::json::of(&self.algorithm));
        }
        jwk
    }
}

/// The public members of a JWK, and its thumbprint. Whatever else was in it stays out.
/// <https://www.rfc-editor.org/rfc/rfc7638#section-3.2>
fn public_half(algorithm: Algorithm, jwk: &Value) -> Option<(Value, String)> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let canonical = match algorithm {
        Algorithm::Rs256 => {
            let (e, n) = (text("e")?, text("n")?);
            (text("kty")? == "RSA").then(|| format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))?
        }
        Algorithm::Es256 => {
            let (x, y) = (text("x")?, text("y")?);
            let fits = text("kty")? == "EC" && text("crv")? == "P-256";
            fits.then(|| format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#))?
        }
    };
    let kid = base64url(&Sha256::digest(canonical.as_bytes()));
    Some((crate::json::value(canonical.as_bytes()).ok()?, kid))
}

pub(super) fn expose<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

pub(super) fn conceal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}
