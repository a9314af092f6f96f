//! Subscribe notifications.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Subscriptions {}
