//! What comes after the answer, or beside it: messages that the account sends on its own, calls of the platform and
//! of the model. All of it is waited for.

use std::time::Duration;

use serde_json::{Value, json};

use super::expect::{CallRule, Expect, ModelRule};
use super::judge::judge_message;
use super::result::Miss;
use crate::chat::Pushed;
use crate::platform::ApiCall;
use crate::state::{Sim, State};

/// How long it may take to come, unless the step says otherwise.
pub const PATIENCE_S: u64 = 10;

/// Characters of an openid that are the account's.
const ACCOUNT_PART: usize = 6;

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// In whose chat: an openid of the account, or of the Mini Program.
    pub openid: &'a str,
    /// The newest message that was seen before.
    pub seen: u64,
    /// Everybody of the scenario, in both apps.
    pub openids: &'a [String],
    /// The number of the last call of the platform before the scenario.
    pub calls_before: u64,
    /// The number of the last call of the model before it.
    pub model_before: u64,
}

impl Place<'_> {
    /// Waits until everything is as expected, or for so many seconds; what then is not as expected.
    pub async fn judge(&self, sim: &Sim, expect: &Expect, seconds: u64) -> Vec<Miss> {
        let limit = Duration::from_secs(seconds);
        if expect.inbox.as_ref().is_some_and(Vec::is_empty) {
            // Something that must not come is waited for, too.
            sim.wait_for(limit, |state| (!self.inbox(state).is_empty()).then_some(())).await;
        }
        let look = |state: &State| self.misses(state, sim.clock.now_ms(), expect);
        sim.wait_for(limit, |state| look(state).is_empty().then_some(())).await;
        let state = sim.lock();
        look(&state)
    }

    /// The messages that the account sent on its own since the last look.
    pub fn inbox(&self, state: &State) -> Vec<Pushed> {
        state.chat_of(self.openid).map(|chat| chat.inbox(self.seen)).unwrap_or_default()
    }

    fn misses(&self, state: &State, now_ms: u64, expect: &Expect) -> Vec<Miss> {
        let mut misses = self.inbox_misses(state, expect);
        let chat = state.chat_of(self.openid);
        let typing = chat.is_some_and(|chat| chat.ledger.is_typing(now_ms));
        if let Some(wanted) = expect.typing.filter(|wanted| *wanted != typing) {
            misses.push(Miss::new("expect.typing", wanted.to_string(), typing.to_string()));
        }
        let allowance = chat.map_or(0, |chat| chat.ledger.allowance(now_ms));
        if let Some(wanted) = expect.allowance.filter(|wanted| *wanted != allowance) {
            misses.push(Miss::new("expect.allowance", wanted.to_string(), allowance.to_string()));
        }
        let calls = expect.calls.iter().enumerate();
        misses.extend(calls.filter_map(|(index, rule)| self.call_miss(state, index, rule)));
        let questions = expect.model_calls.iter().enumerate();
        misses.extend(questions.filter_map(|(index, rule)| self.model_miss(state, index, rule)));
        misses
    }

    fn inbox_misses(&self, state: &State, expect: &Expect) -> Vec<Miss> {
        let Some(wanted) = &expect.inbox else { return Vec::new() };
        let came = self.inbox(state);
        // With no wish, one message is too many; else later ones are left for later steps.
        if came.len() < wanted.len() || (wanted.is_empty() && !came.is_empty()) {
            let shown: Vec<_> = came.iter().map(|pushed| pushed.shown.visible()).collect();
            let came = format!("{}: {shown:?}", came.len());
            return vec![Miss::new("expect.inbox", format!("{} messages", wanted.len()), came)];
        }
        let pairs = wanted.iter().zip(&came).enumerate();
        pairs
            .flat_map(|(index, (rule, came))| {
                judge_message(&format!("expect.inbox[{index}]"), rule, &came.shown)
            })
            .collect()
    }

    fn call_miss(&self, state: &State, index: usize, rule: &CallRule) -> Option<Miss> {
        let calls: Vec<_> = state.calls.iter().filter(|call| call.n > self.calls_before).collect();
        let there: Vec<_> =
            calls.into_iter().filter(|call| call.path == rule.path && self.concerns(call)).collect();
        let fits = |call: &&&ApiCall| {
            rule.errcode.is_none_or(|errcode| call.errcode == Some(errcode))
                && rule.body.as_ref().is_none_or(|body| body.0.fits(&call.body.to_string()))
        };
        let count = there.iter().filter(fits).count();
        let came = there.iter().map(|call| format!("{} → {}", call.body, json!(call.errcode)));
        let came = listed(count, &came.collect::<Vec<_>>());
        wrong(rule.count, count)
            .then(|| Miss::new(format!("expect.calls[{index}]"), wanted(rule.count, &json!(rule)), came))
    }

    /// Whether the call is about somebody of this scenario, or about nobody.
    fn concerns(&self, call: &ApiCall) -> bool {
        let text = json!([call.query, call.body]).to_string();
        let of_an_app = |openid: &String| openid.get(..ACCOUNT_PART).is_some_and(|app| text.contains(app));
        self.openids.iter().any(|openid| text.contains(openid.as_str()))
            || !self.openids.iter().any(of_an_app)
    }

    fn model_miss(&self, state: &State, index: usize, rule: &ModelRule) -> Option<Miss> {
        let calls = state.model.calls().iter().filter(|call| call.n > self.model_before);
        let questions: Vec<_> = calls.map(|call| call.question.clone()).collect();
        let fits = |question: &&String| rule.question.as_ref().is_none_or(|rule| rule.0.fits(question));
        let count = questions.iter().filter(fits).count();
        let came = listed(count, &questions);
        wrong(rule.count, count).then(|| {
            Miss::new(format!("expect.model_calls[{index}]"), wanted(rule.count, &json!(rule)), came)
        })
    }
}

fn wrong(wanted: Option<usize>, count: usize) -> bool {
    wanted.map_or(count == 0, |wanted| wanted != count)
}

fn wanted(count: Option<usize>, rule: &Value) -> String {
    match count {
        Some(_) => rule.to_string(),
        None => format!("at least one of {rule}"),
    }
}

fn listed(count: usize, all: &[String]) -> String {
    format!("{count}, among: {}", if all.is_empty() { "none".to_owned() } else { all.join("; ") })
}
