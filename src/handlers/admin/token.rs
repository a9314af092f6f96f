//! How the access token stands, a new one, and signatures for the JS-SDK. Neither token nor ticket is ever shown.

use serde_json::Value;

use super::problem::Problem;
use super::{Outcome, Visit, body, json};
use crate::gateway::desk;
use crate::gateway::token::{Call, Loan};
use crate::handlers::{borrow_token, call_object};
use crate::json::json;
use crate::platform::{Object, Platform};
use crate::wechat::api::ticket;

/// The longest address that is signed, bytes; browsers send none that is much longer.
const LONGEST_ADDRESS: usize = 8_192;

/// The routes of this family.
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    match (visit.request.method.as_str(), segments) {
        ("GET", ["token"]) => report(visit).await,
        ("POST", ["token", "refresh"]) => refresh(visit).await,
        ("POST", ["jssdk", "signature"]) => sign(visit).await,
        _ => Err(Problem::not_found("route")),
    }
}

async fn report<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let Visit { platform, app, .. } = visit;
    let call = desk::Call::Token(Call::Report);
    let report: Value = call_object(*platform, Object::Account, &app.config.app_id, &call).await?;
    Ok(json(200, &report))
}

/// Fetches the token now, whatever is remembered of refusals. `{"force": true}` ends the one before.
async fn refresh<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let force = !visit.request.body.is_empty()
        && match body(visit.request)?.get("force") {
            None => false,
            Some(Value::Bool(force)) => *force,
            Some(_) => return Err(Problem::fault("/force", "is neither true nor false")),
        };
    borrow_token(visit.platform, visit.app, Call::Refresh { force }).await?;
    report(visit).await
}

/// What a page needs for `wx.config`.
async fn sign<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let Visit { request, platform, app } = visit;
    let body = body(request)?;
    let url = body.get("url").and_then(Value::as_str).unwrap_or_default();
    // What else is in it is for the page to know: the signature is over the address exactly as the browser has it.
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let host = !rest.starts_with(['/', '?', '#']) && !rest.is_empty();
    let clean = !url.contains(|character: char| character.is_whitespace() || character.is_control());
    if !host || !clean || url.len() > LONGEST_ADDRESS {
        return Err(Problem::fault("/url", "is not the address of a page: http or https, a host, no blanks"));
    }
    let ticket = borrow_token(*platform, app, Call::Borrow(Loan::Jsapi)).await?;
    let (nonce, timestamp) = (hex::encode(platform.random()), platform.now() / 1_000);
    let signature = ticket::sign(&ticket.text, &nonce, timestamp, url);
    Ok(json(
        200,
        &json!({
            "appId": app.config.app_id,
            "timestamp": timestamp,
            "nonceStr": nonce,
            "signature": signature,
        }),
    ))
}
