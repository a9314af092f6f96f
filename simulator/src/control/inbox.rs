//! `GET /_sim/inbox`: what the account, or the Mini Program, pushed to somebody.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{Refused, json_response, mini};
use crate::chat::{Chat, Pushed};
use crate::state::{Sim, State as Everything};
use crate::{ids, query};

/// The longest wait, in milliseconds.
const LONGEST_WAIT: u64 = 600_000;

/// One person's messages that came by `custom/send`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inbox {
    /// Whose they are.
    #[serde(rename = "as")]
    pub person: String,
    /// Their openid.
    pub openid: String,
    /// Whether their phone shows "typing".
    pub typing: bool,
    /// How many more messages may be sent to them now.
    pub allowance: u32,
    /// The number of the newest message, for `after`.
    pub newest: u64,
    /// The messages numbered over `after`, in order.
    pub messages: Vec<Pushed>,
}

/// `GET /_sim/inbox?as=NAME[&mini=true][&after=N][&count=N][&wait_ms=N]`: waits up to `wait_ms` for `count` messages.
pub async fn handle(State(sim): State<Arc<Sim>>, RawQuery(raw): RawQuery) -> Result<Response, Refused> {
    let pairs = query::parse(&raw.unwrap_or_default());
    let person = query::get(&pairs, "as").ok_or_else(|| Refused::bad("as is missing"))?.to_owned();
    let (after, count) = (number(&pairs, "after", 0)?, number(&pairs, "count", 1)?);
    let wait = Duration::from_millis(number(&pairs, "wait_ms", 0)?.min(LONGEST_WAIT));
    let openid = match query::get(&pairs, "mini") {
        Some("true") => mini::openid(&sim, &person)?,
        _ => ids::openid(&sim.account.app_id, &person),
    };
    let newest = |state: &Everything| state.chat_of(&openid).map_or(0, Chat::newest);
    let enough = after.saturating_add(count);
    sim.wait_for(wait, |state| (newest(state) >= enough).then_some(())).await;
    let now_ms = sim.clock.now_ms();
    let state = sim.lock();
    let found = state.chat_of(&openid);
    Ok(json_response(&Inbox {
        typing: found.is_some_and(|found| found.ledger.is_typing(now_ms)),
        allowance: found.map_or(0, |found| found.ledger.allowance(now_ms)),
        newest: newest(&state),
        messages: found.map(|found| found.inbox(after)).unwrap_or_default(),
        person,
        openid: openid.clone(),
    }))
}

fn number(pairs: &[(String, String)], name: &str, default: u64) -> Result<u64, Refused> {
    let text = query::get(pairs, name);
    text.map_or(Ok(default), |text| text.parse().map_err(|_| Refused::bad(format!("{name} is a number"))))
}
