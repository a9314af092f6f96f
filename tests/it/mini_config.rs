//! The Mini Program's settings, and what the doctor says of them.

use std::collections::HashMap;

use serde_json::{Value, json};
use wxapi::config::Config;

use crate::world::{Answer, World, admin, run};

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const OTHER_KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg";
const BOTH: [(&str, &str); 2] = [("MINI_APP_ID", "wx2"), ("MINI_APP_SECRET", "hush-1")];

fn load(more: &[&[(&str, &str)]]) -> Config {
    let settings: HashMap<&str, &str> =
        [("WECHAT_TOKEN", "t"), ("APP_ID", "wx1")].into_iter().chain(more.concat()).collect();
    Config::load(|name| settings.get(name).map(|value| (*value).to_owned()))
}

/// Names and words of what is wrong.
fn problems(config: &Config) -> Vec<(&str, &str)> {
    config.problems.iter().map(|problem| (problem.name, problem.text.as_ref())).collect()
}

#[track_caller]
fn expect(config: &Config, expected: &[(&str, &str)]) {
    let found = problems(config);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((name, text), (expected, words)) in found.iter().zip(expected) {
        assert!(name == expected && text.contains(words), "{expected} {words} in {found:?}");
    }
}

#[test]
fn there_need_be_no_mini_program() {
    let config = load(&[]);
    assert!(config.mini.is_none());
    expect(&config, &[]);
    expect(&load(&[&[("MSG_SEC_CHECK", "off")]]), &[]);
    let useless = load(&[&[("MINI_TOKEN", "t"), ("MINI_ENCODING_AES_KEY", KEY), ("MSG_SEC_CHECK", "on")]]);
    assert!(useless.mini.is_none());
    let words = "of no use without MINI_APP_ID";
    expect(&useless, &[("MINI_TOKEN", words), ("MINI_ENCODING_AES_KEY", words), ("MSG_SEC_CHECK", words)]);
}

#[test]
fn an_appid_and_a_secret_make_one() {
    let config = load(&[&BOTH]);
    let mini = config.mini.as_ref().unwrap();
    assert_eq!((mini.app_id.as_str(), mini.secret.expose()), ("wx2", "hush-1"));
    assert!(mini.keys.is_none() && !mini.check_text);
    expect(&config, &[]);
    let credentials = |of| config.credentials(of).map(|(app_id, secret)| (app_id.as_str(), secret.expose()));
    assert_eq!(credentials("wx2"), Some(("wx2", "hush-1")));
    assert_eq!((credentials("wx3"), credentials("")), (None, None), "the account has no secret");
}

#[test]
fn half_of_one_or_the_accounts_own_is_off() {
    for (settings, name, words) in [
        (vec![BOTH[0]], "MINI_APP_SECRET", "is missing"),
        (vec![BOTH[1]], "MINI_APP_ID", "is missing"),
        (vec![("MINI_APP_ID", "wx1"), BOTH[1]], "MINI_APP_ID", "the account's own"),
    ] {
        let config = load(&[&settings]);
        assert!(config.mini.is_none(), "{settings:?}");
        expect(&config, &[(name, words)]);
    }
    let example = load(&[&[("MINI_APP_ID", "replace-me-wx0"), BOTH[1]]]);
    assert!(example.mini.is_none());
    expect(&example, &[("MINI_APP_ID", "example value"), ("MINI_APP_ID", "is missing")]);
    let astray = load(&[&BOTH, &[("WECHAT_API_BASE", "relay.example")]]);
    assert!(astray.mini.is_none());
    expect(&astray, &[("WECHAT_API_BASE", "is no http")]);
}

#[test]
fn its_push_is_as_strict_as_the_accounts() {
    let keys = |more: &[(&str, &str)]| {
        let mut config = load(&[&BOTH, more]);
        (config.mini.take().unwrap().keys, config)
    };
    let (plain, config) = keys(&[("MINI_TOKEN", "hush-2")]);
    let plain = plain.unwrap();
    assert!(plain.current.is_none() && plain.token.matches("hush-2"));
    assert_eq!(plain.app_id.unwrap().as_str(), "wx2");
    assert!(config.keys.unwrap().token.matches("t"), "the account's own are another pair");
    let names =
        [("MINI_TOKEN", "t"), ("MINI_ENCODING_AES_KEY", KEY), ("MINI_ENCODING_AES_KEY_PREVIOUS", OTHER_KEY)];
    let (secure, config) = keys(&names);
    assert!(secure.is_some_and(|keys| keys.current.is_some() && keys.previous.is_some()));
    expect(&config, &[]);
    for (settings, name, words) in [
        (vec![names[1]], "MINI_TOKEN", "so /wechat/mini refuses every message"),
        (
            vec![names[0], ("MINI_ENCODING_AES_KEY", "short")],
            "MINI_ENCODING_AES_KEY",
            "so /wechat/mini refuses",
        ),
        (
            vec![names[0], names[1], ("MINI_ENCODING_AES_KEY_PREVIOUS", "replace-me-43")],
            "MINI_ENCODING_AES_KEY_PREVIOUS",
            "is not an EncodingAESKey",
        ),
    ] {
        let (keys, config) = keys(&settings);
        assert!(keys.is_none(), "{settings:?}");
        expect(&config, &[(name, words)]);
        assert!(config.keys.is_some(), "the account's callback stays open");
    }
}

