//! The directory of followers: copied from WeChat, completed here, and forgotten on demand.

use serde_json::{Value, json};
use wxapi::platform::Platform;

use crate::passing::calls;
use crate::world::admin::settings;
use crate::world::{Answer, USER, World, run};

/// A world with so many followers, of whom `o-0` left.
fn world(followers: usize) -> World {
    let world = World::new(&settings());
    let openids: Vec<String> = (1..=followers).map(|n| format!("o-{n}")).collect();
    world.wechat(move |request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let about = |openid: &str| {
            json!({
                "subscribe": u64::from(openid != "o-0"), "openid": openid, "language": "zh_CN", "subscribe_time": 1_434_093_047,
                "unionid": "", "remark": "", "groupid": 0, "tagid_list": [128, 2], "subscribe_scene": "ADD_SCENE_QR_CODE",
                "qr_scene": 98765, "qr_scene_str": "", "nickname": "not kept", "sex": 1,
            })
        };
        let path = request.url.split('?').next().unwrap_or_default();
        let answer = match path.strip_prefix("https://api.weixin.qq.com").unwrap_or_default() {
            "/cgi-bin/stable_token" => json!({ "access_token": "T", "expires_in": 7200 }),
            "/cgi-bin/user/get" => {
                let after = request.url.split("next_openid=").nth(1);
                let start = after.map_or(0, |after| 1 + openids.iter().position(|openid| openid == after).unwrap());
                let page: Vec<_> = openids.iter().skip(start).take(10_000).collect();
                let mut answer = json!({ "total": openids.len(), "count": page.len(), "next_openid": page.last() });
                if !page.is_empty() {
                    answer["data"] = json!({ "openid": page });
                }
                answer
            }
            "/cgi-bin/user/info/batchget" => {
                let list = body["user_list"].as_array().unwrap();
                assert!((1..=100).contains(&list.len()));
                let about = list.iter().map(|person| about(person["openid"].as_str().unwrap()));
                json!({ "user_info_list": about.collect::<Vec<_>>() })
            }
            "/cgi-bin/user/info" => about(request.url.split("openid=").nth(1).unwrap()),
            _ => json!({ "errcode": 0, "errmsg": "ok" }),
        };
        Ok(Answer::json(&answer.to_string()))
    });
    world
}

async fn sync(world: &World) -> Value {
    let mut body = json!({});
    for _ in 0..9 {
        let before = calls(world).len();
        let (status, answer) = world.admin("POST", "/admin/users/sync", Some(&body)).await;
        assert_eq!(status, 200, "{answer}");
        assert!(calls(world).len() - before <= 39, "bounded");
        if answer["done"] == true {
            return answer;
        }
        body = json!({ "cursor": answer["cursor"] });
    }
    panic!("it never ends");
}

