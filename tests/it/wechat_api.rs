//! Calls of WeChat's API: what is sent, and how answers are understood.

use wxapi::wechat::api::media::Media;
use wxapi::wechat::api::{
    ApiError, ApiRequest, Body, Method, Reaction, UNREADABLE, check, custom, media, reaction, token,
};
use wxapi::wechat::{AppId, OpenId, Secret};

fn json(request: &ApiRequest) -> &str {
    match &request.body {
        Body::Json(body) => body,
        Body::Empty => panic!("no body"),
    }
}

fn error(errcode: i64, errmsg: &str) -> ApiError {
    ApiError::new(errcode, errmsg)
}

#[test]
fn requests_are_whole_but_for_the_token() {
    let stable = token::stable_token(&AppId::new("wx1"), &Secret::new("s&1"), true);
    assert_eq!((stable.method, stable.path), (Method::Post, "/cgi-bin/stable_token"));
    assert_eq!(stable.url("https://h", None), "https://h/cgi-bin/stable_token");
    assert_eq!(
        json(&stable),
        r#"{"appid":"wx1","force_refresh":true,"grant_type":"client_credential","secret":"s&1"}"#
    );
    let get = media::get("m+/=");
    assert_eq!((get.method.as_str(), &get.body), ("GET", &Body::Empty));
    let url = "http://127.0.0.1:1/x/cgi-bin/media/get?access_token=t%2F1&media_id=m%2B%2F%3D";
    assert_eq!(get.url("http://127.0.0.1:1/x", Some("t/1")), url);
    assert_eq!(get.url("", None), "/cgi-bin/media/get?media_id=m%2B%2F%3D");
}

/// Escapes are refused with 40033 or shown to the user as they are.
#[test]
fn bodies_have_no_unicode_escapes() {
    let text = "中文 😀 \u{7f} <a href=\"x\">'&</a>\n\t\\u4e2d\0\u{1}\u{1f}\u{fffe}";
    let sent = custom::send_text(&OpenId::new("o"), text);
    let body = json(&sent);
    assert!(body.contains("中文 😀"));
    assert!(!body.replace("\\\\", "").contains("\\u"), "{body}");
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(value["text"]["content"], "中文 😀 \u{7f} <a href=\"x\">'&</a>\n\t\\u4e2d");
    assert_eq!((value["touser"].as_str(), value["msgtype"].as_str()), (Some("o"), Some("text")));
}

#[test]
fn success_needs_no_code() {
    for ok in [r#"{}"#, r#"{"errcode":0}"#, r#"{"errcode":"0","errmsg":"ok"}"#, "\u{feff} {\"a\":[]} "] {
        assert!(check(ok).is_ok(), "{ok}");
    }
    assert_eq!(check(r#"{"a":18446744073709551615}"#).unwrap()["a"], 18446744073709551615_u64);
}

#[test]
fn what_is_no_object_is_an_unknown_outcome() {
    let answers = [
        "",
        "[]",
        "null",
        "\"ok\"",
        "<html>502 Bad Gateway</html>",
        "{",
        r#"{"errcode":"abc"}"#,
        r#"{"errcode":null}"#,
    ];
    for answer in answers {
        let error = check(answer).unwrap_err();
        assert_eq!((error.errcode, error.reaction()), (UNREADABLE, Reaction::BackOff), "{answer}");
    }
}

#[test]
fn errors_tell_their_number_and_our_address() {
    let text = r#"{"errcode":40164,"errmsg":"invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist rid: 6019-4c5b-066b","x":1}"#;
    let found = check(text).unwrap_err();
    assert_eq!((found.rid(), found.whitelist_ip()), (Some("6019-4c5b-066b"), Some("1.2.3.4")));
    assert!(found.to_string().contains("40164"));
    for (code, message, rid, ip) in [
        (40164, "invalid ip 2001:db8::1, not in whitelist", None, Some("2001:db8::1")),
        (40164, "invalid ip ", None, None),
        (40164, "", None, None),
        (40001, "invalid ip 1.2.3.4", None, None),
        (40163, "code been used, rid: ab-cd, more", Some("ab-cd"), None),
        (40163, "code been used, hints: [ req_id: t ]", None, None),
        (40163, "rid: ", None, None),
    ] {
        let error = error(code, message);
        assert_eq!((error.rid(), error.whitelist_ip()), (rid, ip), "{message}");
    }
}

#[test]
fn waiting_times_are_wechats() {
    for (code, seconds) in [(45011, 60), (44991, 60), (45066, 60), (45033, 1)] {
        assert_eq!(reaction(code), Reaction::Wait { seconds });
    }
    for (code, seconds) in [(89503, 0), (89504, 0), (89505, 0), (89506, 86_400), (89507, 3_600)] {
        assert_eq!(reaction(code), Reaction::AwaitAdministrator { seconds });
    }
    for code in [0, 1, -2, 40_000, i64::MAX] {
        assert_eq!(reaction(code), Reaction::Unknown);
    }
}

#[test]
fn tokens_need_both_fields() {
    let parsed = token::parse(r#"{"access_token":"TOKEN_1","expires_in":"7200"}"#).unwrap();
    assert_eq!((parsed.access_token.expose(), parsed.expires_in), ("TOKEN_1", 7200));
    assert!(!format!("{parsed:?}").contains("TOKEN_1"));
    for incomplete in [
        r#"{"access_token":"T"}"#,
        r#"{"expires_in":7200}"#,
        r#"{"access_token":"","expires_in":7200}"#,
        r#"{"access_token":"T","expires_in":-1}"#,
        r#"{"access_token":"T","expires_in":"soon"}"#,
        r#"{"access_token":1,"expires_in":1}"#,
    ] {
        assert_eq!(token::parse(incomplete).unwrap_err().errcode, UNREADABLE, "{incomplete}");
    }
    assert_eq!(token::parse(r#"{"errcode":40013,"errmsg":"invalid appid"}"#).unwrap_err().errcode, 40013);
}

#[test]
fn media_are_bytes_unless_they_are_json() {
    let jpeg: &[u8] = &[0xff, 0xd8, 0xff, 0xe0];
    assert_eq!(media::parse("image/jpeg", jpeg), Ok(Media::Bytes(jpeg)));
    assert_eq!(media::parse("", b"#!AMR\n"), Ok(Media::Bytes(b"#!AMR\n")));
    let video = br#"{"video_url":"https://v/1"}"#;
    for content_type in ["application/json; charset=utf-8", "text/plain", "", "video/mp4"] {
        let found = media::parse(content_type, video);
        assert_eq!(found, Ok(Media::VideoUrl("https://v/1".to_owned())), "{content_type}");
    }
    let refused = br#"{"errcode":40007,"errmsg":"invalid media_id"}"#;
    for content_type in ["text/plain", "image/jpeg", "Application/JSON"] {
        let found = media::parse(content_type, refused);
        assert_eq!(found, Err(error(40007, "invalid media_id")), "{content_type}");
    }
    for (content_type, body) in
        [("", &b""[..]), ("application/json", b"{}"), ("text/html", b"<html>"), ("", b"{\xff")]
    {
        assert_eq!(media::parse(content_type, body).unwrap_err().errcode, UNREADABLE, "{content_type}");
    }
}
