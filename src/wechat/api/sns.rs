//! Web authorization: the pages at WeChat that people are sent to, and the calls that follow. The account has it in
//! WeChat's own browser, a website application of the Open Platform in every browser.
//!
//! <https://developers.weixin.qq.com/doc/service/guide/h5/auth>

use super::super::{AppId, OpenId, Secret};
use super::error::integer;
use super::{ApiError, ApiRequest, UNREADABLE, check, get, push_percent_encoded, text};
use serde_json::Value;

/// Longest `state`, bytes; all of them `[a-zA-Z0-9]`.
/// <https://developers.weixin.qq.com/doc/service/guide/h5/auth>
pub const STATE_LIMIT: usize = 128;

/// What a person is asked to share with the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Their openid; nobody is asked.
    Base,
    /// Name and picture, and their unionid; they are asked.
    UserInfo,
}

impl Scope {
    /// Its name in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "snsapi_base",
            Self::UserInfo => "snsapi_userinfo",
        }
    }
}

/// What a person allowed an app to know: not the account's access token, and of no use for the account's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserToken(Secret);

impl UserToken {
    /// Takes the text as WeChat wrote it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text))
    }

    /// The token itself, for sending; never for logs.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// What a code is exchanged for.
/// <https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// For [`user_info`] and [`verify`].
    pub access_token: UserToken,
    /// Seconds that it stays valid: 7200.
    pub expires_in: u64,
    /// For [`refresh_token`]; valid for 30 days.
    pub refresh_token: Option<Secret>,
    /// Who, at the app that asked.
    pub openid: OpenId,
    /// What they allowed, divided by commas.
    pub scope: String,
    /// Who, at every app of the same owner; only with [`Scope::UserInfo`] or from the Open Platform.
    pub unionid: Option<OpenId>,
    /// They only look at a snapshot of the page: everything about them is made up.
    pub is_snapshot: bool,
}

/// What a person shares.
/// <https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserInfo {
    /// Their name.
    pub nickname: Option<String>,
    /// The address of their picture, which ends when they take another.
    pub headimgurl: Option<String>,
    /// Who, at every app of the same owner.
    pub unionid: Option<OpenId>,
}

/// Where somebody in WeChat's browser is sent. `open` is the address of open.weixin.qq.com without a final slash.
///
/// WeChat compares the whole link with a pattern: the order counts, and so does `#wechat_redirect`.
/// <https://developers.weixin.qq.com/doc/service/guide/h5/auth>
pub fn authorize_url(open: &str, app_id: &AppId, redirect_uri: &str, scope: Scope, state: &str) -> String {
    page(open, "/connect/oauth2/authorize", app_id, redirect_uri, scope.as_str(), state, None)
}

/// Where somebody in any browser is sent: the page shows a QR code, or asks the WeChat that runs beside it.
/// `lang` is `cn` or `en`.
/// <https://developers.weixin.qq.com/doc/oplatform/developers/dev/auth/web.html>
pub fn qrconnect_url(open: &str, app_id: &AppId, redirect_uri: &str, state: &str, lang: &str) -> String {
    page(open, "/connect/qrconnect", app_id, redirect_uri, "snsapi_login", state, Some(lang))
}

fn page(
    open: &str,
    path: &str,
    app_id: &AppId,
    redirect_uri: &str,
    scope: &str,
    state: &str,
    lang: Option<&str>,
) -> String {
    let mut url = format!("{open}{path}");
    let mut push = |name: &str, value: &str| {
        url.push_str(name);
        push_percent_encoded(&mut url, value);
    };
    push("?appid=", app_id.as_str());
    push("&redirect_uri=", redirect_uri);
    push("&response_type=", "code");
    push("&scope=", scope);
    push("&state=", state);
    if let Some(lang) = lang {
        push("&lang=", lang);
    }
    url.push_str("#wechat_redirect");
    url
}

/// Exchanges a code, which works once. 40029 and 40163 say that it is none or was used. The answer is a [`Grant`].
/// <https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken>
pub fn access_token(app_id: &AppId, secret: &Secret, code: &str) -> ApiRequest {
    let query = [
        ("appid", app_id.as_str()),
        ("secret", secret.expose()),
        ("code", code),
        ("grant_type", "authorization_code"),
    ];
    get("/sns/oauth2/access_token", &query)
}

/// Gets a new token for an old one. The answer is a [`Grant`].
/// <https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsrefreshtoken>
pub fn refresh_token(app_id: &AppId, refresh_token: &Secret) -> ApiRequest {
    let query = [
        ("appid", app_id.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.expose()),
    ];
    get("/sns/oauth2/refresh_token", &query)
}

/// Asks for name and picture; 48001 unless the person allowed that. `lang` is `zh_CN`, `zh_TW` or `en`.
/// The answer is a [`UserInfo`].
/// <https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo>
pub fn user_info(token: &UserToken, openid: &OpenId, lang: &str) -> ApiRequest {
    let query = [("access_token", token.expose()), ("openid", openid.as_str()), ("lang", lang)];
    get("/sns/userinfo", &query)
}

/// Asks whether a token is valid for this person. The answer has no data.
/// <https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsauth>
pub fn verify(token: &UserToken, openid: &OpenId) -> ApiRequest {
    get("/sns/auth", &[("access_token", token.expose()), ("openid", openid.as_str())])
}

/// Reads the answer to [`access_token`] and [`refresh_token`]; numbers may be strings.
///
/// # Errors
/// WeChat's error, or [`UNREADABLE`] when a field is missing.
pub fn parse_grant(answer: &str) -> Result<Grant, ApiError> {
    let value = check(answer)?;
    let (Some(token), Some(openid)) = (text(&value, "access_token"), text(&value, "openid")) else {
        return Err(ApiError::new(UNREADABLE, "the answer has no access_token with openid"));
    };
    let expires_in =
        value.get("expires_in").and_then(integer).and_then(|seconds| u64::try_from(seconds).ok());
    Ok(Grant {
        access_token: UserToken::new(token),
        expires_in: expires_in.unwrap_or_default(),
        refresh_token: text(&value, "refresh_token").map(Secret::new),
        openid: OpenId::new(openid),
        scope: text(&value, "scope").unwrap_or_default().to_owned(),
        unionid: text(&value, "unionid").map(OpenId::new),
        is_snapshot: value.get("is_snapshotuser").is_some_and(is_set),
    })
}

/// Reads the answer to [`user_info`].
///
/// # Errors
/// WeChat's error, or [`UNREADABLE`] when it is none of both.
pub fn parse_user_info(answer: &str) -> Result<UserInfo, ApiError> {
    let value = check(answer)?;
    let owned = |name| text(&value, name).map(str::to_owned);
    Ok(UserInfo {
        nickname: owned("nickname"),
        headimgurl: owned("headimgurl"),
        unionid: text(&value, "unionid").map(OpenId::new),
    })
}

/// Whatever is neither 0 nor false counts: nobody is to be logged in by mistake.
fn is_set(value: &Value) -> bool {
    !(integer(value) == Some(0) || *value == Value::Bool(false) || value.is_null())
}
