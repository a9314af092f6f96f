//! The Mini Program that belongs to the account.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Mini {}
