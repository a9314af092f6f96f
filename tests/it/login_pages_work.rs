//! The login's pages at work: what they tell their script, what they do without it, and where their forms lead.

use wxapi::lang::Lang;
use wxapi::login::agent::Device;
use wxapi::login::method::Method;
use wxapi::login::page::{self, LoginPage, Note};
use wxapi::login::session::Status;

use crate::login_pages::{ID, QR, client, confirm, frame, login, page_of, refusals, view};
use crate::world::site::BLOG;

/// The start tag of `<main>`.
fn main_tag(html: &str) -> &str {
    html.split("<main").nth(1).unwrap().split('>').next().unwrap()
}

/// The value of an attribute of `<main>`.
fn data<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    main_tag(html).split(&format!(r#" data-{name}=""#)).nth(1).and_then(|rest| rest.split('"').next())
}

#[test]
fn the_script_is_told_all_it_needs() {
    let html = login(Method::Qr, Status::Pending, Device::Desktop, Lang::En);
    let again = format!("/oauth/s/{ID}?method=qr&amp;lang=en&amp;theme=dark");
    let expected = [
        ("login", Some(ID)),
        ("status", Some("pending")),
        ("page", Some(again.as_str())),
        ("origin", Some(BLOG)),
        ("state", Some("state-of-the-site")),
        ("lifetime", Some("180000")),
        ("ends-in", Some("130000")),
        ("rotate-in", Some("55000")),
        ("say", None),
        ("error", None),
    ];
    for (name, value) in expected {
        assert_eq!(data(&html, name), value, "{name}");
    }
    assert!(!main_tag(&html).contains("data-legacy"));
}

#[test]
fn a_code_is_renewed_only_while_nobody_has_scanned_it() {
    for (status, renewed) in [(Status::Pending, true), (Status::Scanned, false), (Status::Expired, false)] {
        let html = login(Method::Qr, status, Device::Desktop, Lang::Zh);
        assert_eq!(data(&html, "rotate-in").is_some(), renewed, "{status:?}");
    }
}

#[test]
fn changes_are_said_aloud_and_failures_told_to_the_older_class() {
    for status in
        [Status::Scanned, Status::Number, Status::Confirmed, Status::Done, Status::Denied, Status::Expired]
    {
        let html = login(Method::Qr, status, Device::Desktop, Lang::En);
        assert!(data(&html, "say").is_some_and(|text| text.len() > 8), "{status:?}");
        let failed = matches!(status, Status::Denied | Status::Expired);
        assert_eq!(data(&html, "error").is_some(), failed, "{status:?}");
    }
    let html = login(Method::Qr, Status::Pending, Device::Desktop, Lang::En);
    assert!(html.contains(r#"<p class="sr" id="say" role="status"></p>"#), "where it is said");
    let view = view("Deer", Method::Qr, Status::Pending, Lang::En);
    let client = client("Deer");
    let page = page_of(&client, &view, Device::Desktop);
    let html = page::login(&LoginPage { legacy: true, state: None, ..page });
    assert!(main_tag(&html).contains(" data-legacy"));
    assert_eq!(data(&html, "state"), None);
}

#[test]
fn without_a_window_to_tell_no_origin_is_named() {
    let view = view("Deer", Method::Qr, Status::Denied, Lang::En);
    let client = client("Deer");
    let page = page_of(&client, &view, Device::Desktop);
    let html =
        page::login(&LoginPage { origin: None, back: Some("https://blog.example.com/cb?error=x"), ..page });
    assert_eq!(data(&html, "origin"), None);
    assert!(html.contains(r#"<a href="https://blog.example.com/cb?error=x">Back to blog.example.com</a>"#));
    assert!(html.contains(r#"href="/oauth?client_id=deer&amp;state=Deer""#), "and again from the start");
}

#[test]
fn a_refusal_gives_the_script_nothing_to_send() {
    for html in refusals("https://evil.example", Lang::En) {
        for name in ["data-login", "data-origin", "data-state", "data-legacy", "data-page", "data-error"] {
            assert!(!html.contains(name), "{name}");
        }
    }
    let html = refusals("https://evil.example", Lang::En).swap_remove(0);
    assert!(html.contains("https://evil.example is not on the list"));
    assert!(html.contains("origin_not_allowed"));
}

#[test]
fn without_script_the_page_looks_again_but_never_while_somebody_types() {
    let refresh = |method, status| {
        let html = login(method, status, Device::Desktop, Lang::Zh);
        let address = format!("/oauth/s/{ID}?method={}&amp;lang=zh&amp;theme=dark", method.name());
        let tag = format!(r#"<noscript><meta http-equiv="refresh" content="3;url={address}"></noscript>"#);
        assert_eq!(html.contains("http-equiv"), html.contains(&tag));
        html.contains(&tag)
    };
    assert!(refresh(Method::Qr, Status::Pending));
    assert!(refresh(Method::Code, Status::Pending));
    assert!(refresh(Method::Typed, Status::Scanned));
    assert!(!refresh(Method::Typed, Status::Pending));
    for status in [Status::Number, Status::Confirmed, Status::Denied, Status::Expired, Status::Done] {
        assert!(!refresh(Method::Qr, status), "{status:?}");
    }
    let html = login(Method::Qr, Status::Confirmed, Device::Desktop, Lang::Zh);
    assert!(
        html.contains(&format!(r#"method="post" action="/oauth/s/{ID}/finish""#)),
        "the result by a form"
    );
}

#[test]
fn what_is_typed_is_typed_in_one_field_for_digits() {
    for (method, status, name) in
        [(Method::Typed, Status::Pending, "code"), (Method::Code, Status::Number, "number")]
    {
        let html = login(method, status, Device::Phone, Lang::En);
        assert_eq!(html.matches("<input").count(), 1);
        let field = html.split("<input").nth(1).unwrap().split('>').next().unwrap();
        assert!(field.contains(&format!(r#"name="{name}""#)));
        assert!(
            field.contains(r#"inputmode="numeric""#) && field.contains(r#"autocomplete="one-time-code""#)
        );
        let action = if name == "code" { "typed" } else { "number" };
        assert!(html.contains(&format!(r#"action="/oauth/s/{ID}/{action}""#)));
        assert!(html.contains("Tries left: 3"));
    }
    let view = view("Deer", Method::Typed, Status::Pending, Lang::En);
    let client = client("Deer");
    let page = page_of(&client, &view, Device::Desktop);
    let wrong = |left| page::login(&LoginPage { note: Some(Note::WrongCode { left }), ..page });
    assert!(wrong(2).contains("Tries left: 2."));
    assert!(wrong(0).contains("the last try"));
}

#[test]
fn every_way_is_one_step_away() {
    for device in [Device::Desktop, Device::Phone, Device::Wechat] {
        for shown in Method::ALL {
            let html = login(shown, Status::Pending, device, Lang::Zh);
            for method in Method::ALL.into_iter().filter(|method| *method != shown) {
                let here =
                    html.contains(&format!(r#"href="/oauth/s/{ID}?method={}&amp;lang=zh"#, method.name()));
                let away = html.contains(&format!(r#"href="/oauth/s/{ID}/go/{}" data-go"#, method.name()));
                // Only WeChat's own browser can be authorized in place.
                let expected = method != Method::Wechat || device == Device::Wechat;
                assert_eq!(here || away, expected, "{method:?} from {shown:?} on {device:?}");
            }
            assert_eq!(
                html.matches("aria-current").count(),
                usize::from(html.contains(r#"class="tabs""#) && !is_away(shown))
            );
        }
    }
}

fn is_away(method: Method) -> bool {
    matches!(method, Method::Wechat | Method::Open | Method::Github)
}

#[test]
fn a_phone_copies_the_code_and_opens_wechat() {
    let html = login(Method::Code, Status::Pending, Device::Phone, Lang::Zh);
    assert!(html.contains(r#"href="weixin://" data-copy="登录 482913""#));
    let html = login(Method::Code, Status::Pending, Device::Desktop, Lang::Zh);
    assert!(html.contains(r#"data-copy="登录 482913""#) && !html.contains("weixin://"));
}

#[test]
fn what_cannot_be_shown_says_so() {
    let view = view("Deer", Method::Scene, Status::Pending, Lang::En);
    let client = client("Deer");
    let page = page_of(&client, &view, Device::Desktop);
    let html = page::login(&LoginPage { qr: None, ..page });
    assert!(html.contains("This way does not work just now"));
    let long = "x".repeat(5_000);
    let html = page::login(&LoginPage { qr: Some(&long), ..page });
    assert!(html.contains("This way does not work just now"), "nor is a text drawn that no QR code can hold");
}

#[test]
fn a_phone_is_asked_with_the_number_before_it_confirms() {
    let html = confirm("Deer", Some([12, 47, 83]), false, Lang::En);
    assert!(html.contains(&format!(r#"method="post" action="/oauth/confirm/{ID}""#)));
    assert!(html.contains(r#"<input type="hidden" name="csrf" value="the-token">"#));
    for number in ["12", "47", "83"] {
        assert!(html.contains(&format!(r#"name="number" value="{number}">{number}</button>"#)));
    }
    assert!(html.contains("blog.example.com") && html.contains("16:20"));
    assert!(html.contains(r#"name="answer" value="no""#) && !html.contains(r#"value="yes""#));

    let html = confirm("Deer", Some([12, 47, 83]), true, Lang::En);
    assert!(!html.contains("47") && html.contains(r#"name="number" required"#), "nothing to choose from");

    let html = confirm("Deer", None, false, Lang::En);
    assert!(html.contains(r#"name="answer" value="yes""#) && html.contains("the site will see this name"));
    assert!(!html.contains("only an account ID"), "which would not be true then");
}

#[test]
fn a_result_is_posted_by_a_form() {
    let fields = [("code", "a&b"), ("state", "\"c\"")];
    let html = page::form_post(&frame("Deer", Lang::Zh), "https://blog.example.com/cb?x=1&y=2", &fields);
    assert!(
        html.contains(r#"<form method="post" action="https://blog.example.com/cb?x=1&amp;y=2" data-send>"#)
    );
    assert!(html.contains(r#"<input type="hidden" name="code" value="a&amp;b">"#));
    assert!(html.contains(r#"<input type="hidden" name="state" value="&quot;c&quot;">"#));
    assert!(!html.contains(QR));
}
