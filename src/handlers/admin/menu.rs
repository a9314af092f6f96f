//! The menu: looked at, checked, compared, published, and taken back.
//!
//! Every menu that was live is kept in a history, also one that somebody else made: it is written down when the next
//! one takes its place. Who publishes first writes down that they do, under the next number, so of two at once one is
//! told to come again; what became of a publication whose answer was lost is found out by the next one.

use serde_json::Value;

use super::fields::refuse;
use super::page::{self, Page};
use super::problem::Problem;
use super::{Outcome, Visit, ask, body, json, no_content};
use crate::gateway::menu::{Live, difference, id};
use crate::gateway::record::{Call, Kind, Record, Reply};
use crate::gateway::send::SendError;
use crate::handlers::records;
use crate::json::{Put, json};
use crate::log::Line;
use crate::platform::{Millis, Platform};
use crate::wechat::api::ApiRequest;
use crate::wechat::api::menu::{self, Faults, NO_MENU, check, plain};

/// Nobody needs longer to publish; who was interrupted no longer keeps others from it.
const UNDER_WAY: Millis = 60_000;
/// The account may not use the menus' API; the console's menu can still be seen.
const NO_RIGHT: i64 = 48001;

/// A route below `/admin/menu`.
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    match (visit.request.method.as_str(), segments) {
        ("GET", ["menu"]) => Ok(json(200, &shown(live(visit).await?))),
        ("PUT", ["menu"]) => publish(visit, &wanted(visit, false)?, None).await,
        ("DELETE", ["menu"]) => delete(visit).await,
        ("POST", ["menu", "validate"]) => validate(visit),
        ("POST", ["menu", "diff"]) => diff(visit).await,
        ("POST", ["menu", "import"]) => import(visit).await,
        ("GET", ["menu", "history"]) => history(visit).await,
        ("GET", ["menu", "history", number]) => Ok(json(200, &entry(&past(visit, number).await?))),
        ("POST", ["menu", "history", number, "rollback"]) => roll_back(visit, number).await,
        ("GET", ["menu", "conditional"]) => {
            Ok(json(200, &json!({ "items": live(visit).await?.conditional, "next": null })))
        }
        ("POST", ["menu", "conditional"]) => add_conditional(visit).await,
        ("POST", ["menu", "conditional", "match"]) => match_one(visit).await,
        ("DELETE", ["menu", "conditional", menuid]) => delete_conditional(visit, menuid).await,
        _ => Err(Problem::not_found("route")),
    }
}

/// The menu of the body, if WeChat would take it.
fn wanted<P: Platform>(visit: &Visit<'_, P>, conditional: bool) -> Result<Value, Problem> {
    let menu = body(visit.request)?;
    refuse(check(&menu, conditional).0)?;
    let mut wanted = json!({ "button": plain(menu.get("button")) });
    if let (true, Some(members)) = (conditional, wanted.as_object_mut()) {
        members.put("matchrule", menu.get("matchrule").cloned().unwrap_or_default());
    }
    Ok(wanted)
}

/// The menu that people see: made by the API, or else by the console.
async fn live<P: Platform>(visit: &Visit<'_, P>) -> Result<Live, Problem> {
    match ask(visit, &menu::get()).await {
        Ok(answer) => Ok(Live::of_api(&answer)),
        Err(SendError::Refused(error)) if matches!(error.errcode, NO_MENU | NO_RIGHT) => {
            Ok(Live::of_console(&ask(visit, &menu::current()).await?))
        }
        Err(error) => Err(error.into()),
    }
}

fn shown(live: Live) -> Value {
    let Live { source, menu, conditional, skipped } = live;
    json!({ "source": source, "menu": menu, "conditional": conditional, "skipped": skipped })
}

/// `POST menu/validate`
fn validate<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let menu = body(visit.request)?;
    let Faults(faults) = check(&menu, menu.get("matchrule").is_some());
    let fault = |(pointer, detail): &(String, String)| json!({ "pointer": pointer, "detail": detail });
    let errors: Vec<Value> = faults.iter().map(fault).collect();
    Ok(json(200, &json!({ "valid": errors.is_empty(), "errors": errors })))
}

/// `POST menu/diff`
async fn diff<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let wanted = wanted(visit, false)?;
    let live = live(visit).await?;
    let changes = difference(&live.menu, &wanted);
    let same = changes.is_empty();
    Ok(json(200, &json!({ "same": same, "changes": changes, "live": shown(live) })))
}

