//! What a Mini Program's server asks of WeChat, and what it makes of the answers; open data.

use serde_json::{Value, json};
use wxapi::gateway::send::SendError;
use wxapi::handlers::ask_wechat;
use wxapi::wechat::api::mini::{self, CHECKED, Place, Suggest, Verdict};
use wxapi::wechat::api::{ApiRequest, Body, Method, Reaction, UNREADABLE, custom, reaction};
use wxapi::wechat::open_data::{self, OpenDataError};
use wxapi::wechat::{AppId, OpenId, Secret};

use crate::world::{Answer, World, admin, run};

const BASE: &str = "https://api.weixin.qq.com";
/// The session key and its signature of nothing, by Python's hmac.
const KEY: &str = "o0q0otL8aEzpcZL/FT9WsQ==";

fn openid() -> OpenId {
    OpenId::new("o 1")
}

fn body(request: &ApiRequest) -> Value {
    assert_eq!(request.method, Method::Post);
    let Body::Json(text) = &request.body else { panic!("no JSON in {request:?}") };
    assert!(!text.contains("\\u"), "WeChat does not take escapes: {text}");
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_login_code_goes_with_the_secret_and_without_a_token() {
    let request = mini::jscode2session(&AppId::new("wx2"), &Secret::new("s&s"), "0a/1+b");
    assert_eq!(request.method, Method::Get);
    let expected =
        "/sns/jscode2session?appid=wx2&secret=s%26s&js_code=0a%2F1%2Bb&grant_type=authorization_code";
    assert_eq!(request.url(BASE, None), format!("{BASE}{expected}"));
}

#[test]
fn a_session_is_whole_or_none() {
    let session = mini::parse_session(r#"{"openid":"o1","session_key":"aGk\/=","errcode":"0"}"#).unwrap();
    assert_eq!((session.openid.as_str(), session.session_key.expose()), ("o1", "aGk/="));
    assert_eq!(session.unionid, None);
    assert!(!format!("{session:?}").contains("aGk") && !format!("{session:?}").contains("o1"));
    let session =
        mini::parse_session(r#"{"openid":"o1","session_key":"k","unionid":"u","errcode":0}"#).unwrap();
    assert_eq!(session.unionid, Some(OpenId::new("u")));
    for bad in [
        "",
        "<html>",
        "[]",
        r#"{"openid":"o1"}"#,
        r#"{"session_key":"k"}"#,
        r#"{"openid":"","session_key":"k"}"#,
        r#"{"openid":1,"session_key":"k"}"#,
    ] {
        assert_eq!(mini::parse_session(bad).unwrap_err().errcode, UNREADABLE, "{bad}");
    }
}

#[test]
fn what_wechat_refuses_is_told_by_its_code() {
    run(async {
        let world = World::new(&admin::settings());
        let codes = [40029, 40163, 40226, 45011, 87009, 61010, 40097, 41030, -1];
        for errcode in codes {
            let no = json!({ "errcode": errcode.to_string(), "errmsg": "no, rid: 1-2-3" }).to_string();
            for found in [
                mini::parse_session(&no).unwrap_err(),
                mini::parse_phone(&no, &AppId::new("wx2")).unwrap_err(),
                mini::parse_check(&no).unwrap_err(),
            ] {
                assert_eq!((found.errcode, found.rid()), (errcode, Some("1-2-3")));
            }
            world.wechat(move |_| Ok(Answer::json(&no)));
            let request = mini::jscode2session(&AppId::new("wx2"), &Secret::new("s"), "c");
            let outcome = ask_wechat(&world, world.app(), &request, mini::parse_session).await;
            assert!(matches!(outcome, Err(SendError::Refused(error)) if error.errcode == errcode));
        }
        let reactions = codes.map(reaction);
        assert_eq!(reactions[..3], [Reaction::RestartLogin, Reaction::RestartLogin, Reaction::Block]);
        assert_eq!(reactions[3..5], [Reaction::Wait { seconds: 60 }, Reaction::RestartLogin]);
        assert_eq!(reactions[6..8], [Reaction::FixRequest, Reaction::FixRequest]);
    });
}

/// `openssl dgst -sha256 -hmac "$KEY" /dev/null`
const SIGNED: &str = "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128";

#[test]
fn a_session_key_signs_by_its_text() {
    assert_eq!(open_data::sign(&Secret::new(KEY), b""), SIGNED);
}

#[test]
fn a_phone_number_is_taken_if_it_is_for_us() {
    assert_eq!(body(&mini::phone_number(&openid(), "c")), json!({ "code": "c", "openid": "o 1" }));
    let answer = |app: Value, country: Value| {
        let watermark = json!({ "timestamp": 1, "appid": app });
        json!({ "errcode": 0, "phone_info": {
            "phoneNumber": "15550100", "purePhoneNumber": "5550100", "countryCode": country, "watermark": watermark
        } })
        .to_string()
    };
    let read = |text: &str| mini::parse_phone(text, &AppId::new("wx2"));
    for country in [json!("1"), json!(1)] {
        let phone = read(&answer(json!("wx2"), country)).unwrap();
        assert_eq!(
            (phone.number.as_str(), phone.pure.as_str(), phone.country.as_str()),
            ("15550100", "5550100", "1")
        );
    }
    for bad in [
        answer(json!("wx3"), json!("1")),
        answer(json!(""), json!("1")),
        answer(Value::Null, json!("1")),
        answer(json!("wx2"), Value::Null),
        r#"{"errcode":0}"#.to_owned(),
        r#"{"phone_info":{"watermark":{"appid":"wx2"},"countryCode":"86","phoneNumber":"","purePhoneNumber":"1"}}"#.to_owned(),
    ] {
        let error = read(&bad).unwrap_err();
        assert!(error.errcode == UNREADABLE && !error.errmsg.contains("555"), "{error}");
    }
}

#[test]
fn a_text_is_checked_where_it_stands() {
    let request = mini::check_text(&openid(), Place::Comment, "你好\u{1}\u{b}\n\"🦌\"");
    assert_eq!(request.path, "/wxa/msg_sec_check");
    let expected = json!({ "version": 2, "openid": "o 1", "scene": 2, "content": "你好\n\"🦌\"" });
    assert_eq!(body(&request), expected);
    let places = [Place::Profile, Place::Comment, Place::Forum, Place::Diary];
    assert_eq!([1, 2, 3, 4].map(Place::numbered), places.map(Some));
    assert_eq!([Place::numbered(0), Place::numbered(5)], [None, None]);
}

#[test]
fn only_a_known_word_lets_a_text_pass() {
    let read = |result: Value| mini::parse_check(&json!({ "errcode": 0, "result": result }).to_string());
    for (word, suggest, label) in
        [("pass", Suggest::Pass, 100), ("review", Suggest::Review, 10001), ("risky", Suggest::Risky, 20006)]
    {
        assert_eq!(read(json!({ "suggest": word, "label": label })), Ok(Verdict { suggest, label }));
        assert_eq!(suggest.as_str(), word);
    }
    for bad in [
        json!({ "suggest": "fine", "label": 100 }),
        json!({ "label": 100 }),
        json!({ "suggest": "pass" }),
        json!([]),
        Value::Null,
    ] {
        assert_eq!(read(bad.clone()).unwrap_err().errcode, UNREADABLE, "{bad}");
    }
    // Without `result`, as version 1 answers.
    assert_eq!(mini::parse_check(r#"{"errcode":0,"errmsg":"ok"}"#).unwrap_err().errcode, UNREADABLE);
    let worst = [Suggest::Review, Suggest::Pass, Suggest::Risky, Suggest::Pass].into_iter().max();
    assert_eq!(worst, Some(Suggest::Risky));
}

#[test]
fn a_long_text_is_checked_in_pieces_that_hide_no_word() {
    assert!(mini::pieces("").is_empty() && mini::pieces(" \n\t").is_empty());
    assert_eq!(mini::pieces("hello"), ["hello"]);
    let full = "好".repeat(CHECKED);
    assert_eq!(mini::pieces(&full), [full.as_str()]);
    for filling in ["好", "a", "🦌", "é"] {
        for length in [CHECKED / 2 + 1, CHECKED + 1, 2 * CHECKED, 20_000] {
            let text = filling.repeat(length);
            let pieces = mini::pieces(&text);
            assert!(pieces.iter().all(|piece| (1..=CHECKED).contains(&piece.encode_utf16().count())));
            let total: usize = pieces.iter().map(|piece| piece.chars().count()).sum();
            assert!(total >= length && total <= length + pieces.len() * 50, "{filling} {length}: {total}");
        }
    }
    // Wherever a word stands, one piece has all of it.
    for at in CHECKED - 60..CHECKED + 60 {
        let text = format!("{}一个不该出现的词{}", "好".repeat(at), "好".repeat(3_000));
        let pieces = mini::pieces(&text);
        assert!(pieces.iter().any(|piece| piece.contains("一个不该出现的词")), "at {at}");
        assert!(text.starts_with(pieces[0]) && text.ends_with(pieces[pieces.len() - 1]));
    }
}

#[test]
fn typing_is_shown_in_the_mini_programs_chat() {
    let request = mini::typing(&openid(), custom::Typing::Typing);
    assert_eq!(request.path, "/cgi-bin/message/custom/business/typing");
    assert_eq!(body(&request), json!({ "touser": "o 1", "command": "Typing" }));
}

#[test]
fn a_notification_goes_to_whoever_asks_for_it() {
    let order = json!({
        "template_id": "t", "data": { "thing1": { "value": "好" } }, "page": "index?a=1", "lang": "zh_TW",
        "miniprogram_state": "formal", "touser": "o-somebody-else", "more": 1,
    });
    let sent = body(&mini::notification(&openid(), &order).unwrap());
    let expected = json!({
        "touser": "o 1", "template_id": "t", "data": { "thing1": { "value": "好" } }, "page": "index?a=1",
        "lang": "zh_TW", "miniprogram_state": "formal",
    });
    assert_eq!(sent, expected);
    let least = json!({ "template_id": "t", "data": {}, "page": null });
    let expected = json!({ "touser": "o 1", "template_id": "t", "data": {} });
    assert_eq!(body(&mini::notification(&openid(), &least).unwrap()), expected);
    for (member, bad) in [
        ("template_id", json!("")),
        ("template_id", json!(1)),
        ("template_id", Value::Null),
        ("data", json!("x")),
        ("data", json!({ "thing1": "x" })),
        ("data", json!({ "thing1": { "color": "red" } })),
        ("data", Value::Null),
        ("page", json!(1)),
        ("lang", json!("de")),
        ("miniprogram_state", json!("release")),
    ] {
        let mut order = order.clone();
        order[member] = bad.clone();
        let fault = mini::notification(&openid(), &order).unwrap_err();
        assert!(fault.starts_with(&format!("{member} must")), "{member} {bad}: {fault}");
    }
    assert!(mini::notification(&openid(), &json!("x")).is_err());
}

#[test]
fn a_code_is_asked_for_within_its_limits() {
    let order = json!({ "scene": "a=1", "page": "pages/index/index", "width": 1280, "line_color": {"r":"0","g":0,"b":255} });
    let request = mini::code(&order).unwrap();
    assert_eq!((request.path, body(&request)), ("/wxa/getwxacodeunlimit", order));
    let with = |member: &str, value: Value| {
        let mut order = json!({ "scene": "s" });
        order[member] = value;
        mini::code(&order)
    };
    for (member, fine) in [
        ("scene", json!("a".repeat(32))),
        ("scene", json!("0aZ!#$&'()*+,/:;=?@-._~")),
        ("page", json!("")),
        ("check_path", json!(false)),
        ("env_version", json!("trial")),
        ("width", json!(280)),
        ("auto_color", json!(true)),
        ("is_hyaline", json!(true)),
    ] {
        assert_eq!(body(&with(member, fine.clone()).unwrap())[member], fine);
    }
    for (member, bad) in [
        ("scene", json!("")),
        ("scene", json!("a".repeat(33))),
        ("scene", json!("a%20b")),
        ("scene", json!("a b")),
        ("scene", json!("好")),
        ("scene", json!(1)),
        ("scene", Value::Null),
        ("page", json!("/pages/index")),
        ("page", json!("pages/index?a=1")),
        ("page", json!(1)),
        ("check_path", json!("false")),
        ("env_version", json!("beta")),
        ("width", json!(279)),
        ("width", json!(1281)),
        ("width", json!(430.5)),
        ("width", json!("430")),
        ("auto_color", json!(1)),
        ("line_color", json!("red")),
        ("line_color", json!({ "r": 256, "g": 0, "b": 0 })),
        ("line_color", json!({ "r": 0, "g": 0 })),
        ("is_hyaline", json!("yes")),
    ] {
        let fault = with(member, bad.clone()).unwrap_err();
        assert!(fault.starts_with(&format!("{member} must")), "{member} {bad}: {fault}");
    }
}

/// What can be told apart is told apart; and nothing of the data is in it.
#[test]
fn each_fault_of_encrypted_data_has_its_name() {
    let app_id = AppId::new("wx0123456789abcdef");
    let decrypt = |key: &str, data: &str, iv: &str| open_data::decrypt(&Secret::new(key), data, iv, &app_id);
    let (block, blocks) = ("AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAA==");
    assert_eq!(decrypt("", blocks, block), Err(OpenDataError::Key));
    assert_eq!(decrypt("AAAA", blocks, block), Err(OpenDataError::Key));
    assert_eq!(decrypt(block, blocks, "AAAA"), Err(OpenDataError::Iv));
    assert_eq!(decrypt(block, "*", block), Err(OpenDataError::Base64));
    assert_eq!(decrypt(block, "", block), Err(OpenDataError::Blocks));
    assert_eq!(decrypt(block, "AAAA", block), Err(OpenDataError::Blocks));
    assert_eq!(decrypt(block, blocks, block), Err(OpenDataError::Padding));
    let stale = [OpenDataError::Padding, OpenDataError::Json];
    let others = [
        OpenDataError::Key,
        OpenDataError::Iv,
        OpenDataError::Base64,
        OpenDataError::Blocks,
        OpenDataError::Watermark,
    ];
    assert!(stale.iter().all(|error| error.is_stale()) && others.iter().all(|error| !error.is_stale()));
}
