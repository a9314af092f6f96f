//! Where people go after a logout, and the ways in which results and errors go back to websites.

use serde_json::json as value;
use wxapi::handlers::login::issue::{
    NotIssued, Way, legacy_message, message, uid, way_back, way_back_failed, way_refused,
};
use wxapi::login::method::Method;
use wxapi::login::request::{AuthRequest, Back, ResultBy};
use wxapi::login::session::{Answer, Finished};
use wxapi::login::subject::Identity;
use wxapi::platform::Response;

use crate::issuer::{
    APP_CALLBACK, BLOG, app_asks, asks, get, header, part, person, send, tokens, verified, world,
};
use crate::world::{ORIGIN, World, run};

async fn logout(world: &World, params: &[(&str, &str)]) -> Response {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    let got = get(world, &format!("/logout?{query}")).await;
    let posted = send(world, "POST", "/logout", &[], params).await;
    assert_eq!((got.status, header(&got, "location")), (posted.status, header(&posted, "location")));
    assert_eq!(header(&got, "cache-control"), Some("no-store"));
    got
}

/// People stay on a page of ours.
async fn stays(world: &World, status: u16, params: &[(&str, &str)]) {
    let response = logout(world, params).await;
    assert_eq!((response.status, header(&response, "location")), (status, None), "{params:?}");
    assert!(!response.body.is_empty() && response.content_type.starts_with("text/plain"));
}

const BYE: (&str, &str) = ("post_logout_redirect_uri", "https://blog.example.com/bye");

#[test]
fn people_go_back_to_an_address_of_the_website() {
    run(async {
        let world = world();
        let response = logout(&world, &[("client_id", "blog"), BYE, ("state", "a b&c")]).await;
        let expected = Some("https://blog.example.com/bye?state=a+b%26c");
        assert_eq!((response.status, header(&response, "location")), (303, expected));
        let with_query = ("post_logout_redirect_uri", "https://blog.example.com/bye?x=1");
        let response = logout(&world, &[("client_id", "blog"), with_query, ("state", "s")]).await;
        assert_eq!(header(&response, "location"), Some("https://blog.example.com/bye?x=1&state=s"));
        let got = tokens(&world, asks("blog")).await;
        let hint = ("id_token_hint", got["id_token"].as_str().unwrap());
        world.pass(86_400_000).await;
        for params in [&[hint, BYE][..], &[hint, BYE, ("client_id", "blog")]] {
            let response = logout(&world, params).await;
            assert_eq!(
                header(&response, "location"),
                Some(BYE.1),
                "even a token that has ended names its client"
            );
        }
        stays(&world, 200, &[]).await;
        stays(&world, 200, &[("client_id", "blog"), ("state", "s")]).await;
        stays(&world, 200, &[hint]).await;
    });
}

#[test]
fn a_logout_sends_nobody_anywhere_else() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("blog")).await;
        let hint = ("id_token_hint", got["id_token"].as_str().unwrap());
        let blog = ("client_id", "blog");
        for address in [
            "https://evil.example/",
            "https://blog.example.com/bye/",
            "https://blog.example.com/bye#x",
            "https://blog.example.com/",
            "https://blog.example.com/cb",
            "https://blog.example.com/bye?",
            "https://blog.example.com@evil.example/bye",
            "//evil.example",
            "javascript:alert(1)",
            "/",
            "https://app.example.com/bye",
        ] {
            stays(&world, 400, &[blog, ("post_logout_redirect_uri", address)]).await;
            stays(&world, 400, &[hint, ("post_logout_redirect_uri", address)]).await;
        }
        stays(&world, 400, &[BYE]).await;
        stays(&world, 400, &[("client_id", "nobody"), BYE]).await;
        stays(&world, 400, &[blog, BYE, BYE]).await;
        stays(&world, 400, &[blog, blog, BYE]).await;
        stays(&world, 400, &[blog, BYE, ("id_token_hint", "x.y.z")]).await;
        let access = ("id_token_hint", got["access_token"].as_str().unwrap());
        stays(&world, 400, &[blog, BYE, access]).await;
        let forged = format!("{}.{}", hint.1.rsplit_once('.').unwrap().0, "AAAA");
        stays(&world, 400, &[blog, BYE, ("id_token_hint", &forged)]).await;
        // another website's token
        let others = ("post_logout_redirect_uri", "https://app.example.com/bye");
        stays(&world, 400, &[("client_id", "app"), others, hint]).await;
        stays(&world, 400, &[others, hint]).await;
        let got = send(&world, "GET", "/logout?ui_locales=zh-CN", &[], &[]).await;
        assert!(got.body.contains("已退出登录"));
        let got = send(&world, "GET", "/logout", &[("accept-language", "en-GB,en;q=0.8")], &[]).await;
        assert!(got.body.contains("You are logged out"));
    });
}

