//! Pages of lists: `?limit=1..200&after=<cursor>` gives `{"items":[…],"next":"<cursor>"|null}`.

use serde_json::{Value, json};

use super::fields::{fault, refuse};
use super::problem::Problem;
use super::{Outcome, Visit};
use crate::gateway::record::{Call, Filter, Kind, PAGE, Record, Reply};
use crate::handlers::records;
use crate::login::params::Params;
use crate::platform::{Platform, Unreachable};

/// Documents of a page, if nobody says how many.
const USUAL: u64 = 50;

/// One page of documents, the newest first.
pub async fn of<P: Platform>(
    visit: &Visit<'_, P>,
    params: &Params,
    kind: Kind,
    filters: Vec<Filter>,
    show: &dyn Fn(&Record) -> Value,
) -> Outcome {
    let limit = number(params, "limit", Some(USUAL))?.unwrap_or(USUAL);
    let after = number(params, "after", None)?;
    let limit = u32::try_from(limit).ok().filter(|limit| (1..=PAGE).contains(limit));
    let Some(limit) = limit else {
        return Err(Problem::faults(vec![fault("/limit", "must be between 1 and 200")]));
    };
    let call = Call::List { kind, after, limit, newest_first: true, filters };
    let Reply::Records { records, more } = records::ask(visit.platform, visit.app, call).await? else {
        return Err(Unreachable("the account's object answered another question".to_owned()).into());
    };
    let next = records.last().filter(|_| more).map(|record| record.number.to_string());
    let items: Vec<Value> = records.iter().map(show).collect();
    Ok(super::json(200, &json!({ "items": items, "next": next })))
}

/// A whole number of the query.
fn number(params: &Params, name: &str, default: Option<u64>) -> Result<Option<u64>, Problem> {
    let Some(text) = params.get(name) else { return Ok(default) };
    let number = text.parse().ok();
    if number.is_none() {
        refuse(vec![fault(format!("/{name}"), "must be a whole number")])?;
    }
    Ok(number)
}
