//! The control API under `/_sim`: what a test, a script or the command line tells the simulator to do.

pub mod click;
mod exchanges;
mod inbox;
mod menu;
pub mod mini;
mod people;
pub mod record;
mod run;
pub mod scan;
mod seed;
pub mod send;
pub mod settings;
mod subscribe;
pub mod verify;
mod watch;
mod web;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::http::Target;
use crate::platform;
use crate::state::Sim;

pub use inbox::Inbox;
pub use settings::Health;

/// Every route of the control API.
pub fn routes() -> Router<Arc<Sim>> {
    Router::new()
        .route("/health", get(settings::health))
        .route("/send", post(send::handle))
        .route("/scan", post(scan::handle))
        .route("/codes", get(scan::codes))
        .route("/watch", get(watch::handle))
        .route("/exchanges/{id}", get(exchanges::one))
        .route("/resend", post(exchanges::resend))
        .route("/verify", post(verify::handle))
        .route("/people", get(people::list).post(people::add).delete(people::forget))
        .route("/click", post(click::handle))
        .route("/run", post(run::handle))
        .route("/record", post(record::handle))
        .route("/seed", post(seed::handle))
        .route("/inbox", get(inbox::handle))
        .route("/calls", get(settings::calls))
        .route("/faults", get(settings::faults).post(settings::set_faults))
        .route("/network", get(settings::network).post(settings::set_network))
        .route("/model", get(settings::model).post(settings::set_model))
        .route("/token", post(settings::token))
        .route("/account", get(settings::account).post(settings::set_account))
        .route("/subscribe", post(subscribe::subscribe))
        .route("/receipt", post(subscribe::receipt))
        .route("/template", post(subscribe::template))
        .route("/login_code", post(mini::login_code))
        .route("/phone_code", post(mini::phone_code))
        .route("/open_data", post(mini::open_data))
        .route("/mini", get(mini::get).post(mini::set))
        .route("/mini/do", post(mini::act))
        .route("/auto_replies", get(settings::auto_replies).post(settings::set_auto_replies))
        .route("/oauth", get(web::oauth).post(web::set_oauth))
        .route("/browser", post(web::browser))
        .route("/clock", post(settings::clock))
        .route("/reset", post(settings::reset))
        .route("/menu", get(menu::handle))
        .route("/pic/{id}", get(media))
        .route("/media/{id}", get(media))
        .fallback(async || Refused(StatusCode::NOT_FOUND, "the control API has no such path".to_owned()))
        .method_not_allowed_fallback(async || {
            Refused(StatusCode::METHOD_NOT_ALLOWED, "the path has another method".to_owned())
        })
}

/// A request that cannot be carried out, and why.
#[derive(Debug)]
pub struct Refused(pub StatusCode, pub String);

impl Refused {
    /// The request is wrong.
    pub fn bad(why: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, why.into())
    }

    /// The target is another machine, and nobody has confirmed that it is meant.
    pub fn remote(target: &Target) -> Self {
        let why =
            "is not on this machine: start wx-sim dev with --allow-remote and this --target if you mean it";
        Self(StatusCode::FORBIDDEN, format!("{target} {why}"))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, [(CONTENT_TYPE, "application/json")], json!({ "error": self.1 }).to_string()).into_response()
    }
}

/// JSON whatever the request's content type says: this is an API for `curl`, too.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused::bad(format!("not the expected JSON: {error}")))
}

fn json_response(value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn done() -> Response {
    json_response(&json!({ "ok": true }))
}

/// `GET /_sim/media/{id}` and, as `PicUrl` has it, `GET /_sim/pic/{id}`: a file of the account's or of somebody's.
async fn media(State(sim): State<Arc<Sim>>, Path(id): Path<String>) -> Response {
    match platform::media::find(&sim.lock(), &id) {
        Some(media) => {
            let headers = [
                (CONTENT_TYPE, media.file_type.content_type),
                // Whatever somebody uploaded is no page of ours.
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
            ];
            (headers, media.bytes.clone()).into_response()
        }
        None => Refused(StatusCode::NOT_FOUND, "no such media".to_owned()).into_response(),
    }
}
