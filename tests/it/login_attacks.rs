//! Attacks on the way to another's login page and back, each of which must fail.

use wxapi::login::Digest;
use wxapi::login::method::Method;
use wxapi::login::page::PhoneResult;
use wxapi::login::session::{Call, Fault, Reply, Status};
use wxapi::platform::Response;

use crate::login_play::*;
use crate::world::{ORIGIN, World, run};

/// A computer that shows a QR code, and a phone.
async fn scene(world: &World) -> (Visitor, Visitor, Attempt) {
    let (computer, phone) = (Visitor::computer(world, CHROME), Visitor::new(world, WECHAT));
    let attempt = begin(world, &computer, &[Method::Qr, Method::Code]).await;
    (computer, phone, attempt)
}

/// The same, with the phone before the question.
async fn asked_scene(world: &World) -> (Visitor, Attempt, String) {
    let (_, phone, attempt) = scene(world).await;
    scan_and_return(&attempt, &phone, CODE).await;
    let csrf = csrf(&phone.get(&attempt.confirm()).await);
    (phone, attempt, csrf)
}

#[track_caller]
fn check_refused(response: &Response, status: u16) {
    assert_eq!(response.status, status, "{}", response.body);
    assert_eq!(header(response, "location"), "");
    check_headers(response, "same-origin");
}

#[track_caller]
fn check_headers(response: &Response, opener: &str) {
    let policy = header(response, "content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self';"] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", opener),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("strict-transport-security", "max-age=31536000"),
        ("x-robots-tag", "noindex, nofollow"),
    ] {
        assert_eq!(header(response, name), value, "{name}");
    }
    assert!(!header(response, "permissions-policy").is_empty());
}

/// Somebody is sent a link with the `state` of an attempt that another began: one silent tap must not log that in.
#[test]
fn a_callback_without_the_phones_cookie_is_refused() {
    run(async {
        let world = world();
        let (_, phone, attempt) = scene(&world).await;
        let gone = phone.get(&attempt.scanned().await).await;
        let address = back(&location(&gone), CODE);
        let victim = Visitor::new(&world, WECHAT);
        check_refused(&victim.get(&address).await, 403);
        let other = Visitor::computer(&world, WECHAT);
        let own = begin(&world, &other, &[Method::Wechat]).await;
        other.follow(&format!("/oauth/s/{}/go/wechat", own.id)).await;
        assert!(other.cookie("__Host-wxm").is_some());
        assert_eq!(other.get(&address).await.status, 403);
        assert!(world.api_calls().is_empty(), "WeChat was not asked");
        assert_eq!(location(&phone.get(&address).await), attempt.confirm(), "the phone itself still can");
        check_log(&world);
    });
}

#[test]
fn a_state_works_for_its_own_attempt_its_own_page_and_its_first_code() {
    run(async {
        let world = world();
        let (computer, phone, attempt) = scene(&world).await;
        let other = begin(&world, &computer, &[Method::Qr]).await;
        let one = location(&phone.get(&attempt.scanned().await).await);
        let two = location(&phone.get(&other.scanned().await).await);
        let (one, two) = (parameter(&one, "state"), parameter(&two, "state"));
        let mixed = format!("{}{}", &one[..32], &two[32..]);
        for (path, state, code) in [
            ("wechat", mixed.as_str(), CODE),
            ("open", one.as_str(), CODE),
            ("github", one.as_str(), CODE),
            ("wechat", &one[..63], CODE),
            ("wechat", "", CODE),
            ("wechat", "../../etc/passwd", CODE),
            ("wechat", &one.to_ascii_uppercase(), CODE),
            ("wechat", &format!("{one}&state={one}"), CODE),
            ("wechat", &one, &"a".repeat(600)),
            ("wechat", &one, "081a&code=081b"),
        ] {
            let address = format!("{ORIGIN}/oauth/{path}?code={code}&state={state}");
            check_refused(&phone.get(&address).await, 403);
        }
        assert!(world.api_calls().is_empty());
        let good = format!("{ORIGIN}/oauth/wechat?code={CODE}&state={one}");
        assert_eq!(location(&phone.get(&good).await), attempt.confirm());
        let reused = format!("{ORIGIN}/oauth/wechat?code=081another&state={one}");
        check_refused(&phone.get(&reused).await, 403);
        assert_eq!(asked(&world, "/sns/oauth2/access_token").len(), 1);
    });
}

