//! `POST /_sim/scan`: somebody holds their phone over a QR code. `GET /_sim/codes`: what there is to scan.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::send::{self, SendRequest};
use super::{Refused, json_response, read};
use crate::http::Target;
use crate::ids;
use crate::platform::qrcode::{self, Code};
use crate::push::message::Event;
use crate::state::Sim;

/// The beginning of the URL in every code of an account.
const ACCOUNT_CODE: &str = "//weixin.qq.com/q/";

/// `GET /_sim/codes`
pub async fn codes(State(sim): State<Arc<Sim>>) -> Response {
    let now_ms = sim.clock.now_ms();
    let state = sim.lock();
    json_response(&state.qr_codes.live(now_ms).collect::<Vec<&Code>>())
}

/// `POST /_sim/scan`: `code` is a ticket, the URL in a code, a scene, or a URL of anybody; beside it everything that
/// `POST /_sim/send` takes but what is sent.
pub async fn handle(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let mut asked: Value = read(&body)?;
    let text = match asked.as_object_mut().and_then(|members| members.remove("code")) {
        Some(Value::String(text)) => text,
        Some(Value::Number(scene)) => scene.to_string(),
        _ => return Err(Refused::bad("code is missing: a ticket, a scene, or the text in a QR code")),
    };
    let mut order: SendRequest = serde_json::from_value(asked)
        .map_err(|error| Refused::bad(format!("not the expected JSON: {error}")))?;
    let Some(event) = event(&sim, &order, &text)? else {
        return Ok(json_response(&json!({ "open": text.trim() })));
    };
    order.event = Some(event);
    let report = send::unattended(async move { send::send(&sim, order).await }).await?;
    Ok(json_response(&json!({ "report": report })))
}

/// What the account hears of it; nothing if the code is a web page's.
///
/// # Errors
/// The code is nobody's, or its time is over.
pub fn event(sim: &Sim, order: &SendRequest, text: &str) -> Result<Option<Event>, Refused> {
    let openid = ids::openid(&sim.account.app_id, order.person());
    let now_ms = sim.clock.now_ms();
    let state = sim.lock();
    match qrcode::find_code(&state, text) {
        Some(code) if code.is_live(now_ms) => Ok(Some(qrcode::scan_event(&state, &openid, code))),
        Some(code) => Err(Refused::bad(format!("the QR code of scene {} has expired", code.scene))),
        None if text.contains(ACCOUNT_CODE) => {
            Err(Refused::bad("a QR code of another account, or of before a reset: no code here has this URL"))
        }
        None if text.trim().parse::<Target>().is_ok() => Ok(None),
        None => Err(Refused::bad("no QR code has this ticket or scene, and it is no URL")),
    }
}