/// `POST menu/import`: the menu that is live, whoever made it, as `PUT menu` takes it.
async fn import<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let Live { menu, skipped, .. } = Live::of_console(&ask(visit, &menu::current()).await?);
    if menu.is_null() {
        return Err(Problem::not_found("menu: the account has none, or it is switched off"));
    }
    let Faults(faults) = check(&menu, false);
    let fault = |(pointer, detail): &(String, String)| json!({ "pointer": pointer, "detail": detail });
    let errors: Vec<Value> = faults.iter().map(fault).collect();
    Ok(json(200, &json!({ "menu": menu, "skipped": skipped, "errors": errors })))
}

/// Makes a menu the one that everybody sees.
///
/// 1. write down that it is about to be published, and before that the one that is live
/// 2. publish it
/// 3. write down that it was; if WeChat refused, forget it
async fn publish<P: Platform>(visit: &Visit<'_, P>, menu: &Value, of: Option<&str>) -> Outcome {
    let request = menu::create(menu);
    let number = step(visit, menu, of, &request, "published").await?;
    Ok(json(200, &json!({ "history": number, "menu": menu })))
}

/// `DELETE menu`: the conditional ones go with it.
async fn delete<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    step(visit, &Value::Null, None, &menu::delete(), "deleted").await?;
    Ok(no_content())
}

async fn step<P: Platform>(
    visit: &Visit<'_, P>,
    menu: &Value,
    of: Option<&str>,
    request: &ApiRequest,
    done: &str,
) -> Result<u64, Problem> {
    let number = Box::pin(claim(visit, menu, of)).await?;
    let state = match ask(visit, request).await {
        Ok(_) => done,
        Err(SendError::Unknown(reason)) => {
            settle(visit, number, menu, of, "unknown").await;
            return Err(Problem::from(SendError::Unknown(reason)).with("history", number));
        }
        Err(error) => {
            let forgotten = records::delete(visit.platform, visit.app, Kind::Menu, &number.to_string()).await;
            note(visit, forgotten.is_ok());
            return Err(error.into());
        }
    };
    settle(visit, number, menu, of, state).await;
    Ok(number)
}

/// Takes the next number of the history, and writes down the live menu before if it is not there yet.
async fn claim<P: Platform>(visit: &Visit<'_, P>, menu: &Value, of: Option<&str>) -> Result<u64, Problem> {
    let (past, _) = list(visit, &Page { after: None, limit: 10 }).await?;
    let last = past.first();
    let age = |record: &Record| visit.platform.now().saturating_sub(record.at);
    if last.is_some_and(|last| state(last) == "publishing" && age(last) < UNDER_WAY) {
        return Err(busy());
    }
    let live = live(visit).await?;
    let open = last.filter(|last| matches!(state(last), "publishing" | "unknown"));
    if let Some(last) = open {
        // Its answer was lost; now it shows.
        let outcome = match last.document.get("menu") == Some(&live.menu) {
            true if live.menu.is_null() => "deleted",
            true => "published",
            false => "failed",
        };
        let document = with(&last.document, "state", json!(outcome));
        store(visit, &last.id, Some(last.version), document).await?;
    }
    let known = past.iter().find(|record| matches!(state(record), "published" | "found" | "deleted"));
    let seen = open.filter(|open| open.document.get("menu") == Some(&live.menu)).or(known);
    let mut number = last.and_then(|last| last.id.parse().ok()).unwrap_or(0_u64);
    let is_new = seen.and_then(|record| record.document.get("menu")) != Some(&live.menu);
    if !live.menu.is_null() && is_new {
        number += 1;
        store(visit, &number.to_string(), Some(0), found(live)).await?;
    }
    number += 1;
    store(visit, &number.to_string(), Some(0), document(menu, of, "publishing")).await?;
    Ok(number)
}

fn busy() -> Problem {
    Problem::conflict("another menu is being published right now; try again in a minute")
}

fn document(menu: &Value, of: Option<&str>, state: &str) -> Value {
    let document = json!({ "menu": menu, "state": state });
    match of {
        Some(of) => with(&document, "rollback_of", json!(of.parse::<u64>().ok())),
        None => document,
    }
}

/// A live menu of which nothing was known here.
fn found(live: Live) -> Value {
    let document = json!({ "menu": live.menu, "state": "found", "source": live.source });
    let document =
        if live.skipped.is_empty() { document } else { with(&document, "skipped", json!(live.skipped)) };
    let empty = live.conditional.is_empty();
    if empty { document } else { with(&document, "conditional", json!(live.conditional)) }
}

