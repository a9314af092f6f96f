//! The browser and system of a User-Agent, for people, and the kind of device.

/// What the page is opened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// A desktop browser, or a tablet's: a phone can be held before it.
    Desktop,
    /// A phone's browser, other than WeChat's.
    Phone,
    /// WeChat's own browser.
    Wechat,
}

/// What a User-Agent says. The names are from lists of ours: whatever somebody writes there, no more than this is
/// shown to whoever confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The kind of device.
    pub device: Device,
    /// `Chrome`; empty if unknown.
    pub browser: &'static str,
    /// `Windows`; empty if unknown.
    pub system: &'static str,
}

/// No more of a User-Agent than this is read, bytes. WeChat's have about 400.
const LONGEST: usize = 1_024;

/// What browsers call themselves, and their names for people; the first that fits counts, because nearly all of them
/// name others too.
/// <https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Browser_detection_using_the_user_agent>
const BROWSERS: [(&str, &str); 31] = [
    ("wxwork/", "WeCom"),
    ("MicroMessenger/", "WeChat"),
    ("DingTalk/", "DingTalk"),
    ("AlipayClient/", "Alipay"),
    ("MQQBrowser/", "QQ Browser"),
    ("QQBrowser/", "QQ Browser"),
    (" QQ/", "QQ"),
    ("UCBrowser/", "UC Browser"),
    ("UCWEB/", "UC Browser"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("MiuiBrowser/", "Mi Browser"),
    ("VivoBrowser/", "vivo Browser"),
    ("HeyTapBrowser/", "HeyTap Browser"),
    ("baiduboxapp/", "Baidu"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("OPiOS/", "Opera"),
    ("Opera/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("Safari/", "Safari"),
];

/// What systems are called, in the same way: Android names Linux, and an iPhone is `like Mac OS X`.
const SYSTEMS: [(&str, &str); 12] = [
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("Windows", "Windows"),
    ("iPad", "iPadOS"),
    ("iPhone", "iOS"),
    ("iPod", "iOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
];

/// Reads a User-Agent.
pub fn read(user_agent: &str) -> Agent {
    let end = (0..=LONGEST.min(user_agent.len())).rev().find(|end| user_agent.is_char_boundary(*end));
    let text = user_agent.get(..end.unwrap_or(0)).unwrap_or_default();
    let name = |names: &[(&str, &'static str)]| {
        names.iter().find(|(token, _)| text.contains(token)).map_or("", |(_, name)| *name)
    };
    let (browser, system) = (name(&BROWSERS), name(&SYSTEMS));
    let device = match system {
        _ if browser == "WeChat" => Device::Wechat,
        "iOS" => Device::Phone,
        "Android" | "HarmonyOS" if text.contains("Mobile") => Device::Phone,
        _ => Device::Desktop,
    };
    Agent { device, browser, system }
}
