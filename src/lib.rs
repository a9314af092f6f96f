//! WxApi: a complete backend for a WeChat Official Account, as one Cloudflare Worker.

pub mod wechat;

#[cfg(target_arch = "wasm32")]
mod edge;
