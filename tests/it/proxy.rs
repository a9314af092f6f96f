//! WeChat's API through the proxy: who may call what, what passes, what comes back.

use serde_json::json;
use wxapi::platform::{Request, Upload};

use crate::world::admin::{upload, uploaded, whole};
use crate::world::client::{no, said, world_with, yes};
use crate::world::{Answer, World, run};

const SEND: &str = "/cgi-bin/message/custom/send";

fn everything() -> World {
    world_with(&[("shop", &["everything"])], |_| yes())
}

#[test]
fn a_call_passes_with_the_real_token_and_nothing_else_changed() {
    run(async {
        let world = everything();
        let mut request =
            world.client_request("shop", "POST", "/v1/cgi-bin//user/info?a=%2F+1&&b", b"{\"x\":1}").await;
        request.query =
            format!("a=%2F+1&&{}&b&access%5Ftoken=hidden", request.query.split('&').next().unwrap());
        request.headers.push(("cookie".to_owned(), "c=1".to_owned()));
        request.headers.push(("authorization".to_owned(), "Bearer x".to_owned()));
        let response = world.send(request).await;
        assert_eq!(response.status, 200);
        assert!(response.headers.contains(&("x-request-id", "request-1".to_owned())));
        assert_eq!(said(response).await, json!({ "errcode": 0, "errmsg": "ok" }));
        let [call] = &world.passed_on()[..] else { panic!() };
        assert_eq!(call.method, "POST");
        assert_eq!(call.url, "https://api.weixin.qq.com/cgi-bin/user/info?access_token=real-1&a=%2F+1&&b");
        assert_eq!(call.headers, [("content-type", "application/json".to_owned())]);
        assert_eq!(call.body, b"{\"x\":1}");
    });
}

#[test]
fn scopes_decide_and_what_is_unknown_takes_everything() {
    run(async {
        let world = world_with(&[("menu", &["menu", "read"]), ("all", &["everything"])], |_| yes());
        for (client, path, errcode) in [
            ("menu", "/cgi-bin/menu/create", 0),
            ("menu", "/cgi-bin/menu/get", 0),
            ("menu", SEND, 48001),
            ("menu", "/cgi-bin/message/mass/sendall", 48001),
            ("menu", "/cgi-bin/something/new", 48001),
            ("menu", "/datacube/getusersummary", 48001),
            ("all", "/cgi-bin/something/new", 0),
            ("all", "/datacube/getusersummary", 0),
            ("all", "/cgi-bin/clear_quota/v2", 48001),
            ("all", "/cgi-bin/component/api_component_token", 48001),
            ("all", "/sns/jscode2session", 48001),
            ("all", "/sns/oauth2/access_token", 48001),
            ("all", "/cgi-bin/menu%2fget", 40066),
        ] {
            assert_eq!(world.client(client, "POST", path, "{}").await["errcode"], errcode, "{client} {path}");
        }
        assert_eq!(world.passed_on().len(), 4);
        world.pass(1).await;
        let audited = world.audited().await;
        assert_eq!(audited.iter().filter(|line| line.ends_with("forbidden")).count(), 4, "{audited:?}");
        assert_eq!(audited.last().unwrap(), "menu POST /cgi-bin/menu/create ok");
    });
}

#[test]
fn strangers_and_old_tokens_are_refused_as_wechat_would() {
    run(async {
        let world = everything();
        for (query, errcode) in [("", 41001), ("access_token=guess", 40001)] {
            let answer = said(world.request("GET", "/cgi-bin/menu/get", query, "").await).await;
            assert_eq!(answer["errcode"], errcode);
        }
        let mut request = world.client_request("shop", "GET", "/cgi-bin/menu/get", b"").await;
        world.pass(8_000_000).await;
        assert_eq!(said(world.send(request.clone()).await).await["errcode"], 42001);
        request.query.push('x');
        assert_eq!(said(world.send(request).await).await["errcode"], 40001);
        assert_eq!(world.passed_on().len(), 0);
    });
}

