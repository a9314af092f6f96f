//! Other programs get tokens and tickets, and the operator looks after them.

use std::rc::Rc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use wxapi::digest::Digest;
use wxapi::gateway::token::{Call, Loan};
use wxapi::handlers::api::client_of;
use wxapi::handlers::borrow_token;
use wxapi::platform::{Platform, Request, Response};
use wxapi::wechat::api::ticket;

use crate::world::weixin::Weixin;
use crate::world::{ORIGIN, World, admin, run};

const SECRET: &str = "a-client\u{2019}s-secret";

fn world() -> (World, Rc<Weixin>) {
    let entry = |id: &str, scope: &str, raw: bool| json!({ "id": id, "secret_sha256": Digest::of(SECRET).as_str(), "scopes": [scope], "raw_token": raw });
    let clients = json!([
        entry("shop", "read", false),
        entry("bot", "message", false),
        entry("old", "everything", true)
    ]);
    let clients: &'static str = Box::leak(clients.to_string().into_boxed_str());
    let world = World::new(&[&admin::settings()[..], &[("API_CLIENTS", clients)]].concat());
    let weixin = Weixin::of(&world);
    (world, weixin)
}

async fn ask(world: &World, method: &str, path: &str, query: &str, body: &str) -> Response {
    let response = world
        .send(Request {
            id: "r-1".to_owned(),
            method: method.to_owned(),
            origin: ORIGIN.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: body.as_bytes().to_vec(),
            ..Request::default()
        })
        .await;
    assert_eq!(response.status, 200);
    response
}

async fn json_of(world: &World, method: &str, path: &str, query: &str, body: &str) -> Value {
    serde_json::from_str(&ask(world, method, path, query, body).await.body).unwrap()
}

fn query(id: &str, secret: &str) -> String {
    format!("grant_type=client_credential&appid={id}&secret={}", secret.replace('\u{2019}', "%E2%80%99"))
}

async fn stable(world: &World, id: &str, force: bool) -> Value {
    let body =
        json!({ "grant_type": "client_credential", "appid": id, "secret": SECRET, "force_refresh": force });
    json_of(world, "POST", "/cgi-bin/stable_token", "", &body.to_string()).await
}

