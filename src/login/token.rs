//! The tokens that a website gets: signed JSON.
//! <https://www.rfc-editor.org/rfc/rfc7519>

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::client::Client;
use super::request::AuthRequest;
use super::session::Answer;
use super::{base64url, from_base64url, origin};
use crate::platform::Algorithm;

/// ID tokens and access tokens live this long, seconds.
pub const LIFETIME: u64 = 1_800;
/// How far a clock may be from ours, seconds.
const LEEWAY: u64 = 60;
/// Bytes of a token that is looked at.
const LENGTH: usize = 8_192;

/// What a token is for. It is written in its header, so that none can be used as the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Tells a website who somebody is: <https://openid.net/specs/openid-connect-core-1_0.html#IDToken>.
    #[serde(rename = "JWT")]
    Id,
    /// Opens `/userinfo`: <https://www.rfc-editor.org/rfc/rfc9068>.
    #[serde(rename = "at+jwt")]
    Access,
}

/// What an ID token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdClaims {
    /// The Worker's origin.
    pub iss: String,
    /// The person, as the client knows them.
    pub sub: String,
    /// The client's id.
    pub aud: String,
    /// When it ends, seconds.
    pub exp: u64,
    /// When it was made, seconds.
    pub iat: u64,
    /// When the person showed who they are, seconds.
    pub auth_time: u64,
    /// The website's `nonce`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The method by which they did.
    pub amr: Vec<String>,
    /// Binds the access token that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// What is known of the person.
    #[serde(flatten)]
    pub profile: Profile,
}

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The Worker's origin.
    pub iss: String,
    /// The person, as the client knows them.
    pub sub: String,
    /// Where it is accepted: the address of `/userinfo`.
    pub aud: String,
    /// When it ends, seconds.
    pub exp: u64,
    /// When it was made, seconds.
    pub iat: u64,
    /// No other token has it.
    pub jti: String,
    /// The client that got it.
    pub client_id: String,
    /// What it is good for.
    pub scope: String,
    /// The attempt that it came from, which knows whether it was taken back.
    pub sid: String,
    /// What is known of the person: the attempt forgets it before the token ends.
    #[serde(flatten)]
    pub profile: Profile,
}

