//! Quotas, diagnostics, IP lists.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/dev/openapi.html>

mod callback;
mod rid;

use serde_json::{Value, json};

use super::account_type::Right;
use super::api::{Api, App, Call, ok_with, text};
use super::errcode::{self, Errcode};
use super::quota::month;
use super::{ApiReply, done, find};

pub use callback::Probe;
pub use rid::{Answered, Rids};

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/clear_quota", Right::Basic, clear).for_both(),
    Api::post("/cgi-bin/clear_quota/v2", Right::Basic, clear_by_secret).without_token(),
    Api::post("/cgi-bin/openapi/quota/get", Right::Basic, quota).for_both(),
    Api::post("/cgi-bin/openapi/quota/clear", Right::Basic, clear_one).for_both(),
    Api::post("/cgi-bin/openapi/rid/get", Right::Basic, rid::get).for_both(),
    Api::post("/cgi-bin/callback/check", Right::Basic, callback::check).for_both(),
    Api::get("/cgi-bin/getcallbackip", Right::Basic, callback::addresses).for_both(),
    Api::get("/cgi-bin/get_api_domain_ip", Right::Basic, callback::addresses).for_both(),
];

const CLEARED_TOO_OFTEN: Errcode = Errcode(48006);
const NO_PATH: Errcode = Errcode(76003);
const UNKNOWN_PATH: Errcode = Errcode(76021);
const FORBIDDEN_PATH: Errcode = Errcode(76022);

/// Times a month that all quotas can be cleared, by both ways together.
const CLEARS: u32 = 10;
/// Times a month that the quota of one API can be cleared.
const SINGLE_CLEARS: u32 = 50;

/// How often quotas were cleared this month.
#[derive(Debug, Default)]
pub struct Clears {
    month: u64,
    all: u32,
    single: u32,
}

impl Clears {
    fn take_all(&mut self, now_ms: u64) -> Result<(), Errcode> {
        self.turn(now_ms);
        take(&mut self.all, CLEARS)
    }

    fn take_single(&mut self, now_ms: u64) -> Result<(), Errcode> {
        self.turn(now_ms);
        take(&mut self.single, SINGLE_CLEARS)
    }

    fn turn(&mut self, now_ms: u64) {
        if self.month != month(now_ms) {
            *self = Self { month: month(now_ms), ..Self::default() };
        }
    }
}

fn take(used: &mut u32, limit: u32) -> Result<(), Errcode> {
    if *used >= limit {
        return Err(CLEARED_TOO_OFTEN);
    }
    *used += 1;
    Ok(())
}

/// `POST /cgi-bin/clear_quota?access_token=…`
fn clear(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    if app_id(&asked)? != call.account.app_id_of(call.app) {
        return Err(errcode::APP_ID);
    }
    clear_all(call)
}

/// `POST /cgi-bin/clear_quota/v2`: without a token, for when even that quota is used up.
fn clear_by_secret(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let app_id = app_id(&asked)?;
    call.app = match text(&asked, "appsecret") {
        "" => return Err(errcode::APP_SECRET_MISSING),
        secret => call.account.app(app_id, secret)?,
    };
    clear_all(call)
}

fn app_id(asked: &Value) -> Result<&str, Errcode> {
    Some(text(asked, "appid")).filter(|id| !id.is_empty()).ok_or(errcode::APP_ID_MISSING)
}

fn clear_all(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let now_ms = call.now_ms;
    clears(call).take_all(now_ms)?;
    call.quotas().clear(None);
    Ok(done())
}

fn clears<'a>(call: &'a mut Call<'_>) -> &'a mut Clears {
    match call.app {
        App::Official => &mut call.state.clears,
        App::Mini => &mut call.state.mini.clears,
    }
}

/// `POST /cgi-bin/openapi/quota/get?access_token=…`: an API that nobody counts has 0 of everything, and so has a rate
/// that nobody limits.
fn quota(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let api = wanted(call, &asked)?;
    let limit = api.daily_limit(call).unwrap_or(0);
    let now_ms = call.now_ms;
    let used = call.quotas().used(api.path, now_ms);
    Ok(ok_with(json!({
        "quota": { "daily_limit": limit, "used": used, "remain": limit.saturating_sub(used) },
        "rate_limit": { "call_count": 0, "refresh_second": 0 },
    })))
}

/// `POST /cgi-bin/openapi/quota/clear?access_token=…`
fn clear_one(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let api = wanted(call, &asked)?;
    let now_ms = call.now_ms;
    clears(call).take_single(now_ms)?;
    call.quotas().clear(Some(api.path));
    Ok(done())
}

/// The API whose path is asked for.
fn wanted(call: &Call<'_>, asked: &Value) -> Result<&'static Api, Errcode> {
    let path = text(asked, "cgi_path");
    if !path.starts_with('/') {
        return Err(NO_PATH);
    }
    if path.starts_with("/sns/") {
        return Err(FORBIDDEN_PATH);
    }
    let api = find(path).ok_or(UNKNOWN_PATH)?;
    if api.serves(call) { Ok(api) } else { Err(FORBIDDEN_PATH) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_cleared_ten_times_a_month() {
        let mut clears = Clears::default();
        let (november, december) = (1_795_000_000_000, 1_796_100_000_000);
        assert!((0..10).all(|_| clears.take_all(november).is_ok()));
        assert_eq!(clears.take_all(november), Err(CLEARED_TOO_OFTEN));
        assert!((0..50).all(|_| clears.take_single(november).is_ok()));
        assert_eq!(clears.take_single(november), Err(CLEARED_TOO_OFTEN));
        assert!(clears.take_all(december).is_ok() && clears.take_single(december).is_ok());
    }
}
