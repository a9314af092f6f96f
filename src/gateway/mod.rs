//! Speaking to WeChat for others: the access token's policy, the one function that sends a request, and what is stored
//! about the account.

pub mod advice;
pub mod calls;
pub mod client;
pub mod desk;
pub mod mass;
pub mod menu;
pub mod proxy;
pub mod rail;
pub mod record;
pub mod send;
pub mod token;