#[test]
fn a_client_that_calls_too_often_waits_for_the_next_minute_and_others_do_not() {
    run(async {
        let world = world_with(&[("busy", &["read"]), ("calm", &["read"])], |_| yes());
        for _ in 0..100 {
            assert_eq!(world.client("busy", "GET", "/cgi-bin/menu/get", "").await["errcode"], 0);
        }
        let request = world.client_request("busy", "GET", "/cgi-bin/menu/get", b"").await;
        let response = world.send(request).await;
        let wait = response.headers.iter().find(|(name, _)| *name == "retry-after").unwrap().1.clone();
        assert_eq!(said(response).await["errcode"], 45011);
        assert_eq!(world.client("calm", "GET", "/cgi-bin/menu/get", "").await["errcode"], 0);
        world.pass(wait.parse::<u64>().unwrap() * 1_000).await;
        assert_eq!(world.client("busy", "GET", "/cgi-bin/menu/get", "").await["errcode"], 0);
        assert_eq!(world.passed_on().len(), 102);
    });
}

#[test]
fn escapes_of_json_become_characters() {
    run(async {
        let world = everything();
        let body = r#"{"name":"\u83dc\u5355\ud83d\ude00 \\u0041 \"\u0022 \u0001 \u000a","n":1.50}"#;
        world.client("shop", "POST", "/cgi-bin/menu/create", body).await;
        let expected = r#"{"name":"菜单😀 \\u0041 \"\" \u0001 \n","n":1.50}"#.replace("\"\" ", "\"\\\" ");
        assert_eq!(String::from_utf8(world.passed_on()[0].body.clone()).unwrap(), expected);
        // What is no JSON stays, and so does half a pair.
        for other in ["--x\r\n\\u0041", r#"{"x":"\ud83d"}"#] {
            world.client("shop", "POST", "/cgi-bin/menu/create", other).await;
            assert_eq!(world.passed_on().last().unwrap().body, other.as_bytes());
        }
    });
}

fn uploading(request: Request, upload: Upload) -> Request {
    Request { upload: Some(upload), body: Vec::new(), ..request }
}

#[test]
fn uploads_pass_through_with_their_length_or_not_at_all() {
    run(async {
        let world = everything();
        let bytes = vec![7; 200_000];
        let request = || world.client_request("shop", "POST", "/cgi-bin/material/upload?type=image", b"");
        let response = world.send(uploading(request().await, upload(&bytes))).await;
        assert_eq!(said(response).await["errcode"], 0);
        let call = world.passed_on().pop().unwrap();
        assert!(
            call.url.contains("/cgi-bin/material/add_material?access_token=real-1&type=image"),
            "{}",
            call.url
        );
        let sent = call.upload.unwrap();
        assert_eq!((sent.length, uploaded(&sent)), (Some(200_000), bytes.clone()));
        for (length, status, errcode) in [(None, 411, 44002), (Some(100_000_001), 413, 40006)] {
            let response = world.send(uploading(request().await, Upload { length, ..upload(&bytes) })).await;
            assert_eq!(response.status, status);
            assert_eq!(said(response).await["errcode"], errcode);
        }
        assert_eq!(world.passed_on().len(), 1);
    });
}

