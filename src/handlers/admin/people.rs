//! `/admin/users`: the followers, as far as they are stored here. WeChat tells no gender and no place; whoever knows
//! them writes them down here, and messages to many can go by them.

use serde_json::Value;

use super::fields::{Field, Rule, fault, faults, may, refuse};
use super::passing::decoded;
use super::problem::Problem;
use super::{Outcome, Visit, ask, body, json as answer, page};
use crate::chat::intent::addressee;
use crate::gateway::record::{Call, Filter, Kind, Record};
use crate::handlers::tasks::within;
use crate::handlers::{App, records};
use crate::json::{Put, json};
use crate::log::Line;
use crate::login::params::Params;
use crate::platform::{Millis, Platform, Unreachable};
use crate::wechat::OpenId;
use crate::wechat::api::user;
use crate::wechat::message::{Inbound, Message};

/// Calls of `batchget` in one request: with the list and a token, 40 calls. Workers allow 50 on the free plan.
/// <https://developers.cloudflare.com/workers/platform/limits/#subrequests>
const BATCHES: usize = 38;
/// Followers of one page of WeChat's; a shorter page is the last.
/// <https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_getfans.html>
const PAGE: usize = 10_000;
/// Clocks may differ by this much.
const MARGIN: Millis = 5 * 60_000;

/// What we know and WeChat does not.
const OURS: &[Field] = &[
    may("/remark", Rule::Note(user::REMARK_LIMIT)),
    may("/gender", Rule::Number(1, 2)),
    may("/country", Rule::Text(64)),
    may("/province", Rule::Text(64)),
    may("/city", Rule::Text(64)),
];
/// What people can be filtered by.
const FILTERS: [&str; 8] = ["tag", "language", "gender", "country", "province", "city", "scene", "unionid"];

/// Every route of people that is not only passed on.
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    match (visit.request.method.as_str(), segments) {
        ("GET", ["users"]) => list(visit).await,
        ("POST", ["users", "sync"]) => sync(visit).await,
        ("GET", ["users", openid]) => show(visit, &decoded(openid)).await,
        ("PATCH", ["users", openid]) => change(visit, &decoded(openid)).await,
        _ => Err(Problem::not_found("route")),
    }
}

/// So long may it take, of the five seconds that WeChat gives, to delete somebody.
const FORGETTING: Millis = 1_500;

/// Deletes what is stored of somebody who wants to be forgotten, or left.
///
/// An event that is not acknowledged comes again. Whoever typed it would see WeChat's error line instead of an answer,
/// although their conversation is forgotten: they are answered, and the log tells the operator.
pub async fn forget<P: Platform>(platform: &P, app: &App, inbound: &Inbound) -> Result<(), Unreachable> {
    let Some(openid) = addressee(inbound) else { return Ok(()) };
    let deletion = Box::pin(async {
        if app.config.mini.is_some() {
            // By which they would be found in the Mini Program.
            let filters = vec![Filter { field: "account".to_owned(), value: json!(openid.as_str()) }];
            let before = platform.now() + MARGIN;
            records::ask(platform, app, Call::DeleteOlder { kind: Kind::Kin, before, filters }).await?;
        }
        records::delete(platform, app, Kind::Person, openid.as_str()).await
    });
    let deleted = within(platform, FORGETTING, deletion).await;
    match deleted.unwrap_or_else(|| Err(Unreachable("it took too long".to_owned()))).map(drop) {
        Err(Unreachable(reason)) if !matches!(inbound.message, Message::Event(_)) => {
            platform.log(&Line::error("person.not_forgotten", reason));
            Ok(())
        }
        outcome => outcome,
    }
}

fn view(record: &Record) -> Value {
    let mut view = record.document.clone();
    if let Value::Object(view) = &mut view {
        view.put("openid", json!(record.id));
        view.put("stored", json!(record.at));
    }
    view
}

/// Those who are stored. `unknown` as a value finds those of whom it is not known.
async fn list<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let params = Params::parse(visit.request.query.as_bytes());
    let filter = |name: &&str| {
        let text = params.get(name)?;
        let value = match text.parse::<u64>() {
            _ if text == "unknown" => Value::Null,
            Ok(number) if matches!(*name, "tag" | "gender") => json!(number),
            _ => json!(text),
        };
        Some(Filter { field: if *name == "tag" { "tags" } else { *name }.to_owned(), value })
    };
    let filters = FILTERS.iter().filter_map(filter).collect();
    page::of(visit, Kind::Person, filters, &view).await
}

/// What is stored of somebody, of WeChat's answer about them; what is missing is taken away.
fn told(info: &Value) -> Value {
    let text = |name: &str| info.get(name).filter(|value| value.as_str() != Some("")).cloned();
    json!({
        "language": text("language"),
        "subscribe_time": info.get("subscribe_time"),
        "tags": info.get("tagid_list").cloned().unwrap_or_else(|| json!([])),
        "scene": text("subscribe_scene"),
        "qr_scene_str": text("qr_scene_str"),
        "remark": text("remark"),
        "unionid": text("unionid"),
    })
}

