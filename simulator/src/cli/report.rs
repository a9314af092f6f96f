//! What the user would see, and why, as lines of a terminal.

use super::Voice;
use crate::control::Inbox;
use crate::control::send::{SendReport, SendRequest};
use crate::lang::Lang;
use crate::push::checks::Check;
use crate::push::deliver::{Delivery, Outcome};

/// Characters of the bar that is five seconds long.
const BAR: u64 = 20;

/// Prints the message, its deliveries, the answer, and the rules.
pub fn sent(voice: Voice, request: &SendRequest, sent: &SendReport) {
    let Voice { lang, paint } = voice;
    let mode = format!("{:?}", sent.mode).to_lowercase();
    println!("{} ▸ {}  {}", paint.bold(&sent.person), said(lang, request), paint.dim(&mode));
    for delivery in &sent.deliveries {
        println!("  {}", delivery_line(voice, delivery));
    }
    if sent.shown.is_empty() {
        println!("{}", paint.dim(lang.pick("  （用户看不到任何回复）", "  (the user sees nothing)")));
    }
    for bubble in &sent.shown {
        let text = bubble.readable(lang);
        let text = if sent.error_line { paint.red(&text) } else { text };
        println!("{}", said_by(voice, lang.pick("公众号", "account"), &text));
    }
    for check in &sent.checks {
        println!("  {}", check_line(voice, check));
    }
}

/// Prints what came by customer-service message.
pub fn pushed(voice: Voice, inbox: &Inbox, waited: u32) {
    let Voice { lang, paint } = voice;
    if inbox.typing {
        println!("{}", paint.dim(lang.pick("  （对方正在输入…）", "  (typing…)")));
    }
    for pushed in &inbox.messages {
        println!(
            "{}",
            said_by(voice, lang.pick("客服消息", "customer message"), &pushed.shown.readable(lang))
        );
    }
    if inbox.messages.is_empty() && waited > 0 {
        let nothing = lang.pick("内没有客服消息", "passed without a customer message");
        println!("{}", paint.dim(&format!("  {waited} s {nothing}")));
    }
}

/// One rule: a mark, its words, and what was found.
pub fn check_line(voice: Voice, check: &Check) -> String {
    let Voice { lang, paint } = voice;
    let (mark, words) = (if check.ok { "✓" } else { "✗" }, words(lang, &check.rule));
    let line = if check.ok { paint.green(mark) } else { paint.red(mark) };
    format!("{line} {words}  {}", paint.dim(&check.detail))
}

fn said(lang: Lang, request: &SendRequest) -> String {
    let attachment = |zh: &str, en: &str, what: &str| format!("[{}] {what}", lang.pick(zh, en));
    match request {
        SendRequest { text: Some(text), .. } => text.clone(),
        SendRequest { image: Some(_), .. } => attachment("图片", "picture", ""),
        SendRequest { voice: Some(_), .. } => attachment("语音", "voice", ""),
        SendRequest { link: Some(link), .. } => attachment("链接", "link", &link.title),
        SendRequest { location: Some(place), .. } => attachment("位置", "place", &place.label),
        SendRequest { event: Some(event), .. } => attachment(
            "事件",
            "event",
            &format!("{} {}", event.kind, event.key.as_deref().unwrap_or_default()),
        ),
        _ => String::new(),
    }
}

/// A text with its speaker; further lines stand under the first.
fn said_by(voice: Voice, who: &str, text: &str) -> String {
    let indented = text.replace('\n', "\n    ");
    format!("{} ◂ {indented}", voice.paint.bold(who))
}

fn delivery_line(voice: Voice, delivery: &Delivery) -> String {
    let Voice { lang, paint } = voice;
    let filled = usize::try_from((delivery.elapsed_ms * BAR / 5000).clamp(1, BAR)).unwrap_or(1);
    let bar = format!("{:20}", "━".repeat(filled));
    let bar = if delivery.outcome.settles() { paint.green(&bar) } else { paint.red(&bar) };
    let (n, seconds) = (delivery.n, delivery.elapsed_ms as f64 / 1000.0);
    let outcome = outcome(lang, delivery);
    match lang {
        Lang::Zh => format!("第 {n} 次 {bar} {seconds:.2} s  {outcome}"),
        Lang::En => format!("delivery {n} {bar} {seconds:.2} s  {outcome}"),
    }
}

fn outcome(lang: Lang, delivery: &Delivery) -> String {
    let why = delivery.error.as_deref().unwrap_or_default();
    match delivery.outcome {
        Outcome::Reply => lang.pick("回复", "reply").to_owned(),
        Outcome::Success => lang.pick("已接收，无回复", "accepted without a reply").to_owned(),
        Outcome::Timeout => lang.pick("超时，微信断开连接", "too late: WeChat hangs up").to_owned(),
        Outcome::Status => {
            let status = delivery.status.unwrap_or_default();
            format!("{} {status}", lang.pick("状态码不是 200，而是", "the status is not 200 but"))
        }
        Outcome::Refused => format!("{} {why}", lang.pick("无法连接：", "no connection:")),
        Outcome::Cut => format!("{} {why}", lang.pick("连接中断：", "the connection broke:")),
    }
}

/// A rule in words; an unknown one by its name.
fn words(lang: Lang, rule: &str) -> &str {
    let (zh, en) = match rule {
        "answered" => ("在时限内应答，状态码 200", "answered in time with status 200"),
        "nothing_shown" => {
            ("success 或空内容：不显示回复，也不报错", "success or empty: nothing is shown, no error")
        }
        "encrypted" => ("按所选模式加密回复", "encrypted as the mode wants it"),
        "msg_signature" => ("回复的 MsgSignature 正确", "the reply's MsgSignature is right"),
        "decrypts" => ("回复可以解密", "the reply can be decrypted"),
        "app_id" => ("密文中的 AppID 正确", "the AppID inside the ciphertext is right"),
        "no_bom" => ("<xml> 之前没有 BOM", "no byte order mark before <xml>"),
        "well_formed" => ("回复是格式正确的 XML", "the reply is well-formed XML"),
        "addresses" => ("ToUserName 与 FromUserName 已互换", "ToUserName and FromUserName are swapped"),
        "create_time" => ("CreateTime 是整数", "CreateTime is an integer"),
        "msg_type" => ("MsgType 是允许的类型", "MsgType is one that WeChat knows"),
        "text_not_empty" => ("文本不为空", "the text is not empty"),
        "text_size" => ("文本不超过 2048 字节", "the text has at most 2048 bytes"),
        "media_id" => ("有 MediaId", "there is a MediaId"),
        "articles" => ("至少有一篇图文", "there is an article"),
        "article_count" => ("ArticleCount 与图文数一致", "ArticleCount is the number of articles"),
        "same_reply" => ("重复投递得到相同的回复", "duplicates get the same reply"),
        other => (other, other),
    };
    lang.pick(zh, en)
}
