//! Who is told things by a Durable Object: its WebSockets, and the readers of responses that are not over.

use wasm_bindgen::JsValue;

use super::glue;
use crate::platform::{Outlet, Watchers};

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

    /// One more, which was let in by `proof` and is told `greeting` at once, unless that is empty.
    pub fn accept(&self, greeting: &str, proof: &str) -> Result<web_sys::Response, JsValue> {
        glue::accept(&self.state, greeting, proof)
    }
}

/// One WebSocket.
pub struct Socket(pub JsValue);

impl Outlet for Socket {
    fn send(&self, text: &str) -> bool {
        glue::tell_one(&self.0, text)
    }

    fn close(&self, code: u16) {
        glue::hang_up(&self.0, code);
    }
}

/// A response that is written while it is read.
pub struct Channel(pub JsValue);

impl Outlet for Channel {
    fn send(&self, text: &str) -> bool {
        glue::write(&self.0, text)
    }

    fn close(&self, _code: u16) {
        glue::finish(&self.0);
    }
}

impl Watchers for Sockets {
    fn tell(&self, text: &str) {
        glue::tell(&self.state, text);
    }
}
