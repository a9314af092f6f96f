//! Web OAuth inside WeChat: the authorize page, and `/sns`.

use serde_json::{Value, json};

use crate::callback::Callback;
use crate::raw::{Got, get, post};
use crate::world::{APP_ID, APP_SECRET, OPEN_APP_ID, OPEN_APP_SECRET, World};

const CALLBACK: &str = "http%3A%2F%2F127.0.0.1%3A9%2Fcb";
const MONTH_S: u64 = 30 * 86_400;

fn link(scope: &str, more: &str) -> String {
    format!(
        "/connect/oauth2/authorize?appid={APP_ID}&redirect_uri={CALLBACK}&response_type=code&scope={scope}{more}"
    )
}

/// Where a redirect leads.
#[track_caller]
pub fn location(got: &Got) -> String {
    assert_eq!(got.status, 302, "{}", got.text());
    got.header("location").expect("a location").to_owned()
}

/// The parameter of a URL.
#[track_caller]
pub fn parameter(url: &str, name: &str) -> String {
    let start =
        url.find(&format!("{name}=")).unwrap_or_else(|| panic!("no {name} in {url}")) + name.len() + 1;
    url[start..].split(['&', '#']).next().unwrap().to_owned()
}

/// The first attribute with this name.
#[track_caller]
pub fn attribute(page: &str, name: &str) -> String {
    let rest = page.split(&format!(" {name}=\"")).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// A code for somebody, who is met if new.
async fn code(world: &World, scope: &str, name: &str) -> String {
    let got = world.ask(post(link(scope, "&state=s1"), format!("as=new&name={name}&answer=allow"))).await;
    parameter(&location(&got), "code")
}

pub async fn exchange(world: &World, app_id: &str, secret: &str, code: &str) -> Value {
    let path = format!(
        "/sns/oauth2/access_token?appid={app_id}&secret={secret}&code={code}&grant_type=authorization_code"
    );
    world.get(&path).await
}

async fn session(world: &World, scope: &str, name: &str) -> Value {
    let got = exchange(world, APP_ID, APP_SECRET, &code(world, scope, name).await).await;
    assert!(got.get("errcode").is_none(), "{got}");
    got
}

fn value<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("no {name}: {of}"))
}

/// `/sns/userinfo` or `/sns/auth` with a session's own tokens.
async fn asked(world: &World, api: &str, session: &Value) -> Value {
    let (token, openid) = (value(session, "access_token"), value(session, "openid"));
    world.get(&format!("/sns/{api}?access_token={token}&openid={openid}&lang=zh_CN")).await
}

async fn refresh(world: &World, token: &str) -> Value {
    world
        .get(&format!(
            "/sns/oauth2/refresh_token?appid={APP_ID}&grant_type=refresh_token&refresh_token={token}"
        ))
        .await
}

#[tokio::test]
async fn wechats_error_page_says_what_is_wrong() {
    let world = World::with_website().await;
    let page = async |path: String| {
        let got = world.ask(get(path).header("Accept-Language", "en-US,en")).await;
        assert_eq!((got.status, got.header("location")), (200, None), "{}", got.text());
        got.text()
    };
    let base = link("snsapi_base", "");
    let form = "does not have the right form";
    for (path, shown) in [
        (base.replace("appid=wx", "appid=wx0"), "40013"),
        (base.replace(APP_ID, OPEN_APP_ID), "10016"),
        (base.replace(APP_ID, ""), "10012"),
        (base.replace(CALLBACK, ""), "10011"),
        (link("", ""), "10010"),
        (link("snsapi_login", ""), "10005"),
        (base.replace("127.0.0.1", "shop.example"), "10003"),
        (base.replace("http%3A", "javascript%3A"), "10003"),
        (base.replace("response_type=code", "response_type=token"), form),
        (base.replace(&format!("appid={APP_ID}&"), "") + &format!("&appid={APP_ID}"), form),
        (link("snsapi_base", &format!("&state={}", "a".repeat(129))), form),
        (link("snsapi_base", "&forcePopup=true&state=1"), form),
    ] {
        let text = page(path.clone()).await;
        assert!(text.contains(shown), "{path}: {text}");
    }
    assert!(page(link("snsapi_base", &format!("&state={}", "a".repeat(128)))).await.contains("<form"));
}

