//! The five routes of CloudBase's integration, and the files by which WeChat knows a domain.

use serde_json::{Value, json};
use wxapi::platform::{Request, Response};

use crate::login_play::*;
use crate::world::{ORIGIN, World, run};

async fn call(world: &World, what: &str, authorization: &str, body: &str) -> (u16, Value) {
    let response = post(world, what, authorization, body).await;
    (response.status, serde_json::from_str(&response.body).unwrap_or(Value::Null))
}

async fn post(world: &World, what: &str, authorization: &str, body: &str) -> Response {
    let headers = if authorization.is_empty() {
        Vec::new()
    } else {
        vec![("authorization".to_owned(), authorization.to_owned())]
    };
    let request = Request {
        method: "POST".to_owned(),
        origin: ORIGIN.to_owned(),
        path: format!("/oauth/{what}"),
        headers,
        body: body.as_bytes().to_vec(),
        ..Request::default()
    };
    world.send(request).await
}

fn bearer() -> String {
    format!("Bearer {CLIENT_SECRET}")
}

/// Asks a WeChat that answers so, as a client.
async fn answer_to(answer: Result<&str, &str>, what: &str, body: &str) -> (World, u16, Value) {
    let world = world();
    let answer = answer.map(str::to_owned).map_err(str::to_owned);
    plays(&world, move |_, _| answer.clone());
    let (status, envelope) = call(&world, what, &bearer(), body).await;
    check_log(&world);
    (world, status, envelope)
}

fn success(data: Value) -> (u16, Value) {
    (200, json!({ "code": 0, "msg": "success", "data": data }))
}

fn failure(status: u16, msg: &str) -> (u16, Value) {
    (status, json!({ "code": -1, "msg": msg, "data": null }))
}

#[test]
fn config_tells_the_app_id() {
    run(async {
        let world = world();
        for body in ["", "{}", " \n"] {
            let expected = success(json!({ "appId": "wxaccount" }));
            assert_eq!(call(&world, "config", &bearer(), body).await, expected);
        }
        assert!(world.api_calls().is_empty());
    });
}

