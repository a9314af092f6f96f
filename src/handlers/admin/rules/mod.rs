//! `/admin/rules` and `/admin/welcome`: what is answered without the model. `docs/rules.md` says how rules work.

mod import;
mod try_out;

use serde_json::Value;

use super::fields::refuse;
use super::problem::Problem;
use super::{Outcome, Visit, body, json as answer};
use crate::chat::rule::read::{self, Faults};
use crate::chat::rule::reply::{self, To};
use crate::chat::rule::{REGEXES, RULES, Rule, STEPS};
use crate::gateway::record::{Kind, Record};
use crate::handlers::records;
use crate::handlers::rules::{self, ORDER, Stored, WELCOME};
use crate::json::{Put, json};
use crate::platform::{Millis, Platform, Request, Response};

/// Members of an answer about a rule that are not its own; whoever sends them back means nothing by it.
const ABOUT: &[&str] = &["id", "version", "changed"];

/// Every route below `/admin/rules`. They all begin with what is stored, and most end with one document written: so
/// there are few places that wait.
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    let stored = rules::load(visit.platform, visit.app).await?;
    let change = match (visit.request.method.as_str(), segments) {
        ("POST", ["import"]) => return import::from_wechat(visit, stored).await,
        ("GET", []) => {
            let items: Vec<Value> = stored.rules.iter().map(shown).collect();
            return Ok(answer(200, &json!({ "items": items, "next": null })));
        }
        ("GET", ["order"]) => return Ok(order(stored)),
        ("POST", ["test"]) => {
            let request = try_out::Trial {
                body: body(visit.request)?,
                stored: &stored,
                now: visit.platform.now(),
                retrieve: &visit.app.config.rules.texts.retrieve,
            };
            return request.verdict();
        }
        ("POST", []) => {
            let id = hex::encode(visit.platform.random().get(..6).unwrap_or_default());
            created(&stored, id, body(visit.request)?, Some(0))?
        }
        ("POST", ["examples", name]) => example(&stored, name)?,
        ("PUT", ["order"]) => reorder(visit.request, &stored)?,
        (method, [id]) if !["order", "test", "import", "examples"].contains(id) => {
            let known = stored.rules.iter().find(|record| record.id == *id);
            let Some(record) = known else { return Err(Problem::not_found("rule")) };
            match method {
                "GET" => return Ok(rule(200, record)),
                "PUT" => {
                    // Without a version from the operator: that which was just read, so that no deleted rule comes back.
                    let version = expected(visit.request, Some(record))?;
                    Change {
                        status: 200,
                        ..created(&stored, record.id.clone(), body(visit.request)?, version)?
                    }
                }
                _ => return erase(visit, id, Some(record), "rule").await,
            }
        }
        _ => return Err(Problem::not_found("route")),
    };
    let version = write(visit, &change.id, change.version, change.document.clone()).await?;
    Ok(change.made(stored, version, visit.platform.now()))
}

/// A document that is to be written.
struct Change {
    /// What is answered if it is.
    status: u16,
    id: String,
    /// That which it replaces.
    version: Option<u64>,
    document: Value,
}

impl Change {
    /// The answer, once it is done.
    fn made(self, mut stored: Stored, version: u64, now: Millis) -> Response {
        let record = Record { number: 0, id: self.id, version, at: now, document: self.document };
        if record.id == ORDER {
            stored.order = Some(record);
            stored.sort();
            return order(stored);
        }
        let response = rule(self.status, &record);
        if self.status == 201 {
            response.with("location", ["/admin/rules/", &record.id].concat())
        } else {
            response
        }
    }
}

/// `/admin/welcome`.
pub async fn welcome<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let Visit { request, platform, app } = visit;
    let stored = records::get(*platform, app, Kind::Rule, WELCOME).await?;
    match request.method.as_str() {
        "GET" => Ok(match stored {
            Some(record) => {
                let body = json!({ "default": false, "reply": record.document, "version": record.version });
                answer(200, &body).with("etag", tag(record.version))
            }
            None => {
                let reply = json!({ "type": "text", "text": app.config.rules.texts.welcome() });
                answer(200, &json!({ "default": true, "reply": reply }))
            }
        }),
        "PUT" => {
            let body = body(request)?;
            let mut faults = Faults::new();
            read::members(&body, &["reply", "default", "version"], "", &mut faults);
            let reply = body.get("reply").unwrap_or(&Value::Null);
            reply::check(reply, "/reply", To::Welcome, &mut faults);
            refuse(faults)?;
            let version = expected(request, stored.as_ref())?;
            let version = write(visit, WELCOME, version, reply.clone()).await?;
            let body = json!({ "default": false, "reply": reply, "version": version });
            Ok(answer(200, &body).with("etag", tag(version)))
        }
        _ => erase(visit, WELCOME, stored.as_ref(), "welcome").await,
    }
}

