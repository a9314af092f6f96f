//! The programs that use the account through this Worker (configuration `API_CLIENTS`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;

/// Characters of an id: WeChat's AppIDs have 18.
const ID_LENGTH: usize = 64;
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
