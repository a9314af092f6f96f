//! The pages that a phone sees.

use maud::{DOCTYPE, Markup, html};

use super::client::Client;
use super::session::{Consent, Failure, Fault};
use crate::lang::Lang;

/// What every page has.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The language.
    pub lang: Lang,
    /// Light or dark, if it is not the system's choice.
    pub theme: Option<Theme>,
    /// The Worker's host.
    pub host: &'a str,
    /// What the account is called.
    pub account_name: Option<&'a str>,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The question before a login.
#[derive(Clone, Debug)]
pub struct ConfirmPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The website.
    pub client: &'a Client,
    /// The host that the result goes to.
    pub site_host: &'a str,
    /// What is asked.
    pub consent: &'a Consent,
    /// The attempt's name.
    pub login: &'a str,
    /// What the form must bring back.
    pub csrf: &'a str,
    /// `16:20`, in China.
    pub when: &'a str,
    /// The number is typed instead of chosen.
    pub type_number: bool,
}

/// What a phone is told in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneResult {
    /// Logged in: look at the computer.
    Done,
    /// You said no.
    Denied,
    /// The attempt has ended, or is not this phone's.
    Gone,
    /// Another phone was first.
    Taken,
    /// The QR code has ended.
    Stale,
    /// Tap 使用完整服务.
    Snapshot,
    /// WeChat's code had ended: once more.
    Restart,
    /// It does not work just now: take another way.
    Down,
    /// WeChat sees a risk.
    Blocked,
    /// You said no at the other's page.
    Refused,
    /// Scan with WeChat.
    OpenInWechat,
    /// The number was wrong, so nobody is logged in.
    WrongNumber,
    /// The phone has no handle, or another's.
    NotYours,
    /// The way to another's login page did not begin here.
    State,
    /// It cannot be answered now.
    NotNow,
    /// WeChat told no unionid.
    NoUnionid,
}

impl From<Failure> for PhoneResult {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Restart => Self::Restart,
            Failure::Snapshot => Self::Snapshot,
            Failure::Blocked => Self::Blocked,
            Failure::Refused => Self::Refused,
            Failure::NoUnionid => Self::NoUnionid,
            Failure::Down => Self::Down,
        }
    }
}

impl From<Fault> for PhoneResult {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Gone | Fault::Grant => Self::Gone,
            Fault::NotYours => Self::NotYours,
            Fault::Stale => Self::Stale,
            Fault::Taken => Self::Taken,
            Fault::NotNow => Self::NotNow,
            Fault::State => Self::State,
            Fault::Wrong { .. } => Self::WrongNumber,
            Fault::Unavailable => Self::Down,
        }
    }
}

/// The question.
pub fn confirm(page: &ConfirmPage<'_>) -> String {
    let lang = page.frame.lang;
    let choices = page.consent.choices.filter(|_| !page.type_number);
    let place = &page.consent.place;
    let body = html! {
        h1 { (lang.pick("登录到", "Log in to")) " " (page.client.name) }
        p { (page.site_host) }
        p { (place.browser) " " (place.system) " " (place.city) " " (place.country) " " (page.when) }
        form method="post" action={ "/oauth/confirm/" (page.login) } {
            input type="hidden" name="csrf" value=(page.csrf);
            @if let Some(choices) = choices {
                @for number in choices {
                    label { input type="radio" name="number" value=(number) required; (number) }
                }
            }
            @if page.type_number {
                input name="number" inputmode="numeric" pattern="[0-9]{2}" required;
            }
            button name="answer" value="yes" { (lang.pick("确认登录", "Log in")) }
            button name="answer" value="no" formnovalidate { (lang.pick("不是我", "Not me")) }
        }
    };
    document(&page.frame, lang.pick("确认登录", "Log in"), &body)
}

/// What a phone is told in the end.
pub fn result(
    frame: &Frame<'_>,
    client_name: Option<&str>,
    outcome: PhoneResult,
    restart: Option<&str>,
) -> String {
    let lang = frame.lang;
    let (zh, en) = match outcome {
        PhoneResult::Done => ("已登录，请看电脑", "Done: look at your computer"),
        PhoneResult::Denied => ("没有登录", "Nobody was logged in"),
        PhoneResult::Gone | PhoneResult::NotYours | PhoneResult::State | PhoneResult::NotNow => {
            ("这次登录已结束，请回到网站重新开始", "This login has ended: begin again on the website")
        }
        PhoneResult::Taken => ("二维码已被另一部手机扫过", "Another phone has scanned this QR code"),
        PhoneResult::Stale => ("二维码已过期，请刷新后再扫", "This QR code has ended: scan the new one"),
        PhoneResult::Snapshot => ("请点“使用完整服务”", "Tap 使用完整服务 below"),
        PhoneResult::Restart => ("授权已失效，请再试一次", "That took too long: try once more"),
        PhoneResult::Down | PhoneResult::NoUnionid => {
            ("暂时无法登录，请换一种方式", "This does not work just now: take another way")
        }
        PhoneResult::Blocked => ("微信认为此账号有风险", "WeChat sees a risk in this user"),
        PhoneResult::Refused => ("你没有同意授权", "You did not agree"),
        PhoneResult::OpenInWechat => ("请用微信“扫一扫”打开", "Open this with the scanner of WeChat"),
        PhoneResult::WrongNumber => ("数字不对，没有登录", "That was not the number: nobody was logged in"),
    };
    let title = lang.pick(zh, en);
    let body = html! {
        h1 { (title) }
        @if let Some(name) = client_name { p { (name) } }
        @if let Some(restart) = restart { a href=(restart) { (lang.pick("重试", "Try again")) } }
    };
    document(frame, title, &body)
}

fn document(frame: &Frame<'_>, title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang=(frame.lang.pick("zh-CN", "en")) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
            }
            body {
                main { (body) }
                footer { (frame.account_name.unwrap_or(frame.host)) }
            }
        }
    };
    page.into_string()
}
