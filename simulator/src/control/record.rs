//! `POST /_sim/record`: what is done from now on becomes a scenario.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{Refused, done, json_response, read};
use crate::recorder::Recorder;
use crate::scenario::Scenario;
use crate::state::Sim;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    on: bool,
}

/// What was recorded.
#[derive(Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// As a scenario that expects what was seen.
    pub scenario: Scenario,
}

/// `POST /_sim/record {on}`: begins (anew), or ends and gives the scenario.
pub async fn handle(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let Order { on } = read(&body)?;
    let mut state = sim.lock();
    if on {
        state.recorder = Some(Recorder::new(&state));
        return Ok(done());
    }
    let recorder = state.recorder.take().ok_or_else(|| Refused::bad("nothing is being recorded"))?;
    Ok(json_response(&Recorded { scenario: recorder.finish(&state) }))
}
