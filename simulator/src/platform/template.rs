//! Template messages.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Templates {}
