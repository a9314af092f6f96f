//! The account's documents in its object's database.

use serde_json::Value;

use crate::gateway::record::{Call, Filter, IDS, Kind, PAGE, Record, Reply};
use crate::json::json;
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
        Call::Ids { kind, after, limit, filters } => ids(tables, kind, after, limit, &filters),
        Call::MergeAll { kind, documents } => {
            let all = documents.len() as u64;
            for (id, change) in documents {
                merge(tables, kind, &id, change, now)?;
            }
            Ok(Reply::Count(all))
        }
        Call::DeleteOlder { kind, before, filters } => {
            let (condition, mut values) = condition(kind, &filters);
            values.push(json!(before));
            let statement =
                ["DELETE FROM record WHERE ", &condition, " AND at < ? RETURNING number"].concat();
            let rows = tables.run(&statement, &values)?;
            Ok(Reply::Count(rows.len() as u64))
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

fn ids(
    tables: &impl Tables,
    kind: Kind,
    after: Option<u64>,
    limit: u32,
    filters: &[Filter],
) -> Result<Reply, Unreachable> {
    let limit = limit.clamp(1, IDS);
    let (condition, mut values) = condition(kind, filters);
    values.push(json!(after.unwrap_or_default()));
    let statement = format!(
        "SELECT number, id FROM record WHERE {condition} AND number > ? ORDER BY number LIMIT {}",
        limit + 1
    );
    let mut rows = tables.run(&statement, &values)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| number(row, "number"));
    let id = |row: &Value| row.get("id").and_then(Value::as_str).map(str::to_owned);
    Ok(Reply::Ids { ids: rows.iter().filter_map(id).collect(), next })
}

/// A merge patch of one level: a member that is `null` is taken away, the others are put.
fn merge(
    tables: &impl Tables,
    kind: Kind,
    id: &str,
    change: Value,
    now: Millis,
) -> Result<Reply, Unreachable> {
    let rows = tables
        .run("SELECT document FROM record WHERE kind = ? AND id = ?", &[json!(kind.name()), json!(id)])?;
    let stored = rows.first().and_then(|row| row.get("document")?.as_str());
    let mut document = stored.and_then(|text| crate::json::value(text.as_bytes()).ok()).unwrap_or(json!({}));
    if let (Value::Object(members), Value::Object(change)) = (&mut document, change) {
        members.extend(change);
        members.retain(|_, value| !value.is_null());
    }
    put(tables, kind, id, None, &document, now)
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
        let choices = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        condition.push_str(" AND (0");
        for choice in choices {
            if choice.is_null() {
                condition.push_str(" OR json_extract(document, ?) IS NULL");
                values.push(path.clone());
            } else {
                // Of a text or number, `json_each` makes one row; of a list, one for each element.
                condition.push_str(" OR EXISTS (SELECT 1 FROM json_each(document, ?) WHERE value = ?)");
                values.extend([path.clone(), choice.clone()]);
            }
        }
        condition.push(')');
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
