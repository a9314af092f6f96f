//! What a person does in the Mini Program, and what it consists of: codes of `wx.login` and of the phone-number button,
//! open data, pages.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::send::{no_key, unattended};
use super::{Refused, done, json_response, read};
use crate::account::MiniApp;
use crate::ids;
use crate::mini_app::{self, Deed};
use crate::platform::api::App;
use crate::platform::mini::open_data::{self, Kind};
use crate::platform::mini::session::Purpose;
use crate::push::envelope::{Format, Mode};
use crate::state::Sim;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeOrder {
    #[serde(rename = "as")]
    person: String,
    #[serde(default)]
    risky: bool,
}

/// `POST /_sim/login_code`: the person's `wx.login`.
pub async fn login_code(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    code(&sim, &read(&body)?, Purpose::Login)
}

/// `POST /_sim/phone_code`: the person lets the Mini Program have their phone number.
pub async fn phone_code(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    code(&sim, &read(&body)?, Purpose::Phone)
}

fn code(sim: &Sim, order: &CodeOrder, purpose: Purpose) -> Result<Response, Refused> {
    let openid = enter(sim, &order.person)?;
    let code = sim.lock().mini.give_code(purpose, &openid, order.risky, sim.clock.now_ms());
    Ok(json_response(&json!({ "code": code, "openid": openid })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenDataOrder {
    #[serde(rename = "as")]
    person: String,
    kind: Kind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeedOrder {
    #[serde(rename = "as")]
    person: Option<String>,
    #[serde(rename = "do")]
    deed: Deed,
}

/// `POST /_sim/mini/do {as?, do}`: somebody does something in the Mini Program.
pub async fn act(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let DeedOrder { person, deed } = read(&body)?;
    let person = person.unwrap_or_else(|| "xiaoming".to_owned());
    let done = async move {
        let report = mini_app::carry_out(&sim, &person, deed.clone()).await?;
        if let Some(recorder) = &mut sim.lock().recorder {
            recorder.note_deed(&person, &deed, &report);
        }
        Ok(report)
    };
    Ok(json_response(&unattended(done).await?))
}

/// `POST /_sim/open_data`: what `wx.getUserInfo` and its like give to the Mini Program's page.
pub async fn open_data(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let order: OpenDataOrder = read(&body)?;
    let openid = enter(&sim, &order.person)?;
    let now_ms = sim.clock.now_ms();
    let mut state = sim.lock();
    let key = state.mini.session_key(&openid, now_ms).map(str::to_owned);
    let key =
        key.ok_or_else(|| Refused::bad("they have no session: exchange a code of /_sim/login_code first"))?;
    let data = open_data::make(&mut state, mini(&sim)?, &openid, order.kind, &key, now_ms);
    let data = data.map_err(|error| Refused::bad(format!("errcode {}", error.0)))?;
    Ok(json_response(&data))
}

/// `GET /_sim/mini`
pub async fn get(State(sim): State<Arc<Sim>>) -> Result<Response, Refused> {
    let mini = mini(&sim)?;
    let state = sim.lock();
    Ok(json_response(&json!({
        "app_id": mini.app_id,
        "original_id": mini.original_id,
        "target": sim.options.target_of(App::Mini).map(|target| target.to_string()),
        "has_token": mini.token.is_some(),
        "has_key": mini.aes_key.is_some(),
        "mode": state.mini.mode,
        "format": state.mini.format,
        "pages": state.mini.pages,
    })))
}

/// What it does not name stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MiniOrder {
    #[serde(default, deserialize_with = "named")]
    pages: Option<Option<Vec<String>>>,
    mode: Option<Mode>,
    format: Option<Format>,
}

/// Tells null from what is not there.
fn named<'de, T: Deserialize<'de>, D: Deserializer<'de>>(given: D) -> Result<Option<T>, D::Error> {
    T::deserialize(given).map(Some)
}

/// `POST /_sim/mini`: the pages of the released version (null for any), how messages to its customer service are
/// sealed, and their notation.
pub async fn set(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let order: MiniOrder = read(&body)?;
    let has_key = mini(&sim)?.aes_key.is_some();
    if order.mode.is_some_and(|mode| mode != Mode::Plain) && !has_key {
        return Err(no_key(App::Mini));
    }
    let mini = &mut sim.lock().mini;
    mini.pages = order.pages.unwrap_or(mini.pages.take());
    mini.mode = order.mode.unwrap_or(mini.mode);
    mini.format = order.format.unwrap_or(mini.format);
    Ok(done())
}

/// Somebody's openid in the Mini Program.
pub fn openid(sim: &Sim, name: &str) -> Result<String, Refused> {
    let official = ids::openid(&sim.account.app_id, name);
    let state = sim.lock();
    let name = state.people.get(&official).map_or(name, |person| person.name.as_str());
    Ok(ids::mini_openid(&mini(sim)?.app_id, name))
}

fn mini(sim: &Sim) -> Result<&MiniApp, Refused> {
    sim.account.mini.as_ref().ok_or_else(|| Refused::bad("MINI_APP_ID is not set"))
}

/// The person opens the Mini Program; their openid there. Orders may call them by their name or by an openid of the
/// Official Account.
pub fn enter(sim: &Sim, name: &str) -> Result<String, Refused> {
    let mini = mini(sim)?;
    let now_ms = sim.clock.now_ms();
    let official = ids::openid(&sim.account.app_id, name);
    let mut state = sim.lock();
    let name = state.people.meet(&official, name).name.clone();
    let openid = ids::mini_openid(&mini.app_id, &name);
    state.mini.enter(&openid, &official, now_ms);
    Ok(openid)
}
