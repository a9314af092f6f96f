//! `GET /metrics`, and the way of what was counted to the objects that keep it.
//!
//! Whatever serves a request counts in its isolate's memory and brings that, a few seconds later and all at once, to one
//! of eight objects: so nothing global is on the way of a message. What an isolate has not brought away when it ends is
//! lost; counters are for trends, not for accounts.

use std::cell::RefCell;
use std::rc::Rc;

use super::tasks::{Task, all as all_of};
use super::{App, admin, understand, write};
use crate::error::Error;
use crate::gateway::send::SendError;
use crate::log::Line;
use crate::metrics::{Call, Counters, Series, add, grow, number, page};
use crate::platform::{Millis, Object, Platform, Request, Response, Storage, Unreachable};

/// The binding that says which version runs.
/// <https://developers.cloudflare.com/workers/runtime-apis/bindings/version-metadata/>
pub const VERSION: &str = "CF_VERSION_METADATA";
/// What was counted is brought away after this time.
const PAUSE: Millis = 5_000;
/// Whoever has not brought it away after this time never will: Cloudflare may end what follows a request.
const LOST_AFTER: Millis = 60_000;
/// The objects that share the work.
const SHARDS: u8 = 8;

/// Counts one more of `name`. Without an `ADMIN_TOKEN` nobody could read it, so nothing is counted.
pub fn count<P: Platform>(platform: &P, app: &App, name: &str, labels: &[(&str, &str)]) {
    if app.config.admin_token.is_some() {
        app.counters.borrow_mut().add(name, labels, 1);
        bring_later(platform, app);
    }
}

/// Counts a call of WeChat's API by what it answered: its code, 0 for success, `none` if no answer came. A call that was
/// not made, because there is no token, does not count.
pub fn count_call<P: Platform, T>(platform: &P, app: &App, outcome: &Result<T, SendError>) {
    let errcode = match outcome {
        Ok(_) => "0".to_owned(),
        Err(SendError::Refused(error)) => error.errcode.to_string(),
        Err(SendError::Unknown(_)) => "none".to_owned(),
        Err(SendError::Token(_)) => return,
    };
    count(platform, app, "wxapi_api_calls_total", &[("errcode", &errcode)]);
}

/// Counts one more that took `span` in the histogram `name`, which ends with `_seconds`.
pub fn observe<P: Platform>(platform: &P, app: &App, name: &str, labels: &[(&str, &str)], span: Millis) {
    if app.config.admin_token.is_some() {
        app.counters.borrow_mut().observe(name, labels, span);
        bring_later(platform, app);
    }
}

fn bring_later<P: Platform>(platform: &P, app: &App) {
    let now = platform.now();
    let mut counters = app.counters.borrow_mut();
    if now >= counters.on_the_way {
        counters.on_the_way = now + LOST_AFTER;
        let (later, counters) = (platform.clone(), Rc::clone(&app.counters));
        platform.spawn(async move {
            later.sleep(PAUSE).await;
            bring(&later, &counters).await;
        });
    }
}

/// Brings away what was counted. What does not arrive is brought with the next.
async fn bring<P: Platform>(platform: &P, counters: &RefCell<Counters>) {
    let series = {
        let mut counters = counters.borrow_mut();
        counters.on_the_way = 0;
        std::mem::take(&mut counters.series)
    };
    if series.is_empty() {
        return;
    }
    let [random, ..] = platform.random();
    let shard = (random % SHARDS).to_string();
    let added: Result<Series, _> =
        super::call_object(platform, Object::Metrics, &shard, &Call::Add(series.clone())).await;
    if let Err(Unreachable(reason)) = added {
        platform.log(&Line::warn("metrics.not_kept", reason));
        let mut counters = counters.borrow_mut();
        for (series, by) in series {
            add(&mut counters.series, series, number(&by));
        }
    }
}

/// `GET /metrics`: everything that was counted, as Prometheus reads it. For whoever has the `ADMIN_TOKEN`.
pub async fn show<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Response, Error> {
    let given = request.credentials("bearer");
    if !given.is_some_and(|token| admin::is_admin(&app.config, token)) {
        if given.is_some() && !admin::may_guess(platform, "admin", request).await? {
            return Ok(Response::text(429, "too many wrong tokens"));
        }
        return Ok(Response::text(401, "unauthorized").with("www-authenticate", "Bearer"));
    }
    bring(platform, &app.counters).await;
    let mut all = Series::new();
    let shards = (0..SHARDS).map(|shard| -> Task<'_, _> { Box::pin(read(platform, shard)) });
    // Without one of them, counters would seem to shrink: then there is no answer.
    for part in all_of(shards.collect()).await {
        for (series, value) in part? {
            grow(&mut all, series, number(&value));
        }
    }
    let lines = page(&all, &platform.find_binding(VERSION).unwrap_or_default());
    Ok(Response::new(200, "text/plain; version=0.0.4; charset=utf-8", lines)
        .with("cache-control", "no-store"))
}

async fn read<P: Platform>(platform: &P, shard: u8) -> Result<Series, Unreachable> {
    super::call_object(platform, Object::Metrics, &shard.to_string(), &Call::Read).await
}

/// One of the objects that keep what was counted.
pub struct MetricsObject<S: Storage> {
    storage: S,
    series: RefCell<Series>,
}

impl<S: Storage> MetricsObject<S> {
    /// The object, with what it stored.
    pub fn new(storage: S) -> Result<Self, Unreachable> {
        let stored = storage.load()?.and_then(|json| crate::json::from_str(&json).ok());
        Ok(Self { storage, series: RefCell::new(stored.unwrap_or_default()) })
    }

    /// A [`Call`] as JSON; the answer is a [`Series`] as JSON.
    pub fn call(&self, call: &str) -> Result<String, Unreachable> {
        match understand(call, "a call to the counters' object")? {
            Call::Add(grown) => {
                let mut next = self.series.borrow().clone();
                for (series, by) in grown {
                    add(&mut next, series, number(&by));
                }
                self.storage.save(&write(&next)?)?;
                self.series.replace(next);
                Ok("{}".to_owned())
            }
            Call::Read => write(&*self.series.borrow()),
        }
    }
}
