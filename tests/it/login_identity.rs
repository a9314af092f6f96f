//! What WeChat and GitHub say about a code, and what becomes of it.

use std::cell::RefCell;
use std::rc::Rc;

use wxapi::config::Config;
use wxapi::lang::Lang;
use wxapi::login::method::Method;
use wxapi::login::page::{self, Frame, PhoneResult};
use wxapi::login::session::Status;
use wxapi::login::subject::{Identity, Who};
use wxapi::platform::Response;

use crate::login_play::*;
use crate::world::{World, run};

/// Somebody went by `method`; what they see when they come back.
async fn go_and_return(world: &World, method: Method, profile: bool) -> (Response, Attempt, Visitor) {
    let computer = Visitor::computer(world, WECHAT);
    let attempt = begin_with(world, &computer, &[method], |opening| opening.request.profile = profile).await;
    let gone = computer.follow(&format!("/oauth/s/{}/go/{}", attempt.id, method.name())).await;
    let came = computer.get(&back(&location(&gone), CODE)).await;
    (came, attempt, computer)
}

async fn identity(world: &World, method: Method, profile: bool) -> Identity {
    let (came, attempt, visitor) = go_and_return(world, method, profile).await;
    assert_eq!(location(&came), attempt.confirm());
    let page = visitor.get(&attempt.confirm()).await;
    visitor.submit(&attempt.confirm(), &[("csrf", &csrf(&page)), ("answer", "yes")]).await;
    attempt.finish().await.identity
}

/// What somebody sees and what the log says if WeChat answers so.
#[track_caller]
fn check_answer(method: Method, answer: Result<&str, &str>, status: u16, told: PhoneResult, logged: &str) {
    let answer = answer.map(str::to_owned).map_err(str::to_owned);
    let logged = logged.to_owned();
    run(async move {
        let world = world();
        let given = answer.clone();
        plays(&world, move |_, _| given.clone());
        let (came, attempt, visitor) = go_and_return(&world, method, false).await;
        assert_eq!(came.status, status, "{answer:?}: {}", came.body);
        check_told(&came, told);
        let restart = format!("/oauth/s/{}/go/{}", attempt.id, method.name());
        let offers = came.body.contains(&format!("href=\"{restart}\""));
        assert_eq!(offers, told != PhoneResult::Blocked, "a blocked person would be blocked again");
        assert_eq!(header(&came, "location"), "", "never a loop");
        let calls = world.api_calls().len();
        visitor.get(&attempt.confirm()).await;
        assert_eq!(world.api_calls().len(), calls);
        let lines: Vec<String> = world.log().iter().map(|line| line.reason.clone()).collect();
        assert!(lines.iter().any(|line| line.contains(&logged)), "{logged} in {lines:?}");
        check_log(&world);
        // Once more, and now it works.
        plays(&world, |path, _| Ok(kindly(path)));
        let gone = visitor.follow(&restart).await;
        let came = visitor.get(&back(&location(&gone), "081second")).await;
        assert_eq!(location(&came), attempt.confirm());
    });
}

#[test]
fn codes_that_were_used_or_have_ended_begin_anew() {
    for code in [40029, 40163, 41008, 42003, 87009, 42007] {
        let answer = format!(
            r#"{{"errcode":{code},"errmsg":"of no use, hints: [ req_id: {CODE} ], rid: 6-4c5b-0a"}}"#
        );
        let logged = format!("wechat: WeChat answered {code}, rid 6-4c5b-0a");
        check_answer(Method::Wechat, Ok(&answer), 400, PhoneResult::Restart, &logged);
    }
}

#[test]
fn somebody_whom_wechat_judges_a_risk_is_not_logged_in() {
    let answer = r#"{"errcode":40226,"errmsg":"high risk"}"#;
    check_answer(Method::Wechat, Ok(answer), 403, PhoneResult::Blocked, "wechat: WeChat answered 40226");
}

