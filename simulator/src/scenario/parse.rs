//! Reading a scenario: whatever is wrong is said, with the place where it is.

use std::collections::BTreeSet;
use std::fmt;

use regex_lite::Regex;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::brief::Brief;
use super::expect::{Expect, LinkRule, MessageRule, TextRule};
use super::format::{Capture, Scenario, Step};
use super::vars;

/// The longest waiting and repeating of a step, in seconds.
const LONGEST_WAIT_S: u64 = 600;

/// What is wrong with a file, and where: `steps[2].expect.text: unknown field …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError(pub String);

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ParseError {}

/// Reads JSON into a type; an error names the place.
///
/// # Errors
/// The text is no JSON, or not of this type.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, ParseError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| at(&error));
    let read = read?;
    deserializer.end().map_err(|error| ParseError(error.to_string()))?;
    Ok(read)
}

/// Reads a JSON value into a type; an error names the place.
///
/// # Errors
/// The value is not of this type.
pub fn read_value<T: DeserializeOwned>(value: Value) -> Result<T, ParseError> {
    serde_path_to_error::deserialize(value).map_err(|error| at(&error))
}

fn at(error: &serde_path_to_error::Error<serde_json::Error>) -> ParseError {
    match error.path().to_string().as_str() {
        // No place, or none in what is no JSON.
        "." | "?" => ParseError(error.inner().to_string()),
        path => ParseError(format!("{path}: {}", error.inner())),
    }
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let scenario: Self = read(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Whether it makes sense, as far as that can be told without running it.
    ///
    /// # Errors
    /// What does not, and where.
    pub fn check(&self) -> Result<(), ParseError> {
        if self.steps.is_empty() {
            return Err(ParseError("steps: there is none".to_owned()));
        }
        let mut known: BTreeSet<String> = BTreeSet::from(["id".to_owned()]);
        for (index, step) in self.steps.iter().enumerate() {
            let check = check_step(step).and_then(|()| check_names(step, &known));
            check.map_err(|error| ParseError(format!("steps[{index}]{error}")))?;
            known.extend(step.save.keys().cloned());
        }
        Ok(())
    }
}

fn check_step(step: &Step) -> Result<(), ParseError> {
    let actions = step.actions();
    if actions.len() > 1 {
        return wrong("", &format!("one thing happens in a step, not {}", actions.join(" and ")));
    }
    if actions.is_empty() && step.expect.is_none() {
        return wrong("", "nothing happens, and nothing is expected");
    }
    for (name, seconds) in [("within_s", step.within_s), ("retry_s", step.retry_s)] {
        if seconds.is_some_and(|seconds| seconds > LONGEST_WAIT_S) {
            return wrong(name, &format!("at most {LONGEST_WAIT_S} seconds"));
        }
    }
    let expect = step.expect.clone().unwrap_or_default();
    let says = ["send", "event", "again", "tap", "click", "scan"];
    let message = actions.iter().any(|action| says.contains(action));
    let of_answers = ["status", "type", "text", "same"];
    let names = expect.about_message();
    let lost = |name: &&&str| !message && (step.mini.is_none() || !of_answers.contains(name));
    if let Some(name) = names.iter().find(lost) {
        return wrong(&format!("expect.{name}"), "no message is sent in this step");
    }
    check_answer(step, &expect)?;
    check_expect(&expect)?;
    step.save.iter().try_for_each(|(name, capture)| check_capture(name, &capture.0))
}

fn check_answer(step: &Step, expect: &Expect) -> Result<(), ParseError> {
    let called = step.api.is_some() || (step.mini.is_some() && expect.errcode.is_none());
    if (expect.errcode.is_some() || expect.answer.is_some()) && !called {
        return wrong("expect", "errcode and answer belong to a step with api, answer also to one with mini");
    }
    if (expect.outcome.is_some() || expect.streamed.is_some()) && step.mini.is_none() {
        return wrong("expect", "outcome and streamed belong to a step with mini");
    }
    let window = ["send", "event", "again"];
    if step.window && step.actions().iter().any(|action| !window.contains(action)) {
        return wrong("window", "in that chat, people send, again, and an event happens");
    }
    Ok(())
}

impl Expect {
    /// The names of expectations that only a message can meet.
    fn about_message(&self) -> Vec<&'static str> {
        let all = [
            ("delivery", self.delivery.is_some()),
            ("deliveries", self.deliveries.is_some()),
            ("status", self.status.is_some()),
            ("rejected", self.rejected.is_some()),
            ("type", self.kind.is_some()),
            ("text", self.text.is_some()),
            ("links", !self.links.is_empty()),
            ("same", self.same.is_some()),
            ("error_line", self.error_line.is_some()),
            ("fails", !self.fails.is_empty()),
            ("holds", !self.holds.is_empty()),
            ("open", self.open.is_some()),
            ("mini_program", self.mini_program.is_some()),
        ];
        all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }
}

