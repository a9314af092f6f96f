//! What WeChat's own error page says instead of asking; the app never learns of it.
//!
//! <https://developers.weixin.qq.com/doc/service/guide/h5/auth>

use axum::response::Response;

use super::page::notice;
use crate::lang::Lang;

/// Why a link is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The link has not the form that WeChat wants.
    Form,
    /// 10003
    Domain,
    /// 10005
    NoPermission,
    /// 10006
    MustFollow,
    /// 10010
    NoScope,
    /// 10011
    NoRedirect,
    /// 10012
    NoAppId,
    /// 10016
    WebsiteAppId,
    /// 40013
    AppId,
    /// This parameter is missing or has a value that it cannot have.
    Parameter(&'static str),
    /// No website application is set up.
    NoWebsite,
}

impl Wrong {
    /// WeChat's number for it.
    fn number(self) -> Option<u32> {
        match self {
            Self::Form | Self::Parameter(_) | Self::NoWebsite => None,
            Self::Domain => Some(10003),
            Self::NoPermission => Some(10005),
            Self::MustFollow => Some(10006),
            Self::NoScope => Some(10010),
            Self::NoRedirect => Some(10011),
            Self::NoAppId => Some(10012),
            Self::WebsiteAppId => Some(10016),
            Self::AppId => Some(40013),
        }
    }

    fn title(self, lang: Lang) -> String {
        let (zh, en) = match self {
            Self::Form => ("链接不符合要求", "This link does not have the right form"),
            Self::Domain => {
                ("redirect_uri 域名与后台配置不一致", "The domain of redirect_uri is not registered")
            }
            Self::NoPermission => ("此公众号没有这些 scope 的权限", "The account has no right to this scope"),
            Self::MustFollow => ("必须关注此测试号", "This test account must be followed"),
            Self::NoScope => ("scope 不能为空", "scope is missing"),
            Self::NoRedirect => ("redirect_uri 不能为空", "redirect_uri is missing"),
            Self::NoAppId => ("appid 不能为空", "appid is missing"),
            Self::WebsiteAppId => ("这是网站应用的 AppID，不是公众号的", "This is the AppID of a website"),
            Self::AppId => ("appid 参数错误", "Wrong appid"),
            Self::Parameter(name) => {
                return format!("{}{name}", lang.pick("参数缺少或错误：", "Missing or wrong: "));
            }
            Self::NoWebsite => ("没有网站应用", "There is no website application"),
        };
        lang.pick(zh, en).to_owned()
    }

    /// What a developer can do about it.
    fn hint(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Self::Form => (
                "依次为 appid、redirect_uri（须做 URL 编码）、response_type=code、scope，\
                 再后可有 state（最多 128 字节）。",
                "It wants appid, redirect_uri (percent-encoded), response_type=code and scope in this order, then \
                 state, if any (at most 128 bytes).",
            ),
            Self::Domain => (
                "本机地址总是允许的；其他域名不带端口，用 POST /_sim/oauth 的 domains 登记。",
                "This machine always is. Others, which have no port, by the domains of POST /_sim/oauth.",
            ),
            Self::NoPermission => (
                "已认证的服务号和测试号才有；网页授权的 scope 是 snsapi_base 或 snsapi_userinfo。",
                "Verified service accounts and test accounts have it; web OAuth has the scopes snsapi_base and \
                 snsapi_userinfo.",
            ),
            Self::MustFollow => ("先让这个人关注它。", "Let the person follow it first."),
            Self::AppId => ("它不是设置里的 APP_ID。", "It is not the APP_ID of the settings."),
            Self::NoWebsite => {
                ("请设置 OPEN_APP_ID 和 OPEN_APP_SECRET。", "Set OPEN_APP_ID and OPEN_APP_SECRET.")
            }
            Self::NoScope | Self::NoRedirect | Self::NoAppId | Self::WebsiteAppId | Self::Parameter(_) => {
                ("", "")
            }
        };
        lang.pick(zh, en)
    }

    /// The page.
    pub fn show(self, lang: Lang) -> Response {
        let number = self.number();
        let number = number.map(|number| format!("{} {number}", lang.pick("错误码：", "Error code:")));
        notice(lang, "!", &self.title(lang), &number.unwrap_or_default(), self.hint(lang))
    }
}
