//! The management of rules.

use serde_json::{Value, json};

use crate::rules::{rule, world_with};
use crate::world::admin::{admin_request, settings};
use crate::world::{Answer, USER, World, run, see};

fn echo() -> Value {
    rule(json!({ "types": ["text"] }), json!({ "type": "echo" }))
}

async fn with_match(world: &World, method: &str, path: &str, version: &str, body: &Value) -> u16 {
    let mut request = admin_request(method, path, body.to_string().as_bytes());
    request.headers.push(("if-match".to_owned(), version.to_owned()));
    world.send(request).await.status
}

#[test]
fn a_rule_is_made_read_changed_and_deleted() {
    run(async {
        let world = World::new(&settings());
        let made = world.send(admin_request("POST", "/admin/rules", echo().to_string().as_bytes())).await;
        assert_eq!(made.status, 201);
        let header = |name: &str| made.headers.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        assert_eq!(header("etag"), "\"1\"");
        let path = header("location");
        let (status, read) = world.admin("GET", &path, None).await;
        assert_eq!((status, &read["version"], &read["enabled"]), (200, &json!(1), &json!(true)));
        assert_eq!(read["when"], json!({ "types": ["text"] }));

        // What was read can be sent back, changed.
        let mut changed = read.clone();
        changed["enabled"] = json!(false);
        assert_eq!(with_match(&world, "PUT", &path, "\"1\"", &changed).await, 200);
        assert_eq!(with_match(&world, "PUT", &path, "\"1\"", &changed).await, 409);
        assert_eq!(with_match(&world, "PUT", &path, "garbage", &changed).await, 409);
        assert_eq!(with_match(&world, "PUT", &path, "*", &changed).await, 200);
        see(&world, "hi", 1, "Answer to hi").await;

        assert_eq!(with_match(&world, "DELETE", &path, "\"1\"", &Value::Null).await, 409);
        assert_eq!(world.admin("DELETE", &path, None).await.0, 204);
        for (method, path) in
            [("GET", &*path), ("PUT", &path), ("DELETE", &path), ("GET", "/admin/rules/welcome")]
        {
            assert_eq!(world.admin(method, path, Some(&echo())).await.0, 404, "{method} {path}");
        }
        for (method, path) in
            [("PATCH", "/admin/rules"), ("GET", "/admin/rules/test"), ("POST", "/admin/welcome")]
        {
            assert_eq!(world.admin(method, path, None).await.0, 405, "{method} {path}");
        }
    });
}

#[test]
fn all_faults_are_told_at_once_and_nothing_is_stored() {
    run(async {
        let world = World::new(&settings());
        let wrong =
            json!({ "when": { "texts": [{ "match": "regex", "text": "(" }] }, "reply": { "type": "text" } });
        let (status, problem) = world.admin("POST", "/admin/rules", Some(&wrong)).await;
        assert_eq!((status, &problem["type"]), (422, &json!("urn:wxapi:problem:invalid")));
        let pointers: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
        assert_eq!(pointers, ["/when/texts/0/text", "/reply/text"]);
        assert_eq!(world.admin("GET", "/admin/rules", None).await.1["items"], json!([]));
        let wrong = json!({ "reply": { "type": "echo" }, "x": 1 });
        let (status, problem) = world.admin("PUT", "/admin/welcome", Some(&wrong)).await;
        assert_eq!((status, problem["errors"].as_array().unwrap().len()), (422, 2));
    });
}

#[test]
fn the_order_names_rules_that_there_are_once() {
    run(async {
        let world = world_with(&[echo(), echo(), echo()], &[]).await;
        let (_, order) = world.admin("GET", "/admin/rules/order", None).await;
        let ids = order["ids"].as_array().unwrap().clone();
        let wrong = json!({ "ids": [ids[0], "nobody", ids[0], 7] });
        let (status, problem) = world.admin("PUT", "/admin/rules/order", Some(&wrong)).await;
        assert_eq!((status, problem["errors"].as_array().unwrap().len()), (422, 3));
        let (status, now) =
            world.admin("PUT", "/admin/rules/order", Some(&json!({ "ids": [ids[2], ids[1]] }))).await;
        assert_eq!((status, &now["ids"]), (200, &json!([ids[2], ids[1], ids[0]])));
        let listed = world.admin("GET", "/admin/rules", None).await.1;
        let listed: Vec<_> = listed["items"].as_array().unwrap().iter().map(|rule| &rule["id"]).collect();
        assert_eq!(listed, [&ids[2], &ids[1], &ids[0]]);
        assert_eq!(
            with_match(&world, "PUT", "/admin/rules/order", "\"7\"", &json!({ "ids": [] })).await,
            409
        );
    });
}

