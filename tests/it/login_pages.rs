//! The login's pages as the Worker renders them: what is in them, and what must never be.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use qrcodegen::{QrCode, QrCodeEcc};
use wxapi::lang::Lang;
use wxapi::login::agent::Device;
use wxapi::login::client::Client;
use wxapi::login::method::Method;
use wxapi::login::page::{self, ConfirmPage, Frame, LoginPage, Note, PhoneResult, Refused, Theme};
use wxapi::login::session::{Consent, Failure, Fault, Place, Status, View};

use crate::world::site::{self, BLOG};

pub const ID: &str = "0123456789abcdef0123456789abcdef";
pub const QR: &str = "https://login.example.dev/m/0123456789abcdef0123456789abcdefa1b2c3d4e5f60718293a4b5c";
const ACCOUNT_QR: &str = "http://weixin.qq.com/r/example";
const LANGS: [Lang; 2] = [Lang::Zh, Lang::En];
const DEVICES: [Device; 3] = [Device::Desktop, Device::Phone, Device::Wechat];
const STATUSES: [Status; 7] = [
    Status::Pending,
    Status::Scanned,
    Status::Number,
    Status::Confirmed,
    Status::Denied,
    Status::Expired,
    Status::Done,
];
const FAILURES: [Failure; 6] = [
    Failure::Restart,
    Failure::Snapshot,
    Failure::Blocked,
    Failure::Refused,
    Failure::NoUnionid,
    Failure::Down,
];
const FAULTS: [Fault; 9] = [
    Fault::Gone,
    Fault::NotYours,
    Fault::Stale,
    Fault::Taken,
    Fault::NotNow,
    Fault::State,
    Fault::Wrong { left: 0 },
    Fault::Grant,
    Fault::Unavailable,
];

pub fn client(name: &str) -> Client {
    Client { name: name.to_owned(), ..site::client("deer", BLOG) }
}

fn place(name: &str) -> Place {
    let name = name.to_owned();
    Place { country: "CN".to_owned(), city: name.clone(), browser: name.clone(), system: name }
}

pub fn frame(name: &str, lang: Lang) -> Frame<'_> {
    Frame { lang, theme: Some(Theme::Dark), host: "login.example.dev", account_name: Some(name) }
}

pub fn view(name: &str, method: Method, status: Status, lang: Lang) -> View {
    View {
        again: format!("/oauth?client_id=deer&state={name}"),
        status,
        method,
        methods: Method::ALL.to_vec(),
        token: None,
        scene: None,
        code: (method == Method::Code).then(|| "482913".to_owned()),
        number: (status != Status::Number).then_some(47),
        place: place(name),
        lang,
        ends_in: 130_000,
        rotate_in: Some(55_000),
        left: Some(3),
        form_target: None,
        fallen_back: false,
    }
}

/// The login page. Every name in it is the client's.
pub fn page_of<'a>(client: &'a Client, view: &'a View, device: Device) -> LoginPage<'a> {
    let drawn = matches!(view.method, Method::Qr | Method::Scene | Method::Menu);
    LoginPage {
        frame: frame(&client.name, view.lang),
        client,
        site_host: "blog.example.com",
        view,
        login: ID,
        qr: drawn.then_some(QR),
        account_qr: Some(ACCOUNT_QR),
        device,
        note: None,
        failure: None,
        origin: Some(BLOG),
        state: Some("state-of-the-site"),
        back: None,
        legacy: false,
        profile: false,
    }
}

pub fn login(method: Method, status: Status, device: Device, lang: Lang) -> String {
    page::login(&page_of(&client("Deer"), &view("Deer", method, status, lang), device))
}

pub fn confirm(name: &str, choices: Option<[u8; 3]>, type_number: bool, lang: Lang) -> String {
    let consent = Consent {
        client: "deer".to_owned(),
        place: place(name),
        choices,
        name: choices.is_none().then(|| name.to_owned()),
        status: Status::Scanned,
        by: Method::Qr,
    };
    page::confirm(&ConfirmPage {
        frame: frame(name, lang),
        client: &client(name),
        site_host: "blog.example.com",
        consent: &consent,
        login: ID,
        csrf: "the-token",
        when: "16:20",
        type_number,
    })
}

