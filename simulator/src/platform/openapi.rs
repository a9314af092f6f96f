//! Quotas, diagnostics, IP lists.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/dev/openapi.html>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];
