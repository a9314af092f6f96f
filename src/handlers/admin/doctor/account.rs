//! What has to be tried on WeChat's side.

use serde_json::{Map, Value};

use super::{Finding, State, settings};
use crate::gateway::advice::advice;
use crate::gateway::send::{SendError, send};
use crate::gateway::token::TokenFailure;
use crate::handlers::account::of_mini;
use crate::handlers::admin::Visit;
use crate::handlers::tasks::{Task, all, within};
use crate::json::{Put, json};
use crate::platform::{Millis, Platform};
use crate::wechat::api::{self, ApiError, ApiRequest, Body, Method};

/// One call.
const LIMIT: Millis = 4_000;
/// APIs whose quota people run out of.
const METERED: [&str; 5] = [
    "/cgi-bin/message/custom/send",
    "/cgi-bin/message/template/send",
    "/cgi-bin/menu/create",
    "/cgi-bin/user/get",
    "/cgi-bin/media/upload",
];
/// What WeChat said. `None`: nothing in time.
pub type Said = Option<Result<Value, SendError>>;

/// Calls WeChat, uncounted: the refusals that are looked for here would look like trouble in the metrics.
pub async fn call<P: Platform>(visit: &Visit<'_, P>, request: ApiRequest) -> Said {
    let sent = Box::pin(async {
        let config = &visit.app.config;
        let answer = send(visit.platform, &config.wechat_api, &config.app_id, &request).await?;
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        api::check(text).map_err(SendError::Refused)
    });
    within(visit.platform, LIMIT, sent).await
}

/// Calls WeChat with all of these at once.
pub async fn call_all<P: Platform>(visit: &Visit<'_, P>, requests: Vec<ApiRequest>) -> Vec<Said> {
    let tasks = requests.into_iter().map(|request| -> Task<'_, Said> { Box::pin(call(visit, request)) });
    all(tasks.collect()).await
}

/// A question of the probe: a `GET` if it has no body.
pub fn request(path: &'static str, query: &[(&'static str, &str)], body: Option<&Value>) -> ApiRequest {
    let query = query.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    match body {
        Some(body) => {
            ApiRequest { method: Method::Post, path, query, body: Body::Json(crate::json::text(body)) }
        }
        None => ApiRequest { method: Method::Get, path, query, body: Body::Empty },
    }
}

/// Whether there is an access token.
pub async fn token<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    token_of(visit, &visit.app.config.app_id).await
}

/// Whether the Mini Program's settings are in order, and there is an access token of its own.
pub async fn mini<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    let Visit { platform, app, .. } = visit;
    let seen = settings::mini(&app.config, platform.now() / 1_000, platform.random());
    let Some(mini) = app.config.mini.as_ref().filter(|_| seen.state != State::Fail) else { return seen };
    let Finding { state, found, fix, values } = token_of(visit, mini.app_id.as_str()).await;
    if state == State::Ok {
        return Finding { found: [&seen.found, "; its access token: ", &found].concat(), ..seen };
    }
    Finding { state, found: of_mini(&found), fix: of_mini(&fix), values }
}

async fn token_of<P: Platform>(visit: &Visit<'_, P>, name: &str) -> Finding {
    let begin = visit.platform.now();
    match visit.platform.access_token(name, None).await {
        Ok(_) => {
            let milliseconds = visit.platform.now().saturating_sub(begin);
            Finding::ok(format!("there is one; it took {milliseconds} ms"))
        }
        Err(TokenFailure::NotConfigured) => Finding::skip("APP_ID and APP_SECRET are not set"),
        Err(TokenFailure::Unreachable(reason)) => {
            let fix = "look at WECHAT_API_BASE, and whether the relay behind it runs";
            Finding::fail(["WeChat was not reached: ", &reason].concat(), fix)
        }
        Err(TokenFailure::Refused(error)) => refused(&error),
        Err(failure @ TokenFailure::TooOften) => Finding::warn(failure.to_string(), "ask again"),
    }
}

/// What to do about a refused token.
fn refused(error: &ApiError) -> Finding {
    let otherwise = "look up the code at https://developers.weixin.qq.com/doc/oplatform/developers/errCode/";
    let fix = advice(error.errcode).unwrap_or(otherwise);
    let values = json!({ "errcode": error.errcode, "rid": error.rid(), "ip": error.whitelist_ip() });
    Finding::fail(error.to_string(), fix).with(values)
}

