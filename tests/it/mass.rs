//! Messages to many: from a draft to the count of those who got it, once.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::platform::Platform;

use crate::passing::calls;
use crate::world::admin::settings;
use crate::world::{ACCOUNT, Answer, World, run};

const OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;
const TAKEN: &str = r#"{"errcode":0,"errmsg":"send job submission success","msg_id":3147483654}"#;

/// What WeChat answers to `mass/sendall` and `mass/send`, in this order; then [`TAKEN`]. `Err`: nothing.
type Script = Rc<RefCell<Vec<Result<String, String>>>>;

/// A world with WeChat's API for messages to many: tag 101 has 7 people, 20 follow.
pub fn world(more: &[(&'static str, &'static str)]) -> (World, Script) {
    let mut all = settings();
    all.extend_from_slice(more);
    let world = World::new(&all);
    let script = Script::default();
    let answers = Rc::clone(&script);
    world.wechat(move |request| {
        let path = request.url.split('?').next().unwrap_or_default();
        let say = |text: &str| Ok(Answer::json(text));
        match path.strip_prefix("https://api.weixin.qq.com").unwrap_or_default() {
            "/cgi-bin/stable_token" => say(r#"{"access_token":"T","expires_in":7200}"#),
            "/cgi-bin/tags/get" => say(r#"{"tags":[{"id":101,"name":"n","count":7}]}"#),
            "/cgi-bin/user/get" => {
                say(r#"{"total":20,"count":1,"data":{"openid":["o-1"]},"next_openid":"o-1"}"#)
            }
            "/cgi-bin/message/mass/get" => say(r#"{"msg_id":3147483654,"msg_status":"SEND_SUCCESS"}"#),
            "/cgi-bin/draft/get" | "/cgi-bin/media/get"
                if String::from_utf8_lossy(&request.body).contains("gone") =>
            {
                say(r#"{"errcode":40007,"errmsg":"invalid media_id"}"#)
            }
            "/cgi-bin/material/get_material" => say(r#"{"errcode":40007,"errmsg":"invalid media_id"}"#),
            "/cgi-bin/message/mass/send" | "/cgi-bin/message/mass/sendall" => {
                let mut answers = answers.borrow_mut();
                let next = if answers.is_empty() { Ok(TAKEN.to_owned()) } else { answers.remove(0) };
                next.map(|text| Answer::json(&text))
            }
            _ => say(OK),
        }
    });
    (world, script)
}

pub async fn post(world: &World, path: &str, body: Value) -> (u16, Value) {
    world.admin("POST", &format!("/admin/mass{path}"), Some(&body)).await
}

pub async fn get(world: &World, id: &str) -> Value {
    world.admin("GET", &format!("/admin/mass/{id}"), None).await.1
}

pub fn text(audience: &Value) -> Value {
    json!({ "message": { "msgtype": "text", "text": { "content": "你好" } }, "audience": audience })
}

/// A confirmed job: its id, and what sends it.
pub async fn confirmed(world: &World, audience: Value) -> (String, Value) {
    let (status, job) = post(world, "", text(&audience)).await;
    assert_eq!(status, 201, "{job}");
    let id = job["id"].as_str().unwrap().to_owned();
    let (status, checked) = post(world, &format!("/{id}/check"), json!({})).await;
    assert_eq!((status, &checked["stage"]), (200, &json!("checked")), "{checked}");
    let (status, asked) = post(world, &format!("/{id}/confirm"), json!({})).await;
    assert_eq!(status, 200, "{asked}");
    (id, json!({ "confirmation": asked["confirmation"] }))
}

/// What `mass/sendall` and `mass/send` were asked.
pub fn sends(world: &World) -> Vec<Value> {
    let sends = calls(world).into_iter().filter(|(_, path, _)| {
        path == "/cgi-bin/message/mass/send" || path == "/cgi-bin/message/mass/sendall"
    });
    sends.map(|(_, _, body)| body).collect()
}

/// `MASSSENDJOBFINISH`.
async fn finish(world: &World, msg_id: u64, status: &str) {
    let document = format!(
        "<xml><ToUserName>{ACCOUNT}</ToUserName><FromUserName>platform</FromUserName><CreateTime>{}</CreateTime>\
         <MsgType>event</MsgType><Event>MASSSENDJOBFINISH</Event><MsgID>{msg_id}</MsgID><Status>{status}</Status>\
         <TotalCount>7</TotalCount><FilterCount>6</FilterCount><SentCount>5</SentCount><ErrorCount>1</ErrorCount></xml>",
        world.now() / 1_000
    );
    assert_eq!(world.deliver_once(&document).await.body, "success");
}

#[test]
fn from_a_draft_to_the_count_of_those_who_got_it() {
    run(async {
        let (world, _) = world(&[]);
        let (status, job) = post(&world, "", text(&json!({ "tag_id": 101 }))).await;
        assert_eq!((status, &job["stage"], &job["version"]), (201, &json!("draft"), &json!(1)));
        let id = job["id"].as_str().unwrap();
        let at = |step: &str| format!("/{id}/{step}");
        assert_eq!(post(&world, &at("confirm"), json!({})).await.0, 409, "not checked");
        assert_eq!(post(&world, &at("preview"), json!({ "touser": "o-1" })).await.0, 409, "not checked");
        let (_, checked) = post(&world, &at("check"), json!({})).await;
        assert_eq!(
            (&checked["stage"], &checked["heads"], &checked["opens"]),
            (&json!("checked"), &json!(7), &json!(null))
        );
        let (_, previewed) = post(&world, &at("preview"), json!({ "towxname": "me" })).await;
        assert_eq!(previewed["stage"], "previewed");
        assert_eq!(post(&world, &at("send"), json!({ "confirmation": "x" })).await.0, 409, "not confirmed");
        let (_, asked) = post(&world, &at("confirm"), json!({})).await;
        assert_eq!(asked["heads"], 7);
        assert_eq!(get(&world, id).await["confirmation"], Value::Null, "told once");
        assert_eq!(post(&world, &at("send"), json!({ "confirmation": "x" })).await.0, 409);
        let code = json!({ "confirmation": asked["confirmation"] });
        let (status, sent) = post(&world, &at("send"), code.clone()).await;
        assert_eq!((status, &sent["stage"]), (200, &json!("submitted")), "{sent}");
        assert_eq!(post(&world, &at("send"), code).await.0, 409, "sent");
        let [send] = sends(&world).try_into().unwrap();
        assert_eq!(
            (&send["filter"], &send["text"]["content"]),
            (&json!({ "is_to_all": false, "tag_id": 101 }), &json!("你好"))
        );
        assert!(send["clientmsgid"].as_str().is_some_and(|id| id.len() <= 32), "{send}");
        finish(&world, 3_147_483_654, "send success").await;
        let done = get(&world, id).await;
        assert_eq!(
            (&done["stage"], &done["parts"][0]["result"]["sent"]),
            (&json!("done"), &json!(5)),
            "{done}"
        );
        assert_eq!(
            world.admin("PUT", &format!("/admin/mass/{id}"), Some(&text(&json!({ "all": true })))).await.0,
            409
        );
        assert_eq!(world.admin("DELETE", &format!("/admin/mass/{id}"), None).await.0, 204);
        assert_eq!(world.admin("GET", &format!("/admin/mass/{id}"), None).await.0, 404);
    });
}

#[test]
fn of_two_who_send_at_once_one_does() {
    run(async {
        let (world, _) = world(&[]);
        let (id, code) = confirmed(&world, json!({ "all": true })).await;
        world.network(300);
        let path = format!("/{id}/send");
        let (one, other) = tokio::join!(post(&world, &path, code.clone()), post(&world, &path, code.clone()));
        let mut statuses = [one.0, other.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{one:?} {other:?}");
        assert_eq!(sends(&world).len(), 1);
    });
}

#[test]
fn a_death_between_storing_and_sending_leaves_a_job_that_can_be_sent_again() {
    run(async {
        let (world, script) = world(&[]);
        let (id, code) = confirmed(&world, json!({ "all": true })).await;
        world.network(10_000);
        let path = format!("/{id}/send");
        let sending =
            tokio::time::timeout(std::time::Duration::from_secs(5), post(&world, &path, code.clone())).await;
        assert!(sending.is_err(), "it died while WeChat was being asked");
        world.crash();
        world.network(0);
        let job = get(&world, &id).await;
        assert_eq!((&job["stage"], &job["parts"][0]["stage"]), (&json!("sending"), &json!("sending")));
        let (status, problem) = post(&world, &path, code.clone()).await;
        assert_eq!((status, &problem["stage"]), (409, &json!("sending")), "it may still be under way");
        world.pass(60_000).await;
        let known = r#"{"errcode":45065,"errmsg":"clientmsgid exist","msg_id":3147483654}"#;
        script.borrow_mut().push(Ok(known.to_owned()));
        let (status, sent) = post(&world, &path, code).await;
        assert_eq!((status, &sent["stage"]), (200, &json!("submitted")), "{sent}");
        assert_eq!(sent["parts"][0]["msg_id"], 3_147_483_654_u64);
        let asked: Vec<_> = sends(&world).iter().map(|send| send["clientmsgid"].clone()).collect();
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0], asked[1], "WeChat must know it again");
    });
}

#[test]
fn an_unknown_outcome_is_told_and_may_be_repeated_for_a_day() {
    for cut in [
        Err("cut".to_owned()),
        Ok(r#"{"errcode":-1,"errmsg":"system error"}"#.to_owned()),
        Ok("<html>".to_owned()),
    ] {
        run(async move {
            let (world, script) = world(&[]);
            let (id, code) = confirmed(&world, json!({ "all": true })).await;
            let path = format!("/{id}/send");
            script.borrow_mut().push(cut.clone());
            let (status, problem) = post(&world, &path, code.clone()).await;
            assert_eq!(
                (status, &problem["type"]),
                (502, &json!("urn:wxapi:problem:unknown-outcome")),
                "{cut:?}"
            );
            assert_eq!(problem["job"]["stage"], "unknown");
            assert_eq!(sends(&world).len(), 1, "never repeated by itself");
            let change =
                world.admin("PUT", &format!("/admin/mass/{id}"), Some(&text(&json!({ "all": true })))).await;
            assert_eq!(change.0, 409, "somebody may have got it");
            let too_soon = r#"{"errcode":45066,"errmsg":"clientmsgid retry too fast"}"#;
            script.borrow_mut().push(Ok(too_soon.to_owned()));
            assert_eq!(post(&world, &path, code.clone()).await.0, 502);
            world.pass(3_600_000).await;
            let (status, sent) = post(&world, &path, code.clone()).await;
            assert_eq!((status, &sent["stage"]), (200, &json!("submitted")), "{sent}");
        });
    }
    run(async {
        let (world, script) = world(&[]);
        let (id, code) = confirmed(&world, json!({ "all": true })).await;
        script.borrow_mut().push(Err("cut".to_owned()));
        assert_eq!(post(&world, &format!("/{id}/send"), code.clone()).await.0, 502);
        world.pass(24 * 3_600_000).await;
        let (status, problem) = post(&world, &format!("/{id}/send"), code).await;
        assert_eq!((status, sends(&world).len()), (409, 1), "WeChat would not know it: {problem}");
    });
}

#[test]
fn what_wechat_refuses_can_be_changed_and_sent() {
    run(async {
        let (world, script) = world(&[]);
        let (id, code) = confirmed(&world, json!({ "all": true })).await;
        script
            .borrow_mut()
            .push(Ok(r#"{"errcode":45028,"errmsg":"has no masssend quota rid: 1"}"#.to_owned()));
        let (status, problem) = post(&world, &format!("/{id}/send"), code.clone()).await;
        assert_eq!(
            (status, &problem["errcode"], &problem["job"]["stage"]),
            (422, &json!(45028), &json!("failed"))
        );
        let (status, _) =
            world.admin("PUT", &format!("/admin/mass/{id}"), Some(&text(&json!({ "tag_id": 101 })))).await;
        assert_eq!(status, 200);
        assert_eq!(
            post(&world, &format!("/{id}/send"), code).await.0,
            409,
            "a confirmation is of one version"
        );
        let (_, other) = confirmed(&world, json!({ "all": true })).await;
        assert!(other["confirmation"].is_string());
        assert_eq!(
            post(&world, &format!("/{id}/check"), json!({})).await.1["opens"],
            Value::Null,
            "it does not count"
        );
    });
}

#[test]
fn an_old_confirmation_confirms_nothing() {
    run(async {
        let (world, _) = world(&[]);
        let (id, code) = confirmed(&world, json!({ "all": true })).await;
        world.pass(600_000).await;
        assert_eq!(post(&world, &format!("/{id}/send"), code).await.0, 409);
        assert_eq!(sends(&world).len(), 0);
    });
}

#[test]
fn the_rail_lets_one_an_hour_and_four_a_day_through() {
    run(async {
        let (world, _) = world(&[]);
        for number in 0..4 {
            let (id, code) = confirmed(&world, json!({ "all": true })).await;
            let (status, answer) = post(&world, &format!("/{id}/send"), code).await;
            assert_eq!(status, 200, "{number}: {answer}");
            let (id, code) = confirmed(&world, json!({ "all": true })).await;
            let (status, problem) = post(&world, &format!("/{id}/send"), code).await;
            assert_eq!((status, &problem["type"]), (429, &json!("urn:wxapi:problem:guarded")), "{number}");
            let opens = problem["opens"].as_u64().unwrap();
            let hours = if number < 3 { 1 } else { 21 };
            assert_eq!(opens, world.now() + hours * 3_600_000, "{number}");
            world.pass(3_600_000).await;
        }
        assert_eq!(sends(&world).len(), 4);
        world.pass(20 * 3_600_000).await;
        let (id, code) = confirmed(&world, json!({ "all": true })).await;
        assert_eq!(post(&world, &format!("/{id}/send"), code).await.0, 200);
    });
}

#[test]
fn a_result_that_comes_before_the_answer_is_not_lost() {
    run(async {
        let (world, script) = world(&[("MASS_PER_HOUR", "9")]);
        let (id, code) = confirmed(&world, json!({ "all": true })).await;
        script.borrow_mut().push(Err("cut".to_owned()));
        assert_eq!(post(&world, &format!("/{id}/send"), code.clone()).await.0, 502);
        finish(&world, 3_147_483_654, "err(20013)").await;
        world.crash();
        let (_, sent) = post(&world, &format!("/{id}/send"), code).await;
        assert_eq!(sent["stage"], "failed", "{sent}");
        assert_eq!(sent["parts"][0]["result"]["reason"], "copyright");
        finish(&world, 1, "send success").await;
    });
}

#[test]
fn without_an_event_wechat_is_asked_and_the_counts_still_come_with_it() {
    run(async {
        let (world, _) = world(&[]);
        let (id, code) = confirmed(&world, json!({ "all": true })).await;
        post(&world, &format!("/{id}/send"), code).await;
        let job = get(&world, &id).await;
        assert_eq!(
            (&job["stage"], &job["parts"][0]["result"]),
            (&json!("done"), &json!({ "success": true, "status": "SEND_SUCCESS" }))
        );
        finish(&world, 3_147_483_654, "sendsuccess").await;
        assert_eq!(get(&world, &id).await["parts"][0]["result"]["total"], 7);
    });
}

#[test]
fn mistakes_are_found_before_wechat_is_asked() {
    run(async {
        let (world, _) = world(&[]);
        let all = json!({ "all": true });
        let message = |message: Value| json!({ "message": message, "audience": all });
        for (body, pointers) in [
            (json!({}), vec!["/message", "/message/msgtype", "/audience"]),
            (message(json!({ "msgtype": "news" })), vec!["/message/msgtype"]),
            (message(json!({ "msgtype": "text", "text": { "content": "" } })), vec!["/message/text/content"]),
            (
                message(json!({ "msgtype": "text", "text": { "content": "长".repeat(683) } })),
                vec!["/message/text/content"],
            ),
            (
                message(json!({ "msgtype": "image", "images": { "media_ids": [] } })),
                vec!["/message/images/media_ids"],
            ),
            (
                message(json!({ "msgtype": "mpnews", "mpnews": {}, "send_ignore_reprint": 2 })),
                vec!["/message/mpnews/media_id", "/message/send_ignore_reprint"],
            ),
            (
                message(json!({ "msgtype": "wxcard", "touser": ["o"] })),
                vec!["/message/wxcard/card_id", "/message/touser"],
            ),
            (text(&json!({ "all": false })), vec!["/audience"]),
            (text(&json!({ "all": true, "tag_id": 1 })), vec!["/audience"]),
            (text(&json!({ "openids": ["o-1"] })), vec!["/audience/openids"]),
            (text(&json!({ "openids": ["o-1", "o-1"] })), vec!["/audience/openids"]),
            (text(&json!({ "filter": { "age": 3 } })), vec!["/audience/filter/age"]),
            (text(&json!({ "filter": { "unknown": "skip" } })), vec!["/audience/filter"]),
            (text(&json!({ "filter": { "gender": 3 } })), vec!["/audience/filter/gender"]),
        ] {
            let (status, problem) = post(&world, "", body.clone()).await;
            let errors = problem["errors"].as_array().cloned().unwrap_or_default();
            let found: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
            assert_eq!((status, found), (422, pointers), "{body}: {problem}");
        }
        assert_eq!(calls(&world).len(), 0);
    });
}

#[test]
fn a_check_finds_media_and_tags_that_are_not_there() {
    run(async {
        let (world, _) = world(&[]);
        let gone = |message: Value| json!({ "message": message, "audience": { "all": true } });
        for (body, pointer) in [
            (
                gone(json!({ "msgtype": "mpnews", "mpnews": { "media_id": "gone" } })),
                "/message/mpnews/media_id",
            ),
            (text(&json!({ "tag_id": 7 })), "/audience/tag_id"),
        ] {
            let (_, job) = post(&world, "", body).await;
            let path = format!("/{}/check", job["id"].as_str().unwrap());
            let (status, problem) = post(&world, &path, json!({})).await;
            assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
        }
    });
}
