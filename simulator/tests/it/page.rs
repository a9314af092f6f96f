//! A page: it keeps what the watch tells.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::raw;
use crate::world::World;

/// What the page knows.
pub struct Page {
    updates: mpsc::UnboundedReceiver<Value>,
    pub view: Value,
    pub lines: Vec<Value>,
    pub exchanges: Vec<Value>,
    pub resets: usize,
}

impl Page {
    pub async fn open(world: &World) -> Self {
        let updates = raw::events(world.port, "/_sim/watch").await;
        let mut page = Self { updates, view: Value::Null, lines: vec![], exchanges: vec![], resets: 0 };
        page.read().await;
        page
    }

    async fn read(&mut self) {
        let update =
            timeout(Duration::from_secs(30), self.updates.recv()).await.expect("news within half a minute");
        let update = update.expect("the watch goes on");
        if update["reset"] == true {
            self.resets += 1;
            self.lines.clear();
            self.exchanges.clear();
        }
        if !update["view"].is_null() {
            self.view = update["view"].clone();
        }
        merge(&mut self.lines, &update["lines"]);
        merge(&mut self.exchanges, &update["exchanges"]);
    }

    /// Reads on until `look` finds something.
    pub async fn until<T>(&mut self, look: impl Fn(&Self) -> Option<T>) -> T {
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            self.read().await;
        }
    }
}

/// New ones are added, known ones replaced.
fn merge(known: &mut Vec<Value>, news: &Value) {
    for item in news.as_array().unwrap() {
        match known.iter_mut().find(|old| old["id"] == item["id"]) {
            Some(old) => *old = item.clone(),
            None => known.push(item.clone()),
        }
    }
}