fn follows(info: &Value) -> bool {
    info.get("subscribe").and_then(Value::as_u64) == Some(1)
}

/// Stores all followers, some in each request.
///
/// 1. ask for the followers after the last one that was stored
/// 2. ask about them, a hundred at a time, and store what WeChat says; what is only ours stays
/// 3. after the last one, delete those who were not among them
async fn sync<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let (started, mut after) = cursor(visit)?;
    let list = ask(visit, &user::followers(&after)).await?;
    let openids = list.pointer("/data/openid").and_then(Value::as_array).into_iter().flatten();
    let openids: Vec<&str> = openids.filter_map(Value::as_str).collect();
    let mut stored = 0;
    for batch in openids.chunks(user::BATCH).take(BATCHES) {
        stored += store(visit, batch).await?;
        (*batch.last().unwrap_or(&"")).clone_into(&mut after);
    }
    let done = openids.len() < PAGE && openids.len() <= BATCHES * user::BATCH;
    if done {
        let before = started.saturating_sub(MARGIN);
        records::ask(
            visit.platform,
            visit.app,
            Call::DeleteOlder { kind: Kind::Person, before, filters: Vec::new() },
        )
        .await?;
    }
    let next = (!done).then(|| format!("{started}.{after}"));
    let said = json!({ "done": done, "cursor": next, "stored": stored, "followers": list.get("total") });
    Ok(answer(200, &said))
}

/// When the whole began, and who was stored last.
fn cursor<P: Platform>(visit: &Visit<'_, P>) -> Result<(Millis, String), Problem> {
    let body = if visit.request.body.is_empty() { json!({}) } else { body(visit.request)? };
    let Some(cursor) = body.get("cursor").filter(|cursor| !cursor.is_null()) else {
        return Ok((visit.platform.now(), String::new()));
    };
    let parts = cursor.as_str().and_then(|cursor| cursor.split_once('.'));
    let parts = parts.and_then(|(started, after)| Some((started.parse().ok()?, after.to_owned())));
    parts.ok_or_else(|| Problem::fault("/cursor", "is not what the request before answered"))
}

async fn store<P: Platform>(visit: &Visit<'_, P>, openids: &[&str]) -> Result<u64, Problem> {
    let said = ask(visit, &user::batch(openids)).await?;
    let people = said.get("user_info_list").and_then(Value::as_array).into_iter().flatten();
    let person = |info: &Value| Some((info.get("openid")?.as_str()?.to_owned(), told(info)));
    let documents: Vec<_> = people.filter(|info| follows(info)).filter_map(person).collect();
    let stored = documents.len() as u64;
    records::ask(visit.platform, visit.app, Call::MergeAll { kind: Kind::Person, documents }).await?;
    Ok(stored)
}

/// What WeChat says of somebody now, and what is stored.
async fn show<P: Platform>(visit: &Visit<'_, P>, openid: &str) -> Outcome {
    let mut live = ask(visit, &user::info(&OpenId::new(openid))).await?;
    if let Value::Object(live) = &mut live {
        live.retain(|name, _| !matches!(name.as_str(), "errcode" | "errmsg"));
    }
    let stored = records::get(visit.platform, visit.app, Kind::Person, openid).await?;
    let said = json!({ "openid": openid, "wechat": live, "stored": stored.as_ref().map(view) });
    Ok(answer(200, &said))
}

/// Changes what is known of somebody, as a merge patch: `null` takes away. WeChat keeps the remark.
async fn change<P: Platform>(visit: &Visit<'_, P>, openid: &str) -> Outcome {
    let Value::Object(asked) = body(visit.request)? else { return Err(Problem::invalid("no object")) };
    let mut given = asked.clone();
    given.retain(|_, value| !value.is_null());
    let mut found = faults(&Value::Object(given), OURS);
    let ours = |name: &str| OURS.iter().any(|field| field.at.strip_prefix('/') == Some(name));
    for name in asked.keys().filter(|name| !ours(name)) {
        found.push(fault(format!("/{name}"), "cannot be changed here"));
    }
    refuse(found)?;
    let live = ask(visit, &user::info(&OpenId::new(openid))).await?;
    if !follows(&live) {
        return Err(Problem::not_found("follower"));
    }
    if let Some(remark) = asked.get("remark") {
        ask(visit, &user::remark(openid, remark.as_str().unwrap_or_default())).await?;
    }
    let mut change = told(&live);
    if let Value::Object(change) = &mut change {
        let empty = |value: &Value| value.as_str() == Some("");
        change.extend(asked.into_iter().map(|(k, v)| if empty(&v) { (k, Value::Null) } else { (k, v) }));
    }
    let documents = vec![(openid.to_owned(), change)];
    records::ask(visit.platform, visit.app, Call::MergeAll { kind: Kind::Person, documents }).await?;
    let stored = records::get(visit.platform, visit.app, Kind::Person, openid).await?;
    Ok(answer(200, &stored.as_ref().map(view).unwrap_or_default()))
}
