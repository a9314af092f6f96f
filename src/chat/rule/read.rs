//! A rule from its document, and all that is wrong with it.

use serde_json::Value;

use super::pattern::{LONGEST_PATTERN, Pattern, Text};
use super::reply::{self, To, text};
use super::{EVENTS, MESSAGES, Rule};

/// JSON pointers into a document, each with what is wrong there.
pub type Faults = Vec<(String, String)>;

/// Most bytes of a rule's name.
const LONGEST_NAME: usize = 120;
/// Most texts, and most events, of one rule.
const CONDITIONS: usize = 20;
/// Most bytes of an event's key. <https://developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu>
const LONGEST_KEY: usize = 128;

/// Notes a fault.
pub fn fault(faults: &mut Faults, pointer: &[&str], detail: impl AsRef<str>) {
    note(faults, pointer, detail.as_ref());
}

fn note(faults: &mut Faults, pointer: &[&str], detail: &str) {
    faults.push((pointer.concat(), detail.to_owned()));
}

/// `value` must be an object of these members only.
pub fn members(value: &Value, names: &[&str], pointer: &str, faults: &mut Faults) {
    let Some(object) = value.as_object() else {
        return fault(faults, &[pointer], "it must be an object");
    };
    for name in object.keys().filter(|name| !names.contains(&name.as_str())) {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        fault(faults, &[pointer, "/", &escaped], "there is no such member");
    }
}

/// A member that, if it is there, must be a text of at most `most` bytes.
pub fn optional<'a>(
    value: &'a Value,
    name: &str,
    most: usize,
    pointer: &str,
    faults: &mut Faults,
) -> Option<&'a str> {
    let member = value.get(name)?;
    let text = member.as_str().filter(|text| text.len() <= most);
    if text.is_none() {
        fault(faults, &[pointer, "/", name], format!("it must be a text of at most {most} bytes"));
    }
    text
}

/// A member that, if it is there, must be `true` or `false`.
fn switch(value: &Value, name: &str, default: bool, pointer: &str, faults: &mut Faults) -> bool {
    match value.get(name) {
        None => default,
        Some(Value::Bool(on)) => *on,
        Some(_) => {
            fault(faults, &[pointer, "/", name], "it must be true or false");
            default
        }
    }
}

/// A member that, if it is there, must be a list of at most `most`.
fn list<'a>(value: &'a Value, name: &str, most: usize, faults: &mut Faults) -> &'a [Value] {
    match value.get(name) {
        None => &[],
        Some(Value::Array(list)) if list.len() <= most => list,
        Some(_) => {
            fault(faults, &["/when/", name], format!("it must be a list of at most {most}"));
            &[]
        }
    }
}

/// Reads a rule. It is good for nothing if `faults` grew.
pub fn rule(id: &str, document: &Value, faults: &mut Faults) -> Rule {
    members(document, &["name", "enabled", "when", "reply"], "", faults);
    let name = optional(document, "name", LONGEST_NAME, "", faults).unwrap_or_default();
    let nothing = Value::Null;
    let when = document.get("when").unwrap_or(&nothing);
    members(when, &["texts", "types", "events", "hours"], "/when", faults);
    let rule = Rule {
        id: id.to_owned(),
        name: name.to_owned(),
        enabled: switch(document, "enabled", true, "", faults),
        texts: each(when, "texts", CONDITIONS, faults, pattern),
        types: each(when, "types", MESSAGES.len(), faults, |value, pointer, faults| {
            known(value.as_str(), MESSAGES, pointer, faults)
        }),
        events: each(when, "events", CONDITIONS, faults, event),
        hours: when.get("hours").and_then(|span| hours(span, faults)),
        reply: document.get("reply").cloned().unwrap_or_default(),
    };
    let messages = ["texts", "types"].iter().any(|name| when.get(*name).is_some_and(is_filled));
    if when.is_object() && !messages && !when.get("events").is_some_and(is_filled) {
        fault(faults, &["/when"], "it needs texts, types or events");
    }
    reply::check(&rule.reply, "/reply", if messages { To::Messages } else { To::Events }, faults);
    rule
}

fn is_filled(list: &Value) -> bool {
    list.as_array().is_some_and(|list| !list.is_empty())
}

/// Reads every entry of a list.
fn each<T>(
    when: &Value,
    name: &str,
    most: usize,
    faults: &mut Faults,
    read: fn(&Value, &str, &mut Faults) -> Option<T>,
) -> Vec<T> {
    let entries = list(when, name, most, faults).iter().enumerate();
    entries.filter_map(|(index, entry)| read(entry, &format!("/when/{name}/{index}"), faults)).collect()
}

fn known(
    name: Option<&str>,
    all: &[&'static str],
    pointer: &str,
    faults: &mut Faults,
) -> Option<&'static str> {
    let found = all.iter().find(|known| Some(**known) == name).copied();
    if found.is_none() {
        fault(faults, &[pointer], format!("it must be one of: {}", all.join(", ")));
    }
    found
}

fn pattern(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Pattern> {
    members(value, &["match", "text", "case_sensitive"], pointer, faults);
    let as_is = switch(value, "case_sensitive", false, pointer, faults);
    let how =
        known(text(value, "match"), &["exact", "contains", "regex"], &[pointer, "/match"].concat(), faults);
    let wanted = optional(value, "text", LONGEST_PATTERN, pointer, faults).unwrap_or_default();
    if wanted.trim().is_empty() {
        fault(faults, &[pointer, "/text"], "it is missing, or blank");
        return None;
    }
    match how? {
        "exact" => Some(Pattern::Exact(Text::new(wanted, as_is))),
        "contains" => Some(Pattern::Contains(Text::new(wanted, as_is))),
        _ => Pattern::regex(wanted, as_is)
            .map_err(|error| {
                fault(faults, &[pointer, "/text"], ["as a regular expression: ", error].concat())
            })
            .ok(),
    }
}

fn event(value: &Value, pointer: &str, faults: &mut Faults) -> Option<(&'static str, Option<String>)> {
    members(value, &["event", "key"], pointer, faults);
    let key = optional(value, "key", LONGEST_KEY, pointer, faults).map(str::to_owned);
    Some((known(text(value, "event"), EVENTS, &[pointer, "/event"].concat(), faults)?, key))
}

fn hours(span: &Value, faults: &mut Faults) -> Option<(u16, u16)> {
    members(span, &["from", "to"], "/when/hours", faults);
    let mut end = |name| {
        let minute = text(span, name).and_then(minute);
        if minute.is_none() {
            fault(faults, &["/when/hours/", name], "it must be a time such as 09:30");
        }
        minute
    };
    let (from, to) = (end("from"), end("to"));
    let (from, to) = (from?, to?);
    if from == to {
        fault(faults, &["/when/hours/to"], "it must not be the time at which the span begins");
    }
    Some((from, to))
}

/// The minute of the day that `09:30` says; `24:00` is its end.
fn minute(time: &str) -> Option<u16> {
    let (hour, minute) = time.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute): (u16, u16) = if digits(hour) && digits(minute) {
        (hour.parse().ok()?, minute.parse().ok()?)
    } else {
        return None;
    };
    (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
}
