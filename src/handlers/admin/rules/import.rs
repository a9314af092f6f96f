//! `POST /admin/rules/import`: the automatic replies of WeChat's console become rules.

use serde_json::Value;

use super::{Outcome, Visit, answer, rules, write};
use crate::chat::rule::RULES;
use crate::chat::rule::import::import;
use crate::digest::Digest;
use crate::gateway::record::{Call, Kind, PAGE};
use crate::handlers::admin::problem::Problem;
use crate::handlers::rules::{Stored, WELCOME};
use crate::handlers::{call_wechat, records};
use crate::json::json;
use crate::platform::Platform;
use crate::wechat::api::autoreply;

/// 1. ask WeChat
/// 2. what can be a rule becomes one; a rule's id is made of its name, so a second import replaces what the first made
/// 3. the welcome is taken over unless there is one
/// 4. say what became of everything
pub async fn from_wechat<P: Platform>(visit: &Visit<'_, P>, stored: Stored) -> Outcome {
    let Visit { platform, app, .. } = visit;
    let given = call_wechat(*platform, app, &autoreply::current()).await?;
    let given = crate::json::value(&given.body)
        .map_err(|_| Problem::new(502, "unknown-outcome", "WeChat's answer is not JSON"))?;
    let mut imported = import(&given);

    let mut count = stored.rules.len();
    let mut documents: Vec<(String, Value)> = Vec::new();
    for document in std::mem::take(&mut imported.rules) {
        let name = document.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = id(&name, &documents);
        let is_new = !stored.rules.iter().any(|record| record.id == id);
        if is_new && count >= RULES {
            let reason = format!("there are {RULES} rules already");
            imported.skipped.push(json!({ "what": name, "reason": reason }));
            continue;
        }
        count += usize::from(is_new);
        documents.push((id, document));
    }
    let made: Vec<Value> = documents
        .iter()
        .map(|(id, document)| json!({ "id": id, "name": document.get("name"), "enabled": document.get("enabled") }))
        .collect();
    for documents in documents.chunks(PAGE as usize) {
        let call = Call::PutAll { kind: Kind::Rule, documents: documents.to_vec() };
        records::ask(*platform, app, call).await?;
        rules::changed(app);
    }
    let mut welcome = false;
    match imported.welcome {
        Some(_) if stored.welcome.is_some() => imported.skipped.push(
            json!({ "what": "关注后回复 (welcome)", "reason": "there is a welcome already: DELETE /admin/welcome first" }),
        ),
        Some(reply) => {
            write(visit, WELCOME, Some(0), reply).await?;
            welcome = true;
        }
        None => {}
    }
    Ok(answer(200, &json!({ "imported": made, "welcome": welcome, "skipped": imported.skipped })))
}

/// Of rules with one name, the second has the number 1, and so on.
fn id(name: &str, before: &[(String, Value)]) -> String {
    let same =
        before.iter().filter(|(_, document)| document.get("name").and_then(Value::as_str) == Some(name));
    let digest = Digest::of(&format!("{} {name}", same.count()));
    ["wechat-", digest.as_str().get(..12).unwrap_or_default()].concat()
}
