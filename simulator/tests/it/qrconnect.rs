//! Login to a website of the Open Platform by a QR code.

use serde_json::{Value, json};

use crate::oauth::{attribute, exchange, location, parameter};
use crate::qrcode::read;
use crate::raw::{get, post};
use crate::world::{APP_ID, APP_SECRET, OPEN_APP_ID, OPEN_APP_SECRET, World};

fn link(changed: &str, to: &str) -> String {
    let link = format!(
        "/connect/qrconnect?appid={OPEN_APP_ID}&redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcb\
         &response_type=code&scope=snsapi_login&state=s1"
    );
    link.replace(changed, to)
}

/// The uuid of a new code.
async fn uuid(world: &World) -> String {
    let page = world.ask(get(link("", ""))).await.text();
    attribute(&page, "data-uuid")
}

async fn news(world: &World, uuid: &str, last: &str) -> Value {
    world.get(&format!("/connect/l/qrconnect?uuid={uuid}&last={last}")).await
}

#[tokio::test]
async fn somebody_picked_on_the_page_logs_in() {
    let world = World::with_website().await;
    let to = location(&world.ask(post(link("", ""), "as=new&name=ming&answer=allow")).await);
    assert!(to.starts_with("http://localhost:9/cb?code=") && to.ends_with("&state=s1"), "{to}");
    let code = parameter(&to, "code");
    assert_eq!(exchange(&world, APP_ID, APP_SECRET, &code).await["errcode"], 40029, "not the account's code");
    world.order("/_sim/clock", json!({ "advance_s": 599 })).await;
    let website = exchange(&world, OPEN_APP_ID, OPEN_APP_SECRET, &code).await;
    assert_eq!(website["scope"], "snsapi_login", "{website}");
    let (token, openid) = (website["access_token"].as_str().unwrap(), website["openid"].as_str().unwrap());
    let info = world.get(&format!("/sns/userinfo?access_token={token}&openid={openid}")).await;
    assert_eq!((&info["nickname"], &info["unionid"]), (&json!("ming"), &website["unionid"]));
}

#[tokio::test]
async fn the_account_sees_another_openid_and_the_same_unionid() {
    let world = World::with_website().await;
    let form = "as=new&name=ming&answer=allow";
    let to = location(&world.ask(post(link("", ""), form)).await);
    let website = exchange(&world, OPEN_APP_ID, OPEN_APP_SECRET, &parameter(&to, "code")).await;
    let authorize = format!(
        "/connect/oauth2/authorize?appid={APP_ID}&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2F\
         &response_type=code&scope=snsapi_userinfo"
    );
    let to = location(&world.ask(post(authorize, form)).await);
    let account = exchange(&world, APP_ID, APP_SECRET, &parameter(&to, "code")).await;
    assert_ne!(website["openid"], account["openid"]);
    let token = world.token().await;
    let openid = account["openid"].as_str().unwrap();
    let user = world.get(&format!("/cgi-bin/user/info?access_token={token}&openid={openid}")).await;
    assert!(account["unionid"].is_string());
    assert_eq!(user["unionid"], account["unionid"]);
    assert_eq!(website["unionid"], account["unionid"]);
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let world = World::with_website().await;
    let to = location(&world.ask(post(link("", ""), "as=new&name=ming&answer=allow")).await);
    world.order("/_sim/clock", json!({ "advance_s": 600 })).await;
    let late = exchange(&world, OPEN_APP_ID, OPEN_APP_SECRET, &parameter(&to, "code")).await;
    assert_eq!(late["errcode"], 42003);
}

#[tokio::test]
async fn who_refuses_comes_back_without_a_code() {
    let world = World::with_website().await;
    let to = location(&world.ask(post(link("", ""), "as=new&name=ming&answer=refuse")).await);
    assert_eq!(to, "http://localhost:9/cb?state=s1");
}

#[tokio::test]
async fn a_phone_scans_and_confirms() {
    let world = World::with_website().await;
    let uuid = uuid(&world).await;
    let picture = world.ask(get(format!("/connect/qrcode/{uuid}"))).await;
    assert!(picture.has_header("content-type: image/png"), "{}", picture.headers);
    let confirm = format!("/connect/confirm?uuid={uuid}");
    let url = format!("http://127.0.0.1:{}{confirm}", world.port);
    assert_eq!(read(&picture.body), url);
    assert_eq!(world.order("/_sim/scan", json!({ "as": "ming", "code": url })).await["open"], url);
    let (first, page) = tokio::join!(news(&world, &uuid, "waiting"), world.ask(get(&*confirm)));
    assert_eq!(first, json!({ "state": "scanned", "url": null }));
    assert!(page.text().contains("value=\"allow\""), "{}", page.text());
    let answer = || world.ask(post(&*confirm, "as=new&name=ming&answer=allow"));
    let (second, done) = tokio::join!(news(&world, &uuid, "scanned"), answer());
    assert_eq!((second["state"].as_str(), done.status), (Some("over"), 200));
    let url = second["url"].as_str().unwrap();
    let website = exchange(&world, OPEN_APP_ID, OPEN_APP_SECRET, &parameter(url, "code")).await;
    assert!(website["openid"].is_string() && url.ends_with("&state=s1"), "{url}");
    let again = answer().await.text();
    assert!(!again.contains("<form"), "{again}");
}

#[tokio::test]
async fn a_phone_refuses() {
    let world = World::with_website().await;
    let uuid = uuid(&world).await;
    world.ask(post(format!("/connect/confirm?uuid={uuid}"), "answer=refuse")).await;
    let over = news(&world, &uuid, "waiting").await;
    assert_eq!(over, json!({ "state": "over", "url": "http://localhost:9/cb?state=s1" }));
}

#[tokio::test]
async fn a_qr_code_expires() {
    let world = World::with_website().await;
    let uuid = uuid(&world).await;
    world.order("/_sim/clock", json!({ "advance_s": 300 })).await;
    assert_eq!(news(&world, &uuid, "waiting").await["state"], "expired");
    let page = world.ask(get(format!("/connect/confirm?uuid={uuid}"))).await.text();
    assert!(!page.contains("<form"), "{page}");
    assert_eq!(news(&world, "made_up", "waiting").await["state"], "expired");
}

#[tokio::test]
async fn a_wrong_link_is_explained() {
    let world = World::with_website().await;
    for (changed, to, shown) in [
        (OPEN_APP_ID, APP_ID, "Missing or wrong: appid"),
        ("response_type=code", "response_type=token", "Missing or wrong: response_type"),
        ("snsapi_login", "snsapi_base", "Missing or wrong: scope"),
        ("localhost", "evil.example", "10003"),
        ("&redirect_uri=", "&x=", "Missing or wrong: redirect_uri"),
    ] {
        let got = world.ask(get(link(changed, to) + "&lang=en")).await;
        assert!(got.status == 200 && got.text().contains(shown), "{shown}: {}", got.text());
        assert!(!got.text().contains("<form"));
    }
}

#[tokio::test]
async fn without_a_website_application_nobody_logs_in() {
    let page = World::alone().await.ask(get(link("", ""))).await.text();
    assert!(page.contains("OPEN_APP_ID") && !page.contains("<form"), "{page}");
}