fn check_expect(expect: &Expect) -> Result<(), ParseError> {
    let rule = |name: &str, rule: &Option<Brief<TextRule>>| check_text(name, rule.as_ref());
    rule("expect.text", &expect.text)?;
    rule("expect.open", &expect.open)?;
    rule("expect.mini_program", &expect.mini_program)?;
    check_links("expect.links", &expect.links)?;
    for (index, MessageRule { text, links, .. }) in expect.inbox.iter().flatten().enumerate() {
        rule(&format!("expect.inbox[{index}].text"), text)?;
        check_links(&format!("expect.inbox[{index}].links"), links)?;
    }
    for (index, call) in expect.calls.iter().enumerate() {
        rule(&format!("expect.calls[{index}].body"), &call.body)?;
    }
    for (index, call) in expect.model_calls.iter().enumerate() {
        rule(&format!("expect.model_calls[{index}].question"), &call.question)?;
    }
    Ok(())
}

fn check_links(name: &str, links: &[Brief<LinkRule>]) -> Result<(), ParseError> {
    let mut links = links.iter().enumerate();
    links.try_for_each(|(index, link)| check_text(&format!("{name}[{index}].href"), link.0.href.as_ref()))
}

fn check_text(name: &str, rule: Option<&Brief<TextRule>>) -> Result<(), ParseError> {
    let Some(Brief(rule)) = rule else { return Ok(()) };
    if *rule == TextRule::default() {
        return wrong(name, "says nothing: equals, contains, lacks or matches");
    }
    check_regex(&format!("{name}.matches"), rule.matches.as_deref())
}

fn check_capture(name: &str, capture: &Capture) -> Result<(), ParseError> {
    let name = format!("save.{name}");
    let count = [&capture.matches, &capture.link, &capture.at].into_iter().flatten().count();
    if count != 1 {
        return wrong(&name, "exactly one of matches, link and at is to be set");
    }
    check_regex(&name, capture.matches.as_deref())
}

/// Names are put in as they are, so they cannot make a good expression a bad one.
fn check_regex(name: &str, pattern: Option<&str>) -> Result<(), ParseError> {
    let Some(pattern) = pattern else { return Ok(()) };
    let vars = vars::Vars::new();
    let filled = vars::fill(&Value::String(pattern.to_owned()), &vars);
    let checked = Regex::new(filled.as_str().unwrap_or_default());
    checked.map(drop).or_else(|error| wrong(name, &format!("not a regular expression: {error}")))
}

/// `${id}`, `${openid}`, `${openid:NAME}`, the same as `${mini_openid…}`, and what an earlier step saved.
fn check_names(step: &Step, known: &BTreeSet<String>) -> Result<(), ParseError> {
    let value = serde_json::to_value(step).map_err(|error| ParseError(error.to_string()))?;
    let unknown = vars::names(&value).into_iter().find(|name| !known.contains(name) && !is_openid(name));
    unknown.map_or(Ok(()), |name| wrong("", &format!("${{{name}}} is not saved by an earlier step")))
}

fn is_openid(name: &str) -> bool {
    let name = name.strip_prefix("mini_").unwrap_or(name);
    name == "openid" || name.starts_with("openid:")
}

