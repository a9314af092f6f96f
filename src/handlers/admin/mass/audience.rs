//! Who gets it: everybody, a tag, a list, or a filter over the people that are stored here.

use std::collections::BinaryHeap;

use serde_json::{Map, Value};

use super::super::fields::{Field, Rule, fault, faults, may};
use super::super::problem::{Fault, Problem};
use super::super::{Visit, ask};
use crate::gateway::mass::{Job, List};
use crate::gateway::record::{Call, Filter, IDS, Kind, Reply};
use crate::handlers::records;
use crate::json::{Put, json};
use crate::platform::Platform;
use crate::wechat::api::{ApiRequest, Body, Method, mass, user};

/// One request may call WeChat so often: Workers allow 50 requests to others on the free plan.
/// <https://developers.cloudflare.com/workers/platform/limits/#subrequests>
const MOST_LISTS: usize = 40;

/// What a filter may ask for; `tag` is `tags` where people are stored.
const FILTER: &[Field] = &[
    may("/filter/tag", Rule::Number(0, u32::MAX as u64)),
    may("/filter/language", Rule::Text(16)),
    may("/filter/gender", Rule::Number(1, 2)),
    may("/filter/country", Rule::Text(64)),
    may("/filter/province", Rule::Text(64)),
    may("/filter/city", Rule::Text(64)),
    may("/filter/unknown", Rule::Choice(&["skip"])),
];
/// Those that may be unknown of somebody.
const UNSURE: [&str; 5] = ["language", "gender", "country", "province", "city"];

