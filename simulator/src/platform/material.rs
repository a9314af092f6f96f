//! Permanent material.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Materials {}
