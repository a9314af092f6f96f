//! What websites ask for when they send a browser here: both notations of `/oauth`, and `/authorize`.

use wxapi::lang::Lang;
use wxapi::login::client::{Client, parse};
use wxapi::login::method::Method;
use wxapi::login::page::Theme;
use wxapi::login::request::{Back, Local, Parsed, Refusal, ResultBy, parse_authorize, parse_oauth};

use crate::world::site::BLOG;

/// S256 of RFC 7636's example: <https://www.rfc-editor.org/rfc/rfc7636#appendix-B>.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn clients() -> Vec<Client> {
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let json = format!(
        r#"[{{"id":"blog","origins":["{BLOG}"],"redirect_uris":["{BLOG}/cb","{BLOG}/cb?a=1"]}},
        {{"id":"app","redirect_uris":["https://app.example.com/cb"],"secret_sha256":"{hash}"}},
        {{"id":"one","origins":["https://both.example.com"]}},{{"id":"two","origins":["https://both.example.com"]}}]"#
    );
    parse(&json).0
}

#[track_caller]
fn oauth(raw: &str) -> Parsed {
    parse_oauth(raw, &clients()).unwrap_or_else(|refusal| panic!("{raw}: {refusal:?}"))
}

#[track_caller]
fn oauth_refused(raw: &str, expected: Local) {
    assert_eq!(parse_oauth(raw, &clients()), Err(Refusal::Local(expected)), "{raw}");
}

#[track_caller]
fn oauth_malformed(raw: &str) {
    let outcome = parse_oauth(raw, &clients());
    assert!(matches!(outcome, Err(Refusal::Local(Local::Malformed(_)))), "{raw}: {outcome:?}");
}

