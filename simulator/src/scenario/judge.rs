//! Comparing what came of a message with what was expected.

use regex_lite::Regex;
use serde_json::{Value, json};

use super::brief::Brief;
use super::expect::{Expect, LinkRule, MessageRule, Shown, TextRule};
use super::result::Miss;
use crate::control::send::SendReport;
use crate::mini_app::{Outcome, Report};
use crate::phone::{Bubble, Link};
use crate::push::deliver::{self, Delivery};

/// What came of a step.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// What came of the message, if one was sent.
    pub report: Option<SendReport>,
    /// What came of the picture or the place that followed a tap on the menu.
    pub followed: Option<SendReport>,
    /// What is shown.
    pub shown: Vec<Bubble>,
    /// What this person's step before showed.
    pub before: Vec<Bubble>,
    /// Whether the message came from somebody who is not WeChat.
    pub forged: bool,
    /// The page that opens.
    pub open: Option<String>,
    /// The AppID of the Mini Program that opens.
    pub mini_program: Option<String>,
    /// The platform's answer, if it was called.
    pub answer: Option<Value>,
    /// What came of something in the Mini Program.
    pub mini: Option<Report>,
}

impl Seen {
    /// What is shown, as text.
    pub fn text(&self) -> String {
        match (&self.answer, &self.mini) {
            (Some(answer), _) => answer.to_string(),
            (None, Some(report)) if report.reply.is_none() => report.answer.to_string(),
            _ => text_of(&self.shown),
        }
    }

    /// The links that are shown.
    pub fn links(&self) -> Vec<Link> {
        self.shown.iter().flat_map(Bubble::links).cloned().collect()
    }

    /// Everything, for JSON pointers.
    pub fn whole(&self) -> Value {
        let mut whole = match (&self.answer, &self.report, &self.mini) {
            (Some(answer), ..) => answer.clone(),
            (None, Some(report), _) => json!(report),
            (None, None, Some(report)) => json!(report),
            (None, None, None) => json!({}),
        };
        if let Some(members) = whole.as_object_mut().filter(|_| self.answer.is_none()) {
            members.insert("shown".to_owned(), json!(self.shown));
            members.insert("open".to_owned(), json!(self.open));
        }
        whole
    }

    /// What is not as expected, as far as it can be told at once.
    pub fn judge(&self, expect: &Expect) -> Vec<Miss> {
        let mut misses = Vec::new();
        if let Some(report) = &self.report {
            judge_deliveries(report, expect, &mut misses);
            self.judge_rules(report, expect, &mut misses);
        }
        judge_shown("expect", &self.shown, expect.kind, expect.text.as_ref(), &expect.links, &mut misses);
        if let Some(same) = expect.same.filter(|same| *same != (self.shown == self.before)) {
            let wanted = if same { "the same as before" } else { "something else than before" };
            let wanted = format!("{wanted}: {:?}", text_of(&self.before));
            misses.push(Miss::new("expect.same", wanted, format!("{:?}", text_of(&self.shown))));
        }
        for (place, rule, found) in [
            ("expect.open", &expect.open, &self.open),
            ("expect.mini_program", &expect.mini_program, &self.mini_program),
        ] {
            misses.extend(rule.iter().flat_map(|rule| match found {
                Some(found) => rule.0.judge(place, found),
                None => vec![Miss::new(place, rule.0.words(), "nothing opens")],
            }));
        }
        if let Some(answer) = &self.answer {
            judge_answer(answer, expect, &mut misses);
        }
        if let Some(report) = &self.mini {
            judge_mini(report, expect, &mut misses);
        }
        misses
    }

