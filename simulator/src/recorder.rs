//! Recording: what people do, and what they see, as the steps of a scenario.

use std::collections::BTreeMap;

use crate::control::send::{SendReport, SendRequest};
use crate::people::{People, Pushed};
use crate::phone::Bubble;
use crate::push::deliver::Delivery;
use crate::scenario::{
    self, Brief, Expect, FromText, MessageRule, Scenario, Shown, Step, TextRule, Texts, text_of,
};

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
    pub fn new(people: &People) -> Self {
        let seen = people.iter().map(|(openid, person)| (openid.to_owned(), person.newest())).collect();
        Self { steps: Vec::new(), seen }
    }

    /// Everything else was forgotten: people have new inboxes.
    pub fn after_reset(self, people: &People) -> Self {
        Self { steps: self.steps, ..Self::new(people) }
    }

    /// How many steps there are.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Adds what somebody did. What scenarios do is not recorded.
    pub fn note(&mut self, people: &People, request: &SendRequest, report: &SendReport) {
        if scenario::is_of_a_run(&report.person) || self.steps.len() >= MOST_STEPS {
            return;
        }
        let mut request =
            SendRequest { person: None, msg_id: None, created: None, target: None, ..request.clone() };
        let mut step = Step { person: named(&report.person), ..Step::default() };
        let only_event = SendRequest { event: request.event.clone(), ..SendRequest::default() };
        if request.event.is_some() && request == only_event {
            step.event = request.event.take().map(Brief);
        } else {
            step.send = Some(Brief(request));
        }
        step.expect = Some(expect(report));
        self.steps.push(step);
        self.note_inboxes(people);
    }

    /// Ends.
    pub fn finish(mut self, people: &People) -> Scenario {
        self.note_inboxes(people);
        Scenario { name: "recorded".to_owned(), steps: self.steps, ..Scenario::default() }
    }

    /// Adds the messages that the account sent on its own in the meantime.
    fn note_inboxes(&mut self, people: &People) {
        for (openid, person) in people.iter().filter(|(_, person)| !scenario::is_of_a_run(&person.name)) {
            let seen = self.seen.get(openid).copied().unwrap_or_default();
            let came = person.inbox(seen);
            if came.is_empty() {
                continue;
            }
            self.seen.insert(openid.to_owned(), person.newest());
            let inbox = Some(came.iter().map(message).collect());
            let expect = Some(Expect { inbox, ..Expect::default() });
            self.steps.push(Step { person: named(&person.name), expect, ..Step::default() });
        }
    }
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
