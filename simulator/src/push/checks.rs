//! Judging an answer by WeChat's rules, each in words.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html>

use serde::{Deserialize, Serialize};
use wxapi::wechat::message::parse_document;
use wxapi::wechat::reply::TEXT_LIMIT;
use wxapi::wechat::signature;
use wxapi::wechat::xml::{Fields, parse_xml};

use super::envelope::Mode;
use crate::account::Account;
use crate::platform::api::App;

/// Broken, these do not keep the reply from being shown.
const HARMLESS: [&str; 3] = ["create_time", "article_count", "mini_reply"];

/// The only passive reply of a Mini Program.
const TRANSFER: &str = "transfer_customer_service";

/// One rule, and whether the answer keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The rule's name; stable.
    pub rule: String,
    /// Whether it is kept.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

impl Check {
    /// A rule with what was found.
    pub fn new(rule: &str, ok: bool, detail: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), ok, detail: detail.into() }
    }

    /// Whether the user sees WeChat's error line because of it.
    pub fn is_fatal(&self) -> bool {
        !self.ok && !HARMLESS.contains(&self.rule.as_str())
    }
}

/// What an answer with status 200 is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The reply's plain XML, as far as it could be read.
    pub plain: Option<String>,
    /// The reply, unless there is nothing to show.
    pub reply: Option<Fields>,
    /// Every rule that applies.
    pub checks: Vec<Check>,
}

/// Whether a body says that nothing is to be shown.
pub fn is_nothing(body: &str) -> bool {
    body.is_empty() || body == "success"
}

/// Judges the body of an answer to a push from `openid`.
pub fn judge(account: &Account, mode: Mode, openid: &str, body: &str) -> Verdict {
    if is_nothing(body) {
        let detail = if body.is_empty() { "empty body" } else { "success" };
        return Verdict { checks: vec![Check::new("nothing_shown", true, detail)], ..Verdict::default() };
    }
    let mut checks = Vec::new();
    let plain = open(account, mode, body, &mut checks);
    let reply = plain.as_deref().and_then(|plain| read(account.app, plain, &mut checks));
    let Some(reply) = reply else { return Verdict { plain, reply, checks } };
    if account.app == App::Mini && reply.get("MsgType") != Some(TRANSFER) {
        let found = format!("a passive reply ({})", reply.get("MsgType").unwrap_or_default());
        checks.push(Check::new("mini_reply", false, found));
        return Verdict { plain, reply: None, checks };
    }
    check_head(account, openid, &reply, &mut checks);
    check_content(&reply, &mut checks);
    Verdict { plain, reply: Some(reply), checks }
}

/// Takes the reply out of its envelope: required in secure mode, allowed in compat mode.
fn open(account: &Account, mode: Mode, body: &str, checks: &mut Vec<Check>) -> Option<String> {
    let document = match account.app {
        App::Official => parse_xml(body).ok(),
        App::Mini => parse_document(body).ok(),
    };
    let envelope = document.filter(|document| document.filled("Encrypt").is_some());
    let Some(envelope) = envelope else {
        if mode == Mode::Aes {
            checks.push(Check::new("encrypted", false, "the reply is plain"));
        }
        return Some(body.to_owned());
    };
    let found = if mode == Mode::Plain { "encrypted, in plain mode" } else { "encrypted" };
    checks.push(Check::new("encrypted", mode != Mode::Plain, found));
    let field = |name| envelope.get(name).unwrap_or_default();
    let encrypt = field("Encrypt");
    let parts = [account.token.as_str(), field("TimeStamp"), field("Nonce"), encrypt];
    let signed = signature::verify(&parts, field("MsgSignature"));
    checks.push(Check::new("msg_signature", signed, if signed { "valid" } else { "does not match" }));
    match account.aes_key.as_ref()?.decrypt(encrypt) {
        Ok(decrypted) => {
            checks.push(Check::new("app_id", decrypted.id == account.app_id, decrypted.id));
            Some(decrypted.message)
        }
        Err(error) => {
            checks.push(Check::new("decrypts", false, error.to_string()));
            None
        }
    }
}

