//! Host tests: features are tested through `route()`, formats through their vectors.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod callback;
mod chat;
mod config;
mod fuzz;
mod ladder;
mod login_pages;
mod login_pages_work;
mod machine;
mod paging;
mod push;
mod repeats;
mod senses;
mod storage;
mod tidy;
mod vectors;
mod vectors_claims;
mod vectors_event_claims;
mod vectors_inbound;
mod vectors_wire;
mod wechat;
mod wechat_api;
mod wechat_parts;
mod wechat_reply;
mod world;
