//! What the management API passes on to WeChat nearly as it comes.

use serde_json::{Value, json};
use wxapi::handlers::admin::passing::{PASSES, Pass};

use crate::world::admin::{admin_request, settings};
use crate::world::{Answer, World, run};

/// A world whose WeChat answers every call but that for a token like this.
pub fn world(answer: &str) -> World {
    let world = World::new(&settings());
    let answer = answer.to_owned();
    world.wechat(move |request| {
        let token = request.url.contains("/cgi-bin/stable_token");
        Ok(Answer::json(if token { r#"{"access_token":"T","expires_in":7200}"# } else { &answer }))
    });
    world
}

/// The calls that were not for a token: method, address behind the host without the token, body.
pub fn calls(world: &World) -> Vec<(&'static str, String, Value)> {
    let all = world.api_calls();
    let calls = all.iter().filter(|call| !call.url.contains("stable_token"));
    let short = |url: &str| {
        let url = url.strip_prefix("https://api.weixin.qq.com").unwrap_or(url).replace("access_token=T", "");
        url.replace("?&", "?").trim_end_matches('?').to_owned()
    };
    calls
        .map(|call| {
            let body = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
            (call.method, short(&call.url), body)
        })
        .collect()
}

/// Each route, and what WeChat is asked for it.
const ROWS: &str = r##"
POST messages/send {"touser":"o-1","msgtype":"text","text":{"content":"你好"}} = POST /cgi-bin/message/custom/send {"touser":"o-1","msgtype":"text","text":{"content":"你好"}}
POST messages/typing {"touser":"o-1","command":"Typing"} = POST /cgi-bin/message/custom/typing {"touser":"o-1","command":"Typing"}
GET templates = GET /cgi-bin/template/get_all_private_template
POST templates {"template_id_short":"TM1"} = POST /cgi-bin/template/api_add_template {"template_id_short":"TM1"}
DELETE templates/a-b = POST /cgi-bin/template/del_private_template {"template_id":"a-b"}
GET templates/industry = GET /cgi-bin/template/get_industry
PUT templates/industry {"industry_id1":"1","industry_id2":"4"} = POST /cgi-bin/template/api_set_industry {"industry_id1":"1","industry_id2":"4"}
POST templates/send {"touser":"o-1","template_id":"t","data":{"a":{"value":"b"}},"client_msg_id":"m"} = POST /cgi-bin/message/template/send {"touser":"o-1","template_id":"t","data":{"a":{"value":"b"}},"client_msg_id":"m"}
POST templates/send-once {"touser":"o-1","template_id":"t","scene":"7","title":"t","data":{"content":{"value":"v","color":"#f00"}}} = POST /cgi-bin/message/template/subscribe {"touser":"o-1","template_id":"t","scene":"7","title":"t","data":{"content":{"value":"v","color":"#f00"}}}
POST subscribe/send {"touser":"o-1","template_id":"t","page":"p","data":{"thing1":{"value":"b"}}} = POST /cgi-bin/message/subscribe/bizsend {"touser":"o-1","template_id":"t","page":"p","data":{"thing1":{"value":"b"}}}
GET subscribe/templates = GET /wxaapi/newtmpl/gettemplate
POST subscribe/templates {"tid":"401","kidList":[1,2],"sceneDesc":"测试"} = POST /wxaapi/newtmpl/addtemplate {"tid":"401","kidList":[1,2],"sceneDesc":"测试"}
DELETE subscribe/templates/p = POST /wxaapi/newtmpl/deltemplate {"priTmplId":"p"}
GET subscribe/categories = GET /wxaapi/newtmpl/getcategory
GET subscribe/library?ids=2,616 = GET /wxaapi/newtmpl/getpubtemplatetitles?ids=2%2C616&start=0&limit=30
GET subscribe/library/99 = GET /wxaapi/newtmpl/getpubtemplatekeywords?tid=99
POST qrcodes {"action_name":"QR_LIMIT_STR_SCENE","action_info":{"scene":{"scene_str":"s"}}} = POST /cgi-bin/qrcode/create {"action_name":"QR_LIMIT_STR_SCENE","action_info":{"scene":{"scene_str":"s"}}}
POST shortkeys {"long_data":"x"} = POST /cgi-bin/shorten/gen {"long_data":"x"}
GET shortkeys/k = POST /cgi-bin/shorten/fetch {"short_key":"k"}
GET tags = GET /cgi-bin/tags/get
POST tags {"name":"广东"} = POST /cgi-bin/tags/create {"tag":{"name":"广东"}}
PUT tags/101 {"name":"n"} = POST /cgi-bin/tags/update {"tag":{"id":101,"name":"n"}}
DELETE tags/101 = POST /cgi-bin/tags/delete {"tag":{"id":101}}
GET tags/101/members?next_openid=o-9 = POST /cgi-bin/user/tag/get {"tagid":101,"next_openid":"o-9"}
POST tags/101/members {"openid_list":["o-1","o-2"]} = POST /cgi-bin/tags/members/batchtagging {"openid_list":["o-1","o-2"],"tagid":101}
POST tags/101/members/remove {"openid_list":["o-1"]} = POST /cgi-bin/tags/members/batchuntagging {"openid_list":["o-1"],"tagid":101}
GET users/o-1/tags = POST /cgi-bin/tags/getidlist {"openid":"o-1"}
GET blacklist = POST /cgi-bin/tags/members/getblacklist {}
POST blacklist {"openid_list":["o-1"]} = POST /cgi-bin/tags/members/batchblacklist {"openid_list":["o-1"]}
POST blacklist/remove {"openid_list":["o-1"]} = POST /cgi-bin/tags/members/batchunblacklist {"openid_list":["o-1"]}
GET agents = GET /cgi-bin/customservice/getkflist
GET agents/online = GET /cgi-bin/customservice/getonlinekflist
POST agents {"kf_account":"a@gh","nickname":"n"} = POST /customservice/kfaccount/add {"kf_account":"a@gh","nickname":"n"}
PUT agents/a%40gh {"nickname":"n"} = POST /customservice/kfaccount/update {"kf_account":"a@gh","nickname":"n"}
DELETE agents/a%40gh = GET /customservice/kfaccount/del?kf_account=a%40gh
POST agents/a@gh/invite {"invite_wx":"w"} = POST /customservice/kfaccount/inviteworker {"invite_wx":"w","kf_account":"a@gh"}
GET agents/sessions/waiting = GET /customservice/kfsession/getwaitcase
GET agents/a@gh/sessions = GET /customservice/kfsession/getsessionlist?kf_account=a%40gh
POST agents/a@gh/sessions {"openid":"o-1"} = POST /customservice/kfsession/create {"kf_account":"a@gh","openid":"o-1"}
DELETE agents/a@gh/sessions/o-1 = POST /customservice/kfsession/close {"kf_account":"a@gh","openid":"o-1"}
GET users/o-1/session = GET /customservice/kfsession/getsession?openid=o-1
GET agents/records?starttime=5&endtime=9&number=20 = POST /customservice/msgrecord/getmsglist {"starttime":5,"endtime":9,"msgid":1,"number":20}
GET quota?cgi_path=/cgi-bin/menu/get = POST /cgi-bin/openapi/quota/get {"cgi_path":"/cgi-bin/menu/get"}
POST quota/clear {"cgi_path":"/x"} = POST /cgi-bin/openapi/quota/clear {"cgi_path":"/x"}
POST quota/clear-all = POST /cgi-bin/clear_quota {"appid":"wx0123456789abcdef"}
GET requests/6-7 = POST /cgi-bin/openapi/rid/get {"rid":"6-7"}
GET addresses/callback = GET /cgi-bin/getcallbackip
GET addresses/api = GET /cgi-bin/get_api_domain_ip
"##;

/// `POST path {…}`, body included.
fn call_of(text: &str) -> (&str, &str, Value) {
    let mut parts = text.splitn(3, ' ');
    let (method, path) = (parts.next().unwrap(), parts.next().unwrap());
    (method, path, parts.next().map_or(Value::Null, |body| serde_json::from_str(body).unwrap()))
}

#[test]
fn every_route_asks_wechat_what_it_stands_for() {
    run(async {
        let rows: Vec<_> = ROWS.trim().lines().collect();
        let articles = ["material", "drafts", "publications"];
        let others = |pass: &&Pass| !articles.iter().any(|family| pass.pattern.starts_with(family));
        assert_eq!(rows.len(), PASSES.iter().filter(others).count(), "a row for each");
        for row in rows {
            let (ours, theirs) = row.split_once(" = ").unwrap();
            let ((method, route, body), (their_method, path, asked)) = (call_of(ours), call_of(theirs));
            let world = world(r#"{"errcode":0,"errmsg":"ok","found":[{"a":18446744073709551615}]}"#);
            let given = (!body.is_null()).then_some(&body);
            let (status, answer) = world.admin(method, &format!("/admin/{route}"), given).await;
            let told = match status {
                204 => Value::Null,
                200 | 201 => json!({ "found": [{ "a": u64::MAX }] }),
                other => panic!("{route}: {other} {answer}"),
            };
            assert_eq!(answer, told, "{route}");
            assert_eq!(calls(&world), [(their_method, path.to_owned(), asked)], "{route}");
        }
    });
}

#[test]
fn characters_go_out_as_themselves() {
    run(async {
        let world = world(r#"{"errcode":0}"#);
        let body = r#"{"name":"\u5e7f\u4e1c \ud83d\ude00"}"#;
        assert_eq!(world.send(admin_request("POST", "/admin/tags", body.as_bytes())).await.status, 201);
        let sent = world.api_calls().pop().unwrap().body;
        assert_eq!(String::from_utf8(sent).unwrap(), r#"{"tag":{"name":"广东 😀"}}"#);
    });
}

/// Each of these requests is refused for these members, and WeChat is not asked.
fn refuse(rows: &[(&str, &str, Value, &[&str])]) {
    run(async {
        let world = world("{}");
        for (method, route, body, pointers) in rows {
            let given = (!body.is_null()).then_some(body);
            let (status, problem) = world.admin(method, &format!("/admin/{route}"), given).await;
            assert_eq!((status, &problem["type"]), (422, &json!("urn:wxapi:problem:invalid")), "{route}");
            let errors = problem["errors"].as_array().unwrap();
            let found: Vec<_> = errors
                .iter()
                .map(|error| error.get("pointer").unwrap_or(&error["parameter"]).as_str().unwrap())
                .collect();
            assert_eq!(found, *pointers, "{route}: {problem}");
            assert!(errors.iter().all(|error| error["detail"].as_str().unwrap().len() > 5), "{problem}");
        }
        assert_eq!(calls(&world), []);
    });
}

#[test]
fn obvious_mistakes_are_found_all_at_once_before_wechat_is_asked() {
    let many: Vec<_> = (0..51).map(|n| n.to_string()).collect();
    let long =
        json!({ "touser": "o", "template_id": "t", "data": { "a": 1 }, "client_msg_id": "x".repeat(33) });
    refuse(&[
        (
            "POST",
            "templates/send",
            json!({ "touser": "", "data": {} }),
            &["/touser", "/template_id", "/data"],
        ),
        ("POST", "templates/send", long, &["/client_msg_id"]),
        ("POST", "tags", json!({ "name": "长".repeat(31) }), &["/name"]),
        ("PUT", "tags/x", json!({ "name": "n" }), &["id"]),
        ("POST", "tags/101/members", json!({ "openid_list": many }), &["/openid_list"]),
        ("POST", "blacklist", json!({ "openid_list": [""] }), &["/openid_list"]),
        ("POST", "subscribe/templates", json!({ "tid": "1", "kidList": [1] }), &["/kidList"]),
        ("GET", "agents/records?starttime=5", Value::Null, &["endtime"]),
        ("GET", "quota?cgi_path=a&cgi_path=b", Value::Null, &["cgi_path"]),
    ]);
}

#[test]
fn scenes_are_as_long_as_their_codes_allow() {
    let code = |name: &str, scene: Value| json!({ "action_name": name, "action_info": { "scene": scene } });
    let mut long = code("QR_STR_SCENE", json!({ "scene_str": "x".repeat(65) }));
    long["expire_seconds"] = json!(2_592_001);
    refuse(&[
        ("POST", "qrcodes", long, &["/expire_seconds", "/action_info/scene/scene_str"]),
        ("POST", "qrcodes", code("QR_SCENE", json!({ "scene_id": 0 })), &["/action_info/scene/scene_id"]),
        (
            "POST",
            "qrcodes",
            code("QR_LIMIT_SCENE", json!({ "scene_id": 100_001 })),
            &["/action_info/scene/scene_id"],
        ),
        (
            "POST",
            "qrcodes",
            json!({ "action_name": "QR" }),
            &["/action_name", "/action_info/scene/scene_str"],
        ),
    ]);
}

#[test]
fn a_qr_code_comes_with_the_address_of_its_picture() {
    run(async {
        let world = world(r#"{"ticket":"gQ+/=","expire_seconds":60,"url":"http://weixin.qq.com/q/x"}"#);
        let body = json!({ "action_name": "QR_SCENE", "expire_seconds": 60, "action_info": { "scene": { "scene_id": 4_294_967_295_u32 } } });
        let (status, answer) = world.admin("POST", "/admin/qrcodes", Some(&body)).await;
        assert_eq!(status, 201);
        assert_eq!(answer["image"], "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQ%2B%2F%3D");
        assert_eq!((&answer["ticket"], &answer["expire_seconds"]), (&json!("gQ+/="), &json!(60)));
    });
}

#[test]
fn what_wechat_refuses_is_told_with_its_code() {
    run(async {
        let world = world(r#"{"errcode":43101,"errmsg":"user refuse to accept the msg rid: 1-2-3"}"#);
        let body = json!({ "touser": "o-1", "template_id": "t", "data": { "a": { "value": "b" } } });
        let (status, problem) = world.admin("POST", "/admin/subscribe/send", Some(&body)).await;
        assert_eq!((status, &problem["type"]), (422, &json!("urn:wxapi:problem:wechat")));
        assert_eq!((&problem["errcode"], &problem["rid"]), (&json!(43101), &json!("1-2-3")));
        let log: String = world.log().iter().map(wxapi::log::Line::to_json).collect();
        assert!(!log.contains("o-1"), "{log}");
    });
}

#[test]
fn a_message_with_an_unknown_outcome_is_not_sent_again() {
    run(async {
        let world = World::new(&settings());
        world.wechat(|request| match request.url.contains("stable_token") {
            true => Ok(Answer::json(r#"{"access_token":"T","expires_in":7200}"#)),
            false => Err("the connection was cut".to_owned()),
        });
        let body = json!({ "touser": "o-1", "template_id": "t", "data": { "a": { "value": "b" } } });
        let (status, problem) = world.admin("POST", "/admin/templates/send", Some(&body)).await;
        assert_eq!((status, &problem["type"]), (502, &json!("urn:wxapi:problem:unknown-outcome")));
        world.pass(60_000).await;
        assert_eq!(calls(&world).len(), 1);
    });
}

#[test]
fn what_is_no_route_is_told_apart_from_what_is_another_method() {
    run(async {
        let world = world("{}");
        for (method, route, status) in [
            ("GET", "tags/101/members/remove", 405),
            ("PATCH", "tags", 405),
            ("GET", "tags/101/members/x", 404),
            ("GET", "tag", 404),
        ] {
            let (found, problem) = world.admin(method, &format!("/admin/{route}"), None).await;
            assert_eq!(found, status, "{method} {route}: {problem}");
        }
        let (status, _) = world.admin("POST", "/admin/tags", Some(&json!([]))).await;
        assert_eq!(status, 400);
        assert_eq!(calls(&world), []);
    });
}