fn results(name: &str, lang: Lang) -> Vec<String> {
    let own = [PhoneResult::Done, PhoneResult::Denied, PhoneResult::OpenInWechat];
    let failures = FAILURES.into_iter().map(PhoneResult::from);
    let faults = FAULTS.into_iter().map(PhoneResult::from);
    let outcomes: HashSet<String> =
        own.into_iter().chain(failures.clone()).chain(faults.clone()).map(|one| format!("{one:?}")).collect();
    assert_eq!(outcomes.len(), 16, "every outcome is reached");
    let show = |outcome| page::result(&frame(name, lang), Some(name), outcome, Some(name));
    own.into_iter().chain(failures).chain(faults).map(show).collect()
}

pub fn refusals(name: &str, lang: Lang) -> Vec<String> {
    let reasons = [
        Refused::OriginNotAllowed { origin: name },
        Refused::UnknownClient,
        Refused::BadRedirectUri,
        Refused::BadRequest { what: "" },
        Refused::BadRequest { what: name },
        Refused::TooManyAttempts,
        Refused::CookiesNeeded,
        Refused::NotYours,
        Refused::Gone,
        Refused::NotConfigured,
        Refused::ServiceDown,
    ];
    reasons.iter().map(|reason| page::refused(&frame(name, lang), reason, name)).collect()
}

/// Every page in `lang`, with what it is. Every name in it is `name`.
fn all(name: &str, lang: Lang) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let client = client(name);
    for (device, method, status) in states() {
        let view = view(name, method, status, lang);
        let plain = page_of(&client, &view, device);
        let noted = LoginPage { note: Some(Note::WrongCode { left: 2 }), back: Some("/back"), ..plain };
        let bare = LoginPage { account_qr: None, qr: None, origin: None, ..plain };
        for (how, page) in [("", plain), ("noted", noted), ("bare", bare)] {
            pages.push((format!("{method:?} {status:?} {device:?} {how}"), page::login(&page)));
        }
    }
    let view = view(name, Method::Qr, Status::Pending, lang);
    for failure in FAILURES {
        let plain = page_of(&client, &view, Device::Desktop);
        let failed = LoginPage { failure: Some(failure), note: Some(Note::FellBack), ..plain };
        pages.push((format!("{failure:?}"), page::login(&failed)));
    }
    for (choices, typed) in [(Some([12, 47, 83]), false), (Some([12, 47, 83]), true), (None, false)] {
        pages.push(("confirm".to_owned(), confirm(name, choices, typed, lang)));
    }
    pages.extend(results(name, lang).into_iter().map(|page| ("result".to_owned(), page)));
    pages.extend(refusals(name, lang).into_iter().map(|page| ("refused".to_owned(), page)));
    let posted = page::form_post(&frame(name, lang), name, &[("code", name), ("state", name)]);
    pages.push(("form_post".to_owned(), posted));
    pages
}

fn states() -> impl Iterator<Item = (Device, Method, Status)> {
    let methods = DEVICES.into_iter().flat_map(|device| Method::ALL.map(|method| (device, method)));
    methods.flat_map(|(device, method)| STATUSES.map(|status| (device, method, status)))
}

/// What is between tags.
fn visible(html: &str) -> String {
    html.split('<')
        .filter_map(|part| part.split_once('>'))
        .map(|(_, text)| text)
        .collect::<Vec<_>>()
        .join("\n")
}

fn has_chinese(text: &str) -> bool {
    text.chars().any(|char| ('\u{3000}'..='\u{9fff}').contains(&char))
}

