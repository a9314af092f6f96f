//! Scenarios as a JUnit report: GitLab, GitHub's reporters and Jenkins read it.

use std::fmt::Write;

use super::run::Ran;
use crate::scenario::Outcome;

/// The whole document.
pub fn write(all: &[Ran]) -> String {
    let outcome = |ran: &&Ran| ran.result.as_ref().map_or(Outcome::Error, |result| result.outcome);
    let count = |wanted: Outcome| all.iter().filter(|ran| outcome(ran) == wanted).count();
    let (tests, failures, errors) = (all.len(), count(Outcome::Failed), count(Outcome::Error));
    let time: f64 = all.iter().map(seconds).sum();
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{time:.3}\"");
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a text cannot fail.
    let _ = writeln!(
        xml,
        "<testsuites name=\"wx-sim\" {counts}>\n  <testsuite name=\"wx-sim\" skipped=\"0\" {counts}>"
    );
    for ran in all {
        write_case(&mut xml, ran);
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn write_case(xml: &mut String, ran: &Ran) {
    let file = ran.file.display().to_string();
    let class =
        file.strip_suffix(".json").unwrap_or(&file).trim_start_matches("./").replace(['/', '\\'], ".");
    let (class, name, file) = (escape(&class), escape(&ran.name), escape(&file));
    let time = seconds(ran);
    let _ =
        write!(xml, "    <testcase classname=\"{class}\" name=\"{name}\" file=\"{file}\" time=\"{time:.3}\"");
    let (element, whole) = match &ran.result {
        Ok(result) if result.outcome == Outcome::Passed => {
            xml.push_str("/>\n");
            return;
        }
        Ok(result) => {
            let element = if result.outcome == Outcome::Failed { "failure" } else { "error" };
            (element, result.complaint().unwrap_or_default())
        }
        Err(why) => ("error", why.clone()),
    };
    let first = whole.lines().next().unwrap_or_default();
    let _ = writeln!(
        xml,
        ">\n      <{element} type=\"{element}\" message=\"{}\">{}</{element}>\n    </testcase>",
        escape(first),
        escape(&whole)
    );
}

fn seconds(ran: &Ran) -> f64 {
    ran.result.as_ref().map_or(0.0, |result| result.elapsed_ms as f64 / 1000.0)
}

/// Text for an element or an attribute. What XML cannot say at all becomes a replacement character.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            control if control < ' ' => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Miss, RunResult, StepResult};

    fn ran(name: &str, outcome: Outcome) -> Ran {
        let miss = Miss::new("expect.text", "\"<a & b>\"", "\"]]>\u{1}\"");
        let step = StepResult {
            n: 2,
            what: "send \"x\"".to_owned(),
            tries: 1,
            elapsed_ms: 5,
            misses: if outcome == Outcome::Failed { vec![miss] } else { Vec::new() },
            trouble: (outcome == Outcome::Error).then(|| "no connection".to_owned()),
            report: None,
            wire: Vec::new(),
        };
        let result = RunResult { name: name.to_owned(), outcome, elapsed_ms: 1500, steps: vec![step] };
        Ran { file: "./scenarios/a.json".into(), result: Ok(result), name: name.to_owned() }
    }

    #[test]
    fn a_report_that_any_parser_reads() {
        let broken = Ran { result: Err("refused".to_owned()), ..ran("broken", Outcome::Error) };
        let all = [
            ran("good \"one\"", Outcome::Passed),
            ran("bad", Outcome::Failed),
            ran("lost", Outcome::Error),
            broken,
        ];
        let xml = write(&all);
        let inside = xml.replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "");
        let parsed = quick(&inside);
        assert!(
            parsed.contains(
                &"testsuites name=\"wx-sim\" tests=\"4\" failures=\"1\" errors=\"2\" time=\"4.500\""
                    .to_owned()
            ),
            "{xml}"
        );
        assert_eq!(parsed.iter().filter(|tag| tag.starts_with("testcase ")).count(), 4);
        assert!(xml.contains("classname=\"scenarios.a\" name=\"good &quot;one&quot;\" file=\"./scenarios/a.json\" time=\"1.500\"/>"));
        assert!(xml.contains("<failure type=\"failure\" message=\"step 2: send &quot;x&quot;\">"));
        assert!(
            xml.contains("expected: &quot;&lt;a &amp; b&gt;&quot;") && xml.contains("]]&gt;\u{fffd}"),
            "{xml}"
        );
        assert!(xml.contains(
            "message=\"step 2: send &quot;x&quot;\">step 2: send &quot;x&quot;&#10;  no connection</error>"
        ));
        assert!(xml.contains("message=\"refused\""));
    }

    /// The tags of a document in which every tag is closed in its turn.
    fn quick(xml: &str) -> Vec<String> {
        let (mut open, mut tags) = (Vec::new(), Vec::new());
        for piece in xml.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').expect("a whole tag");
            assert!(!text.contains(['"', '\'']), "what is no tag is escaped: {text}");
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop().as_deref(), Some(name)),
                None if tag.ends_with('/') => tags.push(tag.to_owned()),
                None => {
                    open.push(tag.split(' ').next().unwrap().to_owned());
                    tags.push(tag.to_owned());
                }
            }
        }
        assert!(open.is_empty(), "{open:?}");
        tags
    }
}
