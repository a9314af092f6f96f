//! The rest of the control API: looking at calls, and setting faults, rules, the account, tokens and the clock.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Refused, done, json_response, read};
use crate::model::{ModelCall, Rule};
use crate::network::{Network, SLOWEST_MS};
use crate::platform::{AccountType, ApiCall, Fault};
use crate::push::envelope::{Mode, Tamper};
use crate::state::Sim;

/// The longest jump of the clock: a hundred years.
const LONGEST_JUMP_S: u64 = 3_153_600_000;

/// Who answers here, and how it is set up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Health {
    /// Always true.
    pub ok: bool,
    /// `wx-sim`
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where messages go.
    pub target: Option<String>,
    /// How they are sealed unless a request says otherwise.
    pub mode: Mode,
}

/// `GET /_sim/health`
pub async fn health(State(sim): State<Arc<Sim>>) -> Response {
    json_response(&Health {
        ok: true,
        name: "wx-sim".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        target: sim.options.target.as_ref().map(ToString::to_string),
        mode: sim.lock().mode,
    })
}

/// `GET /_sim/calls`
pub async fn calls(State(sim): State<Arc<Sim>>) -> Response {
    let state = sim.lock();
    let calls: Vec<&ApiCall> = state.calls.iter().collect();
    json_response(&json!({ "total": state.calls.total(), "calls": calls }))
}

/// `GET /_sim/faults`
pub async fn faults(State(sim): State<Arc<Sim>>) -> Response {
    json_response(&sim.lock().faults.pending())
}

/// `POST /_sim/faults`: a list that replaces the former one.
pub async fn set_faults(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    replace_faults(&sim, read(&body)?)?;
    Ok(done())
}

/// Sets what goes wrong next.
///
/// # Errors
/// A fault that is none.
pub fn replace_faults(sim: &Sim, faults: Vec<Fault>) -> Result<(), Refused> {
    let empty = |fault: &Fault| {
        fault.errcode.is_none()
            && fault.http_status.is_none()
            && fault.delay_ms == 0
            && !fault.cut
            && !fault.half
    };
    if faults.iter().any(empty) {
        return Err(Refused::bad("a fault has at least one of errcode, http_status, delay_ms, cut and half"));
    }
    sim.lock().faults.set(faults);
    Ok(())
}

/// `GET /_sim/network`
pub async fn network(State(sim): State<Arc<Sim>>) -> Response {
    json_response(&sim.lock().network)
}

/// `POST /_sim/network`: what it does not name stays as it is.
pub async fn set_network(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let wanted: Map<String, Value> = read(&body)?;
    let mut network = json!(sim.lock().network);
    network.as_object_mut().into_iter().for_each(|known| known.extend(wanted.clone()));
    replace_network(&sim, read(&network.to_string().into())?)?;
    Ok(done())
}

/// Sets what happens to pushes on their way.
///
/// # Errors
/// It is slower than anybody waits for, or needs a key that is not there.
pub fn replace_network(sim: &Sim, network: Network) -> Result<(), Refused> {
    if network.slow_ms > SLOWEST_MS {
        return Err(Refused::bad(format!("slow_ms is at most {SLOWEST_MS}")));
    }
    if matches!(network.tamper, Some(Tamper::Downgrade | Tamper::AppId)) && sim.account.aes_key.is_none() {
        return Err(Refused::bad("tamper: downgrade and app_id need ENCODING_AES_KEY"));
    }
    sim.lock().network = network;
    Ok(())
}

/// `GET /_sim/model`
pub async fn model(State(sim): State<Arc<Sim>>) -> Response {
    let state = sim.lock();
    let calls: Vec<&ModelCall> = state.model.calls().iter().collect();
    json_response(
        &json!({ "total": state.model.calls().total(), "rules": state.model.rules(), "calls": calls }),
    )
}

/// `POST /_sim/model`: a list of rules that replaces the former one.
pub async fn set_model(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let rules: Vec<Rule> = read(&body)?;
    sim.lock().model.set_rules(rules);
    Ok(done())
}

/// `GET /_sim/auto_replies`
pub async fn auto_replies(State(sim): State<Arc<Sim>>) -> Response {
    json_response(&sim.lock().auto_replies)
}

/// `POST /_sim/auto_replies`: what the owner sets in the console, in place of what was set.
pub async fn set_auto_replies(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let wanted = read(&body)?;
    sim.lock().auto_replies = wanted;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenOrder {
    invalidate: bool,
}

/// `POST /_sim/token`
pub async fn token(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let order: TokenOrder = read(&body)?;
    let now_ms = sim.clock.now_ms();
    if order.invalidate {
        let mut state = sim.lock();
        state.tokens.invalidate(now_ms);
        state.mini.tokens.invalidate(now_ms);
    }
    Ok(done())
}

/// `GET /_sim/account`
pub async fn account(State(sim): State<Arc<Sim>>) -> Response {
    json_response(&json!({
        "type": sim.lock().account_type,
        "mode": sim.lock().mode,
        "app_id": sim.account.app_id,
        "original_id": sim.account.original_id,
        "bound": sim.lock().people.are_bound(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountOrder {
    #[serde(rename = "type")]
    account_type: Option<AccountType>,
    mode: Option<Mode>,
    /// Whether the account and its Mini Program, or its website, belong to one Open Platform account.
    bound: Option<bool>,
}

/// `POST /_sim/account`
pub async fn set_account(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let order: AccountOrder = read(&body)?;
    if order.mode.is_some_and(|mode| mode != Mode::Plain) && sim.account.aes_key.is_none() {
        return Err(Refused::bad("compat and aes mode need ENCODING_AES_KEY"));
    }
    let mut state = sim.lock();
    if order.bound.is_some_and(|bound| !state.people.bind(bound) && bound) {
        return Err(Refused::bad("there is nothing to be bound to: set MINI_APP_ID or OPEN_APP_ID"));
    }
    state.account_type = order.account_type.unwrap_or(state.account_type);
    state.mode = order.mode.unwrap_or(state.mode);
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    advance_s: u64,
}

/// `POST /_sim/clock`
pub async fn clock(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let order: ClockOrder = read(&body)?;
    advance(&sim, order.advance_s)?;
    Ok(json_response(&json!({ "ok": true, "now_ms": sim.clock.now_ms() })))
}

/// Lets simulated time pass.
///
/// # Errors
/// More than a hundred years.
pub fn advance(sim: &Sim, seconds: u64) -> Result<(), Refused> {
    if seconds > LONGEST_JUMP_S {
        return Err(Refused::bad(format!("advance_s is at most {LONGEST_JUMP_S}")));
    }
    sim.advance(seconds);
    Ok(())
}

/// `POST /_sim/reset`
pub async fn reset(State(sim): State<Arc<Sim>>) -> Response {
    sim.reset();
    done()
}
