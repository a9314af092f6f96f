//! Every sentence about a login that somebody can read in the chat, in Chinese and English.
//!
//! What can be tapped can always be typed too, and the sentence says what.

use super::session::Place;
use crate::lang::Lang;
use crate::wechat::reply::menu_link;

/// No name from outside is shown at greater length, characters.
const NAME_LIMIT: usize = 60;

/// A website, as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is; empty if unknown.
    pub host: String,
}

/// The texts of one account.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    /// Their language.
    pub lang: Lang,
}

impl Texts {
    fn pick(self, zh: &str, en: &str) -> String {
        self.lang.pick(zh, en).to_owned()
    }

    fn link(self, zh: &str, en: &str) -> String {
        let word = self.lang.pick(zh, en);
        menu_link(word, word)
    }

    fn site(self, site: &Site) -> String {
        let (name, host) = (plain(&site.name), plain(&site.host));
        match self.lang {
            _ if host.is_empty() || host == name => name,
            Lang::Zh => format!("{name}（{host}）"),
            Lang::En => format!("{name} ({host})"),
        }
    }

    fn place(self, place: &Place) -> (String, String) {
        let join = |parts: [&str; 2], between: &str| {
            let parts: Vec<String> =
                parts.iter().map(|part| plain(part)).filter(|part| !part.is_empty()).collect();
            if parts.is_empty() { self.pick("未知", "unknown") } else { parts.join(between) }
        };
        (join([&place.city, &place.country], ", "), join([&place.browser, &place.system], " / "))
    }

    /// Whether they mean it: with three numbers to tap if `choices` are there, else with a yes and the number that the
    /// page should show.
    pub fn confirm(self, site: &Site, place: &Place, choices: Option<[u8; 3]>, shown: Option<u8>) -> String {
        let (site, (city, device)) = (self.site(site), self.place(place));
        let head = match self.lang {
            Lang::Zh => format!("您正在登录 {site}\n地点：{city}\n设备：{device}\n\n"),
            Lang::En => format!("You are logging in to {site}\nPlace: {city}\nDevice: {device}\n\n"),
        };
        let number = shown.map_or_else(String::new, |number| match self.lang {
            Lang::Zh => format!("登录页上的数字应是 {number}\n"),
            Lang::En => format!("The login page should show the number {number}\n"),
        });
        let warning = self.pick(
            "只有登录页是您自己打开的，才可以点确认。",
            "Confirm only if you opened the login page yourself.",
        );
        format!("{head}{number}{}\n{warning}", self.question(choices))
    }

    /// What can be answered.
    pub fn question(self, choices: Option<[u8; 3]>) -> String {
        let cancel = self.link("取消", "cancel");
        let Some(choices) = choices else {
            let confirm = self.link("确认", "confirm");
            return match self.lang {
                Lang::Zh => format!("点击或回复：{confirm}　{cancel}"),
                Lang::En => format!("Tap or type: {confirm}   {cancel}"),
            };
        };
        let word = self.lang.pick("确认", "confirm");
        let [first, second, third] =
            choices.map(|number| menu_link(&format!("[ {number} ]"), &format!("{word} {number}")));
        match self.lang {
            Lang::Zh => format!(
                "登录页上显示的是哪个数字？点击或回复它：\n{first}　{second}　{third}\n不是您本人操作：{cancel}"
            ),
            Lang::En => format!(
                "Which number does the login page show? Tap or type it:\n{first}   {second}   {third}\nNot you: {cancel}"
            ),
        }
    }

    /// They said yes: this is the alert too.
    pub fn confirmed(self, site: &Site) -> String {
        let (site, out) = (self.site(site), self.link("退出", "log out"));
        match self.lang {
            Lang::Zh => format!("您刚刚登录了 {site}。\n如果不是您本人操作，请回复 {out}"),
            Lang::En => format!("You have just logged in to {site}.\nIf it was not you, reply {out}"),
        }
    }

    /// They said yes, and must type a number on the page.
    pub fn type_number(self, site: &Site, number: u8) -> String {
        let (site, cancel) = (self.site(site), self.link("取消", "cancel"));
        match self.lang {
            Lang::Zh => format!(
                "最后一步：请在 {site} 的登录页上输入数字 {number}。\n不要告诉任何人。如果不是您本人操作，请回复 {cancel}"
            ),
            Lang::En => format!(
                "One step left: type the number {number} on the login page of {site}.\nTell it to nobody. If it was not you, reply {cancel}"
            ),
        }
    }

    /// The number was not that of the page.
    pub fn wrong_number(self) -> String {
        self.pick(
            "数字不对，这次登录已取消。请刷新登录页再试；如果登录页不是您打开的，忽略即可。",
            "That is not the number, so this login was cancelled. Reload the login page to try again; if you did not open one, there is nothing to do.",
        )
    }