/// The request's rule, if there is nothing wrong with it and there is room for it.
fn created(
    stored: &Stored,
    id: String,
    mut document: Value,
    version: Option<u64>,
) -> Result<Change, Problem> {
    if let Some(members) = document.as_object_mut() {
        members.retain(|name, _| !ABOUT.contains(&name.as_str()));
        members.entry("enabled").or_insert(Value::Bool(true));
    }
    let mut faults = Faults::new();
    let rule = read::rule(&id, &document, &mut faults);
    refuse(faults)?;
    room(stored, &rule)?;
    Ok(Change { status: 201, id, version, document })
}

/// Whether there is room for `rule` beside the others.
fn room(stored: &Stored, rule: &Rule) -> Result<(), Problem> {
    let others = || stored.rules.iter().filter(|record| record.id != rule.id);
    if others().count() >= RULES {
        return Err(Problem::invalid(format!("there are {RULES} rules already")));
    }
    let book = stored.book();
    let all = |count: fn(&Rule) -> usize| {
        count(rule) + book.rules.iter().filter(|other| other.id != rule.id).map(count).sum::<usize>()
    };
    if all(Rule::regexes) > REGEXES {
        return Err(Problem::invalid(format!(
            "all rules together may have {REGEXES} regular expressions; put several into one with |"
        )));
    }
    if all(Rule::steps) > STEPS {
        return Err(Problem::invalid(format!(
            "all regular expressions together are too large (most: {STEPS} characters, classes and signs, each as often as it is repeated)"
        )));
    }
    Ok(())
}

fn order(stored: Stored) -> Response {
    let ids: Vec<&str> = stored.rules.iter().map(|record| record.id.as_str()).collect();
    let answer = answer(200, &json!({ "ids": ids }));
    answer.with("etag", tag(stored.order.as_ref().map_or(0, |record| record.version)))
}

fn reorder(request: &Request, stored: &Stored) -> Result<Change, Problem> {
    let body = body(request)?;
    let mut faults = Faults::new();
    read::members(&body, &["ids"], "", &mut faults);
    let Some(ids) = body.get("ids").and_then(Value::as_array) else {
        read::fault(&mut faults, &["/ids"], "it must be a list of ids");
        return Err(Problem::faults(faults));
    };
    for (index, id) in ids.iter().enumerate() {
        let pointer = ["/ids/", &index.to_string()].concat();
        if !stored.rules.iter().any(|record| *id == *record.id) {
            read::fault(&mut faults, &[&pointer], "there is no such rule");
        } else if ids.iter().take(index).any(|other| other == id) {
            read::fault(&mut faults, &[&pointer], "it is there twice");
        }
    }
    refuse(faults)?;
    let version = expected(request, stored.order.as_ref())?;
    Ok(Change { status: 200, id: ORDER.to_owned(), version, document: json!({ "ids": ids }) })
}

/// Rules to begin with. Asked for again, they are as at first.
/// <https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Getting_Started_Guide.html>
fn example(stored: &Stored, name: &str) -> Result<Change, Problem> {
    let (title, kind) = match name {
        "echo" => ("回声 (echo)", "text"),
        "image-exchange" => ("图尚往来 (image exchange)", "image"),
        _ => return Err(Problem::not_found("example")),
    };
    let document = json!({ "name": title, "when": { "types": [kind] }, "reply": { "type": "echo" } });
    created(stored, ["example-", name].concat(), document, None)
}

/// Stores a document, and makes this isolate read the rules anew.
async fn write<P: Platform>(
    visit: &Visit<'_, P>,
    id: &str,
    version: Option<u64>,
    document: Value,
) -> Result<u64, Problem> {
    let stored = records::put(visit.platform, visit.app, Kind::Rule, id, version, document).await;
    // Also after a failure: nobody knows whether it was stored.
    rules::changed(visit.app);
    stored?.ok_or_else(changed_meanwhile)
}

async fn erase<P: Platform>(visit: &Visit<'_, P>, id: &str, known: Option<&Record>, what: &str) -> Outcome {
    let Some(record) = known else { return Err(Problem::not_found(what)) };
    expected(visit.request, Some(record))?;
    let deleted = records::delete(visit.platform, visit.app, Kind::Rule, id).await;
    rules::changed(visit.app);
    if deleted? { Ok(Response::new(204, "", "")) } else { Err(Problem::not_found(what)) }
}

/// The version that a change replaces: that of `If-Match`, else the one that is there. 0: there is none.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1>
fn expected(request: &Request, known: Option<&Record>) -> Result<Option<u64>, Problem> {
    let version = known.map_or(0, |record| record.version);
    match request.header("if-match").map(str::trim) {
        None => Ok(Some(version)),
        Some("*") if version > 0 => Ok(Some(version)),
        Some(wanted) if wanted == tag(version) => Ok(Some(version)),
        Some(_) => Err(changed_meanwhile()),
    }
}

fn changed_meanwhile() -> Problem {
    Problem::conflict("somebody changed it meanwhile; read it again")
}

fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

fn rule(status: u16, record: &Record) -> Response {
    answer(status, &shown(record)).with("etag", tag(record.version))
}

fn shown(record: &Record) -> Value {
    let mut shown = record.document.as_object().cloned().unwrap_or_default();
    shown.put("id", json!(record.id));
    shown.put("version", json!(record.version));
    shown.put("changed", json!(record.at));
    Value::Object(shown)
}
