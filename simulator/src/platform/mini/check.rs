//! Content checks. WeChat has models and lists; this has one rule: a few words decide.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/msgSecCheck.html>

use serde_json::{Value, json};

use crate::ids;
use crate::platform::api::{Call, number, ok_with, text};
use crate::platform::errcode::{self, Errcode};
use crate::platform::{ApiReply, done};

/// The rule: a text with one of these words, in this order. Labels are WeChat's.
const WORDS: [(&str, Suggestion, u32); 5] = [
    ("色情", Suggestion::Risky, 20002),
    ("赌博", Suggestion::Risky, 20006),
    ("诈骗", Suggestion::Risky, 20008),
    ("加微信", Suggestion::Review, 10001),
    ("代购", Suggestion::Review, 10001),
];
/// The same for what an address of a picture or a recording says.
const IN_ADDRESSES: [(&str, Suggestion, u32); 2] =
    [("risky", Suggestion::Risky, 20002), ("review", Suggestion::Review, 21000)];
/// An address that says this cannot be downloaded.
const MISSING: &str = "missing";
/// WeChat's code for such a file.
const NOT_DOWNLOADED: i64 = -1008;
/// The label of what is normal.
const NORMAL: u32 = 100;

/// Characters of a text.
const TEXT: usize = 2500;
/// The user was there within so many milliseconds.
const THERE_MS: u64 = 2 * 3_600_000;
/// Calls within a minute.
const TEXTS_A_MINUTE: u32 = 4000;
const MEDIA_A_MINUTE: u32 = 2000;

const URL_MISSING: Errcode = Errcode(41010);
const OTHER_APP: Errcode = Errcode(43104);
const MINUTE_QUOTA: Errcode = Errcode(44991);
const TOO_LONG: Errcode = Errcode(45002);
const NOT_THERE: Errcode = Errcode(61010);
const RISKY: Errcode = Errcode(87014);

/// What WeChat suggests to do with a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suggestion {
    /// Show it.
    Pass,
    /// Let somebody look at it.
    Review,
    /// Refuse it.
    Risky,
}

impl Suggestion {
    fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Review => "review",
            Self::Risky => "risky",
        }
    }
}

/// What is thought of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What to do with it.
    pub suggestion: Suggestion,
    /// Why, as WeChat's number; 100 for nothing.
    pub label: u32,
    keyword: Option<&'static str>,
}

/// Judges a text.
pub fn judge(text: &str) -> Verdict {
    by_words(&WORDS, text)
}

fn by_words(words: &[(&'static str, Suggestion, u32)], text: &str) -> Verdict {
    let hit = words.iter().find(|(word, ..)| text.contains(word));
    hit.map_or(
        Verdict { suggestion: Suggestion::Pass, label: NORMAL, keyword: None },
        |(word, suggestion, label)| Verdict { suggestion: *suggestion, label: *label, keyword: Some(word) },
    )
}

impl Verdict {
    fn result(&self) -> Value {
        json!({ "suggest": self.suggestion.word(), "label": self.label })
    }

    fn by_model(&self, errcode: i64) -> Value {
        let Self { suggestion, label, .. } = self;
        json!({
            "strategy": "content_model", "errcode": errcode, "suggest": suggestion.word(), "label": label, "prob": 90
        })
    }

    fn by_keyword(&self) -> Option<Value> {
        let Self { suggestion, label, keyword } = self;
        let keyword = (*keyword)?;
        Some(json!({
            "strategy": "keyword", "errcode": 0, "suggest": suggestion.word(), "label": label, "level": 90,
            "keyword": keyword
        }))
    }
}

/// `POST /wxa/msg_sec_check?access_token=…`: version 2, or the first one that only says 0 or 87014.
pub fn text_check(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    if !call.state.quotas.take_in_minute("msg_sec_check", TEXTS_A_MINUTE, call.now_ms) {
        return Err(MINUTE_QUOTA);
    }
    let content = text(&asked, "content");
    match content.chars().count() {
        0 => return Err(errcode::EMPTY_TEXT),
        1..=TEXT => {}
        _ => return Err(TOO_LONG),
    }
    let parts = ["title", "nickname", "signature"].map(|name| text(&asked, name));
    let verdict = judge(&[content, &parts.join("\n")].join("\n"));
    if number(&asked, "version") != Some(2) {
        return if verdict.suggestion == Suggestion::Risky { Err(RISKY) } else { Ok(done()) };
    }
    check_user(call, &asked)?;
    let detail: Vec<_> = [Some(verdict.by_model(0)), verdict.by_keyword()].into_iter().flatten().collect();
    let trace_id = ids::rid(call.now_ms);
    Ok(ok_with(json!({ "result": verdict.result(), "detail": detail, "trace_id": trace_id })))
}

/// `POST /wxa/media_check_async?access_token=…`: the result follows as an event. The file is not downloaded.
pub fn media_check(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    if !call.state.quotas.take_in_minute("media_check_async", MEDIA_A_MINUTE, call.now_ms) {
        return Err(MINUTE_QUOTA);
    }
    let url = text(&asked, "media_url");
    if url.is_empty() {
        return Err(URL_MISSING);
    }
    if !matches!(number(&asked, "media_type"), Some(1 | 2)) {
        return Err(errcode::MEDIA_TYPE);
    }
    check_user(call, &asked)?;
    let verdict = by_words(&IN_ADDRESSES, url);
    let missing = url.contains(MISSING);
    let (code, words) = if missing { (NOT_DOWNLOADED, "media download failed") } else { (0, "ok") };
    let trace_id = ids::rid(call.now_ms);
    let fields = json!({
        "appid": call.account.mini.as_ref().map(|mini| &mini.app_id),
        "trace_id": trace_id,
        "version": 2,
        "detail": verdict.by_model(code),
        "errcode": code,
        "errmsg": words,
        "result": verdict.result(),
    });
    call.push(text(&asked, "openid"), "wxa_media_check", fields);
    Ok(ok_with(json!({ "trace_id": trace_id })))
}

/// The scene is 1 to 4, and the user used the Mini Program within two hours.
fn check_user(call: &mut Call<'_>, asked: &Value) -> Result<(), Errcode> {
    if !matches!(number(asked, "scene"), Some(1..=4)) {
        return Err(errcode::SCENE);
    }
    let openid = text(asked, "openid");
    let stranger = if ids::is_openid(openid) { OTHER_APP } else { errcode::OPENID };
    let user = call.state.mini.find(openid).map_err(|_| stranger)?;
    if call.now_ms < user.seen_ms + THERE_MS { Ok(()) } else { Err(NOT_THERE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decide() {
        let judged = |text| (judge(text).suggestion, judge(text).label);
        assert_eq!(judged("今天天气好"), (Suggestion::Pass, 100));
        assert_eq!(judged("加微信看更多"), (Suggestion::Review, 10001));
        assert_eq!(judged("加微信赌博"), (Suggestion::Risky, 20006));
        assert_eq!(judge("好").by_keyword(), None);
        assert_eq!(judge("赌博").by_keyword().unwrap()["keyword"], "赌博");
    }
}
