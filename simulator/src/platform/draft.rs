//! Drafts and publishing.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Drafts {}
