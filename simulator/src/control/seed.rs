//! `POST /_sim/seed`: people, a menu and more, added to what is there.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;

use super::{Refused, done};
use crate::scenario;
use crate::seed::{self, Seed};
use crate::state::Sim;

/// `POST /_sim/seed`
pub async fn handle(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let text = std::str::from_utf8(&body).map_err(|_| Refused::bad("not UTF-8"))?;
    let seed: Seed = scenario::read(text).map_err(|error| Refused::bad(error.0))?;
    let now_ms = sim.clock.now_ms();
    seed::plant(&mut sim.lock(), &sim.account, now_ms, &seed).map_err(Refused::bad)?;
    Ok(done())
}
