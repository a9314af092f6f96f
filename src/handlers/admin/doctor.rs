//! `GET /admin/doctor`: does everything work? One line for each thing that can be wrong: what was tried, what was found,
//! and what to do about it. No line holds a secret.

mod account;
mod rights;
mod settings;
mod works;

use std::future::ready;

use futures_util::future::join;
use serde_json::Value;

use super::problem::Problem;
use super::{Outcome, Visit};
use crate::handlers::tasks::{Task, all, within};
use crate::json::json;
use crate::platform::{Millis, Platform};

/// One check may take so long: as long as a reply in the chat. Two follow each other, so the doctor answers within 10 s.
const LIMIT: Millis = 4_500;

/// Every check: its name, what is tried, and whether it needs an access token.
const CHECKS: [(&str, &str, bool); 22] = [
    ("secrets", "read every secret, and compare it with the example values", false),
    ("settings", "read every other setting", false),
    ("admin_token", "measure ADMIN_TOKEN", false),
    ("wechat_token", "compare WECHAT_TOKEN with what the console takes: 3 to 32 letters and digits", false),
    (
        "aes",
        "seal a message with each EncodingAESKey, open it as /wechat does, and seal and open a reply",
        false,
    ),
    ("addresses", "look whether secrets travel by https only", false),
    ("domain", "look at the address that this question came to", false),
    ("login_clients", "read LOGIN_CLIENTS and look at the origins", false),
    ("api_clients", "read API_CLIENTS", false),
    ("bindings", "look for every binding of wrangler.toml", false),
    ("objects", "ask one object of every Durable Object class", false),
    ("storage", "write, read and delete a document in the account's object", false),
    ("version", "read CF_VERSION_METADATA", false),
    ("clock", "compare the clock with the Date of an answer of WECHAT_API_BASE", false),
    ("model", "ask every model of AI_MODEL for one word", false),
    ("senses", "look for a model that sees and one that hears", false),
    ("token", "get the access token from the account's object", false),
    (
        "mini_program",
        "read the Mini Program's settings, seal and open with its EncodingAESKeys, and get its access token",
        false,
    ),
    ("callback_check", "have WeChat resolve and ping this account's callback URL", true),
    ("callback_ips", "ask WeChat which addresses its calls come from", true),
    ("rights", "read one thing of every family of WeChat's API", true),
    ("quota", "ask WeChat how much of today's quota is left", true),
];

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    /// It works, but not as well as it could, or not for long.
    Warn,
    /// Something does not work.
    Fail,
    /// Nothing to check, or no way to.
    Skip,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
struct Finding {
    state: State,
    found: String,
    /// What to do; empty if nothing is to be done.
    fix: String,
    /// The same for programs: numbers, maps; null if there is nothing but words.
    values: Value,
}

impl Finding {
    fn new(state: State, found: &str, fix: &str) -> Self {
        Self { state, found: found.to_owned(), fix: fix.to_owned(), values: Value::Null }
    }

    fn ok(found: impl AsRef<str>) -> Self {
        Self::new(State::Ok, found.as_ref(), "")
    }

    fn skip(found: impl AsRef<str>) -> Self {
        Self::new(State::Skip, found.as_ref(), "")
    }

    fn warn(found: impl AsRef<str>, fix: impl AsRef<str>) -> Self {
        Self::new(State::Warn, found.as_ref(), fix.as_ref())
    }

    fn fail(found: impl AsRef<str>, fix: impl AsRef<str>) -> Self {
        Self::new(State::Fail, found.as_ref(), fix.as_ref())
    }

    fn with(mut self, values: Value) -> Self {
        self.values = values;
        self
    }
}

