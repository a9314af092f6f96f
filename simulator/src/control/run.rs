//! `POST /_sim/run`: a scenario.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;

use super::{Refused, json_response};
use crate::scenario::{self, RunRequest};
use crate::state::Sim;

/// `POST /_sim/run {scenario, target?, mode?}`: runs it, and says what came of it.
pub async fn handle(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let text = std::str::from_utf8(&body).map_err(|_| Refused::bad("not UTF-8"))?;
    let request: RunRequest = scenario::read(text).map_err(|error| Refused::bad(error.0))?;
    request.scenario.check().map_err(|error| Refused::bad(format!("scenario.{error}")))?;
    Ok(json_response(&scenario::run(&sim, request).await))
}
