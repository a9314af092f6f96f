//! One person, known to the account and in the Mini Program by one unionid: how the two objects that they have find each
//! other, and part.
//!
//! What both go by is a document of the account's, `{account: <openid>, user: <name of the object there>}`: whoever learns
//! the unionid writes down their half, and finds the other's.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chat::kin::Told;
use crate::config::mini::Mini;
use crate::digest::mac;
use crate::gateway::desk::Call as DeskCall;
use crate::gateway::record::{Call as RecordCall, Filter, Kind, Reply};
use crate::handlers::tasks::Task;
use crate::handlers::{App, conversation, records, write};
use crate::json::json;
use crate::log::Line;
use crate::platform::{Millis, Object, Platform, Unreachable};
use crate::wechat::OpenId;

/// What did not get through is tried again after these pauses.
const AGAIN: [Millis; 3] = [1_000, 2_000, 4_000];

/// What the account's conversation with somebody says to their object in the Mini Program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// They are the same person; this is their openid at the account.
    Link(OpenId),
    /// What was said. The answer is a `History`: what the model is to know now.
    Tell(Vec<Told>),
    /// They left the account; or, if this is true, want to be forgotten.
    Leave(bool),
}

/// The id of somebody's document: nobody finds the unionid by it.
fn id_of(mini: &Mini, unionid: &OpenId) -> String {
    mac(mini.app_id.as_str(), "kin", unionid.as_str())
}

/// A text of a document.
pub fn text(document: &Value, name: &str) -> Option<String> {
    document.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Writes down one half of somebody's document. The whole.
pub fn meet<'a, P: Platform>(
    platform: &'a P,
    app: &'a App,
    unionid: &'a OpenId,
    half: Value,
) -> Task<'a, Result<Value, Unreachable>> {
    Box::pin(async move {
        let Some(mini) = &app.config.mini else { return Ok(Value::Null) };
        let id = id_of(mini, unionid);
        let call = RecordCall::MergeAll { kind: Kind::Kin, documents: vec![(id.clone(), half)] };
        records::ask(platform, app, call).await?;
        match records::ask(platform, app, RecordCall::Get { kind: Kind::Kin, id }).await? {
            Reply::Records { mut records, .. } => {
                Ok(records.pop().map(|record| record.document).unwrap_or_default())
            }
            _ => Err(records::nonsense()),
        }
    })
}

/// The only follower in the directory who has this unionid.
pub async fn follower<P: Platform>(
    platform: &P,
    app: &App,
    unionid: &OpenId,
) -> Result<Option<String>, Unreachable> {
    let filters = vec![Filter { field: "unionid".to_owned(), value: json!(unionid.as_str()) }];
    let call = RecordCall::Ids { kind: Kind::Person, after: None, limit: 2, filters };
    match records::ask(platform, app, call).await? {
        Reply::Ids { mut ids, .. } if ids.len() == 1 => Ok(ids.pop()),
        _ => Ok(None),
    }
}

/// The name of the account's object for somebody.
pub fn session_name(app: &App, openid: &str) -> String {
    [&app.config.app_id, ":", openid].concat()
}

/// Somebody whose object in the Mini Program is no more.
pub struct Gone {
    /// What the object was called.
    pub name: String,
    /// Who they were.
    pub unionid: OpenId,
    /// At the account, as far as their object knew.
    pub account: Option<String>,
    /// They want to be forgotten: at the account too.
    pub forget: bool,
}

/// What follows at the account. Each part is tried by itself.
pub async fn part<P: Platform>(platform: P, app: Rc<App>, gone: Gone) {
    let Some(mini) = &app.config.mini else { return };
    let known = meet(&platform, &app, &gone.unionid, json!({ "user": null })).await;
    let known = known.unwrap_or_else(|Unreachable(reason)| {
        platform.log(&Line::error("kin.not_parted", reason));
        Value::Null
    });
    let account = gone.account.or_else(|| text(&known, "account"));
    let mut errands = Vec::new();
    if gone.forget || account.is_none() {
        errands.push(left(&app, mini, &gone.unionid, None));
    }
    if let Some(openid) = account {
        let (name, session) = (gone.name, session_name(&app, &openid));
        let call = match gone.forget {
            true => conversation::Call::Forget(name),
            false => conversation::Call::Unlink(name),
        };
        errands.push((Object::Session, session, write(&call)));
        if gone.forget {
            errands.push(desk(&app, RecordCall::Delete { kind: Kind::Person, id: openid }));
        }
    }
    insist(&platform, errands);
}

/// Something that an object has to be told: its class, its name, and what.
pub type Errand = (Object, String, Result<String, Unreachable>);

/// What becomes of the document of somebody who left the account: without `user`, who want to be forgotten, none is left.
pub fn left(app: &App, mini: &Mini, unionid: &OpenId, user: Option<String>) -> Errand {
    let (kind, id) = (Kind::Kin, id_of(mini, unionid));
    let half = user.map(|user| json!({ "account": null, "user": user }));
    let record = match half {
        Some(half) => RecordCall::MergeAll { kind, documents: vec![(id, half)] },
        None => RecordCall::Delete { kind, id },
    };
    desk(app, record)
}

fn desk(app: &App, call: RecordCall) -> Errand {
    (Object::Account, app.config.app_id.clone(), write(&DeskCall::Record(call)))
}

/// Tells objects something, with patience; nobody waits for it, and none for another.
pub fn insist<P: Platform>(platform: &P, errands: Vec<Errand>) {
    for (object, name, call) in errands {
        let there = platform.clone();
        platform.spawn(async move {
            let Ok(call) = call else { return };
            let mut pauses = AGAIN.into_iter();
            while let Err(Unreachable(reason)) = there.call(object, &name, &call).await {
                let Some(pause) = pauses.next() else {
                    return there.log(&Line::error("kin.not_parted", reason));
                };
                there.sleep(pause).await;
            }
        });
    }
}
