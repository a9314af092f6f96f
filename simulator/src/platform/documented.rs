//! The manual names every API and every code that there is, and no others.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::api::Api;
use super::errcode::Errcode;
use super::{FAMILIES, find};

const MANUAL: &str = include_str!("../../../docs/wx-sim-api.md");

/// What the manual says of the platform and of the web login.
fn chapter() -> &'static str {
    let begin = MANUAL.find("## The stand-in for `api.weixin.qq.com`").unwrap();
    let end = MANUAL.find("### The browser in the phone").unwrap();
    &MANUAL[begin..end]
}

/// The number that a text begins with, if it could be a code. Smaller ones are labels, and numbers of error pages.
fn code(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let is_part =
        text[digits..].strip_prefix(',').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    text[..digits].parse().ok().filter(|code| !is_part && (5..=7).contains(&digits) && *code >= 40_000)
}

/// The codes of a text; `65401 to 65407` is all of them.
fn codes(text: &str) -> BTreeSet<i64> {
    let mut found = BTreeSet::new();
    let mut last = None;
    for word in text.split([' ', '(', '`', '/', '\n']) {
        let code = code(word);
        match (last, code) {
            (Some((from, true)), Some(to)) => found.extend(from..=to),
            _ => found.extend(code),
        }
        last = match last {
            Some((from, false)) if word == "to" => Some((from, true)),
            _ => code.map(|code| (code, false)),
        };
    }
    found
}

/// The APIs in the first cell of a row, as method and path. The first one has both; what others lack, they have from
/// it: the folder, and the method of the one before.
fn apis(row: &str) -> Vec<(&str, String)> {
    let cell = row.split('|').nth(1).unwrap_or_default();
    let mut method = "";
    let mut folder = "";
    let mut found = Vec::new();
    for span in cell.split('`').skip(1).step_by(2) {
        let (own, path) = span.split_once(' ').unwrap_or((method, span));
        let path = path.split('?').next().unwrap_or_default();
        if folder.is_empty() {
            folder = path.rsplit_once('/').map_or("", |parts| parts.0);
        }
        method = own;
        found
            .push((method, if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") }));
    }
    found.retain(|api| matches!(api.0, "GET" | "POST"));
    found
}

#[test]
fn every_api_is_in_the_manual() {
    let named: Vec<_> = chapter().lines().filter(|line| line.starts_with('|')).flat_map(apis).collect();
    for (method, path) in &named {
        assert!(find(path).is_some_and(|api| api.answers(method)), "there is no {method} {path}");
    }
    let all: Vec<&Api> = FAMILIES.into_iter().flatten().collect();
    for api in all {
        let times = named.iter().filter(|(_, path)| path == api.path).count();
        assert_eq!(times, 1, "{} is in the manual {times} times", api.path);
    }
}

#[test]
fn every_code_of_the_manual_has_words() {
    for code in codes(chapter()) {
        assert_ne!(Errcode(code).words(), Errcode(0).words(), "{code}");
    }
}

#[test]
fn every_code_is_in_the_manual() {
    let documented = codes(chapter());
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut left = vec![source.join("platform"), source.join("web")];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let defined = text.split(": Errcode = Errcode(").filter_map(|rest| code(&rest.replace('_', "")));
        for code in defined {
            assert!(documented.contains(&code), "{code} of {}", path.display());
        }
    }
}

#[test]
fn what_is_read_of_the_manual() {
    let found = codes("100 tags (45056), 100,000 codes; 65401 to 65403, err(20006); 40001, 9410010.");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [40_001, 45_056, 65_401, 65_402, 65_403, 9_410_010]);
    let row = "| `POST /a/b/c`, `d`, `GET e?f=…`, `/g/h` | 1 |";
    let read: Vec<_> = apis(row).into_iter().map(|(method, path)| format!("{method} {path}")).collect();
    assert_eq!(read, ["POST /a/b/c", "POST /a/b/d", "GET /a/b/e", "GET /g/h"]);
    assert_eq!(apis("| … with `x` | 1 |"), []);
}
