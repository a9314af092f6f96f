//! Host tests: features are tested through `route()`, formats through their vectors.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod callback;
mod chat;
mod config;
mod five;
mod fuzz;
mod ladder;
mod login_attacks;
mod login_chat;
mod login_code;
mod login_config;
mod login_entry;
mod login_finish;
mod login_identity;
mod login_limits;
mod login_method;
mod login_origin;
mod login_page;
mod login_phone;
mod login_play;
mod login_request;
mod login_result;
mod login_scan;
mod login_session;
mod login_stage;
mod login_typing;
mod login_words;
mod machine;
mod paging;
mod push;
mod repeats;
mod senses;
mod sns;
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
