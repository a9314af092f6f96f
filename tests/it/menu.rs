//! The menu: compared, published, taken back, imported.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::platform::Outbound;

use crate::world::{Answer, World, admin, run};

/// A WeChat that has menus.
#[derive(Default)]
struct Menus {
    /// Made by the API.
    api: Option<Value>,
    /// The answer to `get_current_selfmenu_info`, if the console made one.
    console: Option<Value>,
    conditional: Vec<Value>,
    /// The next call of this path goes wrong: WeChat's answer, or none although the call was carried out.
    fault: Option<(&'static str, Option<i64>)>,
}

type Shared = Rc<RefCell<Menus>>;

fn world() -> (World, Shared) {
    let world = World::new(&admin::settings());
    let menus = Shared::default();
    let wechat = Rc::clone(&menus);
    world.wechat(move |call| answer(&mut wechat.borrow_mut(), call));
    (world, menus)
}

fn answer(menus: &mut Menus, call: &Outbound) -> Result<Answer, String> {
    let path = path(call);
    if let Some((_, errcode)) = menus.fault.take_if(|(at, _)| path.ends_with(*at)) {
        match errcode {
            Some(code) => return Ok(refusal(code)),
            None => drop(serve(menus, path, call)),
        }
        return Err("the connection was cut".to_owned());
    }
    Ok(Answer::json(&serve(menus, path, call).to_string()))
}

fn refusal(code: i64) -> Answer {
    Answer::json(&json!({ "errcode": code, "errmsg": "no rid: 6a-1" }).to_string())
}

fn path(call: &Outbound) -> &str {
    call.url.split(['?']).next().unwrap().trim_start_matches("https://api.weixin.qq.com")
}

fn serve(menus: &mut Menus, path: &str, call: &Outbound) -> Value {
    let done = json!({ "errcode": 0, "errmsg": "ok" });
    let body = || serde_json::from_slice::<Value>(&call.body).unwrap();
    match path {
        "/cgi-bin/stable_token" => json!({ "access_token": "T", "expires_in": 7200 }),
        "/cgi-bin/menu/get" => match &menus.api {
            None => json!({ "errcode": 46003, "errmsg": "menu no exist" }),
            Some(menu) => json!({ "menu": menu, "conditionalmenu": menus.conditional }),
        },
        "/cgi-bin/get_current_selfmenu_info" => menus
            .console
            .clone()
            .unwrap_or_else(|| json!({ "is_menu_open": 0, "selfmenu_info": { "button": [] } })),
        "/cgi-bin/menu/create" => {
            menus.api = Some(body());
            done
        }
        "/cgi-bin/menu/delete" => {
            (menus.api, menus.console) = (None, None);
            menus.conditional.clear();
            done
        }
        "/cgi-bin/menu/addconditional" => {
            let mut menu = body();
            menu["menuid"] = json!(400);
            menus.conditional.push(menu);
            json!({ "menuid": "400" })
        }
        "/cgi-bin/menu/delconditional" => {
            assert_eq!(body(), json!({ "menuid": "400" }));
            menus.conditional.clear();
            done
        }
        "/cgi-bin/menu/trymatch" => {
            assert_eq!(body(), json!({ "user_id": "o-1" }));
            json!({ "button": menus.api.as_ref().unwrap()["button"] })
        }
        other => panic!("{other}"),
    }
}

fn click(name: &str, key: &str) -> Value {
    json!({ "type": "click", "name": name, "key": key })
}

fn view(name: &str, url: &str) -> Value {
    json!({ "type": "view", "name": name, "url": url })
}

fn menu(buttons: &[Value]) -> Value {
    json!({ "button": buttons })
}

fn paths(world: &World) -> Vec<String> {
    world.api_calls().iter().map(|call| path(call).trim_start_matches("/cgi-bin/").to_owned()).collect()
}

async fn put(world: &World, menu: &Value) -> (u16, Value) {
    world.admin("PUT", "/admin/menu", Some(menu)).await
}

/// `number state first-button` of each entry, the newest first.
async fn history(world: &World) -> Vec<String> {
    let (status, page) = world.admin("GET", "/admin/menu/history", None).await;
    assert_eq!(status, 200, "{page}");
    let entry = |entry: &Value| {
        let name = entry.pointer("/menu/button/0/name").and_then(Value::as_str).unwrap_or("-");
        format!("{} {} {name}", entry["number"], entry["state"].as_str().unwrap())
    };
    page["items"].as_array().unwrap().iter().map(entry).collect()
}

#[test]
fn a_menu_is_published_as_it_was_written_and_the_one_before_is_kept() {
    run(async {
        let (world, menus) = world();
        menus.borrow_mut().api =
            Some(json!({ "button": [{ "type": "click", "name": "Old", "key": "k", "sub_button": [] }] }));
        let wanted = menu(&[
            click("帮助", "/help"),
            json!({ "name": "更多", "sub_button": [view("网站", "https://example.com/?a=1&b=<2>")] }),
        ]);
        let (status, answer) = put(&world, &wanted).await;
        assert_eq!((status, &answer["history"], &answer["menu"]), (200, &json!(2), &wanted));
        assert_eq!(menus.borrow().api.as_ref(), Some(&wanted));
        let create = world.api_calls().into_iter().find(|call| path(call).ends_with("create")).unwrap();
        let text = String::from_utf8(create.body).unwrap();
        assert!(text.contains("帮助") && text.contains("a=1&b=<2>") && !text.contains("\\u"), "{text}");
        assert_eq!(history(&world).await, ["2 published 帮助", "1 found Old"]);
        let (_, first) = world.admin("GET", "/admin/menu/history/1", None).await;
        assert_eq!((&first["menu"], &first["source"]), (&menu(&[click("Old", "k")]), &json!("api")));

        // What is known already is not written down again.
        assert_eq!(put(&world, &menu(&[click("Third", "k")])).await.0, 200);
        assert_eq!(history(&world).await, ["3 published Third", "2 published 帮助", "1 found Old"]);
        // What somebody else made meanwhile is.
        menus.borrow_mut().api = Some(menu(&[click("Other", "k")]));
        assert_eq!(put(&world, &menu(&[click("Fifth", "k")])).await.0, 200);
        assert_eq!(history(&world).await[..2], ["5 published Fifth", "4 found Other"]);
        let (_, page) = world.admin("GET", "/admin/menu/history?limit=2", None).await;
        let next = page["next"].as_str().unwrap();
        let (_, rest) = world.admin("GET", &format!("/admin/menu/history?after={next}"), None).await;
        assert_eq!((&rest["items"][0]["number"], &rest["next"]), (&json!(3), &Value::Null));
    });
}

#[test]
fn what_wechat_would_refuse_is_not_sent() {
    run(async {
        let (world, _) = world();
        let (status, problem) = put(&world, &menu(&[click("", "k")])).await;
        assert_eq!((status, &problem["type"]), (422, &json!("urn:wxapi:problem:invalid")));
        assert_eq!(problem["errors"][0]["pointer"], "/button/0/name");
        for (method, path) in [("POST", "diff"), ("POST", "conditional")] {
            let (status, _) =
                world.admin(method, &format!("/admin/menu/{path}"), Some(&json!({ "button": [] }))).await;
            assert_eq!(status, 422, "{path}");
        }
        assert!(world.api_calls().is_empty());
        assert!(history(&world).await.is_empty());
    });
}

#[test]
fn a_refusal_leaves_no_trace_in_the_history() {
    run(async {
        let (world, menus) = world();
        assert_eq!(put(&world, &menu(&[click("First", "k")])).await.0, 200);
        menus.borrow_mut().fault = Some(("menu/create", Some(40054)));
        let (status, problem) = put(&world, &menu(&[click("Second", "k")])).await;
        assert_eq!((status, &problem["errcode"], &problem["rid"]), (422, &json!(40054), &json!("6a-1")));
        assert_eq!(history(&world).await, ["1 published First"]);
        // What is live could not even be seen.
        menus.borrow_mut().fault = Some(("menu/get", Some(45009)));
        assert_eq!(put(&world, &menu(&[click("Second", "k")])).await.0, 422);
        assert_eq!(put(&world, &menu(&[click("Second", "k")])).await.0, 200);
        assert_eq!(history(&world).await, ["2 published Second", "1 published First"]);
    });
}

#[test]
fn a_lost_answer_is_told_and_found_out_by_the_next() {
    run(async {
        let (world, menus) = world();
        menus.borrow_mut().fault = Some(("menu/create", None));
        let (status, problem) = put(&world, &menu(&[click("First", "k")])).await;
        assert_eq!((status, &problem["history"]), (502, &json!(1)), "{problem}");
        assert_eq!(history(&world).await, ["1 unknown First"]);
        assert_eq!(put(&world, &menu(&[click("Second", "k")])).await.0, 200);
        assert_eq!(history(&world).await, ["2 published Second", "1 published First"]);

        // This time it had not arrived.
        menus.borrow_mut().fault = Some(("menu/create", None));
        assert_eq!(put(&world, &menu(&[click("Third", "k")])).await.0, 502);
        menus.borrow_mut().api = Some(menu(&[click("Second", "k")]));
        assert_eq!(put(&world, &menu(&[click("Fourth", "k")])).await.0, 200);
        assert_eq!(
            history(&world).await[..3],
            ["4 published Fourth", "3 failed Third", "2 published Second"]
        );
        assert_eq!(
            paths(&world).iter().filter(|path| *path == "menu/create").count(),
            4,
            "none was sent twice"
        );
    });
}

#[test]
fn of_two_publishers_at_once_one_is_told() {
    run(async {
        let (world, menus) = world();
        menus.borrow_mut().api = Some(menu(&[click("Old", "k")]));
        world.network(1_000);
        let (one, two) = (menu(&[click("One", "k")]), menu(&[click("Two", "k")]));
        let (one, two) = tokio::join!(put(&world, &one), put(&world, &two));
        let mut statuses = [one.0, two.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        let live = menus.borrow().api.as_ref().unwrap()["button"][0]["name"].as_str().unwrap().to_owned();
        assert_eq!(history(&world).await, [format!("2 published {live}"), "1 found Old".to_owned()]);

        // Who comes while one is under way is told at once; who comes after a crash waits a minute at most.
        let three = menu(&[click("Three", "k")]);
        let late = async {
            world.pass(1_500).await;
            put(&world, &menu(&[click("Late", "k")])).await.0
        };
        assert_eq!(tokio::join!(put(&world, &three), late).1, 409);
    });
}

#[test]
fn who_was_interrupted_keeps_nobody_for_long() {
    run(async {
        let (world, menus) = world();
        world.network(1_000);
        let first = menu(&[click("First", "k")]);
        // Token, menu/get, selfmenu_info: the claim is written, the menu on its way.
        let cut = tokio::time::timeout(std::time::Duration::from_millis(3_500), put(&world, &first)).await;
        assert!(cut.is_err());
        world.network(0);
        world.crash();
        assert_eq!(history(&world).await, ["1 publishing First"]);
        let second = menu(&[click("Second", "k")]);
        assert_eq!(put(&world, &second).await.0, 409);
        world.pass(60_000).await;
        assert_eq!(put(&world, &second).await.0, 200);
        let first = if menus.borrow().api.as_ref() == Some(&second) { "1 failed First" } else { "?" };
        assert_eq!(history(&world).await, ["2 published Second", first]);
    });
}

#[test]
fn a_menu_comes_back_from_the_history_also_after_it_was_deleted() {
    run(async {
        let (world, menus) = world();
        let first = menu(&[click("First", "/help")]);
        assert_eq!(put(&world, &first).await.0, 200);
        assert_eq!(put(&world, &menu(&[click("Second", "k")])).await.0, 200);
        let (status, answer) = world.admin("POST", "/admin/menu/history/1/rollback", None).await;
        assert_eq!((status, &answer["history"], &answer["menu"]), (200, &json!(3), &first));
        assert_eq!(menus.borrow().api.as_ref(), Some(&first));
        let (_, third) = world.admin("GET", "/admin/menu/history/3", None).await;
        assert_eq!(third["rollback_of"], 1);

        assert_eq!(world.admin("DELETE", "/admin/menu", None).await.0, 204);
        let (_, shown) = world.admin("GET", "/admin/menu", None).await;
        assert_eq!((&shown["source"], &shown["menu"]), (&json!("none"), &Value::Null));
        assert_eq!(history(&world).await[..2], ["4 deleted -", "3 published First"]);
        assert_eq!(world.admin("POST", "/admin/menu/history/4/rollback", None).await.0, 409);
        assert_eq!(world.admin("POST", "/admin/menu/history/5/rollback", None).await.0, 404);
        assert_eq!(world.admin("POST", "/admin/menu/history/2/rollback", None).await.0, 200);
        assert_eq!(history(&world).await[..2], ["5 published Second", "4 deleted -"]);
    });
}

#[test]
fn conditional_menus_are_listed_added_deleted_and_tried() {
    run(async {
        let (world, menus) = world();
        menus.borrow_mut().api = Some(menu(&[click("All", "k")]));
        let some = json!({ "button": [click("Some", "k")], "matchrule": { "tag_id": "100" } });
        let (status, answer) = world.admin("POST", "/admin/menu/conditional", Some(&some)).await;
        assert_eq!((status, answer), (201, json!({ "menuid": "400" })));
        let (_, page) = world.admin("GET", "/admin/menu/conditional", None).await;
        let mut listed = some.clone();
        listed["menuid"] = json!("400");
        assert_eq!(page, json!({ "items": [listed], "next": null }));
        let match_one = json!({ "user_id": "o-1" });
        let (_, matched) = world.admin("POST", "/admin/menu/conditional/match", Some(&match_one)).await;
        assert_eq!(matched, json!({ "menu": menu(&[click("All", "k")]) }));
        let (status, problem) = world.admin("POST", "/admin/menu/conditional/match", Some(&json!({}))).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/user_id")));
        assert_eq!(world.admin("DELETE", "/admin/menu/conditional/x", None).await.0, 404);
        assert_eq!(world.admin("DELETE", "/admin/menu/conditional/400", None).await.0, 204);
        // Deleting the menu deletes them too, so the history keeps them.
        world.admin("POST", "/admin/menu/conditional", Some(&some)).await;
        assert_eq!(world.admin("DELETE", "/admin/menu", None).await.0, 204);
        let (_, first) = world.admin("GET", "/admin/menu/history/1", None).await;
        assert_eq!(first["conditional"][0]["matchrule"], json!({ "tag_id": "100" }));
    });
}

#[test]
fn routes_say_what_they_answer() {
    run(async {
        let (world, _) = world();
        for (method, path, status) in [
            ("POST", "", 405),
            ("GET", "/validate", 405),
            ("DELETE", "/history/1", 405),
            ("GET", "/conditional/400", 405),
            ("GET", "/nowhere", 404),
            ("GET", "/history/1/2/3", 404),
            ("GET", "/history/one", 404),
        ] {
            let (found, problem) = world.admin(method, &format!("/admin/menu{path}"), None).await;
            assert_eq!(found, status, "{method} {path}: {problem}");
        }
        let response = world.send(admin::admin_request("PATCH", "/admin/menu", b"")).await;
        assert!(response.headers.contains(&("allow", "GET, PUT, DELETE, HEAD".to_owned())));
        for query in ["limit=0", "limit=201", "after=x", "limit=1&limit=2"] {
            let (status, _) = world.admin("GET", &format!("/admin/menu/history?{query}"), None).await;
            assert_eq!(status, 422, "{query}");
        }
    });
}
