//! The settings of the login to websites.

use super::Reader;
use crate::login::client::{self, Client, SubjectType};
use crate::login::method::{Abilities, Method};
use crate::wechat::callback::Keys;
use crate::wechat::{AppId, Secret};

/// Base of the Open Platform's and web authorization's pages.
/// <https://developers.weixin.qq.com/doc/service/guide/h5/auth.html>
const WECHAT_OPEN: &str = "https://open.weixin.qq.com";
const GITHUB: (&str, &str) = ("https://github.com", "https://api.github.com");
/// `LOGIN_METHODS`, unless it is set.
const METHODS: [Method; 5] = [Method::Wechat, Method::Qr, Method::Scene, Method::Open, Method::Code];
/// What `ACCOUNT_TYPE` can be.
const TYPES: [&str; 6] =
    ["subscription", "subscription_verified", "service", "service_verified", "test", "government"];
/// Characters of `SUBJECT_SECRET`, at least: as many as the hexadecimal digits of 128 random bits.
const SECRET_LENGTH: usize = 32;
/// Characters of `ACCOUNT_NAME`, at most.
const NAME_LENGTH: usize = 40;

/// Login to websites.
#[derive(Debug, Default)]
pub struct Login {
    /// `LOGIN_CLIENTS`: who may log people in. Empty: login is off.
    pub clients: Vec<Client>,
    /// What the account can do, and what the operator wants.
    pub abilities: Abilities,
    /// `SUBJECT_SECRET`: what pairwise user ids are made with; `None`: clients that want them are refused.
    pub subject_secret: Option<Secret>,
    /// `SUBJECT_SOURCE=unionid`: people are known by their unionid, which all accounts of one owner share.
    pub by_unionid: bool,
    /// `ACCOUNT_NAME`: what the login page calls the account.
    pub account_name: Option<String>,
    /// `ACCOUNT_QR`: what the account's own QR code says, for those who do not follow it yet.
    pub account_qr: Option<String>,
    /// `WECHAT_OPEN_BASE` without a slash at its end.
    pub wechat_open: String,
    /// `OPEN_APP_ID` and `OPEN_APP_SECRET`: a website application at the Open Platform.
    pub open: Option<Application>,
    /// `GITHUB_CLIENT_ID`, `GITHUB_CLIENT_SECRET` and `GITHUB_BASE_URL`.
    pub github: Option<Github>,
    /// `LOGIN_IN_PLAIN_MODE=allow`: messages that came unencrypted may log in, although anybody who saw one signature
    /// can forge them.
    pub plain_mode: bool,
    /// `LOGIN_RATE_LIMIT`: attempts per address and ten minutes.
    pub rate_limit: usize,
    /// `ACCOUNT_TYPE`, if it is set.
    pub account_type: Option<&'static str>,
    /// `VERIFY_FILES`: names and contents of the files by which WeChat knows a domain's owner.
    pub verify_files: Vec<(String, String)>,
}

impl Login {
    /// Whether any website may log people in.
    pub fn is_on(&self) -> bool {
        !self.clients.is_empty()
    }
}

/// A website application at the Open Platform.
#[derive(Debug)]
pub struct Application {
    /// Its AppID; not the account's.
    pub app_id: AppId,
    /// Its AppSecret.
    pub secret: Secret,
}

/// A GitHub application.
#[derive(Debug)]
pub struct Github {
    /// Its client id.
    pub client_id: String,
    /// Its client secret.
    pub secret: Secret,
    /// `https://github.com`, or where an Enterprise Server is.
    pub web: String,
    /// `https://api.github.com`, or `/api/v3` of an Enterprise Server.
    pub api: String,
}

