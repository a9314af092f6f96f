//! The Worker that is deployed: all of it is in `wxapi::edge`, which exports what Cloudflare calls.

#[cfg(target_arch = "wasm32")]
extern crate wxapi;
