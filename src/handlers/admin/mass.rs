//! `/admin/mass`: messages to many. [`crate::gateway::mass`] is the machine; here it is read, stored and moved.

mod audience;
mod content;
pub mod result;
mod sending;

use serde_json::Value;

use super::fields::{Field, Rule, fault, faults, may, must, refuse};
use super::problem::Problem;
use super::{Outcome, Visit, ask, body, no_content, page};
use crate::gateway::mass::{Job, Stage};
use crate::gateway::rail::Rail;
use crate::gateway::record::{Filter, Kind, Record};
use crate::handlers::{App, records};
use crate::json::{Put, json};
use crate::login::params::Params;
use crate::platform::{Platform, Request, Unreachable};
use crate::wechat::api::mass;

/// The rail's only document.
const RAIL: &str = "sends";

/// Every route below `/admin/mass`.
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    let method = visit.request.method.as_str();
    match (method, segments) {
        ("GET", []) => list(visit).await,
        ("POST", []) => create(visit).await,
        ("GET" | "PUT", ["speed"]) => speed(visit, method == "PUT").await,
        ("GET" | "PUT" | "DELETE", [id]) => one(visit, id, method).await,
        ("POST", [id, step @ ("check" | "preview" | "confirm" | "send" | "stop")]) => {
            one(visit, id, step).await
        }
        _ => Err(Problem::not_found("route")),
    }
}

/// Something with one job: a method, or what is to be done with it. In one place what all of them do.
///
/// 1. read the body, then the job, and see whether it may be done
/// 2. do it
/// 3. answer the job as it is now
async fn one<P: Platform>(visit: &Visit<'_, P>, id: &str, step: &str) -> Outcome {
    let asked = asked(visit.request, step)?;
    let mut stored = load(visit.platform, visit.app, id).await?;
    may_step(&mut stored, step, visit.platform.now())?;
    match step {
        "GET" => stored = result::catch_up(visit, stored).await?,
        "PUT" => {
            let job = draft(visit, id).await?;
            let before = std::mem::replace(&mut stored.job, job);
            store(visit.platform, visit.app, &mut stored).await?;
            audience::drop_lists(visit, &before.lists).await;
        }
        "DELETE" => {
            // First a version of which nothing can be sent: whoever begins to send now is refused, or we are.
            stored.job.confirmation = None;
            store(visit.platform, visit.app, &mut stored).await?;
            records::delete(visit.platform, visit.app, Kind::Mass, id).await?;
            audience::drop_lists(visit, &stored.job.lists).await;
            return Ok(no_content());
        }
        "check" => return check(visit, stored).await,
        "preview" => {
            ask(visit, &mass::preview(&stored.job.message, &asked)).await?;
            store(visit.platform, visit.app, &mut stored).await?;
        }
        "confirm" => return confirm(visit, stored).await,
        "send" => return sending::send(visit, stored, &asked).await,
        _ => stored = sending::stop(visit, stored, &asked).await?,
    }
    Ok(super::json(200, &stored.view()))
}

/// What the body of a step says.
fn asked(request: &Request, step: &str) -> Result<Value, Problem> {
    let fields: &[Field] = match step {
        "preview" => &[may("/touser", Rule::Text(128)), may("/towxname", Rule::Text(64))],
        "send" => &[must("/confirmation", Rule::Text(64))],
        "stop" if !request.body.is_empty() => &[may("/article_idx", Rule::Number(0, 8))],
        _ => return Ok(Value::Null),
    };
    let body = body(request)?;
    let mut found = faults(&body, fields);
    if step == "preview" && body.get("touser").or(body.get("towxname")).is_none() {
        found.push(fault("/touser", "must be there, or towxname"));
    }
    refuse(found)?;
    Ok(body)
}

/// Whether a step may be done with the job as it is. What sending needs is seen later.
fn may_step(stored: &mut Stored, step: &str, now: u64) -> Result<(), Problem> {
    let job = &mut stored.job;
    let words = match step {
        "PUT" if !job.may_change() => "it was sent, so it cannot be changed any more",
        "DELETE" if !job.may_go(now) => "its result is not known yet",
        "check" | "preview" | "confirm" if !job.may_change() => "it was sent already",
        "preview" if !job.previewed() => "it must be checked first",
        "confirm" if job.heads.is_none() || job.stage == Stage::Draft => "it must be checked first",
        "stop" => {
            let kind = job.message.get("msgtype").and_then(Value::as_str).unwrap_or_default();
            if !matches!(kind, "mpnews" | "mpvideo") {
                let words = "only articles and videos can be taken back, because they have a page";
                return Err(Problem::invalid(words));
            }
            if !job.msg_ids.is_empty() {
                return Ok(());
            }
            "nothing was sent"
        }
        _ => return Ok(()),
    };
    Err(wrong_stage(stored, words))
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
                    part.put("people", people);
                }
            }
            view.put("id", json!(self.id));
            view.put("version", json!(self.version));
            view.put("changed", json!(self.at));
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

/// Content, media, audience, rights and the rail, without sending anything.
///
/// 1. the rail and the right: `speed/get` needs the same one
/// 2. the media are there
/// 3. the people are counted
async fn check<P: Platform>(visit: &Visit<'_, P>, mut stored: Stored) -> Outcome {
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
        view.put("warnings", json!(content::warnings(&stored.job.message)));
        view.put("opens", json!(opens));
    }
    Ok(super::json(200, &view))
}

async fn rail<P: Platform>(visit: &Visit<'_, P>) -> Result<(Rail, u64), Problem> {
    let record = records::get(visit.platform, visit.app, Kind::MassRail, RAIL).await?;
    let version = record.as_ref().map_or(0, |record| record.version);
    let rail = record.and_then(|record| crate::json::from_value(&record.document).ok());
    Ok((rail.unwrap_or_default(), version))
}

/// The first of two steps: how many people it is for, and what to repeat to send it. The people of a filter are
/// chosen now, so that those who were counted get it, and nobody else.
async fn confirm<P: Platform>(visit: &Visit<'_, P>, mut stored: Stored) -> Outcome {
    let before = stored.job.lists.clone();
    let (lists, heads) = audience::choose(visit, &stored.id, &stored.job).await?;
    let code = hex::encode(visit.platform.random().get(..4).unwrap_or_default());
    let name = format!("{}-{}", stored.id, stored.version + 1);
    stored.job.confirm(&name, lists, heads, code.clone(), visit.platform.now());
    store(visit.platform, visit.app, &mut stored).await?;
    if before != stored.job.lists {
        audience::drop_lists(visit, &before).await;
    }
    let until = stored.job.confirmation.as_ref().map(|confirmation| confirmation.until);
    let answer = json!({ "id": stored.id, "heads": heads, "confirmation": code, "until": until });
    Ok(super::json(200, &answer))
}

/// How fast WeChat sends; or it is set.
async fn speed<P: Platform>(visit: &Visit<'_, P>, set: bool) -> Outcome {
    let request = if set {
        let body = body(visit.request)?;
        refuse(faults(&body, &[must("/speed", Rule::Number(0, 4))]))?;
        mass::set_speed(body.get("speed").and_then(Value::as_u64).unwrap_or_default())
    } else {
        mass::speed()
    };
    let answer = ask(visit, &request).await?;
    if set {
        return Ok(no_content());
    }
    let answer = json!({ "speed": answer.get("speed"), "realspeed": answer.get("realspeed") });
    Ok(super::json(200, &answer))
}
