//! Every sentence of the pages, in Chinese and English. `{}` is where a name or a number goes.

// Long because every sentence stands here twice.

use super::{Note, PhoneResult, Refused};
use crate::lang::Lang;
use crate::login::agent::Device;
use crate::login::method::Method;
use crate::login::session::Failure;

/// Sentences that stand on every page, or on one page in one place.
pub(super) struct Text {
    pub log_in_to: &'static str,
    pub other_language: &'static str,
    pub provided_by: &'static str,
    pub only_id: &'static str,
    pub also_name: &'static str,
    pub other_ways: &'static str,
    pub ways: &'static str,
    pub account: &'static str,
    pub some_account: &'static str,
    pub ends_in: &'static str,
    pub refresh: &'static str,
    pub qr_label: &'static str,
    pub account_qr_label: &'static str,
    pub follows_first: &'static str,
    pub not_following: &'static str,
    pub scan_to_follow: &'static str,
    pub press_to_follow: &'static str,
    pub save_to_follow: &'static str,
    pub copy: &'static str,
    pub copy_and_open: &'static str,
    pub copied: &'static str,
    pub waiting: &'static str,
    pub code_label: &'static str,
    pub log_in: &'static str,
    pub tries_left: &'static str,
    pub number_label: &'static str,
    pub same_number: &'static str,
    pub this_login: &'static str,
    pub offline: &'static str,
    pub opened_by_you: &'static str,
    pub device: &'static str,
    pub place: &'static str,
    pub time: &'static str,
    pub logged_in_as: &'static str,
    pub choose_number: &'static str,
    pub type_number: &'static str,
    pub confirm: &'static str,
    pub deny: &'static str,
    pub close: &'static str,
    pub back_to: &'static str,
    pub try_again: &'static str,
    pub cannot_log_in: &'static str,
    pub request_id: &'static str,
    pub sending: &'static str,
    pub go_on: &'static str,
    pub time_zone: &'static str,
}

impl Text {
    /// The sentences of a language.
    pub(super) fn of(lang: Lang) -> &'static Self {
        lang.pick(&ZH, &EN)
    }
}

static ZH: Text = Text {
    log_in_to: "登录到 {}",
    other_language: "English",
    provided_by: "由 {} 提供",
    only_id: "只获取账号标识",
    also_name: "获取账号标识、昵称和头像",
    other_ways: "其他登录方式",
    ways: "登录方式",
    account: "公众号「{}」",
    some_account: "本站公众号",
    ends_in: "{} 后失效",
    refresh: "刷新",
    qr_label: "登录二维码",
    account_qr_label: "公众号二维码",
    follows_first: "首次登录会先关注{}",
    not_following: "还没关注？",
    scan_to_follow: "用微信扫一扫，关注{}",
    press_to_follow: "长按识别二维码，关注{}",
    save_to_follow: "保存二维码，再用微信从相册识别",
    copy: "复制",
    copy_and_open: "复制口令并打开微信",
    copied: "已复制",
    waiting: "等待口令…",
    code_label: "公众号回复的验证码",
    log_in: "登录",
    tries_left: "还可再试 {} 次",
    number_label: "两位数字",
    same_number: "手机上应显示同样的数字",
    this_login: "本次登录：",
    offline: "网络已断开，正在重新连接（第 {} 次），二维码无需重新扫描。",
    opened_by_you: "只有您自己刚刚打开了这个网站的登录页，才可以继续。",
    device: "设备",
    place: "地点",
    time: "时间",
    logged_in_as: "以「{}」的身份登录，网站会看到这个昵称",
    choose_number: "登录页上显示的是哪个数字？",
    type_number: "请输入登录页上显示的两位数字",
    confirm: "确认登录",
    deny: "不是我，取消",
    close: "关闭窗口",
    back_to: "返回 {}",
    try_again: "重试",
    cannot_log_in: "无法登录",
    request_id: "请求编号",
    sending: "正在返回网站…",
    go_on: "继续",
    time_zone: "（北京时间）",
};

