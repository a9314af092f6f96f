//! The settings of the login to websites.

use super::Reader;
use crate::login::client::Client;
use crate::login::method::Abilities;
use crate::wechat::callback::Keys;
use crate::wechat::{AppId, Secret};

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
    _reader: &mut Reader<F>,
    _keys: Option<&Keys>,
    _has_account: bool,
) -> Login {
    Login::default()
}
