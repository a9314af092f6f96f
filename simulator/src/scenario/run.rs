//! Running a scenario, step by step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::expect::Expect;
use super::format::{Scenario, Step};
use super::judge::Seen;
use super::later::{PATIENCE_S, Place};
use super::parse::read_value;
use super::result::{Miss, Outcome, RunResult, StepResult};
use super::shared::Turn;
use super::vars::{self, Vars};
use crate::chat::Chat;
use crate::control::send::{SendReport, SendRequest};
use crate::ids;
use crate::phone::Bubble;
use crate::push::deliver;
use crate::push::envelope::Mode;
use crate::state::Sim;

/// Between two tries of a step.
const PAUSE: Duration = Duration::from_millis(500);

/// Between somebody's name in a scenario and the number of its run.
const OF_RUN: char = '~';

/// Whether somebody of this name belongs to a scenario.
pub fn is_of_a_run(name: &str) -> bool {
    name.contains(OF_RUN)
}

/// What is to be run, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// The scenario.
    pub scenario: Scenario,
    /// The callback URL; the server's own without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How messages are sealed that the scenario says nothing about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

/// A scenario on its way.
pub(super) struct Runner {
    pub(super) sim: Arc<Sim>,
    pub(super) request: RunRequest,
    /// What makes the names of this run's people unlike those of others.
    id: String,
    vars: Vars,
    people: BTreeMap<String, Actor>,
    calls_before: u64,
    model_before: u64,
}

/// Somebody of the scenario.
#[derive(Debug, Default)]
pub(super) struct Actor {
    /// Their name in this run.
    pub name: String,
    /// Their openid.
    pub openid: String,
    /// Their last message, with its MsgId and CreateTime.
    pub last: Option<SendRequest>,
    /// What their last step showed.
    pub shown: Vec<Bubble>,
    /// The newest message of their inbox that was expected.
    seen: u64,
    /// Their openid in the Mini Program; empty without one.
    pub mini_openid: String,
    /// The newest message of its customer service that was expected.
    window_seen: u64,
}

/// Why a step could not be taken.
pub(super) type Trouble = String;

/// Runs a scenario that was [checked](Scenario::check).
pub async fn run(sim: &Arc<Sim>, request: RunRequest) -> RunResult {
    let _turn = Turn::wait(sim, request.scenario.is_alone()).await;
    let begin = Instant::now();
    let name = request.scenario.name.clone();
    let steps = Runner::new(sim, request).run().await;
    let outcome = match steps.last() {
        Some(StepResult { trouble: Some(_), .. }) => Outcome::Error,
        Some(StepResult { misses, .. }) if !misses.is_empty() => Outcome::Failed,
        _ => Outcome::Passed,
    };
    RunResult { name, outcome, elapsed_ms: milliseconds(begin), steps }
}

impl Runner {
    fn new(sim: &Arc<Sim>, request: RunRequest) -> Self {
        let id: String = ids::nonce();
        let vars = Vars::from([("id".to_owned(), id.clone())]);
        let sim = Arc::clone(sim);
        Self { sim, request, id, vars, people: BTreeMap::new(), calls_before: 0, model_before: 0 }
    }

    async fn run(mut self) -> Vec<StepResult> {
        self.meet();
        let before = self.before();
        let mut results = Vec::new();
        let mut steps = std::mem::take(&mut self.request.scenario.steps).into_iter().enumerate();
        if let Some(before) = before {
            let result = self.take(0, &before).await;
            if result.is_wrong() {
                return vec![result];
            }
        }
        for (index, step) in steps.by_ref() {
            let result = self.take(index + 1, &step).await;
            let wrong = result.is_wrong();
            results.push(result);
            if wrong {
                break;
            }
        }
        results
    }

    /// The settings that the scenario starts with.
    fn before(&self) -> Option<Step> {
        let Scenario { account, seed, model, faults, network, .. } = self.request.scenario.clone();
        let name = Some("what is there before".to_owned());
        let step = Step { name, account, seed, model, faults, network, ..Step::default() };
        (!step.actions().is_empty()).then_some(step)
    }