static EN: Text = Text {
    log_in_to: "Log in to {}",
    other_language: "中文",
    provided_by: "By {}",
    only_id: "only an account ID",
    also_name: "account ID, name and picture",
    other_ways: "Another way",
    ways: "Ways to log in",
    account: "{}",
    some_account: "the site’s account",
    ends_in: "ends in {}",
    refresh: "Refresh",
    qr_label: "QR code to log in",
    account_qr_label: "QR code of the account",
    follows_first: "The first time, you follow {}",
    not_following: "Not following yet?",
    scan_to_follow: "Scan with WeChat to follow {}",
    press_to_follow: "Press and hold the QR code to follow {}",
    save_to_follow: "Save the QR code, then scan it from WeChat’s album",
    copy: "Copy",
    copy_and_open: "Copy and open WeChat",
    copied: "Copied",
    waiting: "Waiting for the code…",
    code_label: "Code from the account",
    log_in: "Log in",
    tries_left: "Tries left: {}",
    number_label: "Two digits",
    same_number: "Your phone should show this number",
    this_login: "This login: ",
    offline: "Connection lost, trying again (attempt {}). No need to scan again.",
    opened_by_you: "Go on only if you have just opened this site’s login page yourself.",
    device: "Device",
    place: "Place",
    time: "Time",
    logged_in_as: "You log in as “{}”; the site will see this name",
    choose_number: "Which number does the login page show?",
    type_number: "Type the two digits that the login page shows",
    confirm: "Log in",
    deny: "Not me, cancel",
    close: "Close this window",
    back_to: "Back to {}",
    try_again: "Try again",
    cannot_log_in: "Cannot log in",
    request_id: "request",
    sending: "Going back to the site…",
    go_on: "Continue",
    time_zone: " (Beijing time)",
};

/// The method's name on its tab: short.
pub(super) fn tab(method: Method, device: Device, lang: Lang) -> &'static str {
    match (method, device) {
        (Method::Qr | Method::Scene | Method::Menu, Device::Phone) => {
            lang.pick("用另一台手机扫", "Another phone")
        }
        (Method::Qr | Method::Scene | Method::Menu, _) => lang.pick("扫码登录", "Scan"),
        (Method::Code, Device::Phone) => lang.pick("在本机登录", "This phone"),
        (Method::Code, _) => lang.pick("口令登录", "Send a code"),
        (Method::Typed, _) => lang.pick("验证码登录", "Type a code"),
        (Method::Wechat | Method::Open | Method::Github, _) => way(method, lang),
    }
}

/// The method's name in the list of all: it tells it from its like.
pub(super) fn way(method: Method, lang: Lang) -> &'static str {
    match method {
        Method::Qr => lang.pick("微信扫码登录", "Scan with WeChat"),
        Method::Scene => lang.pick("扫公众号二维码登录", "Scan the account’s QR code"),
        Method::Menu => lang.pick("用公众号菜单扫码", "Scan by the account’s menu"),
        Method::Code => lang.pick("把口令发给公众号", "Send a code to the account"),
        Method::Typed => lang.pick("输入公众号给的验证码", "Type a code from the account"),
        Method::Wechat => lang.pick("用当前微信登录", "Log in with this WeChat"),
        Method::Open => lang.pick("用微信登录", "Log in with WeChat"),
        Method::Github => lang.pick("用 GitHub 登录", "Log in with GitHub"),
    }
}

/// What to do with a QR code. `{}` is the account.
pub(super) fn scan(method: Method, device: Device, lang: Lang) -> &'static str {
    match (method, device) {
        (Method::Menu, _) => lang.pick("打开{}，用菜单里的「扫一扫」", "Open {} and scan from its menu"),
        (_, Device::Wechat) => lang.pick("长按识别二维码", "Press and hold the QR code"),
        (_, Device::Phone) => lang.pick("用另一台手机的微信「扫一扫」", "Scan with WeChat on another phone"),
        (_, Device::Desktop) => lang.pick("打开微信「扫一扫」", "Open WeChat and tap Scan"),
    }
}

/// How to send the code, step by step. `{}` is the account.
pub(super) fn code_steps(device: Device, lang: Lang) -> &'static [&'static str] {
    match device {
        Device::Phone => lang.pick(
            &["点下面的按钮，口令会自动复制", "在{}里粘贴发送，并确认", "回到本页，自动完成登录"],
            &[
                "Tap the button: it copies the code",
                "Send it to {} and confirm",
                "Come back: this page goes on by itself",
            ],
        ),
        Device::Desktop | Device::Wechat => lang.pick(
            &["在微信里打开{}", "发送下面这串口令，并在回复里确认"],
            &["Open {} in WeChat", "Send the code below, and confirm"],
        ),
    }
}