/// Answers what every check found; `?only=name,name` only those.
///
/// 1. what needs no access token runs at once, and beside it the fetch of one
/// 2. with a token, what needs one; without, that is left out
/// 3. one that does not end in time is a failure like others, and hides none of them
pub async fn serve<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let names = chosen(&visit.request.query)?;
    let is_chosen = |name: &&str| names.contains(name);
    let of =
        |with_token: bool| CHECKS.into_iter().filter(move |check| check.2 == with_token).map(|check| check.0);
    let first: Vec<&str> = of(false).filter(is_chosen).filter(|name| *name != "token").collect();
    let second: Vec<&str> = of(true).filter(is_chosen).collect();
    let wants_token = !second.is_empty() || is_chosen(&"token");
    let with_token = async {
        if !wants_token {
            return Vec::new();
        }
        let token = limited(visit, "token").await;
        let mut all = if token.state == State::Ok {
            run(visit, second).await
        } else {
            second.into_iter().map(|name| (name, Finding::skip("there is no access token"))).collect()
        };
        all.push(("token", token));
        all
    };
    let (mut findings, others) = join(Box::pin(run(visit, first)), Box::pin(with_token)).await;
    findings.extend(others);
    let lines: Vec<Value> = CHECKS
        .iter()
        .filter(|check| is_chosen(&check.0))
        .filter_map(|check| line(check, &findings))
        .collect();
    let healthy = lines.iter().all(|line| line.get("state") != Some(&json!("fail")));
    Ok(super::json(200, &json!({ "healthy": healthy, "checks": lines })))
}

/// The names that `only` chooses, or all.
fn chosen(query: &str) -> Result<Vec<&'static str>, Problem> {
    let only = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "only");
    let Some((_, only)) = only else { return Ok(CHECKS.iter().map(|check| check.0).collect()) };
    let mut names = Vec::new();
    for asked in only.split(',') {
        let Some((name, ..)) = CHECKS.iter().find(|check| check.0 == asked) else {
            let known: Vec<&str> = CHECKS.iter().map(|check| check.0).collect();
            return Err(Problem::fault("only", format!("must name checks; there are {}", known.join(", "))));
        };
        names.push(*name);
    }
    Ok(names)
}

fn line((name, tried, _): &(&str, &str, bool), findings: &[(&str, Finding)]) -> Option<Value> {
    let (_, finding) = findings.iter().find(|(found, _)| found == name)?;
    let Finding { state, found, fix, values } = finding;
    let fix = Some(fix).filter(|fix| !fix.is_empty());
    Some(
        json!({ "name": name, "state": state.name(), "tried": tried, "found": found, "fix": fix, "values": values }),
    )
}

async fn run<P: Platform>(visit: &Visit<'_, P>, names: Vec<&'static str>) -> Vec<(&'static str, Finding)> {
    let tasks = names.iter().map(|name| -> Task<'_, Finding> { Box::pin(limited(visit, name)) });
    let findings = all(tasks.collect()).await;
    names.into_iter().zip(findings).collect()
}

async fn limited<P: Platform>(visit: &Visit<'_, P>, name: &str) -> Finding {
    within(visit.platform, LIMIT, examine(visit, name)).await.unwrap_or_else(|| {
        let fix = "ask again; if it stays so, look into the log and at what it waits for";
        Finding::fail("no answer came within 4.5 s", fix)
    })
}

fn examine<'a, P: Platform>(visit: &'a Visit<'_, P>, name: &str) -> Task<'a, Finding> {
    let config = &visit.app.config;
    let seen = match name {
        "secrets" => settings::secrets(config),
        "settings" => settings::others(config),
        "admin_token" => settings::admin_token(config),
        "wechat_token" => settings::wechat_token(config),
        "aes" => settings::aes(config, visit.platform.now() / 1_000, visit.platform.random()),
        "addresses" => settings::addresses(config),
        "domain" => settings::domain(&visit.request.origin),
        "login_clients" => settings::login_clients(config),
        "api_clients" => settings::api_clients(config),
        "senses" => settings::senses(config),
        "bindings" => works::bindings(visit),
        "version" => works::version(visit),
        "objects" => return Box::pin(works::objects(visit)),
        "storage" => return Box::pin(works::storage(visit)),
        "clock" => return Box::pin(works::clock(visit)),
        "model" => return Box::pin(works::model(visit)),
        "token" => return Box::pin(account::token(visit)),
        "mini_program" => return Box::pin(account::mini(visit)),
        "callback_check" => return Box::pin(account::callback_check(visit)),
        "callback_ips" => return Box::pin(account::callback_ips(visit)),
        "rights" => return Box::pin(rights::rights(visit)),
        "quota" => return Box::pin(account::quota(visit)),
        _ => Finding::skip("there is no such check"),
    };
    Box::pin(ready(seen))
}
