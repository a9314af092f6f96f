//! What somebody tries who has no business with the account, or more patience than was thought.

use std::cell::Cell;
use std::rc::Rc;

use crate::mass;
use crate::world::admin::{admin_request, settings};
use crate::world::client::{said, world_with, yes};
use crate::world::{Answer, World, run};

/// A guess at the `ADMIN_TOKEN`, from this address; the status that came back.
async fn guess(world: &World, path: &str, address: &str) -> u16 {
    let mut request = admin_request("GET", path, b"");
    request.headers = vec![("authorization".to_owned(), "Bearer a-guess".to_owned())];
    request.peer.address = address.to_owned();
    world.send(request).await.status
}

#[test]
fn whoever_has_a_network_of_addresses_has_no_more_guesses() {
    run(async {
        let world = World::new(&settings());
        for host in 1..=10 {
            assert_eq!(guess(&world, "/admin/clients", &format!("2001:db8:1:2::{host:x}")).await, 401);
        }
        assert_eq!(guess(&world, "/admin/clients", "2001:db8:1:2:ffff::1").await, 429);
        assert_eq!(guess(&world, "/admin/clients", "2001:db8:1:3::1").await, 401, "another subscriber");
    });
}

#[test]
fn the_counters_are_no_way_around_the_limit_of_guesses() {
    run(async {
        let world = World::new(&settings());
        for number in 0..10 {
            let path = if number % 2 == 0 { "/metrics" } else { "/admin/clients" };
            assert_eq!(guess(&world, path, "192.0.2.1").await, 401);
        }
        assert_eq!(guess(&world, "/metrics", "192.0.2.1").await, 429);
        assert_eq!(world.send(admin_request("GET", "/metrics", b"")).await.status, 200);
    });
}

#[test]
fn whatever_asks_wechat_is_counted() {
    run(async {
        let world = World::new(&settings());
        world.wechat(|request| {
            let token = request.url.contains("stable_token");
            Ok(Answer::json(if token {
                r#"{"access_token":"T","expires_in":7200}"#
            } else {
                r#"{"errcode":48001}"#
            }))
        });
        for (method, path) in [("GET", "/admin/tags"), ("POST", "/admin/rules/import")] {
            assert_eq!(world.admin(method, path, None).await.0, 422, "{path}");
        }
        let page = world.metrics().await;
        assert!(page.contains("wxapi_api_calls_total{errcode=\"48001\"} 2"), "{page}");
    });
}

#[test]
fn what_is_kept_for_a_key_takes_little_room() {
    run(async {
        let answer =
            |length: usize| serde_json::json!({ "errcode": 0, "items": "x".repeat(length) }).to_string();
        let length = Rc::new(Cell::new(0));
        let asked = Rc::clone(&length);
        let world = world_with(&[("shop", &["everything"])], move |_| Ok(Answer::json(&answer(asked.get()))));
        for (size, key, kept) in [(1_000, "small", true), (60_000, "long", false)] {
            length.set(size);
            world.client_once("shop", key, "/cgi-bin/draft/batchget", "{}").await;
            let (again, replayed) = world.client_once("shop", key, "/cgi-bin/draft/batchget", "{}").await;
            assert_eq!((replayed, again["errcode"] == 0), (kept, kept), "{key}");
        }
        assert_eq!(world.passed_on().len(), 2);
    });
}

#[test]
fn strange_paths_reach_nothing() {
    run(async {
        let world = world_with(&[("shop", &["read"])], |_| yes());
        for (path, errcode) in [
            ("/cgi-bin/menu/..%2fmessage/custom/send", 40066),
            ("/cgi-bin/menu/../message/custom/send", 40066),
            ("/cgi-bin/menu/get;x", 40066),
            ("/cgi-bin/menu%2fget", 40066),
            ("/cgi-bin/menu/get\u{ff0f}", 40066),
            ("/cgi-bin/Menu/create", 48001),
            ("/cgi-bin/menu/get/create", 48001),
            ("/cgi-bin/component/api_component_token", 48001),
            ("/cgi-bin//stable_token/", 43002),
            ("/sns/jscode2session", 48001),
        ] {
            assert_eq!(world.client("shop", "GET", path, "").await["errcode"], errcode, "{path}");
        }
        let mut request = world.client_request("shop", "GET", "/v1/v1/cgi-bin/menu/get", b"").await;
        assert_eq!(world.send(request.clone()).await.status, 404);
        request.path = "/cgi-bin/menu/get/".to_owned();
        request.query.push_str("&access%5Ftoken=stolen&access_token=other&a=b");
        assert_eq!(said(world.send(request).await).await["errcode"], 0);
        let urls: Vec<String> = world.passed_on().into_iter().map(|call| call.url).collect();
        assert_eq!(urls, ["https://api.weixin.qq.com/cgi-bin/menu/get?access_token=real-1&a=b"]);
    });
}

