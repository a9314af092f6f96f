//! Host tests: features are tested through `route()`, formats through their vectors.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, but clippy does not see that helper functions are part of them"
)]

mod fuzz;
mod vectors;
mod vectors_claims;
mod vectors_event_claims;
mod vectors_inbound;
mod vectors_wire;
mod wechat;
mod wechat_api;
mod wechat_reply;
