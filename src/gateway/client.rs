//! The programs that use the account through this Worker (configuration `API_CLIENTS`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::{Digest, mac};
use crate::platform::Millis;
use crate::wechat::signature::same;
use crate::wechat::{Secret, api::ApiError};

/// Characters of an id: WeChat's AppIDs have 18.
const ID_LENGTH: usize = 64;
/// A client's token lives for this long, seconds: as long as one of WeChat's.
/// <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>
pub const TOKEN_LIFE: u64 = 7_200;
/// What the key of the tokens is for.
const TOKEN_PURPOSE: &str = "client-token";
/// Calls per minute of a client that says nothing else.
const PER_MINUTE: u32 = 600;

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look at what changes nothing and is about no person.
    Read,
    /// Send to one person: customer-service, template and subscribe messages.
    Message,
    /// Change the menu.
    Menu,
    /// Change media, material, drafts and what is published.
    Media,
    /// Send to many.
    Mass,
    /// See and change what is known of people: users, tags, the blacklist, statistics.
    User,
    /// All of that, and whatever has no scope of its own.
    Everything,
}

/// One program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// What it sends as `appid`.
    pub id: String,
    /// SHA-256 of what it sends as `secret`.
    pub secret: Digest,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Calls per minute.
    pub per_minute: u32,
    /// It gets the account's own access token and calls WeChat itself, beyond all scopes and limits.
    pub raw_token: bool,
}

/// One entry of `API_CLIENTS`, as it is written.
#[derive(Deserialize)]
struct Entry {
    id: String,
    secret_sha256: String,
    scopes: Vec<Scope>,
    per_minute: Option<u32>,
    #[serde(default)]
    raw_token: bool,
}

impl Client {
    /// Whether it may do what needs `scope`.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|own| *own == scope || *own == Scope::Everything)
    }

    /// A token of ours for this client: `<id>.<end, seconds>.<random>.<mac>`. Nothing is stored of it; it dies when the
    /// client's or the account's secret is changed.
    pub fn token(&self, account: &Secret, now: Millis, random: [u8; 16]) -> String {
        let [a, b, c, d, e, f, g, h, ..] = random;
        let random = hex::encode([a, b, c, d, e, f, g, h]);
        let text = format!("{}.{}.{random}", self.id, now / 1_000 + TOKEN_LIFE);
        let mac = self.token_mac(account, &text);
        [text.as_str(), mac.as_str()].join(".")
    }

    fn token_mac(&self, account: &Secret, text: &str) -> String {
        mac(account.expose(), TOKEN_PURPOSE, &[self.secret.as_str(), text].join("."))
    }
}

/// The client that shows this token.
///
/// # Errors
/// What WeChat says of such a token: 41001 there is none, 42001 it ended, 40001 it is no token of a client of ours.
pub fn by_token<'a>(
    clients: &'a [Client],
    account: &Secret,
    token: &str,
    now: Millis,
) -> Result<&'a Client, ApiError> {
    if token.is_empty() {
        return Err(ApiError::new(41001, "access_token missing"));
    }
    opened(clients, account, token)
        .ok_or_else(|| ApiError::new(40001, "invalid credential, access_token is invalid or not latest"))
        .and_then(|(client, end)| {
            if now / 1_000 < end { Ok(client) } else { Err(ApiError::new(42001, "access_token expired")) }
        })
}

/// Whose token it is and when it ends, if it is one.
fn opened<'a>(clients: &'a [Client], account: &Secret, token: &str) -> Option<(&'a Client, u64)> {
    let (text, given) = token.rsplit_once('.')?;
    // An id may have dots in it.
    let (id_and_end, _) = text.rsplit_once('.')?;
    let (id, end) = id_and_end.rsplit_once('.')?;
    let client = by_id(clients, id)?;
    let genuine = same(client.token_mac(account, text).as_bytes(), given.as_bytes());
    Some((client, end.parse().ok()?)).filter(|_| genuine)
}

/// The client with this id.
pub fn by_id<'a>(clients: &'a [Client], id: &str) -> Option<&'a Client> {
    clients.iter().find(|client| client.id == id)
}

/// Reads `API_CLIENTS`: the clients that are in order, and in words for the operator what is wrong with the others. No
/// text repeats what could be a secret.
pub fn parse(json: &str) -> (Vec<Client>, Vec<String>) {
    let Ok(Value::Array(entries)) = crate::json::value(json.as_bytes()) else {
        return (Vec::new(), vec!["is not a JSON list, so no client is served".to_owned()]);
    };
    let (mut clients, mut faults): (Vec<Client>, Vec<String>) = Default::default();
    for (index, entry) in entries.iter().enumerate() {
        let number = index + 1;
        match client(entry) {
            Ok(client) if by_id(&clients, &client.id).is_some() => {
                faults.push(format!("client number {number}: there is another with this id, so it is off"));
            }
            Ok(client) => clients.push(client),
            Err(fault) => faults.push(format!("client number {number} {fault}, so it is off")),
        }
    }
    (clients, faults)
}

/// One client, or what is wrong with it.
fn client(entry: &Value) -> Result<Client, String> {
    let entry: Entry = crate::json::from_exact(entry).map_err(|error| format!("cannot be read: {error}"))?;
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    if !(1..=ID_LENGTH).contains(&entry.id.len()) || !entry.id.bytes().all(fine) {
        return Err("has an id that is not 1 to 64 of A-Z a-z 0-9 . _ ~ -".to_owned());
    }
    let secret =
        Digest::parse(&entry.secret_sha256).ok_or("has a secret_sha256 that is not 64 hexadecimal digits")?;
    if entry.raw_token && !entry.scopes.contains(&Scope::Everything) {
        return Err("has raw_token, which needs the scope everything".to_owned());
    }
    Ok(Client {
        id: entry.id,
        secret,
        scopes: entry.scopes,
        per_minute: entry.per_minute.unwrap_or(PER_MINUTE),
        raw_token: entry.raw_token,
    })
}