#[tokio::test]
async fn only_accounts_with_the_right_may_ask() {
    let world = World::with_website().await;
    for (account, allowed) in
        [("personal", false), ("subscription", false), ("service", true), ("test", true)]
    {
        let base = session(&world, "snsapi_base", "ming").await;
        world.order("/_sim/account", json!({ "type": account })).await;
        let text = world.ask(get(link("snsapi_base", ""))).await.text();
        assert_eq!((text.contains("<form"), text.contains("10005")), (allowed, !allowed), "{account}");
        let refreshed = refresh(&world, value(&base, "refresh_token")).await;
        assert_eq!(refreshed["errcode"] == 48001, !allowed, "{account}: {refreshed}");
        world.order("/_sim/account", json!({ "type": "service" })).await;
    }
}

#[tokio::test]
async fn a_test_account_must_be_followed() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    world.order("/_sim/account", json!({ "type": "test" })).await;
    let answer = || post(link("snsapi_base", ""), "as=new&name=ming&answer=allow");
    assert!(world.ask(answer()).await.text().contains("10006"));
    world.send(json!({ "as": "ming", "event": { "type": "subscribe" } })).await;
    assert!(location(&world.ask(answer()).await).contains("code="));
}

#[tokio::test]
async fn registered_domains_are_redirected_to() {
    let world = World::with_website().await;
    let shop = link("snsapi_base", "").replace("127.0.0.1%3A9", "shop.example");
    let set = world.order("/_sim/oauth", json!({ "domains": ["shop.example"] })).await;
    assert_eq!(set["domains"], json!(["shop.example"]));
    let to = location(&world.ask(post(shop.clone(), "as=new&name=ming&answer=allow")).await);
    assert!(to.starts_with("http://shop.example/cb?code="), "{to}");
    let page = world.ask(get(shop.replace("shop.example", "www.shop.example"))).await.text();
    assert!(page.contains("10003"), "a sub-domain is another one");
    let page = world.ask(get(shop.replace("shop.example", "shop.example%3A8443"))).await.text();
    assert!(page.contains("10003"), "no ports");
    let refused = world.ask(post("/_sim/oauth", json!({ "domains": ["http://x/"] }).to_string())).await;
    assert_eq!(
        (refused.status, world.get("/_sim/oauth").await["domains"].clone()),
        (400, json!(["shop.example"]))
    );
}

#[tokio::test]
async fn somebody_is_picked_or_met() {
    let world = World::with_website().await;
    let base = link("snsapi_base", "&state=a%26b");
    let first = world.ask(get(&*base)).await.text();
    assert!(first.contains("value=\"xiaoming\"") && !first.contains("value=\"refuse\""), "{first}");
    let wrong = [
        "answer=allow".to_owned(),
        "as=new&name=&answer=allow".to_owned(),
        "as=new&name=a%0Ab&answer=allow".to_owned(),
        format!("as=new&name={}&answer=allow", "x".repeat(33)),
        "as=oAbCd1234567890abcdefghijkl_&answer=allow".to_owned(),
    ];
    for form in wrong {
        let got = world.ask(post(&*base, form.clone())).await;
        assert_eq!(got.status, 400, "{form}");
        assert!(got.text().contains("role=\"alert\""), "{form}");
    }
    let to = location(&world.ask(post(&*base, "as=new&name=%E5%B0%8F%E6%98%8E&answer=allow")).await);
    assert!(to.starts_with("http://127.0.0.1:9/cb?code=") && to.ends_with("&state=a%26b"), "{to}");
    let page = world.ask(get(&*base)).await.text();
    assert!(page.contains("<span>小明</span>"), "{page}");
    let openid = attribute(&page, "value");
    let again = location(&world.ask(post(&*base, format!("as={openid}&answer=allow"))).await);
    let got = exchange(&world, APP_ID, APP_SECRET, &parameter(&again, "code")).await;
    assert_eq!(got["openid"], openid);
}