    /// Unless the scenario says otherwise, WeChat's rules hold.
    fn judge_rules(&self, report: &SendReport, expect: &Expect, misses: &mut Vec<Miss>) {
        let found = |name: &str| report.checks.iter().find(|check| check.rule == name);
        for name in &expect.fails.0 {
            let check = found(name);
            if check.is_none_or(|check| check.ok) {
                let came = check
                    .map_or("it does not apply".to_owned(), |check| format!("it holds: {}", check.detail));
                misses.push(Miss::new("expect.fails", format!("the rule {name} is broken"), came));
            }
        }
        for name in &expect.holds.0 {
            if found(name).is_none() {
                let came = "it does not apply".to_owned();
                misses.push(Miss::new("expect.holds", format!("the rule {name} holds"), came));
            }
        }
        if let Some(wanted) = expect.error_line.filter(|wanted| *wanted != report.error_line) {
            let words = |there| if there { "WeChat's error line" } else { "no error line" };
            misses.push(Miss::new("expect.error_line", words(wanted), words(report.error_line)));
        }
        let tolerant = self.forged || expect.error_line == Some(true) || expect.rejected == Some(true);
        let checks = self.followed.iter().chain([report]).flat_map(|report| &report.checks);
        for check in checks.filter(|check| !check.ok && !expect.fails.0.contains(&check.rule)) {
            if !tolerant || expect.holds.0.contains(&check.rule) {
                misses.push(Miss::new("rules", format!("the rule {} holds", check.rule), &check.detail));
            }
        }
    }
}

fn judge_deliveries(report: &SendReport, expect: &Expect, misses: &mut Vec<Miss>) {
    let came = || outcomes(&report.deliveries);
    let answered = report.deliveries.iter().find(|delivery| delivery.outcome.settles());
    if let Some(wanted) =
        expect.delivery.filter(|wanted| answered.map(|answered| answered.n) != Some(*wanted))
    {
        misses.push(Miss::new("expect.delivery", format!("an answer to delivery {wanted}"), came()));
    }
    let ended: Vec<_> = report.deliveries.iter().map(|delivery| delivery.outcome).collect();
    if let Some(wanted) = expect.deliveries.as_ref().filter(|wanted| **wanted != ended) {
        misses.push(Miss::new("expect.deliveries", json!(wanted).to_string(), came()));
    }
    let last = report.deliveries.last();
    let status = last.and_then(|delivery| delivery.status);
    if let Some(wanted) = expect.status.filter(|wanted| status != Some(*wanted)) {
        misses.push(Miss::new("expect.status", format!("status {wanted}"), came()));
    }
    let rejected = last.is_some_and(is_rejection);
    if let Some(wanted) = expect.rejected.filter(|wanted| *wanted != rejected) {
        let words =
            if wanted { "a 4xx status, or an empty body" } else { "neither a 4xx status nor an empty body" };
        misses.push(Miss::new("expect.rejected", words, came()));
    }
}

fn is_rejection(delivery: &Delivery) -> bool {
    let empty = delivery.body.as_ref().is_none_or(String::is_empty);
    delivery.status.is_some_and(|status| (400..500).contains(&status) || (status == 200 && empty))
}

