//! The buttons of a menu, as WeChat's JSON has them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::platform::api::with;

/// Domains of WeChat itself, which nobody counts.
const WECHAT_DOMAIN: &str = "weixin.qq.com";

/// One button, with the members that its type has.
///
/// <https://developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Button {
    /// `click`, `view`, …; a button with others below it has none.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What is written on it.
    pub name: String,
    /// Comes back as `EventKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What `view` opens, and `miniprogram` in old clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The material that `media_id` sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_id: Option<String>,
    /// What `article_id` sends and `article_view_limited` opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub article_id: Option<String>,
    /// The Mini Program that `miniprogram` opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appid: Option<String>,
    /// The page of that Mini Program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagepath: Option<String>,
    /// The buttons below it, at most 5.
    pub sub_button: Vec<Button>,
}

impl Button {
    /// As `get_current_selfmenu_info` has it: those below it are a `list`, and without any there is no `sub_button`.
    pub fn in_console(&self) -> Value {
        let mut button = json!(self);
        if let Some(members) = button.as_object_mut() {
            members.remove("sub_button");
        }
        if self.sub_button.is_empty() {
            return button;
        }
        let below: Vec<Value> = self.sub_button.iter().map(Self::in_console).collect();
        with(button, "sub_button", json!({ "list": below }))
    }

    /// The domains outside WeChat to which it and those below it lead.
    pub fn domains(&self) -> Vec<&str> {
        let own = self.url.as_deref().and_then(domain);
        own.into_iter().chain(self.sub_button.iter().flat_map(Self::domains)).collect()
    }
}

/// The host of a URL, unless it is WeChat's.
fn domain(url: &str) -> Option<&str> {
    let host = url.split_once("://")?.1.split(['/', '?', '#', ':']).next()?;
    let wechat = host.strip_suffix(WECHAT_DOMAIN).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    (!wechat).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_outside_wechat_are_counted() {
        assert_eq!(domain("https://a.example:8443/x?y"), Some("a.example"));
        assert_eq!(domain("https://a.example?y"), Some("a.example"));
        assert_eq!(domain("http://mp.weixin.qq.com/s/1"), None);
        assert_eq!(domain("http://notweixin.qq.com/"), Some("notweixin.qq.com"));
    }
}
