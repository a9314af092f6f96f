//! Speaking to WeChat for others: the access token's policy, and the one function that sends a request.

pub mod send;
pub mod token;