/// Official Accounts answer XML. A Mini Program's answer may be JSON, as the message was.
fn read(app: App, plain: &str, checks: &mut Vec<Check>) -> Option<Fields> {
    if plain.starts_with('\u{feff}') {
        checks.push(Check::new("no_bom", false, "a byte order mark stands before <xml>"));
    }
    let parsed = match app {
        App::Official => parse_xml(plain).map_err(|error| error.to_string()),
        App::Mini => parse_document(plain).map_err(|error| error.to_string()),
    };
    match parsed {
        Ok(reply) => {
            checks.push(Check::new("well_formed", true, format!("{} bytes", plain.len())));
            Some(reply)
        }
        Err(error) => {
            checks.push(Check::new("well_formed", false, error));
            None
        }
    }
}

fn check_head(account: &Account, openid: &str, reply: &Fields, checks: &mut Vec<Check>) {
    let (to, from) = (reply.owned("ToUserName"), reply.owned("FromUserName"));
    let swapped = to == openid && from == account.original_id;
    checks.push(Check::new("addresses", swapped, format!("{from} → {to}")));
    let created = reply.owned("CreateTime");
    checks.push(Check::new("create_time", created.parse::<u64>().is_ok(), created));
}

fn check_content(reply: &Fields, checks: &mut Vec<Check>) {
    let kind = reply.owned("MsgType");
    let filled = |element: &str, name: &str| {
        let found = reply.child(element).and_then(|element| element.filled(name));
        Check::new("media_id", found.is_some(), found.unwrap_or("missing"))
    };
    let known = ["text", "image", "voice", "video", "music", "news", TRANSFER].contains(&kind.as_str());
    checks.push(Check::new("msg_type", known, kind.clone()));
    match kind.as_str() {
        "text" => check_text(reply.get("Content").unwrap_or_default(), checks),
        "image" => checks.push(filled("Image", "MediaId")),
        "voice" => checks.push(filled("Voice", "MediaId")),
        "video" => checks.push(filled("Video", "MediaId")),
        "music" => checks.push(filled("Music", "ThumbMediaId")),
        "news" => check_news(reply, checks),
        _ => {}
    }
}

fn check_text(text: &str, checks: &mut Vec<Check>) {
    let found = if text.is_empty() { "empty" } else { "not empty" };
    checks.push(Check::new("text_not_empty", !text.is_empty(), found));
    checks.push(Check::new(
        "text_size",
        text.len() <= TEXT_LIMIT,
        format!("{} of {TEXT_LIMIT} bytes", text.len()),
    ));
}