#[test]
fn no_name_becomes_markup() {
    let name = r#"<img src=x onerror=alert(1)>"' ><script>alert(2)</script>&"#;
    for lang in LANGS {
        for (what, html) in all(name, lang) {
            assert!(!html.contains("<img src=x"), "{what}");
            assert!(!html.contains("<script>"), "{what}");
            assert!(!html.contains(r#""' >"#), "{what}");
        }
    }
}

#[test]
fn no_page_has_a_style_or_a_script_of_its_own() {
    for (what, html) in all("Deer", Lang::En) {
        assert_eq!(html.matches("<script").count(), 1, "{what}");
        assert!(html.contains(r#"<script type="module" src="/login.js"></script>"#), "{what}");
        assert!(!html.contains("<style") && !html.contains("javascript:"), "{what}");
        for tag in html.split('<').filter_map(|part| part.split('>').next()) {
            // Every second piece is a value.
            for name in tag.split('"').step_by(2).flat_map(|names| names.split([' ', '='])).skip(1) {
                assert!(name != "style" && !name.starts_with("on"), "{what}: {tag}");
            }
        }
    }
}

#[test]
fn every_page_speaks_one_language() {
    for (what, html) in all("Deer", Lang::En) {
        // The link to the other language is in that language.
        let html = html.replacen("<span>中文</span>", "", 1);
        assert!(!has_chinese(&html), "{what}: {}", visible(&html));
    }
    for (what, html) in all("Deer", Lang::Zh) {
        let main = html.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
        assert!(has_chinese(&visible(main)), "{what}");
        let words = ["login ", "Log in", "Scan", "again", "window", "code "];
        let english = words.iter().find(|word| visible(main).contains(**word));
        assert!(english.is_none(), "{what}: {english:?}");
    }
}

#[test]
fn every_gap_of_a_sentence_is_filled() {
    for lang in LANGS {
        for (what, html) in all("Deer", lang) {
            assert!(!visible(&html).contains("{}"), "{what}");
            let said = html.split(r#"data-say=""#).nth(1).and_then(|rest| rest.split('"').next());
            assert!(!said.unwrap_or_default().contains("{}"), "{what}");
        }
    }
}

#[test]
fn what_is_drawn_is_the_code_around_its_mark() {
    let html = login(Method::Qr, Status::Pending, Device::Desktop, Lang::Zh);
    let path = html.split(r#"class="ink" d=""#).nth(1).unwrap().split('"').next().unwrap();
    let code = QrCode::encode_text(QR, QrCodeEcc::Medium).unwrap();
    assert!(
        html.contains(&format!(r#"viewBox="0 0 {0} {0}""#, code.size() + 8)),
        "four white modules around"
    );
    let mut drawn = HashSet::new();
    // `M4 4.5h7m2 0h1`: to where a row begins, a run of 7, two on, a run of 1.
    for row in path.split('M').skip(1) {
        let y: i32 = row.split([' ', '.']).nth(1).unwrap().parse().unwrap();
        let mut x = 0;
        for step in row.split('m') {
            let (by, run) = step.split_once('h').unwrap();
            let run: i32 = run.parse().unwrap();
            x += by.split(' ').next().unwrap().parse::<i32>().unwrap();
            drawn.extend((x..x + run).map(|x| (x - 4, y - 4)));
            x += run;
        }
    }
    let all = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
    let black: HashSet<_> = all.filter(|(x, y)| code.get_module(*x, *y)).collect();
    assert_eq!(drawn, black);
}

#[test]
fn in_wechat_there_is_one_picture_for_a_long_press() {
    for method in [Method::Qr, Method::Scene, Method::Menu, Method::Code, Method::Typed] {
        let html = login(method, Status::Pending, Device::Wechat, Lang::Zh);
        assert_eq!(html.matches("<img").count(), 1, "{method:?}");
        assert!(!html.contains(r#"class="qr" viewBox"#), "{method:?}: no drawing beside it");
        let said = if matches!(method, Method::Code | Method::Typed) { ACCOUNT_QR } else { QR };
        let data = html.split("data:image/png;base64,").nth(1).unwrap().split('"').next().unwrap();
        check_png(&STANDARD.decode(data).unwrap(), &QrCode::encode_text(said, QrCodeEcc::Medium).unwrap());
    }
}

/// The picture is a PNG of the code, eight pixels per module, with its white border.
fn check_png(png: &[u8], code: &QrCode) {
    let side = usize::try_from(code.size()).unwrap() + 8;
    let pixels = u32::try_from(side * 8).unwrap().to_be_bytes();
    assert_eq!(png[..8], [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a]);
    assert_eq!(png[16..24], [pixels, pixels].concat());
    assert_eq!(png[24..29], [1, 0, 0, 0, 0], "one bit of grey");
    // The checksum of the empty chunk at the end is the same in every PNG.
    assert!(png.ends_with(&hex::decode("0000000049454e44ae426082").unwrap()));
    let length = usize::try_from(u32::from_be_bytes(png[33..37].try_into().unwrap())).unwrap();
    // After the header of zlib and that of one stored block; before the sum.
    let rows = &png[41 + 7..41 + length - 4];
    assert_eq!(rows.len(), side * 8 * (side + 1));
    let mut line = vec![0_u8; side];
    for (y, row) in rows.chunks(side + 1).enumerate() {
        assert_eq!(row[0], 2, "each row is the difference to the one above");
        for (x, difference) in row[1..].iter().enumerate() {
            line[x] = line[x].wrapping_add(*difference);
            let place = |at: usize| i32::try_from(at).unwrap() - 4;
            assert_eq!(line[x] == 0, code.get_module(place(x), place(y / 8)), "{x} {y}");
        }
    }
}
