//! The simulated account's settings: the same four names that the console and every backend use.

use std::fmt;

use wxapi::wechat::crypto::EncodingAesKey;

use crate::ids;
use crate::platform::api::App;
use crate::platform::errcode::{self, Errcode};

/// The AppID when none is configured: enough for everything but encryption and tokens.
const DEFAULT_APP_ID: &str = "wx73696d756c617465";

/// Token, AppID, AppSecret and key of the account that is simulated, or of its Mini Program.
#[derive(Clone)]
pub struct Account {
    /// Which of the two it is.
    pub app: App,
    /// The Token of the console; signs every push.
    pub token: String,
    /// The AppID (`wx…`).
    pub app_id: String,
    /// The original id (`gh_…`), made from the AppID: what pushes call the account.
    pub original_id: String,
    /// The AppSecret, if tokens are to be had.
    pub app_secret: Option<String>,
    /// The EncodingAESKey, if pushes can be encrypted.
    pub aes_key: Option<EncodingAesKey>,
    /// The Mini Program that belongs to the account, if there is one.
    pub mini: Option<MiniApp>,
    /// The website application, if websites can be logged in to.
    pub open_app: Option<OpenApp>,
}

/// A Mini Program.
#[derive(Clone)]
pub struct MiniApp {
    /// Its AppID (`wx…`).
    pub app_id: String,
    /// Its AppSecret.
    pub app_secret: String,
    /// Its original id (`gh_…`), made from the AppID.
    pub original_id: String,
    /// The Token of its own message push, if it has one.
    pub token: Option<String>,
    /// The EncodingAESKey of its own message push.
    pub aes_key: Option<EncodingAesKey>,
}

/// Never shows the AppSecret, the Token and the key.
impl fmt::Debug for MiniApp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MiniApp({})", self.app_id)
    }
}

/// A website application of the Open Platform account that the Official Account is bound to.
///
/// <https://developers.weixin.qq.com/doc/oplatform/developers/dev/auth/web.html>
#[derive(Clone)]
pub struct OpenApp {
    /// Its AppID, another one than the account's.
    pub app_id: String,
    /// Its AppSecret.
    pub secret: String,
}

/// Never shows what a setting is, only that it is there.
impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = self.app_secret.is_some();
        let key = self.aes_key.is_some();
        write!(formatter, "Account({}, secret: {secret}, key: {key})", self.app_id)
    }
}

/// What is wrong with the settings, in words for the person who wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError(pub String);

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl Account {
    /// Reads `WECHAT_TOKEN`, `APP_ID`, `APP_SECRET`, `ENCODING_AES_KEY`, `MINI_APP_ID`, `MINI_APP_SECRET`,
    /// `MINI_TOKEN`, `MINI_ENCODING_AES_KEY`, `OPEN_APP_ID` and `OPEN_APP_SECRET`; empty is the same as absent.
    ///
    /// # Errors
    /// No token, a key that is none, a key without an AppID or a Token, half a Mini Program, or half a website
    /// application.
    pub fn from_settings(setting: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let filled = |name: &str| setting(name).filter(|value| !value.is_empty());
        let token = filled("WECHAT_TOKEN").ok_or_else(|| {
            SettingsError(
                "WECHAT_TOKEN is not set: put it into .dev.vars, or into the environment".to_owned(),
            )
        })?;
        let aes_key = aes_key(filled, "ENCODING_AES_KEY")?;
        let app_id = filled("APP_ID");
        if aes_key.is_some() && app_id.is_none() {
            return Err(SettingsError(
                "ENCODING_AES_KEY needs APP_ID: it is part of every encrypted message".to_owned(),
            ));
        }
        let app_id = app_id.unwrap_or_else(|| DEFAULT_APP_ID.to_owned());
        let original_id = ids::original_id(&app_id);
        let mini = mini_app(filled, &app_id)?;
        let open_app = other_app(filled, "OPEN", "a website application", &app_id)?
            .map(|(app_id, secret)| OpenApp { app_id, secret });
        let app_secret = filled("APP_SECRET");
        Ok(Self { app: App::Official, token, app_id, original_id, app_secret, aes_key, mini, open_app })
    }

    /// The Mini Program as an account of its own: what its messages are signed and sealed with. Absent if it has no
    /// message push, or is not there.
    pub fn as_mini(&self) -> Option<Self> {
        let mini = self.mini.clone()?;
        Some(Self {
            app: App::Mini,
            token: mini.token?,
            app_id: mini.app_id,
            original_id: mini.original_id,
            app_secret: Some(mini.app_secret),
            aes_key: mini.aes_key,
            mini: None,
            open_app: None,
        })
    }

    /// Which app these secrets belong to.
    ///
    /// # Errors
    /// 40013 for another AppID, 40125 for a wrong secret.
    pub fn app(&self, app_id: &str, secret: &str) -> Result<App, Errcode> {
        let mini = self.mini.as_ref().filter(|mini| mini.app_id == app_id);
        let (app, right) = match mini {
            Some(mini) => (App::Mini, Some(mini.app_secret.as_str())),
            None if app_id == self.app_id => (App::Official, self.app_secret.as_deref()),
            None => return Err(errcode::APP_ID),
        };
        if right == Some(secret) { Ok(app) } else { Err(errcode::APP_SECRET) }
    }

    /// The AppID of an app; empty for a Mini Program that there is not.
    pub fn app_id_of(&self, app: App) -> &str {
        match app {
            App::Official => &self.app_id,
            App::Mini => self.mini.as_ref().map(|mini| mini.app_id.as_str()).unwrap_or_default(),
        }
    }
}

