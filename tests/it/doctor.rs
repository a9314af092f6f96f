//! `GET /admin/doctor`: what it says of an account in order, and of each thing that can be wrong.

use serde_json::{Value, json};
use wxapi::platform::{Object, Outbound, Storage};

use crate::world::admin::{APP_ID, TOKEN, admin_request, settings};
use crate::world::{Answer, ModelTurn, World, answers, run};

/// An EncodingAESKey.
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const OTHER_KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg";
/// What nobody may see.
const SECRETS: [&str; 6] =
    ["a-very-secret-token", "the-account\u{2019}s-secret", TOKEN, "a-token", KEY, OTHER_KEY];

/// WeChat, when all is well.
fn wechat(request: &Outbound) -> Result<Answer, String> {
    let path = request.url.trim_start_matches("https://api.weixin.qq.com").split('?').next().unwrap();
    Ok(Answer::json(match path {
        "/cgi-bin/stable_token" => r#"{"access_token":"a-very-secret-token","expires_in":7200}"#,
        "/cgi-bin/getcallbackip" => r#"{"ip_list":["1.2.3.4","1.2.3.0/24"]}"#,
        "/cgi-bin/callback/check" => {
            r#"{"dns":[{"ip":"5.6.7.8"}],"ping":[{"ip":"5.6.7.8","package_loss":"0%","time":"23ms"}]}"#
        }
        "/cgi-bin/openapi/quota/get" => {
            r#"{"errcode":0,"quota":{"daily_limit":1000,"used":10,"remain":990}}"#
        }
        "/cgi-bin/menu/get" => r#"{"errcode":46003,"errmsg":"menu no exist"}"#,
        _ => r#"{"errcode":0,"errmsg":"ok"}"#,
    }))
}

/// WeChat that answers `errcode` to `path`, and to everything else as if all were well.
fn except(path: &'static str, body: &'static str) -> impl Fn(&Outbound) -> Result<Answer, String> {
    move |request| if request.url.contains(path) { Ok(Answer::json(body)) } else { wechat(request) }
}

fn world(more: &[(&'static str, &'static str)]) -> World {
    let all: Vec<_> =
        settings().into_iter().chain([("ENCODING_AES_KEY", KEY)]).chain(more.iter().copied()).collect();
    let world = World::new(&all);
    world.wechat(wechat);
    world.model(|_| answers(300, "OK"));
    world
}

/// The answer; none of it may hold a secret.
async fn ask(world: &World, query: &str) -> Value {
    let before = wxapi::platform::Platform::now(world);
    let response = world.send(admin_request("GET", &format!("/admin/doctor{query}"), b"")).await;
    assert_eq!(response.status, 200, "{}", response.body);
    assert!(wxapi::platform::Platform::now(world) - before < 10_000, "it took too long");
    for secret in SECRETS {
        assert!(!response.body.contains(secret), "{secret} in {}", response.body);
    }
    let answer: Value = serde_json::from_str(&response.body).unwrap();
    for line in answer["checks"].as_array().unwrap() {
        for word in ["name", "state", "tried", "found"] {
            assert!(line[word].as_str().is_some_and(|text| !text.is_empty()), "{word} of {line}");
        }
        let needs_fix = ["warn", "fail"].contains(&line["state"].as_str().unwrap());
        assert_eq!(line["fix"].is_string(), needs_fix, "{line}");
    }
    answer
}

/// One line, asked for alone.
async fn check(world: &World, name: &str) -> Value {
    let answer = ask(world, &format!("?only={name}")).await;
    let lines = answer["checks"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "{answer}");
    assert_eq!(lines[0]["name"], name);
    assert_eq!(answer["healthy"], lines[0]["state"] != "fail");
    lines[0].clone()
}

#[track_caller]
fn expect(line: &Value, state: &str, found: &str) {
    assert_eq!(line["state"], state, "{line}");
    assert!(line["found"].as_str().unwrap().contains(found), "{found:?} in {line}");
}

#[test]
fn an_account_in_order_is_healthy() {
    run(async {
        let world = world(&[
            ("ACCOUNT_TYPE", "service_verified"),
            ("ENCODING_AES_KEY_PREVIOUS", OTHER_KEY),
            ("WECHAT_TOKEN", "aTokenOfLetters1"),
        ]);
        let answer = ask(&world, "").await;
        let state = |name: &str| {
            let line = answer["checks"].as_array().unwrap().iter().find(|line| line["name"] == name);
            line.unwrap_or_else(|| panic!("no {name}"))["state"].clone()
        };
        assert_eq!(answer["healthy"], true, "{answer}");
        for name in ["secrets", "settings", "aes", "addresses", "domain", "bindings", "objects", "storage"] {
            assert_eq!(state(name), "ok", "{name}: {answer}");
        }
        for name in [
            "version",
            "clock",
            "model",
            "senses",
            "token",
            "callback_check",
            "callback_ips",
            "rights",
            "quota",
        ] {
            assert_eq!(state(name), "ok", "{name}: {answer}");
        }
        assert_eq!((state("login_clients"), state("api_clients")), (json!("skip"), json!("skip")));
        // The object of a user who is none knows for twenty minutes that it has seen the event.
        assert!(world.disk("doctor").load().unwrap().is_some());
        world.pass(1_300_000).await;
        assert_eq!(world.disk("doctor").load().unwrap(), None);
    });
}