/// Reads them.
pub(super) fn load<F: Fn(&str) -> Option<String>>(
    reader: &mut Reader<F>,
    keys: Option<&Keys>,
    has_account: bool,
) -> Login {
    let mut login = Login {
        clients: Vec::new(),
        abilities: Abilities::default(),
        plain_mode: choice(reader, "LOGIN_IN_PLAIN_MODE", &["allow"]).is_some(),
        subject_secret: subject_secret(reader),
        by_unionid: choice(reader, "SUBJECT_SOURCE", &["openid", "unionid"]) == Some("unionid"),
        account_name: account_name(reader),
        account_qr: account_qr(reader),
        wechat_open: WECHAT_OPEN.to_owned(),
        open: pair(reader, "OPEN_APP_ID", "OPEN_APP_SECRET")
            .map(|(id, secret)| Application { app_id: AppId::new(id), secret }),
        github: github(reader),
        rate_limit: usize::try_from(reader.number("LOGIN_RATE_LIMIT", 20, 1, 1_000)).unwrap_or(20),
        account_type: None,
        verify_files: verify_files(reader),
    };
    let base =
        reader.base("WECHAT_OPEN_BASE", "is no http or https address, so WeChat's login pages are off");
    let reachable = base.is_ok();
    login.wechat_open = base.ok().flatten().unwrap_or(login.wechat_open);
    login.account_type = choice(reader, "ACCOUNT_TYPE", &TYPES);
    let account = login.account_type.unwrap_or_default();
    login.abilities = abilities(reader, account, keys, has_account && reachable, login.plain_mode);
    login.abilities.open = login.open.is_some() && reachable;
    login.abilities.github = login.github.is_some();
    login.clients = clients(reader, &login);
    login
}

/// The websites, and whether somebody could log in there.
fn clients<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>, login: &Login) -> Vec<Client> {
    const NAME: &str = "LOGIN_CLIENTS";
    let Some(json) = reader.text(NAME) else { return Vec::new() };
    let (mut clients, faults) = client::parse(&json);
    for fault in faults {
        reader.problem(NAME, fault);
    }
    if login.subject_secret.is_none() {
        for client in clients.iter().filter(|client| client.subject_type == SubjectType::Pairwise) {
            let fault = format!("client {:?} needs SUBJECT_SECRET for its user ids, so it is off", client.id);
            reader.problem(NAME, fault);
        }
        clients.retain(|client| client.subject_type == SubjectType::Public);
    }
    let can = |method: &Method| login.abilities.can(*method);
    for client in &clients {
        let Some(method) = client.method.filter(|method| !can(method)) else { continue };
        let (id, method) = (&client.id, method.name());
        let fault = format!("client {id:?} wants the method {method}, which is not allowed or not set up");
        reader.problem(NAME, fault);
    }
    if !clients.is_empty() && !Method::ALL.iter().any(can) {
        reader.problem(
            NAME,
            "is set, but nobody can log in: set ENCODING_AES_KEY, or ACCOUNT_TYPE with APP_SECRET",
        );
    } else if !clients.is_empty() && !login.abilities.chat {
        reader.problem(
            "ENCODING_AES_KEY",
            "is missing, so nobody can log in by messages (LOGIN_IN_PLAIN_MODE=allow for a test)",
        );
    }
    clients
}

/// What the account can do. Everything else is by the settings of its own.
fn abilities<F: Fn(&str) -> Option<String>>(
    reader: &mut Reader<F>,
    account: &str,
    keys: Option<&Keys>,
    has_account: bool,
    plain_mode: bool,
) -> Abilities {
    Abilities {
        // Without encryption, WeChat's signature does not cover the message: whoever has seen one signature could
        // say in anybody's name who they are.
        chat: keys.is_some_and(|keys| keys.current.is_some() || plain_mode),
        oauth: has_account && ["service_verified", "test", "government"].contains(&account),
        scene: has_account && ["service_verified", "test"].contains(&account),
        open: false,
        github: false,
        allowed: methods(reader),
    }
}

