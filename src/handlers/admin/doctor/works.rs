//! What has to be tried on Cloudflare's side and the model's.

use serde_json::Value;

use super::Finding;
use crate::chat::history::History;
use crate::chat::prompt;
use crate::gateway::record::Kind;
use crate::handlers::admin::Visit;
use crate::handlers::tasks::{Task, all, within};
use crate::handlers::{ask, metrics, records};
use crate::json::json;
use crate::platform::{Delivery, Millis, Object, Outbound, Platform, Unreachable, Verdict};

/// What wrangler.toml binds.
const BINDINGS: [&str; 13] = [
    "SESSION_OBJECT",
    "ACCOUNT_OBJECT",
    "LOGIN_OBJECT",
    "CODE_OBJECT",
    "THROTTLE_OBJECT",
    "KEY_OBJECT",
    "METRICS_OBJECT",
    "MINI_USER_OBJECT",
    "LOGIN_LIMITER",
    "RATE_LIMITER",
    "AI",
    "ASSETS",
    metrics::VERSION,
];
/// A question to one object of each class that changes nothing: class, name of the object (empty for the account's), and
/// the call.
const QUESTIONS: [(&str, Object, &str, &str); 7] = [
    ("AccountObject", Object::Account, "", r#"{"record":{"count":{"kind":"doctor","filters":[]}}}"#),
    ("LoginObject", Object::Login, "doctor", r#""standing""#),
    ("CodeObject", Object::Code, "0", r#"{"find":{"code":""}}"#),
    ("ThrottleObject", Object::Throttle, "doctor", r#"{"most":0,"window":1}"#),
    ("KeyObject", Object::Key, "keys", r#"{"shown":{"algorithms":[]}}"#),
    ("MetricsObject", Object::Metrics, "0", r#""read""#),
    ("MiniUserObject", Object::MiniUser, "doctor", r#"{"as":{"session":"","ask":"who"}}"#),
];
/// One of the calls above, and one model.
const LIMIT: Millis = 4_000;
/// A login needs messages that are fresh to within five minutes; one minute is far from that and from chance.
const SKEW: Millis = 60_000;

/// Whether every binding is there.
pub fn bindings<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    let by_endpoint = visit.app.config.model.endpoint.is_some();
    let is_needed = |name: &str| !(name == "AI" && by_endpoint);
    let missing: Vec<&str> = BINDINGS
        .into_iter()
        .filter(|name| is_needed(name) && visit.platform.find_binding(name).is_none())
        .collect();
    if missing.is_empty() {
        return Finding::ok("all are there");
    }
    let found = ["missing: ", &missing.join(", ")].concat();
    let fix = "take [[durable_objects.bindings]], [[migrations]] and the others from the wrangler.toml of this release, and deploy";
    let only_helpers = missing.iter().all(|name| ["RATE_LIMITER", "ASSETS", metrics::VERSION].contains(name));
    if only_helpers { Finding::warn(found, fix) } else { Finding::fail(found, fix) }
}

/// Which version runs.
pub fn version<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    let id = visit.platform.find_binding(metrics::VERSION).unwrap_or_default();
    let release = env!("CARGO_PKG_VERSION");
    let values = json!({ "release": release, "deployment": id });
    if id.is_empty() {
        return Finding::skip(["release ", release, "; Cloudflare does not say which deployment"].concat())
            .with(values);
    }
    Finding::ok(["release ", release, ", deployment ", &id].concat()).with(values)
}

/// How long something took, or why it did not work.
type Tried = Result<Millis, String>;

/// What comes of `task` within [`LIMIT`], and in what time.
async fn timed<P: Platform>(visit: &Visit<'_, P>, task: Task<'_, Result<(), String>>) -> Tried {
    let begin = visit.platform.now();
    match within(visit.platform, LIMIT, task).await {
        Some(outcome) => outcome.map(|()| visit.platform.now().saturating_sub(begin)),
        None => Err("no answer within 4 s".to_owned()),
    }
}

/// Whether every class of objects answers: a migration that was left out shows here.
pub async fn objects<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    let mut tasks: Vec<Task<'_, Tried>> = Vec::new();
    for (_, object, name, call) in QUESTIONS {
        let name = if name.is_empty() { &visit.app.config.app_id } else { name };
        let asked = visit.platform.call(object, name, call);
        let task = Box::pin(async move { asked.await.map(drop).map_err(|Unreachable(reason)| reason) });
        tasks.push(Box::pin(timed(visit, task)));
    }
    tasks.push(Box::pin(timed(visit, Box::pin(user_object(visit)))));
    let classes = QUESTIONS.iter().map(|question| question.0).chain(["SessionObject"]);
    let answers = classes.zip(all(tasks).await);
    let silent = answers.filter_map(|(class, answer)| Some([class, ": ", &answer.err()?].concat()));
    let silent: Vec<String> = silent.collect();
    if silent.is_empty() {
        return Finding::ok("all eight classes answer");
    }
    Finding::fail(silent.join("; "), "deploy with every [[migrations]] of wrangler.toml, and read the log")
}

/// An event that means nothing, for the object of a user who is none.
async fn user_object<P: Platform>(visit: &Visit<'_, P>) -> Result<(), String> {
    let arrived = visit.platform.now();
    let document = format!(
        "<xml><ToUserName>doctor</ToUserName><FromUserName>doctor</FromUserName><CreateTime>{}</CreateTime><MsgType>event</MsgType><Event>DOCTOR</Event></xml>",
        arrived / 1_000
    );
    let name = [&visit.app.config.app_id, ":doctor"].concat();
    let delivery = Delivery { arrived, document, may_log_in: false };
    match visit.platform.deliver(&name, &delivery).await {
        Ok(Verdict::Reply(_)) => Ok(()),
        Ok(Verdict::RunOut) => Err("it did not reply".to_owned()),
        Err(Unreachable(reason)) => Err(reason),
    }
}

/// Whether the account's object keeps what it is given.
pub async fn storage<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    let id = hex::encode(visit.platform.random());
    match keep_and_drop(visit, &id).await {
        Ok(true) => Finding::ok("it was kept, read and deleted"),
        Ok(false) => {
            Finding::fail("something else was read than was written", "read the log of AccountObject")
        }
        Err(Unreachable(reason)) => {
            Finding::fail(reason, "read the log of AccountObject, and https://www.cloudflarestatus.com")
        }
    }
}

async fn keep_and_drop<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Result<bool, Unreachable> {
    let Visit { platform, app, .. } = visit;
    let document = json!({ "written": platform.now() });
    records::put(*platform, app, Kind::Doctor, id, Some(0), document.clone()).await?;
    let read = records::get(*platform, app, Kind::Doctor, id).await?;
    let deleted = records::delete(*platform, app, Kind::Doctor, id).await?;
    Ok(deleted && read.is_some_and(|record| record.document == document))
}

/// Whether the clocks agree. The question has no token, so WeChat refuses it, which is an answer too.
pub async fn clock<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    let base = &visit.app.config.wechat_api;
    let request = Outbound {
        method: "GET",
        url: [base, "/cgi-bin/getcallbackip"].concat(),
        headers: Vec::new(),
        body: Vec::new(),
        upload: None,
        timeout: LIMIT,
    };
    let begin = visit.platform.now();
    let date = match visit.platform.fetch(request).await {
        Ok(inflow) => inflow.date,
        Err(_) => {
            let fix = "WeChat, or the relay of WECHAT_API_BASE, cannot be reached from Cloudflare: try WECHAT_API_BASE, or the relay itself";
            return Finding::fail("no answer came", fix);
        }
    };
    let now = visit.platform.now();
    let milliseconds = now.saturating_sub(begin);
    let Some(date) = date else {
        return Finding::skip("the answer has no Date").with(json!({ "answered_in_ms": milliseconds }));
    };
    // A Date is cut to the second, and was written somewhere between the question and now.
    let skew = begin.saturating_sub(date + 1_000).max(date.saturating_sub(now));
    let values = json!({ "answered_in_ms": milliseconds, "skew_ms": skew });
    if skew > SKEW {
        let fix = "Cloudflare's clock is right: set that of the relay; tokens and signatures depend on it";
        return Finding::warn(format!("the clocks differ by {} s", skew / 1_000), fix).with(values);
    }
    Finding::ok(format!("the clocks agree; an answer took {milliseconds} ms")).with(values)
}

/// Whether every model answers, and in what time.
pub async fn model<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    let chain = &visit.app.config.model.chain;
    if chain.is_empty() {
        return Finding::fail("no model is asked", "see what addresses says about AI_BASE_URL");
    }
    let question = prompt::question("Reply with the single word OK.", &History::default(), "OK?");
    let question = &question;
    let tasks = chain.chunks(1).map(|name| -> Task<'_, Tried> {
        let asked = async move {
            let answer = ask::ask(visit.platform, visit.app, name, question, None).await;
            answer.map(drop).map_err(|error| error.to_string())
        };
        Box::pin(timed(visit, Box::pin(asked)))
    });
    let answers = all(tasks.collect()).await;
    let (mut words, mut values) = (Vec::new(), serde_json::Map::new());
    for (name, answer) in chain.iter().zip(&answers) {
        match answer {
            Ok(milliseconds) => words.push(format!("{name}: {milliseconds} ms")),
            Err(reason) => words.push([name, ": ", reason].concat()),
        }
        values.insert(name.clone(), json!(answer.as_ref().ok()));
    }
    let found = words.join("; ");
    let fix = "look at AI_MODEL, AI_BASE_URL and AI_API_KEY, and at the provider's status and quota";
    let finding = match (answers.first().is_some_and(Result::is_ok), answers.iter().any(Result::is_ok)) {
        (true, _) if answers.iter().all(Result::is_ok) => Finding::ok(found),
        (_, true) => Finding::warn(found, fix),
        (_, false) => Finding::fail(found, fix),
    };
    finding.with(Value::Object(values))
}