/// How to get a code to type. `{}` is the account.
pub(super) fn typed_steps(lang: Lang) -> [&'static str; 2] {
    lang.pick(
        ["在微信里打开{}，发送「登录」", "把回复里的验证码输入到下面"],
        ["Open {} in WeChat and send “login”", "Type the code that it answers with"],
    )
}

/// The message that logs in.
pub(super) fn words(code: &str, lang: Lang) -> String {
    format!("{} {code}", lang.pick("登录", "login"))
}

/// A state of the login page that has no QR code: what it is, what to do, and what stands below.
pub(super) struct State {
    pub title: &'static str,
    pub text: &'static str,
    pub below: &'static str,
}

/// Somebody has answered and must confirm.
pub(super) fn scanned(method: Method, lang: Lang) -> State {
    let (title, text, below) = match method {
        Method::Qr => lang.pick(
            ("已扫码", "请在手机上选择下面的数字", "请在手机上确认"),
            ("Scanned", "Choose the number below on your phone", "Confirm on your phone"),
        ),
        Method::Wechat | Method::Open | Method::Github => lang.pick(
            ("还差一步", "登录还没有确认", "请继续完成登录"),
            ("One more step", "This login is not confirmed yet", "Please go on"),
        ),
        _ => lang.pick(
            ("已收到", "请在微信对话里确认", "请在微信里确认"),
            ("Received", "Answer in the WeChat chat", "Confirm in WeChat"),
        ),
    };
    State { title, text, below }
}

/// The number is to be typed.
pub(super) fn number(lang: Lang) -> State {
    let (title, text, below) = lang.pick(
        ("输入数字", "公众号的回复里有两位数字", "请输入微信里收到的数字"),
        ("Type the number", "The account has sent you two digits", "Type the digits from the WeChat chat"),
    );
    State { title, text, below }
}

/// Where the way leads.
pub(super) fn away(method: Method, lang: Lang) -> &'static str {
    match method {
        Method::Github => lang.pick("将打开 GitHub 的登录页", "This opens GitHub’s login page"),
        _ => lang.pick("将打开微信的登录页", "This opens WeChat’s login page"),
    }
}

/// The result can be taken, by a window that waits for it or by going there. `{}` is the website's host.
pub(super) fn confirmed(window: bool, lang: Lang) -> State {
    let (title, text) = lang.pick(("登录成功", "正在返回 {}…"), ("Logged in", "Going back to {}…"));
    let below = match window {
        true => lang.pick("窗口会自动关闭", "This window closes by itself"),
        false => lang.pick("马上就好", "One moment"),
    };
    State { title, text, below }
}

/// The result was taken.
pub(super) fn done(lang: Lang) -> State {
    let (title, text, below) = lang.pick(
        ("登录已完成", "可以关闭这个窗口了", "请回到原来的页面"),
        ("Login complete", "You can close this window", "Go back to the page you came from"),
    );
    State { title, text, below }
}

/// Somebody said no.
pub(super) fn denied(lang: Lang) -> State {
    let (title, text, below) = lang.pick(
        ("已取消登录", "没有登录，也没有分享任何信息", "如果不是您本人操作，忽略即可"),
        (
            "Cancelled",
            "You are not logged in, and nothing was shared",
            "If it was not you, there is nothing to do",
        ),
    );
    State { title, text, below }
}

/// Too late.
pub(super) fn expired(lang: Lang) -> State {
    let (title, text, below) = lang.pick(
        ("已失效", "登录页只在几分钟内有效", "点上方按钮继续"),
        ("Timed out", "A login page lasts a few minutes", "Tap the button above to go on"),
    );
    State { title, text, below }
}

/// The QR code has ended on a page that was left alone.
pub(super) fn stale(lang: Lang) -> State {
    let (title, text, below) = lang.pick(
        ("二维码已失效", "已自动刷新 3 次", "点上方按钮继续"),
        ("QR code ended", "It was renewed 3 times", "Tap the button above to go on"),
    );
    State { title, text, below }
}

