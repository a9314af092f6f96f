//! Directives inside a question, for demonstrations: `delay=7s`, `chunk=100ms`, `length=5000`, `fail=2`, `fail=always`.

use super::rules::{Always, Fail, Rule};

/// The rule with what the question's own directives change in it. What looks like one but is not stays text.
pub fn apply(mut rule: Rule, question: &str) -> Rule {
    for (name, value) in question.split_whitespace().filter_map(|word| word.split_once('=')) {
        match name {
            "delay" => rule.delay_ms = milliseconds(value).unwrap_or(rule.delay_ms),
            "chunk" => rule.chunk_ms = milliseconds(value).unwrap_or(rule.chunk_ms),
            "length" => rule.length = value.parse().ok().or(rule.length),
            "fail" => rule.fail = failures(value).or(rule.fail),
            _ => {}
        }
    }
    rule
}

/// `7s` or `500ms`.
fn milliseconds(value: &str) -> Option<u64> {
    match value.strip_suffix("ms") {
        Some(number) => number.parse().ok(),
        None => value.strip_suffix('s')?.parse::<u64>().ok()?.checked_mul(1000),
    }
}

fn failures(value: &str) -> Option<Fail> {
    if value == "always" { Some(Fail::Always(Always::Always)) } else { value.parse().ok().map(Fail::First) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_change_the_rule_and_typing_errors_do_not() {
        let rule = apply(Rule::default(), "讲个故事 delay=7s length=5000 fail=2");
        assert_eq!((rule.delay_ms, rule.length, rule.fail), (7000, Some(5000), Some(Fail::First(2))));
        assert_eq!(apply(Rule::default(), "delay=250ms fail=always").delay_ms, 250);
        assert_eq!(apply(Rule::default(), "chunk=80ms").chunk_ms, 80);
        let kept = Rule { delay_ms: 5, ..Rule::default() };
        assert_eq!(apply(kept.clone(), "delay=soon length=x fail=maybe a=b =="), kept);
    }
}
