//! What the user would see, and why, as lines of a terminal.

use super::run::Ran;
use super::{Voice, words};
use crate::control::Inbox;
use crate::control::click::ClickReport;
use crate::control::send::{SendReport, SendRequest};
use crate::lang::Lang;
use crate::push::deliver::{Delivery, Outcome};
use crate::push::envelope::Mode;
use crate::scenario::{Outcome::Passed, StepResult};

/// Characters of the bar that is five seconds long.
const BAR: u64 = 20;

/// Prints who does what, before it is delivered: that may take fifteen seconds.
pub fn sending(voice: Voice, person: &str, request: &SendRequest, mode: Mode) {
    let Voice { lang, paint } = voice;
    let mode = format!("{mode:?}").to_lowercase();
    voice.say(&format!("{} ▸ {}  {}", paint.bold(person), said(lang, request), paint.dim(&mode)));
}

/// Prints who does what that is no message.
pub fn doing(voice: Voice, person: &str, what: &str, mode: Mode) {
    let mode = format!("{mode:?}").to_lowercase();
    voice.say(&format!("{} ▸ {what}  {}", voice.paint.bold(person), voice.paint.dim(&mode)));
}

/// Prints where a page can be seen as somebody's phone shows it.
pub fn in_phone(voice: Voice, address: &str) {
    voice.say(&format!("  {} {address}", voice.lang.pick("在手机里看", "in the phone")));
}

/// Prints what came of a tap: messages, what the phone shows, what opens.
pub fn tapped(voice: Voice, tapped: &ClickReport) {
    let Voice { lang, paint } = voice;
    tapped.report.iter().chain(&tapped.followed).for_each(|report| sent(voice, report));
    for bubble in &tapped.shown {
        voice.say(&said_by(voice, lang.pick("公众号", "account"), &bubble.readable(lang)));
    }
    let mini_program =
        tapped.mini_program.as_ref().map(|opened| format!("{} {}", opened.appid, opened.pagepath));
    for opened in tapped.open.iter().chain(&mini_program) {
        voice.say(&format!("  {} {opened}", paint.bold(lang.pick("打开", "opens"))));
    }
}

/// Prints how a scenario went; its steps, if asked or if it went wrong.
pub fn ran(voice: Voice, ran: &Ran, verbose: bool) {
    let Voice { paint, .. } = voice;
    let (good, seconds) = match &ran.result {
        Ok(result) => (result.outcome == Passed, result.elapsed_ms as f64 / 1000.0),
        Err(_) => (false, 0.0),
    };
    let mark = if good { paint.green("✓") } else { paint.red("✗") };
    let file = paint.dim(&format!("{seconds:.1} s  {}", ran.file.display()));
    voice.say(&format!("{mark} {}  {file}", ran.name));
    match &ran.result {
        Ok(result) => {
            if verbose {
                result.steps.iter().for_each(|step| ran_step(voice, step));
            }
            for line in result.complaint().iter().flat_map(|complaint| complaint.lines()) {
                voice.say(&format!("  {line}"));
            }
        }
        Err(why) => voice.say(&format!("  {why}")),
    }
}

fn ran_step(voice: Voice, step: &StepResult) {
    voice.say(&format!("  {} {}", voice.paint.bold(&format!("{}.", step.n)), step.what));
    if let Some(report) = &step.report {
        sent(voice, report);
    }
}

/// Prints how all of them went.
pub fn ran_all(Voice { lang, paint, .. }: Voice, all: &[Ran]) {
    let passed = |ran: &&Ran| ran.result.as_ref().is_ok_and(|result| result.outcome == Passed);
    let (passed, total) = (all.iter().filter(passed).count(), all.len());
    let line = lang
        .pick(format!("{total} 个场景中通过 {passed} 个"), format!("{passed} of {total} scenarios passed"));
    let line = if passed == total { paint.green(&line) } else { paint.red(&line) };
    Voice { lang, paint }.say(&line);
}

/// Prints the deliveries, the answer, and the rules.
pub fn sent(voice: Voice, sent: &SendReport) {
    let Voice { lang, paint } = voice;
    for delivery in &sent.deliveries {
        voice.say(&format!("  {}", delivery_line(voice, delivery)));
    }
    if sent.shown.is_empty() {
        voice.say(&paint.dim(lang.pick("  （用户看不到任何回复）", "  (the user sees nothing)")));
    }
    for bubble in &sent.shown {
        let text = bubble.readable(lang);
        let text = if sent.error_line { paint.red(&text) } else { text };
        voice.say(&said_by(voice, lang.pick("公众号", "account"), &text));
    }
    for check in &sent.checks {
        voice.say(&format!("  {}", words::check_line(voice, check)));
    }
}

/// Prints whose settings signed a message that was turned away.
pub fn sealed_elsewhere(voice: Voice) {
    let Voice { lang, paint } = voice;
    let zh = "  由正在运行的 wx-sim dev 用它的设置签名；--port 0 则用这里的设置";
    let en = "  signed by the running wx-sim dev, with its settings; --port 0 uses those from here";
    voice.say(&paint.dim(lang.pick(zh, en)));
}

/// Prints what came by customer-service message.
pub fn pushed(voice: Voice, inbox: &Inbox, waited: u32) {
    let Voice { lang, paint } = voice;
    if inbox.typing {
        voice.say(&paint.dim(lang.pick("  （对方正在输入…）", "  (typing…)")));
    }
    for pushed in &inbox.messages {
        voice.say(&said_by(voice, lang.pick("客服消息", "customer message"), &pushed.shown.readable(lang)));
    }
    if inbox.messages.is_empty() && waited > 0 {
        let nothing = lang.pick("内没有客服消息", "passed without a customer message");
        voice.say(&paint.dim(&format!("  {waited} s {nothing}")));
    }
}

fn said(lang: Lang, request: &SendRequest) -> String {
    let attachment =
        |zh: &str, en: &str, what: &str| format!("[{}] {what}", lang.pick(zh, en)).trim_end().to_owned();
    match request {
        SendRequest { text: Some(text), .. } => text.clone(),
        SendRequest { image: Some(_), .. } => attachment("图片", "picture", ""),
        SendRequest { voice: Some(_), .. } => attachment("语音", "voice", ""),
        SendRequest { link: Some(link), .. } => attachment("链接", "link", &link.title),
        SendRequest { location: Some(place), .. } => attachment("位置", "place", &place.label),
        SendRequest { page: Some(page), .. } => attachment("小程序页面", "page", &page.path),
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