#[test]
fn a_second_phone_comes_too_late() {
    run(async {
        let world = world();
        let (_, phone, attempt) = scene(&world).await;
        let address = attempt.scanned().await;
        phone.get(&address).await;
        let second = Visitor::new(&world, WECHAT);
        check_refused(&second.get(&address).await, 409);
        assert_eq!(phone.get(&address).await.status, 303, "the first may scan again");
        check_refused(&second.get(&attempt.confirm()).await, 403);
    });
}

#[test]
fn a_picture_of_an_old_qr_code_is_worth_nothing() {
    run(async {
        let world = world();
        let (_, phone, attempt) = scene(&world).await;
        let address = attempt.scanned().await;
        world.pass(60_000).await;
        check_refused(&phone.get(&address).await, 410);
        assert_eq!(attempt.status().await, Status::Pending);
        let token = "0".repeat(24);
        for nonsense in [
            format!("/m/{}{token}", attempt.id),
            format!("/m/{}{token}", "0".repeat(32)),
            format!("/m/{}", attempt.id),
            "/m/x".to_owned(),
            format!("/m/{}{token}", "é".repeat(16)),
        ] {
            check_refused(&phone.get(&nonsense).await, 410);
        }
        assert_eq!(phone.get(&attempt.scanned().await).await.status, 303);
    });
}

#[test]
fn an_attempt_that_has_ended_is_of_no_use_to_a_phone() {
    run(async {
        let world = world();
        let (_, phone, attempt) = scene(&world).await;
        let gone = phone.get(&attempt.scanned().await).await;
        let address = back(&location(&gone), CODE);
        world.pass(180_001).await;
        check_refused(&phone.get(&address).await, 410);
        check_refused(&phone.follow(&format!("/oauth/s/{}/go/qr", attempt.id)).await, 410);
        assert!(world.api_calls().is_empty());
        world.pass(600_000).await;
        check_refused(&phone.get(&address).await, 410);
        check_refused(&phone.get(&attempt.confirm()).await, 410);
    });
}

#[test]
fn a_question_that_waited_too_long_cannot_be_answered() {
    run(async {
        let world = world();
        let (phone, attempt, csrf) = asked_scene(&world).await;
        let number = attempt.number().await;
        world.pass(361_000).await;
        for _ in 0..2 {
            let late = phone.submit(&attempt.confirm(), &[("csrf", &csrf), ("number", &number)]).await;
            check_refused(&late, 410);
        }
        assert_eq!(attempt.status().await, Status::Expired);
    });
}

#[test]
fn a_wrong_number_ends_the_attempt() {
    run(async {
        let world = world();
        let (phone, attempt, csrf) = asked_scene(&world).await;
        let number = attempt.number().await;
        let wrong = if number == "10" { "11" } else { "10" };
        let no = phone.submit(&attempt.confirm(), &[("csrf", &csrf), ("number", wrong)]).await;
        check_refused(&no, 403);
        check_told(&no, PhoneResult::WrongNumber);
        assert_eq!(attempt.status().await, Status::Denied);
        let late = phone.submit(&attempt.confirm(), &[("csrf", &csrf), ("number", &number)]).await;
        check_told(&late, PhoneResult::Denied);
        assert_eq!(attempt.status().await, Status::Denied);
    });
}

#[test]
fn an_answer_from_another_page_does_nothing() {
    run(async {
        let world = world();
        let (phone, attempt, csrf) = asked_scene(&world).await;
        let number = attempt.number().await;
        let (_, other, of_other) = asked_scene(&world).await;
        assert_ne!(csrf, of_other);
        for token in ["", "x", of_other.as_str(), &csrf[1..]] {
            for answer in ["yes", "no"] {
                let fields = [("csrf", token), ("number", number.as_str()), ("answer", answer)];
                check_refused(&phone.submit(&attempt.confirm(), &fields).await, 403);
            }
        }
        let body = format!("csrf={csrf}&number={number}&answer=yes");
        for (site, origin) in [
            ("cross-site", "null"),
            ("cross-site", ORIGIN),
            ("same-site", "https://other.example.com"),
            ("none", "null"),
            ("same-origin", "https://evil.example"),
            ("", "https://evil.example"),
        ] {
            phone.site.set(site);
            *phone.headers.borrow_mut() = vec![("origin", origin.to_owned())];
            check_refused(&phone.send("POST", &attempt.confirm(), &body).await, 403);
        }
        assert_eq!(attempt.status().await, Status::Scanned);
        assert_eq!(other.status().await, Status::Scanned);
        // An old browser on our own page is believed.
        phone.site.set("");
        *phone.headers.borrow_mut() = vec![("origin", ORIGIN.to_owned())];
        assert_eq!(phone.send("POST", &attempt.confirm(), &body).await.status, 200);
        assert_eq!(attempt.status().await, Status::Confirmed);
    });
}

