//! The websites that may log people in (configuration `LOGIN_CLIENTS`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::method::Method;
use super::{Digest, origin};
use crate::platform::Algorithm;

/// Characters of an id, and of a sector.
const ID_LENGTH: usize = 64;
/// Characters of a name: what a phone shows on one line.
const NAME_LENGTH: usize = 40;
/// What an answer adds to a redirect address; one that has such a parameter already could be read in two ways.
const ANSWERS: [&str; 6] = ["code", "state", "iss", "error", "error_description", "id_token"];

/// One website.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id` of OAuth.
    pub id: String,
    /// What people read on the login page.
    pub name: String,
    /// Where its pages are: `https://blog.example.com`, exactly as browsers write an origin.
    pub origins: Vec<String>,
    /// Where people may be sent back to, compared byte for byte.
    pub redirect_uris: Vec<String>,
    /// Where people may be sent after a logout.
    pub post_logout_redirect_uris: Vec<String>,
    /// SHA-256 of its `client_secret`; `None` for a website that can keep no secret.
    pub secret: Option<Digest>,
    /// The one method that it wants; `None` leaves the choice to the page.
    pub method: Option<Method>,
    /// What it knows people by.
    pub subject_type: SubjectType,
    /// Clients with the same sector know a person by the same id; its own `id` by default.
    pub sector: String,
    /// What signs its ID tokens.
    pub algorithm: Algorithm,
    /// After a confirmation in the chat, a number must be typed in the browser too.
    pub strict: bool,
    /// Gives people an address at `.invalid`, for programs that refuse those without one.
    pub synthetic_email: bool,
}

/// What a website knows people by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// An id that no other website has.
    #[default]
    Pairwise,
    /// The openid itself: for those who come from an older system.
    Public,
}

/// One entry of `LOGIN_CLIENTS`, as it is written.
#[derive(Deserialize)]
struct Entry {
    id: String,
    name: Option<String>,
    #[serde(default)]
    origins: Vec<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    secret_sha256: Option<Value>,
    method: Option<String>,
    #[serde(default)]
    subject_type: SubjectType,
    sector: Option<String>,
    id_token_alg: Option<Algorithm>,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    synthetic_email: bool,
}

impl Client {
    /// Whether `secret` is its `client_secret`; nothing is, for a website that has none.
    pub fn knows(&self, secret: &str) -> bool {
        self.secret.as_ref().is_some_and(|known| known.is_of(secret))
    }

    /// Whether people may be sent to `address`: one of its own, byte for byte.
    pub fn has_redirect(&self, address: &str) -> bool {
        self.redirect_uris.iter().any(|known| known == address)
    }

    /// Whether its pages are at `origin`, byte for byte.
    pub fn has_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == origin)
    }
}

/// The website with this id.
pub fn by_id<'a>(clients: &'a [Client], id: &str) -> Option<&'a Client> {
    clients.iter().find(|client| client.id == id)
}

/// The website whose pages are at `origin`; `None` too if that is true of several.
pub fn by_origin<'a>(clients: &'a [Client], origin: &str) -> Option<&'a Client> {
    let mut all = clients.iter().filter(|client| client.has_origin(origin));
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

