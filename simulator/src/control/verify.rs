//! `POST /_sim/verify`: the console's check of the callback URL.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http_body_util::Full;
use hyper::Request;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use wxapi::wechat::signature;

use super::send::NO_TOKEN;
use super::{Refused, json_response, read};
use crate::account::Account;
use crate::http::{self, Failure, Target};
use crate::platform::api::App;
use crate::push::deliver::LIMIT;
use crate::state::Sim;
use crate::{ids, query};

/// How the last check ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetCheck {
    /// Whether the target gave the echostr back.
    pub ok: bool,
    /// Milliseconds that it took.
    pub elapsed_ms: u64,
    /// What came instead, in a few words.
    pub detail: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyOrder {
    #[serde(default)]
    mini: bool,
}

/// `POST /_sim/verify {mini?}`: of the account's callback, or of its Mini Program's.
pub async fn handle(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let VerifyOrder { mini } = if body.is_empty() { VerifyOrder::default() } else { read(&body)? };
    let app = if mini { App::Mini } else { App::Official };
    let account = sim.app(app).ok_or_else(|| Refused::bad(NO_TOKEN))?;
    let target = sim.options.target_of(app).ok_or_else(|| Refused::bad("no target is set"))?;
    if !sim.options.permit(&target) {
        return Err(Refused::remote(&target));
    }
    let check = check(&sim, account, &target).await;
    let mut state = sim.lock();
    match app {
        App::Official => state.target_check = Some(check.clone()),
        App::Mini => state.mini.target_check = Some(check.clone()),
    }
    Ok(json_response(&check))
}

/// Sends a signed GET with an echostr.
async fn check(sim: &Sim, account: &Account, target: &Target) -> TargetCheck {
    let (timestamp, nonce) = ((sim.clock.wall_ms() / 1000).to_string(), ids::nonce());
    let echostr = format!("{}{}", ids::nonce(), ids::nonce());
    let signature = signature::sign(&[&account.token, &timestamp, &nonce]);
    let query = query::write(&[
        ("signature", &signature),
        ("echostr", &echostr),
        ("timestamp", &timestamp),
        ("nonce", &nonce),
    ]);
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.uri_mut() = target.path_with(&query).parse().unwrap_or_default();
    let started = Instant::now();
    let answer = http::send(target, request, LIMIT).await;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (ok, detail) = match answer {
        Ok(answer) if answer.status == 200 && answer.body == echostr.as_bytes() => {
            (true, "echostr".to_owned())
        }
        Ok(answer) if answer.status == 200 => (false, "200, but not the echostr".to_owned()),
        Ok(answer) => (false, format!("status {}", answer.status)),
        Err(Failure::Timeout) => (false, "no answer within 5 s".to_owned()),
        Err(Failure::Refused(why) | Failure::Cut(why)) => (false, why),
    };
    TargetCheck { ok, elapsed_ms, detail }
}
