//! `/admin/mass`: messages to many. [`crate::gateway::mass`] is the machine; here it is read, stored and moved.

mod audience;
mod content;
pub mod result;
mod sending;

use serde_json::Value;

use super::fields::{Rule, fault, faults, may, must, refuse};
use super::problem::Problem;
use super::{Outcome, Visit, ask, body, page};
use crate::gateway::mass::{Job, Stage};
use crate::gateway::rail::Rail;
use crate::gateway::record::{Filter, Kind, Record};
use crate::handlers::{App, records};
use crate::json::json;
use crate::login::params::Params;
use crate::platform::{Platform, Response, Unreachable};
use crate::wechat::api::mass;

/// The rail's only document.
const RAIL: &str = "sends";

/// Every route below `/admin/mass`.
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    match (visit.request.method.as_str(), segments) {
        ("GET", []) => list(visit).await,
        ("POST", []) => create(visit).await,
        ("GET", ["speed"]) => speed(visit).await,
        ("PUT", ["speed"]) => set_speed(visit).await,
        ("GET", [id]) => show(visit, id).await,
        ("PUT", [id]) => change(visit, id).await,
        ("DELETE", [id]) => delete(visit, id).await,
        ("POST", [id, "check"]) => check(visit, id).await,
        ("POST", [id, "preview"]) => preview(visit, id).await,
        ("POST", [id, "confirm"]) => confirm(visit, id).await,
        ("POST", [id, "send"]) => sending::send(visit, id).await,
        ("POST", [id, "stop"]) => sending::stop(visit, id).await,
        _ => Err(Problem::not_found("route")),
    }
}

/// A job, and which version it is.
#[derive(Debug)]
struct Stored {
    id: String,
    version: u64,
    at: u64,
    job: Job,
}

impl Stored {
    /// As the operator sees it: the confirmation is told once, to whoever asked for it.
    fn view(&self) -> Value {
        let mut view = crate::json::of(&self.job);
        if let Value::Object(view) = &mut view {
            for inner in ["confirmation", "lists", "msg_ids"] {
                view.remove(inner);
            }
            for part in view.get_mut("parts").and_then(Value::as_array_mut).into_iter().flatten() {
                let people = part.pointer("/list/people").cloned().unwrap_or_default();
                if let Value::Object(part) = part {
                    part.remove("list");
                    part.insert("people".to_owned(), people);
                }
            }
            view.insert("id".to_owned(), json!(self.id));
            view.insert("version".to_owned(), json!(self.version));
            view.insert("changed".to_owned(), json!(self.at));
        }
        view
    }
}

fn stored(record: Record) -> Result<Stored, Unreachable> {
    let job = crate::json::from_value(&record.document)
        .map_err(|_| Unreachable("a stored job made no sense".to_owned()))?;
    Ok(Stored { id: record.id, version: record.version, at: record.at, job })
}

async fn load<P: Platform>(platform: &P, app: &App, id: &str) -> Result<Stored, Problem> {
    let record = records::get(platform, app, Kind::Mass, id).await?;
    Ok(stored(record.ok_or_else(|| Problem::not_found("message to many"))?)?)
}

/// Stores a job in place of the version that it was made of.
async fn store<P: Platform>(platform: &P, app: &App, stored: &mut Stored) -> Result<(), Problem> {
    let document = crate::json::of(&stored.job);
    let version = records::put(platform, app, Kind::Mass, &stored.id, Some(stored.version), document).await?;
    stored.version =
        version.ok_or_else(|| Problem::conflict("somebody else changed or sent it at the same time"))?;
    stored.at = platform.now();
    Ok(())
}

fn wrong_stage(stored: &Stored, words: &str) -> Problem {
    let stage = crate::json::of(&stored.job.stage);
    Problem::conflict(words).with("stage", stage)
}

async fn list<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let params = Params::parse(visit.request.query.as_bytes());
    let filter = |stage: &str| Filter { field: "stage".to_owned(), value: json!(stage) };
    let filters = params.get("stage").map(filter).into_iter().collect();
    let view = |record: &Record| stored(record.clone()).map_or(Value::Null, |stored| stored.view());
    page::of(visit, Kind::Mass, filters, &view).await
}

/// What the body says: name, message, audience. The openids of a list are stored apart.
async fn draft<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Result<Job, Problem> {
    let body = body(visit.request)?;
    let mut found = faults(&body, &[may("/name", Rule::Note(64)), must("/message", Rule::Object)]);
    found.extend(content::faults_of(body.get("message").unwrap_or(&Value::Null)));
    let (audience, openids) = audience::read(body.get("audience"), &mut found);
    refuse(found)?;
    let lists = audience::store(visit, id, &openids).await?;
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    Ok(Job::new(name, body.get("message").cloned().unwrap_or_default(), audience, lists))
}

async fn create<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let id = hex::encode(visit.platform.random().get(..8).unwrap_or_default());
    let job = draft(visit, &id).await?;
    let mut stored = Stored { id, version: 0, at: 0, job };
    store(visit.platform, visit.app, &mut stored).await?;
    Ok(super::json(201, &stored.view()))
}

