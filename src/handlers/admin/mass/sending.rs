//! The second of two steps: sending, once.

use serde_json::Value;

use super::super::problem::Problem;
use super::super::{Outcome, Visit, ask, json};
use super::{RAIL, Stored, audience, load, rail, result, store, wrong_stage};
use crate::gateway::mass::{Asked, Job, No};
use crate::gateway::rail::Rail;
use crate::gateway::record::Kind;
use crate::gateway::send::{SendError, send_expecting};
use crate::gateway::token::TokenFailure;
use crate::handlers::{metrics, records};
use crate::platform::Platform;
use crate::wechat::api::mass::{self, To};
use crate::wechat::api::{ApiError, Reaction, reaction};

/// How often a change is made anew because somebody else changed the same document.
const ATTEMPTS: usize = 8;

/// Sends a confirmed job, or the rest of one.
///
/// 1. it was confirmed in this version, nobody sends it now, and WeChat would know a repetition
/// 2. the rail lets it through
/// 3. for each part: store that it is being asked, ask, store what came of it; stop at the first that is not taken
/// 4. a job that WeChat did not take at all does not count for the rail; of one that it took, the openids go
pub async fn send<P: Platform>(visit: &Visit<'_, P>, mut stored: Stored, asked: &Value) -> Outcome {
    let code = asked.get("confirmation").and_then(Value::as_str).unwrap_or_default();
    stored.job.may_send(code, visit.platform.now()).map_err(|no| refusal(&stored, no))?;
    pass_rail(visit, &stored.id).await?;
    let mut problem = None;
    while let Some(number) = stored.job.next().filter(|_| problem.is_none()) {
        let to = addressees(visit, &stored.job, number).await?;
        stored.job.ask(number, visit.platform.now());
        store(visit.platform, visit.app, &mut stored).await?;
        let asked;
        (asked, problem) = ask_for(visit, &stored.job, number, to).await;
        settle(visit, &mut stored, number, &asked).await?;
    }
    if stored.job.may_change() {
        give_back(visit, &stored.id).await?;
    }
    if stored.job.next().is_none() {
        // Who it was for need not be known any longer.
        audience::drop_lists(visit, &stored.job.lists).await;
    }
    let stored = result::absorb(visit.platform, visit.app, stored).await?;
    let outcome = if problem.is_some() { "refused" } else { "submitted" };
    metrics::count(visit.platform, visit.app, "wxapi_mass_sends_total", &[("outcome", outcome)]);
    match problem {
        // What was taken was taken: the parts tell which were not.
        Some(problem) if stored.job.msg_ids.is_empty() || problem.status == 502 => {
            Err(problem.with("job", stored.view()))
        }
        _ => Ok(json(200, &stored.view())),
    }
}

fn refusal(stored: &Stored, no: No) -> Problem {
    let words = match no {
        No::NotConfirmed => "it was not confirmed since it was changed",
        No::WrongConfirmation => {
            "the confirmation is of another version, or older than ten minutes: confirm again"
        }
        No::Busy => "it is just being sent",
        No::Sent => "all of it was sent",
        No::TooLate => {
            "it was first sent more than 24 hours ago, and WeChat no longer knows it: sending again could send it twice"
        }
    };
    wrong_stage(stored, words)
}

async fn addressees<P: Platform>(visit: &Visit<'_, P>, job: &Job, number: usize) -> Result<To, Problem> {
    if let Some(list) = job.parts.get(number).and_then(|part| part.list.as_ref()) {
        return Ok(To::People(audience::openids(visit, list).await?));
    }
    Ok(match job.audience.get("tag_id").and_then(Value::as_u64) {
        Some(tag) => To::Tag(tag),
        None => To::All,
    })
}

