//! What an object has besides the rest of the world: its storage, and those whom it tells things.

use super::{Millis, Unreachable};

/// One document in the storage of one object. Writes of one turn are atomic, and nothing leaves the object before they
/// are on disk.
/// <https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/>
pub trait Storage: 'static {
    /// The stored document.
    fn load(&self) -> Result<Option<String>, Unreachable>;

    /// Stores the document.
    fn save(&self, document: &str) -> Result<(), Unreachable>;

    /// Deletes the document, and nothing else.
    fn delete(&self) -> Result<(), Unreachable>;

    /// Keeps a document that cannot be read, beside the one that will be stored.
    fn set_aside(&self, document: &str) -> Result<(), Unreachable>;

    /// Deletes everything, other documents of the object and its alarm included.
    fn clear(&self) -> Result<(), Unreachable>;

    /// Calls the object's alarm at this time; replaces an earlier setting.
    fn set_alarm(&self, at: Millis) -> Result<(), Unreachable>;
}

/// The SQLite database of one object. Writes of one turn are atomic, as those of [`Storage`] are.
/// <https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#sql-api>
pub trait Tables: 'static {
    /// Runs one statement with a value for each `?`: text, a number or null. The rows are JSON objects.
    fn run(
        &self,
        statement: &str,
        values: &[serde_json::Value],
    ) -> Result<Vec<serde_json::Value>, Unreachable>;
}

/// Somebody who is told what happens, while it happens: a WebSocket, or a response that is not over.
pub trait Outlet: 'static {
    /// Tells them; `false` if they are gone.
    fn send(&self, text: &str) -> bool;

    /// Nothing more is told. A WebSocket is closed with this code; a response ends.
    /// <https://www.rfc-editor.org/rfc/rfc6455#section-7.4>
    fn close(&self, code: u16);
}

/// The WebSockets of one object.
pub trait Watchers: 'static {
    /// Sends `text` to all who watch.
    fn tell(&self, text: &str);
}
