//! Which methods a page offers, and what a User-Agent says.

use wxapi::login::agent::{Device, read};
use wxapi::login::method::Method::{Code, Github, Menu, Open, Qr, Scene, Typed, Wechat};
use wxapi::login::method::{Abilities, Method, offered};

use crate::world::browser::CHROME;

const EVERYTHING: Abilities =
    Abilities { chat: true, oauth: true, scene: true, open: true, github: true, allowed: Vec::new() };

/// An account with these abilities, and `LOGIN_METHODS` as it is by default.
fn account(abilities: &Abilities) -> Abilities {
    Abilities { allowed: vec![Wechat, Qr, Scene, Open, Code], ..abilities.clone() }
}

fn all_allowed(abilities: &Abilities) -> Abilities {
    Abilities { allowed: Method::ALL.to_vec(), ..abilities.clone() }
}

/// The kinds of accounts.
fn accounts() -> [(&'static str, Abilities); 6] {
    let nothing = Abilities::default();
    let chat = Abilities { chat: true, ..nothing.clone() };
    let open = Abilities { open: true, ..nothing.clone() };
    [
        ("nothing", nothing),
        ("any account with a Token", chat.clone()),
        ("verified service account", Abilities { oauth: true, scene: true, ..chat.clone() }),
        ("the same, messages not in secure mode", Abilities { oauth: true, scene: true, ..open.clone() }),
        ("website application alone", open),
        ("account and website application", Abilities { open: true, ..chat }),
    ]
}

#[test]
fn the_account_and_the_device_decide() {
    let expected: [[&[Method]; 3]; 6] = [
        [&[], &[], &[]],
        [&[Code], &[Code], &[Code]],
        [&[Qr, Scene, Code], &[Code, Qr, Scene], &[Wechat, Code, Scene]],
        [&[Qr, Open], &[Qr], &[Wechat]],
        [&[Open], &[], &[]],
        [&[Open, Code], &[Code], &[Code]],
    ];
    for ((name, abilities), expected) in accounts().iter().zip(expected) {
        for (device, expected) in [Device::Desktop, Device::Phone, Device::Wechat].into_iter().zip(expected) {
            let offered = offered(&account(abilities), device, None, None);
            assert_eq!(offered, expected, "{name}, {device:?}");
        }
    }
}

#[test]
fn what_is_off_by_default_comes_last_where_it_is_allowed() {
    let all = all_allowed(&EVERYTHING);
    let offered = |device| offered(&all, device, None, None);
    assert_eq!(offered(Device::Desktop), [Qr, Open, Scene, Code, Menu, Typed, Github]);
    assert_eq!(offered(Device::Phone), [Code, Qr, Scene, Menu, Typed, Github]);
    assert_eq!(offered(Device::Wechat), [Wechat, Code, Scene, Typed, Github]);
}

/// Every combination: nothing impossible, nothing forbidden, nothing twice; a pinned method is alone, and what was
/// asked for comes first without driving others out.
#[test]
fn no_combination_offers_what_cannot_be() {
    let bits = |number: u32| {
        let bit = |at: u32| number & (1 << at) != 0;
        let allowed = Method::ALL.into_iter().zip(5..).filter(|(_, at)| bit(*at)).map(|(method, _)| method);
        let allowed = allowed.collect();
        Abilities { chat: bit(0), oauth: bit(1), scene: bit(2), open: bit(3), github: bit(4), allowed }
    };
    let choices = || std::iter::once(None).chain(Method::ALL.map(Some));
    let mut seen = 0;
    for abilities in (0..1 << 13).map(bits) {
        for device in [Device::Desktop, Device::Phone, Device::Wechat] {
            let plain = offered(&abilities, device, None, None);
            for (place, method) in plain.iter().enumerate() {
                assert!(abilities.can(*method), "{method:?} {abilities:?}");
                assert!(!plain[..place].contains(method), "{method:?} twice");
                let inside = device == Device::Wechat;
                assert!(if inside { *method != Qr } else { *method != Wechat }, "{method:?} {device:?}");
            }
            for choice in choices() {
                let pinned = offered(&abilities, device, choice, None);
                assert!(choice.is_none() || pinned.len() <= 1, "{choice:?} {pinned:?}");
                assert!(pinned.iter().all(|method| plain.contains(method)));
                let mut asked = offered(&abilities, device, None, choice);
                if choice.is_some_and(|choice| plain.contains(&choice)) {
                    assert_eq!(asked.first().copied(), choice);
                } else {
                    assert_eq!(asked, plain);
                }
                asked.sort_by_key(|method| plain.iter().position(|other| other == method));
                assert_eq!(asked, plain);
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 8_192 * 3 * 9);
}

#[test]
fn a_pinned_method_is_the_only_one() {
    let all = all_allowed(&EVERYTHING);
    for (pinned, device, expected) in [
        (Code, Device::Desktop, vec![Code]),
        (Scene, Device::Phone, vec![Scene]),
        (Github, Device::Wechat, vec![Github]),
        (Open, Device::Desktop, vec![Open]),
        // The Open Platform's page shows a QR code, which a phone cannot show to itself.
        (Open, Device::Phone, vec![]),
        (Menu, Device::Wechat, vec![]),
        // Web authorization, from inside and from outside.
        (Qr, Device::Wechat, vec![Wechat]),
        (Wechat, Device::Desktop, vec![Qr]),
        (Wechat, Device::Phone, vec![Qr]),
        (Wechat, Device::Wechat, vec![Wechat]),
    ] {
        assert_eq!(offered(&all, device, Some(pinned), Some(Typed)), expected, "{pinned:?} {device:?}");
    }
    let able = Abilities { allowed: vec![Qr], ..EVERYTHING };
    assert_eq!(offered(&able, Device::Wechat, Some(Qr), None), [], "the operator allowed no wechat");
}

#[test]
fn what_is_asked_for_comes_first_if_it_can_be() {
    let service = account(&accounts()[2].1);
    assert_eq!(offered(&service, Device::Desktop, None, Some(Code)), [Code, Qr, Scene]);
    assert_eq!(offered(&service, Device::Desktop, None, Some(Github)), [Qr, Scene, Code]);
    assert_eq!(offered(&service, Device::Wechat, None, Some(Scene)), [Scene, Wechat, Code]);
}

#[test]
// Long because it is a table.
fn browsers_and_systems_have_names() {
    use Device::{Desktop, Phone, Wechat as InWechat};
    let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)";
    let iphone =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
    let android = "Mozilla/5.0 (Linux; Android 14; 23127PN0CC) AppleWebKit/537.36 (KHTML, like Gecko)";
    let harmony = "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile";
    for (text, device, browser, system) in [
        (CHROME.to_owned(), Desktop, "Chrome", "Windows"),
        (format!("{CHROME} Edg/142.0.0.0"), Desktop, "Edge", "Windows"),
        (format!("{CHROME} OPR/120.0.0.0"), Desktop, "Opera", "Windows"),
        (
            format!("{CHROME} NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat(0x63090c33)"),
            InWechat,
            "WeChat",
            "Windows",
        ),
        (format!("{CHROME} wxwork/4.1.0 MicroMessenger/7.0.1 WindowsWechat"), Desktop, "WeCom", "Windows"),
        (format!("{mac} Version/18.1 Safari/605.1.15"), Desktop, "Safari", "macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned(), Desktop, "Firefox", "Linux"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/142.0.0.0 Safari/537.36".to_owned(), Desktop, "Chrome", "ChromeOS"),
        (format!("{iphone} Version/18.1 Mobile/15E148 Safari/604.1"), Phone, "Safari", "iOS"),
        (format!("{iphone} CriOS/142.0 Mobile/15E148 Safari/604.1"), Phone, "Chrome", "iOS"),
        (format!("{iphone} FxiOS/145.0 Mobile/15E148 Safari/604.1"), Phone, "Firefox", "iOS"),
        (format!("{iphone} Mobile/15E148 MicroMessenger/8.0.54(0x18003633) NetType/4G"), InWechat, "WeChat", "iOS"),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1".to_owned(),
            Desktop,
            "Safari",
            "iPadOS",
        ),
        (format!("{android} Chrome/142.0.0.0 Mobile Safari/537.36"), Phone, "Chrome", "Android"),
        (format!("{android} Chrome/142.0.0.0 Safari/537.36"), Desktop, "Chrome", "Android"),
        (format!("{android} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"), Phone, "Samsung Internet", "Android"),
        (format!("{android} Version/4.0 Chrome/123.0 MQQBrowser/15.4 Mobile Safari/537.36"), Phone, "QQ Browser", "Android"),
        (format!("{android} Version/4.0 Chrome/100.0 UCBrowser/17.5 Mobile Safari/537.36"), Phone, "UC Browser", "Android"),
        (
            format!("{android} Version/4.0 Chrome/130.0 MQQBrowser/6.2 Mobile Safari/537.36 XWEB/1300259 MMWEBSDK/20240404 MicroMessenger/8.0.49.2600(0x28003133) WeChat/arm64"),
            InWechat,
            "WeChat",
            "Android",
        ),
        (format!("{android} Mobile Safari/537.36 wxwork/4.1.36 MicroMessenger/7.0.1"), Phone, "WeCom", "Android"),
        (format!("{harmony} HuaweiBrowser/5.0.4.300"), Phone, "Huawei Browser", "HarmonyOS"),
        (harmony.to_owned(), Phone, "Chrome", "HarmonyOS"),
        (String::new(), Desktop, "", ""),
        ("curl/8.9.1".to_owned(), Desktop, "", ""),
        ("<script>alert(1)</script>\r\nset-cookie: x".to_owned(), Desktop, "", ""),
    ] {
        let agent = read(&text);
        assert_eq!((agent.device, agent.browser, agent.system), (device, browser, system), "{text}");
    }
}

#[test]
fn a_user_agent_without_end_is_not_read_to_its_end() {
    let long = format!("{}{CHROME}", "鸿".repeat(100_000));
    assert_eq!(read(&long).browser, "");
    // Cut in the middle of a character.
    let shifted = format!("x{long}");
    assert_eq!(read(&shifted).system, "");
    assert_eq!(read(&format!("{CHROME}{long}")).browser, "Chrome");
}