fn token_of(answer: &Value) -> String {
    assert_eq!(answer.get("errcode"), None, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

fn with_token(token: &str) -> Request {
    Request { query: format!("access_token={token}&x=1"), ..Request::default() }
}

#[test]
fn a_client_gets_tokens_of_its_own_and_wechat_is_not_asked() {
    run(async {
        let (world, weixin) = world();
        let mut tokens = Vec::new();
        for path in ["/cgi-bin/token", "/v1/cgi-bin/token"] {
            let answer = json_of(&world, "GET", path, &query("shop", SECRET), "").await;
            assert_eq!(answer["expires_in"], 7200);
            tokens.push(token_of(&answer));
        }
        for force in [false, true] {
            tokens.push(token_of(&stable(&world, "shop", force).await));
        }
        for token in &tokens {
            let client = client_of(&with_token(token), world.app(), world.now()).unwrap();
            assert_eq!(client.id, "shop");
        }
        tokens.dedup();
        assert_eq!(tokens.len(), 4, "each is new, and those before live on");
        assert_eq!(weixin.fetches(), (0, 0));
        let code =
            |request: &Request, later| client_of(request, world.app(), world.now() + later).unwrap_err();
        assert_eq!(code(&with_token(&tokens[0]), 7_200_000).errcode, 42001);
        assert_eq!(code(&with_token("97_garbage"), 0).errcode, 40001);
        assert_eq!(code(&Request::default(), 0).errcode, 41001);
    });
}

#[test]
fn a_client_with_raw_token_gets_the_account_s_own() {
    run(async {
        let (world, weixin) = world();
        let answer = json_of(&world, "GET", "/cgi-bin/token", &query("old", SECRET), "").await;
        assert_eq!((token_of(&answer).as_str(), &answer["expires_in"]), ("token-1", &json!(7200)));
        world.pass(1_000_000).await;
        assert_eq!(
            stable(&world, "old", false).await,
            json!({ "access_token": "token-1", "expires_in": 6200 })
        );
        assert_eq!(token_of(&stable(&world, "old", true).await), "token-2");
        assert_eq!(token_of(&stable(&world, "old", true).await), "token-2", "as WeChat within 30 seconds");
        assert_eq!(weixin.fetches(), (2, 1));
        weixin.invalidate();
        world.pass(7_200_000).await;
        weixin.fail_next(40125, 1_000);
        world.pass(7_200_000).await;
        let refused = stable(&world, "old", false).await;
        assert_eq!(refused["errcode"], -1, "the account's secret is not the client's");
    });
}

#[test]
fn refusals_are_wechat_s() {
    run(async {
        let (world, _) = world();
        let token = "/cgi-bin/token";
        let stable = "/cgi-bin/stable_token";
        let no_grant = "grant_type=client_credentials&appid=shop&secret=x";
        let body = |json: Value| json.to_string();
        let cases = [
            ("GET", token, "".to_owned(), String::new(), 40002),
            ("GET", token, no_grant.to_owned(), String::new(), 40002),
            ("GET", token, "grant_type=client_credential".to_owned(), String::new(), 41002),
            ("GET", token, query("shop", ""), String::new(), 41004),
            ("GET", token, query("nobody", SECRET), String::new(), 40013),
            ("GET", token, query("shop", "wrong"), String::new(), 40125),
            ("GET", token, query(admin::APP_ID, SECRET), String::new(), 40013),
            ("POST", token, query("shop", SECRET), String::new(), 43001),
            ("GET", stable, query("shop", SECRET), String::new(), 43002),
            ("POST", stable, query("shop", SECRET), String::new(), 44002),
            ("POST", stable, String::new(), "[]".to_owned(), 47001),
            ("POST", stable, String::new(), "{\"grant_type\":".to_owned(), 47001),
            ("POST", stable, String::new(), body(json!({ "grant_type": 1 })), 40002),
            ("PUT", "/cgi-bin/ticket/getticket", "type=jsapi".to_owned(), String::new(), 43002),
            ("GET", "/cgi-bin/ticket/getticket", "type=jsapi".to_owned(), String::new(), 41001),
        ];
        for (method, path, query, body, code) in cases {
            let answer = json_of(&world, method, path, &query, &body).await;
            assert_eq!(answer["errcode"], code, "{method} {path} {query} {body}");
            assert!(answer["errmsg"].as_str().unwrap().ends_with(" rid: r-1"), "{answer}");
        }
        let log: String = world.log().iter().map(wxapi::log::Line::to_json).collect();
        assert!(!log.contains("wrong") && !log.contains("a-client"), "{log}");
    });
}

#[test]
fn wrong_secrets_are_told_to_wait_and_the_right_one_is_heard() {
    run(async {
        let (world, _) = world();
        for n in 0..10 {
            let (id, code) = if n % 2 == 0 { ("shop", 40125) } else { ("nobody", 40013) };
            let answer = json_of(&world, "GET", "/cgi-bin/token", &query(id, "guess"), "").await;
            assert_eq!(answer["errcode"], code);
        }
        for id in ["shop", "nobody"] {
            let response = ask(&world, "GET", "/cgi-bin/token", &query(id, "guess"), "").await;
            assert!(response.body.contains("45011"), "{}", response.body);
            assert!(response.headers.contains(&("retry-after", "600".to_owned())));
        }
        token_of(&stable(&world, "shop", false).await);
        world.pass(600_000).await;
        let answer = json_of(&world, "GET", "/cgi-bin/token", &query("shop", "guess"), "").await;
        assert_eq!(answer["errcode"], 40125);
    });
}

#[test]
fn tickets_go_to_clients_that_may_read() {
    run(async {
        let (world, weixin) = world();
        let path = "/cgi-bin/ticket/getticket";
        let token = token_of(&stable(&world, "shop", false).await);
        let ask = |kind: &str| format!("access_token={token}&type={kind}");
        let expected = json!({ "errcode": 0, "errmsg": "ok", "ticket": "jsapi-1", "expires_in": 7200 });
        assert_eq!(json_of(&world, "GET", path, &ask("jsapi"), "").await, expected);
        assert_eq!(json_of(&world, "POST", path, &ask("jsapi"), "{}").await, expected);
        world.pass(1_500).await;
        let answer = json_of(&world, "GET", path, &ask("jsapi"), "").await;
        assert_eq!((&answer["ticket"], &answer["expires_in"]), (&json!("jsapi-1"), &json!(7198)));
        assert_eq!(json_of(&world, "GET", path, &ask("wx_card"), "").await["ticket"], "wx_card-2");
        for kind in ["", "access_token", "JSAPI"] {
            assert_eq!(json_of(&world, "GET", path, &ask(kind), "").await["errcode"], 40097, "{kind}");
        }
        let bot = token_of(&stable(&world, "bot", false).await);
        let query = format!("access_token={bot}&type=jsapi");
        assert_eq!(json_of(&world, "GET", path, &query, "").await["errcode"], 48001);
        assert_eq!(weixin.tickets.borrow().len(), 2);
    });
}

#[test]
fn tickets_are_fetched_once_for_all_and_renewed_when_asked() {
    run(async {
        let (world, weixin) = world();
        world.network(100);
        let borrow = |loan| borrow_token(&world, world.app(), Call::Borrow(loan));
        let all =
            join_all((0..100).map(|n| borrow(if n % 2 == 0 { Loan::Jsapi } else { Loan::WxCard }))).await;
        let mut texts: Vec<String> = all.into_iter().map(|lent| lent.unwrap().text).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts, ["jsapi-1", "wx_card-2"]);
        assert_eq!((weixin.fetches(), weixin.tickets.borrow().len()), ((1, 0), 2));
        world.crash();
        world.pass(6_800_000).await;
        assert_eq!(borrow(Loan::Jsapi).await.unwrap().text, "jsapi-1", "it was stored");
        world.pass(200_000).await;
        assert_eq!(weixin.tickets.borrow().len(), 2, "no alarm for tickets");
        assert_eq!(borrow(Loan::Jsapi).await.unwrap().text, "jsapi-3");
        // A token that died is repaired for a ticket, too.
        weixin.invalidate();
        assert_eq!(borrow(Loan::WxCard).await.unwrap().text, "wx_card-5");
        assert_eq!(*weixin.tickets.borrow(), [true, true, true, false, true]);
    });
}

#[test]
fn without_the_account_s_secret_nobody_gets_a_token() {
    run(async {
        let entry =
            json!([{ "id": "shop", "secret_sha256": Digest::of(SECRET).as_str(), "scopes": ["read"] }]);
        let entry: &'static str = Box::leak(entry.to_string().into_boxed_str());
        let world = World::new(&[("APP_ID", admin::APP_ID), ("API_CLIENTS", entry)]);
        assert_eq!(stable(&world, "shop", false).await["errcode"], -1);
        assert_eq!(client_of(&with_token("x"), world.app(), 0).unwrap_err().errcode, -1);
    });
}

#[test]
fn the_operator_sees_how_it_stands_but_never_the_token() {
    run(async {
        let (world, weixin) = world();
        let (status, none) = world.admin("GET", "/admin/token", None).await;
        assert_eq!((status, &none["access_token"]["lives"]), (200, &json!(false)));
        weixin.fail_next(40164, 1);
        let (status, problem) = world.admin("POST", "/admin/token/refresh", None).await;
        assert_eq!((status, &problem["type"]), (422, &json!("urn:wxapi:problem:wechat")));
        assert_eq!((&problem["errcode"], &problem["ip"]), (&json!(40164), &json!("203.0.113.7")));
        assert_eq!(problem["rid"], "1-2-3");
        assert!(problem["fix"].as_str().unwrap().contains("WECHAT_API_BASE"));
        let (_, failed) = world.admin("GET", "/admin/token", None).await;
        let failure = &failed["access_token"]["failure"];
        assert_eq!((&failure["errcode"], &failure["retry_in"]), (&json!(40164), &json!(60)));
        assert_eq!(failure["fix"], problem["fix"]);
        let (status, fine) = world.admin("POST", "/admin/token/refresh", Some(&json!({}))).await;
        assert_eq!((status, &fine["access_token"]["expires_in"]), (200, &json!(7200)));
        let force = json!({ "force": true });
        let (status, forced) = world.admin("POST", "/admin/token/refresh", Some(&force)).await;
        assert_eq!((status, &forced["forced_today"], &forced["forced_left"]), (200, &json!(1), &json!(19)));
        let (status, problem) = world.admin("POST", "/admin/token/refresh", Some(&force)).await;
        assert_eq!((status, &problem["type"]), (429, &json!("urn:wxapi:problem:guarded")));
        world.pass(100_000).await;
        let (_, report) = world.admin("GET", "/admin/token", None).await;
        assert_eq!(
            (&report["access_token"]["age"], &report["access_token"]["renewed_in"]),
            (&json!(100), &json!(6800))
        );
        for answer in [failed, fine, forced, report] {
            assert!(!answer.to_string().contains("token-"), "{answer}");
        }
        let (status, _) = world.admin("POST", "/admin/token/refresh", Some(&json!({ "force": "yes" }))).await;
        assert_eq!(status, 422);
        assert_eq!(world.admin("POST", "/admin/token", None).await.0, 405);
        assert_eq!(world.admin("GET", "/admin/token/x", None).await.0, 404);
        assert_eq!(weixin.fetches(), (3, 1));
    });
}

#[test]
fn pages_get_signatures_for_the_js_sdk() {
    run(async {
        let (world, weixin) = world();
        let url = "https://example.com/a?b=%E4%B8%AD&from=singlemessage#/route?x=1";
        let (status, answer) =
            world.admin("POST", "/admin/jssdk/signature", Some(&json!({ "url": url }))).await;
        assert_eq!((status, &answer["appId"]), (200, &json!(admin::APP_ID)));
        let (nonce, timestamp) =
            (answer["nonceStr"].as_str().unwrap(), answer["timestamp"].as_u64().unwrap());
        assert_eq!(timestamp, world.now() / 1_000);
        assert_eq!(answer["signature"], ticket::sign("jsapi-1", nonce, timestamp, url));
        let (_, again) = world.admin("POST", "/admin/jssdk/signature", Some(&json!({ "url": url }))).await;
        assert_ne!(again["nonceStr"], answer["nonceStr"]);
        assert_eq!(weixin.tickets.borrow().len(), 1);
        for url in [
            "",
            "example.com",
            "ftp://example.com/",
            "https://",
            "http:///x",
            "https://#",
            "https://a b/",
            "javascript:alert(1)",
        ] {
            let (status, problem) =
                world.admin("POST", "/admin/jssdk/signature", Some(&json!({ "url": url }))).await;
            assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/url")), "{url}");
        }
    });
}

#[test]
fn what_was_done_is_counted() {
    run(async {
        let (world, weixin) = world();
        weixin.fail_next(40125, 1);
        let _ = world.admin("POST", "/admin/token/refresh", None).await;
        let _ = world.admin("POST", "/admin/token/refresh", Some(&json!({ "force": true }))).await;
        let _ = world.admin("POST", "/admin/token/refresh", None).await;
        weixin.invalidate();
        let _ = world
            .admin("POST", "/admin/jssdk/signature", Some(&json!({ "url": "https://a.example/" })))
            .await;
        world.pass(6_000).await;
        let metrics = world.send(admin::admin_request("GET", "/metrics", b"")).await.body;
        for line in [
            "wxapi_token_refreshes_total{outcome=\"refused\"} 1",
            "wxapi_token_refreshes_total{outcome=\"forced\"} 1",
            "wxapi_token_refreshes_total{outcome=\"fetched\"} 2",
            "wxapi_api_calls_total{errcode=\"0\"} 1",
        ] {
            assert!(metrics.contains(line), "{line} in {metrics}");
        }
    });
}

/// The example of WeChat's own documentation, and the same page further down.
/// <https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html>
#[test]
fn the_documented_page_is_signed_as_documented() {
    let given = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg";
    for url in ["http://mp.weixin.qq.com?params=value", "http://mp.weixin.qq.com?params=value#/route?x=1"] {
        let signature = ticket::sign(given, "Wm3WZYTPz0wzccnW", 1_414_587_457, url);
        assert_eq!(signature, "0f9de62fce790f9a083d5c99e95740ceb90c27ed");
    }
}
