//! What clients call, in the account's object: how many a minute, once for each key, and an entry for each.

use std::cell::{Cell, RefCell};

use serde_json::Value;

use super::AccountObject;
use crate::gateway::desk::{Begin, End, Keep, Kept, Key, Opening};
use crate::json::json;
use crate::platform::{Millis, Platform, Storage, Tables, Unreachable};

/// Entries and keys are in a table each. Both have numbers that are never used again.
const TABLES: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, request TEXT NOT NULL, client TEXT NOT NULL,
        method TEXT NOT NULL, path TEXT NOT NULL, scope TEXT NOT NULL, outcome TEXT NOT NULL,
        status INTEGER, errcode INTEGER, rid TEXT, ms INTEGER, retried INTEGER NOT NULL DEFAULT 0)",
    "CREATE INDEX IF NOT EXISTS audit_client ON audit (client, number)",
    "CREATE TABLE IF NOT EXISTS once (
        number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, client TEXT NOT NULL, name TEXT NOT NULL,
        digest TEXT NOT NULL, entry INTEGER NOT NULL UNIQUE, state TEXT NOT NULL, answer TEXT, UNIQUE (client, name))",
    "CREATE INDEX IF NOT EXISTS once_at ON once (at)",
];
/// How long an entry is kept, and how many are.
const AUDIT_DAYS: Millis = 30 * DAY;
const AUDIT_ENTRIES: u64 = 50_000;
/// How long the answer to a call with a key is given again, and for how many keys.
const KEY_LIFE: Millis = DAY;
const KEYS: u64 = 100_000;
const DAY: Millis = 86_400_000;
const MINUTE: Millis = 60_000;
/// No call takes longer than this, four tries of 100 seconds with pauses and a new token; one that did not end by then never will.
const LONGEST: Millis = 8 * MINUTE;
/// How often what is too old is looked for, and among how many entries.
const TIDY: Millis = 3_600_000;
const TIDIED: u32 = 5_000;

/// What the object need not store.
#[derive(Default)]
pub struct Desk {
    /// The tables are there.
    prepared: Cell<bool>,
    /// When something will be too old, if that was looked up.
    wakes: Cell<Option<Option<Millis>>>,
    /// The clients of this minute, and how often each called.
    minute: RefCell<(Millis, Vec<(String, u32)>)>,
    /// The entries of calls with a key that began in this life of the object, and when.
    running: RefCell<Vec<(u64, Millis)>>,
}

impl<P: Platform, S: Storage + Tables> AccountObject<P, S> {
    /// Opens a call.
    ///
    /// 1. a client that calls too often is told to wait, and leaves no trace
    /// 2. one that lacks the scope is refused
    /// 3. a call whose key is known is not made again
    /// 4. the access token is fetched, if there is none; meanwhile others may come
    /// 5. so the key is looked up again, and from here on is taken
    pub(super) async fn begin(&self, begin: Begin) -> Result<Opening, Unreachable> {
        let now = self.platform.now();
        if let Some(seconds) = self.desk.wait(&begin, now) {
            return Ok(Opening::Limited { seconds });
        }
        self.prepare()?;
        if !begin.permitted {
            self.enter(&begin, now, "forbidden")?;
            return Ok(Opening::Forbidden);
        }
        if let Some(known) = self.known(&begin, now)? {
            return Ok(known);
        }
        let token = match self.token(None).await {
            Ok(token) => token,
            Err(failure) => {
                self.enter(&begin, now, "no_token")?;
                return Ok(Opening::NoToken(failure));
            }
        };
        if let Some(known) = self.known(&begin, now)? {
            return Ok(known);
        }
        // Whatever happens now, this is what is known of it until its end is told.
        let number = self.enter(&begin, now, "unknown")?;
        if let Some(key) = &begin.key {
            self.take(&begin.client, key, number, now)?;
        }
        Ok(Opening::Begun { number, token })
    }