#[test]
fn a_check_that_is_spelled_wrong_is_on() {
    for (value, expected, faults) in [("on", true, 0), ("off", false, 0), ("", false, 0), ("true", true, 1)] {
        let config = load(&[&BOTH, &[("MSG_SEC_CHECK", value)]]);
        assert_eq!((config.mini.unwrap().check_text, config.problems.len()), (expected, faults), "{value}");
    }
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let config = load(&[&BOTH, &[("MINI_TOKEN", "hush-2"), ("MINI_ENCODING_AES_KEY", KEY)]]);
    assert!(config.mini.as_ref().unwrap().keys.is_some());
    let shown = format!("{config:?}");
    assert!(!shown.contains("hush") && !shown.contains(KEY), "{shown}");
}

/// The doctor's line, when WeChat answers `token` to whoever wants the Mini Program's.
async fn line(more: &[(&'static str, &'static str)], token: &'static str) -> Value {
    let world = World::new(&[admin::settings(), more.to_vec()].concat());
    world.wechat(move |request| {
        assert!(request.url.ends_with("/cgi-bin/stable_token"), "{}", request.url);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!((&body["appid"], &body["secret"]), (&json!("wx2"), &json!("hush-1")));
        Ok(Answer::json(token))
    });
    let (status, answer) = world.admin("GET", "/admin/doctor?only=mini_program", None).await;
    assert_eq!(status, 200);
    let text = answer.to_string();
    assert!(!text.contains("hush") && !text.contains("a-token-of-its-own") && !text.contains(KEY), "{text}");
    answer["checks"][0].clone()
}

#[test]
fn the_doctor_looks_at_all_of_it() {
    const TOKEN: &str = r#"{"access_token":"a-token-of-its-own","expires_in":7200}"#;
    run(async {
        let (token, key) = (("MINI_TOKEN", "hush2"), ("MINI_ENCODING_AES_KEY", KEY));
        let [id, secret] = BOTH;
        let previous = ("MINI_ENCODING_AES_KEY_PREVIOUS", OTHER_KEY);
        let wrong = r#"{"errcode":40125,"errmsg":"invalid appsecret"}"#;
        for (settings, answer, state, found, fix) in [
            (vec![], TOKEN, "skip", "there is none", ""),
            (
                vec![id, secret],
                TOKEN,
                "ok",
                "message push is off: MINI_TOKEN is not set; its access token: there is",
                "",
            ),
            (vec![id, secret, token], TOKEN, "warn", "plain mode", "MINI_ENCODING_AES_KEY"),
            (
                vec![id, secret, token, key, previous],
                TOKEN,
                "ok",
                "with MINI_ENCODING_AES_KEY and MINI_ENCODING_AES_KEY_PREVIOUS; its access",
                "",
            ),
            (vec![id], TOKEN, "fail", "MINI_APP_SECRET is missing", "secret put"),
            (vec![id, secret, key], TOKEN, "fail", "MINI_TOKEN is missing, so /wechat/mini", "secret put"),
            (
                vec![id, secret],
                wrong,
                "fail",
                "Mini Program: WeChat answered 40125",
                "MINI_APP_SECRET is wrong",
            ),
        ] {
            let line = line(&settings, answer).await;
            assert_eq!(line["state"], state, "{line}");
            assert!(line["found"].as_str().unwrap().contains(found), "{found} in {line}");
            assert!(line["fix"].as_str().unwrap_or_default().contains(fix), "{fix} in {line}");
        }
    });
}

/// One thing that is wrong is one line.
#[test]
fn its_problems_are_not_told_twice() {
    run(async {
        let more = [("MINI_APP_ID", "wx2"), ("MINI_TOKEN", "t"), ("ENCODING_AES_KEY", KEY)];
        let world = World::new(&[admin::settings(), more.to_vec()].concat());
        let (_, answer) = world.admin("GET", "/admin/doctor?only=secrets,settings,mini_program", None).await;
        let states: Vec<_> = answer["checks"].as_array().unwrap().iter().map(|line| &line["state"]).collect();
        assert_eq!(states, [&json!("ok"), &json!("ok"), &json!("fail")], "{answer}");
    });
}
