//! The menu below the chat.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Creating_Custom-Defined_Menu.html>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Menus {}
