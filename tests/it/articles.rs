//! Lists of material, drafts and publications: what WeChat is asked for each route.

use serde_json::{Value, json};

use crate::world::{Answer, World, admin, run};

fn world(answer: Value) -> World {
    let world = World::new(&admin::settings());
    world.wechat(move |call| {
        Ok(Answer::json(&if call.url.contains("stable_token") {
            json!({ "access_token": "T", "expires_in": 7200 }).to_string()
        } else {
            answer.to_string()
        }))
    });
    world
}

/// Each line: what we are asked, our body; what WeChat is asked, its body; its answer; our answer.
#[track_caller]
fn check(cases: &str) {
    run(async {
        for case in cases.lines().map(str::trim).filter(|case| !case.is_empty()) {
            let [ours, body, theirs, asked, answer, status, expected] =
                case.split(" | ").collect::<Vec<_>>().try_into().unwrap();
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            let world = world(read(answer));
            let (method, path) = ours.split_once(' ').unwrap();
            let body = Some(read(body)).filter(|body| !body.is_null());
            let (found, given) = world.admin(method, &format!("/admin/{path}"), body.as_ref()).await;
            assert_eq!((found.to_string().as_str(), given), (status, read(expected)), "{case}");
            let sent = world.api_calls().pop().unwrap();
            let url = sent.url.replace("https://api.weixin.qq.com/cgi-bin/", "");
            assert_eq!(format!("{} {url}", sent.method), format!("{theirs}?access_token=T"), "{case}");
            assert_eq!(
                serde_json::from_slice::<Value>(&sent.body).unwrap_or_default(),
                read(asked),
                "{case}"
            );
        }
    });
}

#[test]
fn lists_are_pages_with_an_offset() {
    check(
        r#"
        GET material?type=image&limit=2 | null | POST material/batchget_material | {"type":"image","offset":0,"count":2} | {"total_count":3,"item_count":2,"item":[1,2]} | 200 | {"items":[1,2],"total":3,"offset":0,"next":"2"}
        GET material?type=news&offset=2 | null | POST material/batchget_material | {"type":"news","offset":2,"count":20} | {"total_count":3,"item_count":1,"item":[3]} | 200 | {"items":[3],"total":3,"offset":2,"next":null}
        GET drafts?limit=2 | null | POST draft/batchget | {"offset":0,"count":2,"no_content":1} | {"total_count":3,"item_count":2,"item":[1,2]} | 200 | {"items":[1,2],"total":3,"offset":0,"next":"2"}
        GET publications | null | POST freepublish/batchget | {"offset":0,"count":20,"no_content":1} | {"total_count":0,"item_count":0,"item":[]} | 200 | {"items":[],"total":0,"offset":0,"next":null}
        "#,
    );
}

#[test]
fn each_route_stands_for_one_call() {
    check(
        r#"
        GET material/count | null | GET material/get_materialcount | null | {"image_count":1} | 200 | {"image_count":1}
        DELETE material/M-1 | null | POST material/del_material | {"media_id":"M-1"} | {"errcode":0} | 204 | null
        POST drafts | {"articles":[{"title":"标题","content":"<p>正文</p>"}]} | POST draft/add | {"articles":[{"title":"标题","content":"<p>正文</p>"}]} | {"media_id":"D","item":[]} | 201 | {"media_id":"D","item":[]}
        GET drafts/count | null | GET draft/count | null | {"total_count":7} | 200 | {"total_count":7}
        GET drafts/D | null | POST draft/get | {"media_id":"D"} | {"news_item":[]} | 200 | {"news_item":[]}
        PUT drafts/D | {"index":0,"articles":{"title":"t"},"media_id":"other"} | POST draft/update | {"media_id":"D","index":0,"articles":{"title":"t"}} | {"errcode":0} | 204 | null
        DELETE drafts/D | null | POST draft/delete | {"media_id":"D"} | {"errcode":0,"errmsg":"ok"} | 204 | null
        POST drafts/D/publish | null | POST freepublish/submit | {"media_id":"D"} | {"errcode":0,"errmsg":"ok","publish_id":"224"} | 202 | {"publish_id":"224"}
        GET publications/224 | null | POST freepublish/get | {"publish_id":"224"} | {"publish_status":1} | 200 | {"publish_status":1}
        GET publications/A/articles | null | POST freepublish/getarticle | {"article_id":"A"} | {"news_item":[]} | 200 | {"news_item":[]}
        DELETE publications/A?index=2 | null | POST freepublish/delete | {"article_id":"A","index":2} | {"errcode":0} | 204 | null
        DELETE publications/A | null | POST freepublish/delete | {"article_id":"A"} | {"errcode":0} | 204 | null
        "#,
    );
}

#[test]
fn what_makes_no_sense_is_not_asked() {
    run(async {
        let world = world(Value::Null);
        for (method, path, status) in [
            ("GET", "/admin/material", 422),
            ("GET", "/admin/material?type=thumb", 422),
            ("GET", "/admin/material?type=image&limit=21", 422),
            ("GET", "/admin/drafts?offset=-1", 422),
            ("GET", "/admin/drafts?offset=1&offset=2", 422),
            ("DELETE", "/admin/publications/A?index=x", 422),
            ("POST", "/admin/drafts", 422),
            ("PUT", "/admin/drafts/D", 422),
            ("GET", "/admin/drafts/D/publish", 405),
            ("PATCH", "/admin/material", 405),
            ("GET", "/admin/articles", 404),
            ("GET", "/admin/articles/images", 405),
            ("PUT", "/admin/media", 405),
            ("DELETE", "/admin/media/M", 405),
        ] {
            let (found, problem) = world.admin(method, path, None).await;
            assert_eq!(found, status, "{method} {path}: {problem}");
        }
        let response = world.send(admin::admin_request("PATCH", "/admin/material/M", b"")).await;
        let allow = response.headers.iter().find(|(name, _)| *name == "allow").unwrap();
        assert_eq!(allow.1, "GET, DELETE, HEAD");
        assert!(world.api_calls().is_empty());
    });
}

#[test]
fn refusals_come_with_code_and_number() {
    run(async {
        let world = world(json!({ "errcode": 53600, "errmsg": "article_id invalid rid: 6a-3" }));
        let (status, problem) = world.admin("DELETE", "/admin/publications/A", None).await;
        assert_eq!((status, &problem["type"]), (422, &json!("urn:wxapi:problem:wechat")));
        assert_eq!((&problem["errcode"], &problem["rid"]), (&json!(53600), &json!("6a-3")));
    });
}
