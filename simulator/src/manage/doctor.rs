//! `wx doctor`

use clap::Args;
use serde_json::Value;

use super::Wx;
use super::columns::{text, with_query};
use super::stop::{Ending, Stop};
use super::voice::Voice;

/// Ends with 1 if something does not work.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Only these checks: names, separated by commas
    #[arg(long, value_name = "NAMES")]
    only: Option<String>,
}

impl Doctor {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let report = report(wx, self.only.as_deref()).await?;
        wx.voice.answer(&report, || words(wx.voice, &report));
        Ok(if report.get("healthy") == Some(&Value::Bool(true)) { Ending::Good } else { Ending::Bad })
    }
}

/// What the doctor found.
pub async fn report(wx: &Wx, only: Option<&str>) -> Result<Value, Stop> {
    wx.api.get(&with_query("/admin/doctor", [("only", only)].into_iter())).await
}

/// A line for each check, and what to do.
pub fn words(voice: Voice, report: &Value) -> String {
    let Voice { lang, paint, .. } = voice;
    let mut lines = Vec::new();
    let mut counts = [0, 0];
    for check in report.get("checks").and_then(Value::as_array).into_iter().flatten() {
        let state = text(check, "/state");
        let (mark, name) = (mark(voice, &state), paint.bold(&text(check, "/name")));
        let found = text(check, "/found");
        lines.push(format!("{mark} {name}  {}", if state == "skip" { paint.dim(&found) } else { found }));
        let fix = text(check, "/fix");
        if !fix.is_empty() {
            lines.push(format!("    → {fix}"));
        }
        match state.as_str() {
            "fail" => counts[0] += 1,
            "warn" => counts[1] += 1,
            _ => {}
        }
    }
    let [failed, warned] = counts;
    lines.push(match lang {
        crate::lang::Lang::Zh => format!("{failed} 项不正常，{warned} 项需注意"),
        crate::lang::Lang::En => format!("{failed} failed, {warned} to be looked at"),
    });
    lines.join("\n")
}

fn mark(voice: Voice, state: &str) -> String {
    match state {
        "ok" => voice.paint.green("✓"),
        "warn" => voice.paint.bold("!"),
        "fail" => voice.paint.red("✗"),
        _ => voice.paint.dim("–"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::paint::Paint;
    use crate::lang::Lang;
    use serde_json::json;

    #[test]
    fn each_check_has_a_line_and_what_to_do() {
        let plain = Paint::new(false);
        let voice = Voice { lang: Lang::En, json: false, paint: plain, alarm: plain, lively: false };
        let check = |name: &str, state: &str, fix: Value| json!({ "name": name, "state": state, "found": "f", "fix": fix });
        let report = json!({ "healthy": false, "checks": [
            check("secrets", "ok", Value::Null), check("model", "warn", json!("wait")),
            check("token", "fail", json!("enter 1.2.3.4")), check("rights", "skip", Value::Null),
        ] });
        let expected = "✓ secrets  f\n! model  f\n    → wait\n✗ token  f\n    → enter 1.2.3.4\n– rights  f\n1 failed, 1 to be looked at";
        assert_eq!(words(voice, &report), expected);
    }
}