#[test]
fn there_is_room_for_so_many() {
    run(async {
        let world = World::new(&settings());
        let (_, _) = world.admin("POST", "/admin/rules", Some(&echo())).await;
        let regex = json!({ "texts": vec![json!({ "match": "regex", "text": "a+" }); 20] });
        let many = rule(regex, json!({ "type": "silent" }));
        for _ in 0..5 {
            assert_eq!(world.admin("POST", "/admin/rules", Some(&many)).await.0, 201);
        }
        assert_eq!(world.admin("POST", "/admin/rules", Some(&many)).await.0, 422);
        for _ in 6..500 {
            assert_eq!(world.admin("POST", "/admin/rules", Some(&echo())).await.0, 201);
        }
        assert_eq!(world.admin("POST", "/admin/rules", Some(&echo())).await.0, 422);
        assert_eq!(world.admin("POST", "/admin/rules/examples/echo", None).await.0, 422);
        assert_eq!(world.admin("GET", "/admin/rules", None).await.1["items"].as_array().unwrap().len(), 500);
    });
}

#[test]
fn a_rule_can_be_tried_out() {
    run(async {
        let price = rule(
            json!({ "texts": [{ "match": "regex", "text": "price of (\\w+)" }], "events": [{ "event": "click" }] }),
            json!({ "type": "text", "text": "{1}: 10" }),
        );
        let world = world_with(&[price], &[]).await;
        for (body, answers, reply) in [
            (json!({ "text": "the price of tea" }), "rule", json!({ "type": "text", "text": "tea: 10" })),
            (json!({ "text": "/help" }), "command", Value::Null),
            (json!({ "text": "tea" }), "model", Value::Null),
            (json!({ "type": "location" }), "default", Value::Null),
            (json!({ "event": "subscribe" }), "default", Value::Null),
            (json!({ "event": "scan", "key": "1" }), "nothing", Value::Null),
            (json!({ "event": "click", "key": "help" }), "command", Value::Null),
            (
                json!({ "type": "image", "media_id": "m", "rule": rule(json!({ "types": ["image"] }), json!({ "type": "echo" })) }),
                "rule",
                json!({ "type": "image", "media_id": "m" }),
            ),
        ] {
            let (status, tried) = world.admin("POST", "/admin/rules/test", Some(&body)).await;
            assert_eq!(
                (status, &tried["answers"], &tried["reply"]),
                (200, &json!(answers), &reply),
                "{body}"
            );
        }
        for (body, pointer) in [
            (json!({}), "/text"),
            (json!({ "type": "smell" }), "/type"),
            (json!({ "event": "VIEW" }), "/event"),
            (json!({ "text": "x", "at": "now" }), "/at"),
            (json!({ "text": "x", "rule": {} }), "/rule/when"),
        ] {
            let (status, problem) = world.admin("POST", "/admin/rules/test", Some(&body)).await;
            assert_eq!(status, 422, "{body}");
            let errors = problem["errors"].as_array().unwrap();
            assert!(errors.iter().any(|error| error["pointer"] == pointer), "{problem}");
        }
        assert!(world.disk(USER).document().is_none());
    });
}

#[test]
fn the_consoles_replies_are_taken_over_once() {
    run(async {
        let world = World::new(&settings());
        world.wechat(|request| {
            Ok(Answer::json(if request.url.contains("stable_token") {
                r#"{"access_token":"t","expires_in":7200}"#
            } else {
                assert!(request.url.contains("/cgi-bin/get_current_autoreply_info?access_token=t"));
                r#"{"is_add_friend_reply_open":1,"is_autoreply_open":1,
                    "add_friend_autoreply_info":{"type":"text","content":"Ahoy"},
                    "keyword_autoreply_info":{"list":[
                      {"rule_name":"a","keyword_list_info":[{"type":"text","match_mode":"contain","content":"tea"}],
                       "reply_list_info":[{"type":"text","content":"10 yuan"}]},
                      {"rule_name":"a","keyword_list_info":[{"type":"text","match_mode":"equal","content":"c"}],
                       "reply_list_info":[{"type":"video","content":"http://v"}]}]}}"#
            }))
        });
        let (status, first) = world.admin("POST", "/admin/rules/import", None).await;
        assert_eq!((status, &first["welcome"]), (200, &json!(true)), "{first}");
        assert_eq!(first["imported"].as_array().unwrap().len(), 1);
        assert_eq!(first["skipped"].as_array().unwrap().len(), 2, "{first}");
        see(&world, "green tea?", 1, "10 yuan").await;
        assert_eq!(world.admin("GET", "/admin/welcome", None).await.1["reply"]["text"], "Ahoy");
        let (_, second) = world.admin("POST", "/admin/rules/import", None).await;
        assert_eq!((&second["imported"], &second["welcome"]), (&first["imported"], &json!(false)));
        assert_eq!(world.admin("GET", "/admin/rules", None).await.1["items"].as_array().unwrap().len(), 1);

        world.wechat(|_| Ok(Answer::json(r#"{"errcode":48001,"errmsg":"api unauthorized rid: r"}"#)));
        let (status, problem) = world.admin("POST", "/admin/rules/import", None).await;
        assert_eq!((status, &problem["errcode"]), (422, &json!(48001)));
    });
}
