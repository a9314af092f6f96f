//! `POST /_sim/send`: somebody does something, and the target is told as WeChat tells it.

mod note;
mod request;
mod write;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::{Refused, json_response, read};
use crate::account::Account;
use crate::http::Target;
use crate::phone::Bubble;
use crate::phone::transcript::Sent;
use crate::platform::api::App;
use crate::push::deliver::{DELIVERIES, Delivered, LIMIT, Order};
use crate::push::envelope::{self, Mode, Sealed, Stamp, Tamper};
use crate::push::journey::{self, Journey};
use crate::state::Sim;
use write::Written;

pub use request::{FullVoice, SendReport, SendRequest, Voice};

/// Most deliveries of one request, one after another or at once.
const MOST_DELIVERIES: u32 = 100;
/// The longest limit of a delivery.
const LONGEST_LIMIT: Duration = Duration::from_secs(120);

/// Nobody hears of what happens in a Mini Program without a message push.
pub const NO_TOKEN: &str = "the Mini Program has no message push: MINI_TOKEN is not set";

/// The mode needs a key that is not there.
pub fn no_key(app: App) -> Refused {
    Refused::bad(match app {
        App::Official => "compat and aes mode need ENCODING_AES_KEY",
        App::Mini => "compat and aes mode need MINI_ENCODING_AES_KEY",
    })
}

/// `POST /_sim/send`
pub async fn handle(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let request = read(&body)?;
    let report = unattended(async move { send(&sim, request).await }).await?;
    Ok(json_response(&report))
}

/// Finishes what was begun even if whoever asked for it goes away, as when a page is loaded anew: WeChat delivers
/// whether or not anybody looks.
///
/// # Errors
/// Those of the work.
pub async fn unattended<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refused>> + Send + 'static,
) -> Result<T, Refused> {
    let broken =
        |error: tokio::task::JoinError| Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    tokio::spawn(work).await.map_err(broken)?
}

/// 1. Finds the target. 2. Writes the message. 3. Seals it. 4. Notes what it means for the person. 5. Delivers it.
/// 6. Remembers what came of it.
///
/// # Errors
/// A request that contradicts itself or the settings, or a target on another machine.
pub async fn send(sim: &Sim, request: SendRequest) -> Result<SendReport, Refused> {
    let account = sim.app(request.app()).ok_or_else(|| Refused::bad(NO_TOKEN))?;
    let target = target(sim, &request)?;
    let limits = limits(sim, &request)?;
    let written = write::write(sim, &request)?;
    let sealed = seal(sim, account, limits.mode, &request, &written)?;
    let line = note::note(sim, &request, &written, limits.each);
    let delivered = deliver(sim, account, target, sealed, &limits, &written, line).await;
    let report = report(written, limits.mode, delivered);
    remember(sim, &request, line, &report);
    Ok(report)
}

fn target(sim: &Sim, request: &SendRequest) -> Result<Target, Refused> {
    let target = match &request.target {
        Some(url) => url.parse().map_err(|error| Refused::bad(format!("target: {error}")))?,
        None => sim.options.target_of(request.app()).ok_or_else(|| Refused::bad("no target is set"))?,
    };
    if sim.options.permit(&target) {
        return Ok(target);
    }
    Err(Refused::remote(&target))
}

/// How a message is sealed and delivered.
struct Limits {
    mode: Mode,
    deliveries: u32,
    each: Duration,
    parallel: Option<u32>,
}

fn limits(sim: &Sim, request: &SendRequest) -> Result<Limits, Refused> {
    let default = match request.app() {
        App::Official => sim.lock().mode,
        App::Mini => sim.lock().mini.mode,
    };
    let mode = request.mode.unwrap_or(default);
    if mode == Mode::Plain && matches!(request.tamper, Some(Tamper::Downgrade | Tamper::AppId)) {
        return Err(Refused::bad("tamper: downgrade and app_id need compat or aes mode"));
    }
    let (deliveries, parallel) = (request.deliveries.unwrap_or(DELIVERIES), request.parallel);
    let each = request.limit_ms.map_or(LIMIT, Duration::from_millis);
    let counts = [Some(deliveries), parallel];
    if counts.into_iter().flatten().any(|count| !(1..=MOST_DELIVERIES).contains(&count)) {
        return Err(Refused::bad(format!("deliveries and parallel are 1 to {MOST_DELIVERIES}")));
    }
    if each.is_zero() || each > LONGEST_LIMIT {
        return Err(Refused::bad(format!("limit_ms is 1 to {}", LONGEST_LIMIT.as_millis())));
    }
    Ok(Limits { mode, deliveries, each, parallel })
}

fn seal(
    sim: &Sim,
    account: &Account,
    mode: Mode,
    request: &SendRequest,
    written: &Written,
) -> Result<Sealed, Refused> {
    let stamp = Stamp::new(sim.clock.wall_ms() / 1000);
    let tamper = request.tamper.or(sim.lock().network.tamper);
    let sealed = envelope::seal(account, mode, tamper, &written.openid, &written.document, &stamp);
    sealed.map_err(|_| no_key(account.app))
}

/// The account hears nothing of those on its blacklist.
async fn deliver(
    sim: &Sim,
    account: &Arc<Account>,
    target: Target,
    sealed: Sealed,
    limits: &Limits,
    written: &Written,
    line: Option<u64>,
) -> Delivered {
    let Written { openid, push, document, .. } = written;
    if sim.lock().people.get(openid).is_some_and(|person| person.fan.blacklisted) {
        return Delivered::default();
    }
    let what = push.as_ref().map_or_else(|| "?".to_owned(), |push| Sent::from_push(push).in_short());
    let order = Order {
        account: Arc::clone(account),
        target,
        sealed,
        mode: limits.mode,
        openid: openid.clone(),
        push: push.clone(),
        deliveries: limits.deliveries,
        limit: limits.each,
        way: journey::way(&sim.lock().network),
    };
    let journey = Journey::new(sim, Arc::new(order), document.clone(), what, line);
    let delivered = journey.run(limits.parallel).await;
    // The Mini Program has other agents, which are not simulated.
    if account.app == App::Official
        && delivered.shown.iter().any(|bubble| matches!(bubble, Bubble::Transfer { .. }))
    {
        let said = push.as_ref().and_then(|push| push.optional("Content")).unwrap_or_default();
        sim.lock().agents.transferred(openid, &said, sim.clock.now_ms());
    }
    delivered
}

fn report(written: Written, mode: Mode, delivered: Delivered) -> SendReport {
    let Written { person, openid, push, .. } = written;
    let Delivered { deliveries, shown, checks } = delivered;
    let msg_id = push.as_ref().and_then(|push| push.optional("MsgId"));
    let error_line = shown.iter().any(|bubble| matches!(bubble, Bubble::Error { .. }));
    SendReport { person, openid, mode, msg_id, deliveries, shown, error_line, checks }
}

/// For a recording, if one is made. What has no line in a chat was done by nobody, unless it was forged.
fn remember(sim: &Sim, request: &SendRequest, line: Option<u64>, report: &SendReport) {
    let done = line.is_some() || request.tamper.is_some();
    let mut state = sim.lock();
    if let Some(mut recorder) = state.recorder.take_if(|_| done) {
        recorder.note(&state, request, report);
        state.recorder = Some(recorder);
    }
}