/// A request of the client with a secret, changed: `name=value` replaces, `name` alone removes, `+name=value` adds.
fn query(client: &str, changes: &[&str]) -> String {
    let address = if client == "app" { "https://app.example.com/cb" } else { "https://blog.example.com/cb" };
    let mut pairs: Vec<(String, String)> = [
        ("client_id", client),
        ("redirect_uri", address),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "s t&a=te"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    for change in changes {
        let (name, value) =
            change.split_once('=').map_or((*change, None), |(name, value)| (name, Some(value)));
        if !name.starts_with('+') {
            pairs.retain(|(known, _)| known != name);
        }
        pairs.extend(value.map(|value| (name.trim_start_matches('+').to_owned(), value.to_owned())));
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn authorize(client: &str, changes: &[&str]) -> Result<Parsed, Refusal> {
    parse_authorize(query(client, changes).as_bytes(), &clients())
}

/// The request is refused with this error, which goes back to the client's own address, with its state.
#[track_caller]
fn back(client: &str, changes: &[&str], error: &str) -> Back {
    match authorize(client, changes) {
        Err(Refusal::Back(back)) if back.error == error => {
            assert!(back.redirect_uri.ends_with(".example.com/cb"), "{back:?}");
            *back
        }
        other => panic!("{changes:?}: {other:?} instead of {error}"),
    }
}

#[track_caller]
fn local(client: &str, changes: &[&str], expected: Local) {
    assert_eq!(authorize(client, changes), Err(Refusal::Local(expected)), "{changes:?}");
}

#[test]
fn the_first_class_writes_its_page_as_it_is() {
    for raw in [
        "target=https://blog.example.com",
        "target=https://blog.example.com/",
        "target=https://blog.example.com/post?x=1&y=2",
        "target=https://blog.example.com/post?x=1&challenge=2&client_id=two&state=z",
        "target=https://blog.example.com/post?u=https://evil.example",
        "target=https%3A%2F%2Fblog.example.com%2Fpost%3Fx%3D1%26y%3D2",
        "target=https%3a%2f%2fblog.example.com",
        "lang=en&target=https://blog.example.com/?a",
        "client_id=blog&target=https://blog.example.com/&x=1",
    ] {
        let parsed = oauth(raw);
        assert_eq!(parsed.request.result, ResultBy::Legacy { origin: BLOG.to_owned() }, "{raw}");
        assert_eq!((parsed.request.client.as_str(), &parsed.request.state), ("blog", &None), "{raw}");
        assert_eq!(parsed.request.again, format!("/oauth?{raw}"));
        assert!(parsed.request.challenge.is_none() && parsed.request.redirect_uri.is_none());
    }
    let parsed = oauth("state=abc&theme=dark&target=https://blog.example.com");
    assert_eq!((parsed.request.state.as_deref(), parsed.theme), (Some("abc"), Some(Theme::Dark)));
    let parsed = oauth("target=https%3A%2F%2Fblog.example.com&lang=en&method=code");
    assert_eq!((parsed.lang, parsed.method), (Some(Lang::En), Some(Method::Code)));
}

/// The wish must neither become a part of the target nor come twice.
#[test]
fn again_begins_by_the_method_that_was_shown() {
    for raw in [
        "target=https://blog.example.com/post?x=1&y=2",
        "target=https://blog.example.com/post?method=open&y=2",
        "method=qr&target=https://blog.example.com/",
        "target=https%3A%2F%2Fblog.example.com&method=qr&lang=en",
        "target=https%3A%2F%2Fblog.example.com&m%65thod=qr",
        "target=https%3A%2F%2Fblog.example.com&method=",
    ] {
        let first = oauth(raw);
        let again = first.request.again_by(Method::Code);
        let second = oauth(again.strip_prefix("/oauth?").unwrap());
        assert_eq!(second.method, Some(Method::Code), "{again}");
        assert_eq!((second.lang, second.request.result), (first.lang, first.request.result), "{again}");
        assert_eq!(second.request.client, first.request.client);
    }
    let full = "target=https://blog.example.com/".to_owned();
    let full = format!("{full}{}", "x".repeat(6_144 - full.len()));
    assert_eq!(
        oauth(&full).request.again_by(Method::Code),
        format!("/oauth?{full}"),
        "there is no room for it"
    );
    let first = authorize("app", &["method=qr"]).unwrap().request;
    let again = first.again_by(Method::Code);
    let second = parse_authorize(again.strip_prefix("/authorize?").unwrap().as_bytes(), &clients()).unwrap();
    assert_eq!((second.method, second.request.state), (Some(Method::Code), first.state));
}

#[test]
fn no_other_site_is_a_target() {
    for raw in [
        "target=https://evil.example",
        "target=http://blog.example.com",
        "target=https://blog.example.com.evil.example/",
        "target=https://blog.example.com@evil.example/",
        "target=https://blog.example.com:8443/",
        "target=https://blog.example.com./",
        "target=https://Blog.example.com/",
        "target=https://x.blog.example.com/",
        "target=https://blog.example.com%40evil.example",
        "target=https://blog.example.com\\@evil.example",
        "target=https%3A%2F%2Fblog.example.com%5C%40evil.example",
        "target=https%253A%252F%252Fblog.example.com",
        "target=https%3A%2F%2Fblog.example.com%09.evil.example",
        "target=//blog.example.com",
        "target=blog.example.com",
        "target=null",
        "target=",
        "target=javascript:alert(1)//https://blog.example.com",
        "target=https://both.example.com",
        "client_id=one&target=https://blog.example.com",
        "client_id=app&target=https://app.example.com/cb",
    ] {
        let outcome = parse_oauth(raw, &clients());
        let Err(Refusal::Local(Local::OriginNotAllowed(origin))) = outcome else {
            panic!("{raw}: {outcome:?}")
        };
        // What it is about is an origin as browsers write it, or nothing.
        let (_, target) = raw.split_once("target=").unwrap();
        assert!(origin.is_empty() || target.starts_with(&origin), "{raw}: {origin}");
    }
    oauth_refused(
        "client_id=nobody&target=https://blog.example.com",
        Local::UnknownClient("nobody".to_owned()),
    );
    assert_eq!(oauth("client_id=two&target=https://both.example.com").request.client, "two");
    for raw in [
        "",
        "lang=en",
        "client_id=blog",
        "xtarget=https://blog.example.com",
        "lang=en&lang=zh&target=https://blog.example.com",
    ] {
        oauth_malformed(raw);
    }
    oauth_malformed("target=https://blog.example.com/ü");
    oauth_malformed(&format!("target=https://blog.example.com/{}", "x".repeat(6_200)));
}

#[test]
fn our_class_names_a_challenge() {
    let raw = format!(
        "client_id=blog&target=https%3A%2F%2Fblog.example.com%2Fpost&state=abc&challenge={CHALLENGE}&mode=popup&lang=en&theme=light&method=qr&scope=profile&nonce=n"
    );
    let Parsed { request, lang, theme, method } = oauth(&raw);
    assert_eq!(request.result, ResultBy::Message { origin: BLOG.to_owned() });
    assert_eq!((request.state.as_deref(), request.challenge.as_deref()), (Some("abc"), Some(CHALLENGE)));
    assert_eq!((request.nonce.as_deref(), request.profile), (Some("n"), true));
    assert_eq!((lang, theme, method), (Some(Lang::En), Some(Theme::Light), Some(Method::Qr)));
    assert_eq!(request.redirect_uri, None);
    // without a client's id, with an address for the bounce, and with a target that is not encoded
    let raw = format!("target={BLOG}&challenge={CHALLENGE}&state=abc&redirect_uri={BLOG}/cb");
    let request = oauth(&raw).request;
    assert_eq!(request.result, ResultBy::Message { origin: BLOG.to_owned() });
    assert_eq!(request.redirect_uri.as_deref(), Some("https://blog.example.com/cb"));
    assert!(!request.profile);
    let raw = format!(
        "client_id=app&challenge={CHALLENGE}&state=abc&mode=redirect&redirect_uri=https://app.example.com/cb"
    );
    let request = oauth(&raw).request;
    assert_eq!(request.result, ResultBy::Redirect { form_post: false });
    assert_eq!(request.client, "app");
}

#[test]
fn our_class_is_read_strictly() {
    let with = |rest: &str| format!("target={BLOG}&challenge={CHALLENGE}&state=abc{rest}");
    assert_eq!(oauth(&with("")).request.client, "blog");
    for address in ["https://blog.example.com/cb2", "https://evil.example/"] {
        let raw = with(&format!("&redirect_uri={address}"));
        oauth_refused(&raw, Local::RedirectUri(address.to_owned()));
    }
    oauth_refused(&with("&mode=redirect"), Local::RedirectUri(String::new()));
    oauth_malformed(&with("&mode=frame"));
    oauth_malformed(&with("&state=twice"));
    oauth_malformed(&with("&client_id=blog&client_id=blog"));
    oauth_malformed(&with(&format!("&nonce={}", "n".repeat(513))));
    oauth_malformed(&format!("target={BLOG}&challenge={CHALLENGE}"));
    oauth_malformed(&format!("target={BLOG}&challenge={CHALLENGE}&state={}", "s".repeat(2_049)));
    oauth_malformed(&format!("target={BLOG}&challenge={}&state=a", &CHALLENGE[1..]));
    oauth_malformed(&format!("target={BLOG}&challenge={}%3D&state=a", &CHALLENGE[1..]));
    oauth_malformed(&format!("client_id=blog&challenge={CHALLENGE}&state=a"));
    oauth_refused(
        &format!("target=https://evil.example&client_id=blog&challenge={CHALLENGE}&state=a"),
        Local::OriginNotAllowed("https://evil.example".to_owned()),
    );
    oauth_refused(
        &format!(
            "client_id=blog&target=https://evil.example&challenge={CHALLENGE}&state=a&mode=redirect&redirect_uri={BLOG}/cb"
        ),
        Local::OriginNotAllowed("https://evil.example".to_owned()),
    );
}

#[test]
fn an_authentication_request_is_understood() {
    let changes = [
        "nonce=n",
        "ui_locales=fr-CA en-GB zh",
        "scope=openid profile email",
        "prompt=login",
        "max_age=0",
        "acr_values=x",
        "login_hint=y",
        "display=page",
        "id_token_hint=z",
        "claims={}",
        "resource=a",
        "+resource=b",
        "theme=dark",
    ];
    let Parsed { request, lang, theme, .. } = authorize("app", &changes).unwrap();
    assert_eq!((request.client.as_str(), request.result), ("app", ResultBy::Redirect { form_post: false }));
    assert_eq!((request.state.as_deref(), request.nonce.as_deref()), (Some("s t&a=te"), Some("n")));
    assert_eq!(request.redirect_uri.as_deref(), Some("https://app.example.com/cb"));
    assert!(request.profile && request.challenge.as_deref() == Some(CHALLENGE));
    assert_eq!((lang, theme), (Some(Lang::En), Some(Theme::Dark)));
    let again = request.again.strip_prefix("/authorize?").unwrap();
    assert!(!again.contains("id_token_hint") && !again.contains("resource") && !again.contains("max_age"));
    assert_eq!(parse_authorize(again.as_bytes(), &clients()).unwrap().request.again, request.again);
    let form_post = authorize("app", &["response_mode=form_post"]).unwrap().request;
    assert_eq!(form_post.result, ResultBy::Redirect { form_post: true });
    let query = authorize("app", &["response_mode=query", "state"]).unwrap().request;
    assert_eq!((query.result, query.state), (ResultBy::Redirect { form_post: false }, None));
}

#[test]
fn until_client_and_address_are_known_nobody_is_sent_anywhere() {
    local("nobody", &[], Local::UnknownClient("nobody".to_owned()));
    local("blog", &["client_id="], Local::Malformed("client_id is missing"));
    local("blog", &["+client_id=blog"], Local::Malformed("a parameter came twice"));
    local("blog", &["+redirect_uri=https://blog.example.com/cb"], Local::Malformed("a parameter came twice"));
    local("app", &["redirect_uri"], Local::RedirectUri(String::new()));
    for address in [
        "https://blog.example.com/cb/",
        "https://blog.example.com/cb?",
        "https://blog.example.com/cb#",
        "https://blog.example.com/cb?x",
        "https://blog.example.com/",
        "https://blog.example.com/CB",
        "https://blog.example.com:443/cb",
        "https://blog.example.com./cb",
        "https://user@blog.example.com/cb",
        "https://blog.example.com@evil.example/cb",
        "https://blog.example.com/%63b",
        "https://blog.example.com/x/../cb",
        "https://x.blog.example.com/cb",
        "https://blog.example.com%2fcb",
        "http://blog.example.com/cb",
        "//blog.example.com/cb",
        "https://evil.example/cb",
        "https://app.example.com/cb",
        " https://blog.example.com/cb",
        "https://blog.example.com/cb\n",
    ] {
        local("blog", &[&format!("redirect_uri={address}")], Local::RedirectUri(address.to_owned()));
    }
}

#[test]
fn what_is_not_supported_is_said_so() {
    back("app", &["response_type"], "invalid_request");
    for response_type in ["token", "id_token", "code id_token", "none", "CODE"] {
        back("app", &[&format!("response_type={response_type}")], "unsupported_response_type");
    }
    back("app", &["response_mode=fragment"], "invalid_request");
    back("app", &["response_mode=web_message"], "invalid_request");
    back("app", &["request=eyJhbGciOiJub25lIn0.e30."], "request_not_supported");
    back("app", &["request_uri=https://evil.example/request"], "request_uri_not_supported");
    back("app", &["registration={}"], "registration_not_supported");
    back("app", &["scope"], "invalid_scope");
    back("app", &["scope=profile"], "invalid_scope");
    back("app", &["scope=openidx"], "invalid_scope");
    back("app", &["max_age=soon"], "invalid_request");
    back("app", &["max_age=-1"], "invalid_request");
    assert_eq!(back("app", &["prompt=none"], "login_required").state.as_deref(), Some("s t&a=te"));
    back("app", &["prompt=none login"], "invalid_request");
    assert!(authorize("app", &["prompt=consent select_account"]).is_ok());
}

#[test]
fn faults_go_back_the_way_that_was_asked_for() {
    assert!(back("app", &["prompt=none", "response_mode=form_post"], "login_required").form_post);
    assert!(!back("app", &["prompt=none"], "login_required").form_post);
}

#[test]
fn what_comes_twice_is_refused() {
    for name in [
        "response_type",
        "response_mode",
        "scope",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
    ] {
        back("app", &[&format!("+{name}=x"), &format!("+{name}=x")], "invalid_request");
    }
    let back = back("app", &["+state=other"], "invalid_request");
    assert_eq!(back.state, None, "nobody knows which");
}

#[test]
fn pkce_is_by_s256_and_cannot_be_left_out_by_who_has_no_secret() {
    assert_eq!(
        authorize("app", &["code_challenge", "code_challenge_method"]).unwrap().request.challenge,
        None
    );
    back("blog", &["code_challenge", "code_challenge_method"], "invalid_request");
    for client in ["app", "blog"] {
        back(client, &["code_challenge_method=plain"], "invalid_request");
        back(client, &["code_challenge_method"], "invalid_request");
        back(client, &["code_challenge_method=s256"], "invalid_request");
        back(client, &["code_challenge"], "invalid_request");
        back(client, &["code_challenge="], "invalid_request");
        back(client, &["code_challenge=short"], "invalid_request");
        back(client, &[&format!("code_challenge={CHALLENGE}=")], "invalid_request");
        back(client, &[&format!("code_challenge={}!", &CHALLENGE[1..])], "invalid_request");
        assert!(authorize(client, &[]).is_ok());
    }
}

#[test]
fn lengths_are_bounded() {
    assert!(authorize("app", &[&format!("state={}", "s".repeat(2_048))]).is_ok());
    assert_eq!(back("app", &[&format!("state={}", "s".repeat(2_049))], "invalid_request").state, None);
    back("app", &[&format!("nonce={}", "n".repeat(513))], "invalid_request");
    back("app", &[&format!("scope=openid {}", "x".repeat(7_000))], "invalid_request");
}
