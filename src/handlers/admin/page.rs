//! Pages of lists: `?limit=1..200&after=<cursor>`, answered with `{items, next}`.

use serde_json::Value;

use super::problem::Problem;
use super::{Outcome, Visit};
use crate::gateway::record::{Call, Filter, Kind, PAGE, Record, Reply};
use crate::handlers::records;
use crate::json::json;
use crate::login::params::Params;
use crate::platform::{Platform, Request};

/// Documents of a page, unless more or fewer are asked for.
const USUAL: u32 = 50;

/// Which page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The number of the last document of the page before.
    pub after: Option<u64>,
    /// Most documents.
    pub limit: u32,
}

/// The page that a query asks for.
pub fn asked(request: &Request) -> Result<Page, Problem> {
    let params = Params::parse(request.query.as_bytes());
    let after = number(&params, "after", 0, u64::MAX >> 1)?;
    let limit = number(&params, "limit", 1, u64::from(PAGE))?;
    Ok(Page { after, limit: limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(USUAL) })
}

/// A number of a query, if it is there.
pub fn number(params: &Params, name: &str, least: u64, most: u64) -> Result<Option<u64>, Problem> {
    let Ok(text) = params.once(name) else { return Err(twice(name)) };
    let Some(text) = text else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number
        .map(Some)
        .ok_or_else(|| Problem::fault(name, format!("must be a whole number between {least} and {most}")))
}

/// A parameter came twice.
pub fn twice(name: &str) -> Problem {
    Problem::fault(name, "comes twice in the query")
}

/// A page as it is answered.
pub fn answer(records: &[Record], more: bool, entry: &dyn Fn(&Record) -> Value) -> Value {
    let items: Vec<Value> = records.iter().map(entry).collect();
    let next = records.last().filter(|_| more).map(|record| record.number.to_string());
    json!({ "items": items, "next": next })
}

/// The page of documents that is asked for, the newest first.
pub async fn of<P: Platform>(
    visit: &Visit<'_, P>,
    kind: Kind,
    filters: Vec<Filter>,
    show: &dyn Fn(&Record) -> Value,
) -> Outcome {
    let Page { after, limit } = asked(visit.request)?;
    let call = Call::List { kind, after, limit, newest_first: true, filters };
    let Reply::Records { records, more } = records::ask(visit.platform, visit.app, call).await? else {
        return Err(records::nonsense().into());
    };
    Ok(super::json(200, &answer(&records, more, show)))
}