/// The way cannot be shown.
pub(super) fn unavailable(lang: Lang) -> State {
    let (title, text, below) = lang.pick(
        ("暂时不可用", "这种登录方式现在用不了", "请重试，或换一种登录方式"),
        ("Not available", "This way does not work just now", "Try again, or use another way"),
    );
    State { title, text, below }
}

/// What came of the last thing that the person did.
pub(super) fn note(note: Note, lang: Lang) -> String {
    match note {
        Note::WrongCode { left } | Note::WrongNumber { left } if left > 0 => match lang {
            Lang::Zh => format!("输入有误，还可再试 {left} 次。"),
            Lang::En => format!("That was not right. Tries left: {left}."),
        },
        Note::WrongCode { .. } | Note::WrongNumber { .. } => {
            lang.pick("输入有误，不能再试了。", "That was not right, and it was the last try.").to_owned()
        }
        Note::FellBack => lang
            .pick(
                "所选的登录方式暂时不可用，已换成这一种。",
                "The way you chose does not work just now; this is another.",
            )
            .to_owned(),
    }
}

/// Why another's login was of no use.
pub(super) fn failure(failure: Failure, lang: Lang) -> &'static str {
    let PhoneText { text, .. } = result(failure.into(), lang);
    text
}

/// A page of the phone: the icon is chosen by [`super::phone`].
pub(super) struct PhoneText {
    pub title: &'static str,
    pub text: &'static str,
}

/// What a phone reads at the end.
// Long because there are so many ends.
pub(super) fn result(outcome: PhoneResult, lang: Lang) -> PhoneText {
    let (title, text) = match outcome {
        PhoneResult::Done => lang.pick(
            ("登录成功", "请看刚才显示二维码的屏幕。如果不是您本人操作，请立即在那个网站退出登录。"),
            ("Logged in", "Look at the screen with the QR code. If this was not you, log out on that site at once."),
        ),
        PhoneResult::Denied => lang.pick(
            ("已取消", "没有登录，也没有分享任何信息。"),
            ("Cancelled", "Nobody was logged in, and nothing was shared."),
        ),
        PhoneResult::WrongNumber => lang.pick(
            ("数字不一致", "为了安全，这次登录已取消。如果是您本人，请在网站上重新登录。"),
            ("The numbers differ", "To be safe, this login was cancelled. If it was you, begin again on the site."),
        ),
        PhoneResult::Gone => lang.pick(
            ("登录已结束", "请回到网站，重新登录。"),
            ("This login has ended", "Go back to the site and begin again."),
        ),
        PhoneResult::Taken => lang.pick(
            ("已被扫描", "另一台手机先扫了这个二维码。如果不是您的手机，请刷新二维码再扫。"),
            ("Already scanned", "Another phone was first. If it is not yours, refresh the QR code and scan again."),
        ),
        PhoneResult::Stale => lang.pick(
            ("二维码已失效", "请扫屏幕上最新的二维码。"),
            ("QR code ended", "Scan the QR code that the screen shows now."),
        ),
        PhoneResult::NotYours => lang.pick(
            ("无法继续", "这个页面属于另一台设备，或者浏览器没有保存 Cookie。请重新扫码。"),
            ("Cannot go on", "This page belongs to another device, or the browser keeps no cookies. Scan again."),
        ),
        PhoneResult::State => lang.pick(
            ("无法继续", "这个链接不是从这里打开的，或已经用过。请重新扫码。"),
            ("Cannot go on", "This link was not opened from here, or was used before. Scan again."),
        ),
        PhoneResult::NotNow => lang.pick(
            ("现在不能操作", "这次登录已经处理过，或还没有开始。"),
            ("Nothing to do", "This login was dealt with already, or has not begun."),
        ),
        PhoneResult::Snapshot => lang.pick(
            ("请使用完整服务", "当前是快照页，无法确认您的身份。请点页面底部的「使用完整服务」，然后重试。"),
            ("Full service needed", "This is a snapshot of the page, which cannot tell who you are. Tap “Use full service” at the bottom, then try again."),
        ),
        PhoneResult::Restart => lang.pick(
            ("请再试一次", "授权已失效或已用过，请重新开始。"),
            ("Please try again", "The authorization has ended or was used. Begin again."),
        ),
        PhoneResult::Blocked => lang.pick(
            ("微信拒绝了登录", "微信认为这个账号有风险，暂时不能用来登录。"),
            ("WeChat refused", "WeChat considers this account a risk; it cannot log in just now."),
        ),
        PhoneResult::Refused => lang.pick(
            ("您没有同意授权", "没有登录，也没有分享任何信息。"),
            ("You did not agree", "Nobody was logged in, and nothing was shared."),
        ),
        PhoneResult::NoUnionid => lang.pick(
            ("无法登录", "没有得到本站需要的账号标识。请换一种登录方式。"),
            ("Cannot log in", "The account ID that is needed here was not given. Use another way."),
        ),
        PhoneResult::Down => lang.pick(
            ("服务暂时不可用", "请稍后重试，或换一种登录方式。"),
            ("Not available", "Try again later, or use another way."),
        ),
        PhoneResult::OpenInWechat => lang.pick(
            ("请用微信扫码", "这个二维码要用微信的「扫一扫」打开。"),
            ("Scan with WeChat", "This QR code is to be opened by Scan in WeChat."),
        ),
    };
    PhoneText { title, text }
}

