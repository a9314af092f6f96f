//! The settings of the login: what may be written there, and every fault told at once.

use std::collections::HashMap;

use wxapi::config::Config;
use wxapi::login::client::{SubjectType, by_id, by_origin};
use wxapi::login::method::Method;
use wxapi::platform::Algorithm;

const AES: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A configuration that chats, with these settings besides.
fn load(settings: &[(&str, &str)]) -> Config {
    let base =
        [("WECHAT_TOKEN", "t"), ("APP_ID", "wx1"), ("ENCODING_AES_KEY", AES), ("SUBJECT_SECRET", SECRET)];
    let settings: HashMap<&str, &str> = base.iter().chain(settings).copied().collect();
    Config::load(|name| settings.get(name).map(|value| (*value).to_owned()))
}

/// The only problem, of this setting, says all of `words`.
#[track_caller]
fn only_problem(config: &Config, name: &str, words: &[&str]) {
    let [problem] = &config.problems[..] else { panic!("{:?}", config.problems) };
    assert_eq!(problem.name, name, "{problem:?}");
    for word in words {
        assert!(problem.text.contains(word), "{word:?} is missing in {:?}", problem.text);
    }
}

/// A client with `fields` besides its id and origin is left out, and the problem says all of `words`.
#[track_caller]
fn refused(fields: &str, words: &[&str]) {
    let json = format!(
        r#"[{{"id":"good","origins":["https://good.example"]}},{{"id":"bad","redirect_uris":["https://bad.example/cb"],{fields}}}]"#
    );
    let config = load(&[("LOGIN_CLIENTS", &json)]);
    let ids: Vec<&str> = config.login.clients.iter().map(|client| client.id.as_str()).collect();
    assert_eq!(ids, ["good"], "{fields}");
    only_problem(&config, "LOGIN_CLIENTS", words);
}

