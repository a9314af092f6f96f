//! What WeChat lets a menu be: every limit, with the place of each fault.

use serde_json::{Value, json};

use crate::world::{World, admin, run};

fn click(name: &str) -> Value {
    json!({ "type": "click", "name": name, "key": "/help" })
}

/// A menu with one button, to which `members` are added, or from which they are taken by null.
fn menu_with(members: &Value) -> Value {
    let mut button = click("Help");
    for (name, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(button.as_object_mut().unwrap().remove(name)),
            value => button[name] = value.clone(),
        }
    }
    json!({ "button": [button] })
}

fn below(child: &Value) -> Value {
    json!({ "button": [click("First"), { "name": "More", "sub_button": [click("One"), child] }] })
}

/// The pointers of all faults, and all that is said about them.
async fn faults(world: &World, menu: &Value) -> (Vec<String>, String) {
    let (status, answer) = world.admin("POST", "/admin/menu/validate", Some(menu)).await;
    assert_eq!(status, 200, "{answer}");
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(answer["valid"], errors.is_empty());
    let pointers = errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect();
    (pointers, errors.iter().map(|error| error["detail"].as_str().unwrap()).collect::<Vec<_>>().join("; "))
}

#[track_caller]
fn check(cases: Vec<(Value, Vec<&str>, &str)>) {
    run(async {
        let world = World::new(&admin::settings());
        for (menu, pointers, word) in cases {
            let (found, details) = faults(&world, &menu).await;
            assert_eq!(found, pointers, "{menu}: {details}");
            assert!(details.contains(word), "{menu}: {details}");
        }
        assert!(world.api_calls().is_empty(), "nobody asked WeChat");
    });
}

#[test]
fn what_fits_exactly_is_fine() {
    let long = |length: usize| "x".repeat(length);
    let url = format!("https://example.com/{}", long(1_024 - 20));
    check(vec![
        (json!({ "button": [click(&long(16)), click("二三四五六"), click("\u{1f600}")] }), vec![], ""),
        (below(&click(&long(60))), vec![], ""),
        (menu_with(&json!({ "key": long(128) })), vec![], ""),
        (menu_with(&json!({ "sub_button": [] })), vec![], ""),
        (menu_with(&json!({ "type": "view", "key": null, "url": url })), vec![], ""),
        (
            json!({ "button": [{ "name": "More", "sub_button": (0..5).map(|_| click("x")).collect::<Vec<_>>() }] }),
            vec![],
            "",
        ),
    ]);
}

#[test]
fn every_type_wants_its_fields_and_no_others() {
    let mut cases = Vec::new();
    let app = json!({
        "type": "miniprogram", "name": "App", "url": "http://example.com", "appid": "wx0123456789abcdef",
        "pagepath": "pages/index?a=b",
    });
    cases.push((json!({ "button": [app] }), vec![], ""));
    for (kind, field) in [
        ("click", "key"),
        ("scancode_push", "key"),
        ("scancode_waitmsg", "key"),
        ("pic_sysphoto", "key"),
        ("pic_photo_or_album", "key"),
        ("pic_weixin", "key"),
        ("location_select", "key"),
        ("media_id", "media_id"),
        ("article_id", "article_id"),
        ("article_view_limited", "article_id"),
    ] {
        cases.push((json!({ "button": [{ "type": kind, "name": "x", field: "y" }] }), vec![], ""));
        let without = json!({ "button": [{ "type": kind, "name": "x", "url": "https://example.com" }] });
        let pointer: &str = Box::leak(format!("/button/0/{field}").into_boxed_str());
        cases.push((without, vec!["/button/0/url", pointer], "no such field"));
    }
    let missing = json!({ "button": [{ "type": "miniprogram", "name": "App" }] });
    cases.push((missing, vec!["/button/0/url", "/button/0/appid", "/button/0/pagepath"], "missing"));
    let mut upper = app.clone();
    upper["appid"] = json!("WX0123456789abcdef");
    cases.push((json!({ "button": [upper] }), vec!["/button/0/appid"], "lower case"));
    check(cases);
}