/// The Mini Program that the settings name, with its message push.
fn mini_app(
    setting: impl Fn(&str) -> Option<String> + Copy,
    account: &str,
) -> Result<Option<MiniApp>, SettingsError> {
    let (token, aes_key) = (setting("MINI_TOKEN"), aes_key(setting, "MINI_ENCODING_AES_KEY")?);
    let app = other_app(setting, "MINI", "a Mini Program", account)?;
    let needs = |what: &str, needed: &str| Err(SettingsError(format!("{what} needs {needed}")));
    if token.is_some() && app.is_none() {
        return needs("MINI_TOKEN", "MINI_APP_ID");
    }
    if aes_key.is_some() && token.is_none() {
        return needs("MINI_ENCODING_AES_KEY", "MINI_TOKEN");
    }
    Ok(app.map(|(app_id, app_secret)| {
        let original_id = ids::original_id(&app_id);
        MiniApp { app_id, app_secret, original_id, token, aes_key }
    }))
}

fn aes_key(
    setting: impl Fn(&str) -> Option<String>,
    name: &str,
) -> Result<Option<EncodingAesKey>, SettingsError> {
    let parse = |text: String| {
        EncodingAesKey::parse(&text).map_err(|error| SettingsError(format!("{name}: {error}")))
    };
    setting(name).map(parse).transpose()
}

/// The AppID and AppSecret of another app than the account, whose settings begin with `name`; `what` it is has an
/// AppID of its own.
///
/// # Errors
/// One without the other, or the account's own AppID.
fn other_app(
    setting: impl Fn(&str) -> Option<String>,
    name: &str,
    what: &str,
    account: &str,
) -> Result<Option<(String, String)>, SettingsError> {
    let [id, secret] = ["ID", "SECRET"].map(|end| format!("{name}_APP_{end}"));
    match (setting(&id), setting(&secret)) {
        (Some(app_id), _) if app_id == account => {
            Err(SettingsError(format!("{id} is the account's own APP_ID: {what} has another")))
        }
        (Some(app_id), Some(app_secret)) => Ok(Some((app_id, app_secret))),
        (None, None) => Ok(None),
        _ => Err(SettingsError(format!("{id} and {secret} need each other"))),
    }
}

/// Reads a file of `NAME=value` lines: comments, `export`, and quotes as in wrangler's `.dev.vars`.
pub fn parse_vars(text: &str) -> Vec<(String, String)> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    if name.is_empty() || name.starts_with('#') {
        return None;
    }
    Some((name.to_owned(), unquote(value.trim())))
}

/// Quotes keep everything between them; without quotes, ` #` starts a comment.
fn unquote(value: &str) -> String {
    for quote in ['"', '\'', '`'] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside.to_owned();
        }
    }
    let end = value.find(" #").unwrap_or(value.len());
    value.get(..end).unwrap_or(value).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

    fn read(text: &str) -> Result<Account, SettingsError> {
        let vars = parse_vars(text);
        Account::from_settings(|name| vars.iter().find(|pair| pair.0 == name).map(|pair| pair.1.clone()))
    }

    #[test]
    fn a_vars_file_as_people_write_them() {
        let text = "# local\nexport WECHAT_TOKEN=\"to#ken\" # mine\nAPP_ID = wx1 # id\n\nAPP_SECRET='s=3'\n#X=1\nnonsense\n";
        let expected = [("WECHAT_TOKEN", "to#ken"), ("APP_ID", "wx1"), ("APP_SECRET", "s=3")];
        let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(parse_vars(text), expected);
    }

    #[test]
    fn a_token_is_enough_for_plain_messages() {
        let account = read("WECHAT_TOKEN=t\nAPP_SECRET=\n").unwrap();
        assert_eq!(account.app_id, DEFAULT_APP_ID);
        assert!(account.app_secret.is_none() && account.aes_key.is_none());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, named) in [
            ("APP_ID=wx1", "WECHAT_TOKEN"),
            ("WECHAT_TOKEN=t\nAPP_ID=wx1\nENCODING_AES_KEY=short", "43 characters"),
            (&format!("WECHAT_TOKEN=t\nENCODING_AES_KEY={KEY}"), "APP_ID"),
            ("WECHAT_TOKEN=t\nMINI_APP_ID=wx2", "MINI_APP_SECRET"),
            ("WECHAT_TOKEN=t\nAPP_ID=wx1\nMINI_APP_ID=wx1\nMINI_APP_SECRET=s", "another"),
            ("WECHAT_TOKEN=t\nMINI_TOKEN=t", "MINI_APP_ID"),
            (
                &format!("WECHAT_TOKEN=t\nMINI_APP_ID=wx1\nMINI_APP_SECRET=s\nMINI_ENCODING_AES_KEY={KEY}"),
                "MINI_TOKEN",
            ),
            ("WECHAT_TOKEN=t\nMINI_ENCODING_AES_KEY=short", "MINI_ENCODING_AES_KEY: "),
            ("WECHAT_TOKEN=t\nOPEN_APP_ID=wx2", "OPEN_APP_SECRET"),
            ("WECHAT_TOKEN=t\nAPP_ID=wx1\nOPEN_APP_ID=wx1\nOPEN_APP_SECRET=s", "website"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let account =
            read(&format!("WECHAT_TOKEN=t0ken\nAPP_ID=wx1\nAPP_SECRET=s3cret\nENCODING_AES_KEY={KEY}"));
        assert_eq!(format!("{:?}", account.unwrap()), "Account(wx1, secret: true, key: true)");
    }
}
