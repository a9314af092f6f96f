//! `/admin`: the account's management, for whoever has the `ADMIN_TOKEN`.
//!
//! Every answer is JSON, and every failure a [`problem::Problem`]. `docs/openapi/` describes all of it; a test
//! holds the two together.

mod audit;
pub mod doctor;
pub mod fields;
pub mod mass;
pub mod media;
pub mod menu;
pub mod page;
pub mod passing;
pub mod people;
pub mod problem;
pub mod routes;
mod rules;
mod token;

use serde_json::Value;

use super::App;
use crate::config::Config;
use crate::digest::Digest;
use crate::gateway::send::{self, SendError};
use crate::handlers::tasks::Task;
use crate::log::Line;
use crate::login::throttle::{Ask, WINDOW};
use crate::platform::{Object, Platform, Request, Response, Unreachable};
use crate::wechat::api::ApiRequest;
use problem::Problem;

/// What a handler comes to.
pub type Outcome = Result<Response, Problem>;

/// Wrong secrets that one address may send in [`WINDOW`].
const GUESSES: usize = 10;

/// One request to the management API, and what it needs.
pub struct Visit<'a, P: Platform> {
    /// The request.
    pub request: &'a Request,
    /// The runtime.
    pub platform: &'a P,
    /// The isolate.
    pub app: &'a App,
}

/// Every route of the management API.
///
/// 1. whoever has no token is refused, and told to stop after some guesses
/// 2. a route that there is not, or not with this method, is refused
/// 3. the family of the path answers; to `HEAD` as to `GET`, without the body
pub async fn route<P: Platform>(request: &Request, segments: &[&str], platform: &P, app: &App) -> Response {
    let is_head = request.method == "HEAD";
    let method = if is_head { "GET" } else { request.method.as_str() };
    let request = &Request { method: method.to_owned(), ..request.clone() };
    let visit = Visit { request, platform, app };
    let outcome = match admit(&visit).await {
        Ok(()) => serve(&visit, segments).await,
        Err(problem) => Err(problem),
    };
    let mut response = outcome.unwrap_or_else(|problem| {
        platform.log(&Line::warn("admin.refused", format_args!("{}: {}", problem.status, problem.kind)));
        problem.response(&request.id)
    });
    if is_head {
        response.body.clear();
        response.passage = None;
    }
    response
        .with("x-request-id", request.id.clone())
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
}

async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    let (pattern, bound) = routes::find(&visit.request.method, segments)?;
    if let Some(pass) = passing::find(&visit.request.method, pattern) {
        return Box::pin(passing::serve(visit, pass, bound)).await;
    }
    match (visit.request.method.as_str(), segments) {
        (_, []) => Ok(index()),
        ("GET", ["clients"]) => Ok(clients(&visit.app.config)),
        (_, ["token" | "jssdk", ..]) => Box::pin(token::serve(visit, segments)).await,
        ("GET", ["doctor"]) => Box::pin(doctor::serve(visit)).await,
        ("GET", ["audit"]) => Box::pin(audit::list(visit)).await,
        (_, ["rules", rest @ ..]) => Box::pin(rules::serve(visit, rest)).await,
        (_, ["welcome"]) => Box::pin(rules::welcome(visit)).await,
        (_, ["mass", rest @ ..]) => Box::pin(mass::serve(visit, rest)).await,
        (_, ["users", ..]) => Box::pin(people::serve(visit, segments)).await,
        (_, ["menu", ..]) => Box::pin(menu::serve(visit, segments)).await,
        (_, _) => Box::pin(media::serve(visit, segments)).await,
    }
}

/// Where to begin.
fn index() -> Response {
    json(
        200,
        &crate::json::json!({ "doctor": "/admin/doctor", "metrics": "/metrics", "openapi": "/openapi.json" }),
    )
}

/// The programs of `API_CLIENTS`, without their secrets.
fn clients(config: &Config) -> Response {
    let items = config.api_clients.iter().map(|client| {
        crate::json::json!({
            "id": client.id,
            "scopes": crate::json::of(&client.scopes),
            "per_minute": client.per_minute,
            "raw_token": client.raw_token,
        })
    });
    json(200, &crate::json::json!({ "items": items.collect::<Vec<_>>(), "next": null }))
}

/// Whether the request brings the `ADMIN_TOKEN`.
///
/// A wrong one counts against its address, and too many are told to stop. The right one is heard even then: it is too
/// long to be guessed, and a stranger behind the same address must not lock the operator out.
pub async fn admit<P: Platform>(visit: &Visit<'_, P>) -> Result<(), Problem> {
    let Visit { request, platform, app } = visit;
    if app.config.admin_token.is_none() {
        return Err(Problem::new(503, "not-configured", "ADMIN_TOKEN is not set, so /admin is closed"));
    }
    let unauthorized = || Problem::new(401, "unauthorized", "send the ADMIN_TOKEN as a bearer token");
    let Some(given) = request.credentials("bearer") else { return Err(unauthorized()) };
    if is_admin(&app.config, given) {
        return Ok(());
    }
    let heard = may_guess(*platform, "admin", request).await?;
    platform.log(&Line::warn("admin.wrong_token", ""));
    Err(if heard {
        unauthorized()
    } else {
        Problem::new(429, "too-many", "too many wrong tokens came from this address; wait ten minutes")
    })
}

/// Counts a wrong secret against the network that sent it; `false`: there were too many. `what` it was a secret of.
pub async fn may_guess<P: Platform>(
    platform: &P,
    what: &str,
    request: &Request,
) -> Result<bool, Unreachable> {
    let ask = Ask { most: GUESSES, window: WINDOW };
    let name = [what, request.peer.network().as_str()].join(":");
    super::call_object(platform, Object::Throttle, &name, &ask).await
}

/// Whether `token` is the `ADMIN_TOKEN`; takes as long for every wrong one.
pub fn is_admin(config: &Config, token: &str) -> bool {
    config.admin_token.as_ref().is_some_and(|known| Digest::of(known.expose()).is_of(token))
}

/// The body as a JSON object.
pub fn body(request: &Request) -> Result<Value, Problem> {
    if request.body.len() > super::ADMIN_LIMIT {
        return Err(Problem::new(413, "too-large", "the body is longer than 2 MiB"));
    }
    match crate::json::value(&request.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(Problem::new(400, "malformed", "the body is not a JSON object")),
    }
}

/// Asks WeChat, as the account; what it says.
pub fn ask<'a, P: Platform>(
    visit: &'a Visit<'_, P>,
    request: &'a ApiRequest,
) -> Task<'a, Result<Value, SendError>> {
    Box::pin(async move { send::json(&super::call_wechat(visit.platform, visit.app, request).await?) })
}

/// It is done, and there is nothing to say about it.
pub fn no_content() -> Response {
    Response { status: 204, ..Response::default() }
}

/// JSON with this status.
pub fn json(status: u16, value: &Value) -> Response {
    Response::new(status, "application/json", crate::json::text(value))
}
