//! What a message or an event means to a login. Most mean nothing, and are found out cheaply.

use super::code::{DIGITS, MORE_DIGITS};
use super::id;
use crate::wechat::event::{Event, SubscribeSource};
use crate::wechat::message::{Inbound, Message};

/// A longer text is no word of ours, bytes.
const LONGEST: usize = 48;
/// What the scene of a parametric QR code of ours begins with; attempt and token follow.
pub const SCENE_PREFIX: &str = "wxl_";

const LOGIN: [&str; 6] = ["登录", "登陆", "登入", "login", "log in", "sign in"];
const YES: [&str; 5] = ["确认登录", "确认", "确定", "confirm", "yes"];
/// With a number behind them these would be another number, or another word.
const YES_ALONE: [&str; 3] = ["1", "y", "是"];
const NO: [&str; 8] = ["取消登录", "取消", "不是我", "否", "cancel", "not me", "no", "n"];
const OUT: [&str; 6] = ["退出登录", "退出", "登出", "log out", "logout", "sign out"];

/// What somebody means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// `登录 482913`.
    Code(String),
    /// `482913`, which may be a question like any other.
    Bare(String),
    /// A QR code of ours was scanned.
    Scanned(Scanned),
    /// `确认`, `确认 47`: means something while a question waits.
    Yes(Option<u8>),
    /// `47`: means something while a question waits that shows numbers.
    Number(u8),
    /// `取消`: means something while a question waits.
    No,
    /// `退出`: means something after a login.
    Out,
    /// `登录` and no more: how does it work?
    How,
}

/// A QR code of ours that was scanned in WeChat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Which code.
    pub by: By,
    /// The attempt.
    pub login: String,
    /// What else it says.
    pub token: String,
    /// By scanning it, they began to follow the account.
    pub follows: bool,
}

/// The two QR codes that reach us by an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The account's parametric code.
    Scene,
    /// The page's own code, by a button of the menu.
    Menu,
}

/// What `inbound` means; `None` if nothing to a login.
pub fn of(inbound: &Inbound) -> Option<Word> {
    match &inbound.message {
        Message::Text { content, .. } if content.len() <= LONGEST => typed(content),
        Message::Event(event) => scanned(event).map(Word::Scanned),
        _ => None,
    }
}

fn scanned(event: &Event) -> Option<Scanned> {
    let (by, text, follows) = match event {
        Event::Scan { scene, .. } => (By::Scene, scene.strip_prefix(SCENE_PREFIX)?, false),
        Event::Subscribe { source: SubscribeSource::QrScene(scene), .. } => {
            (By::Scene, scene.strip_prefix(SCENE_PREFIX)?, true)
        }
        Event::ScanCode { waits: true, scan_result, .. } => (By::Menu, after_origin(scan_result)?, false),
        _ => return None,
    };
    let (login, token) = id::split(text, id::TOKEN_DIGITS)?;
    Some(Scanned { by, login: login.to_owned(), token: token.to_owned(), follows })
}

/// What follows `https://<host>/m/`. The host may be anything: attempt and token are known to the page only.
fn after_origin(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    rest.split_once('/')?.1.strip_prefix("m/")
}

fn typed(content: &str) -> Option<Word> {
    let text: String = content.chars().map(narrow).collect();
    let text = text.trim().trim_end_matches(['.', '!', '。', '！']).trim_end();
    if let Some(code) = code(text) {
        return Some(Word::Bare(code));
    }
    if let Some(rest) = after(text, &LOGIN) {
        return if rest.is_empty() { Some(Word::How) } else { given(rest).map(Word::Code) };
    }
    if OUT.contains(&text) {
        return Some(Word::Out);
    }
    if NO.contains(&text) {
        return Some(Word::No);
    }
    if YES_ALONE.contains(&text) {
        return Some(Word::Yes(None));
    }
    if let Some(rest) = after(text, &YES) {
        return if rest.is_empty() {
            Some(Word::Yes(None))
        } else {
            number(rest).map(|n| Word::Yes(Some(n)))
        };
    }
    number(text).map(Word::Number)
}

/// Digits, letters and blanks of Chinese keyboards, and capitals, are what they stand for.
fn narrow(character: char) -> char {
    match character {
        '\u{3000}' | '\u{a0}' => ' ',
        // The full-width forms are as far from ASCII as the full-width exclamation mark is.
        '！'..='～' => u32::from(character)
            .checked_sub(u32::from('！') - u32::from('!'))
            .and_then(char::from_u32)
            .map_or(character, |narrow| narrow.to_ascii_lowercase()),
        other => other.to_ascii_lowercase(),
    }
}

/// What follows one of `words`, with a blank or a colon between or not.
fn after<'a>(text: &'a str, words: &[&str]) -> Option<&'a str> {
    let rest = words.iter().find_map(|word| text.strip_prefix(word))?;
    Some(rest.trim_start_matches([':', '#']).trim())
}

/// Six or eight digits, perhaps in two halves.
fn code(text: &str) -> Option<String> {
    let code = match text.split_once([' ', '-']) {
        Some((first, second)) if first.len() == second.len() => format!("{first}{second}"),
        Some(_) => return None,
        None => text.to_owned(),
    };
    let fine = matches!(code.len(), DIGITS | MORE_DIGITS) && code.bytes().all(|byte| byte.is_ascii_digit());
    fine.then_some(code)
}

/// Whatever was meant as a code: digits, whether or not they can be one.
fn given(text: &str) -> Option<String> {
    let code: String = text.chars().filter(|character| !matches!(character, ' ' | '-')).collect();
    let fine = (4..=12).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    fine.then_some(code)
}

/// A number of two digits.
fn number(text: &str) -> Option<u8> {
    let fine = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| fine)
}
