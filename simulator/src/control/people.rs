//! `/_sim/people`: who is there.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{Refused, done, json_response, read};
use crate::people::{Person, PhoneSystem};
use crate::state::{Sim, State as Everything};
use crate::{ids, query};

/// The longest name, in characters.
const LONGEST_NAME: usize = 40;

/// A person as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonView {
    /// The name by which orders call them.
    pub name: String,
    /// What they call themselves.
    pub nickname: String,
    /// Their openid.
    pub openid: String,
    /// The system of their phone.
    pub phone_system: PhoneSystem,
    /// Whether they follow the account.
    pub following: bool,
    /// Whether the account refuses to hear of them.
    pub blacklisted: bool,
    /// When their phone stops to show "typing": simulated milliseconds since 1970, 0 if it does not.
    pub typing_until_ms: u64,
    /// How many more customer-service messages may be sent to them now.
    pub allowance: u32,
    /// Their part in the Mini Program, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mini: Option<MiniView>,
}

/// A person as the Mini Program's customer service sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MiniView {
    /// Their openid there.
    pub openid: String,
    /// When their phone stops to show "typing" in that chat.
    pub typing_until_ms: u64,
    /// How many more messages may be sent to them there now.
    pub allowance: u32,
}

impl PersonView {
    /// The person as they are now.
    pub fn of(sim: &Sim, state: &Everything, person: &Person, now_ms: u64) -> Self {
        let mini = sim.account.mini.as_ref().map(|mini| {
            let openid = ids::mini_openid(&mini.app_id, &person.name);
            let ledger = state.mini.get(&openid).map(|user| &user.window.ledger);
            let typing_until_ms = ledger.map_or(0, |ledger| ledger.typing_until_ms(now_ms));
            MiniView {
                typing_until_ms,
                allowance: ledger.map_or(0, |ledger| ledger.allowance(now_ms)),
                openid,
            }
        });
        Self {
            mini,
            name: person.name.clone(),
            nickname: person.nickname.clone(),
            openid: person.openid.clone(),
            phone_system: person.phone_system,
            following: person.fan.following,
            blacklisted: person.fan.blacklisted,
            typing_until_ms: person.chat.ledger.typing_until_ms(now_ms),
            allowance: person.chat.ledger.allowance(now_ms),
        }
    }
}

/// `GET /_sim/people`: everyone, in the order in which the account met them.
pub async fn list(State(sim): State<Arc<Sim>>) -> Response {
    let now_ms = sim.clock.now_ms();
    let state = sim.lock();
    let people: Vec<_> = state
        .people
        .in_order()
        .into_iter()
        .map(|person| PersonView::of(&sim, &state, person, now_ms))
        .collect();
    json_response(&people)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Newcomer {
    name: String,
    nickname: Option<String>,
    #[serde(default)]
    phone_system: PhoneSystem,
}

/// `POST /_sim/people {name, nickname?, phone_system?}`: somebody comes who does not follow the account yet.
pub async fn add(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let Newcomer { name, nickname, phone_system } = read(&body)?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Refused::bad(format!("a name has 1 to {LONGEST_NAME} characters")));
    }
    if nickname.as_ref().is_some_and(|nickname| nickname.chars().count() > LONGEST_NAME) {
        return Err(Refused::bad(format!("a nickname has at most {LONGEST_NAME} characters")));
    }
    let openid = ids::openid(&sim.account.app_id, name);
    let now_ms = sim.clock.now_ms();
    let mut state = sim.lock();
    if state.people.get(&openid).is_some() {
        return Err(Refused(StatusCode::CONFLICT, format!("{name} is there already")));
    }
    let person = state.people.meet(&openid, name);
    person.phone_system = phone_system;
    if let Some(nickname) = nickname {
        person.nickname = nickname;
    }
    let person = state.people.get(&openid).ok_or_else(|| Refused::bad("they are gone"))?;
    Ok(json_response(&PersonView::of(&sim, &state, person, now_ms)))
}

/// `DELETE /_sim/people?as=NAME`: forgets somebody, and their chat.
pub async fn forget(State(sim): State<Arc<Sim>>, RawQuery(raw): RawQuery) -> Result<Response, Refused> {
    let pairs = query::parse(&raw.unwrap_or_default());
    let name = query::get(&pairs, "as").ok_or_else(|| Refused::bad("as is missing"))?;
    let openid = ids::openid(&sim.account.app_id, name);
    let mut state = sim.lock();
    if state.people.forget(&openid) {
        let there: Vec<_> = state.mini.forget(&openid);
        there.iter().for_each(|openid| state.panels.forget(openid));
        state.web.browsers.forget(&openid);
        Ok(done())
    } else {
        Err(Refused(StatusCode::NOT_FOUND, format!("nobody is called {name}")))
    }
}
