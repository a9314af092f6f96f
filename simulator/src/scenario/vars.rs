//! `${name}` in the texts of a step, and where the values come from.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;

use super::format::Capture;
use super::judge::Seen;

/// Values by their names.
pub type Vars = BTreeMap<String, String>;

/// The names that are used in a value, as `code` in `"Your code is ${code}"`.
pub fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => pieces(text).into_iter().filter_map(Piece::name).map(str::to_owned).collect(),
        Value::Array(items) => items.iter().flat_map(names).collect(),
        Value::Object(members) => members.values().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// The value with every name replaced. Inside a regular expression (`matches`), what is put in stands for itself.
pub fn fill(value: &Value, vars: &Vars) -> Value {
    fill_member("", value, vars)
}

fn fill_member(key: &str, value: &Value, vars: &Vars) -> Value {
    match value {
        Value::String(text) => Value::String(fill_text(text, vars, key == "matches")),
        Value::Array(items) => items.iter().map(|item| fill_member(key, item, vars)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), fill_member(name, member, vars))).collect()
        }
        other => other.clone(),
    }
}

fn fill_text(text: &str, vars: &Vars, escape: bool) -> String {
    let filled = pieces(text).into_iter().map(|piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Name(name) => {
            let value = vars.get(name).map_or("", String::as_str);
            if escape { regex_lite::escape(value) } else { value.to_owned() }
        }
    });
    filled.collect()
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

impl<'a> Piece<'a> {
    fn name(self) -> Option<&'a str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Text(_) => None,
        }
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("${") {
        let Some((name, after)) = tail.split_once('}') else { break };
        pieces.extend([Piece::Text(before), Piece::Name(name)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// What a step is to keep.
///
/// # Errors
/// There is no such thing in what came; says what there is.
pub fn capture(capture: &Capture, seen: &Seen) -> Result<String, String> {
    if let Some(pattern) = &capture.matches {
        let text = seen.text();
        let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
        let found = regex.captures(&text).ok_or_else(|| format!("nothing matches in {text:?}"))?;
        let part = found.get(1).or_else(|| found.get(0));
        return Ok(part.map(|part| part.as_str().to_owned()).unwrap_or_default());
    }
    if let Some(label) = &capture.link {
        let link = seen.links().into_iter().find(|link| link.label == *label);
        return link.map(|link| link.href).ok_or_else(|| format!("no such link in {:?}", seen.text()));
    }
    let whole = seen.whole();
    match whole.pointer(capture.at.as_deref().unwrap_or_default()) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Null) | None => Err(format!("nothing is there in {whole}")),
        Some(other) => Ok(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_found_and_filled_in_everywhere() {
        let step = json!({ "send": { "text": "${a} and ${b}" }, "expect": { "links": ["${a}", 1, null] } });
        assert_eq!(names(&step), ["a", "a", "b"]);
        let vars = Vars::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "${a}".to_owned())]);
        let filled = fill(&step, &vars);
        assert_eq!(
            filled,
            json!({ "send": { "text": "1 and ${a}" }, "expect": { "links": ["1", 1, null] } })
        );
    }

    #[test]
    fn a_value_inside_a_regular_expression_stands_for_itself() {
        let vars = Vars::from([("n".to_owned(), "1.5+".to_owned())]);
        let rule = json!({ "matches": "^${n}$", "contains": "${n}" });
        assert_eq!(fill(&rule, &vars), json!({ "matches": r"^1\.5\+$", "contains": "1.5+" }));
    }

    #[test]
    fn what_is_no_name_stays() {
        for text in ["$", "${", "100$ {x}", "${open"] {
            assert_eq!(fill(&json!(text), &Vars::new()), json!(text));
            assert!(names(&json!(text)).is_empty());
        }
    }
}
