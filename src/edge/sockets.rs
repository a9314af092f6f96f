//! The WebSockets of a Durable Object.

use wasm_bindgen::JsValue;

use super::glue;
use crate::platform::Watchers;

/// The WebSockets of one Durable Object, which the runtime keeps while the object sleeps.
/// <https://developers.cloudflare.com/durable-objects/best-practices/websockets/>
pub struct Sockets {
    state: JsValue,
}

impl Sockets {
    /// Those of the object with this `DurableObjectState`.
    pub fn new(state: JsValue) -> Self {
        Self { state }
    }

    /// One more, which is told `greeting` at once.
    pub fn accept(&self, greeting: &str) -> Result<web_sys::Response, JsValue> {
        glue::accept(&self.state, greeting)
    }
}

impl Watchers for Sockets {
    fn tell(&self, text: &str) {
        glue::tell(&self.state, text);
    }
}
