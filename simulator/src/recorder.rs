//! Recording: what people do, and what they see, as the steps of a scenario.

use std::collections::BTreeMap;

use crate::chat::Chat;
use crate::chat::Pushed;
use crate::control::send::{SendReport, SendRequest};
use crate::mini_app::{Deed, Report};
use crate::phone::Bubble;
use crate::push::deliver::Delivery;
use crate::scenario::{
    self, Brief, Expect, FromText, MessageRule, Scenario, Shown, Step, TextRule, Texts, text_of,
};
use crate::state::State;

/// Who acts in a step that names nobody.
const DEFAULT_PERSON: &str = "xiaoming";

/// Steps that are kept, the first ones: nobody runs a longer scenario.
const MOST_STEPS: usize = 1000;

/// Everything that was done since the recording began.
#[derive(Debug)]
pub struct Recorder {
    steps: Vec<Step>,
    /// The newest message of each person's inbox that is recorded or was there before, by openid.
    seen: BTreeMap<String, u64>,
}

impl Recorder {
    /// Begins now.
    pub fn new(state: &State) -> Self {
        let seen = chats(state).into_iter().map(|found| (found.chat.openid.clone(), found.chat.newest()));
        Self { steps: Vec::new(), seen: seen.collect() }
    }

    /// Everything else was forgotten: people have new inboxes.
    pub fn after_reset(self, state: &State) -> Self {
        Self { steps: self.steps, ..Self::new(state) }
    }

    /// How many steps there are.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Adds what somebody did. What scenarios do is not recorded.
    pub fn note(&mut self, state: &State, request: &SendRequest, report: &SendReport) {
        if scenario::is_of_a_run(&report.person) || self.steps.len() >= MOST_STEPS {
            return;
        }
        let mut request =
            SendRequest { person: None, msg_id: None, created: None, target: None, ..request.clone() };
        let mut step = Step { person: named(&report.person), ..Step::default() };
        step.window = std::mem::take(&mut request.mini);
        let only_event = SendRequest { event: request.event.clone(), ..SendRequest::default() };
        if request.event.is_some() && request == only_event {
            step.event = request.event.take().map(Brief);
        } else {
            step.send = Some(Brief(request));
        }
        step.expect = Some(expect(report));
        self.steps.push(step);
        self.note_inboxes(state);
    }

    /// Adds what somebody did in the Mini Program.
    pub fn note_deed(&mut self, person: &str, deed: &Deed, report: &Report) {
        if scenario::is_of_a_run(person) || self.steps.len() >= MOST_STEPS {
            return;
        }
        let text = report.reply.as_ref().map(|reply| Brief(TextRule::from_text(reply.clone())));
        let outcome = Some(report.outcome).filter(|_| !report.is_good());
        let expect = Expect { status: report.status, text, outcome, ..Expect::default() };
        let (deed, expect) = (Some(deed.clone()), Some(expect));
        self.steps.push(Step { person: named(person), mini: deed, expect, ..Step::default() });
    }

    /// Ends.
    pub fn finish(mut self, state: &State) -> Scenario {
        self.note_inboxes(state);
        Scenario { name: "recorded".to_owned(), steps: self.steps, ..Scenario::default() }
    }

    /// Adds the messages that the account, or the Mini Program, sent on its own in the meantime.
    fn note_inboxes(&mut self, state: &State) {
        for Found { name, chat, window } in chats(state) {
            let seen = self.seen.get(&chat.openid).copied().unwrap_or_default();
            let came = chat.inbox(seen);
            if came.is_empty() || scenario::is_of_a_run(name) {
                continue;
            }
            self.seen.insert(chat.openid.clone(), chat.newest());
            let inbox = Some(came.iter().map(message).collect());
            let expect = Some(Expect { inbox, ..Expect::default() });
            self.steps.push(Step { person: named(name), window, expect, ..Step::default() });
        }
    }
}

/// Somebody's chat.
struct Found<'a> {
    name: &'a str,
    chat: &'a Chat,
    /// Whether it is the one with the Mini Program's customer service.
    window: bool,
}

fn chats(state: &State) -> Vec<Found<'_>> {
    let official = state.people.iter().map(|(_, person)| (person.name.as_str(), &person.chat, false));
    let windows = state
        .mini
        .users()
        .filter_map(|(_, user)| Some((state.people.get(&user.official)?.name.as_str(), &user.window, true)));
    official.chain(windows).map(|(name, chat, window)| Found { name, chat, window }).collect()
}

fn named(person: &str) -> Option<String> {
    Some(person.to_owned()).filter(|person| person != DEFAULT_PERSON)
}

/// The same again.
fn expect(report: &SendReport) -> Expect {
    let answered = report.deliveries.iter().find(|delivery| delivery.outcome.settles());
    let broken = report.checks.iter().filter(|check| !check.ok).map(|check| check.rule.clone());
    let MessageRule { kind, text, links } = shown(&report.shown);
    let mut expect = Expect {
        delivery: answered.map(|delivery| delivery.n),
        kind,
        text,
        links,
        fails: Texts(broken.collect()),
        ..Expect::default()
    };
    if answered.is_none() {
        let status = |delivery: &Delivery| delivery.status;
        expect.status = report.deliveries.last().and_then(status);
        expect.deliveries = Some(report.deliveries.iter().map(|delivery| delivery.outcome).collect());
    }
    expect
}

fn message(pushed: &Pushed) -> MessageRule {
    shown(std::slice::from_ref(&pushed.shown))
}

fn shown(shown: &[Bubble]) -> MessageRule {
    let text = Some(text_of(shown)).filter(|text| !text.is_empty());
    let links = shown.iter().flat_map(Bubble::links);
    MessageRule {
        kind: Some(Shown::of(shown)),
        text: text.map(|text| Brief(TextRule::from_text(text))),
        links: links.map(|link| Brief(FromText::from_text(link.label.clone()))).collect(),
    }
}