#[test]
fn a_send_in_doubt_that_is_refused_later_cannot_be_confirmed_anew() {
    run(async {
        let (world, script) = mass::world(&[]);
        let (id, code) = mass::confirmed(&world, serde_json::json!({ "tag_id": 101 })).await;
        let refusal = r#"{"errcode":45028,"errmsg":"has no masssend quota"}"#;
        *script.borrow_mut() = vec![Err("cut".to_owned()), Ok(refusal.to_owned())];
        assert_eq!(mass::post(&world, &format!("/{id}/send"), code.clone()).await.0, 502);
        // WeChat may have taken it, and may say that there is no quota because of that.
        assert_eq!(mass::post(&world, &format!("/{id}/send"), code.clone()).await.0, 422);
        assert_eq!(mass::post(&world, &format!("/{id}/check"), serde_json::json!({})).await.0, 409);
        assert_eq!(mass::post(&world, &format!("/{id}/confirm"), serde_json::json!({})).await.0, 409);
        assert_eq!(mass::post(&world, &format!("/{id}/send"), code).await.0, 200);
        let sent = mass::sends(&world);
        assert!(
            sent.len() == 3 && sent.iter().all(|send| send["clientmsgid"] == sent[0]["clientmsgid"]),
            "{sent:?}"
        );
    });
}

#[test]
fn all_expressions_together_have_a_size() {
    run(async {
        let world = World::new(&settings());
        let large = serde_json::json!({
            "when": { "texts": [{ "match": "regex", "text": "(?:a?){0,160}!" }] },
            "reply": { "type": "silent" },
        });
        let mut made = Vec::new();
        for _ in 0..8 {
            made.push(world.admin("POST", "/admin/rules", Some(&large)).await.0);
        }
        assert!(made.contains(&201) && made.ends_with(&[422]), "{made:?}");
        let small = serde_json::json!({
            "when": { "texts": [{ "match": "exact", "text": "a" }] },
            "reply": { "type": "silent" },
        });
        assert_eq!(world.admin("POST", "/admin/rules", Some(&small)).await.0, 201, "the others have room");
    });
}

#[test]
fn a_picture_that_is_there_is_found_though_it_is_no_json() {
    run(async {
        let (world, _) = mass::world(&[]);
        world.wechat(|request| {
            let picture = request.url.contains("/cgi-bin/media/get");
            let body = if picture {
                b"\x89PNG\r\n".to_vec()
            } else {
                br#"{"access_token":"T","expires_in":7200,"total":3}"#.to_vec()
            };
            Ok(Answer {
                status: 200,
                content_type: if picture { "image/png" } else { "application/json" },
                body,
            })
        });
        let job = serde_json::json!({
            "message": { "msgtype": "image", "images": { "media_ids": ["m"] } }, "audience": { "all": true },
        });
        let (_, job) = mass::post(&world, "", job).await;
        let path = format!("/{}/check", job["id"].as_str().unwrap());
        let (status, checked) = mass::post(&world, &path, serde_json::json!({})).await;
        assert_eq!((status, &checked["stage"]), (200, &"checked".into()), "{checked}");
    });
}

#[test]
fn a_page_instead_of_a_file_is_no_file() {
    run(async {
        for status in [302, 404, 502] {
            let world = World::new(&settings());
            world.wechat(move |request| {
                let token = request.url.contains("stable_token");
                Ok(if token {
                    Answer::json(r#"{"access_token":"T","expires_in":7200}"#)
                } else {
                    Answer { status, content_type: "text/html", body: b"<script>alert(1)</script>".to_vec() }
                })
            });
            let response = world.send(admin_request("GET", "/admin/media/an-id", b"")).await;
            assert_eq!((response.status, response.passage.is_none()), (502, true), "{status}");
        }
    });
}

#[test]
fn what_a_relay_refuses_for_a_moment_does_not_use_up_the_key() {
    run(async {
        let busy = Cell::new(true);
        let world = world_with(&[("shop", &["message"])], move |_| {
            let page = Answer { status: 429, content_type: "application/json", body: b"{}".to_vec() };
            if busy.replace(false) { Ok(page) } else { yes() }
        });
        let path = "/cgi-bin/message/custom/send";
        assert_eq!(world.client_once("shop", "k", path, "{}").await.0, serde_json::json!({}));
        assert_eq!(world.client_once("shop", "k", path, "{}").await.0["errcode"], 0);
        assert_eq!(
            world.client_once("shop", "k", path, "{}").await,
            (serde_json::json!({ "errcode": 0, "errmsg": "ok" }), true)
        );
    });
}
