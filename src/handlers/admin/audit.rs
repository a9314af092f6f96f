//! What the account's other programs called.

use serde_json::Value;

use super::problem::Problem;
use super::{Outcome, Visit};
use crate::gateway::desk::Call;
use crate::gateway::record::PAGE;
use crate::handlers::call_object;
use crate::json::json;
use crate::platform::{Object, Platform};

/// Entries of a page, unless `limit` says otherwise.
const ENTRIES: u32 = 50;

/// `GET /admin/audit?client=&after=&limit=`: the newest first.
pub async fn list<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let Visit { request, platform, app } = visit;
    let (mut client, mut after, mut limit) = (None, None, ENTRIES);
    for (name, value) in form_urlencoded::parse(request.query.as_bytes()) {
        let wrong = || Problem::invalid(format!("the parameter {name} is not a number within its bounds"));
        match name.as_ref() {
            "client" => client = Some(value.into_owned()),
            "after" => {
                after =
                    Some(value.parse().ok().filter(|number| *number <= i64::MAX as u64).ok_or_else(wrong)?)
            }
            "limit" => {
                limit = value.parse().ok().filter(|limit| (1..=PAGE).contains(limit)).ok_or_else(wrong)?;
            }
            _ => {}
        }
    }
    let call = Call::Audit { client, after, limit };
    let mut entries: Vec<Value> = call_object(*platform, Object::Account, &app.config.app_id, &call).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let last = entries.last().and_then(|entry| entry.get("number")?.as_u64()).filter(|_| more);
    Ok(super::json(200, &json!({ "items": entries, "next": last.map(|number| number.to_string()) })))
}
