//! `GET /_sim/menu`: the menu that somebody sees.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{Refused, json_response};
use crate::platform::menu;
use crate::state::Sim;
use crate::{ids, query};

/// `GET /_sim/menu?as=NAME[&button=I[,J]]`: the menu as WeChat's JSON, or one of its buttons.
pub async fn handle(State(sim): State<Arc<Sim>>, RawQuery(raw): RawQuery) -> Result<Response, Refused> {
    let pairs = query::parse(&raw.unwrap_or_default());
    let person = query::get(&pairs, "as").ok_or_else(|| Refused::bad("as is missing"))?;
    let state = sim.lock();
    let nothing = |what: &str| Refused(StatusCode::NOT_FOUND, what.to_owned());
    let menu = menu::menu_for(&state, &ids::openid(&sim.account.app_id, person))
        .ok_or_else(|| nothing("the account has no menu"))?;
    let Some(path) = query::get(&pairs, "button") else { return Ok(json_response(menu)) };
    let path: Result<Vec<usize>, _> = path.split(',').map(str::parse).collect();
    let path = path.map_err(|_| Refused::bad("button is an index, or two: 1 or 1,0"))?;
    menu.button_at(&path).map(json_response).ok_or_else(|| nothing("no such button"))
}
