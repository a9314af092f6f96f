//! Speaking to WeChat for others: the access token's policy, the one function that sends a request, and what is stored
//! about the account.

pub mod client;
pub mod desk;
pub mod menu;
pub mod record;
pub mod send;
pub mod token;
