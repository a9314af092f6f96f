//! Configuration: defaults, and every fault told at once.

use std::collections::HashMap;

use wxapi::config::Config;
use wxapi::lang::Lang;

fn load(settings: &[(&str, &str)]) -> Config {
    let settings: HashMap<&str, &str> = settings.iter().copied().collect();
    Config::load(|name| settings.get(name).map(|value| (*value).to_owned()))
}

fn problems(config: &Config) -> Vec<&str> {
    config.problems.iter().map(|problem| problem.name).collect()
}

#[test]
fn a_token_is_enough_to_chat() {
    let config = load(&[("WECHAT_TOKEN", "t")]);
    assert!(config.keys.is_some() && config.problems.is_empty());
    assert_eq!(config.model.chain, ["@cf/meta/llama-3.3-70b-instruct-fp8-fast"]);
    assert!(
        config.model.endpoint.is_none() && config.model.vision.is_some() && config.model.speech.is_some()
    );
    assert_eq!(config.wechat_api, "https://api.weixin.qq.com");
    assert_eq!((config.rules.timeout, config.rules.rate_limit, config.rules.push), (300_000, 20, false));
    assert_eq!((config.rules.texts.lang, config.rules.texts.retrieve.as_str()), (Lang::Zh, "/retrieve"));
}

#[test]
fn every_fault_is_reported_at_once() {
    let config = load(&[
        ("WECHAT_TOKEN", "replace-me"),
        ("APP_SECRET", "s"),
        ("AI_BASE_URL", "ai.example"),
        ("SESSION_TIMEOUT", "soon"),
        ("RATE_LIMIT", "0"),
        ("DELIVERY", "pigeon"),
    ]);
    assert!(config.keys.is_none() && config.account.is_none());
    let expected = [
        "WECHAT_TOKEN",
        "WECHAT_TOKEN",
        "APP_ID",
        "AI_BASE_URL",
        "DELIVERY",
        "SESSION_TIMEOUT",
        "RATE_LIMIT",
    ];
    assert_eq!(problems(&config), expected);
}

#[test]
fn push_needs_an_account_that_can_have_a_token() {
    assert_eq!(problems(&load(&[("WECHAT_TOKEN", "t"), ("DELIVERY", "push")])), ["DELIVERY"]);
    let config = load(&[("WECHAT_TOKEN", "t"), ("DELIVERY", "push"), ("APP_ID", "wx1"), ("APP_SECRET", "s")]);
    assert!(config.rules.push && config.problems.is_empty());
}

#[test]
fn an_endpoint_needs_a_model_and_has_no_senses_of_its_own() {
    let config = load(&[("WECHAT_TOKEN", "t"), ("AI_BASE_URL", "https://ai.example/v1/")]);
    assert_eq!(problems(&config), ["AI_MODEL"]);
    assert_eq!(config.model.endpoint.unwrap().base_url, "https://ai.example/v1");
    assert!(config.model.vision.is_none() && config.model.speech.is_none());
}

#[test]
fn a_faulty_address_is_off_not_elsewhere() {
    let config = load(&[("WECHAT_TOKEN", "t"), ("AI_BASE_URL", "api.deepseek.com/v1"), ("AI_MODEL", "m")]);
    assert_eq!(problems(&config), ["AI_BASE_URL"]);
    assert!(config.model.chain.is_empty() && config.model.vision.is_none() && config.model.speech.is_none());
    let account = [("WECHAT_TOKEN", "t"), ("APP_ID", "wx1"), ("APP_SECRET", "s")];
    let config = load(&[&account[..], &[("WECHAT_API_BASE", "relay.example")]].concat());
    assert_eq!(problems(&config), ["WECHAT_API_BASE"]);
    assert!(config.account.is_none());
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let config = load(&[
        ("WECHAT_TOKEN", "hush-1"),
        ("APP_ID", "wx1"),
        ("APP_SECRET", "hush-2"),
        ("AI_BASE_URL", "https://ai.example"),
        ("AI_API_KEY", "hush-3"),
        ("ENCODING_AES_KEY", "hush456789012345678901234567890123456789012"),
    ]);
    assert!(config.keys.is_some(), "{:?}", config.problems);
    assert!(!format!("{config:?}").contains("hush"));
}