/// Why nobody can log in, and what the website's operator can do. `{}` is what [`Refused`] holds.
// Long because there are so many reasons.
pub(super) fn refused(reason: &Refused, lang: Lang) -> PhoneText {
    let (title, text) = match reason {
        Refused::OriginNotAllowed { .. } => lang.pick(
            ("这个网站没有登记", "{} 不在允许列表里，已停止登录。网站管理员请把它加到 LOGIN_CLIENTS 的 origins 里。"),
            ("This site is not registered", "{} is not on the list, so the login was stopped. If you run the site, add it to origins in LOGIN_CLIENTS."),
        ),
        Refused::UnknownClient => lang.pick(
            ("没有这个网站", "client_id 没有登记。网站管理员请检查 LOGIN_CLIENTS。"),
            ("No such site", "The client_id is not registered. If you run the site, check LOGIN_CLIENTS."),
        ),
        Refused::BadRedirectUri => lang.pick(
            ("返回地址没有登记", "为了安全，已停止登录。网站管理员请把 redirect_uri 原样加到 LOGIN_CLIENTS 里。"),
            ("The way back is not registered", "To be safe, the login was stopped. If you run the site, add the exact redirect_uri to LOGIN_CLIENTS."),
        ),
        Refused::BadRequest { what: "" } => lang.pick(
            ("请求有误", "请回到网站，重新登录。"),
            ("The request makes no sense", "Go back to the site and begin again."),
        ),
        Refused::BadRequest { .. } => lang.pick(
            ("请求有误", "请回到网站，重新登录。给开发者：{}"),
            ("The request makes no sense", "Go back to the site and begin again. For developers: {}"),
        ),
        Refused::TooManyAttempts => lang.pick(
            ("登录太频繁", "请过几分钟再试。"),
            ("Too many logins", "Try again in a few minutes."),
        ),
        Refused::CookiesNeeded => lang.pick(
            ("需要 Cookie", "请允许本站使用 Cookie，然后重新登录。"),
            ("Cookies are needed", "Allow cookies for this site, then begin again."),
        ),
        Refused::NotYours => lang.pick(
            ("这不是您打开的登录页", "请在自己的浏览器里，从网站重新登录。"),
            ("This login page is not yours", "Begin again from the site, in your own browser."),
        ),
        Refused::Gone => lang.pick(
            ("登录已结束", "请回到网站，重新登录。"),
            ("This login has ended", "Go back to the site and begin again."),
        ),
        Refused::NotConfigured => lang.pick(
            ("登录还没有设置好", "网站管理员请查看 Worker 的日志。"),
            ("Login is not set up", "If you run the site, see the Worker’s log."),
        ),
        Refused::ServiceDown => lang.pick(
            ("服务暂时不可用", "请稍后重试。"),
            ("Not available", "Try again later."),
        ),
    };
    PhoneText { title, text }
}