async fn ask_for<P: Platform>(
    visit: &Visit<'_, P>,
    job: &Job,
    number: usize,
    to: To,
) -> (Asked, Option<Problem>) {
    let name = job.parts.get(number).map(|part| part.clientmsgid.as_str()).unwrap_or_default();
    let request = mass::submit(&job.message, to, name);
    let config = &visit.app.config;
    let outcome =
        send_expecting(visit.platform, &config.wechat_api, &config.app_id, &request, mass::KNOWN).await;
    metrics::count_call(visit.platform, visit.app, &outcome);
    match outcome {
        Ok(answer) => {
            let answer = crate::json::value(&answer.body).unwrap_or_default();
            match mass::msg_id(&answer) {
                Some(msg_id) => (Asked::Submitted(msg_id), None),
                None => (Asked::Unknown(None), Some(unknown("the answer has no msg_id"))),
            }
        }
        Err(SendError::Refused(error)) => refused(error),
        Err(SendError::Unknown(reason)) => (Asked::Unknown(None), Some(unknown(&reason))),
        Err(SendError::Token(TokenFailure::Unreachable(reason))) => {
            let words = format!("WeChat was not asked, because there is no access token: {reason}");
            (Asked::Never, Some(Problem::new(503, "unavailable", words)))
        }
        Err(error) => (Asked::Never, Some(error.into())),
    }
}

/// A server that failed may have taken it before; `clientmsgid` known too soon says that it did.
fn refused(error: ApiError) -> (Asked, Option<Problem>) {
    let taken_perhaps = reaction(error.errcode) == Reaction::BackOff || error.errcode == mass::TOO_SOON;
    if taken_perhaps {
        let problem = unknown(&error.to_string()).with("errcode", error.errcode);
        (Asked::Unknown(Some(error)), Some(problem))
    } else {
        (Asked::Refused(error.clone()), Some(error.into()))
    }
}

fn unknown(reason: &str) -> Problem {
    let words = "it is not known whether WeChat took it; sending again with the same confirmation is safe for 24 hours: ";
    Problem::new(502, "unknown-outcome", format!("{words}{reason}"))
}

/// Stores what came of a part, whoever changed the job meanwhile: a result may have arrived for another part.
async fn settle<P: Platform>(
    visit: &Visit<'_, P>,
    stored: &mut Stored,
    number: usize,
    asked: &Asked,
) -> Result<(), Problem> {
    for _ in 1..ATTEMPTS {
        stored.job.answered(number, asked);
        match store(visit.platform, visit.app, stored).await {
            Err(problem) if problem.kind == "conflict" => {
                *stored = load(visit.platform, visit.app, &stored.id).await?;
            }
            outcome => return outcome,
        }
    }
    stored.job.answered(number, asked);
    store(visit.platform, visit.app, stored).await
}

async fn pass_rail<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Result<(), Problem> {
    let limits = visit.app.config.mass;
    for _ in 0..ATTEMPTS {
        let (mut rail, version) = rail(visit).await?;
        let now = visit.platform.now();
        if let Err(opens) = rail.take(id, now, limits.per_hour, limits.per_day) {
            let words = "this account sends to many no more often than MASS_PER_HOUR and MASS_PER_DAY say";
            return Err(Problem::new(429, "guarded", words).with("opens", opens));
        }
        if put_rail(visit, &rail, version).await? {
            return Ok(());
        }
    }
    Err(Problem::conflict("too many send at the same time"))
}

async fn give_back<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Result<(), Problem> {
    for _ in 0..ATTEMPTS {
        let (mut rail, version) = rail(visit).await?;
        rail.give_back(id);
        if put_rail(visit, &rail, version).await? {
            break;
        }
    }
    Ok(())
}

async fn put_rail<P: Platform>(visit: &Visit<'_, P>, rail: &Rail, version: u64) -> Result<bool, Problem> {
    let document = crate::json::of(rail);
    let put = records::put(visit.platform, visit.app, Kind::MassRail, RAIL, Some(version), document);
    Ok(put.await?.is_some())
}

/// Takes the pages of articles or a video away.
pub async fn stop<P: Platform>(
    visit: &Visit<'_, P>,
    mut stored: Stored,
    asked: &Value,
) -> Result<Stored, Problem> {
    let article = asked.get("article_idx").and_then(Value::as_u64).unwrap_or_default();
    for msg_id in stored.job.msg_ids.clone() {
        ask(visit, &mass::delete(msg_id, article)).await?;
    }
    for _ in 0..ATTEMPTS {
        stored.job.stopped(article);
        match store(visit.platform, visit.app, &mut stored).await {
            Err(problem) if problem.kind == "conflict" => {
                stored = load(visit.platform, visit.app, &stored.id).await?;
            }
            outcome => return outcome.map(|()| stored),
        }
    }
    Err(Problem::conflict("somebody else keeps changing it"))
}
