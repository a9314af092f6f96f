//! WxApi: a complete backend for a WeChat Official Account, as one Cloudflare Worker.
//!
//! # The map
//!
//! Layers, from the outside in; each may use those after it, never those before it:
//!
//! 1. `edge` (wasm32 only): the fetch entry, the Durable Objects, the AI binding. The only code that names
//!    JavaScript.
//! 2. [`handlers`]: one file per URL family, and the objects' logic. Sees the world through [`platform`].
//! 3. [`chat`]: one user's conversation; [`gateway`]: speaking to WeChat. They do not know each other.
//! 4. [`wechat`]: what WeChat says. Imports nothing of ours.
//!
//! [`config`], [`digest`], [`error`], [`grapheme`], [`json`], [`lang`], [`log`], [`metrics`] and [`platform`] are the furniture in between.
//!
//! # Reading order
//!
//! [`handlers::route`] is the table of routes. Follow `POST /wechat` from [`handlers::callback::receive`] to
//! [`wechat::callback::open`], to the user's object in [`handlers::conversation`], and to the machine that
//! decides in [`chat::turn`].

pub mod chat;
pub mod config;
pub mod digest;
pub mod error;
pub mod gateway;
pub mod grapheme;
pub mod handlers;
pub mod json;
pub mod lang;
pub mod log;
pub mod login;
pub mod metrics;
pub mod platform;
pub mod wechat;

#[cfg(target_arch = "wasm32")]
mod edge;
