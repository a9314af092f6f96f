//! The account's documents in its object's database.

use serde_json::{Value, json};

use crate::gateway::record::{Call, Filter, Kind, PAGE, Record, Reply};
use crate::platform::{Millis, Tables, Unreachable};

/// One row for each document. Numbers are never used again, so a page that follows one is where it was.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS record (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    at INTEGER NOT NULL, document TEXT NOT NULL, UNIQUE (kind, id))";

/// Makes the table, unless it is there.
pub fn prepare(tables: &impl Tables) -> Result<(), Unreachable> {
    tables.run(TABLE, &[]).map(drop)
}

/// Answers a [`Call`].
pub fn answer(tables: &impl Tables, call: Call, now: Millis) -> Result<Reply, Unreachable> {
    match call {
        Call::Get { kind, id } => {
            let rows = tables.run(
                "SELECT number, id, version, at, document FROM record WHERE kind = ? AND id = ?",
                &[json!(kind.name()), json!(id)],
            )?;
            Ok(Reply::Records { records: records(rows)?, more: false })
        }
        Call::List { kind, after, limit, newest_first, filters } => {
            list(tables, kind, after, limit, newest_first, &filters)
        }
        Call::Count { kind, filters } => {
            let (condition, values) = condition(kind, &filters);
            let rows = tables.run(&format!("SELECT count(*) AS n FROM record WHERE {condition}"), &values)?;
            Ok(Reply::Count(rows.first().map_or(0, |row| number(row, "n"))))
        }
        Call::Put { kind, id, version, document } => put(tables, kind, &id, version, &document, now),
        Call::PutAll { kind, documents } => {
            let all = documents.len() as u64;
            for (id, document) in documents {
                put(tables, kind, &id, None, &document, now)?;
            }
            Ok(Reply::Count(all))
        }
        Call::Delete { kind, id } => {
            let rows = tables.run(
                "DELETE FROM record WHERE kind = ? AND id = ? RETURNING number",
                &[json!(kind.name()), json!(id)],
            )?;
            Ok(Reply::Count(rows.len() as u64))
        }
    }
}

fn list(
    tables: &impl Tables,
    kind: Kind,
    after: Option<u64>,
    limit: u32,
    newest_first: bool,
    filters: &[Filter],
) -> Result<Reply, Unreachable> {
    let limit = limit.clamp(1, PAGE);
    let (mut condition, mut values) = condition(kind, filters);
    if let Some(after) = after {
        condition.push_str(if newest_first { " AND number < ?" } else { " AND number > ?" });
        values.push(json!(after));
    }
    let order = if newest_first { "DESC" } else { "ASC" };
    let statement = format!(
        "SELECT number, id, version, at, document FROM record WHERE {condition} ORDER BY number {order} LIMIT {}",
        limit + 1
    );
    let mut records = records(tables.run(&statement, &values)?)?;
    let more = records.len() > limit as usize;
    records.truncate(limit as usize);
    Ok(Reply::Records { records, more })
}

fn put(
    tables: &impl Tables,
    kind: Kind,
    id: &str,
    version: Option<u64>,
    document: &Value,
    now: Millis,
) -> Result<Reply, Unreachable> {
    let rows = tables
        .run("SELECT version FROM record WHERE kind = ? AND id = ?", &[json!(kind.name()), json!(id)])?;
    let stored = rows.first().map_or(0, |row| number(row, "version"));
    if version.is_some_and(|expected| expected != stored) {
        return Ok(Reply::Conflict);
    }
    tables.run(
        "INSERT INTO record (kind, id, version, at, document) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, id)
         DO UPDATE SET version = excluded.version, at = excluded.at, document = excluded.document",
        &[json!(kind.name()), json!(id), json!(stored + 1), json!(now), json!(crate::json::text(document))],
    )?;
    Ok(Reply::Stored(stored + 1))
}

/// The condition of a statement, and its values.
fn condition(kind: Kind, filters: &[Filter]) -> (String, Vec<Value>) {
    let mut condition = "kind = ?".to_owned();
    let mut values = vec![json!(kind.name())];
    for Filter { field, value } in filters {
        let path = json!(format!("$.{field}"));
        if value.is_null() {
            condition.push_str(" AND json_extract(document, ?) IS NULL");
            values.push(path);
        } else {
            // Of a text or number, `json_each` makes one row; of a list, one for each element.
            condition.push_str(" AND EXISTS (SELECT 1 FROM json_each(document, ?) WHERE value = ?)");
            values.extend([path, value.clone()]);
        }
    }
    (condition, values)
}

fn records(rows: Vec<Value>) -> Result<Vec<Record>, Unreachable> {
    rows.into_iter()
        .map(|row| record(&row).ok_or_else(|| Unreachable("a stored row made no sense".to_owned())))
        .collect()
}

fn record(row: &Value) -> Option<Record> {
    Some(Record {
        number: number(row, "number"),
        id: row.get("id")?.as_str()?.to_owned(),
        version: number(row, "version"),
        at: number(row, "at"),
        document: crate::json::from_str(row.get("document")?.as_str()?).ok()?,
    })
}

fn number(row: &Value, column: &str) -> u64 {
    row.get(column).and_then(Value::as_u64).unwrap_or_default()
}
