//! Logging in by scanning: parametric codes, the menu's scanner, and letters that the account gives.

use wxapi::handlers::login::offer;
use wxapi::login::Digest;
use wxapi::login::method::Method;
use wxapi::login::session::{Call, Fault, Reply, Status};
use wxapi::login::subject::Who;
use wxapi::platform::{Object, Outbound};

use crate::login_stage::{
    LOGIN, OTHER, call, deliver, desk, event, happen, logged, open, open_with_code, say, show, stage,
    stage_with, status, stored,
};
use crate::world::{Answer, USER, World, run};

/// A WeChat that gives tokens and makes codes whose URL is their scene.
fn makes_codes(request: &Outbound) -> Result<Answer, String> {
    if request.url.contains("stable_token") {
        return Ok(Answer::json(r#"{"access_token":"t","expires_in":7200}"#));
    }
    assert!(request.url.contains("/cgi-bin/qrcode/create?access_token=t"), "{}", request.url);
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["action_name"], "QR_STR_SCENE");
    assert!((1..=180).contains(&body["expire_seconds"].as_u64().unwrap()), "{body}");
    let scene = body["action_info"]["scene"]["scene_str"].as_str().unwrap();
    assert_eq!(scene.len(), 60);
    Ok(Answer::json(&format!(r#"{{"ticket":"T","expire_seconds":180,"url":"{scene}"}}"#)))
}

async fn scene(world: &World, login: &str) -> String {
    world.wechat(makes_codes);
    open(world, login, false).await;
    show(world, login, Method::Scene).await.scene.expect("a parametric code")
}

fn scan(scene: &str) -> String {
    format!("<Event>SCAN</Event><EventKey>{scene}</EventKey><Ticket>T</Ticket>")
}

#[test]
fn a_follower_scans_and_chooses_the_number_of_the_page() {
    run(async {
        let world = stage(|_| {});
        let scene = scene(&world, LOGIN).await;
        let number = show(&world, LOGIN, Method::Scene).await.number.unwrap();
        let asked = happen(&world, USER, &scan(&scene)).await;
        assert!(asked.contains("My Blog (blog.example.com)") && asked.contains("Shenzhen"), "{asked}");
        assert!(asked.contains(&format!("msgmenucontent=confirm%20{number}&")), "{asked}");
        assert_eq!(asked.matches("msgmenucontent=confirm%20").count(), 3);
        assert!(!asked.contains("welcome"));
        let again = say(&world, USER, "confirm").await;
        assert_eq!(again.matches("msgmenucontent=confirm%20").count(), 3, "a yes needs its number: {again}");
        assert_eq!(status(&world, LOGIN).await, Status::Scanned);
        assert!(say(&world, USER, &format!("confirm {number}")).await.contains("just logged in"));
        assert_eq!(status(&world, LOGIN).await, Status::Confirmed);
        assert_eq!(stored(&world, LOGIN).answer().cloned().unwrap().by, Method::Scene);
    });
}

#[test]
fn the_number_alone_is_enough_and_a_wrong_one_is_a_no() {
    run(async {
        let world = stage(|_| {});
        let first = scene(&world, LOGIN).await;
        let number = show(&world, LOGIN, Method::Scene).await.number.unwrap();
        happen(&world, USER, &scan(&first)).await;
        assert!(say(&world, USER, &number.to_string()).await.contains("just logged in"));

        let login = "f".repeat(32);
        let second = scene(&world, &login).await;
        let number = show(&world, &login, Method::Scene).await.number.unwrap();
        happen(&world, USER, &scan(&second)).await;
        let other = if number == 10 { 11 } else { number - 1 };
        assert!(say(&world, USER, &format!("确认 {other}")).await.contains("not the number"));
        assert_eq!(status(&world, &login).await, Status::Denied);
    });
}

#[test]
fn a_new_follower_is_asked_first_and_welcomed_below() {
    run(async {
        let world = stage(|_| {});
        let scene = scene(&world, LOGIN).await;
        let subscribe = |scene: &str| {
            format!("<Event>subscribe</Event><EventKey>qrscene_{scene}</EventKey><Ticket>T</Ticket>")
        };
        let followed = event(&world, USER, &subscribe(&scene));
        let seen = deliver(&world, &followed).await;
        let (asked, welcome) = (seen.find("You are logging in").unwrap(), seen.find("welcome").unwrap());
        assert!(asked < welcome, "{seen}");
        assert_eq!(deliver(&world, &followed).await, seen);
        assert_eq!(status(&world, LOGIN).await, Status::Scanned);
        // A code that has ended still leads to a welcome.
        let seen =
            happen(&world, OTHER, &subscribe(&format!("wxl_{}{}", "9".repeat(32), "8".repeat(24)))).await;
        assert!(seen.contains("timed out") && seen.contains("welcome"), "{seen}");
        let seen = happen(&world, "o-third", &subscribe("campaign")).await;
        assert!(seen.contains("welcome") && !seen.contains("log"), "another's code: {seen}");
    });
}

#[test]
fn a_second_person_and_a_wrong_token_are_turned_away() {
    run(async {
        let world = stage(|_| {});
        let scene = scene(&world, LOGIN).await;
        let forged = format!("{}{}", &scene[..36], "0".repeat(24));
        assert!(happen(&world, OTHER, &scan(&forged)).await.contains("timed out"));
        assert_eq!(status(&world, LOGIN).await, Status::Pending);
        happen(&world, USER, &scan(&scene)).await;
        assert!(happen(&world, OTHER, &scan(&scene)).await.contains("Somebody else"));
        for other in ["wxl_", "wxl_short", &scene.to_uppercase(), "campaign"] {
            assert_eq!(happen(&world, OTHER, &scan(other)).await, "", "{other}");
        }
    });
}

#[test]
fn a_scan_that_is_not_encrypted_is_refused_in_words() {
    run(async {
        let world = stage_with(&[("ENCODING_AES_KEY", "")], |_| {});
        let scene = scene(&world, LOGIN).await;
        let seen = world.deliver(&event(&world, USER, &scan(&scene))).await.text.unwrap();
        assert!(seen.contains("no message encryption"), "{seen}");
        assert_eq!(status(&world, LOGIN).await, Status::Pending);
    });
}

#[test]
fn the_menus_scanner_works_only_where_it_is_allowed() {
    run(async {
        for allowed in [false, true] {
            let world = stage(|config| {
                if allowed {
                    config.login.abilities.allowed.push(Method::Menu);
                }
            });
            open(&world, LOGIN, false).await;
            let view = show(&world, LOGIN, Method::Menu).await;
            let scan = |kind: &str| {
                format!(
                    "<Event>{kind}</Event><EventKey>login</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>https://wx.example.com/m/{LOGIN}{}</ScanResult></ScanCodeInfo>",
                    view.token.clone().unwrap()
                )
            };
            assert_eq!(
                happen(&world, USER, &scan("scancode_push")).await,
                "",
                "that one opens the page itself"
            );
            let seen = happen(&world, USER, &scan("scancode_waitmsg")).await;
            assert_eq!(seen.contains("You are logging in"), allowed, "{seen}");
            if allowed {
                let number = view.number.unwrap();
                assert!(say(&world, USER, &format!("confirm {number}")).await.contains("just logged in"));
                assert_eq!(stored(&world, LOGIN).answer().cloned().unwrap().by, Method::Menu);
            }
        }
    });
}

#[test]
fn an_account_without_the_right_is_not_asked_again_for_a_day() {
    run(async {
        for (errcode, pause) in [(48001, 24 * 3_600_000), (40164, 300_000), (45009, 300_000)] {
            let world = stage(|_| {});
            world.wechat(move |request| match makes_codes(request)? {
                token if request.url.contains("stable_token") => Ok(token),
                _ => Ok(Answer::json(&format!(r#"{{"errcode":{errcode},"errmsg":"no, rid: 1-2"}}"#))),
            });
            let asked = |world: &World| {
                world.api_calls().iter().filter(|call| call.url.contains("qrcode/create")).count()
            };
            open(&world, LOGIN, false).await;
            let view = show(&world, LOGIN, Method::Scene).await;
            assert_eq!((view.method, view.fallen_back), (Method::Code, true));
            show(&world, LOGIN, Method::Scene).await;
            world.pass(pause - 1_000).await;
            open(&world, LOGIN, false).await;
            show(&world, LOGIN, Method::Scene).await;
            assert_eq!((asked(&world), logged(&world, "login.no_scene")), (1, 1));
            let line = world.log().into_iter().find(|line| line.event == "login.no_scene").unwrap();
            assert!(line.reason.contains(&format!("WeChat answered {errcode}: no")), "{}", line.reason);
            world.pass(2_000).await;
            show(&world, LOGIN, Method::Scene).await;
            assert_eq!(asked(&world), 2);
        }
    });
}

#[test]
fn many_pages_at_once_ask_for_one_parametric_code() {
    run(async {
        let world = stage(|_| {});
        world.wechat(makes_codes);
        world.network(1_000);
        open(&world, LOGIN, false).await;
        let pages = (0..20).map(|_| show(&world, LOGIN, Method::Scene));
        let scenes: Vec<_> =
            futures_util::future::join_all(pages).await.into_iter().map(|view| view.scene).collect();
        assert!(scenes.iter().all(|scene| scene.is_some() && *scene == scenes[0]), "{scenes:?}");
        let asked = world.api_calls().iter().filter(|call| call.url.contains("qrcode/create")).count();
        assert_eq!(asked, 1);
    });
}

#[test]
fn a_page_does_not_wait_long_for_a_parametric_code() {
    run(async {
        let world = stage(|_| {});
        world.wechat(makes_codes);
        world.network(14_000);
        open(&world, LOGIN, false).await;
        let before = wxapi::platform::Platform::now(&world);
        assert!(show(&world, LOGIN, Method::Scene).await.fallen_back);
        assert_eq!(wxapi::platform::Platform::now(&world) - before, 5_000);
    });
}

fn gives(config: &mut wxapi::config::Config) {
    config.login.abilities.allowed.push(Method::Typed);
}

/// The letters in a reply.
fn letters(seen: &str) -> String {
    let at = seen.find('-').unwrap_or_else(|| panic!("no code in {seen}"));
    seen[at - 4..at + 5].to_owned()
}

#[test]
fn the_account_gives_letters_that_are_typed_on_the_page_once() {
    run(async {
        let world = stage(gives);
        open(&world, LOGIN, false).await;
        let code = letters(&say(&world, USER, "登录").await);
        let typed = code.to_lowercase().replace('-', " ");
        let who = offer::take_code(&world, &typed).await.unwrap().expect("a person");
        assert!(matches!(&who, Who::Wechat { openid, .. } if openid.as_str() == USER));
        let browser = Digest::of("browser");
        assert_eq!(call(&world, LOGIN, &Call::Typed { browser, who: Some(who) }).await, Ok(Reply::Done));
        assert_eq!(status(&world, LOGIN).await, Status::Confirmed);
        assert_eq!(offer::take_code(&world, &typed).await, Ok(None), "for the only time");
        for nonsense in ["", "AAAA-AAAA", "482913", "BCDF-GHJ", "BCDF-GHJKL"] {
            assert_eq!(offer::take_code(&world, nonsense).await, Ok(None));
        }
    });
}

#[test]
fn new_letters_replace_the_last_ones_and_end_after_five_minutes() {
    run(async {
        let world = stage(gives);
        let first = letters(&say(&world, USER, "login").await);
        let second = letters(&say(&world, USER, "登录").await);
        assert_ne!(first, second);
        assert_eq!(offer::take_code(&world, &first).await, Ok(None));
        world.pass(300_000).await;
        assert_eq!(offer::take_code(&world, &second).await, Ok(None));
        let third = letters(&say(&world, USER, "登录").await);
        say(&world, USER, "/forget").await;
        world.pass(1).await;
        assert_eq!(offer::take_code(&world, &third).await, Ok(None), "forgotten");
        assert_eq!(desk(&world, USER), None);
    });
}

#[test]
fn letters_are_given_only_where_that_is_allowed_and_the_message_is_safe() {
    run(async {
        let world = stage(|_| {});
        assert!(say(&world, USER, "登录").await.contains("send me the digits"));
        let world = stage(|config| config.login.abilities.allowed = vec![Method::Qr]);
        assert_eq!(say(&world, USER, "登录").await, "Answer to 登录");
        assert_eq!(say(&world, USER, "登录 482913").await, "Answer to 登录 482913");
        let world = stage_with(&[("ENCODING_AES_KEY", "")], gives);
        let seen = world.say(USER, "登录").await.text.unwrap();
        assert!(seen.contains("no message encryption"), "{seen}");
        for shard in 0..16 {
            assert_eq!(world.disk_behind(Object::Code, &shard.to_string()).writes(), 0);
        }
    });
}

fn knows_unionids(request: &Outbound) -> Result<Answer, String> {
    if request.url.contains("stable_token") {
        return Ok(Answer::json(r#"{"access_token":"t","expires_in":7200}"#));
    }
    assert!(request.url.contains("/cgi-bin/user/info?access_token=t&openid=o-"), "{}", request.url);
    let bound = request.url.ends_with(USER);
    Ok(Answer::json(if bound {
        r#"{"subscribe":1,"openid":"o-user","unionid":"u-1"}"#
    } else {
        r#"{"subscribe":1}"#
    }))
}

#[test]
fn where_people_are_known_by_their_unionid_it_is_asked_for() {
    run(async {
        let world = stage(|config| config.login.by_unionid = true);
        world.wechat(knows_unionids);
        let code = open_with_code(&world, LOGIN).await;
        assert!(say(&world, OTHER, &code).await.contains("does not work just now"));
        assert_eq!(status(&world, LOGIN).await, Status::Pending);
        assert!(world.log().iter().any(|line| line.reason.contains("not bound to an Open Platform")));
        say(&world, USER, &code).await;
        assert!(say(&world, USER, "确认").await.contains("just logged in"));
        let answer = stored(&world, LOGIN).answer().cloned().unwrap();
        assert!(matches!(answer.identity.who, Who::Wechat { unionid: Some(id), .. } if id.as_str() == "u-1"));
        let asked = world.api_calls().iter().filter(|call| call.url.contains("user/info")).count();
        assert_eq!(asked, 2, "once for each claim");
        assert!(say(&world, USER, "退出").await.contains("was taken back"));
    });
}

#[test]
fn without_a_token_nobody_is_taken_for_whom_they_are_not() {
    run(async {
        let world = stage_with(&[("APP_SECRET", "")], |config| config.login.by_unionid = true);
        let code = open_with_code(&world, LOGIN).await;
        assert!(say(&world, USER, &code).await.contains("does not work just now"));
        assert!(world.log().iter().any(|line| line.reason.contains("APP_SECRET are not set")));
        let browser = Digest::of("browser");
        let finish = Call::Finish { browser, code: Digest::of("c") };
        assert_eq!(call(&world, LOGIN, &finish).await, Err(Fault::NotNow));
    });
}