    /// What is to be said of a call whose key is known.
    fn known(&self, begin: &Begin, now: Millis) -> Result<Option<Opening>, Unreachable> {
        let Some(key) = &begin.key else { return Ok(None) };
        self.storage.run("DELETE FROM once WHERE at <= ?", &[json!(now.saturating_sub(KEY_LIFE))])?;
        let rows = self.storage.run(
            "SELECT digest, entry, state, answer FROM once WHERE client = ? AND name = ?",
            &[json!(begin.client), json!(key.name)],
        )?;
        let Some(row) = rows.first() else {
            let rows = self.storage.run("SELECT max(number) - min(number) AS n FROM once", &[])?;
            let full = rows.first().is_some_and(|row| number(row, "n") >= KEYS);
            return Ok(full.then_some(Opening::Full));
        };
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let opening = if text("digest") != key.digest {
            Opening::Differs
        } else if text("state") == "done" {
            match crate::json::from_str::<Kept>(text("answer")) {
                Ok(kept) => Opening::Replay(kept),
                Err(_) => Opening::Done,
            }
        } else if self.desk.is_running(number(row, "entry"), now) {
            Opening::Busy
        } else {
            Opening::Unknown
        };
        let outcome = match &opening {
            Opening::Replay(_) | Opening::Done => "replayed",
            Opening::Busy => "busy",
            Opening::Unknown => "not_repeated",
            _ => "key_conflict",
        };
        self.enter(begin, now, outcome)?;
        Ok(Some(opening))
    }

    /// Writes an entry, in place of the oldest one if there are too many; its number.
    fn enter(&self, begin: &Begin, now: Millis, outcome: &str) -> Result<u64, Unreachable> {
        let rows = self.storage.run(
            "INSERT INTO audit (at, request, client, method, path, scope, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)
             RETURNING number",
            &[
                json!(now),
                json!(begin.request),
                json!(begin.client),
                json!(begin.method),
                json!(begin.path),
                begin.scope.clone(),
                json!(outcome),
            ],
        )?;
        let entry = rows.first().map_or(0, |row| number(row, "number"));
        let first = json!(entry.saturating_sub(AUDIT_ENTRIES));
        self.storage.run("DELETE FROM audit WHERE number <= ?", &[first])?;
        self.wake_after(AUDIT_DAYS, now)?;
        Ok(entry)
    }

    /// Takes a key for the call of this entry.
    fn take(&self, client: &str, key: &Key, entry: u64, now: Millis) -> Result<(), Unreachable> {
        self.storage.run(
            "INSERT INTO once (at, client, name, digest, entry, state) VALUES (?, ?, ?, ?, ?, 'open')",
            &[json!(now), json!(client), json!(key.name), json!(key.digest), json!(entry)],
        )?;
        self.desk.running.borrow_mut().push((entry, now));
        self.wake_after(KEY_LIFE, now)
    }

    /// Notes what became of a call.
    pub(super) fn end(&self, end: &End) -> Result<(), Unreachable> {
        self.prepare()?;
        self.desk.running.borrow_mut().retain(|(entry, _)| *entry != end.number);
        self.storage.run(
            "UPDATE audit SET outcome = ?, status = ?, errcode = ?, rid = ?, ms = ?, retried = ? WHERE number = ?",
            &[
                json!(end.outcome),
                json!(end.status),
                json!(end.errcode),
                json!(end.rid),
                json!(end.ms),
                json!(end.retried),
                json!(end.number),
            ],
        )?;
        let (state, answer) = match &end.keep {
            None => return Ok(()),
            Some(Keep::Nothing) => {
                return self.storage.run("DELETE FROM once WHERE entry = ?", &[json!(end.number)]).map(drop);
            }
            Some(Keep::Unknown) => ("open", None),
            Some(Keep::Done) => ("done", None),
            Some(Keep::Answer(kept)) => ("done", Some(super::write(kept)?)),
        };
        let values = [json!(state), json!(answer), json!(end.number)];
        self.storage.run("UPDATE once SET state = ?, answer = ? WHERE entry = ?", &values).map(drop)
    }