    /// Everybody is new to the account, by a name that nobody else has.
    pub(super) fn meet(&mut self) {
        let names: Vec<String> = self.request.scenario.people().into_iter().map(str::to_owned).collect();
        for name in names {
            let actor = self.actor(&name);
            let (openid, own) = (actor.openid.clone(), actor.name.clone());
            self.vars.insert(format!("openid:{name}"), openid.clone());
            let mini = self.actor(&name).mini_openid.clone();
            self.vars.insert(format!("mini_openid:{name}"), mini.clone());
            if name == self.request.scenario.default_person() {
                self.vars.insert("mini_openid".to_owned(), mini);
                self.vars.insert("openid".to_owned(), openid.clone());
            }
            let mut state = self.sim.lock();
            state.people.meet(&openid, &own).nickname = name;
        }
        let state = self.sim.lock();
        (self.calls_before, self.model_before) = (state.calls.total(), state.model.calls().total());
    }

    /// Forgets what the state has forgotten.
    pub(super) fn start_anew(&mut self) {
        self.people.clear();
        self.meet();
    }

    /// The name of somebody in this run. Openids stay as they are.
    pub(super) fn own_name(&self, name: &str) -> String {
        if ids::is_openid(name) { name.to_owned() } else { format!("{name}{OF_RUN}{}", self.id) }
    }

    pub(super) fn actor(&mut self, name: &str) -> &mut Actor {
        let own = self.own_name(name);
        let openid = ids::openid(&self.sim.account.app_id, &own);
        let mini = self.sim.account.mini.as_ref();
        let mini_openid = mini.map(|mini| ids::mini_openid(&mini.app_id, &own)).unwrap_or_default();
        let newest = |openid: &str| self.sim.lock().chat_of(openid).map_or(0, Chat::newest);
        let (seen, window_seen) = (newest(&openid), newest(&mini_openid));
        let actor = Actor { name: own, openid, seen, mini_openid, window_seen, ..Actor::default() };
        self.people.entry(name.to_owned()).or_insert(actor)
    }

    /// Takes a step, again and again if it says so, until it is as expected.
    async fn take(&mut self, n: usize, step: &Step) -> StepResult {
        let begin = Instant::now();
        let limit = Duration::from_secs(step.retry_s.unwrap_or_default());
        let mut tries = 1;
        loop {
            let mut result = self.try_step(n, step).await;
            (result.tries, result.elapsed_ms) = (tries, milliseconds(begin));
            if !result.is_wrong() || result.trouble.is_some() || begin.elapsed() >= limit {
                return result;
            }
            tokio::time::sleep(PAUSE).await;
            tries += 1;
        }
    }

    async fn try_step(&mut self, n: usize, step: &Step) -> StepResult {
        let what = describe(step);
        let mut result = StepResult {
            n,
            what,
            tries: 1,
            elapsed_ms: 0,
            misses: Vec::new(),
            trouble: None,
            report: None,
            wire: Vec::new(),
        };
        match self.carry_out(step).await {
            Ok((seen, misses)) => {
                result.report.clone_from(&seen.report);
                if !misses.is_empty() {
                    result.wire = seen.report.iter().flat_map(wire).collect();
                }
                result.misses = misses;
            }
            Err(trouble) => result.trouble = Some(trouble),
        }
        result
    }

    /// 1. Puts in what was saved. 2. Lets it happen. 3. Compares what came at once, then what comes later.
    /// 4. Saves.
    async fn carry_out(&mut self, step: &Step) -> Result<(Seen, Vec<Miss>), Trouble> {
        let step = self.filled(step)?;
        let seen = self.act(&step).await?;
        let expect = step.expect.clone().unwrap_or_default();
        unreachable(&seen, &expect)?;
        let mut misses = seen.judge(&expect);
        if misses.is_empty() {
            misses = self.judge_later(&step, &expect).await;
        }
        if misses.is_empty() {
            for (name, capture) in &step.save {
                match vars::capture(&capture.0, &seen) {
                    Ok(value) => drop(self.vars.insert(name.clone(), value)),
                    Err(why) => misses.push(Miss::new(format!("save.{name}"), "something to save", why)),
                }
            }
        }
        Ok((seen, misses))
    }

