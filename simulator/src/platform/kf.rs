//! Customer-service agents, sessions and records.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Agents {}
