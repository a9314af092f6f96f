//! What kinds of accounts may do.

use serde::{Deserialize, Serialize};

/// What the account is, which decides what answers 48001, after WeChat's table of privileges.
///
/// <https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Explanation_of_interface_privileges.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// A subscription account without verification, as a person gets it: it can receive and reply, and get tokens.
    Personal,
    /// A verified subscription account.
    Subscription,
    /// A verified service account.
    #[default]
    Service,
    /// A test account (测试号).
    Test,
}

/// A group of APIs that the platform grants or refuses together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Tokens, quotas, IP lists, the console's own menu: every account.
    Basic,
    /// The menu API.
    Menu,
    /// Customer-service messages, typing, agents.
    CustomerService,
    /// User info, lists, tags, remarks, the blacklist.
    Users,
    /// Temporary media.
    Media,
    /// Permanent material, drafts and publishing.
    Material,
    /// Mass messages to all or by tag, and previews.
    Mass,
    /// Mass messages to a list of openids.
    MassByOpenid,
    /// Template messages, also those of a one-time subscription.
    Template,
    /// Subscribe notifications of an Official Account.
    Subscribe,
    /// QR codes with parameters, short keys.
    QrCode,
    /// The JS-SDK's ticket.
    JsSdk,
    /// Web OAuth inside WeChat.
    Oauth,
}

impl AccountType {
    /// Whether accounts of this kind have the right.
    pub fn has(self, right: Right) -> bool {
        use Right::{Basic, JsSdk, Mass, MassByOpenid, Material, Oauth, QrCode, Template};
        match self {
            Self::Personal => matches!(right, Basic | JsSdk),
            Self::Subscription => !matches!(right, MassByOpenid | Template | QrCode | Oauth),
            Self::Service => true,
            Self::Test => !matches!(right, Mass | MassByOpenid | Material),
        }
    }

    /// What this kind of account has of a verified account's daily quota: a test account has a tenth.
    pub fn share_of(self, quota: u32) -> u32 {
        if self == Self::Test { quota / 10 } else { quota }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_privileges() {
        use AccountType::{Personal, Service, Subscription, Test};
        let who = |right| [Personal, Subscription, Service, Test].map(|account| u8::from(account.has(right)));
        assert_eq!(who(Right::Basic), [1, 1, 1, 1]);
        assert_eq!(who(Right::Menu), [0, 1, 1, 1]);
        assert_eq!(who(Right::CustomerService), [0, 1, 1, 1]);
        assert_eq!(who(Right::Users), [0, 1, 1, 1]);
        assert_eq!(who(Right::Mass), [0, 1, 1, 0]);
        assert_eq!(who(Right::MassByOpenid), [0, 0, 1, 0]);
        assert_eq!(who(Right::Template), [0, 0, 1, 1]);
        assert_eq!(who(Right::Subscribe), [0, 1, 1, 1]);
        assert_eq!(who(Right::QrCode), [0, 0, 1, 1]);
        assert_eq!(who(Right::Oauth), [0, 0, 1, 1]);
        assert_eq!(who(Right::JsSdk), [1, 1, 1, 1]);
    }
}