fn with(document: &Value, name: &str, value: Value) -> Value {
    let mut members = document.as_object().cloned().unwrap_or_default();
    members.put(name, value);
    Value::Object(members)
}

fn state(record: &Record) -> &str {
    record.document.get("state").and_then(Value::as_str).unwrap_or_default()
}

/// Stores an entry; who was overtaken is told.
async fn store<P: Platform>(
    visit: &Visit<'_, P>,
    id: &str,
    version: Option<u64>,
    document: Value,
) -> Result<(), Problem> {
    let stored = records::put(visit.platform, visit.app, Kind::Menu, id, version, document).await?;
    stored.map(drop).ok_or_else(busy)
}

/// Writes down how it went. If that fails, the next publication finds out.
async fn settle<P: Platform>(visit: &Visit<'_, P>, number: u64, menu: &Value, of: Option<&str>, state: &str) {
    let stored = store(visit, &number.to_string(), Some(1), document(menu, of, state)).await;
    note(visit, stored.is_ok());
}

fn note<P: Platform>(visit: &Visit<'_, P>, stored: bool) {
    if !stored {
        visit.platform.log(&Line::warn("menu.not_recorded", "the history could not be written"));
    }
}

async fn list<P: Platform>(visit: &Visit<'_, P>, page: &Page) -> Result<(Vec<Record>, bool), Problem> {
    let call = Call::List {
        kind: Kind::Menu,
        after: page.after,
        limit: page.limit,
        newest_first: true,
        filters: Vec::new(),
    };
    match records::ask(visit.platform, visit.app, call).await? {
        Reply::Records { records, more } => Ok((records, more)),
        _ => Ok((Vec::new(), false)),
    }
}

/// `GET menu/history`, the newest first.
async fn history<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let (records, more) = list(visit, &page::asked(visit.request)?).await?;
    Ok(json(200, &page::answer(&records, more, &entry)))
}

/// An entry as it is shown.
fn entry(record: &Record) -> Value {
    let document = with(&record.document, "at", json!(record.at));
    with(&document, "number", json!(record.id.parse::<u64>().unwrap_or_default()))
}

async fn past<P: Platform>(visit: &Visit<'_, P>, number: &str) -> Result<Record, Problem> {
    let record = records::get(visit.platform, visit.app, Kind::Menu, number).await?;
    record.ok_or_else(|| Problem::not_found("entry of the history"))
}

/// `POST menu/history/{n}/rollback`: publishes it again.
async fn roll_back<P: Platform>(visit: &Visit<'_, P>, number: &str) -> Outcome {
    let record = past(visit, number).await?;
    let menu = record.document.get("menu").filter(|menu| !menu.is_null());
    let menu = menu.ok_or_else(|| {
        Problem::conflict("this entry says that the menu was deleted; to do that again, DELETE menu")
    })?;
    // What the console made may be more than what can be published.
    refuse(check(menu, false).0)?;
    publish(visit, menu, Some(number)).await
}

/// `POST menu/conditional`
async fn add_conditional<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let answer = ask(visit, &menu::add_conditional(&wanted(visit, true)?)).await?;
    Ok(json(201, &json!({ "menuid": answer.get("menuid").map(id) })))
}

/// `DELETE menu/conditional/{menuid}`
async fn delete_conditional<P: Platform>(visit: &Visit<'_, P>, menuid: &str) -> Outcome {
    if menuid.is_empty() || !menuid.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::not_found("conditional menu"));
    }
    ask(visit, &menu::delete_conditional(menuid)).await?;
    Ok(no_content())
}

/// `POST menu/conditional/match`: the menu that somebody sees.
async fn match_one<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let asked = body(visit.request)?;
    let user_id = asked.get("user_id").and_then(Value::as_str).filter(|user_id| !user_id.is_empty());
    let Some(user_id) = user_id else {
        return Err(Problem::fault("/user_id", "here must be an openid or a WeChat id"));
    };
    let answer = ask(visit, &menu::try_match(user_id)).await?;
    // Older pages of WeChat's show it within a menu.
    let buttons = answer.get("button").or_else(|| answer.pointer("/menu/button"));
    Ok(json(200, &json!({ "menu": { "button": plain(buttons) } })))
}
