//! Files that are passed on, and what is passed on with them.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::platform::{Opaque, Outbound, Request, Response, Upload};

use crate::world::admin::{admin_request, upload, uploaded, whole};
use crate::world::{Answer, DAWN, World, admin, run};

const FORM: &str = "multipart/form-data; boundary=b";

/// A world whose WeChat answers each path once with the next of these answers, and the last one again and again.
fn world(answers: &[(&'static str, Answer)]) -> World {
    let world = World::new(&admin::settings());
    let answers = RefCell::new(answers.to_vec());
    world.wechat(move |call| {
        let path = path(call);
        if path == "/cgi-bin/stable_token" {
            return Ok(Answer::json(r#"{"access_token":"T","expires_in":7200}"#));
        }
        let mut answers = answers.borrow_mut();
        let index = answers.iter().position(|(known, _)| *known == path).unwrap_or_else(|| panic!("{path}"));
        let last = answers.iter().filter(|(known, _)| *known == path).count() == 1;
        Ok(if last { answers[index].1.clone() } else { answers.remove(index).1 })
    });
    world
}

fn json_answer(value: &Value) -> Answer {
    Answer::json(&value.to_string())
}

fn path(call: &Outbound) -> &str {
    call.url.split('?').next().unwrap().trim_start_matches("https://api.weixin.qq.com")
}

fn form(path: &str, bytes: &[u8]) -> Request {
    let mut request = admin_request("POST", path, b"");
    request.headers.retain(|(name, _)| name != "content-type");
    request.headers.push(("content-type".to_owned(), FORM.to_owned()));
    request.upload = Some(upload(bytes));
    request
}

fn parsed(response: &Response) -> Value {
    serde_json::from_str(&response.body).unwrap_or_default()
}

fn calls(world: &World) -> Vec<Outbound> {
    world.api_calls().into_iter().filter(|call| path(call) != "/cgi-bin/stable_token").collect()
}

#[test]
fn an_upload_is_passed_on_and_remembered_until_it_ends() {
    run(async {
        let created = DAWN / 1_000;
        let world = world(&[
            (
                "/cgi-bin/media/upload",
                json_answer(&json!({ "type": "image", "media_id": "M-1", "created_at": created })),
            ),
            (
                "/cgi-bin/media/upload",
                json_answer(&json!({ "type": "thumb", "thumb_media_id": "M_2", "created_at": created })),
            ),
        ]);
        let bytes = b"--b\r\nthe form\r\n--b--\r\n";
        let response = world.send(form("/admin/media?type=image&name=%E5%9B%BE", bytes)).await;
        let expires = DAWN / 1_000 * 1_000 + 3 * 86_400_000;
        let first = json!({
            "media_id": "M-1", "type": "image", "name": "图", "created": created * 1_000, "expires": expires, "expired": false,
        });
        assert_eq!((response.status, parsed(&response)), (201, first.clone()));
        let call = &calls(&world)[0];
        assert_eq!(call.url, "https://api.weixin.qq.com/cgi-bin/media/upload?access_token=T&type=image");
        assert_eq!(call.headers, [("content-type", FORM.to_owned())]);
        assert_eq!(uploaded(call.upload.as_ref().unwrap()), bytes);
        assert_eq!(call.upload.as_ref().unwrap().length, Some(bytes.len() as u64));

        let response = world.send(form("/admin/media?type=thumb", bytes)).await;
        assert_eq!((response.status, &parsed(&response)["media_id"]), (201, &json!("M_2")));
        let (_, page) = world.admin("GET", "/admin/media?limit=1", None).await;
        assert_eq!(page["items"][0]["media_id"], "M_2");
        let rest = format!("/admin/media?after={}", page["next"].as_str().unwrap());
        assert_eq!(world.admin("GET", &rest, None).await.1, json!({ "items": [first], "next": null }));
        world.pass(3 * 86_400_000).await;
        assert_eq!(world.admin("GET", &rest, None).await.1["items"][0]["expired"], true);
    });
}

#[test]
fn what_cannot_fit_is_refused_before_anybody_is_asked() {
    run(async {
        let world = world(&[]);
        let of = |path: &str, length: Option<u64>| {
            let mut request = form(path, b"");
            request.upload = Some(Upload { length, body: Opaque(Rc::new(())) });
            request
        };
        let mb = 1 << 20;
        let mut cases = vec![
            (of("/admin/media?type=film", Some(1)), 422),
            (of("/admin/media", Some(1)), 422),
            (of("/admin/media?type=image&type=voice", Some(1)), 422),
            (of(&format!("/admin/media?type=image&name={}", "x".repeat(129)), Some(1)), 422),
            (of("/admin/media?type=image", None), 411),
            (of("/admin/media?type=image", Some(10 * mb + 8_193)), 413),
            (of("/admin/media?type=voice", Some(2 * mb + 8_193)), 413),
            (of("/admin/media?type=video", Some(10 * mb + 8_193)), 413),
            (of("/admin/media?type=thumb", Some(65_536 + 8_193)), 413),
            (of("/admin/material?type=news", Some(1)), 422),
            (of("/admin/material?type=thumb", Some(65_536 + 8_193)), 413),
            (of("/admin/articles/images", Some(mb + 8_193)), 413),
        ];
        let mut empty = form("/admin/media?type=image", b"");
        empty.upload = None;
        cases.push((empty, 400));
        for content_type in ["application/json", "multipart/form-data", "image/png"] {
            let mut other = form("/admin/media?type=image", b"x");
            other
                .headers
                .iter_mut()
                .filter(|(name, _)| name == "content-type")
                .for_each(|(_, value)| *value = content_type.to_owned());
            cases.push((other, 415));
        }
        for (request, status) in cases {
            let what = format!("{} {}", request.path, request.query);
            assert_eq!(world.send(request).await.status, status, "{what}");
        }
        assert!(world.api_calls().is_empty());
    });
}

#[test]
fn a_form_is_never_sent_twice_and_the_token_is_new_for_the_next() {
    run(async {
        let tokens = Rc::new(RefCell::new(0));
        let world = World::new(&admin::settings());
        let count = Rc::clone(&tokens);
        world.wechat(move |call| {
            if path(call) == "/cgi-bin/stable_token" {
                *count.borrow_mut() += 1;
                return Ok(json_answer(
                    &json!({ "access_token": format!("T{}", count.borrow()), "expires_in": 7200 }),
                ));
            }
            Ok(match call.url.contains("access_token=T1&") {
                true => json_answer(&json!({ "errcode": 40001, "errmsg": "not latest" })),
                false => json_answer(&json!({ "media_id": "M", "created_at": 1 })),
            })
        });
        let response = world.send(form("/admin/media?type=image", b"x")).await;
        assert_eq!(
            (response.status, &parsed(&response)["type"]),
            (503, &json!("urn:wxapi:problem:unavailable"))
        );
        assert!(response.headers.contains(&("retry-after", "1".to_owned())));
        assert_eq!((calls(&world).len(), *tokens.borrow()), (1, 2));
        assert_eq!(world.send(form("/admin/media?type=image", b"x")).await.status, 201);
        assert_eq!(*tokens.borrow(), 2);
    });
}

#[test]
fn refusals_and_lost_answers_are_told() {
    run(async {
        let world = World::new(&admin::settings());
        let state = Rc::new(RefCell::new(Some(json_answer(
            &json!({ "errcode": 45001, "errmsg": "too big rid: 6a-2" }),
        ))));
        let answer = Rc::clone(&state);
        world.wechat(move |call| match path(call) {
            "/cgi-bin/stable_token" => Ok(Answer::json(r#"{"access_token":"T","expires_in":7200}"#)),
            _ => answer.borrow_mut().take().ok_or_else(|| "cut".to_owned()),
        });
        let response = world.send(form("/admin/media?type=image", b"x")).await;
        let problem = parsed(&response);
        assert_eq!(
            (response.status, &problem["errcode"], &problem["rid"]),
            (422, &json!(45001), &json!("6a-2"))
        );
        assert_eq!(world.send(form("/admin/media?type=image", b"x")).await.status, 502);
        assert_eq!(calls(&world).len(), 2);
        *state.borrow_mut() = Some(json_answer(&json!({ "type": "image" })));
        assert_eq!(world.send(form("/admin/media?type=image", b"x")).await.status, 502, "no media_id");
        assert_eq!(world.admin("GET", "/admin/media", None).await.1["items"], json!([]));
    });
}

#[test]
fn a_file_comes_as_it_is_and_a_bad_token_is_repaired() {
    run(async {
        let file: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let picture = Answer { status: 200, content_type: "image/png", body: file.clone() };
        let refused = json_answer(&json!({ "errcode": 42001, "errmsg": "expired" }));
        let world = world(&[
            ("/cgi-bin/media/get", refused),
            ("/cgi-bin/media/get", picture.clone()),
            ("/cgi-bin/media/get", json_answer(&json!({ "video_url": "http://v.example/1" }))),
            ("/cgi-bin/media/get", json_answer(&json!({ "errcode": 40007, "errmsg": "invalid media_id" }))),
            (
                "/cgi-bin/media/get",
                Answer { status: 502, content_type: "text/html", body: b"<html>".to_vec() },
            ),
            ("/cgi-bin/material/get_material", picture),
            ("/cgi-bin/material/get_material", json_answer(&json!({ "news_item": [{ "title": "标题" }] }))),
        ]);
        let get = |path: &str| world.send(admin_request("GET", path, b""));
        let response = get("/admin/media/M-1").await;
        assert_eq!(
            (response.status, response.passage.as_ref().unwrap().content_type.as_str()),
            (200, "image/png")
        );
        assert_eq!(response.passage.as_ref().unwrap().first.len(), 7, "only the beginning was read");
        assert!(whole(response).await == file);
        let response = get("/admin/media/M-1").await;
        assert_eq!((response.status, parsed(&response)), (200, json!({ "video_url": "http://v.example/1" })));
        let response = get("/admin/media/M-1").await;
        assert_eq!((response.status, &parsed(&response)["errcode"]), (422, &json!(40007)));
        assert_eq!(get("/admin/media/M-1").await.status, 502);
        assert_eq!(get("/admin/media/a%2Fb").await.status, 404);
        let response = get("/admin/material/M-1").await;
        assert!(whole(response).await == file);
        let response = get("/admin/material/M-1").await;
        assert_eq!(
            (response.status, parsed(&response)),
            (200, json!({ "news_item": [{ "title": "标题" }] }))
        );
        let call = calls(&world).pop().unwrap();
        assert_eq!((call.method, call.body), ("POST", br#"{"media_id":"M-1"}"#.to_vec()));
    });
}

#[test]
fn material_and_pictures_in_articles_are_uploaded_too() {
    run(async {
        let world = world(&[
            (
                "/cgi-bin/material/add_material",
                json_answer(&json!({ "media_id": "P", "url": "http://u", "errcode": 0 })),
            ),
            ("/cgi-bin/media/uploadimg", json_answer(&json!({ "url": "http://mmbiz.qpic.cn/1" }))),
        ]);
        let response = world.send(form("/admin/material?type=video", b"form")).await;
        assert_eq!(
            (response.status, parsed(&response)),
            (201, json!({ "media_id": "P", "url": "http://u" }))
        );
        let response = world.send(form("/admin/articles/images", b"form")).await;
        assert_eq!((response.status, parsed(&response)), (201, json!({ "url": "http://mmbiz.qpic.cn/1" })));
        let urls: Vec<String> = calls(&world).into_iter().map(|call| call.url).collect();
        assert!(
            urls[0].ends_with("add_material?access_token=T&type=video")
                && urls[1].ends_with("uploadimg?access_token=T")
        );
    });
}