/// A job, with what WeChat knows of it by now.
async fn show<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Outcome {
    let stored = load(visit.platform, visit.app, id).await?;
    let stored = result::catch_up(visit, stored).await?;
    Ok(super::json(200, &stored.view()))
}

async fn change<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Outcome {
    let mut stored = load(visit.platform, visit.app, id).await?;
    if !stored.job.may_change() {
        return Err(wrong_stage(&stored, "it was sent, so it cannot be changed any more"));
    }
    let job = draft(visit, id).await?;
    let before = std::mem::replace(&mut stored.job, job);
    store(visit.platform, visit.app, &mut stored).await?;
    audience::drop_lists(visit, &before.lists).await;
    Ok(super::json(200, &stored.view()))
}

async fn delete<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Outcome {
    let stored = load(visit.platform, visit.app, id).await?;
    if !stored.job.may_go(visit.platform.now()) {
        return Err(wrong_stage(&stored, "its result is not known yet"));
    }
    records::delete(visit.platform, visit.app, Kind::Mass, id).await?;
    audience::drop_lists(visit, &stored.job.lists).await;
    Ok(Response { status: 204, ..Response::default() })
}

/// Content, media, audience, rights and the rail, without sending anything.
///
/// 1. the rail and the right: `speed/get` needs the same one
/// 2. the media are there
/// 3. the people are counted
async fn check<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Outcome {
    let mut stored = load(visit.platform, visit.app, id).await?;
    if !stored.job.may_change() {
        return Err(wrong_stage(&stored, "it was sent already"));
    }
    ask(visit, &mass::speed()).await?;
    refuse(content::media_faults(visit, &stored.job.message).await?)?;
    let heads = audience::count(visit, &stored.job).await?;
    stored.job.checked(heads);
    store(visit.platform, visit.app, &mut stored).await?;
    let (rail, _) = rail(visit).await?;
    let limits = visit.app.config.mass;
    let opens = rail.opens(visit.platform.now(), limits.per_hour, limits.per_day);
    let mut view = stored.view();
    if let Value::Object(view) = &mut view {
        view.insert("warnings".to_owned(), json!(content::warnings(&stored.job.message)));
        view.insert("opens".to_owned(), json!(opens));
    }
    Ok(super::json(200, &view))
}

async fn rail<P: Platform>(visit: &Visit<'_, P>) -> Result<(Rail, u64), Problem> {
    let record = records::get(visit.platform, visit.app, Kind::MassRail, RAIL).await?;
    let version = record.as_ref().map_or(0, |record| record.version);
    let rail = record.and_then(|record| crate::json::from_value(&record.document).ok());
    Ok((rail.unwrap_or_default(), version))
}

async fn preview<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Outcome {
    let body = body(visit.request)?;
    let mut found = faults(&body, &[may("/touser", Rule::Text(128)), may("/towxname", Rule::Text(64))]);
    if body.get("touser").or(body.get("towxname")).is_none() {
        found.push(fault("/touser", "must be there, or towxname"));
    }
    refuse(found)?;
    let mut stored = load(visit.platform, visit.app, id).await?;
    if !stored.job.may_change() {
        return Err(wrong_stage(&stored, "it was sent already"));
    }
    if !stored.job.previewed() {
        return Err(wrong_stage(&stored, "it must be checked first"));
    }
    ask(visit, &mass::preview(&stored.job.message, &body)).await?;
    store(visit.platform, visit.app, &mut stored).await?;
    Ok(super::json(200, &stored.view()))
}

/// The first of two steps: how many people it is for, and what to repeat to send it. The people of a filter are
/// chosen now, so that those who were counted get it, and nobody else.
async fn confirm<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Outcome {
    let mut stored = load(visit.platform, visit.app, id).await?;
    if !stored.job.may_change() {
        return Err(wrong_stage(&stored, "it was sent already"));
    }
    if stored.job.heads.is_none() || stored.job.stage == Stage::Draft {
        return Err(wrong_stage(&stored, "it must be checked first"));
    }
    let before = stored.job.lists.clone();
    let (lists, heads) = audience::choose(visit, id, &stored.job).await?;
    let code = hex::encode(visit.platform.random().get(..4).unwrap_or_default());
    let name = format!("{id}-{}", stored.version + 1);
    stored.job.confirm(&name, lists, heads, code.clone(), visit.platform.now());
    store(visit.platform, visit.app, &mut stored).await?;
    if before != stored.job.lists {
        audience::drop_lists(visit, &before).await;
    }
    let until = stored.job.confirmation.as_ref().map(|confirmation| confirmation.until);
    let answer = json!({ "id": id, "heads": heads, "confirmation": code, "until": until });
    Ok(super::json(200, &answer))
}

async fn speed<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let answer = ask(visit, &mass::speed()).await?;
    let answer = json!({ "speed": answer.get("speed"), "realspeed": answer.get("realspeed") });
    Ok(super::json(200, &answer))
}

async fn set_speed<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let body = body(visit.request)?;
    refuse(faults(&body, &[must("/speed", Rule::Number(0, 4))]))?;
    ask(visit, &mass::set_speed(body.get("speed").and_then(Value::as_u64).unwrap_or_default())).await?;
    Ok(Response { status: 204, ..Response::default() })
}
