//! Tags and the blacklist.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Tags {}