/// Reads `LOGIN_CLIENTS`: the websites that are in order, and in words for the operator what is wrong with the others.
/// No text repeats what could be a secret.
pub fn parse(json: &str) -> (Vec<Client>, Vec<String>) {
    let entries = match crate::json::value(json.as_bytes()) {
        Ok(Value::Array(entries)) => entries,
        Ok(_) => {
            return (Vec::new(), vec!["is not a JSON list, so login is off".to_owned()]);
        }
        Err(error) => return (Vec::new(), vec![format!("is not JSON ({error}), so login is off")]),
    };
    let (mut clients, mut faults): (Vec<Client>, Vec<String>) = Default::default();
    for (index, entry) in entries.into_iter().enumerate() {
        let name = entry.get("id").and_then(Value::as_str).filter(|id| is_id(id));
        let name = name.map_or(format!("number {}", index + 1), |id| format!("{id:?}"));
        match client(&entry) {
            Ok(client) if by_id(&clients, &client.id).is_some() => {
                faults.push(format!("client {name}: there is another with this id, so the later one is off"));
            }
            Ok(client) => clients.push(client),
            Err(fault) => faults.push(format!("client {name} {fault}, so it is off")),
        }
    }
    let mut shared: Vec<&String> = Vec::new();
    for origin in clients.iter().flat_map(|client| &client.origins) {
        if by_origin(&clients, origin).is_none() && !shared.contains(&origin) {
            shared.push(origin);
        }
    }
    for origin in shared {
        faults.push(format!(
            "the origin {origin} belongs to several clients, so its pages must say their client_id"
        ));
    }
    (clients, faults)
}

/// One website, or what is wrong with it.
fn client(entry: &Value) -> Result<Client, String> {
    let entry: Entry = crate::json::from_exact(entry).map_err(|error| format!("cannot be read: {error}"))?;
    let name = entry.name.unwrap_or_else(|| entry.id.clone());
    let sector = entry.sector.unwrap_or_else(|| entry.id.clone());
    check(is_id(&entry.id), "has an id that is not 1 to 64 of A-Z a-z 0-9 . _ ~ -")?;
    check(is_id(&sector), "has a sector that is not 1 to 64 of A-Z a-z 0-9 . _ ~ -")?;
    check(is_name(&name), "has a name that is empty, longer than 40 characters or with invisible ones")?;
    let secret = entry.secret_sha256.map(|digest| digest.as_str().and_then(Digest::parse).ok_or(()));
    let secret = secret.transpose().map_err(|()| "has a secret_sha256 that is not 64 hexadecimal digits")?;
    let method = entry.method.map(|name| Method::parse(&name).ok_or("has a method that does not exist"));
    let method = method.transpose()?;
    for text in &entry.origins {
        let fault = "is no origin as browsers write it (https://host; http only for localhost)";
        check(origin::is_website(text), &format!("has an entry in origins that {fault}: {text:?}"))?;
    }
    for text in entry.redirect_uris.iter().chain(&entry.post_logout_redirect_uris) {
        let fault = "is no exact https address without a fragment (http only for localhost)";
        check(origin::is_address(text), &format!("has a redirect address that {fault}: {text:?}"))?;
        check(is_answerable(text), &format!("has a redirect address with a parameter of ours: {text:?}"))?;
    }
    let usable = !entry.origins.is_empty() || !entry.redirect_uris.is_empty() || secret.is_some();
    check(usable, "has neither origins nor redirect_uris nor a secret")?;
    Ok(Client {
        id: entry.id,
        name,
        origins: entry.origins,
        redirect_uris: entry.redirect_uris,
        post_logout_redirect_uris: entry.post_logout_redirect_uris,
        secret,
        method,
        subject_type: entry.subject_type,
        sector,
        algorithm: entry.id_token_alg.unwrap_or(Algorithm::Rs256),
        strict: entry.strict,
        synthetic_email: entry.synthetic_email,
    })
}

fn check(fine: bool, fault: &str) -> Result<(), String> {
    if fine { Ok(()) } else { Err(fault.to_owned()) }
}

fn is_id(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    (1..=ID_LENGTH).contains(&text.len()) && text.bytes().all(fine)
}

/// What people can read: no control characters, and none that turn the direction of a text around.
fn is_name(text: &str) -> bool {
    let turning =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    let fine = (1..=NAME_LENGTH).contains(&text.chars().count()) && text.trim() == text;
    fine && !text.chars().any(|c| c.is_control() || c == '\u{feff}' || turning(c))
}

/// Whether an answer can be added to the query without meeting a parameter of the same name.
fn is_answerable(address: &str) -> bool {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    !form_urlencoded::parse(query.as_bytes()).any(|(name, _)| ANSWERS.contains(&name.as_ref()))
}