#[test]
fn files_and_long_lists_come_back_as_they_are() {
    run(async {
        let long = format!(r#"{{"list":"{}"}}"#, "x".repeat(100_000));
        let body = long.clone();
        let world = world_with(&[("shop", &["read", "user"])], move |request| {
            let (content_type, body) = if request.url.contains("/media/get") {
                ("image/jpeg", [vec![0xff, 0xd8], vec![1; 90_000]].concat())
            } else {
                ("text/plain", body.clone().into_bytes())
            };
            Ok(Answer { status: 200, content_type, body })
        });
        let request = world.client_request("shop", "GET", "/cgi-bin/media/get?media_id=m", b"").await;
        let response = world.send(request).await;
        assert_eq!(response.passage.as_ref().unwrap().content_type, "image/jpeg");
        assert!(response.passage.as_ref().unwrap().first.len() < 100, "it is passed on as it comes");
        assert_eq!(whole(response).await, [vec![0xff, 0xd8], vec![1; 90_000]].concat());
        let request = world.client_request("shop", "GET", "/cgi-bin/user/get", b"").await;
        assert_eq!(whole(world.send(request).await).await, long.as_bytes());
    });
}

#[test]
fn a_page_of_a_relay_is_no_page_of_ours_and_shows_no_token() {
    run(async {
        let world = world_with(&[("shop", &["everything"])], |request| {
            let body = format!("<script>0</script> no route for {}", request.url).into_bytes();
            Ok(Answer { status: 404, content_type: "text/html", body })
        });
        let request = world.client_request("shop", "GET", "/cgi-bin/new", b"").await;
        let response = world.send(request).await;
        assert_eq!(response.status, 404);
        let policy = response.headers.iter().find(|(name, _)| *name == "content-security-policy").unwrap();
        assert!(policy.1.contains("sandbox"));
        let page = String::from_utf8(whole(response).await).unwrap();
        assert!(page.contains("access_token=***") && !page.contains("real-1"), "{page}");
    });
}

#[test]
fn a_persons_own_token_needs_no_client() {
    run(async {
        let world = everything();
        let query = "access_token=theirs&openid=o-1";
        let answer = said(world.request("GET", "/sns/userinfo", query, "").await).await;
        assert_eq!(answer["errcode"], 0);
        assert_eq!(world.passed_on()[0].url, format!("https://api.weixin.qq.com/sns/userinfo?{query}"));
        let answer = said(world.request("POST", "/sns/userinfo", query, "").await).await;
        assert_eq!(answer["errcode"], 43001);
        let closed = World::new(&[]);
        let answer = said(closed.request("GET", "/sns/auth", query, "").await).await;
        assert_eq!(answer["errcode"], 48001);
    });
}

#[test]
fn the_log_and_the_audit_name_no_token_and_no_person() {
    run(async {
        let world = world_with(&[("shop", &["everything"])], |_| no(45015));
        let body = r#"{"touser":"o-somebody","text":{"content":"a private matter"}}"#;
        let token = world.client_token("shop").await;
        let answer = world.client("shop", "POST", &format!("{SEND}?openid=o-somebody"), body).await;
        assert_eq!(answer["errcode"], 45015);
        world.pass(10).await;
        let (_, page) = world.admin("GET", "/admin/audit?client=shop&limit=1", None).await;
        let entry = &page["items"][0];
        for (name, value) in [
            ("request", json!("request-1")),
            ("client", json!("shop")),
            ("method", json!("POST")),
            ("path", json!(SEND)),
            ("scope", json!("message")),
            ("outcome", json!("refused")),
            ("status", json!(200)),
            ("errcode", json!(45015)),
            ("rid", json!("1-2-3")),
            ("retried", json!(0)),
        ] {
            assert_eq!(entry[name], value, "{name} of {entry}");
        }
        let log: String = world.log().iter().map(wxapi::log::Line::to_json).collect();
        assert!(log.contains("45015"), "{log}");
        for secret in ["o-somebody", "private", "real-1", token.as_str()] {
            assert!(!log.contains(secret) && !page.to_string().contains(secret), "{secret}: {log} {page}");
        }
    });
}

#[test]
fn pages_of_the_audit_follow_each_other() {
    run(async {
        let world = world_with(&[("a", &["read"]), ("b", &["read"])], |_| yes());
        for client in ["a", "b", "a", "a"] {
            world.client(client, "GET", "/cgi-bin/menu/get", "").await;
        }
        world.pass(10).await;
        let (_, page) = world.admin("GET", "/admin/audit?client=a&limit=2", None).await;
        assert_eq!(page["items"].as_array().unwrap().len(), 2);
        let next = page["next"].as_str().unwrap().to_owned();
        let (_, page) =
            world.admin("GET", &format!("/admin/audit?client=a&limit=2&after={next}"), None).await;
        assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (1, &json!(null)));
        for wrong in ["limit=0", "limit=201", "limit=x", "after=-1", "after=18446744073709551615"] {
            assert_eq!(world.admin("GET", &format!("/admin/audit?{wrong}"), None).await.0, 422, "{wrong}");
        }
    });
}
