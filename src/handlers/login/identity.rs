//! Who somebody is, by the code that another's login page gave.

use std::fmt;

use crate::config::login::Github;
use crate::gateway::send::{LARGEST_JSON, SendError, exchange};
use crate::handlers::{App, ask_wechat};
use crate::log::Line;
use crate::login::Digest;
use crate::login::github::{self, Refusal};
use crate::login::method::Method;
use crate::login::session::Failure;
use crate::login::subject::{Identity, Who};
use crate::platform::Platform;
use crate::wechat::api::sns::{self, Grant, UserInfo};
use crate::wechat::api::{ApiError, Reaction};
use crate::wechat::{AppId, Secret};

/// Longest name that is kept, characters. WeChat's are at most 32, GitHub's have no known limit.
const LONGEST_NAME: usize = 64;
/// Longest address of a picture that is kept, bytes.
const LONGEST_ADDRESS: usize = 1_024;

/// What somebody brought.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// By which method.
    pub by: Method,
    /// The code, which works once.
    pub code: &'a str,
    /// The address that they came back to.
    pub redirect_uri: &'a str,
    /// The `state` that came back.
    pub state: &'a Digest,
    /// The website wants name and picture too.
    pub profile: bool,
}

/// Why it was of no use, for the log: nothing of what somebody brought is in it.
enum Trouble {
    NotConfigured(&'static str),
    WeChat(SendError),
    Github(Refusal),
    Snapshot,
    NoUnionid,
}

impl Trouble {
    fn failure(&self) -> Failure {
        match self {
            Self::WeChat(SendError::Refused(error)) => match error.reaction() {
                Reaction::RestartLogin | Reaction::Reauthorize => Failure::Restart,
                Reaction::Block => Failure::Blocked,
                _ => Failure::Down,
            },
            Self::Github(Refusal::Code) => Failure::Restart,
            Self::Snapshot => Failure::Snapshot,
            Self::NoUnionid => Failure::NoUnionid,
            Self::NotConfigured(_) | Self::WeChat(_) | Self::Github(_) => Failure::Down,
        }
    }