#[test]
fn only_the_phone_sees_and_answers_the_question() {
    run(async {
        let world = world();
        let (computer, phone, attempt) = scene(&world).await;
        check_refused(&phone.get(&attempt.confirm()).await, 403);
        let gone = phone.get(&attempt.scanned().await).await;
        check_refused(&phone.get(&attempt.confirm()).await, 409);
        phone.get(&back(&location(&gone), CODE)).await;
        let csrf = csrf(&phone.get(&attempt.confirm()).await);
        check_refused_to_all(&attempt, &[&computer, &Visitor::new(&world, WECHAT)], &csrf).await;
        assert_eq!(attempt.status().await, Status::Scanned);
        phone.browser.forget("__Host-wxm");
        check_refused(&phone.get(&attempt.confirm()).await, 403);
        assert_eq!(phone.get("/oauth/confirm/short").await.status, 404);
        assert_eq!(phone.submit("/oauth/confirm/short", &[]).await.status, 404);
    });
}

async fn check_refused_to_all(attempt: &Attempt, others: &[&Visitor], csrf: &str) {
    let number = attempt.number().await;
    for other in others {
        let answered = other.submit(&attempt.confirm(), &[("csrf", csrf), ("number", &number)]).await;
        assert_eq!(answered.status, 403);
        assert_eq!(other.get(&attempt.confirm()).await.status, 403);
    }
}

#[test]
fn the_question_cannot_be_framed_or_reached_by_its_opener() {
    run(async {
        let world = world();
        let (phone, attempt, csrf) = asked_scene(&world).await;
        check_headers(&phone.get(&attempt.confirm()).await, "same-origin");
        let number = attempt.number().await;
        let done = phone.submit(&attempt.confirm(), &[("csrf", &csrf), ("number", &number)]).await;
        check_headers(&done, "same-origin");
    });
}

/// Another site must not have somebody authorized who did not ask for it.
#[test]
fn another_site_cannot_send_a_browser_on() {
    run(async {
        let world = world();
        let computer = Visitor::computer(&world, CHROME);
        let attempt = begin(&world, &computer, &[Method::Open, Method::Github]).await;
        let address = format!("/oauth/s/{}/go/github", attempt.id);
        for (site, mode, dest) in [
            ("cross-site", "navigate", "document"),
            ("same-site", "navigate", "document"),
            ("same-origin", "no-cors", "image"),
            ("same-origin", "navigate", "iframe"),
            ("none", "cors", "empty"),
        ] {
            computer.site.set(site);
            *computer.headers.borrow_mut() =
                vec![("sec-fetch-mode", mode.to_owned()), ("sec-fetch-dest", dest.to_owned())];
            let refused = computer.get(&address).await;
            assert_eq!(refused.status, 403, "{site} {mode} {dest}");
            assert_eq!(header(&refused, "set-cookie"), "");
        }
        assert_eq!(attempt.status().await, Status::Pending);
        computer.headers.borrow_mut().clear();
        for site in ["same-origin", "none", ""] {
            computer.site.set(site);
            assert_eq!(computer.get(&address).await.status, 303, "{site}");
        }
        assert_eq!(computer.get(&format!("/oauth/s/{}/go/code", attempt.id)).await.status, 404);
        assert_eq!(computer.get(&format!("/oauth/s/{}/go/nowhere", attempt.id)).await.status, 404);
        assert_eq!(computer.get("/oauth/s/short/go/github").await.status, 404);
    });
}