#[tokio::test]
async fn a_refusal_ends_on_the_page() {
    let world = World::with_website().await;
    let page = world.ask(get(link("snsapi_userinfo", ""))).await.text();
    assert!(page.contains("value=\"refuse\"") && page.contains("value=\"allow\""), "{page}");
    let got = world.ask(post(link("snsapi_userinfo", ""), "as=new&name=ming&answer=refuse")).await;
    assert_eq!((got.status, got.header("location")), (200, None));
}

#[tokio::test]
async fn pages_escape_and_run_nothing_inline() {
    let world = World::with_website().await;
    let evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    world.ask(post(link("snsapi_base", ""), format!("as=new&name={evil}&answer=allow"))).await;
    let got = world.ask(get(link("snsapi_userinfo", "&state='1'&x=2"))).await;
    let page = got.text();
    assert!(page.contains("<span>&lt;script&gt;alert(1)&lt;/script&gt;</span>"), "{page}");
    assert!(page.contains("&amp;state=&#39;1&#39;&amp;x=2\""), "{page}");
    assert!(!page.contains("<script") && !page.contains(" style="), "{page}");
    let policy = got.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let style = world.ask(get("/web/style.css")).await;
    assert!(
        style.has_header("content-type: text/css") && style.text().contains("prefers-color-scheme: dark")
    );
}

#[tokio::test]
async fn pages_speak_chinese_and_english() {
    let world = World::with_website().await;
    let html = async |more: &str, accepted: &str| {
        world.ask(get(link("snsapi_userinfo", more)).header("Accept-Language", accepted)).await.text()
    };
    assert!(html("", "zh-CN").await.contains("lang=\"zh-CN\""));
    assert!(html("", "en").await.contains(">Refuse<"));
    assert!(html("&lang=en", "zh-CN").await.contains(">Allow<"));
    assert!(html("&lang=zh_CN", "en").await.contains(">允许<"));
}

#[tokio::test]
async fn userinfo_tells_the_person() {
    let world = World::with_website().await;
    let session = session(&world, "snsapi_userinfo", "%E5%B0%8F%E6%98%8E").await;
    assert_eq!((&session["expires_in"], &session["scope"]), (&json!(7200), &json!("snsapi_userinfo")));
    assert!(session.get("is_snapshotuser").is_none());
    let info = asked(&world, "userinfo", &session).await;
    assert_eq!(
        (&info["nickname"], &info["sex"], &info["privilege"]),
        (&json!("小明"), &json!(0), &json!([]))
    );
    assert_eq!((&info["openid"], &info["unionid"]), (&session["openid"], &session["unionid"]));
    let picture = value(&info, "headimgurl").to_owned();
    let path =
        picture.strip_prefix(&format!("http://127.0.0.1:{}", world.port)).expect("the simulator's own");
    let svg = world.ask(get(path)).await;
    assert!(svg.has_header("content-type: image/svg+xml") && svg.text().starts_with("<svg"));
    assert_eq!(asked(&world, "auth", &session).await, json!({ "errcode": 0, "errmsg": "ok" }));
    let raw = world.ask(get("/sns/auth")).await;
    assert!(raw.has_header("content-type: text/plain"), "{}", raw.headers);
}

