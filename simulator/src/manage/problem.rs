//! A problem of the API (RFC 9457), for people.

use serde_json::Value;

use super::columns::{text, time};
use super::document::Document;
use super::place;
use super::voice::{Voice, tame};
use crate::lang::Lang;

/// What the API answered instead.
#[derive(Debug)]
pub struct Problem {
    pub status: u16,
    pub body: Value,
    /// The file that was sent, and the pointer to what of it was the body.
    source: Option<(Document, String)>,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl Problem {
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, body, source: None, hints: Vec::new() }
    }

    /// What was sent is this file, or the part of it at `pointer`.
    pub fn about(&mut self, document: &Document, pointer: &str) {
        self.source = Some((document.clone(), pointer.to_owned()));
    }

    /// The last word of its type: `invalid`, `wechat`, …
    pub fn kind(&self) -> &str {
        let kind = self.body.get("type").and_then(Value::as_str).unwrap_or_default();
        kind.rsplit(':').next().unwrap_or_default()
    }

    /// Everything that is known of it.
    pub fn words(&self, voice: Voice) -> String {
        let Voice { lang, alarm: paint, .. } = voice;
        let body = &self.body;
        let mut detail = text(body, "/detail");
        if detail.is_empty() {
            detail = text(body, "/title");
        }
        let kind =
            if self.kind().is_empty() { format!("HTTP {}", self.status) } else { self.kind().to_owned() };
        let mut lines = vec![format!("{} {}  {detail}", paint.red("✗"), paint.bold(&kind))];
        for error in body.get("errors").and_then(Value::as_array).into_iter().flatten() {
            let source = self.source.as_ref().map(|(document, pointer)| (document, pointer.as_str()));
            lines.push(fault(voice, error, source));
        }
        let wechat = text(body, "/errcode");
        let said = text(body, "/errmsg");
        // The API's own words may have them already.
        let known = detail_has(body, &wechat) && detail_has(body, &said);
        if !known {
            lines.push(format!("  {} {wechat} {said}", lang.pick("微信：", "WeChat:")));
        }
        let rid = text(body, "/rid");
        if !rid.is_empty() {
            lines.push(format!("  rid: {rid}"));
        }
        if let Some(opens) = body.get("opens").and_then(Value::as_u64) {
            lines.push(format!("  → {} {}", lang.pick("最早：", "not before"), time(opens / 1_000)));
        }
        lines.extend(self.fixes(lang).iter().map(|fix| format!("  → {fix}")));
        let request = text(body, "/instance");
        if let Some((_, request)) = request.rsplit_once(':') {
            lines.push(paint.dim(&format!("  {} {request}", lang.pick("日志中的请求：", "in the log:"))));
        }
        lines.join("\n")
    }

    fn fixes(&self, lang: Lang) -> Vec<String> {
        let told = text(&self.body, "/fix");
        let known = match self.kind() {
            "unauthorized" => lang.pick(
                "ADMIN_TOKEN 与这个 Worker 的不同：检查环境变量、.dev.vars 与 --url",
                "this is not the ADMIN_TOKEN of that Worker: look at the environment, .dev.vars, and --url",
            ),
            "not-configured" => lang.pick("`wx doctor` 说明缺少什么", "`wx doctor` says what is missing"),
            _ => "",
        };
        // What the caller knows is more to the point.
        let known = if self.hints.is_empty() { known } else { "" };
        let all = [told.as_str(), known].into_iter().chain(self.hints.iter().map(String::as_str));
        all.filter(|fix| !fix.is_empty()).map(tame).collect()
    }
}

fn detail_has(body: &Value, words: &str) -> bool {
    text(body, "/detail").contains(words)
}

/// One fault: where in the file, and what. Without a file, by its pointer or the parameter's name.
pub fn fault(voice: Voice, error: &Value, source: Option<(&Document, &str)>) -> String {
    let paint = voice.alarm;
    let (pointer, detail) = (text(error, "/pointer"), text(error, "/detail"));
    let parameter = text(error, "/parameter");
    if !parameter.is_empty() {
        return format!("  {}  {detail}", paint.bold(&parameter));
    }
    let Some((document, base)) = source else {
        return format!("  {}  {detail}", paint.bold(&pointer));
    };
    let place = place::find(&document.text, &format!("{base}{pointer}"));
    let shown = place::excerpt(&document.text, place, 4);
    let name = paint.bold(&format!("{}:{}:{}", document.name, place.line, place.column));
    format!("  {name}  {}\n{shown} {}", paint.dim(&pointer), paint.red(&detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::paint::Paint;
    use serde_json::json;

    fn voice(lang: Lang) -> Voice {
        let plain = Paint::new(false);
        Voice { lang, json: false, paint: plain, alarm: plain, lively: false }
    }

    #[test]
    fn faults_are_shown_in_the_file() {
        let body = json!({
            "type": "urn:wxapi:problem:invalid", "title": "invalid", "status": 422, "detail": "wrong",
            "instance": "urn:wxapi:request:r-1",
            "errors": [{ "pointer": "/button/0/name", "detail": "too long" }],
        });
        let mut problem = Problem::new(422, body);
        assert!(problem.words(voice(Lang::En)).contains("\n  /button/0/name  too long\n"));
        let text = "[\n  { \"button\": [{ \"name\": \"x\" }] }]";
        let value = serde_json::from_str(text).unwrap();
        problem.about(&Document { name: "m.json".to_owned(), text: text.to_owned(), value }, "/0");
        let expected = "✗ invalid  wrong\n  m.json:2:26  /button/0/name\n    { \"button\": [{ \"name\": \"x\" }] }]\n                           ^ too long\n  in the log: r-1";
        assert_eq!(problem.words(voice(Lang::En)), expected);
    }

    #[test]
    fn wechats_words_are_told() {
        let body = json!({
            "type": "urn:wxapi:problem:wechat", "detail": "no", "errcode": 40018,
            "errmsg": "invalid button name size", "rid": "65-43", "fix": "shorten it",
        });
        let mut known = body.clone();
        known["detail"] = json!("WeChat answered 40018: invalid button name size rid: 65-43");
        assert!(!Problem::new(422, known).words(voice(Lang::Zh)).contains("微信："));
        let words = Problem::new(422, body).words(voice(Lang::Zh));
        for told in ["微信： 40018 invalid button name size", "rid: 65-43", "→ shorten it"] {
            assert!(words.contains(told), "{words}");
        }
    }

    #[test]
    fn a_wrong_token_is_explained() {
        let body = json!({ "type": "urn:wxapi:problem:unauthorized", "detail": "no" });
        assert!(Problem::new(401, body).words(voice(Lang::En)).contains("→ this is not the ADMIN_TOKEN"));
    }
}