#[test]
fn only_the_browser_that_began_goes_and_only_by_a_method_that_is_offered() {
    run(async {
        let world = world();
        let computer = Visitor::computer(&world, CHROME);
        let attempt = begin(&world, &computer, &[Method::Open]).await;
        let go = |method: &str| format!("/oauth/s/{}/go/{method}", attempt.id);
        check_refused(&Visitor::new(&world, CHROME).follow(&go("open")).await, 403);
        assert_eq!(Visitor::computer(&world, CHROME).follow(&go("open")).await.status, 403);
        assert_eq!(computer.follow(&go("github")).await.status, 404);
        assert_eq!(computer.follow(&go("wechat")).await.status, 404);
        assert_eq!(attempt.status().await, Status::Pending);
        assert_eq!(computer.follow(&go("open")).await.status, 303);
    });
}

/// A phone that went by a method of the browser would not have to choose the number.
#[test]
fn a_phone_that_scanned_cannot_avoid_the_number() {
    run(async {
        let world = world();
        let computer = Visitor::computer(&world, CHROME);
        let attempt = begin(&world, &computer, &[Method::Qr, Method::Wechat]).await;
        let phone = Visitor::computer(&world, WECHAT);
        phone.get(&attempt.scanned().await).await;
        assert_eq!(phone.follow(&format!("/oauth/s/{}/go/wechat", attempt.id)).await.status, 403);
        let gone = phone.follow(&format!("/oauth/s/{}/go/qr", attempt.id)).await;
        assert_eq!(location(&phone.get(&back(&location(&gone), CODE)).await), attempt.confirm());
        let page = phone.get(&attempt.confirm()).await;
        let csrf = csrf(&page);
        let yes = phone.submit(&attempt.confirm(), &[("csrf", &csrf), ("answer", "yes")]).await;
        assert!(yes.body.contains("name=\"csrf\""), "asked again");
        assert_eq!(attempt.status().await, Status::Scanned);
    });
}

#[test]
fn the_attempt_itself_lets_nobody_go_by_the_others_way() {
    run(async {
        let world = world();
        let computer = Visitor::computer(&world, CHROME);
        let attempt = begin(&world, &computer, &[Method::Qr, Method::Wechat]).await;
        let phone = Visitor::new(&world, WECHAT);
        phone.get(&attempt.scanned().await).await;
        let handle = Digest::of(&phone.cookie("__Host-wxm").unwrap());
        let depart =
            |to, browser| Call::Depart { to, browser, phone: handle.clone(), state: Digest::of("s") };
        let by_phone = attempt.call(depart(Method::Wechat, None)).await;
        assert_eq!(by_phone, Err(Fault::Unavailable));
        let by_browser = attempt.call(depart(Method::Qr, Some(computer.handle()))).await;
        assert_eq!(by_browser, Err(Fault::Unavailable));
        assert_eq!(attempt.call(depart(Method::Qr, None)).await, Ok(Reply::Departing { profile: false }));
    });
}

/// The QR code of the menu's way is not one that WeChat's own scanner may answer.
#[test]
fn a_qr_code_for_the_menu_is_not_scanned_by_the_phone_itself() {
    run(async {
        let world = world();
        let (computer, phone) = (Visitor::computer(&world, CHROME), Visitor::new(&world, WECHAT));
        let attempt = begin(&world, &computer, &[Method::Menu]).await;
        let view = Call::Show { browser: computer.handle(), method: Some(Method::Menu), lang: None };
        let Ok(Reply::View(view, _)) = attempt.call(view).await else { panic!("no view") };
        let address = format!("/m/{}{}", attempt.id, view.token.unwrap());
        check_refused(&phone.get(&address).await, 404);
        let again = Call::Show { browser: computer.handle(), method: None, lang: None };
        let Ok(Reply::View(view, _)) = attempt.call(again).await else { panic!("no view") };
        assert_eq!(view.status, Status::Pending);
    });
}

#[test]
fn the_qr_token_opens_nothing_else() {
    run(async {
        let world = world();
        let (_, phone, attempt) = scene(&world).await;
        let scanned = attempt.scanned().await;
        let token = scanned.rsplit('/').next().unwrap()[32..].to_owned();
        phone.get(&scanned).await;
        let thief = Visitor::new(&world, WECHAT);
        *thief.headers.borrow_mut() = vec![("cookie", format!("__Host-wxm={token}; __Host-wxl={token}"))];
        assert_eq!(thief.get(&attempt.confirm()).await.status, 403);
        assert_eq!(thief.follow(&format!("/oauth/s/{}/go/qr", attempt.id)).await.status, 403);
    });
}
