//! `/admin/rules` and `/admin/welcome`: what is answered without the model. `docs/rules.md` says how rules work.

mod import;
mod try_out;

use serde_json::{Map, Value, json};

use super::problem::{Fault, Problem};
use super::{Outcome, Visit, body, json as answer};
use crate::chat::rule::read::{self, Faults};
use crate::chat::rule::reply::{self, To};
use crate::chat::rule::{REGEXES, RULES, Rule};
use crate::gateway::record::{Kind, Record};
use crate::handlers::records;
use crate::handlers::rules::{self, ORDER, Stored, WELCOME};
use crate::platform::{Platform, Request, Response};

/// Members of an answer about a rule that are not its own; whoever sends them back means nothing by it.
const ABOUT: &[&str] = &["id", "version", "changed"];

/// Every route below `/admin/rules`.
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    match (visit.request.method.as_str(), segments) {
        ("GET", []) => {
            let stored = rules::load(visit.platform, visit.app).await?;
            let items: Vec<Value> = stored.rules.iter().map(shown).collect();
            Ok(answer(200, &json!({ "items": items, "next": null })))
        }
        ("POST", []) => create(visit).await,
        ("GET", ["order"]) => order(visit).await,
        ("PUT", ["order"]) => reorder(visit).await,
        ("POST", ["test"]) => try_out::try_out(visit).await,
        ("POST", ["import"]) => import::from_wechat(visit).await,
        ("POST", ["examples", name]) => example(visit, name).await,
        (method, [id]) if !["order", "test", "import", "examples"].contains(id) => {
            one(visit, method, id).await
        }
        (_, [] | ["order" | "test" | "import"] | ["examples", _]) => Err(no_method()),
        _ => Err(Problem::not_found("route")),
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
        "DELETE" => erase(visit, WELCOME, stored.as_ref(), "welcome").await,
        _ => Err(no_method()),
    }
}

async fn one<P: Platform>(visit: &Visit<'_, P>, method: &str, id: &str) -> Outcome {
    let known = records::get(visit.platform, visit.app, Kind::Rule, id).await?;
    let known = known.filter(|record| ![ORDER, WELCOME].contains(&record.id.as_str()));
    let Some(record) = known else { return Err(Problem::not_found("rule")) };
    match method {
        "GET" => Ok(rule(200, &record)),
        "PUT" => {
            let document = checked(visit, &record.id).await?;
            // Without a version from the operator: that which was just read, so that no deleted rule comes back.
            let version = expected(visit.request, Some(&record))?;
            let version = write(visit, id, version, document.clone()).await?;
            Ok(rule(200, &Record { version, at: visit.platform.now(), document, ..record }))
        }
        "DELETE" => erase(visit, id, Some(&record), "rule").await,
        _ => Err(no_method()),
    }
}

async fn create<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let random = visit.platform.random();
    let id = hex::encode(random.get(..6).unwrap_or_default());
    let document = checked(visit, &id).await?;
    let version = write(visit, &id, Some(0), document.clone()).await?;
    let location = ["/admin/rules/", &id].concat();
    let record = Record { number: 0, id, version, at: visit.platform.now(), document };
    Ok(rule(201, &record).with("location", location))
}

/// The request's rule, if there is nothing wrong with it and there is room for it.
async fn checked<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Result<Value, Problem> {
    let mut document = body(visit.request)?;
    if let Some(members) = document.as_object_mut() {
        members.retain(|name, _| !ABOUT.contains(&name.as_str()));
        members.entry("enabled").or_insert(Value::Bool(true));
    }
    let mut faults = Faults::new();
    let rule = read::rule(id, &document, &mut faults);
    refuse(faults)?;
    room(&rules::load(visit.platform, visit.app).await?, &rule)?;
    Ok(document)
}

/// Whether there is room for `rule` beside the others.
fn room(stored: &Stored, rule: &Rule) -> Result<(), Problem> {
    let others = || stored.rules.iter().filter(|record| record.id != rule.id);
    if others().count() >= RULES {
        return Err(Problem::invalid(format!("there are {RULES} rules already")));
    }
    let book = stored.book();
    let regexes: usize = book.rules.iter().filter(|other| other.id != rule.id).map(Rule::regexes).sum();
    if regexes + rule.regexes() > REGEXES {
        return Err(Problem::invalid(format!(
            "all rules together may have {REGEXES} regular expressions; put several into one with |"
        )));
    }
    Ok(())
}

async fn order<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let stored = rules::load(visit.platform, visit.app).await?;
    let ids: Vec<&str> = stored.rules.iter().map(|record| record.id.as_str()).collect();
    let answer = answer(200, &json!({ "ids": ids }));
    let version = stored.order.as_ref().map_or(0, |record| record.version);
    Ok(answer.with("etag", tag(version)))
}

async fn reorder<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let body = body(visit.request)?;
    let stored = rules::load(visit.platform, visit.app).await?;
    let mut faults = Faults::new();
    read::members(&body, &["ids"], "", &mut faults);
    let Some(ids) = body.get("ids").and_then(Value::as_array) else {
        read::fault(&mut faults, &["/ids"], "it must be a list of ids");
        return Err(refused(faults));
    };
    for (index, id) in ids.iter().enumerate() {
        let pointer = format!("/ids/{index}");
        if !stored.rules.iter().any(|record| *id == *record.id) {
            read::fault(&mut faults, &[&pointer], "there is no such rule");
        } else if ids.iter().take(index).any(|other| other == id) {
            read::fault(&mut faults, &[&pointer], "it is there twice");
        }
    }
    refuse(faults)?;
    let version = expected(visit.request, stored.order.as_ref())?;
    write(visit, ORDER, version, json!({ "ids": ids })).await?;
    order(visit).await
}

/// Rules to begin with. Asked for again, they are as at first.
/// <https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Getting_Started_Guide.html>
async fn example<P: Platform>(visit: &Visit<'_, P>, name: &str) -> Outcome {
    let (title, kind) = match name {
        "echo" => ("回声 (echo)", "text"),
        "image-exchange" => ("图尚往来 (image exchange)", "image"),
        _ => return Err(Problem::not_found("example")),
    };
    let document =
        json!({ "name": title, "enabled": true, "when": { "types": [kind] }, "reply": { "type": "echo" } });
    let id = ["example-", name].concat();
    let stored = rules::load(visit.platform, visit.app).await?;
    room(&stored, &read::rule(&id, &document, &mut Faults::new()))?;
    let version = write(visit, &id, None, document.clone()).await?;
    let location = ["/admin/rules/", &id].concat();
    let record = Record { number: 0, id, version, at: visit.platform.now(), document };
    Ok(rule(201, &record).with("location", location))
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

fn no_method() -> Problem {
    Problem::new(405, "method-not-allowed", "this path has other methods")
}

fn refuse(faults: Faults) -> Result<(), Problem> {
    if faults.is_empty() { Ok(()) } else { Err(refused(faults)) }
}

fn refused(faults: Faults) -> Problem {
    Problem::faults(faults.into_iter().map(|(pointer, detail)| Fault { pointer, detail }).collect())
}

fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

fn rule(status: u16, record: &Record) -> Response {
    answer(status, &shown(record)).with("etag", tag(record.version))
}

fn shown(record: &Record) -> Value {
    let mut shown = record.document.as_object().cloned().unwrap_or_else(Map::new);
    shown.insert("id".to_owned(), json!(record.id));
    shown.insert("version".to_owned(), json!(record.version));
    shown.insert("changed".to_owned(), json!(record.at));
    Value::Object(shown)
}
