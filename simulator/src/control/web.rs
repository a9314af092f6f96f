//! The control API of web logins and of the browser inside the phone.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::{Refused, json_response, read};
use crate::ids;
use crate::state::Sim;
use crate::web::browser;

/// Domains that may be registered: the console takes fewer.
const MOST_DOMAINS: usize = 100;

/// `GET /_sim/oauth`
pub async fn oauth(State(sim): State<Arc<Sim>>) -> Response {
    json_response(&sim.lock().web.settings)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OauthOrder {
    domains: Option<Vec<String>>,
    duplicate_callback: Option<bool>,
    snapshot: Option<bool>,
    /// Whose password changed: a name or an openid.
    password_changed: Option<String>,
}

/// `POST /_sim/oauth`: what it does not name stays.
pub async fn set_oauth(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let order: OauthOrder = read(&body)?;
    for domain in order.domains.iter().flatten() {
        if domain.is_empty() || domain.contains(['/', ':', '@', ' ']) {
            return Err(Refused::bad(format!("{domain:?} is not a domain: no scheme, no port, no path")));
        }
    }
    if order.domains.as_ref().is_some_and(|domains| domains.len() > MOST_DOMAINS) {
        return Err(Refused::bad(format!("domains has at most {MOST_DOMAINS} entries")));
    }
    let mut state = sim.lock();
    let settings = &mut state.web.settings;
    settings.duplicate_callback = order.duplicate_callback.unwrap_or(settings.duplicate_callback);
    settings.snapshot = order.snapshot.unwrap_or(settings.snapshot);
    if let Some(domains) = order.domains {
        settings.domains = domains;
    }
    if let Some(person) = order.password_changed {
        state.web.grants.revoke(&ids::openid(&sim.account.app_id, &person));
    }
    Ok(json_response(&state.web.settings))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BrowserOrder {
    #[serde(rename = "as")]
    person: String,
    url: String,
}

/// `POST /_sim/browser`: the address by which somebody's phone shows a page.
pub async fn browser(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let order: BrowserOrder = read(&body)?;
    if order.person.is_empty() {
        return Err(Refused::bad("as is a name or an openid"));
    }
    let openid = ids::openid(&sim.account.app_id, &order.person);
    let mut state = sim.lock();
    let url = browser::enter(&sim, &mut state, &openid, &order.url).map_err(|why| Refused::bad(why.0))?;
    state.people.meet(&openid, &order.person);
    Ok(json_response(&json!({ "url": url })))
}