#[test]
fn where_the_account_may_not_or_wechat_does_not_work_another_way_is_offered() {
    let down = PhoneResult::Down;
    for (answer, logged) in [
        (r#"{"errcode":48001,"errmsg":"api unauthorized rid: 1-2"}"#, "WeChat answered 48001, rid 1-2"),
        (
            r#"{"errcode":40164,"errmsg":"invalid ip 1.2.3.4, not in whitelist rid: 1-2"}"#,
            "WeChat answered 40164, 1.2.3.4 is not in the IP whitelist, rid 1-2",
        ),
        (r#"{"errcode":40125,"errmsg":"invalid appsecret"}"#, "WeChat answered 40125"),
        (r#"{"errcode":-1,"errmsg":"system error"}"#, "WeChat answered -1"),
        (r#"{"errcode":99999,"errmsg":"new"}"#, "WeChat answered 99999"),
        ("{}", "no answer from WeChat: the answer has no access_token with openid"),
        ("<html>", "no answer from WeChat: the answer is not a JSON object"),
        ("status 502", "no answer from WeChat: status 502"),
    ] {
        check_answer(Method::Wechat, Ok(answer), 503, down, logged);
        check_answer(Method::Open, Ok(answer), 503, down, logged);
    }
    let quoting =
        format!("Fetch API cannot load: https://api.weixin.qq.com/sns?secret={APP_SECRET}&code={CODE}");
    for (failure, logged) in [
        ("The operation was aborted due to timeout", "aborted due to timeout"),
        (&quoting, "the address could not be fetched"),
    ] {
        check_answer(Method::Wechat, Err(failure), 503, down, logged);
    }
}

#[test]
fn github_says_no_in_its_own_words() {
    let description = "\"error_description\":\"The code passed is incorrect or expired.\"";
    let answer = format!(r#"{{"error":"bad_verification_code",{description}}}"#);
    check_answer(Method::Github, Ok(&answer), 400, PhoneResult::Restart, "github: GitHub refused the code");
    for (answer, logged) in [
        (Ok(r#"{"error":"incorrect_client_credentials"}"#), "GitHub answered: incorrect_client_credentials"),
        (Ok(r#"{"error":"Something about octocat"}"#), "GitHub answered: the answer made no sense"),
        (Ok("access_token=gho_token&scope="), "GitHub answered: the answer made no sense"),
        (Ok("status 503"), "GitHub answered: nothing, status 503"),
        (Err("cut"), "GitHub answered: nothing, cut"),
    ] {
        check_answer(Method::Github, answer, 503, PhoneResult::Down, logged);
    }
}

#[test]
fn a_token_that_github_does_not_know_any_more_is_of_no_use() {
    run(async {
        let world = world();
        plays(&world, |path, _| {
            let refused = r#"{"message":"Bad credentials of octocat","status":"401"}"#;
            Ok(if path == "/user" { refused.to_owned() } else { kindly(path) })
        });
        let (came, ..) = go_and_return(&world, Method::Github, false).await;
        assert_eq!(came.status, 503);
        assert!(world.log().iter().any(|line| line.reason == "github: GitHub answered: status 401"));
        check_log(&world);
    });
}

#[test]
fn whoever_comes_back_without_a_code_said_no() {
    for (method, query) in
        [(Method::Open, ""), (Method::Github, "&error=access_denied"), (Method::Wechat, "&code=")]
    {
        run(async move {
            let world = world();
            let visitor = Visitor::computer(&world, WECHAT);
            let attempt = begin(&world, &visitor, &[method]).await;
            let go = format!("/oauth/s/{}/go/{}", attempt.id, method.name());
            let address = location(&visitor.follow(&go).await);
            let state = parameter(&address, "state");
            let returned = format!("{}?state={state}{query}", parameter(&address, "redirect_uri"));
            for _ in 0..2 {
                let came = visitor.get(&returned).await;
                assert_eq!(came.status, 200);
                check_told(&came, PhoneResult::Refused);
                assert!(came.body.contains(&format!("href=\"{go}\"")));
            }
            assert!(world.api_calls().is_empty());
            let late = visitor.get(&back(&address, CODE)).await;
            assert_eq!(late.status, 403, "nor can another code come now");
        });
    }
}

fn snapshot(value: &str) -> String {
    kindly("/sns/oauth2/access_token").replacen('{', &format!(r#"{{"is_snapshotuser":{value},"#), 1)
}

#[test]
fn a_snapshots_virtual_user_is_never_logged_in() {
    for value in ["1", "\"1\"", "true"] {
        run(async move {
            let world = world();
            plays(&world, move |_, _| Ok(snapshot(value)));
            let (came, attempt, visitor) = go_and_return(&world, Method::Wechat, true).await;
            assert_eq!(came.status, 200);
            check_told(&came, PhoneResult::Snapshot);
            assert_eq!(visitor.get(&attempt.confirm()).await.status, 409);
            assert!(!attempt.stored().unwrap().contains(OPENID));
            assert_eq!(asked(&world, "/sns/userinfo").len(), 0);
            check_log(&world);
        });
    }
    run(async {
        let world = world();
        plays(&world, |_, _| Ok(snapshot("0")));
        assert_eq!(go_and_return(&world, Method::Wechat, false).await.0.status, 303);
    });
}

/// 使用完整服务 leads back with the same `state` and a code of the person themselves.
#[test]
fn after_a_snapshot_the_person_comes_as_themselves() {
    run(async {
        let world = world();
        plays(&world, |_, number| {
            Ok(if number == 1 { snapshot("1") } else { kindly("/sns/oauth2/access_token") })
        });
        let visitor = Visitor::computer(&world, WECHAT);
        let attempt = begin(&world, &visitor, &[Method::Wechat]).await;
        let gone = visitor.follow(&format!("/oauth/s/{}/go/wechat", attempt.id)).await;
        let address = location(&gone);
        for _ in 0..2 {
            check_told(&visitor.get(&back(&address, CODE)).await, PhoneResult::Snapshot);
        }
        assert_eq!(location(&visitor.get(&back(&address, "081full")).await), attempt.confirm());
        assert_eq!(visitor.get(&back(&address, "081third")).await.status, 403);
        assert_eq!(asked(&world, "/sns/oauth2/access_token").len(), 2);
    });
}

#[test]
fn name_and_picture_come_where_the_website_wants_them() {
    run(async {
        let world = world();
        let visitor = Visitor::computer(&world, WECHAT);
        let attempt =
            begin_with(&world, &visitor, &[Method::Wechat], |opening| opening.request.profile = true).await;
        let gone = visitor.follow(&format!("/oauth/s/{}/go/wechat", attempt.id)).await;
        assert_eq!(parameter(&location(&gone), "scope"), "snsapi_userinfo");
        visitor.get(&back(&location(&gone), CODE)).await;
        let page = visitor.get(&attempt.confirm()).await;
        visitor.submit(&attempt.confirm(), &[("csrf", &csrf(&page)), ("answer", "yes")]).await;
        let identity = attempt.finish().await.identity;
        assert_eq!(identity.name.as_deref(), Some("小明"));
        assert_eq!(identity.picture.as_deref(), Some("https://thirdwx.qlogo.cn/1"));
        let url = &asked(&world, "/sns/userinfo")[0].url;
        assert!(
            url.ends_with(&format!("/sns/userinfo?access_token=user-token&openid={OPENID}&lang=en")),
            "{url}"
        );
        check_log(&world);
    });
}

#[test]
fn what_is_no_name_or_picture_is_left_out() {
    run(async {
        let world = world();
        plays(&world, |path, _| {
            let shared = r#"{"nickname":"\n \u0000","headimgurl":"javascript:alert(1)","unionid":""}"#;
            Ok(if path == "/sns/userinfo" { shared.to_owned() } else { kindly(path) })
        });
        let found = identity(&world, Method::Open, true).await;
        assert_eq!((found.name, found.picture), (None, None));
    });
    run(async {
        let world = world();
        plays(&world, |path, _| {
            let shared = format!(r#"{{"nickname":"{}","headimgurl":""}}"#, "长".repeat(100));
            Ok(if path == "/sns/userinfo" { shared } else { kindly(path) })
        });
        assert_eq!(identity(&world, Method::Open, true).await.name.unwrap().chars().count(), 64);
    });
}

#[test]
fn without_a_profile_people_log_in_all_the_same() {
    for answer in [Ok(r#"{"errcode":48001,"errmsg":"api unauthorized rid: 1"}"#), Err("cut")] {
        run(async move {
            let world = world();
            plays(&world, move |path, _| match path {
                "/sns/userinfo" => answer.map(str::to_owned).map_err(str::to_owned),
                _ => Ok(kindly(path)),
            });
            let found = identity(&world, Method::Wechat, true).await;
            assert_eq!((found.name, found.picture), (None, None));
            assert!(world.log().iter().any(|line| line.event == "login.no_profile"));
            check_log(&world);
        });
    }
}

fn unionid(who: Who) -> Option<String> {
    match who {
        Who::Wechat { unionid, .. } => unionid.map(|unionid| unionid.as_str().to_owned()),
        Who::Github { .. } => panic!("not WeChat's"),
    }
}

fn by_unionid(config: &mut Config) {
    config.login.by_unionid = true;
}

#[test]
fn a_unionid_is_asked_for_where_people_are_known_by_it() {
    run(async {
        let world = world_with(by_unionid);
        let visitor = Visitor::computer(&world, WECHAT);
        let attempt = begin(&world, &visitor, &[Method::Wechat]).await;
        let gone = visitor.follow(&format!("/oauth/s/{}/go/wechat", attempt.id)).await;
        assert_eq!(parameter(&location(&gone), "scope"), "snsapi_userinfo");
        let found = identity(&world, Method::Wechat, false).await;
        assert_eq!((found.name, found.picture), (None, None), "nobody wanted them");
        assert_eq!(unionid(found.who).as_deref(), Some(UNIONID));
    });
    run(async {
        let world = world_with(by_unionid);
        plays(&world, |path, _| Ok(kindly(path).replacen('{', &format!(r#"{{"unionid":"{UNIONID}","#), 1)));
        assert_eq!(unionid(identity(&world, Method::Open, false).await.who).as_deref(), Some(UNIONID));
        assert_eq!(asked(&world, "/sns/userinfo").len(), 0, "it was told already");
        check_log(&world);
    });
}

#[test]
fn without_a_unionid_nobody_is_known_by_it() {
    run(async {
        let world = world_with(by_unionid);
        plays(&world, |path, _| match path {
            "/sns/userinfo" => Ok(r#"{"openid":"o","nickname":"n"}"#.to_owned()),
            _ => Ok(kindly(path)),
        });
        let (came, attempt, _) = go_and_return(&world, Method::Wechat, false).await;
        assert_eq!(came.status, 503);
        check_told(&came, PhoneResult::NoUnionid);
        assert_eq!(attempt.status().await, Status::Scanned);
        assert!(world.log().iter().any(|line| line.reason.contains("bind the account to the Open Platform")));
        check_log(&world);
    });
}

#[test]
fn without_its_settings_a_method_says_so_to_the_operator_only() {
    type Change = fn(&mut Config);
    let off: [(Method, Change); 3] = [
        (Method::Wechat, |config| config.account = None),
        (Method::Open, |config| config.login.open = None),
        (Method::Github, |config| config.login.github = None),
    ];
    for (method, change) in off {
        run(async move {
            let world = world_with(change);
            let visitor = Visitor::computer(&world, WECHAT);
            let attempt = begin(&world, &visitor, &[method]).await;
            let gone = visitor.follow(&format!("/oauth/s/{}/go/{}", attempt.id, method.name())).await;
            assert_eq!(gone.status, 503);
            check_told(&gone, PhoneResult::Down);
            assert!(world.log().iter().any(|line| line.event == "login.not_configured"));
        });
    }
}

#[test]
fn pages_are_in_the_language_of_whoever_looks() {
    for (language, account, expected) in [
        ("zh-CN,zh;q=0.9,en;q=0.8", Lang::En, Lang::Zh),
        ("en-US", Lang::Zh, Lang::En),
        ("fr, en;q=0.5", Lang::Zh, Lang::En),
        ("fr", Lang::Zh, Lang::Zh),
        ("", Lang::En, Lang::En),
    ] {
        run(async move {
            let world = world_with(|config| config.rules.texts.lang = account);
            let request = wxapi::platform::Request {
                method: "GET".to_owned(),
                origin: crate::world::ORIGIN.to_owned(),
                path: format!("/m/{}", "a".repeat(56)),
                headers: vec![("accept-language".to_owned(), language.to_owned())],
                ..Default::default()
            };
            let frame = Frame {
                lang: expected,
                theme: None,
                host: "wx.example.com",
                account_name: Some("An Account"),
            };
            let page = page::result(&frame, None, PhoneResult::OpenInWechat, None);
            assert_eq!(world.send(request).await.body, page, "{language}");
        });
    }
}

#[test]
fn an_operator_hears_of_what_keeps_everybody_out() {
    run(async {
        let world = world();
        let answer = Rc::new(RefCell::new(String::new()));
        let given = Rc::clone(&answer);
        plays(&world, move |_, _| Ok(given.borrow().clone()));
        for (code, level) in [(48001, "error"), (40029, "warn"), (40226, "warn")] {
            *answer.borrow_mut() = format!(r#"{{"errcode":{code},"errmsg":"x"}}"#);
            go_and_return(&world, Method::Wechat, false).await;
            let line = world.log().into_iter().rfind(|line| line.event == "login.no_identity").unwrap();
            assert_eq!(serde_json::to_value(line.level).unwrap(), level, "{code}");
        }
    });
}