/// The same, but the client is in order.
#[track_caller]
fn accepted(fields: &str) {
    let json = format!(r#"[{{"id":"good","redirect_uris":["https://x.example/cb"],{fields}}}]"#);
    let config = load(&[("LOGIN_CLIENTS", &json)]);
    assert_eq!((config.login.clients.len(), config.problems.as_slice()), (1, &[][..]), "{fields}");
}

#[test]
fn login_is_off_and_silent_by_default() {
    let config = load(&[]);
    assert!(config.login.clients.is_empty() && config.problems.is_empty());
    assert_eq!(config.login.rate_limit, 20);
    assert_eq!(config.login.wechat_open, "https://open.weixin.qq.com");
    let default = [Method::Wechat, Method::Qr, Method::Scene, Method::Open, Method::Code];
    assert_eq!(config.login.abilities.allowed, default);
}

#[test]
fn a_client_needs_little() {
    let config = load(&[("LOGIN_CLIENTS", r#"[{"id":"blog","origins":["https://blog.example.com"]}]"#)]);
    let [client] = &config.login.clients[..] else { panic!("{:?}", config.problems) };
    assert_eq!((client.name.as_str(), client.sector.as_str()), ("blog", "blog"));
    assert_eq!((client.subject_type, client.algorithm), (SubjectType::Pairwise, Algorithm::Rs256));
    assert!(client.secret.is_none() && !client.strict && !client.synthetic_email && client.method.is_none());
}

#[test]
fn a_client_can_have_everything() {
    let hash = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08";
    let json = format!(
        r#"[{{"id":"app-1.0~x_y","name":"我的博客","origins":["https://a.example","http://localhost:8080"],
        "redirect_uris":["https://a.example/cb?x=1"],"post_logout_redirect_uris":["https://a.example/bye"],
        "secret_sha256":"{hash}","method":"code","subject_type":"public","sector":"family",
        "id_token_alg":"ES256","strict":true,"synthetic_email":true}}]"#
    );
    let config = load(&[("LOGIN_CLIENTS", &json)]);
    let [client] = &config.login.clients[..] else { panic!("{:?}", config.problems) };
    assert!(config.problems.is_empty());
    assert!(client.knows("test") && !client.knows("Test") && !client.knows("") && !client.knows(hash));
    assert_eq!((client.method, client.algorithm), (Some(Method::Code), Algorithm::Es256));
    assert!(client.strict && client.synthetic_email && client.sector == "family");
    assert!(client.has_redirect("https://a.example/cb?x=1") && !client.has_redirect("https://a.example/cb"));
    let clients = &config.login.clients;
    assert!(
        by_origin(clients, "http://localhost:8080").is_some()
            && by_origin(clients, "http://localhost").is_none()
    );
    assert!(by_id(clients, "app-1.0~x_y").is_some() && by_id(clients, "APP-1.0~x_y").is_none());
}

#[test]
fn a_client_without_a_secret_has_none() {
    let config = load(&[("LOGIN_CLIENTS", r#"[{"id":"a","origins":["https://a.example"]}]"#)]);
    assert!(!config.login.clients[0].knows("") && !config.login.clients[0].knows("x"));
}

#[test]
fn a_faulty_client_is_off_and_the_others_are_not() {
    refused(r#""colour":"red""#, &["\"bad\"", "unknown field `colour`", "so it is off"]);
    refused(r#""secret":"the secret itself""#, &["unknown field `secret`"]);
    refused(r#""name":"""#, &["a name"]);
    refused(&format!(r#""name":"{}""#, "名".repeat(41)), &["a name"]);
    refused(r#""name":"a\u202eb""#, &["a name"]);
    refused(r#""name":"a\nb""#, &["a name"]);
    refused(r#""name":" a""#, &["a name"]);
    refused(r#""sector":"a b""#, &["a sector"]);
    refused(r#""method":"telepathy""#, &["a method that does not exist"]);
    refused(r#""subject_type":"secret""#, &["cannot be read"]);
    refused(r#""id_token_alg":"none""#, &["cannot be read"]);
    refused(r#""id_token_alg":"HS256""#, &["cannot be read"]);
    refused(r#""strict":"yes""#, &["cannot be read"]);
    refused(r#""secret_sha256":"abc""#, &["64 hexadecimal digits"]);
    refused(&format!(r#""secret_sha256":"{}""#, "g".repeat(64)), &["64 hexadecimal digits"]);
    refused(r#""secret_sha256":null,"origins":["https://a.example/"]"#, &["no origin as browsers write it"]);
    refused(r#""post_logout_redirect_uris":["https://a.example/#x"]"#, &["no exact https address"]);
    accepted(r#""name":"名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名""#);
    accepted(r#""secret_sha256":null"#);
    accepted(r#""origins":["http://127.0.0.1:3000","http://[::1]:3000","http://localhost"]"#);
}

#[test]
fn what_could_be_a_secret_is_not_repeated() {
    for fields in [
        r#""secret_sha256":"hush-hush""#,
        r#""secret_sha256":["hush-hush"]"#,
        r#""secret_sha256":{"hush-hush":1}"#,
        r#""secret":"hush-hush""#,
    ] {
        let json = format!(r#"[{{"id":"a","origins":["https://a.example"],{fields}}}]"#);
        let config = load(&[("LOGIN_CLIENTS", &json)]);
        assert!(config.login.clients.is_empty() && config.problems.len() == 1, "{fields}");
        assert!(!format!("{config:?}").contains("hush"), "{:?}", config.problems);
    }
}

#[test]
fn ids_are_short_plain_and_unique() {
    for id in ["", "a b", "名", "a/b", "a\\\"b", &"a".repeat(65)] {
        let config =
            load(&[("LOGIN_CLIENTS", &format!(r#"[{{"id":"{id}","origins":["https://a.example"]}}]"#))]);
        assert!(config.login.clients.is_empty());
        only_problem(&config, "LOGIN_CLIENTS", &["client number 1", "an id that is not"]);
    }
    let twice = r#"[{"id":"a","origins":["https://a.example"]},{"id":"a","origins":["https://b.example"]}]"#;
    let config = load(&[("LOGIN_CLIENTS", twice)]);
    only_problem(&config, "LOGIN_CLIENTS", &["client \"a\"", "another with this id"]);
    assert_eq!(config.login.clients[0].origins, ["https://a.example"]);
    let config = load(&[("LOGIN_CLIENTS", r#"[{"origins":["https://a.example"]}]"#)]);
    only_problem(&config, "LOGIN_CLIENTS", &["client number 1", "missing field `id`"]);
    let config = load(&[("LOGIN_CLIENTS", r#"[{"id":"idle"}]"#)]);
    only_problem(&config, "LOGIN_CLIENTS", &["\"idle\"", "neither origins nor redirect_uris nor a secret"]);
}

#[test]
fn an_origin_of_two_clients_says_nothing() {
    let json = r#"[{"id":"a","origins":["https://a.example","https://both.example"]},
        {"id":"b","origins":["https://both.example"]}]"#;
    let config = load(&[("LOGIN_CLIENTS", json)]);
    only_problem(&config, "LOGIN_CLIENTS", &["https://both.example", "several clients"]);
    assert_eq!(config.login.clients.len(), 2);
    assert!(by_origin(&config.login.clients, "https://both.example").is_none());
    assert_eq!(by_origin(&config.login.clients, "https://a.example").unwrap().id, "a");
}

#[test]
fn what_is_no_list_switches_the_login_off() {
    for (json, word) in [("[{", "is not JSON"), ("{}", "is not a JSON list"), ("\"x\"", "is not a JSON list")]
    {
        let config = load(&[("LOGIN_CLIENTS", json)]);
        assert!(config.login.clients.is_empty());
        only_problem(&config, "LOGIN_CLIENTS", &[word, "so login is off"]);
    }
    let config = load(&[("LOGIN_CLIENTS", "[7]")]);
    only_problem(&config, "LOGIN_CLIENTS", &["client number 1", "cannot be read"]);
}

#[test]
fn ids_of_their_own_need_a_long_secret() {
    let json = r#"[{"id":"own","origins":["https://a.example"]},
        {"id":"raw","origins":["https://b.example"],"subject_type":"public"}]"#;
    let config = load(&[("LOGIN_CLIENTS", json), ("SUBJECT_SECRET", "")]);
    only_problem(&config, "LOGIN_CLIENTS", &["\"own\"", "SUBJECT_SECRET"]);
    assert_eq!(config.login.clients.len(), 1);
    assert_eq!(config.login.clients[0].id, "raw");
    let config = load(&[("SUBJECT_SECRET", "0123456789abcdef0123456789abcde")]);
    only_problem(&config, "SUBJECT_SECRET", &["shorter than 32"]);
    assert!(config.login.subject_secret.is_none());
    only_problem(
        &load(&[("SUBJECT_SECRET", "replace-me-0123456789abcdef012345678")]),
        "SUBJECT_SECRET",
        &["example"],
    );
}

#[test]
fn every_fault_of_the_login_is_reported_at_once() {
    let config = load(&[
        ("SUBJECT_SECRET", "short"),
        ("SUBJECT_SOURCE", "phone"),
        (
            "ACCOUNT_NAME",
            "一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一",
        ),
        ("ACCOUNT_QR", "weixin"),
        ("OPEN_APP_ID", "wx2"),
        ("GITHUB_CLIENT_SECRET", "s"),
        ("GITHUB_BASE_URL", "github.example"),
        ("LOGIN_RATE_LIMIT", "none"),
        ("VERIFY_FILES", "MP_verify_a.txt=a, index.html=b, =c, d.txt, ../e.txt=e, .txt=f"),
        ("WECHAT_OPEN_BASE", "open.example"),
        ("ACCOUNT_TYPE", "personal"),
        ("LOGIN_IN_PLAIN_MODE", "yes"),
        ("LOGIN_METHODS", "code, dance, qr, code"),
    ]);
    let names: Vec<&str> = config.problems.iter().map(|problem| problem.name).collect();
    let expected = [
        "LOGIN_IN_PLAIN_MODE",
        "SUBJECT_SECRET",
        "SUBJECT_SOURCE",
        "ACCOUNT_NAME",
        "ACCOUNT_QR",
        "OPEN_APP_SECRET",
        "GITHUB_CLIENT_ID",
        "GITHUB_BASE_URL",
        "LOGIN_RATE_LIMIT",
        "VERIFY_FILES",
        "VERIFY_FILES",
        "VERIFY_FILES",
        "VERIFY_FILES",
        "VERIFY_FILES",
        "WECHAT_OPEN_BASE",
        "ACCOUNT_TYPE",
        "LOGIN_METHODS",
    ];
    assert_eq!(names, expected);
    let login = config.login;
    assert_eq!(login.abilities.allowed, [Method::Code, Method::Qr]);
    assert_eq!(login.verify_files, [("MP_verify_a.txt".to_owned(), "a".to_owned())]);
    assert!(login.open.is_none() && login.github.is_none() && login.account_name.is_none());
    assert!(login.account_qr.is_none() && !login.by_unionid && login.rate_limit == 20);
}

#[test]
fn what_an_account_can_do_follows_from_its_type_and_secrets() {
    let secret = ("APP_SECRET", "s");
    // account type, then: web authorization, parametric QR codes
    for (account, oauth, scene) in [
        ("", false, false),
        ("subscription", false, false),
        ("subscription_verified", false, false),
        ("service", false, false),
        ("service_verified", true, true),
        ("test", true, true),
        ("government", true, false),
    ] {
        let abilities = load(&[("ACCOUNT_TYPE", account), secret]).login.abilities;
        assert_eq!((abilities.oauth, abilities.scene), (oauth, scene), "{account}");
        let abilities = load(&[("ACCOUNT_TYPE", account)]).login.abilities;
        assert!(!abilities.oauth && !abilities.scene && abilities.chat, "{account} without an AppSecret");
    }
    let config = load(&[("ACCOUNT_TYPE", "test"), secret, ("WECHAT_OPEN_BASE", "nowhere")]);
    assert!(!config.login.abilities.oauth, "a faulty address is off, not elsewhere");
}

#[test]
fn messages_log_in_only_if_they_are_encrypted() {
    let chat = |settings: &[(&str, &str)]| {
        let config = load(settings);
        assert!(
            config.problems.iter().all(|problem| problem.name == "WECHAT_TOKEN"),
            "{:?}",
            config.problems
        );
        config.login.abilities.chat
    };
    assert!(chat(&[]));
    assert!(!chat(&[("ENCODING_AES_KEY", "")]));
    assert!(chat(&[("ENCODING_AES_KEY", ""), ("LOGIN_IN_PLAIN_MODE", "allow")]));
    assert!(!chat(&[("WECHAT_TOKEN", ""), ("LOGIN_IN_PLAIN_MODE", "allow")]));
}

#[test]
fn applications_elsewhere_come_in_pairs() {
    let config = load(&[
        ("OPEN_APP_ID", "wx2"),
        ("OPEN_APP_SECRET", "s"),
        ("GITHUB_CLIENT_ID", "g"),
        ("GITHUB_CLIENT_SECRET", "s"),
        ("WECHAT_OPEN_BASE", "http://127.0.0.1:8799/"),
        ("SUBJECT_SOURCE", "unionid"),
        ("ACCOUNT_QR", "http://weixin.qq.com/r/abc"),
        ("ACCOUNT_NAME", "小站"),
    ]);
    assert!(config.problems.is_empty(), "{:?}", config.problems);
    let login = &config.login;
    assert!(login.abilities.open && login.abilities.github && login.by_unionid);
    assert_eq!(login.wechat_open, "http://127.0.0.1:8799");
    let github = login.github.as_ref().unwrap();
    assert_eq!((github.web.as_str(), github.api.as_str()), ("https://github.com", "https://api.github.com"));
    let settings = [
        ("GITHUB_CLIENT_ID", "g"),
        ("GITHUB_CLIENT_SECRET", "s"),
        ("GITHUB_BASE_URL", "https://git.example/"),
    ];
    let github = load(&settings).login.github.unwrap();
    assert_eq!(
        (github.web.as_str(), github.api.as_str()),
        ("https://git.example", "https://git.example/api/v3")
    );
}

#[test]
fn a_method_that_nobody_can_use_is_reported() {
    let client =
        |method: &str| format!(r#"[{{"id":"a","origins":["https://a.example"],"method":"{method}"}}]"#);
    only_problem(&load(&[("LOGIN_CLIENTS", &client("qr"))]), "LOGIN_CLIENTS", &["\"a\"", "method qr"]);
    only_problem(&load(&[("LOGIN_CLIENTS", &client("menu"))]), "LOGIN_CLIENTS", &["method menu"]);
    assert!(load(&[("LOGIN_CLIENTS", &client("menu")), ("LOGIN_METHODS", "menu")]).problems.is_empty());
    assert!(load(&[("LOGIN_CLIENTS", &client("code"))]).problems.is_empty());
    let plain = r#"[{"id":"a","origins":["https://a.example"]}]"#;
    let config = load(&[("LOGIN_CLIENTS", plain), ("ENCODING_AES_KEY", "")]);
    only_problem(&config, "LOGIN_CLIENTS", &["nobody can log in"]);
}

#[test]
fn a_redirect_address_leaves_room_for_the_answer() {
    for query in ["code=1", "x=1&state=2", "iss=", "error=x", "%63ode=1"] {
        let fields = format!(r#""post_logout_redirect_uris":["https://a.example/?{query}"]"#);
        refused(&fields, &["a parameter of ours"]);
    }
}