    /// They said no.
    pub fn cancelled(self) -> String {
        self.pick(
            "已取消，没有登录，也没有分享任何信息。",
            "Cancelled. Nobody was logged in and nothing was shared.",
        )
    }

    /// They said no after a yes.
    pub fn too_late_to_cancel(self, site: &Site) -> String {
        let (site, out) = (self.site(site), self.link("退出", "log out"));
        match self.lang {
            Lang::Zh => format!("您已经登录了 {site}。要撤销，请回复 {out}"),
            Lang::En => format!("You are already logged in to {site}. To take it back, reply {out}"),
        }
    }

    /// The last login was taken back.
    pub fn revoked(self, site: &Site) -> String {
        let site = self.site(site);
        match self.lang {
            Lang::Zh => format!(
                "已撤销 {site} 的登录：我们发给它的凭证不再有效。如果那里还显示已登录，请在那里也退出。"
            ),
            Lang::En => format!(
                "The login to {site} was taken back: what we gave it is no longer valid. Should it still show you as logged in, log out there too."
            ),
        }
    }

    /// The last login is too old to be taken back here.
    pub fn too_late_to_revoke(self, site: &Site) -> String {
        let site = self.site(site);
        match self.lang {
            Lang::Zh => format!("登录 {site} 已超过 10 分钟，这里无法再撤销，请在那里退出。"),
            Lang::En => format!(
                "The login to {site} is more than ten minutes old and cannot be taken back here. Please log out there."
            ),
        }
    }

    /// The code is nobody's.
    pub fn unknown_code(self) -> String {
        self.pick(
            "口令不对，可能输错了或已过期。请发送登录页上当前显示的口令。",
            "There is no such code; it may be mistyped or too old. Please send the one that the login page shows now.",
        )
    }

    /// That was one wrong code too many.
    pub fn too_many_misses(self) -> String {
        self.pick(
            "错误次数太多，请 10 分钟后再试。",
            "That was wrong too often. Please try again in ten minutes.",
        )
    }

    /// The attempt, or its QR code, has ended.
    pub fn expired(self) -> String {
        self.pick(
            "这次登录已超时，请刷新登录页再试。",
            "This login has timed out. Please reload the login page and try again.",
        )
    }

    /// The attempt is another's, or over.
    pub fn over(self) -> String {
        self.pick(
            "这次登录已经结束。如需登录，请刷新登录页。",
            "This login is over. To log in, please reload the login page.",
        )
    }

    /// Somebody else answered first.
    pub fn taken(self) -> String {
        self.pick(
            "已经有人在用这个码登录。请刷新登录页，用新的码再试。",
            "Somebody else is logging in with this code already. Please reload the login page and use the new one.",
        )
    }

    /// `登录` alone.
    pub fn how(self) -> String {
        self.pick(
            "要登录网站：打开它的登录页，把上面显示的口令发给我，例如「登录 123456」。",
            "To log in to a website, open its login page and send me the digits that it shows, like this: login 123456",
        )
    }

    /// `登录` alone, where the page takes a code from here.
    pub fn given(self, code: &str) -> String {
        match self.lang {
            Lang::Zh => format!(
                "您的验证码：{code}\n5 分钟内有效，只能用一次。\n只在您自己打开的登录页上输入；不要告诉任何人，谁拿到它谁就能以您的身份登录。"
            ),
            Lang::En => format!(
                "Your login code: {code}\nIt lives for five minutes and can be used once.\nType it only on a login page that you opened yourself, and tell it to nobody: whoever has it can log in as you."
            ),
        }
    }

    /// The message was not encrypted, so anybody may have sent it.
    pub fn not_encrypted(self) -> String {
        self.pick(
            "这个公众号没有开启消息加密（安全模式），所以不能用消息登录。请联系网站的管理员。",
            "This account has no message encryption (secure mode), so messages cannot log in. Please tell the website's operator.",
        )
    }

    /// The message is too old.
    pub fn stale(self) -> String {
        self.pick(
            "这条消息到得太晚，不能用来登录。请再发一次。",
            "This message came too late to log in with. Please send it again.",
        )
    }

    /// Who they are could not be found out, or there is no code to be had.
    pub fn unavailable(self) -> String {
        self.pick("暂时无法用这种方式登录，请稍后再试，或在登录页上换一种方式。", "This way to log in does not work just now. Please try again later, or choose another on the login page.")
    }
}

/// What comes from outside, without what would be markup, and not too long.
fn plain(text: &str) -> String {
    let fine = |character: &char| !character.is_control() && !matches!(character, '<' | '>');
    text.trim().chars().filter(fine).take(NAME_LIMIT).collect()
}