#[tokio::test]
async fn base_tells_the_openid_alone() {
    let world = World::with_website().await;
    let session = session(&world, "snsapi_base", "ming").await;
    assert!(session.get("unionid").is_none(), "{session}");
    assert_eq!(asked(&world, "userinfo", &session).await["errcode"], 48001);
    assert_eq!(asked(&world, "auth", &session).await["errcode"], 0);
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_in_time() {
    let world = World::with_website().await;
    let path = |appid: &str, secret: &str, code: &str, kind: &str| {
        format!("/sns/oauth2/access_token?appid={appid}&secret={secret}&code={code}&grant_type={kind}")
    };
    let errcode = async |path: String| world.get(&path).await["errcode"].clone();
    let kind = "authorization_code";
    let fresh = code(&world, "snsapi_base", "ming").await;
    assert_eq!(errcode(path("", APP_SECRET, &fresh, kind)).await, 41002);
    assert_eq!(errcode(path("wx1", APP_SECRET, &fresh, kind)).await, 40013);
    assert_eq!(errcode(path(APP_ID, "", &fresh, kind)).await, 41004);
    assert_eq!(errcode(path(APP_ID, "wrong", &fresh, kind)).await, 40125);
    assert_eq!(errcode(path(APP_ID, APP_SECRET, "", kind)).await, 41008);
    assert_eq!(errcode(path(APP_ID, APP_SECRET, &fresh, "code")).await, 40002);
    assert_eq!(errcode(path(APP_ID, APP_SECRET, "made_up", kind)).await, 40029);
    assert_eq!(errcode(path(OPEN_APP_ID, OPEN_APP_SECRET, &fresh, kind)).await, 40029, "another app's");
    assert_eq!(
        errcode(path(APP_ID, APP_SECRET, &fresh, kind)).await,
        Value::Null,
        "none of these used it up"
    );
    assert_eq!(errcode(path(APP_ID, APP_SECRET, &fresh, kind)).await, 40163);
    let late = code(&world, "snsapi_base", "ming").await;
    world.order("/_sim/clock", json!({ "advance_s": 300 })).await;
    assert_eq!(errcode(path(APP_ID, APP_SECRET, &late, kind)).await, 42003);
    assert_eq!(world.ask(post(path(APP_ID, APP_SECRET, &late, kind), "")).await.json()["errcode"], 43001);
}

#[tokio::test]
async fn web_tokens_live_two_hours_and_thirty_days() {
    let world = World::with_website().await;
    let first = session(&world, "snsapi_userinfo", "ming").await;
    let renew = async || refresh(&world, value(&first, "refresh_token")).await;
    world.order("/_sim/clock", json!({ "advance_s": 7000 })).await;
    assert_eq!(renew().await["access_token"], first["access_token"], "a living token lives on");
    world.order("/_sim/clock", json!({ "advance_s": 7199 })).await;
    assert_eq!(asked(&world, "auth", &first).await["errcode"], 0);
    world.order("/_sim/clock", json!({ "advance_s": 1 })).await;
    assert_eq!(asked(&world, "userinfo", &first).await["errcode"], 42001);
    let second = renew().await;
    assert_ne!(second["access_token"], first["access_token"]);
    assert_eq!((&second["refresh_token"], &second["scope"]), (&first["refresh_token"], &first["scope"]));
    assert_eq!(asked(&world, "auth", &second).await["errcode"], 0);
    world.order("/_sim/clock", json!({ "advance_s": MONTH_S })).await;
    assert_eq!(renew().await["errcode"], 42002);
    assert_eq!(refresh(&world, "made_up").await["errcode"], 40030);
    assert_eq!(refresh(&world, "").await["errcode"], 41003);
    let path = format!("/sns/oauth2/refresh_token?appid={APP_ID}&grant_type=x&refresh_token=y");
    assert_eq!(world.get(&path).await["errcode"], 40002);
}

#[tokio::test]
async fn each_bad_web_token_has_its_code() {
    let world = World::with_website().await;
    let ming = session(&world, "snsapi_userinfo", "ming").await;
    let hong = session(&world, "snsapi_userinfo", "hong").await;
    let (token, openid) = (value(&ming, "access_token"), value(&ming, "openid"));
    let code = async |query: String| world.get(&format!("/sns/userinfo?{query}")).await["errcode"].clone();
    assert_eq!(code(format!("openid={openid}")).await, 41001);
    assert_eq!(code(format!("access_token={token}")).await, 41009);
    assert_eq!(code(format!("access_token=x&openid={openid}")).await, 40001);
    assert_eq!(code(format!("access_token={token}&openid={}", value(&hong, "openid"))).await, 40003);
    let of_api = world.token().await;
    assert_eq!(
        code(format!("access_token={of_api}&openid={openid}")).await,
        40001,
        "the API's token is another"
    );
    let typing = json!({ "touser": openid, "command": "Typing" });
    let got = world.api(&format!("/cgi-bin/message/custom/typing?access_token={token}"), typing).await;
    assert_eq!(got["errcode"], 40001, "and the other way round");
    world.order("/_sim/oauth", json!({ "password_changed": "ming" })).await;
    assert_eq!(asked(&world, "userinfo", &ming).await["errcode"], 42007);
    assert_eq!(refresh(&world, value(&ming, "refresh_token")).await["errcode"], 42007);
    assert_eq!(asked(&world, "auth", &hong).await["errcode"], 0);
}

#[tokio::test]
async fn a_snapshot_has_a_virtual_user() {
    let world = World::with_website().await;
    let real = session(&world, "snsapi_userinfo", "ming").await;
    let snapshot = async |got: Got| {
        let got = exchange(&world, APP_ID, APP_SECRET, &parameter(&location(&got), "code")).await;
        assert_eq!(got["is_snapshotuser"], 1, "{got}");
        assert!(got.get("unionid").is_none() && got["openid"] != real["openid"], "{got}");
        assert_eq!(asked(&world, "userinfo", &got).await["nickname"], "微信用户");
    };
    snapshot(world.ask(get(link("snsapi_userinfo", "&state=1&forceSnapShot=true"))).await).await;
    world.order("/_sim/oauth", json!({ "snapshot": true })).await;
    snapshot(world.ask(get(link("snsapi_userinfo", "&state=1"))).await).await;
    for asks in
        [link("snsapi_userinfo", "&state=1&forcePopup=true"), link("snsapi_base", "&forceSnapShot=true")]
    {
        assert!(world.ask(get(asks)).await.text().contains("<form"));
    }
}

#[tokio::test]
async fn the_client_may_request_the_callback_twice() {
    let callback = Callback::answering("hello").await;
    let world = World::with_website().await;
    world.order("/_sim/oauth", json!({ "duplicate_callback": true })).await;
    let to = callback.url.replace(':', "%3A").replace('/', "%2F");
    let link = link("snsapi_base", "&state=s1").replace(CALLBACK, &to);
    let to = location(&world.ask(post(link, "as=new&name=ming&answer=allow")).await);
    let arrived = callback.arrived();
    assert_eq!(arrived.len(), 1, "before the browser comes");
    assert!(to.ends_with(&arrived[0].query) && arrived[0].query.ends_with("&state=s1"), "{to}");
    assert!(arrived[0].headers.contains("MicroMessenger/"), "{}", arrived[0].headers);
}

#[tokio::test]
async fn only_this_machine_sees_the_pages() {
    let world = World::with_website().await;
    for path in [link("snsapi_base", ""), "/mp/subscribemsg".to_owned(), "/connect/qrconnect".to_owned()] {
        let rebound = world.ask(get(&*path).header("Host", "evil.example")).await;
        assert_eq!(rebound.status, 403, "{path}");
        let foreign = post(&*path, "as=new&name=ming&answer=allow").header("Origin", "https://evil.example");
        assert_eq!(world.ask(foreign).await.status, 403, "{path}");
        assert_eq!(world.ask(get(&*path).header("Host", "localhost:8788")).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_reset_forgets_codes_and_settings() {
    let world = World::with_website().await;
    let old = code(&world, "snsapi_base", "ming").await;
    world.order("/_sim/oauth", json!({ "duplicate_callback": true, "snapshot": true })).await;
    world.order("/_sim/reset", json!({})).await;
    assert_eq!(exchange(&world, APP_ID, APP_SECRET, &old).await["errcode"], 40029);
    let fresh = json!({ "domains": [], "duplicate_callback": false, "snapshot": false });
    assert_eq!(world.get("/_sim/oauth").await, fresh);
}
