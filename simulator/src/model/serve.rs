//! Carrying a plan out: waiting, streaming, failing, and noting how it went.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::Value;

use super::desk::{Outcome, Wire};
use super::question::Question;
use super::rules::{Fate, Plan};
use super::{openai, workers_ai};
use crate::state::Sim;

/// What was sent before a cut must leave the buffers first, or the caller would not see a broken answer but none.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// An answer in the caller's protocol.
pub enum Written {
    /// One JSON document.
    Whole(Value),
    /// The events of a stream.
    Events(Vec<Bytes>),
}

/// Answers a question as the rules order.
pub async fn answer(sim: Arc<Sim>, wire: Wire, question: Question) -> Response {
    let at_ms = sim.clock.now_ms();
    let (epoch, number, plan) = {
        let mut state = sim.lock();
        (state.epoch, state.model.begin(wire, &question, at_ms), state.model.plan(&question))
    };
    let ticket = Ticket { sim, epoch, number, outcome: Outcome::Abandoned };
    if !plan.delay.is_zero() {
        tokio::time::sleep(plan.delay).await;
    }
    if let Fate::Fail(status) = plan.fate {
        ticket.finish(Outcome::Failed);
        return failure(wire, status);
    }
    let written = match wire {
        Wire::Openai => openai::write(&question, &plan, number, at_ms / 1000),
        Wire::WorkersAi => workers_ai::write(&question, &plan),
    };
    send(written, &plan, ticket)
}

fn failure(wire: Wire, status: u16) -> Response {
    let body = match wire {
        Wire::Openai => openai::failure(status),
        Wire::WorkersAi => workers_ai::failure(),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Nothing but exactly `application/json` makes the AI binding read an answer as JSON; of any other type, it hands
/// out the stream (workerd, `src/cloudflare/internal/ai-api.ts`).
fn send(written: Written, plan: &Plan, ticket: Ticket) -> Response {
    let (content_type, parts) = match written {
        Written::Whole(value) => ("application/json", halves(&value.to_string())),
        Written::Events(events) => ("text/event-stream", events),
    };
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")];
    if plan.fate == Fate::Answer && plan.pause.is_zero() {
        ticket.finish(Outcome::Answered);
        return (headers, Body::from(parts.concat())).into_response();
    }
    (headers, slowly(parts, plan, ticket)).into_response()
}

fn halves(text: &str) -> Vec<Bytes> {
    let (first, second) = text.as_bytes().split_at(text.len() / 2);
    vec![Bytes::copy_from_slice(first), Bytes::copy_from_slice(second)]
}

/// A body that pauses between its parts and, if so ordered, breaks off after half of them.
fn slowly(parts: Vec<Bytes>, plan: &Plan, ticket: Ticket) -> Body {
    let cut = plan.fate == Fate::Cut;
    let kept = if cut { parts.len().div_ceil(2) } else { parts.len() };
    let parts = parts.into_iter().take(kept);
    let (pause, first) = (plan.pause, true);
    Body::from_stream(stream::unfold(Some((parts, ticket, first)), move |state| async move {
        let (mut parts, ticket, first) = state?;
        let Some(part) = parts.next() else {
            return broken_off(cut, ticket).await.map(|error| (Err(error), None));
        };
        if !first {
            tokio::time::sleep(pause).await;
        }
        Some((Ok(part), Some((parts, ticket, false))))
    }))
}

async fn broken_off(cut: bool, ticket: Ticket) -> Option<io::Error> {
    if !cut {
        ticket.finish(Outcome::Answered);
        return None;
    }
    tokio::time::sleep(BEFORE_CUT).await;
    ticket.finish(Outcome::Cut);
    Some(io::ErrorKind::ConnectionAborted.into())
}

/// A call under way: dropped unfinished, it was abandoned by its caller.
struct Ticket {
    sim: Arc<Sim>,
    /// After a reset, numbers begin anew.
    epoch: u64,
    number: u64,
    outcome: Outcome,
}

impl Ticket {
    fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.sim.lock();
        if state.epoch == self.epoch {
            state.model.finish(self.number, self.outcome);
        }
    }
}