async fn list(world: &World, query: &str) -> Vec<String> {
    let (status, page) = world.admin("GET", &format!("/admin/users?{query}"), None).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().iter().map(|item| item["openid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn followers_are_copied_in_bounded_steps_and_what_is_ours_stays() {
    run(async {
        let world = world(3);
        let last = sync(&world).await;
        assert_eq!(
            (&last["stored"], &last["followers"], &last["cursor"]),
            (&json!(3), &json!(3), &Value::Null)
        );
        let ours = json!({ "gender": 2, "city": "广州", "remark": "a friend" });
        let (status, person) = world.admin("PATCH", "/admin/users/o-2", Some(&ours)).await;
        assert_eq!(status, 200, "{person}");
        assert_eq!(calls(&world).last().unwrap().2, json!({ "openid": "o-2", "remark": "a friend" }));
        world.pass(3_600_000).await;
        sync(&world).await;
        let (_, person) = world.admin("GET", "/admin/users/o-2", None).await;
        let expected = json!({
            "openid": "o-2", "language": "zh_CN", "subscribe_time": 1_434_093_047, "tags": [128, 2],
            "scene": "ADD_SCENE_QR_CODE", "gender": 2, "city": "广州", "stored": world.now(),
        });
        assert_eq!(person["stored"], expected, "WeChat has no remark here, so ours went with the copy");
        assert_eq!(person["wechat"]["qr_scene"], 98765);
        let (_, person) = world.admin("PATCH", "/admin/users/o-2", Some(&json!({ "city": null }))).await;
        assert_eq!((&person["city"], &person["gender"]), (&Value::Null, &json!(2)));
    });
}

#[test]
fn many_followers_take_several_steps() {
    run(async {
        let world = world(10_150);
        sync(&world).await;
        assert_eq!(list(&world, "limit=1").await, ["o-10150"]);
        let batches = calls(&world).iter().filter(|(_, path, _)| path.ends_with("batchget")).count();
        assert_eq!(batches, 102, "38 and 38 and 26");
    });
}

#[test]
fn who_left_without_a_word_goes_with_the_next_copy() {
    run(async {
        let world = world(2);
        let left = vec![("o-9".to_owned(), json!({ "language": "en" }))];
        let call = wxapi::gateway::record::Call::PutAll {
            kind: wxapi::gateway::record::Kind::Person,
            documents: left,
        };
        wxapi::handlers::records::ask(&world, world.app(), call).await.unwrap();
        world.pass(3_600_000).await;
        sync(&world).await;
        assert_eq!(list(&world, "").await, ["o-2", "o-1"]);
    });
}

#[test]
fn people_are_found_by_what_is_known_and_by_what_is_not() {
    run(async {
        let world = world(3);
        sync(&world).await;
        for (openid, change) in
            [("o-1", json!({ "gender": 1 })), ("o-3", json!({ "gender": 2, "country": "中国" }))]
        {
            assert_eq!(world.admin("PATCH", &format!("/admin/users/{openid}"), Some(&change)).await.0, 200);
        }
        assert_eq!(list(&world, "gender=2").await, ["o-3"]);
        assert_eq!(list(&world, "gender=unknown").await, ["o-2"]);
        assert_eq!(list(&world, "tag=128&language=zh_CN").await.len(), 3);
        assert_eq!(list(&world, "country=%E4%B8%AD%E5%9B%BD").await, ["o-3"]);
        let (_, page) = world.admin("GET", "/admin/users?limit=2", None).await;
        assert_eq!(list(&world, &format!("after={}", page["next"].as_str().unwrap())).await, ["o-1"]);
        for wrong in ["limit=0", "limit=201", "after=x"] {
            assert_eq!(world.admin("GET", &format!("/admin/users?{wrong}"), None).await.0, 422, "{wrong}");
        }
    });
}

#[test]
fn changes_that_make_no_sense_are_refused() {
    run(async {
        let world = world(1);
        let change = json!({ "gender": 3, "remark": "x".repeat(31), "language": "en" });
        let (status, problem) = world.admin("PATCH", "/admin/users/o-1", Some(&change)).await;
        let errors = problem["errors"].as_array().unwrap();
        let found: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!((status, found), (422, vec!["/remark", "/gender", "/language"]));
        assert_eq!(
            world.admin("PATCH", "/admin/users/o-0", Some(&json!({ "gender": 1 }))).await.0,
            404,
            "left"
        );
        assert_eq!(world.admin("POST", "/admin/users/sync", Some(&json!({ "cursor": "x" }))).await.0, 422);
        assert_eq!(world.admin("DELETE", "/admin/users/o-1", None).await.0, 405);
        assert_eq!(list(&world, "").await, [] as [&str; 0]);
    });
}

#[test]
fn who_asks_for_it_or_leaves_is_forgotten() {
    for leave in [
        "<MsgType>text</MsgType><Content>/forget</Content>",
        "<MsgType>event</MsgType><Event>unsubscribe</Event>",
    ] {
        run(async move {
            let world = world(1);
            for openid in [USER, "o-1"] {
                assert_eq!(
                    world
                        .admin("PATCH", &format!("/admin/users/{openid}"), Some(&json!({ "gender": 1 })))
                        .await
                        .0,
                    200
                );
            }
            world.say(USER, "a question").await;
            assert_eq!(list(&world, "").await, ["o-1", USER]);
            assert_eq!(world.deliver(&world.message(USER, leave)).await.deliveries, 1);
            assert_eq!(list(&world, "").await, ["o-1"], "{leave}");
            let log: String = world.log().iter().map(wxapi::log::Line::to_json).collect();
            assert!(!log.contains(USER) && !log.contains("o-1"), "{log}");
        });
    }
}

#[test]
fn whoever_wants_to_be_forgotten_is_answered_even_if_the_directory_is_out_of_reach() {
    run(async {
        let world = world(1);
        world.say(USER, "a question").await;
        world.account_falls_silent(true);
        let seen = world.say(USER, "/forget").await;
        assert!(seen.text.as_ref().is_some_and(|text| !text.is_empty()), "{seen:?} {:?}", world.log());
        assert!(world.log().iter().any(|line| line.event == "person.not_forgotten"));
        let leave = world.message(USER, "<MsgType>event</MsgType><Event>unsubscribe</Event>");
        assert_eq!(world.deliver_once(&leave).await.status, 503, "WeChat shall deliver it again");
    });
}
