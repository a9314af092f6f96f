//! Logins by another's page: what a phone, or the browser itself, sees on its way there and back.

use sha2::{Digest as _, Sha256};
use wxapi::login::base64url;
use wxapi::login::method::Method;
use wxapi::login::page::PhoneResult;
use wxapi::login::session::Status;
use wxapi::login::subject::Who;

use crate::login_play::*;
use crate::world::run;

fn openid(who: &Who) -> (&str, &str) {
    match who {
        Who::Wechat { app_id, openid, .. } => (app_id.as_str(), openid.as_str()),
        Who::Github { .. } => panic!("not WeChat's"),
    }
}

#[test]
fn a_phone_scans_is_authorized_and_confirms_by_the_number() {
    run(async {
        let world = world();
        let (computer, phone) = (Visitor::computer(&world, CHROME), Visitor::new(&world, WECHAT));
        let attempt = begin(&world, &computer, &[Method::Qr, Method::Code]).await;
        let gone = phone.get(&attempt.scanned().await).await;
        let address = location(&gone);
        let state = parameter(&address, "state");
        assert!(state.len() == 64 && state.starts_with(&attempt.id), "{state}");
        assert_eq!(
            address,
            format!(
                "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wxaccount&redirect_uri=https%3A%2F%2Fwx.example.com%2Foauth%2Fwechat&response_type=code&scope=snsapi_base&state={state}#wechat_redirect"
            )
        );
        assert_eq!(header(&gone, "cache-control"), "no-store");
        let came = phone.get(&back(&address, CODE)).await;
        assert_eq!(location(&came), attempt.confirm());
        let page = phone.get(&attempt.confirm()).await;
        for said in ["A Blog", "blog.example.com", "Chrome", "Windows", "Shenzhen", "06:13"] {
            assert!(page.body.contains(said), "{said} in {}", page.body);
        }
        let view = attempt.view().await;
        assert_eq!(view.status, Status::Scanned);
        let number = view.number.unwrap().to_string();
        assert_eq!(choices(&page), 3);
        let done = phone
            .submit(&attempt.confirm(), &[("csrf", &csrf(&page)), ("number", &number), ("answer", "yes")])
            .await;
        assert_eq!(done.status, 200);
        check_told(&done, PhoneResult::Done);
        assert_eq!(attempt.status().await, Status::Confirmed);
        check_told(&phone.get(&attempt.confirm()).await, PhoneResult::Done);
        let answer = attempt.finish().await;
        assert_eq!(answer.by, Method::Qr);
        assert_eq!(openid(&answer.identity.who), ("wxaccount", OPENID));
        let heard = world.heard(&attempt.id).all();
        assert_eq!(heard, [r#"{"status":"scanned"}"#, r#"{"status":"confirmed"}"#, r#"{"status":"done"}"#]);
        let calls = asked(&world, "/sns/oauth2/access_token");
        assert_eq!(calls.len(), 1);
        let expected =
            format!("appid=wxaccount&secret={APP_SECRET}&code={CODE}&grant_type=authorization_code");
        assert!(calls[0].url.ends_with(&expected), "{}", calls[0].url);
        check_log(&world);
    });
}

#[test]
fn a_page_in_wechat_is_authorized_without_a_number_and_goes_back_to_itself() {
    run(async {
        let world = world();
        let phone = Visitor::computer(&world, WECHAT);
        let attempt = begin(&world, &phone, &[Method::Wechat]).await;
        let gone = phone.follow(&format!("/oauth/s/{}/go/wechat", attempt.id)).await;
        let came = phone.get(&back(&location(&gone), CODE)).await;
        assert_eq!(location(&came), attempt.confirm());
        let page = phone.get(&attempt.confirm()).await;
        assert!(!page.body.contains("name=\"number\""));
        let done = phone.submit(&attempt.confirm(), &[("csrf", &csrf(&page)), ("answer", "yes")]).await;
        assert_eq!(location(&done), format!("/oauth/s/{}", attempt.id));
        assert_eq!(attempt.finish().await.by, Method::Wechat);
        check_log(&world);
    });
}

#[test]
fn the_open_platform_logs_in_by_its_own_app() {
    run(async {
        let world = world();
        let computer = Visitor::computer(&world, CHROME);
        let attempt = begin(&world, &computer, &[Method::Open]).await;
        let gone = computer.follow(&format!("/oauth/s/{}/go/open", attempt.id)).await;
        let address = location(&gone);
        let state = parameter(&address, "state");
        assert_eq!(
            address,
            format!(
                "https://open.weixin.qq.com/connect/qrconnect?appid=wxopen&redirect_uri=https%3A%2F%2Fwx.example.com%2Foauth%2Fopen&response_type=code&scope=snsapi_login&state={state}&lang=en#wechat_redirect"
            )
        );
        computer.get(&back(&address, CODE)).await;
        let page = computer.get(&attempt.confirm()).await;
        // It may be the website's pop-up, which must still reach its opener.
        assert_eq!(header(&page, "cross-origin-opener-policy"), "unsafe-none");
        let done = computer.submit(&attempt.confirm(), &[("csrf", &csrf(&page)), ("answer", "yes")]).await;
        assert_eq!(location(&done), format!("/oauth/s/{}", attempt.id));
        assert_eq!(openid(&attempt.finish().await.identity.who), ("wxopen", OPENID));
        assert!(asked(&world, "/sns/oauth2/access_token")[0].url.contains(OPEN_SECRET));
        check_log(&world);
    });
}

#[test]
fn github_logs_in_with_pkce_by_the_number_of_the_user() {
    run(async {
        let world = world();
        let computer = Visitor::computer(&world, CHROME);
        let attempt =
            begin_with(&world, &computer, &[Method::Github], |opening| opening.request.profile = true).await;
        let gone = computer.follow(&format!("/oauth/s/{}/go/github", attempt.id)).await;
        let address = location(&gone);
        assert!(
            address.starts_with("https://github.com/login/oauth/authorize?client_id=Iv1.abc&"),
            "{address}"
        );
        assert_eq!(parameter(&address, "redirect_uri"), "https://wx.example.com/oauth/github");
        assert_eq!(parameter(&address, "code_challenge_method"), "S256");
        computer.get(&back(&address, CODE)).await;
        let exchange = &asked(&world, "/login/oauth/access_token")[0];
        let body: Vec<(String, String)> = form_urlencoded::parse(&exchange.body).into_owned().collect();
        let field = |name: &str| body.iter().find(|(known, _)| known == name).unwrap().1.clone();
        let verifier = field("code_verifier");
        assert!(verifier.len() >= 43);
        assert_eq!(base64url(&Sha256::digest(verifier.as_bytes())), parameter(&address, "code_challenge"));
        assert_eq!(field("client_id"), "Iv1.abc");
        assert_eq!(field("client_secret"), GITHUB_SECRET);
        assert_eq!(field("redirect_uri"), "https://wx.example.com/oauth/github");
        assert_eq!(field("code"), CODE);
        let user = &asked(&world, "/user")[0];
        for (name, value) in [
            ("accept", "application/vnd.github+json"),
            ("authorization", "Bearer gho_token"),
            ("user-agent", "wxapi"),
            ("x-github-api-version", "2022-11-28"),
        ] {
            assert!(user.headers.contains(&(name, value.to_owned())), "{name}: {:?}", user.headers);
        }
        let page = computer.get(&attempt.confirm()).await;
        computer.submit(&attempt.confirm(), &[("csrf", &csrf(&page)), ("answer", "yes")]).await;
        let answer = attempt.finish().await;
        assert_eq!(answer.identity.who, Who::Github { id: 583_231 });
        assert_eq!(answer.identity.name.as_deref(), Some("The Octocat"));
        assert_eq!(answer.identity.picture.as_deref(), Some("https://avatars.example/1"));
        check_log(&world);
    });
}

#[test]
fn what_wechat_brings_twice_is_used_once() {
    run(async {
        let world = world();
        let (computer, phone) = (Visitor::computer(&world, CHROME), Visitor::new(&world, WECHAT));
        let attempt = begin(&world, &computer, &[Method::Qr]).await;
        let gone = phone.get(&attempt.scanned().await).await;
        let address = back(&location(&gone), CODE);
        for _ in 0..3 {
            assert_eq!(location(&phone.get(&address).await), attempt.confirm());
        }
        assert_eq!(asked(&world, "/sns/oauth2/access_token").len(), 1);
        agree(&attempt, &phone).await;
        assert_eq!(location(&phone.get(&address).await), attempt.confirm(), "after the confirmation");
        assert_eq!(asked(&world, "/sns/oauth2/access_token").len(), 1);
    });
}

#[test]
fn what_wechat_brings_twice_at_once_is_used_once() {
    for answer in [Ok(kindly("/sns/oauth2/access_token")), Err("cut".to_owned())] {
        run(async move {
            let world = world();
            let (computer, phone) = (Visitor::computer(&world, CHROME), Visitor::new(&world, WECHAT));
            let attempt = begin(&world, &computer, &[Method::Qr]).await;
            let gone = phone.get(&attempt.scanned().await).await;
            let address = back(&location(&gone), CODE);
            let good = answer.is_ok();
            plays(&world, move |_, _| answer.clone());
            world.network(2_000);
            let later = async {
                world.pass(500).await;
                phone.get(&address).await
            };
            let (one, two, three) = tokio::join!(phone.get(&address), later, phone.get(&address));
            assert_eq!(one, two);
            assert_eq!(one, three);
            assert_eq!(one.status, if good { 303 } else { 503 });
            assert_eq!(asked(&world, "/sns/oauth2/access_token").len(), 1);
            check_log(&world);
        });
    }
}

#[test]
fn after_a_crash_between_question_and_answer_the_phone_begins_anew() {
    run(check_cut(true));
}

/// A phone that hung up must not keep the next one waiting.
#[test]
fn whoever_hangs_up_between_question_and_answer_begins_anew() {
    run(check_cut(false));
}

async fn check_cut(crash: bool) {
    let world = world();
    let (computer, phone) = (Visitor::computer(&world, CHROME), Visitor::new(&world, WECHAT));
    let attempt = begin(&world, &computer, &[Method::Qr]).await;
    let gone = phone.get(&attempt.scanned().await).await;
    let address = back(&location(&gone), CODE);
    world.network(5_000);
    // WeChat has the question; its answer reaches nobody.
    let cut = tokio::time::timeout(std::time::Duration::from_secs(1), phone.get(&address)).await;
    assert!(cut.is_err());
    if crash {
        world.crash();
    }
    plays(&world, |_, number| {
        let used = r#"{"errcode":40163,"errmsg":"code been used, rid: 1-2"}"#;
        Ok(if number == 1 { used.to_owned() } else { kindly("/sns/oauth2/access_token") })
    });
    let again = phone.get(&address).await;
    assert_eq!(again.status, 400);
    let restart = format!("/oauth/s/{}/go/qr", attempt.id);
    assert!(again.body.contains(&format!("href=\"{restart}\"")), "{}", again.body);
    let gone = phone.follow(&restart).await;
    let came = phone.get(&back(&location(&gone), "081second")).await;
    assert_eq!(location(&came), attempt.confirm());
    agree(&attempt, &phone).await;
    assert_eq!(openid(&attempt.finish().await.identity.who), ("wxaccount", OPENID));
    check_log(&world);
}

#[test]
fn setting_out_anew_makes_the_way_before_void() {
    run(async {
        let world = world();
        let (computer, phone) = (Visitor::computer(&world, CHROME), Visitor::new(&world, WECHAT));
        let attempt = begin(&world, &computer, &[Method::Qr]).await;
        let gone = phone.get(&attempt.scanned().await).await;
        let first = back(&location(&gone), CODE);
        world.network(3_000);
        let second = async {
            world.pass(1_000).await;
            let gone = phone.follow(&format!("/oauth/s/{}/go/qr", attempt.id)).await;
            phone.get(&back(&location(&gone), "081second")).await
        };
        let repeated = async {
            world.pass(500).await;
            phone.get(&first).await
        };
        let (one, two, three) = tokio::join!(phone.get(&first), repeated, second);
        assert_eq!((one.status, two.status), (403, 403));
        assert_eq!(location(&three), attempt.confirm());
        assert_eq!(asked(&world, "/sns/oauth2/access_token").len(), 2);
    });
}

#[test]
fn outside_of_wechat_a_phone_is_told_how_to_scan_and_nobody_has_the_attempt() {
    run(async {
        let world = world();
        let computer = Visitor::computer(&world, CHROME);
        let attempt = begin(&world, &computer, &[Method::Qr]).await;
        for agent in [CHROME, WECOM, ""] {
            let camera = Visitor::new(&world, agent);
            let told = camera.get(&attempt.scanned().await).await;
            assert_eq!(told.status, 200, "{agent}");
            check_told(&told, PhoneResult::OpenInWechat);
            assert_eq!(camera.cookie("__Host-wxm"), None);
        }
        assert_eq!(attempt.status().await, Status::Pending);
        let came = scan_and_return(&attempt, &Visitor::new(&world, WECHAT), CODE).await;
        assert_eq!(location(&came), attempt.confirm());
    });
}

#[test]
fn in_another_country_the_number_is_typed() {
    run(async {
        let world = world();
        let (computer, mut phone) = (Visitor::computer(&world, CHROME), Visitor::new(&world, WECHAT));
        phone.browser.country = "US";
        let attempt = begin(&world, &computer, &[Method::Qr]).await;
        scan_and_return(&attempt, &phone, CODE).await;
        let page = phone.get(&attempt.confirm()).await;
        let number = attempt.number().await;
        assert!(page.body.contains("inputmode=\"numeric\""));
        assert_eq!(choices(&page), 0);
        assert!(!page.body.contains(&format!(">{number}<")), "{}", page.body);
        let typed = format!(" {number} ");
        let done = phone.submit(&attempt.confirm(), &[("csrf", &csrf(&page)), ("number", &typed)]).await;
        assert_eq!(done.status, 200);
        assert_eq!(attempt.status().await, Status::Confirmed);
    });
}

#[test]
fn where_a_country_is_unknown_the_number_is_chosen() {
    run(async {
        let world = world();
        let (computer, mut phone) = (Visitor::computer(&world, CHROME), Visitor::new(&world, WECHAT));
        phone.browser.country = "";
        let attempt = begin(&world, &computer, &[Method::Qr]).await;
        scan_and_return(&attempt, &phone, CODE).await;
        assert_eq!(choices(&phone.get(&attempt.confirm()).await), 3);
    });
}

#[test]
fn a_no_ends_the_attempt_and_shares_nothing() {
    run(async {
        let world = world();
        let (computer, phone) = (Visitor::computer(&world, CHROME), Visitor::new(&world, WECHAT));
        let attempt = begin(&world, &computer, &[Method::Qr]).await;
        scan_and_return(&attempt, &phone, CODE).await;
        let page = phone.get(&attempt.confirm()).await;
        let csrf = csrf(&page);
        for _ in 0..2 {
            let no = phone.submit(&attempt.confirm(), &[("csrf", &csrf), ("answer", "no")]).await;
            assert_eq!(no.status, 200);
            check_told(&no, PhoneResult::Denied);
        }
        assert_eq!(attempt.status().await, Status::Denied);
        let number = attempt.number().await;
        let late = phone.submit(&attempt.confirm(), &[("csrf", &csrf), ("number", &number)]).await;
        check_told(&late, PhoneResult::Denied);
        check_told(&phone.get(&attempt.confirm()).await, PhoneResult::Denied);
        assert_eq!(attempt.status().await, Status::Denied);
        assert!(!attempt.stored().unwrap().contains(OPENID));
    });
}

#[test]
fn a_yes_without_a_number_is_asked_again_and_a_second_yes_changes_nothing() {
    run(async {
        let world = world();
        let (computer, phone) = (Visitor::computer(&world, CHROME), Visitor::new(&world, WECHAT));
        let attempt = begin(&world, &computer, &[Method::Qr]).await;
        scan_and_return(&attempt, &phone, CODE).await;
        let page = phone.get(&attempt.confirm()).await;
        let csrf = csrf(&page);
        for number in ["", "forty", "4711"] {
            let fields = [("csrf", csrf.as_str()), ("number", number), ("answer", "yes")];
            let again = phone.submit(&attempt.confirm(), &fields).await;
            assert_eq!((again.status, again.body.contains("name=\"csrf\"")), (200, true), "{number}");
        }
        assert_eq!(attempt.status().await, Status::Scanned);
        let number = attempt.number().await;
        for _ in 0..2 {
            let done = phone.submit(&attempt.confirm(), &[("csrf", &csrf), ("number", &number)]).await;
            check_told(&done, PhoneResult::Done);
        }
        assert_eq!(attempt.status().await, Status::Confirmed);
    });
}