fn check_news(reply: &Fields, checks: &mut Vec<Check>) {
    let items = reply.child("Articles").map_or(0, |articles| articles.children("item").count());
    let stated = reply.owned("ArticleCount");
    checks.push(Check::new("articles", items > 0, format!("{items} items")));
    checks.push(Check::new(
        "article_count",
        stated == items.to_string(),
        format!("{stated} stated, {items} there"),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::testing::{OPENID, account};

    fn reply(content: &str) -> String {
        let from = account().original_id;
        format!(
            "<xml><ToUserName>{OPENID}</ToUserName><FromUserName>{from}</FromUserName><CreateTime>1800000000</CreateTime>{content}</xml>"
        )
    }

    fn text(text: &str) -> String {
        reply(&format!("<MsgType>text</MsgType><Content><![CDATA[{text}]]></Content>"))
    }

    fn sealed(plain: &str, app_id: &str, token: &str) -> String {
        let encrypt = account().aes_key.unwrap().encrypt([7; 16], plain, app_id);
        let signature = signature::sign(&[token, "1", "2", &encrypt]);
        format!(
            "<xml><Encrypt>{encrypt}</Encrypt><MsgSignature>{signature}</MsgSignature><TimeStamp>1</TimeStamp><Nonce>2</Nonce></xml>"
        )
    }

    #[track_caller]
    fn broken(mode: Mode, body: &str, expected: &[&str]) {
        let verdict = judge(&account(), mode, OPENID, body);
        let broken: Vec<_> =
            verdict.checks.iter().filter(|check| !check.ok).map(|check| check.rule.as_str()).collect();
        assert_eq!(broken, expected, "{body}");
    }

    #[test]
    fn good_replies_break_nothing() {
        let account = account();
        broken(Mode::Plain, &text("你好"), &[]);
        broken(Mode::Plain, "success", &[]);
        broken(Mode::Aes, "", &[]);
        broken(Mode::Aes, &sealed(&text("你好"), &account.app_id, &account.token), &[]);
        broken(Mode::Compat, &text("你好"), &[]);
        broken(Mode::Compat, &sealed(&text("你好"), &account.app_id, &account.token), &[]);
        broken(Mode::Plain, &reply("<MsgType>image</MsgType><Image><MediaId>1</MediaId></Image>"), &[]);
        broken(Mode::Plain, &reply("<MsgType>transfer_customer_service</MsgType>"), &[]);
        let news = "<MsgType>news</MsgType><ArticleCount>1</ArticleCount><Articles><item><Title>t</Title></item></Articles>";
        broken(Mode::Plain, &reply(news), &[]);
    }

    #[test]
    fn each_rule_can_be_broken() {
        let account = account();
        broken(Mode::Plain, "<html>", &["well_formed"]);
        broken(Mode::Plain, "success\n", &["well_formed"]);
        broken(Mode::Plain, &format!("\u{feff}{}", text("你好")), &["no_bom"]);
        broken(Mode::Plain, &text(""), &["text_not_empty"]);
        broken(Mode::Plain, &text(&"好".repeat(683)), &["text_size"]);
        broken(Mode::Plain, &text("x").replace(OPENID, "gh_x"), &["addresses"]);
        broken(Mode::Plain, &text("x").replace("1800000000", "now"), &["create_time"]);
        broken(Mode::Plain, &reply("<MsgType>hologram</MsgType>"), &["msg_type"]);
        broken(Mode::Plain, &reply("<MsgType>voice</MsgType>"), &["media_id"]);
        broken(
            Mode::Plain,
            &reply("<MsgType>news</MsgType><ArticleCount>1</ArticleCount>"),
            &["articles", "article_count"],
        );
        broken(Mode::Plain, &sealed(&text("x"), &account.app_id, &account.token), &["encrypted"]);
        broken(Mode::Aes, &text("x"), &["encrypted"]);
        broken(Mode::Aes, &sealed(&text("x"), &account.app_id, "other"), &["msg_signature"]);
        broken(Mode::Aes, &sealed(&text("x"), "wx-other", &account.token), &["app_id"]);
        let garbled =
            sealed(&text("x"), &account.app_id, &account.token).replace("<Encrypt>", "<Encrypt>AAAA");
        broken(Mode::Aes, &garbled, &["msg_signature", "decrypts"]);
    }

    #[test]
    fn a_mini_program_answers_success_or_hands_over() {
        let mini = Account { app: App::Mini, ..account() };
        let judged = |body: &str| judge(&mini, Mode::Plain, OPENID, body);
        let broken = |verdict: &Verdict| {
            let broken = verdict.checks.iter().filter(|check| !check.ok);
            broken.map(|check| check.rule.clone()).collect::<Vec<_>>()
        };
        assert_eq!(broken(&judged("success")), [""; 0]);
        let transfer = judged(&reply("<MsgType>transfer_customer_service</MsgType>"));
        assert!(broken(&transfer).is_empty() && transfer.reply.is_some());
        let from = &mini.original_id;
        let json = format!(
            r#"{{"ToUserName":"{OPENID}","FromUserName":"{from}","CreateTime":1,"MsgType":"transfer_customer_service"}}"#
        );
        assert!(broken(&judged(&json)).is_empty() && judged(&json).reply.is_some());
        let ignored = judged(&text("你好"));
        assert_eq!((broken(&ignored), ignored.reply), (vec!["mini_reply".to_owned()], None));
        assert!(!ignored.checks.iter().any(Check::is_fatal), "it is ignored, no error line");
        assert_eq!(broken(&judged("<html>")), ["well_formed"]);
    }

    #[test]
    fn a_wrong_time_is_shown_all_the_same() {
        assert!(!Check::new("create_time", false, "").is_fatal());
        assert!(Check::new("addresses", false, "").is_fatal());
    }
}
