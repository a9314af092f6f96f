//! `/_sim/exchanges/{id}` and `/_sim/resend`: a request of the timeline as a whole, and once more.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::send::{no_key, unattended};
use super::{Refused, json_response, read};
use crate::journal::{Detail, Exchange};
use crate::push::deliver::{Delivery, Order};
use crate::push::envelope::{self, Stamp};
use crate::push::journey::{self, Journey};
use crate::state::Sim;

/// A request with all that is known about it.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    exchange: &'a Exchange,
    #[serde(flatten)]
    detail: &'a Detail,
    curl: String,
}

fn gone(id: u64) -> Refused {
    Refused(StatusCode::NOT_FOUND, format!("no request {id} (any more)"))
}

/// `GET /_sim/exchanges/{id}`
pub async fn one(State(sim): State<Arc<Sim>>, Path(id): Path<u64>) -> Result<Response, Refused> {
    let state = sim.lock();
    let exchange = state.journal.get(id).ok_or_else(|| gone(id))?;
    Ok(json_response(&Whole { exchange, detail: &exchange.detail, curl: exchange.curl() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    exchange: u64,
    #[serde(default)]
    fresh: bool,
}

/// What came of it.
#[derive(Serialize)]
struct AgainReport {
    deliveries: Vec<Delivery>,
}

/// `POST /_sim/resend {exchange, fresh?}`: delivers a push once more, byte for byte. If it is to be `fresh`, it is
/// sealed anew: a receiver may refuse an old timestamp.
pub async fn resend(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let Again { exchange: id, fresh } = read(&body)?;
    let found = {
        let state = sim.lock();
        let exchange = state.journal.get(id).ok_or_else(|| gone(id))?;
        let place = exchange.order.as_deref().cloned().zip(exchange.delivery);
        place.map(|(order, place)| (order, place.line, exchange.what.clone(), exchange.detail.plain.clone()))
    };
    let (mut order, line, what, plain) =
        found.ok_or_else(|| Refused::bad("only messages to your server can be sent again"))?;
    let plain = plain.unwrap_or_default();
    if fresh {
        let stamp = Stamp::new(sim.clock.wall_ms() / 1000);
        let sealed = envelope::seal(&order.account, order.mode, None, &order.openid, &plain, &stamp);
        order.sealed = sealed.map_err(|_| no_key(order.account.app))?;
    }
    let way = journey::way(&sim.lock().network);
    let order = Arc::new(Order { deliveries: 1, way, ..order });
    let delivered = unattended(async move {
        let journey = Journey::new(&sim, order, plain, what, line);
        Ok(journey.run(None).await)
    })
    .await?;
    Ok(json_response(&AgainReport { deliveries: delivered.deliveries }))
}