fn finished(request: AuthRequest) -> Finished {
    let identity = Identity { who: person(), name: None, picture: None };
    Finished { request, answer: Answer { identity, by: Method::Code, at: 5_000 } }
}

#[test]
fn the_first_class_gets_its_text_with_a_token_that_can_be_checked() {
    run(async {
        let world = world();
        let request = AuthRequest { result: ResultBy::Legacy { origin: BLOG.to_owned() }, ..asks("blog") };
        let login = "0".repeat(32);
        let text =
            legacy_message(&world, world.app(), ORIGIN, &login, &finished(request.clone())).await.unwrap();
        let said: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((said["code"].as_u64(), said["state"].as_str()), (Some(200), Some("a-state")));
        let (_, claims) = verified(&world, said["id_token"].as_str().unwrap()).await;
        assert_eq!((&claims["sub"], claims["aud"].as_str()), (&said["data"], Some("blog")));
        assert!(claims.get("at_hash").is_none(), "there is no access token beside it");
        let client = &world.app().config.login.clients[0];
        assert_eq!(
            uid(world.app(), client, &finished(request.clone()).answer.identity).unwrap(),
            said["data"]
        );
        let stateless = finished(AuthRequest { state: None, ..request.clone() });
        let text = legacy_message(&world, world.app(), ORIGIN, &login, &stateless).await.unwrap();
        assert!(!text.contains("state"));
        let gone = finished(AuthRequest { client: "gone".to_owned(), ..request });
        assert_eq!(
            legacy_message(&world, world.app(), ORIGIN, &login, &gone).await,
            Err(NotIssued::NoClient)
        );
    });
}

#[test]
fn our_class_gets_a_code_and_nothing_else() {
    let request = asks("blog");
    let expected = value!({ "type": "wxapi-login", "state": "a-state", "code": "c", "iss": ORIGIN });
    assert_eq!(message(&request, ORIGIN, "c"), expected);
    assert_eq!(way_back(&request, ORIGIN, "c"), None);
}

#[test]
fn results_and_errors_name_their_issuer() {
    let request = app_asks();
    let expected = format!("{APP_CALLBACK}?code=c&state=a-state&iss=https%3A%2F%2Fwx.example.com");
    assert_eq!(way_back(&request, ORIGIN, "c"), Some(Way::Redirect(expected)));
    let failed = way_back_failed(&request, ORIGIN, "access_denied", "the person said no");
    let expected = format!(
        "{APP_CALLBACK}?error=access_denied&error_description=the+person+said+no&state=a-state&iss=https%3A%2F%2Fwx.example.com"
    );
    assert_eq!(failed, Some(Way::Redirect(expected)));
    let by_form = AuthRequest { result: ResultBy::Redirect { form_post: true }, state: None, ..app_asks() };
    let fields = vec![("code", "c".to_owned()), ("iss", ORIGIN.to_owned())];
    assert_eq!(way_back(&by_form, ORIGIN, "c"), Some(Way::Form { action: APP_CALLBACK.to_owned(), fields }));
    let back = Back {
        redirect_uri: "https://a.example/cb?x=1".to_owned(),
        form_post: false,
        error: "login_required",
        description: "d",
        state: Some("ü&".to_owned()),
    };
    let expected = "https://a.example/cb?x=1&error=login_required&error_description=d&state=%C3%BC%26&iss=https%3A%2F%2Fwx.example.com";
    assert_eq!(way_refused(&back, ORIGIN), Way::Redirect(expected.to_owned()));
    let form = way_refused(&Back { form_post: true, state: None, ..back }, ORIGIN);
    assert!(
        matches!(form, Way::Form { action, fields } if action == "https://a.example/cb?x=1" && fields.len() == 3)
    );
}

#[test]
fn the_message_of_the_first_class_holds_no_openid_unless_that_is_the_id() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("blog")).await;
        let all = format!(
            "{} {}",
            part(got["id_token"].as_str().unwrap(), 1),
            part(got["access_token"].as_str().unwrap(), 1)
        );
        assert!(!all.contains(crate::issuer::OPENID), "{all}");
    });
}
