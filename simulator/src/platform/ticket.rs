//! The JS-SDK's ticket.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];
