//! The automatic replies of WeChat's own console as rules.
//! <https://developers.weixin.qq.com/doc/service/api/autoreply/api_getcurrentautoreplyinfo>

use serde_json::Value;

use super::MESSAGES;
use super::read::{self, Faults};
use super::reply::{self, To, text};
use crate::json::json;

/// What was understood of WeChat's answer.
#[derive(Debug, Default)]
pub struct Imported {
    /// The documents of rules, in order.
    pub rules: Vec<Value>,
    /// The reply to new followers.
    pub welcome: Option<Value>,
    /// What is left out: `{what, reason}`.
    pub skipped: Vec<Value>,
}

impl Imported {
    fn skip(&mut self, what: &str, reason: &str) {
        self.skipped.push(json!({ "what": what, "reason": reason }));
    }

    /// Takes a rule, unless it breaks our limits.
    fn take(&mut self, document: Value) {
        let mut faults = Faults::new();
        let rule = read::rule("", &document, &mut faults);
        match faults.first() {
            None => self.rules.push(document),
            Some((pointer, detail)) => self.skip(&rule.name, &[pointer, ": ", detail].concat()),
        }
    }
}

/// Reads WeChat's answer.
///
/// Keyword rules are on if automatic replies are. The default reply comes last and is off: where it is on, the model is
/// never asked.
pub fn import(answer: &Value) -> Imported {
    let mut imported = Imported::default();
    let on = |name: &str| answer.get(name).and_then(Value::as_u64) == Some(1);
    let keywords = answer.get("keyword_autoreply_info").and_then(|info| info.get("list"));
    for rule in keywords.and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
        keyword_rule(rule, on("is_autoreply_open"), &mut imported);
    }
    if let Some(info) = answer.get("message_default_autoreply_info") {
        let name = "默认回复 (default reply)";
        if let Some(reply) = reply_of(info, name, &mut imported) {
            let when = json!({ "types": MESSAGES });
            imported.take(json!({ "name": name, "enabled": false, "when": when, "reply": reply }));
            imported.skip(
                name,
                "it is imported but switched off: it would answer every message instead of the model",
            );
        }
    }
    if let Some(info) = answer.get("add_friend_autoreply_info") {
        let name = "关注后回复 (welcome)";
        let Some(reply) = reply_of(info, name, &mut imported) else { return imported };
        let mut faults = Faults::new();
        reply::check(&reply, "", To::Welcome, &mut faults);
        match faults.first() {
            Some((_, detail)) => imported.skip(name, detail),
            None if on("is_add_friend_reply_open") => imported.welcome = Some(reply),
            None => imported.skip(name, "it is switched off at WeChat"),
        }
    }
    imported
}

fn keyword_rule(rule: &Value, enabled: bool, imported: &mut Imported) {
    let members = |name| rule.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let keywords: Vec<Value> = members("keyword_list_info").iter().filter_map(keyword).collect();
    let first = keywords.first().and_then(|keyword| text(keyword, "text")).unwrap_or_default();
    let name = text(rule, "rule_name").filter(|name| !name.trim().is_empty()).unwrap_or(first).to_owned();
    if keywords.len() < members("keyword_list_info").len() {
        imported.skip(&name, "a keyword is no text that must be equal or contained");
    }
    let mut chosen = None;
    for info in members("reply_list_info") {
        if chosen.is_some() {
            imported.skip(&name, "a message gets one reply; the others are left out");
            break;
        }
        chosen = reply_of(info, &name, imported);
    }
    match chosen {
        Some(reply) if !keywords.is_empty() => {
            let when = json!({ "texts": keywords });
            imported.take(json!({ "name": name, "enabled": enabled, "when": when, "reply": reply }));
        }
        _ => imported.skip(&name, "nothing is left of its keywords or replies"),
    }
}

fn keyword(info: &Value) -> Option<Value> {
    let how = match text(info, "match_mode")? {
        "contain" => "contains",
        "equal" => "exact",
        _ => return None,
    };
    Some(json!({ "match": how, "text": text(info, "content").filter(|text| !text.trim().is_empty())? }))
}

fn reply_of(info: &Value, name: &str, imported: &mut Imported) -> Option<Value> {
    let content = text(info, "content").unwrap_or_default();
    let media = |kind| Some(json!({ "type": kind, "media_id": content }));
    match text(info, "type").unwrap_or_default() {
        "text" => Some(json!({ "type": "text", "text": content })),
        "img" => media("image"),
        "voice" => media("voice"),
        "video" if !content.contains("://") => media("video"),
        "video" => {
            imported.skip(name, "WeChat gives the address of the video, and a reply needs its media_id");
            None
        }
        "news" => {
            let list = info.get("news_info").and_then(|info| info.get("list")).and_then(Value::as_array);
            let list = list.map_or(&[][..], Vec::as_slice);
            if list.len() > 1 {
                imported.skip(name, "a message gets one article; the others are left out");
            }
            let article = list.first()?;
            let member = |name| text(article, name).unwrap_or_default();
            Some(json!({ "type": "news", "articles": [{
                "title": member("title"),
                "description": member("digest"),
                "pic_url": member("cover_url"),
                "url": member("content_url"),
            }] }))
        }
        other => {
            imported.skip(name, &["a reply of this type has no counterpart: ", other].concat());
            None
        }
    }
}