    fn filled(&self, step: &Step) -> Result<Step, Trouble> {
        let value: Value = serde_json::to_value(step).map_err(|error| error.to_string())?;
        read_value(vars::fill(&value, &self.vars)).map_err(|error| error.0)
    }

    async fn judge_later(&mut self, step: &Step, expect: &Expect) -> Vec<Miss> {
        let (openid, seen) = {
            let actor = self.actor(&self.person(step));
            match step.is_in_window() {
                true => (actor.mini_openid.clone(), actor.window_seen),
                false => (actor.openid.clone(), actor.seen),
            }
        };
        let both = self.people.values().flat_map(|actor| [&actor.openid, &actor.mini_openid]);
        let openids: Vec<String> = both.filter(|openid| !openid.is_empty()).cloned().collect();
        let place = Place {
            openid: &openid,
            seen,
            openids: &openids,
            calls_before: self.calls_before,
            model_before: self.model_before,
        };
        let misses = place.judge(&self.sim, expect, step.within_s.unwrap_or(PATIENCE_S)).await;
        let expected = expect.inbox.as_ref().map_or(0, Vec::len);
        let came = place.inbox(&self.sim.lock());
        let newest = came.get(..expected).and_then(<[_]>::last).map(|pushed| pushed.n);
        if let Some(newest) = newest.filter(|_| misses.is_empty()) {
            let actor = self.actor(&self.person(step));
            *(if step.is_in_window() { &mut actor.window_seen } else { &mut actor.seen }) = newest;
        }
        misses
    }

    /// Who acts in a step.
    pub(super) fn person(&self, step: &Step) -> String {
        let sender = step.send.as_ref().and_then(|send| send.0.person.as_deref());
        sender.or(step.person.as_deref()).unwrap_or(self.request.scenario.default_person()).to_owned()
    }
}

impl StepResult {
    fn is_wrong(&self) -> bool {
        self.trouble.is_some() || !self.misses.is_empty()
    }
}

/// Nobody listens: that is no answer of the callback's, unless the step wants just that.
fn unreachable(seen: &Seen, expect: &Expect) -> Result<(), Trouble> {
    let Some(report) = seen.report.as_ref().filter(|_| expect.deliveries.is_none()) else { return Ok(()) };
    let refused = |delivery: &deliver::Delivery| delivery.outcome == deliver::Outcome::Refused;
    match report.deliveries.last().filter(|_| report.deliveries.iter().all(refused)) {
        Some(last) => Err(format!("no connection: {}", last.error.as_deref().unwrap_or_default())),
        None => Ok(()),
    }
}

/// What a step does, in a line.
fn describe(step: &Step) -> String {
    if let Some(name) = &step.name {
        return name.clone();
    }
    let mut value = serde_json::to_value(step).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        for name in ["expect", "save", "within_s", "retry_s", "name"] {
            members.remove(name);
        }
        if members.is_empty() {
            return "look".to_owned();
        }
    }
    let text = value.to_string();
    let short: String = text.chars().take(200).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// What the callback answered, as it came and as it was sealed in it.
fn wire(report: &SendReport) -> Vec<String> {
    let deliveries = report.deliveries.iter().map(|delivery| {
        let outcome = serde_json::to_value(delivery.outcome).unwrap_or_default();
        let said = delivery.plain.as_ref().or(delivery.body.as_ref()).or(delivery.error.as_ref());
        let (n, elapsed_ms) = (delivery.n, delivery.elapsed_ms);
        let said = said.map_or("", String::as_str);
        format!("delivery {n}: {} after {elapsed_ms} ms  {said}", outcome.as_str().unwrap_or_default())
    });
    deliveries.collect()
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