    /// What clients did, the newest first; one entry more than `limit` if there are more.
    pub(super) fn audit(
        &self,
        client: Option<String>,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Value, Unreachable> {
        self.prepare()?;
        let mut values = vec![json!(after.unwrap_or(i64::MAX as u64))];
        let of_client = if client.is_some() { "AND client = ?" } else { "" };
        values.extend(client.map(Value::from));
        values.push(json!(limit + 1));
        let rows = self.storage.run(
            &format!("SELECT * FROM audit WHERE number < ? {of_client} ORDER BY number DESC LIMIT ?"),
            &values,
        )?;
        Ok(Value::Array(rows))
    }

    /// When something will be too old.
    pub(super) fn calls_wake(&self) -> Option<Millis> {
        if self.desk.wakes.get().is_none() {
            self.desk.wakes.set(Some(self.oldest_ends()));
        }
        self.desk.wakes.get().flatten()
    }

    /// When the oldest of what is stored will be too old. Before the tables are made, there is nothing.
    fn oldest_ends(&self) -> Option<Millis> {
        let tables = [("audit", AUDIT_DAYS), ("once", KEY_LIFE)];
        let ends = tables.into_iter().filter_map(|(table, life)| {
            let oldest = format!("SELECT at FROM {table} ORDER BY number LIMIT 1");
            let rows = self.storage.run(&oldest, &[]).ok()?;
            Some(number(rows.first()?, "at") + life)
        });
        ends.min()
    }

    /// Deletes what is too old, some of it at a time.
    pub(super) fn tidy_calls(&self) -> Result<(), Unreachable> {
        self.prepare()?;
        let now = self.platform.now();
        let old = json!(now.saturating_sub(AUDIT_DAYS));
        self.storage.run(
            "DELETE FROM audit WHERE at <= ? AND number IN (SELECT number FROM audit ORDER BY number LIMIT ?)",
            &[old, json!(TIDIED)],
        )?;
        self.storage.run("DELETE FROM once WHERE at <= ?", &[json!(now.saturating_sub(KEY_LIFE))])?;
        self.desk.wakes.set(Some(self.oldest_ends().map(|at| at.max(now + TIDY))));
        Ok(())
    }

    /// Sees to it that what is stored now will be deleted.
    fn wake_after(&self, life: Millis, now: Millis) -> Result<(), Unreachable> {
        if self.calls_wake().is_none_or(|at| at > now + life) {
            self.desk.wakes.set(Some(Some(now + life)));
        }
        self.set_alarm()
    }

    /// Makes the tables, unless they are there.
    fn prepare(&self) -> Result<(), Unreachable> {
        if !self.desk.prepared.get() {
            TABLES.iter().try_for_each(|statement| self.storage.run(statement, &[]).map(drop))?;
            self.desk.prepared.set(true);
        }
        Ok(())
    }
}

impl Desk {
    /// Counts a call; how many seconds its client has to wait instead.
    fn wait(&self, begin: &Begin, now: Millis) -> Option<u64> {
        let mut minute = self.minute.borrow_mut();
        let (current, clients) = &mut *minute;
        if *current != now / MINUTE {
            (*current, *clients) = (now / MINUTE, Vec::new());
        }
        match clients.iter_mut().find(|(client, _)| *client == begin.client) {
            Some((_, calls)) if *calls >= begin.per_minute => Some((MINUTE - now % MINUTE).div_ceil(1_000)),
            Some((_, calls)) => {
                *calls += 1;
                None
            }
            None => {
                clients.push((begin.client.clone(), 1));
                None
            }
        }
    }

    /// Whether the call of this entry may still come to its end.
    fn is_running(&self, entry: u64, now: Millis) -> bool {
        let mut running = self.running.borrow_mut();
        running.retain(|(_, began)| now < began + LONGEST);
        running.iter().any(|(known, _)| *known == entry)
    }
}

fn number(row: &Value, column: &str) -> u64 {
    row.get(column).and_then(Value::as_u64).unwrap_or_default()
}