fn wrong(place: &str, what: &str) -> Result<(), ParseError> {
    let dot = if place.is_empty() { "" } else { "." };
    Err(ParseError(format!("{dot}{place}: {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Scenario::parse(text).unwrap_err().to_string()
    }

    fn steps(steps: &str) -> String {
        format!(r#"{{"name":"n","steps":[{steps}]}}"#)
    }

    #[test]
    fn a_scenario_as_a_person_writes_it() {
        let text = steps(
            r#"{"send":"你好","expect":{"delivery":1,"text":{"contains":"你好"},"links":["继续"]}},
               {"as":"bob","event":{"type":"click","key":"K"},"save":{"code":"\\d{6}"}},
               {"send":{"text":"${code}","tamper":"stale"},"expect":{"rejected":true}},
               {"mini":"login"},
               {"mini":{"say":"hi"},"expect":{"text":"hi","status":200,"streamed":true,"answer":{"tokens_used":1}}},
               {"window":true,"event":"user_enter_tempsession","expect":{"inbox":[],"allowance":2}}"#,
        );
        let scenario = Scenario::parse(&text).unwrap();
        assert_eq!(scenario.people(), ["bob", "xiaoming"]);
        assert!(!scenario.is_alone());
        let again = Scenario::parse(&serde_json::to_string(&scenario).unwrap()).unwrap();
        assert_eq!(again, scenario, "what is written is read");
        assert!(Scenario::parse(&steps(r#"{"advance_s":1}"#)).unwrap().is_alone());
    }

    #[test]
    fn a_typing_error_is_named_with_its_place() {
        for (step, place, what) in [
            (r#"{"sned":"a"}"#, "steps[0].sned: ", "unknown field `sned`"),
            (r#"{"send":"a"},{"send":{"txet":"a"}}"#, "steps[1].send.txet: ", "unknown field `txet`"),
            (
                r#"{"send":"a","expect":{"text":{"contians":"a"}}}"#,
                "steps[0].expect.text.contians: ",
                "unknown",
            ),
            (r#"{"send":"a","expect":{"delivery":"two"}}"#, "steps[0].expect.delivery: ", "expected u32"),
            (r#"{"send":"a","expect":{"type":"picture"}}"#, "steps[0].expect.type: ", "unknown variant"),
            (r#"{"send":5}"#, "steps[0].send: ", "a text or an object"),
        ] {
            let error = error(&steps(step));
            assert!(error.starts_with(place) && error.contains(what), "{error}");
            assert!(error.contains("line 1 column"), "{error}");
        }
        assert!(error(r#"{"name":"n"}"#).contains("missing field `steps`"));
        assert!(error("{").contains("EOF"));
        assert!(error(r#"{"name":"n","steps":[{"send":"a"}]} x"#).contains("trailing"));
    }

    #[test]
    fn what_makes_no_sense_is_said_before_it_runs() {
        for (step, said) in [
            ("", "steps: there is none"),
            (r#"{"send":"a","tap":"b"}"#, "steps[0]: one thing happens in a step, not send and tap"),
            (r#"{"as":"a"}"#, "steps[0]: nothing happens"),
            (r#"{"reset":true,"expect":{"text":"a"}}"#, "steps[0].expect.text: no message is sent"),
            (r#"{"send":"a","expect":{"errcode":0}}"#, "belong to a step with api"),
            (r#"{"mini":"login","expect":{"errcode":0}}"#, "belong to a step with api"),
            (r#"{"mini":"login","expect":{"links":["a"]}}"#, "expect.links: no message"),
            (r#"{"send":"a","expect":{"streamed":true}}"#, "belong to a step with mini"),
            (r#"{"window":true,"tap":"a"}"#, "steps[0].window: in that chat"),
            (r#"{"send":"a","expect":{"text":{}}}"#, "steps[0].expect.text: says nothing"),
            (r#"{"send":"a","expect":{"text":{"matches":"("}}}"#, "expect.text.matches: not a regular"),
            (r#"{"send":"a","save":{"x":"["}}"#, "save.x: not a regular"),
            (r#"{"send":"a","save":{"x":{}}}"#, "save.x: exactly one of"),
            (r#"{"send":"${x}"}"#, "steps[0]: ${x} is not saved"),
            (r#"{"send":"a","retry_s":601}"#, "steps[0].retry_s: at most 600"),
        ] {
            assert!(error(&steps(step)).contains(said), "{}", error(&steps(step)));
        }
    }

    #[test]
    fn names_that_are_always_known() {
        let text = steps(r#"{"send":"${id} ${openid} ${openid:bob}"}"#);
        assert!(Scenario::parse(&text).is_ok());
    }
}