#[test]
fn only_the_chosen_checks_run() {
    run(async {
        let world = world(&[]);
        let answer = ask(&world, "?only=version,domain").await;
        let names: Vec<&str> =
            answer["checks"].as_array().unwrap().iter().map(|line| line["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["domain", "version"]);
        assert!(world.api_calls().is_empty() && world.model_calls().is_empty());
        for query in ["?only=", "?only=version,nonsense"] {
            let (status, problem) = world.admin("GET", &format!("/admin/doctor{query}"), None).await;
            assert_eq!((status, &problem["type"]), (422, &json!("urn:wxapi:problem:invalid")));
        }
        assert_eq!(world.admin("POST", "/admin/doctor", None).await.0, 405);
    });
}

#[test]
fn settings_that_are_missing_or_faulty() {
    run(async {
        let lost = world(&[("APP_SECRET", "replace-me-with-the-secret")]);
        expect(&check(&lost, "secrets").await, "fail", "APP_SECRET still has its example value");
        expect(&check(&lost, "token").await, "skip", "not set");
        expect(&check(&lost, "rights").await, "skip", "no access token");
        let missing = world(&[("APP_SECRET", "")]);
        let line = check(&missing, "secrets").await;
        expect(&line, "warn", "not set: APP_SECRET");
        assert_eq!(line["values"]["APP_SECRET"], "missing");
        assert_eq!(line["values"]["ENCODING_AES_KEY"], "set");
        let faulty = world(&[("ENCODING_AES_KEY", "short")]);
        expect(&check(&faulty, "secrets").await, "fail", "ENCODING_AES_KEY is not an EncodingAESKey");
        expect(&check(&faulty, "aes").await, "fail", "closed");
        expect(&check(&faulty, "wechat_token").await, "skip", "closed");
        expect(&check(&world(&[("ENCODING_AES_KEY", "")]), "aes").await, "warn", "plain mode");
        expect(&check(&world(&[("RATE_LIMIT", "many")]), "settings").await, "warn", "RATE_LIMIT");
        expect(&check(&world(&[]), "wechat_token").await, "fail", "no such Token");
        expect(&check(&world(&[("WECHAT_TOKEN", "aToken123")]), "wechat_token").await, "ok", "takes");
        expect(&check(&world(&[("WECHAT_TOKEN", "aToken123")]), "admin_token").await, "ok", "characters");
        let relay = world(&[("WECHAT_API_BASE", "http://relay.example.com")]);
        expect(&check(&relay, "addresses").await, "fail", "WECHAT_API_BASE");
        let here =
            world(&[("WECHAT_API_BASE", "http://127.0.0.1:4444"), ("AI_BASE_URL", "http://[::1]:1/v1")]);
        expect(&check(&here, "addresses").await, "ok", "");
        expect(&check(&world(&[("AI_BASE_URL", "ftp://a")]), "addresses").await, "fail", "AI_BASE_URL");
    });
}

#[test]
fn keys_open_what_they_sealed() {
    run(async {
        let both = world(&[("ENCODING_AES_KEY_PREVIOUS", OTHER_KEY)]);
        expect(&check(&both, "aes").await, "ok", "ENCODING_AES_KEY and ENCODING_AES_KEY_PREVIOUS");
        let same = world(&[("ENCODING_AES_KEY_PREVIOUS", KEY)]);
        expect(&check(&same, "aes").await, "ok", "ENCODING_AES_KEY");
    });
}

#[test]
fn clients_of_both_kinds() {
    run(async {
        let site = r#"[{"id":"blog","origins":["http://blog.example.com"],"redirect_uris":[]}]"#;
        let subject = ("SUBJECT_SECRET", "a-subject-secret-of-thirty-two-characters");
        expect(
            &check(&world(&[("LOGIN_CLIENTS", site), subject]), "login_clients").await,
            "fail",
            "LOGIN_CLIENTS",
        );
        let fine = r#"[{"id":"blog","origins":["https://blog.example.com"]}]"#;
        expect(
            &check(&world(&[("LOGIN_CLIENTS", fine), subject]), "login_clients").await,
            "ok",
            "1 in order",
        );
        let local = r#"[{"id":"blog","origins":["http://localhost:3000"]}]"#;
        expect(
            &check(&world(&[("LOGIN_CLIENTS", local), subject]), "login_clients").await,
            "ok",
            "1 in order",
        );
        expect(&check(&world(&[("API_CLIENTS", "{}")]), "api_clients").await, "fail", "not a JSON list");
        let raw = r#"[{"id":"old","secret_sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","scopes":["everything"],"raw_token":true}]"#;
        expect(&check(&world(&[("API_CLIENTS", raw)]), "api_clients").await, "warn", "old");
        let alone = world(&[("API_CLIENTS", raw), ("APP_SECRET", "")]);
        expect(&check(&alone, "api_clients").await, "fail", "no account");
    });
}

#[test]
fn the_address_that_was_asked() {
    run(async {
        let world = world(&[]);
        for (origin, state) in [
            ("https://wx.example.com", "ok"),
            ("https://wxapi.someone.workers.dev", "warn"),
            ("https://wx.example.com:8443", "warn"),
            ("http://wx.example.com", "fail"),
            ("http://127.0.0.1:8787", "skip"),
        ] {
            let mut request = admin_request("GET", "/admin/doctor?only=domain", b"");
            request.origin = origin.to_owned();
            let answer: Value = serde_json::from_str(&world.send(request).await.body).unwrap();
            assert_eq!(answer["checks"][0]["state"], state, "{origin}: {answer}");
        }
    });
}

#[test]
fn a_token_that_wechat_refuses() {
    run(async {
        let world = world(&[]);
        let body = r#"{"errcode":40164,"errmsg":"invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 1-2-3"}"#;
        world.wechat(except("stable_token", body));
        let answer = ask(&world, "?only=token,rights,quota,callback_check").await;
        assert_eq!(answer["healthy"], false);
        let lines = answer["checks"].as_array().unwrap();
        let token = lines.iter().find(|line| line["name"] == "token").unwrap();
        assert_eq!(token["values"], json!({ "errcode": 40164, "rid": "1-2-3", "ip": "203.0.113.7" }));
        for way in ["Three ways out", "cloudflare.com/ips", "WECHAT_API_BASE"] {
            assert!(token["fix"].as_str().unwrap().contains(way), "{token}");
        }
        assert!(lines.iter().filter(|line| line["name"] != "token").all(|line| line["state"] == "skip"));
        assert_eq!(world.api_calls().len(), 1, "WeChat is not asked again and again");
        world.wechat(except("stable_token", r#"{"errcode":40125,"errmsg":"invalid appsecret"}"#));
        // A refusal is remembered for a while.
        world.pass(120_000).await;
        expect(&check(&world, "token").await, "fail", "40125");
        world.wechat(|_| Err("connection lost".to_owned()));
        world.pass(120_000).await;
        expect(&check(&world, "token").await, "fail", "connection lost");
        expect(&check(&world, "clock").await, "fail", "no answer");
    });
}

#[test]
fn rights_are_compared_with_the_type() {
    run(async {
        let no = r#"{"errcode":48001,"errmsg":"api unauthorized"}"#;
        let verified = world(&[("ACCOUNT_TYPE", "service_verified")]);
        verified.wechat(except("user/get", no));
        let line = check(&verified, "rights").await;
        expect(&line, "warn", "48001: users");
        assert_eq!((&line["values"]["users"], &line["values"]["menu"]), (&json!("48001"), &json!("ok")));
        expect(
            &check(&world(&[("ACCOUNT_TYPE", "service")]), "rights").await,
            "warn",
            "more than ACCOUNT_TYPE",
        );
        expect(&check(&world(&[]), "rights").await, "ok", "fit service_verified");
        let strange = world(&[("ACCOUNT_TYPE", "service_verified")]);
        strange.wechat(except("tags/get", r#"{"errcode":45009,"errmsg":"reach max api daily quota limit"}"#));
        expect(&check(&strange, "rights").await, "warn", "tags");
        let personal = world(&[("ACCOUNT_TYPE", "subscription")]);
        personal.wechat(|request| {
            let basic =
                ["stable_token", "selfmenu", "getticket"].iter().any(|path| request.url.contains(path));
            if basic { wechat(request) } else { Ok(Answer::json(r#"{"errcode":48001,"errmsg":"no"}"#)) }
        });
        expect(&check(&personal, "rights").await, "ok", "what ACCOUNT_TYPE says");
        expect(&check(&personal, "quota").await, "skip", "48001");
    });
}

#[test]
fn the_callback_as_wechat_sees_it() {
    run(async {
        let world = world(&[]);
        let asked = |body: &'static str| world.wechat(except("callback/check", body));
        asked(r#"{"errcode":40201,"errmsg":"no callback url"}"#);
        expect(&check(&world, "callback_check").await, "fail", "no callback URL");
        asked(r#"{"dns":[],"ping":[]}"#);
        expect(&check(&world, "callback_check").await, "fail", "no address");
        asked(r#"{"dns":[{"ip":"1.1.1.1"}],"ping":[{"ip":"1.1.1.1","package_loss":"100%"}]}"#);
        expect(&check(&world, "callback_check").await, "warn", "no ping");
        world.wechat(except(
            "quota/get",
            r#"{"errcode":0,"quota":{"daily_limit":1000,"used":950,"remain":50}}"#,
        ));
        let line = check(&world, "quota").await;
        expect(&line, "warn", "/cgi-bin/menu/create");
        assert_eq!(line["values"]["/cgi-bin/user/get"]["remain"], 50);
    });
}

#[test]
fn what_is_slow_or_broken_hides_nothing_else() {
    run(async {
        let world = world(&[("AI_MODEL", "@cf/slow,@cf/quick"), ("ACCOUNT_TYPE", "service_verified")]);
        world.model(|call| if call.model == "@cf/slow" { answers(60_000, "OK") } else { answers(300, "OK") });
        let line = check(&world, "model").await;
        expect(&line, "warn", "@cf/slow: no answer within 4 s; @cf/quick: 300 ms");
        assert_eq!(line["values"], json!({ "@cf/slow": null, "@cf/quick": 300 }));
        world.model(|_| ModelTurn { delay: 0, outcome: Err("5007: no such model".to_owned()) });
        expect(&check(&world, "model").await, "fail", "5007");
        world.network(20_000);
        let answer = ask(&world, "").await;
        assert_eq!(answer["healthy"], false);
        let state = |name: &str| {
            answer["checks"].as_array().unwrap().iter().find(|line| line["name"] == name).unwrap()["state"]
                .clone()
        };
        assert_eq!((state("token"), state("clock")), (json!("fail"), json!("fail")));
        assert_eq!((state("storage"), state("aes")), (json!("ok"), json!("ok")));
    });
}

#[test]
fn bindings_storage_and_clocks() {
    run(async {
        let lost = world(&[]);
        lost.lose_bindings(&["RATE_LIMITER"]);
        expect(&check(&lost, "bindings").await, "warn", "RATE_LIMITER");
        lost.lose_bindings(&["METRICS_OBJECT", "CF_VERSION_METADATA"]);
        expect(&check(&lost, "bindings").await, "fail", "METRICS_OBJECT");
        lost.lose_bindings(&["MINI_USER_OBJECT"]);
        expect(&check(&lost, "bindings").await, "fail", "MINI_USER_OBJECT");
        expect(&check(&lost, "version").await, "skip", "release");
        expect(&check(&world(&[]), "version").await, "ok", "deployment a-version");
        let full = world(&[]);
        full.account_disk().set_full(true);
        expect(&check(&full, "storage").await, "fail", "the disk is full");
        full.account_disk().set_full(false);
        expect(&check(&full, "storage").await, "ok", "deleted");
        let count = full
            .account(APP_ID)
            .call(r#"{"record":{"count":{"kind":"doctor","filters":[]}}}"#)
            .await
            .unwrap();
        assert_eq!(count, r#"{"count":0}"#);
        let late = world(&[]);
        late.skew_clocks(300_000);
        let line = check(&late, "clock").await;
        expect(&line, "warn", "differ by 299 s");
        expect(&check(&world(&[]), "clock").await, "ok", "agree");
    });
}

#[test]
fn a_class_of_objects_that_is_silent_is_named() {
    run(async {
        let world = world(&[]);
        expect(&check(&world, "objects").await, "ok", "all eight classes");
        for (object, name) in [
            (Object::Account, "AccountObject"),
            (Object::Login, "LoginObject"),
            (Object::Code, "CodeObject"),
            (Object::Throttle, "ThrottleObject"),
            (Object::Key, "KeyObject"),
            (Object::Metrics, "MetricsObject"),
            (Object::MiniUser, "MiniUserObject"),
        ] {
            world.cut_off(Some((object, true)));
            let line = check(&world, "objects").await;
            expect(&line, "fail", "cut off");
            assert!(line["found"].as_str().unwrap().starts_with(name), "{line}");
        }
    });
}

#[test]
fn senses_that_nobody_has() {
    run(async {
        let deaf = world(&[("AI_BASE_URL", "https://models.example.com/v1"), ("AI_MODEL", "m")]);
        expect(&check(&deaf, "senses").await, "warn", "neither");
        expect(&check(&world(&[]), "senses").await, "ok", "both");
    });
}
