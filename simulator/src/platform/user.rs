//! Users: lists, info, remarks.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html>

use super::api::Api;

/// The family's APIs.
pub const APIS: &[Api] = &[];