/// What is known of a person besides their id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// With the scope `profile`: what they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// With the scope `profile`: the address of their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// With `synthetic_email`: the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// With `synthetic_email`: an address that no mail reaches.
    /// <https://www.rfc-editor.org/rfc/rfc2606#section-2>
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Always `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
}

/// What a login gives a client: everything about it that tokens are made of.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The Worker's origin.
    pub issuer: &'a str,
    /// The attempt's name.
    pub id: &'a str,
    /// The client.
    pub client: &'a Client,
    /// What it asked for.
    pub request: &'a AuthRequest,
    /// Who answered.
    pub answer: &'a Answer,
    /// What the client knows them by.
    pub sub: &'a str,
    /// Milliseconds.
    pub now: u64,
}

impl Login<'_> {
    /// What the ID token says; `at_hash` comes with the access token.
    pub fn id_claims(&self) -> IdClaims {
        let iat = self.now / 1_000;
        IdClaims {
            iss: self.issuer.to_owned(),
            sub: self.sub.to_owned(),
            aud: self.client.id.clone(),
            exp: iat + LIFETIME,
            iat,
            auth_time: self.answer.at / 1_000,
            nonce: self.request.nonce.clone(),
            amr: vec![self.answer.by.name().to_owned()],
            at_hash: None,
            profile: self.profile(),
        }
    }

    /// What the access token says; `random` makes it different from all others.
    pub fn access_claims(&self, random: [u8; 16]) -> AccessClaims {
        let iat = self.now / 1_000;
        AccessClaims {
            iss: self.issuer.to_owned(),
            sub: self.sub.to_owned(),
            aud: audience(self.issuer),
            exp: iat + LIFETIME,
            iat,
            jti: hex::encode(random),
            client_id: self.client.id.clone(),
            scope: self.scope().to_owned(),
            sid: self.id.to_owned(),
            profile: self.profile(),
        }
    }

    /// What was granted.
    pub fn scope(&self) -> &'static str {
        if self.request.profile { "openid profile" } else { "openid" }
    }

    fn profile(&self) -> Profile {
        let identity = &self.answer.identity;
        let asked = |text: &Option<String>| text.clone().filter(|_| self.request.profile);
        let host = origin::host(self.issuer).split(':').next().unwrap_or_default();
        let email = self.client.synthetic_email.then(|| format!("{}@{host}.invalid", self.sub));
        Profile {
            name: asked(&identity.name),
            picture: asked(&identity.picture),
            preferred_username: email.as_ref().map(|_| self.sub.to_owned()),
            email_verified: email.as_ref().map(|_| false),
            email,
        }
    }
}

/// Where access tokens of this issuer are accepted.
pub fn audience(issuer: &str) -> String {
    format!("{issuer}/userinfo")
}

/// Binds an access token to the ID token beside it, by RS256 as by ES256.
/// <https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken>
pub fn at_hash(access_token: &str) -> String {
    let digest = Sha256::digest(access_token.as_bytes());
    base64url(digest.get(..16).unwrap_or_default())
}

/// What is signed: header and claims. The signature follows it after a dot.
pub fn signing_input(kind: Kind, algorithm: Algorithm, kid: &str, claims: &Value) -> String {
    let part = |json: &Value| base64url(crate::json::text(json).as_bytes());
    format!(
        "{}.{}",
        part(
            &crate::json::json!({ "alg": crate::json::of(&algorithm), "typ": crate::json::of(&kind), "kid": kid })
        ),
        part(claims)
    )
}

/// The token of what was signed.
pub fn signed(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", base64url(signature))
}

/// A token that was read; nobody has looked at its signature yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// What its key signs by.
    pub algorithm: Algorithm,
    /// The key, a JWK of ours.
    pub key: Value,
    /// What was signed.
    pub input: String,
    /// The signature.
    pub signature: Vec<u8>,
    /// What it says.
    claims: Value,
}

/// What a token's header says of itself. Keys that it brings along are not looked at.
#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    typ: Kind,
    kid: String,
    crit: Option<Value>,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// It is no token of this kind.
    Shape,
    /// No key of ours has this name and signs by this algorithm.
    Key,
    /// The key did not sign it.
    Signature,
    /// Another issuer made it, or it is meant for somebody else.
    Meant,
    /// It has ended, or begins in the future.
    Time,
}

/// Reads a token of `kind` and finds its key in `keys`, a JWK set of ours. What the header calls its algorithm counts
/// only if the key is one for it, so neither `none` nor an HMAC with the public key as its secret gets through.
/// <https://www.rfc-editor.org/rfc/rfc8725#section-3.1>
///
/// # Errors
/// [`Bad::Shape`], [`Bad::Key`]
pub fn read(token: &str, kind: Kind, keys: &Value) -> Result<Unverified, Bad> {
    let (input, signature) = token.rsplit_once('.').ok_or(Bad::Shape)?;
    let (header, claims) = input.split_once('.').ok_or(Bad::Shape)?;
    let json = |part: &str| from_base64url(part).ok_or(Bad::Shape);
    if token.len() > LENGTH {
        return Err(Bad::Shape);
    }
    let header = crate::json::value(&json(header)?).map_err(|_| Bad::Shape)?;
    let header: Header = crate::json::from_value(&header).map_err(|_| Bad::Shape)?;
    if header.typ != kind || header.crit.is_some() {
        return Err(Bad::Shape);
    }
    let named = |key: &&Value| key.get("kid").and_then(Value::as_str) == Some(&header.kid);
    let key = keys.get("keys").and_then(Value::as_array).into_iter().flatten().find(named);
    let fits = |key: &&Value| key.get("alg") == Some(&crate::json::of(&header.alg));
    let key = key.filter(fits).ok_or(Bad::Key)?.clone();
    let claims = crate::json::value(&json(claims)?).map_err(|_| Bad::Shape)?;
    let signature = json(signature)?;
    Ok(Unverified { algorithm: header.alg, key, input: input.to_owned(), signature, claims })
}

impl Unverified {
    /// What an access token says, once its signature was found to be right.
    ///
    /// # Errors
    /// [`Bad`]
    pub fn access(self, issuer: &str, now: u64) -> Result<AccessClaims, Bad> {
        let claims: AccessClaims = crate::json::from_value(&self.claims).map_err(|_| Bad::Shape)?;
        if claims.iss != issuer || claims.aud != audience(issuer) {
            return Err(Bad::Meant);
        }
        in_time(claims.iat, claims.exp, now).map(|()| claims)
    }

    /// What an ID token says, once its signature was found to be right. It may have ended long ago.
    ///
    /// # Errors
    /// [`Bad`]
    pub fn id(self, issuer: &str) -> Result<IdClaims, Bad> {
        let claims: IdClaims = crate::json::from_value(&self.claims).map_err(|_| Bad::Shape)?;
        if claims.iss == issuer { Ok(claims) } else { Err(Bad::Meant) }
    }
}

/// `now` in milliseconds.
fn in_time(iat: u64, exp: u64, now: u64) -> Result<(), Bad> {
    let now = now / 1_000;
    if iat <= now + LEEWAY && now < exp + LEEWAY { Ok(()) } else { Err(Bad::Time) }
}