    /// Whatever keeps everybody out is the operator's business.
    fn line(&self, by: Method) -> Line {
        let reason = format!("{}: {self}", by.name());
        match self.failure() {
            Failure::Down | Failure::NoUnionid => Line::error("login.no_identity", reason),
            _ => Line::warn("login.no_identity", reason),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured(what) => write!(f, "{what} are not set"),
            Self::WeChat(SendError::Refused(error)) => f.write_str(&in_short(error)),
            Self::WeChat(error) => error.fmt(f),
            Self::Github(Refusal::Code) => f.write_str("GitHub refused the code"),
            Self::Github(Refusal::Other(word)) => write!(f, "GitHub answered: {word}"),
            Self::Snapshot => f.write_str("WeChat gave a snapshot page's virtual user"),
            Self::NoUnionid => f.write_str(
                "WeChat told no unionid: bind the account to the Open Platform, or set SUBJECT_SOURCE=openid",
            ),
        }
    }
}

impl From<SendError> for Trouble {
    fn from(error: SendError) -> Self {
        Self::WeChat(error)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Github(refusal)
    }
}

/// What the operator needs to know of an error, and nothing of what was sent: WeChat's own words are not repeated.
pub fn in_short(error: &ApiError) -> String {
    let mut text = format!("WeChat answered {}", error.errcode);
    if let Some(address) = error.whitelist_ip() {
        text.push_str(&format!(", {address} is not in the IP whitelist"));
    }
    if let Some(rid) = error.rid() {
        text.push_str(&format!(", rid {rid}"));
    }
    text
}

/// Uses a code, once.
///
/// # Errors
/// Why it was of no use; the log has the precise reason.
pub async fn identify<P: Platform>(platform: &P, app: &App, proof: &Proof<'_>) -> Result<Identity, Failure> {
    let config = &app.config;
    let outcome = match proof.by {
        Method::Wechat | Method::Qr => match &config.account {
            Some(account) => wechat(platform, app, &account.app_id, &account.secret, proof).await,
            None => Err(Trouble::NotConfigured("APP_ID and APP_SECRET")),
        },
        Method::Open => match &config.login.open {
            Some(open) => wechat(platform, app, &open.app_id, &open.secret, proof).await,
            None => Err(Trouble::NotConfigured("OPEN_APP_ID and OPEN_APP_SECRET")),
        },
        Method::Github => match &config.login.github {
            Some(settings) => github(platform, settings, proof).await,
            None => Err(Trouble::NotConfigured("GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET")),
        },
        Method::Code | Method::Scene | Method::Menu | Method::Typed => {
            Err(Trouble::NotConfigured("pages of another"))
        }
    };
    outcome.map_err(|trouble| {
        platform.log(&trouble.line(proof.by));
        trouble.failure()
    })
}

/// WeChat's web authorization, and that of the Open Platform.
///
/// 1. exchange the code
/// 2. refuse who only looks at a snapshot
/// 3. get name and picture, where they are wanted, and the unionid, where it is needed and was not told yet
async fn wechat<P: Platform>(
    platform: &P,
    app: &App,
    app_id: &AppId,
    secret: &Secret,
    proof: &Proof<'_>,
) -> Result<Identity, Trouble> {
    let request = sns::access_token(app_id, secret, proof.code);
    let grant = ask_wechat(platform, app, &request, sns::parse_grant).await?;
    if grant.is_snapshot {
        return Err(Trouble::Snapshot);
    }
    let by_unionid = app.config.login.by_unionid;
    let shared = if proof.profile || (by_unionid && grant.unionid.is_none()) {
        user_info(platform, app, &grant, proof).await
    } else {
        None
    };
    let Grant { openid, unionid, .. } = grant;
    let unionid = unionid.or_else(|| shared.as_ref()?.unionid.clone());
    if by_unionid && unionid.is_none() {
        return Err(Trouble::NoUnionid);
    }
    let shared = shared.filter(|_| proof.profile);
    let (name, picture) = shared.map_or((None, None), |shared| (shared.nickname, shared.headimgurl));
    let who = Who::Wechat { app_id: app_id.clone(), openid, unionid };
    Ok(Identity {
        who,
        name: name.and_then(|name| tidy(&name)),
        picture: picture.filter(|picture| is_address(picture)),
    })
}

/// Name, picture and unionid; without them people can log in all the same.
async fn user_info<P: Platform>(
    platform: &P,
    app: &App,
    grant: &Grant,
    proof: &Proof<'_>,
) -> Option<UserInfo> {
    let lang = app.config.rules.texts.lang.pick("zh_CN", "en");
    let request = sns::user_info(&grant.access_token, &grant.openid, lang);
    let answer = ask_wechat(platform, app, &request, sns::parse_user_info).await;
    let refused = |error: SendError| {
        let reason = format!("{}: {}", proof.by.name(), Trouble::from(error));
        platform.log(&Line::warn("login.no_profile", reason));
    };
    answer.map_err(refused).ok()
}

/// GitHub: a token for the code, and who it belongs to. The token is not kept.
async fn github<P: Platform>(
    platform: &P,
    settings: &Github,
    proof: &Proof<'_>,
) -> Result<Identity, Trouble> {
    let unreached = |error| match error {
        SendError::Unknown(reason) => Trouble::Github(Refusal::Other(format!("nothing, {reason}"))),
        other => Trouble::WeChat(other),
    };
    let request = github::access_token(settings, proof.code, proof.redirect_uri, proof.state);
    let answer = exchange(platform, request, LARGEST_JSON).await.map_err(unreached)?;
    let token = github::parse_token(&answer.body)?;
    let answer = exchange(platform, github::user(settings, &token), LARGEST_JSON).await.map_err(unreached)?;
    let user = github::parse_user(&answer.body)?;
    let (name, picture) = if proof.profile { (user.name, user.picture) } else { (None, None) };
    Ok(Identity {
        who: Who::Github { id: user.id },
        name: name.and_then(|name| tidy(&name)),
        picture: picture.filter(|picture| is_address(picture)),
    })
}

/// A name without line breaks and other control characters, not too long.
fn tidy(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|character| !character.is_control()).take(LONGEST_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn is_address(text: &str) -> bool {
    text.len() <= LONGEST_ADDRESS && (text.starts_with("https://") || text.starts_with("http://"))
}