fn outcomes(deliveries: &[Delivery]) -> String {
    let words = deliveries.iter().map(|delivery| {
        let outcome = json!(delivery.outcome);
        let outcome = outcome.as_str().unwrap_or_default();
        let status = delivery.status.filter(|_| delivery.outcome == deliver::Outcome::Status);
        let status = status.map_or(String::new(), |status| format!(" {status}"));
        format!("{}: {outcome}{status} after {} ms", delivery.n, delivery.elapsed_ms)
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Compares one message, or all that an answer shows.
fn judge_shown(
    place: &str,
    shown: &[Bubble],
    kind: Option<Shown>,
    text: Option<&Brief<TextRule>>,
    links: &[Brief<LinkRule>],
    misses: &mut Vec<Miss>,
) {
    let found = text_of(shown);
    if let Some(wanted) = kind.filter(|wanted| *wanted != Shown::of(shown)) {
        let came = format!("{}: {found:?}", word(Shown::of(shown)));
        misses.push(Miss::new(format!("{place}.type"), word(wanted), came));
    }
    misses.extend(text.iter().flat_map(|rule| rule.0.judge(&format!("{place}.text"), &found)));
    let there: Vec<&Link> = shown.iter().flat_map(Bubble::links).collect();
    for rule in links.iter().filter(|rule| !there.iter().any(|link| rule.0.fits(link))) {
        misses.push(Miss::new(format!("{place}.links"), json!(rule).to_string(), json!(there).to_string()));
    }
}

/// Compares a message that the account sent on its own.
pub fn judge_message(place: &str, rule: &MessageRule, shown: &Bubble) -> Vec<Miss> {
    let mut misses = Vec::new();
    let shown = std::slice::from_ref(shown);
    judge_shown(place, shown, rule.kind, rule.text.as_ref(), &rule.links, &mut misses);
    misses
}

fn judge_answer(answer: &Value, expect: &Expect, misses: &mut Vec<Miss>) {
    let errcode = answer.get("errcode").and_then(Value::as_i64).unwrap_or_default();
    let wanted = expect.errcode.unwrap_or_default();
    if errcode != wanted {
        misses.push(Miss::new("expect.errcode", format!("errcode {wanted}"), answer.to_string()));
    }
    if let Some(wanted) = expect.answer.as_ref().filter(|wanted| !has(answer, wanted)) {
        misses.push(Miss::new("expect.answer", wanted.to_string(), answer.to_string()));
    }
}

/// Compares what came of something in the Mini Program.
fn judge_mini(report: &Report, expect: &Expect, misses: &mut Vec<Miss>) {
    let came = || json!(report).to_string();
    let default = expect.status.is_none_or(|status| status < 300).then_some(Outcome::Done);
    if let Some(wanted) = expect.outcome.or(default).filter(|wanted| *wanted != report.outcome) {
        misses.push(Miss::new("expect.outcome", json!(wanted).to_string(), came()));
    }
    if let Some(wanted) = expect.status.filter(|wanted| report.status != Some(*wanted)) {
        misses.push(Miss::new("expect.status", format!("status {wanted}"), came()));
    }
    if let Some(wanted) = expect.streamed.filter(|wanted| *wanted != (report.pieces > 1)) {
        let wanted = if wanted { "several pieces" } else { "one piece" };
        misses.push(Miss::new("expect.streamed", wanted, format!("{} pieces", report.pieces)));
    }
    if let Some(wanted) = expect.answer.as_ref().filter(|wanted| !has(&report.answer, wanted)) {
        misses.push(Miss::new("expect.answer", wanted.to_string(), report.answer.to_string()));
    }
}

/// Whether `found` has everything that `wanted` has: members of objects, items of lists in their places.
fn has(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| found.get(name).is_some_and(|found| has(found, wanted)))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| has(found, wanted))
        }
        _ => found == wanted,
    }
}

/// What is on the screen, as text.
pub fn text_of(shown: &[Bubble]) -> String {
    shown.iter().map(Bubble::visible).collect::<Vec<_>>().join("\n")
}

fn word(shown: Shown) -> String {
    json!(shown).as_str().unwrap_or_default().to_owned()
}

impl Shown {
    /// What the first of them is.
    pub fn of(shown: &[Bubble]) -> Self {
        let Some(first) = shown.first() else { return Self::Nothing };
        let kind = json!(first).get("type").cloned().unwrap_or_default();
        serde_json::from_value(kind).unwrap_or(Self::Other)
    }
}

impl TextRule {
    /// What is wrong with this text.
    pub fn judge(&self, place: &str, text: &str) -> Vec<Miss> {
        let mut misses = Vec::new();
        let mut miss =
            |place: String, wanted: String| misses.push(Miss::new(place, wanted, format!("{text:?}")));
        if let Some(wanted) = self.equals.as_ref().filter(|wanted| *wanted != text) {
            miss(place.to_owned(), format!("{wanted:?}"));
        }
        for part in self.contains.0.iter().filter(|part| !text.contains(part.as_str())) {
            miss(format!("{place}.contains"), format!("{part:?} in it"));
        }
        for part in self.lacks.0.iter().filter(|part| text.contains(part.as_str())) {
            miss(format!("{place}.lacks"), format!("no {part:?} in it"));
        }
        let matches = |pattern: &String| Regex::new(pattern).is_ok_and(|regex| regex.is_match(text));
        if let Some(pattern) = self.matches.as_ref().filter(|pattern| !matches(pattern)) {
            miss(format!("{place}.matches"), format!("/{pattern}/ in it"));
        }
        misses
    }

    /// Whether this text is right.
    pub fn fits(&self, text: &str) -> bool {
        self.judge("", text).is_empty()
    }

    /// The rule in words.
    pub fn words(&self) -> String {
        json!(Brief(self.clone())).to_string()
    }
}

impl LinkRule {
    fn fits(&self, link: &Link) -> bool {
        self.label.as_ref().is_none_or(|label| *label == link.label)
            && self.href.as_ref().is_none_or(|href| href.0.fits(&link.href))
            && self.kind.is_none_or(|kind| kind == link.kind)
            && self.send.as_ref().is_none_or(|send| Some(send) == link.send.as_ref())
    }
}
