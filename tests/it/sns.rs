//! Web authorization's addresses and answers, and GitHub's.

use wxapi::config::login::Github;
use wxapi::login::Digest;
use wxapi::login::github;
use wxapi::wechat::api::UNREADABLE;
use wxapi::wechat::api::sns::{self, STATE_LIMIT, Scope, UserToken};
use wxapi::wechat::{AppId, OpenId, Secret};

const OPEN: &str = "https://open.weixin.qq.com";

/// WeChat compares the order, and everything after `#`.
#[test]
fn addresses_are_those_of_the_documents() {
    let app = AppId::new("wx520c15f417810387");
    let back = "https://chong.qq.com/php/index.php?d=&c=wxAdapter";
    assert_eq!(
        sns::authorize_url(OPEN, &app, back, Scope::Base, "123"),
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx520c15f417810387&redirect_uri=https%3A%2F%2Fchong.qq.com%2Fphp%2Findex.php%3Fd%3D%26c%3DwxAdapter&response_type=code&scope=snsapi_base&state=123#wechat_redirect"
    );
    assert!(sns::authorize_url(OPEN, &app, back, Scope::UserInfo, "1").contains("&scope=snsapi_userinfo&"));
    assert_eq!(
        sns::qrconnect_url("http://127.0.0.1:1", &app, "https://a.b/c", "s&x", "cn"),
        "http://127.0.0.1:1/connect/qrconnect?appid=wx520c15f417810387&redirect_uri=https%3A%2F%2Fa.b%2Fc&response_type=code&scope=snsapi_login&state=s%26x&lang=cn#wechat_redirect"
    );
    const { assert!(STATE_LIMIT >= 64) };
}

#[test]
fn requests_have_what_they_need_and_no_access_token_of_the_account() {
    let (app, token, openid) = (AppId::new("wx1"), UserToken::new("t/1"), OpenId::new("o1"));
    for (request, expected) in [
        (
            sns::access_token(&app, &Secret::new("s&1"), "c+1"),
            "/sns/oauth2/access_token?appid=wx1&secret=s%261&code=c%2B1&grant_type=authorization_code",
        ),
        (
            sns::refresh_token(&app, &Secret::new("r")),
            "/sns/oauth2/refresh_token?appid=wx1&grant_type=refresh_token&refresh_token=r",
        ),
        (sns::user_info(&token, &openid, "zh_CN"), "/sns/userinfo?access_token=t%2F1&openid=o1&lang=zh_CN"),
        (sns::verify(&token, &openid), "/sns/auth?access_token=t%2F1&openid=o1"),
    ] {
        assert_eq!((request.method.as_str(), request.url("", None).as_str()), ("GET", expected));
    }
    assert!(!format!("{token:?}").contains("t/1"));
}

#[test]
fn grants_are_read_with_all_their_peculiarities() {
    let full = r#"{"access_token":"A","expires_in":"7200","refresh_token":"R","openid":"O","scope":"snsapi_userinfo","is_snapshotuser":1,"unionid":"U"}"#;
    let grant = sns::parse_grant(full).unwrap();
    assert_eq!((grant.access_token.expose(), grant.expires_in, grant.openid.as_str()), ("A", 7200, "O"));
    assert_eq!(grant.refresh_token.unwrap().expose(), "R");
    assert_eq!((grant.unionid, grant.scope.as_str()), (Some(OpenId::new("U")), "snsapi_userinfo"));
    assert!(grant.is_snapshot);
    let least =
        sns::parse_grant(r#"{"access_token":"A","openid":"O","unionid":"","is_snapshotuser":0}"#).unwrap();
    assert_eq!((least.expires_in, least.refresh_token, least.unionid), (0, None, None));
    assert!(!least.is_snapshot);
    for (value, snapshot) in
        [("\"1\"", true), ("true", true), ("\"yes\"", true), ("\"0\"", false), ("null", false)]
    {
        let text = format!(r#"{{"access_token":"A","openid":"O","is_snapshotuser":{value}}}"#);
        assert_eq!(sns::parse_grant(&text).unwrap().is_snapshot, snapshot, "{value}");
    }
    for text in
        [r#"{"openid":"O"}"#, r#"{"access_token":"A"}"#, r#"{"access_token":"A","openid":""}"#, "[]", ""]
    {
        assert_eq!(sns::parse_grant(text).unwrap_err().errcode, UNREADABLE, "{text}");
    }
    assert_eq!(sns::parse_grant(r#"{"errcode":40029,"errmsg":"invalid code"}"#).unwrap_err().errcode, 40029);
}

#[test]
fn people_share_what_they_like() {
    let info =
        sns::parse_user_info(r#"{"openid":"O","nickname":"n","headimgurl":"","unionid":"U"}"#).unwrap();
    assert_eq!((info.nickname.as_deref(), info.headimgurl), (Some("n"), None));
    assert_eq!(info.unionid, Some(OpenId::new("U")));
    assert_eq!(sns::parse_user_info(r#"{"errcode":48001}"#).unwrap_err().errcode, 48001);
}

fn settings(secret: &str) -> Github {
    Github {
        client_id: "id".to_owned(),
        secret: Secret::new(secret),
        web: "https://ghe.example".to_owned(),
        api: "https://ghe.example/api/v3".to_owned(),
    }
}

#[test]
fn an_enterprise_server_is_asked_at_its_own_address() {
    let github = settings("s");
    let address = github::authorize_url(&github, "https://a.b/oauth/github", "state");
    assert!(
        address.starts_with("https://ghe.example/login/oauth/authorize?client_id=id&redirect_uri=https%3A")
    );
    let exchange = github::access_token(&github, "c", "https://a.b/oauth/github", &Digest::of("state"));
    assert_eq!(
        (exchange.method, exchange.url.as_str()),
        ("POST", "https://ghe.example/login/oauth/access_token")
    );
    let user = github::user(&github, &Secret::new("t"));
    assert_eq!((user.method, user.url.as_str()), ("GET", "https://ghe.example/api/v3/user"));
}

/// A code that somebody got with another `state` must be worth nothing.
#[test]
fn the_verifier_differs_with_the_state_and_the_secret() {
    let body = |secret: &str, state: &str| {
        github::access_token(&settings(secret), "c", "https://a.b", &Digest::of(state)).body
    };
    let verifier = |body: Vec<u8>| {
        let pairs = form_urlencoded::parse(&body).into_owned().collect::<Vec<_>>();
        pairs.into_iter().find(|(name, _)| name == "code_verifier").unwrap().1
    };
    let one = verifier(body("s", "one"));
    assert_eq!((one.len(), &one), (43, &verifier(body("s", "one"))));
    assert_ne!(one, verifier(body("s", "two")));
    assert_ne!(one, verifier(body("t", "one")));
}
