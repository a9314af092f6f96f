//! What the account's other programs called.

use serde_json::Value;

use super::page::{self, Page};
use super::{Outcome, Visit};
use crate::gateway::desk::Call;
use crate::handlers::call_object;
use crate::json::json;
use crate::login::params::Params;
use crate::platform::{Object, Platform};

/// `GET /admin/audit?client=&after=&limit=`: the newest first.
pub async fn list<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let Visit { request, platform, app } = visit;
    let Page { after, limit } = page::asked(request)?;
    let params = Params::parse(request.query.as_bytes());
    let client = params.once("client").map_err(|_| page::twice("client"))?.map(str::to_owned);
    let call = Call::Audit { client, after, limit };
    let mut entries: Vec<Value> = call_object(*platform, Object::Account, &app.config.app_id, &call).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let last = entries.last().and_then(|entry| entry.get("number")?.as_u64()).filter(|_| more);
    Ok(super::json(200, &json!({ "items": entries, "next": last.map(|number| number.to_string()) })))
}