#[test]
fn each_limit_is_told_with_its_place() {
    let long = |length: usize| "x".repeat(length);
    check(vec![
        (json!({}), vec!["/button"], "list"),
        (json!({ "button": {} }), vec!["/button"], "list"),
        (json!({ "button": [] }), vec!["/button"], "1 to 3"),
        (json!({ "button": [click("1"), click("2"), click("3"), click("4")] }), vec!["/button"], "4 buttons"),
        (json!({ "button": [click("1"), 2] }), vec!["/button/1"], "no object"),
        (
            json!({ "button": [click("1")], "menuid": 1, "a/b~": 0 }),
            vec!["/a~1b~0", "/menuid"],
            "no such field",
        ),
        (menu_with(&json!({ "name": null })), vec!["/button/0/name"], "missing"),
        (menu_with(&json!({ "name": "" })), vec!["/button/0/name"], "empty"),
        (menu_with(&json!({ "name": 1 })), vec!["/button/0/name"], "no text"),
        (menu_with(&json!({ "name": long(17) })), vec!["/button/0/name"], "17 bytes"),
        (menu_with(&json!({ "name": "一二三四五六" })), vec!["/button/0/name"], "18 bytes"),
        (menu_with(&json!({ "name": "a\nb" })), vec!["/button/0/name"], "control"),
        (menu_with(&json!({ "name": "a\u{85}b" })), vec!["/button/0/name"], "control"),
        (menu_with(&json!({ "key": long(129) })), vec!["/button/0/key"], "at most 128"),
        (menu_with(&json!({ "key": "a\u{1}" })), vec!["/button/0/key"], "control"),
        (menu_with(&json!({ "type": null })), vec!["/button/0/type"], "missing"),
        (menu_with(&json!({ "type": "Click" })), vec!["/button/0/type"], "no buttons of this type"),
        (menu_with(&json!({ "type": "view_limited" })), vec!["/button/0/type"], "withdrawn"),
        (menu_with(&json!({ "type": "text" })), vec!["/button/0/type"], "keyword rule"),
        (menu_with(&json!({ "type": "img" })), vec!["/button/0/type"], "three days"),
        (menu_with(&json!({ "colour": "red" })), vec!["/button/0/colour"], "no such field"),
        (menu_with(&json!({ "sub_button": {} })), vec!["/button/0/sub_button"], "no list"),
        (
            menu_with(&json!({ "sub_button": [click("1")] })),
            vec!["/button/0/key", "/button/0/type"],
            "has only a name",
        ),
        (below(&click(&long(61))), vec!["/button/1/sub_button/1/name"], "at most 60"),
        (below(&json!({ "name": "x" })), vec!["/button/1/sub_button/1/type"], "missing"),
        (
            below(&json!({ "name": "x", "sub_button": [click("deep")] })),
            vec!["/button/1/sub_button/1/sub_button"],
            "two levels",
        ),
        (
            json!({ "button": [{ "name": "More", "sub_button": (0..6).map(|_| click("x")).collect::<Vec<_>>() }] }),
            vec!["/button/0/sub_button"],
            "6 buttons",
        ),
    ]);
}

#[test]
fn addresses_begin_with_their_scheme_and_fit() {
    let view = |url: &str| json!({ "button": [{ "type": "view", "name": "x", "url": url }] });
    let long = format!("https://example.com/{}", "x".repeat(1_005));
    check(vec![
        (view(&long), vec!["/button/0/url"], "1025 bytes"),
        (view("example.com"), vec!["/button/0/url"], "begins with"),
        (view("javascript:alert(1)"), vec!["/button/0/url"], "begins with"),
        (view("https:///x"), vec!["/button/0/url"], "begins with"),
        (view("https://example.com/a b"), vec!["/button/0/url"], "begins with"),
        (view("https://例子.cn/菜单"), vec![], ""),
    ]);
}

#[test]
fn conditional_menus_name_a_tag_or_a_platform_and_lead_to_three_domains() {
    let with = |rule: Value| json!({ "button": [click("x")], "matchrule": rule });
    let views = |urls: &[&str]| {
        let views: Vec<Value> =
            urls.iter().map(|url| json!({ "type": "view", "name": "x", "url": url })).collect();
        json!({ "button": [{ "name": "More", "sub_button": views }], "matchrule": { "tag_id": 2 } })
    };
    check(vec![
        (with(json!({ "tag_id": "100", "client_platform_type": 2 })), vec![], ""),
        (with(json!({ "client_platform_type": "3" })), vec![], ""),
        (with(json!({})), vec!["/matchrule"], "tag_id"),
        (with(json!("all")), vec!["/matchrule"], "object"),
        (with(json!({ "tag_id": "vip" })), vec!["/matchrule/tag_id"], "number"),
        (with(json!({ "client_platform_type": 4 })), vec!["/matchrule/client_platform_type"], "iOS"),
        (
            with(json!({ "tag_id": 2, "sex": "1", "language": "en", "country": "中国" })),
            vec!["/matchrule/country", "/matchrule/language", "/matchrule/sex"],
            "no longer",
        ),
        (with(json!({ "tag_id": 2, "age": 30 })), vec!["/matchrule/age"], "no such field"),
        (
            views(&[
                "https://a.example/1",
                "https://b.example",
                "https://c.example?x",
                "http://mp.weixin.qq.com/s",
            ]),
            vec![],
            "",
        ),
        (
            views(&[
                "https://a.example",
                "https://b.example",
                "https://c.example",
                "https://notweixin.qq.com",
            ]),
            vec!["/button"],
            "4 domains",
        ),
    ]);
}

#[test]
fn endless_faults_are_cut_short() {
    run(async {
        let world = World::new(&admin::settings());
        let many: serde_json::Map<String, Value> =
            (0..5_000).map(|n| (format!("{n:0>100}"), json!(n))).collect();
        let (pointers, _) = faults(&world, &Value::Object(many)).await;
        assert_eq!(pointers.len(), 100);
        assert!(pointers.iter().all(|pointer| pointer.len() < 80));
    });
}