#[test]
fn token_and_refresh_give_what_wechat_gives() {
    run(async {
        let granted = kindly("/sns/oauth2/access_token");
        let body = format!(r#"{{"code":"{CODE}"}}"#);
        let (world, status, envelope) = answer_to(Ok(&granted), "token", &body).await;
        let data = json!({
            "openid": OPENID, "access_token": "user-token", "refresh_token": "user-refresh", "expires_in": 7200,
            "scope": "snsapi_base",
        });
        assert_eq!((status, envelope), success(data.clone()));
        assert!(world.api_calls()[0].url.contains(&format!("&code={CODE}&")));
        let body = r#"{"refresh_token":"user-refresh"}"#;
        let (world, status, envelope) = answer_to(Ok(&granted), "refresh", body).await;
        assert_eq!((status, envelope), success(data));
        let url = &world.api_calls()[0].url;
        let expected =
            "/sns/oauth2/refresh_token?appid=wxaccount&grant_type=refresh_token&refresh_token=user-refresh";
        assert!(url.ends_with(expected), "{url}");
        assert!(!url.contains(APP_SECRET), "a refresh needs no secret");
    });
}

#[test]
fn a_virtual_user_is_named_as_one() {
    run(async {
        let granted = kindly("/sns/oauth2/access_token").replacen(
            '{',
            &format!(r#"{{"is_snapshotuser":1,"unionid":"{UNIONID}","#),
            1,
        );
        let (_, _, envelope) = answer_to(Ok(&granted), "token", r#"{"code":"c"}"#).await;
        assert_eq!(envelope["data"]["is_snapshotuser"], 1);
        assert_eq!(envelope["data"]["unionid"], UNIONID);
    });
}

#[test]
fn userinfo_is_wechats_own() {
    run(async {
        let shared = r#"{"openid":"o","nickname":"小明","headimgurl":"https://x/1","privilege":[]}"#;
        for (lang, asked) in [("", "zh_CN"), (r#","lang":"en""#, "en"), (r#","lang":"x&y""#, "zh_CN")] {
            let body = format!(r#"{{"access_token":"user-token","openid":"{OPENID}"{lang}}}"#);
            let (world, status, envelope) = answer_to(Ok(shared), "userinfo", &body).await;
            assert_eq!((status, envelope), success(serde_json::from_str(shared).unwrap()));
            assert!(world.api_calls()[0].url.ends_with(&format!("&lang={asked}")));
        }
    });
}

#[test]
fn verify_says_whether_a_token_is_valid() {
    run(async {
        let body = format!(r#"{{"access_token":"user-token","openid":"{OPENID}"}}"#);
        for (answer, valid) in [
            (r#"{"errcode":0,"errmsg":"ok"}"#, true),
            (r#"{"errcode":40003,"errmsg":"invalid openid"}"#, false),
            (r#"{"errcode":40001,"errmsg":"invalid credential"}"#, false),
            (r#"{"errcode":42001,"errmsg":"access_token expired"}"#, false),
        ] {
            let (world, status, envelope) = answer_to(Ok(answer), "verify", &body).await;
            assert_eq!((status, envelope), success(json!({ "valid": valid })), "{answer}");
            let expected = format!("/sns/auth?access_token=user-token&openid={OPENID}");
            assert!(world.api_calls()[0].url.ends_with(&expected));
        }
        let (_, status, envelope) =
            answer_to(Ok(r#"{"errcode":-1,"errmsg":"system error"}"#), "verify", &body).await;
        assert_eq!((status, envelope), failure(400, "WeChat API error [-1]: system error"));
        let (_, status, _) = answer_to(Err("cut"), "verify", &body).await;
        assert_eq!(status, 502);
    });
}

#[test]
fn errors_of_wechat_are_repeated_and_its_silence_is_named() {
    run(async {
        let body = format!(r#"{{"code":"{CODE}"}}"#);
        let (world, status, envelope) =
            answer_to(Ok(r#"{"errcode":40029,"errmsg":"invalid code"}"#), "token", &body).await;
        assert_eq!((status, envelope), failure(400, "WeChat API error [40029]: invalid code"));
        assert!(world.log().iter().any(|line| line.reason == "token: WeChat answered 40029"));
        for answer in [Ok("status 502"), Ok("<html>"), Ok("{}"), Err("cut")] {
            let (_, status, envelope) = answer_to(answer, "token", &body).await;
            assert_eq!((status, envelope), failure(502, "WeChat could not be reached"), "{answer:?}");
        }
    });
}

#[test]
fn bodies_that_are_not_what_they_should_be_are_refused() {
    run(async {
        let world = world();
        for (what, body, msg) in [
            ("token", "{", "the body is not a JSON object"),
            ("token", "[]", "the body is not a JSON object"),
            ("token", "code=x", "the body is not a JSON object"),
            ("config", "\u{0}", "the body is not a JSON object"),
            ("token", "", "code is missing"),
            ("token", r#"{"code":""}"#, "code is missing"),
            ("token", r#"{"code":42}"#, "code is missing"),
            ("refresh", "{}", "refresh_token is missing"),
            ("userinfo", r#"{"openid":"o"}"#, "access_token is missing"),
            ("userinfo", r#"{"access_token":"a"}"#, "openid is missing"),
            ("verify", r#"{"access_token":"a"}"#, "openid is missing"),
        ] {
            assert_eq!(call(&world, what, &bearer(), body).await, failure(400, msg), "{what} {body}");
        }
        assert!(world.api_calls().is_empty());
        check_log(&world);
    });
}

#[test]
fn nobody_without_a_clients_secret_is_answered() {
    run(async {
        let world = world();
        let padded = format!("bearer  {CLIENT_SECRET} ");
        assert_eq!(call(&world, "config", &padded, "").await.0, 200);
        let basic = format!("Basic {CLIENT_SECRET}");
        let digest = format!("Bearer {}", wxapi::login::Digest::of(CLIENT_SECRET).as_str());
        let longer = format!("Bearer {CLIENT_SECRET}x");
        for authorization in ["", "Bearer", "Bearer ", &basic, &digest, &longer, CLIENT_SECRET] {
            for what in ["config", "token", "refresh", "userinfo", "verify"] {
                let response = post(&world, what, authorization, "not even JSON").await;
                assert_eq!(response.status, 401, "{what} {authorization}");
                assert_eq!(header(&response, "www-authenticate"), "Bearer");
                let envelope: Value = serde_json::from_str(&response.body).unwrap();
                assert_eq!((401, envelope), failure(401, "unauthorized"));
            }
        }
        assert!(world.api_calls().is_empty());
        check_log(&world);
    });
}

#[test]
fn every_clients_secret_counts() {
    run(async {
        let world = world_with(|config| {
            let mut second = config.login.clients[0].clone();
            second.id = "second".to_owned();
            second.secret = Some(wxapi::login::Digest::of("another"));
            config.login.clients.push(second);
        });
        for secret in [CLIENT_SECRET, "another"] {
            assert_eq!(call(&world, "config", &format!("Bearer {secret}"), "").await.0, 200);
        }
    });
}

#[test]
fn without_a_secret_in_the_configuration_there_are_no_such_routes() {
    run(async {
        let world = world_with(|config| config.login.clients[0].secret = None);
        for what in ["config", "token", "refresh", "userinfo", "verify"] {
            let response = post(&world, what, &bearer(), "{}").await;
            assert_eq!((response.status, response.body.as_str()), (404, "not found"), "{what}");
        }
    });
}

#[test]
fn without_an_account_the_routes_say_so() {
    run(async {
        let world = world_with(|config| config.account = None);
        assert_eq!(call(&world, "config", &bearer(), "").await, failure(503, "not configured"));
    });
}

#[test]
fn browsers_of_other_sites_get_no_permission() {
    run(async {
        let world = world();
        let page = Visitor::new(&world, CHROME);
        *page.headers.borrow_mut() = vec![("origin", SITE.to_owned()), ("authorization", bearer())];
        assert_eq!(page.send("OPTIONS", "/oauth/token", "").await.status, 405);
        let response = page.send("POST", "/oauth/config", "").await;
        assert_eq!(response.status, 200);
        assert!(response.headers.iter().all(|(name, _)| !name.starts_with("access-control")));
        assert_eq!(header(&response, "cache-control"), "no-store");
        assert_eq!(page.send("GET", "/oauth/config", "").await.status, 405);
    });
}

#[test]
fn verification_files_are_those_of_the_configuration() {
    run(async {
        let world = world_with(|config| {
            config.login.verify_files = vec![
                ("MP_verify_a1B2.txt".to_owned(), "a1B2".to_owned()),
                ("0123456789.txt".to_owned(), "abcdef".to_owned()),
            ]
        });
        for (path, status, body) in [
            ("/MP_verify_a1B2.txt", 200, "a1B2"),
            ("/0123456789.txt", 200, "abcdef"),
            ("/MP_verify_other.txt", 404, "not found"),
            ("/mp_verify_a1b2.txt", 404, "not found"),
            ("//MP_verify_a1B2.txt", 404, "not found"),
            ("/MP_verify_a1B2.txt/", 404, "not found"),
            ("/x/MP_verify_a1B2.txt", 404, "not found"),
            ("/.txt", 404, "not found"),
        ] {
            let response = world.request("GET", path, "", "").await;
            assert_eq!((response.status, response.body.as_str()), (status, body), "{path}");
            if status == 200 {
                assert_eq!(response.content_type, "text/plain; charset=utf-8");
                assert_eq!(header(&response, "x-content-type-options"), "nosniff");
            }
        }
        assert_eq!(world.request("POST", "/MP_verify_a1B2.txt", "", "").await.status, 404);
    });
}
