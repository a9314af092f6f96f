//! The account's documents, for every handler: [`crate::gateway::record`] asked over the wire.

use serde_json::Value;

use super::App;
use crate::gateway::desk::Call as DeskCall;
use crate::gateway::record::{Call, Kind, Record, Reply};
use crate::handlers::tasks::Task;
use crate::platform::{Object, Platform, Unreachable};

/// Asks the account's object about documents.
pub fn ask<'a, P: Platform>(
    platform: &'a P,
    app: &'a App,
    call: Call,
) -> Task<'a, Result<Reply, Unreachable>> {
    Box::pin(async move {
        super::call_object(platform, Object::Account, &app.config.app_id, &DeskCall::Record(call)).await
    })
}

/// One document, if it is there.
pub async fn get<P: Platform>(
    platform: &P,
    app: &App,
    kind: Kind,
    id: &str,
) -> Result<Option<Record>, Unreachable> {
    match ask(platform, app, Call::Get { kind, id: id.to_owned() }).await? {
        Reply::Records { mut records, .. } => Ok(records.pop()),
        _ => Err(nonsense()),
    }
}

/// Stores a document in place of `version` (0: of none, `None`: of whatever there is). `None`: somebody was faster.
pub async fn put<P: Platform>(
    platform: &P,
    app: &App,
    kind: Kind,
    id: &str,
    version: Option<u64>,
    document: Value,
) -> Result<Option<u64>, Unreachable> {
    match ask(platform, app, Call::Put { kind, id: id.to_owned(), version, document }).await? {
        Reply::Stored(version) => Ok(Some(version)),
        Reply::Conflict => Ok(None),
        _ => Err(nonsense()),
    }
}

/// Deletes a document; whether it was there.
pub async fn delete<P: Platform>(platform: &P, app: &App, kind: Kind, id: &str) -> Result<bool, Unreachable> {
    match ask(platform, app, Call::Delete { kind, id: id.to_owned() }).await? {
        Reply::Count(count) => Ok(count > 0),
        _ => Err(nonsense()),
    }
}

/// The object answered, but not what it was asked.
pub fn nonsense() -> Unreachable {
    Unreachable("the account's object answered another question".to_owned())
}