/// The audience as it is stored, and the openids of a list.
pub fn read(audience: Option<&Value>, found: &mut Vec<Fault>) -> (Value, Vec<String>) {
    let forms = ["all", "tag_id", "openids", "filter"];
    let members = audience.and_then(Value::as_object);
    let given: Vec<_> = members.into_iter().flatten().collect();
    let [(form, value)] = given.as_slice() else {
        found.push(fault("/audience", format!("must have one of: {}", forms.join(", "))));
        return (Value::Null, Vec::new());
    };
    let whole = audience.unwrap_or(&Value::Null);
    let mut check = |fields: &[Field]| {
        found.extend(
            faults(whole, fields).into_iter().map(|(at, detail)| fault(format!("/audience{at}"), detail)),
        );
    };
    match form.as_str() {
        "all" if **value == Value::Bool(true) => {}
        "tag_id" => check(&[may("/tag_id", Rule::Number(0, u64::from(u32::MAX)))]),
        "openids" => {
            let (least, most) = mass::OPENIDS;
            check(&[may("/openids", Rule::Texts(least, most))]);
            // A heap, because what sorts a list is five times the code.
            let mut openids = BinaryHeap::from(texts(value)).into_sorted_vec();
            openids.dedup();
            if openids.len() < least && found.is_empty() {
                found.push(fault("/audience/openids", "must have two different people at least"));
            }
            return (json!({ "openids": openids.len() }), openids);
        }
        "filter" => {
            check(FILTER);
            let known = |name: &String| name == "tag" || UNSURE.contains(&name.as_str());
            let filter = value.as_object();
            let strange =
                filter.and_then(|filter| filter.keys().find(|name| !known(name) && *name != "unknown"));
            if let Some(name) = strange {
                found.push(fault(
                    format!("/audience/filter/{name}"),
                    "is nothing that people are filtered by",
                ));
            } else if !filter.is_some_and(|filter| filter.keys().any(known)) {
                found.push(fault("/audience/filter", "must ask for something"));
            }
        }
        _ => found.push(fault("/audience", format!("must have one of: {}", forms.join(", ")))),
    }
    (whole.clone(), Vec::new())
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// How many people it is for.
///
/// # Errors
/// There is no such tag; or a filter asks for what is not known of everybody, and does not skip those.
pub async fn count<P: Platform>(visit: &Visit<'_, P>, job: &Job) -> Result<u64, Problem> {
    let audience = &job.audience;
    if let Some(tag) = audience.get("tag_id").and_then(Value::as_u64) {
        return tagged(visit, tag).await;
    }
    if let Some(openids) = audience.get("openids").and_then(Value::as_u64) {
        return Ok(openids);
    }
    let Some(filter) = audience.get("filter").and_then(Value::as_object) else {
        return followers(visit).await;
    };
    let sure = people(visit, filters(filter, &|_| false)).await?;
    if filter.get("unknown").is_none() {
        be_honest(visit, filter, sure).await?;
    }
    match sure {
        0 | 1 => Err(Problem::faults(vec![fault(
            "/audience/filter",
            format!("fits {sure} people, and WeChat sends to two at least"),
        )])),
        _ => Ok(sure),
    }
}

async fn tagged<P: Platform>(visit: &Visit<'_, P>, tag: u64) -> Result<u64, Problem> {
    let request =
        ApiRequest { method: Method::Get, path: "/cgi-bin/tags/get", query: Vec::new(), body: Body::Empty };
    let answer = ask(visit, &request).await?;
    let number = |tag: &Value, name: &str| tag.get(name).and_then(Value::as_u64);
    let mut tags = answer.get("tags").and_then(Value::as_array).into_iter().flatten();
    let found = tags.find(|known| number(known, "id") == Some(tag));
    let no_such = || Problem::faults(vec![fault("/audience/tag_id", "is no tag of this account")]);
    found.and_then(|found| number(found, "count")).ok_or_else(no_such)
}

async fn followers<P: Platform>(visit: &Visit<'_, P>) -> Result<u64, Problem> {
    let answer = ask(visit, &user::followers("")).await?;
    Ok(answer.get("total").and_then(Value::as_u64).unwrap_or_default())
}

async fn people<P: Platform>(visit: &Visit<'_, P>, filters: Vec<Filter>) -> Result<u64, Problem> {
    let call = Call::Count { kind: Kind::Person, filters };
    match records::ask(visit.platform, visit.app, call).await? {
        Reply::Count(count) => Ok(count),
        _ => Err(records::nonsense().into()),
    }
}

/// The filter as it is asked of the storage; where `unsure` says so, those of whom it is not known fit too.
fn filters(filter: &Map<String, Value>, unsure: &dyn Fn(&str) -> bool) -> Vec<Filter> {
    let asked = filter.iter().filter(|(name, _)| *name != "unknown");
    asked
        .map(|(name, value)| {
            let field = if name == "tag" { "tags" } else { name }.to_owned();
            let value = if unsure(name) { json!([value, null]) } else { value.clone() };
            Filter { field, value }
        })
        .collect()
}

/// Refuses a filter if somebody might belong to its audience, but nobody knows.
async fn be_honest<P: Platform>(
    visit: &Visit<'_, P>,
    filter: &Map<String, Value>,
    sure: u64,
) -> Result<(), Problem> {
    let is_unsure = |name: &str| UNSURE.contains(&name);
    let perhaps = people(visit, filters(filter, &is_unsure)).await?.saturating_sub(sure);
    let stored = people(visit, Vec::new()).await?;
    let strangers = followers(visit).await?.saturating_sub(stored);
    if perhaps == 0 && strangers == 0 {
        return Ok(());
    }
    let mut unknown = Map::new();
    for name in UNSURE.into_iter().filter(|name| filter.contains_key(*name)) {
        let mut asked = filters(filter, &is_unsure);
        asked.retain(|asked| asked.field != name);
        asked.push(Filter { field: name.to_owned(), value: Value::Null });
        unknown.put(name, json!(people(visit, asked).await?));
    }
    let words = "of some followers it is not known whether they belong to this audience: complete what is stored of \
                 them (POST /admin/users/sync, PATCH /admin/users/{openid}), or leave them out with \"unknown\": \"skip\"";
    Err(Problem::new(409, "guarded", words)
        .with("known", sure)
        .with("unknown", perhaps)
        .with("unknown_by", Value::Object(unknown))
        .with("not_stored", strangers))
}

/// The lists that it goes to (none for everybody or a tag), and how many people it is for. The people of a filter are
/// chosen here.
pub async fn choose<P: Platform>(
    visit: &Visit<'_, P>,
    id: &str,
    job: &Job,
) -> Result<(Vec<List>, u64), Problem> {
    let heads = count(visit, job).await?;
    let Some(filter) = job.audience.get("filter").and_then(Value::as_object) else {
        return Ok((job.lists.clone(), heads));
    };
    let mut all: Vec<Vec<String>> = Vec::new();
    let mut after = None;
    loop {
        let filters = filters(filter, &|_| false);
        let call = Call::Ids { kind: Kind::Person, after, limit: IDS, filters };
        let Reply::Ids { ids, next } = records::ask(visit.platform, visit.app, call).await? else {
            return Err(records::nonsense().into());
        };
        all.push(ids);
        after = next;
        if after.is_none() {
            break;
        }
        if all.len() == MOST_LISTS {
            return Err(Problem::invalid("the filter fits more than 400 000 people; use a tag"));
        }
    }
    balance(&mut all);
    let mut lists = Vec::new();
    for openids in &all {
        lists.extend(store(visit, id, openids).await?);
    }
    let heads = lists.iter().map(|list| list.people).sum();
    Ok((lists, heads))
}

/// WeChat takes no list of one.
fn balance(all: &mut [Vec<String>]) {
    if let [.., before, last] = all
        && last.len() == 1
    {
        last.extend(before.pop());
    }
}

/// Stores a list of openids apart from its job, because it is long.
pub async fn store<P: Platform>(
    visit: &Visit<'_, P>,
    id: &str,
    openids: &[String],
) -> Result<Vec<List>, Problem> {
    if openids.is_empty() {
        return Ok(Vec::new());
    }
    let random = visit.platform.random();
    let name = format!("{id}-{}", hex::encode(random.get(..4).unwrap_or_default()));
    let document = json!({ "openids": openids });
    records::put(visit.platform, visit.app, Kind::MassPeople, &name, None, document).await?;
    Ok(vec![List { id: name, people: openids.len() as u64 }])
}

/// The openids of a list.
pub async fn openids<P: Platform>(visit: &Visit<'_, P>, list: &List) -> Result<Vec<String>, Problem> {
    let record = records::get(visit.platform, visit.app, Kind::MassPeople, &list.id).await?;
    let openids = record.as_ref().and_then(|record| record.document.get("openids")).map(texts);
    openids.ok_or_else(|| Problem::conflict("its list of people is gone"))
}

/// Deletes lists that no job has any more. If that fails, they only take room.
pub async fn drop_lists<P: Platform>(visit: &Visit<'_, P>, lists: &[List]) {
    for list in lists {
        let _ = records::delete(visit.platform, visit.app, Kind::MassPeople, &list.id).await;
    }
}