/// `LOGIN_METHODS`, in the operator's order.
fn methods<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Vec<Method> {
    let Some(text) = reader.text("LOGIN_METHODS") else { return METHODS.to_vec() };
    let mut methods = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match Method::parse(name) {
            Some(method) if methods.contains(&method) => {}
            Some(method) => methods.push(method),
            None => {
                reader.problem("LOGIN_METHODS", format!("names {name:?}, which is no method; it is left out"))
            }
        }
    }
    methods
}

fn subject_secret<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Option<Secret> {
    let secret = reader.secret("SUBJECT_SECRET")?;
    if secret.chars().count() < SECRET_LENGTH {
        reader.problem("SUBJECT_SECRET", "is shorter than 32 characters, so it counts as missing");
        return None;
    }
    Some(Secret::new(secret))
}

/// A setting with few values; `None` if it is not set or not one of them.
fn choice<F: Fn(&str) -> Option<String>>(
    reader: &mut Reader<F>,
    name: &'static str,
    values: &[&'static str],
) -> Option<&'static str> {
    let given = reader.text(name)?;
    let found = values.iter().find(|value| **value == given).copied();
    if found.is_none() {
        reader.problem(name, format!("is none of {}, so it counts as not set", values.join(", ")));
    }
    found
}

/// An id and its secret, which are of no use without each other.
fn pair<F: Fn(&str) -> Option<String>>(
    reader: &mut Reader<F>,
    id: &'static str,
    secret: &'static str,
) -> Option<(String, Secret)> {
    match (reader.secret(id), reader.secret(secret)) {
        (Some(id), Some(secret)) => Some((id, Secret::new(secret))),
        (None, None) => None,
        (Some(_), None) => {
            reader.problem(secret, format!("is missing, so {id} cannot be used"));
            None
        }
        (None, Some(_)) => {
            reader.problem(id, format!("is missing, so {secret} cannot be used"));
            None
        }
    }
}

fn github<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Option<Github> {
    let pair = pair(reader, "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET");
    let base = reader.base("GITHUB_BASE_URL", "is no http or https address, so the login by GitHub is off");
    let ((client_id, secret), base) = (pair?, base.ok()?);
    let (web, api) = match base {
        // <https://docs.github.com/en/enterprise-server@3.18/rest/using-the-rest-api/getting-started-with-the-rest-api>
        Some(base) => (base.clone(), format!("{base}/api/v3")),
        None => (GITHUB.0.to_owned(), GITHUB.1.to_owned()),
    };
    Some(Github { client_id, secret, web, api })
}

fn account_name<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Option<String> {
    let name = reader.text("ACCOUNT_NAME")?;
    if name.chars().count() > NAME_LENGTH || name.chars().any(char::is_control) {
        reader.problem(
            "ACCOUNT_NAME",
            "is longer than 40 characters or has invisible ones, so it is not shown",
        );
        return None;
    }
    Some(name)
}

fn account_qr<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Option<String> {
    reader
        .base("ACCOUNT_QR", "is no http or https address, so the account's QR code is not shown")
        .ok()
        .flatten()
}

/// `name.txt=content, …`: WeChat gives `MP_verify_<x>.txt`, which says `<x>`, or `<x>.txt`, which says something else.
fn verify_files<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Vec<(String, String)> {
    const NAME: &str = "VERIFY_FILES";
    let text = reader.text(NAME).unwrap_or_default();
    let mut files = Vec::new();
    for (index, file) in text.split(',').map(str::trim).filter(|file| !file.is_empty()).enumerate() {
        let letters = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        };
        let pair = file.split_once('=').map(|(name, content)| (name.trim(), content.trim()));
        match pair
            .filter(|(name, content)| name.strip_suffix(".txt").is_some_and(letters) && letters(content))
        {
            Some((name, content)) => files.push((name.to_owned(), content.to_owned())),
            None => {
                reader.problem(NAME, format!("entry {} is not name.txt=content; it is left out", index + 1))
            }
        }
    }
    files
}