/// What a call that failed means where nothing else is known of it.
fn failed(answer: Option<SendError>) -> Finding {
    match answer {
        None => Finding::warn("no answer came within 4 s", "ask again"),
        Some(SendError::Refused(error)) if error.errcode == 48001 => {
            Finding::skip("this account may not ask (48001)")
        }
        Some(SendError::Refused(error)) => Finding { state: State::Warn, ..refused(&error) },
        Some(error) => Finding::warn(error.to_string(), "ask again"),
    }
}

/// Whether WeChat finds the callback URL.
/// <https://developers.weixin.qq.com/doc/service/api/apimanage/callback/api_callback_check.html>
pub async fn callback_check<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    let body = json!({ "action": "all", "check_operator": "DEFAULT" });
    let answer = match call(visit, request("/cgi-bin/callback/check", &[], Some(&body))).await {
        Some(Ok(answer)) => answer,
        Some(Err(SendError::Refused(error))) if error.errcode == 40201 => {
            return Finding::fail(
                "WeChat knows no callback URL of this account",
                "enter https://<your domain>/wechat in the console (开发 → 基本配置 → 服务器配置) and turn it on",
            );
        }
        other => return failed(other.and_then(Result::err)),
    };
    let list = |name: &str| answer.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (dns, ping) = (list("dns"), list("ping"));
    let values = json!({ "dns": dns, "ping": ping });
    let is_lost = |ping: &Value| ping.get("package_loss") == Some(&json!("100%"));
    let finding = if dns.is_empty() {
        Finding::fail(
            "WeChat finds no address for the callback's domain",
            "look at the DNS records of the domain",
        )
    } else if !ping.is_empty() && ping.iter().all(is_lost) {
        Finding::warn(
            "no ping of WeChat's came back",
            "Cloudflare may drop pings; if messages arrive, ignore this",
        )
    } else {
        Finding::ok(format!("addresses that WeChat finds: {}", dns.len()))
    };
    finding.with(values)
}

/// Whether WeChat says where its calls come from.
/// <https://developers.weixin.qq.com/doc/service/api/base/api_getcallbackip.html>
pub async fn callback_ips<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    match call(visit, request("/cgi-bin/getcallbackip", &[], None)).await {
        Some(Ok(answer)) => {
            let count = answer.get("ip_list").and_then(Value::as_array).map_or(0, Vec::len);
            let fix = "a firewall in front of the Worker must let these through";
            if count == 0 {
                Finding::warn("the list is empty", fix)
            } else {
                Finding::ok(format!("{count} addresses or ranges"))
            }
        }
        other => failed(other.and_then(Result::err)),
    }
}

/// How much is left of today.
/// <https://developers.weixin.qq.com/doc/service/api/apimanage/openapi/api_getapiquota.html>
pub async fn quota<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    let asked = |path: &str| {
        let body = json!({ "cgi_path": path });
        request("/cgi-bin/openapi/quota/get", &[], Some(&body))
    };
    let answers = call_all(visit, METERED.into_iter().map(asked).collect()).await;
    let (mut values, mut low, mut last) = (Map::new(), Vec::new(), None);
    for (path, answer) in METERED.into_iter().zip(answers) {
        match answer {
            Some(Ok(answer)) => {
                let quota = answer.get("quota").cloned().unwrap_or_default();
                let number = |name: &str| quota.get(name).and_then(Value::as_u64).unwrap_or_default();
                if number("daily_limit") > 0 && number("remain") < number("daily_limit") / 10 {
                    low.push(path);
                }
                values.put(path, quota);
            }
            other => last = Some(other.and_then(Result::err)),
        }
    }
    let finding = match last {
        Some(error) if values.is_empty() => failed(error),
        _ if low.is_empty() => Finding::ok("enough is left of each"),
        _ => {
            let fix =
                "quotas begin anew at midnight in Beijing; /cgi-bin/clear_quota works ten times a month";
            Finding::warn(["less than a tenth is left: ", &low.join(", ")].concat(), fix)
        }
    };
    finding.with(Value::Object(values))
}
