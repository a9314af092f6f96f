//! What would change, and what the console made.

use serde_json::{Value, json};
use wxapi::gateway::menu::difference;

use crate::world::{Answer, World, admin, run};

fn click(name: &str) -> Value {
    json!({ "type": "click", "name": name, "key": name })
}

fn menu(buttons: &[Value]) -> Value {
    json!({ "button": buttons })
}

fn more(name: &str, below: &[Value]) -> Value {
    json!({ "name": name, "sub_button": below })
}

/// `change pointer from` of each change.
#[track_caller]
fn check(live: &Value, wanted: &Value, expected: &[&str]) {
    let changes = difference(live, wanted);
    let word = |change: &Value, name: &str| {
        change[name].as_str().unwrap_or("-").replace("/button/", "").replace("/sub_button/", ".")
    };
    let found: Vec<String> = changes
        .iter()
        .map(|change| {
            let fields: Vec<&String> =
                change["fields"].as_object().into_iter().flat_map(serde_json::Map::keys).collect();
            let fields: String = fields.iter().map(|name| format!(" {name}")).collect();
            format!(
                "{} {} {}{fields}",
                change["change"].as_str().unwrap(),
                word(change, "pointer"),
                word(change, "from")
            )
        })
        .collect();
    assert_eq!(found, expected, "{changes:#?}");
}

/// A menu in short: `a b m(c d)` has the buttons a and b, and m with c and d below it.
fn short(text: &str) -> Value {
    let mut buttons = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_alphabetic()) {
        let name = &rest[start..=start];
        rest = &rest[start + 1..];
        let Some(group) = rest.strip_prefix('(') else {
            buttons.push(click(name));
            continue;
        };
        let (below, after) = group.split_once(')').unwrap();
        let below: Vec<Value> = below.split_whitespace().map(click).collect();
        buttons.push(more(name, &below));
        rest = after;
    }
    menu(&buttons)
}

#[test]
fn buttons_are_added_and_removed() {
    for (live, wanted, expected) in [
        ("a", "a", vec![]),
        ("", "a", vec!["added 0 -"]),
        // Those behind a new one were not moved.
        ("b c", "a b c", vec!["added 0 -"]),
        ("a b c", "c", vec!["removed 0 -", "removed 1 -"]),
        ("m(a)", "m(a b) n(c)", vec!["added 0.1 -", "added 1 -", "added 1.0 -"]),
    ] {
        check(&short(live), &short(wanted), &expected);
    }
}

#[test]
fn as_few_as_possible_are_moved() {
    for (live, wanted, expected) in [
        ("a b c", "c a b", "moved 0 2"),
        ("a b", "b a", "moved 0 1"),
        ("m(a b c d e)", "m(b c d e a)", "moved 0.4 0.0"),
        // From one group into another, and to the top.
        ("m(a b) n(c)", "m(b) n(c a)", "moved 1.1 0.0"),
        ("m(a b)", "m(b) a", "moved 1 0.0"),
    ] {
        check(&short(live), &short(wanted), &[expected]);
    }
}

#[test]
fn what_changed_is_named_field_by_field() {
    let one = |kind: &str, name: &str, field: &str, value: &str| {
        menu(&[json!({ "type": kind, "name": name, field: value })])
    };
    let a = short("a");
    check(&a, &one("click", "z", "key", "a"), &["changed 0 0 name"]);
    let view = one("view", "a", "url", "https://example.com");
    check(&a, &view, &["changed 0 0 key type url"]);
    let changes = difference(&a, &view);
    assert_eq!(changes[0]["fields"]["url"], json!({ "from": null, "to": "https://example.com" }));
    assert_eq!(changes[0]["fields"]["key"], json!({ "from": "a", "to": null }));
    // Another one in the same place.
    check(&a, &short("o"), &["changed 0 0 key name"]);
    // Moved and changed; a group that got a new name keeps those below it.
    let rekeyed = menu(&[click("b"), json!({ "type": "click", "name": "a", "key": "new" })]);
    check(&short("a b"), &rekeyed, &["moved 0 1", "changed 1 0 key"]);
    check(&short("m(a)"), &short("n(a)"), &["changed 0 0 name"]);
    // A button that becomes a group.
    check(&short("m"), &short("m(a)"), &["changed 0 0 key type", "added 0.0 -"]);
}

/// Buttons of every kind that the console makes.
fn of_the_console() -> Value {
    json!([
        { "name": "Pages", "sub_button": { "list": [
            { "type": "view", "name": "Shop", "url": "https://example.com" },
            { "type": "news", "name": "News", "value": "KQb_w_Tiz",
              "news_info": { "list": [{ "title": "T", "content_url": "http://mp.weixin.qq.com/s/1" }] } },
            { "type": "video", "name": "Film", "value": "http://video.example/1" },
            { "type": "text", "name": "Hours", "value": "9 to 5" },
            { "type": "miniprogram", "name": "App", "appid": "wx01", "pagepath": "p", "url": "https://example.com" },
        ] } },
        { "name": "Files", "sub_button": { "list": [{ "type": "voice", "name": "Song", "value": "nTXe3" }] } },
        { "type": "click", "name": "Key", "key": "V1" },
        { "type": "finder", "name": "Channel", "value": "x" },
    ])
}

/// A WeChat whose menu the console made.
fn console(buttons: Value) -> World {
    let world = World::new(&admin::settings());
    world.wechat(move |call| {
        Ok(Answer::json(&match call.url.split('?').next().unwrap().rsplit('/').next().unwrap() {
            "stable_token" => json!({ "access_token": "T", "expires_in": 7200 }).to_string(),
            "get" => json!({ "errcode": 48001, "errmsg": "api unauthorized" }).to_string(),
            "get_current_selfmenu_info" => {
                json!({ "is_menu_open": 1, "selfmenu_info": { "button": buttons } }).to_string()
            }
            "create" => json!({ "errcode": 0 }).to_string(),
            other => panic!("{other}"),
        }))
    });
    world
}

#[test]
fn what_the_console_made_becomes_what_can_be_published() {
    run(async {
        let world = console(of_the_console());
        let (status, answer) = world.admin("POST", "/admin/menu/import", None).await;
        assert_eq!(status, 200, "{answer}");
        let expected = menu(&[
            more(
                "Pages",
                &[
                    json!({ "type": "view", "name": "Shop", "url": "https://example.com" }),
                    json!({ "type": "media_id", "name": "News", "media_id": "KQb_w_Tiz" }),
                    json!({ "type": "miniprogram", "name": "App", "appid": "wx01", "pagepath": "p", "url": "https://example.com" }),
                ],
            ),
            json!({ "type": "click", "name": "Key", "key": "V1" }),
        ]);
        assert_eq!((&answer["menu"], &answer["errors"]), (&expected, &json!([])));
        let skipped = answer["skipped"].as_array().unwrap();
        let told: Vec<(&str, &str)> = skipped
            .iter()
            .map(|one| (one["type"].as_str().unwrap(), one["pointer"].as_str().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                ("video", "/selfmenu_info/button/0/sub_button/list/2"),
                ("text", "/selfmenu_info/button/0/sub_button/list/3"),
                ("voice", "/selfmenu_info/button/1/sub_button/list/0"),
                ("finder", "/selfmenu_info/button/3"),
            ]
        );
        assert_eq!(skipped[1]["value"], "9 to 5");
        assert!(skipped.iter().all(|one| one["reason"].as_str().unwrap().len() > 10));
        // It is what PUT takes, and what a publication keeps of it.
        let (status, _) = world.admin("PUT", "/admin/menu", Some(&answer["menu"])).await;
        assert_eq!(status, 200);
        let (_, shown) = world.admin("GET", "/admin/menu", None).await;
        assert_eq!((&shown["source"], &shown["menu"]), (&json!("console"), &expected));
    });
}

#[test]
fn a_diff_is_with_what_people_see() {
    run(async {
        let world = console(json!([{ "type": "view", "name": "Shop", "url": "https://old.example" }]));
        let wanted = menu(&[json!({ "type": "view", "name": "Shop", "url": "https://new.example" })]);
        let (status, answer) = world.admin("POST", "/admin/menu/diff", Some(&wanted)).await;
        assert_eq!(
            (status, &answer["same"], &answer["live"]["source"]),
            (200, &json!(false), &json!("console"))
        );
        assert_eq!(answer["changes"][0]["fields"]["url"]["from"], "https://old.example");
        assert_eq!(answer["changes"].as_array().unwrap().len(), 1);
        let live = answer["live"]["menu"].clone();
        let (_, answer) = world.admin("POST", "/admin/menu/diff", Some(&live)).await;
        assert_eq!((&answer["same"], &answer["changes"]), (&json!(true), &json!([])));
    });
}

#[test]
fn without_a_menu_there_is_nothing_to_import() {
    run(async {
        let (status, _) = console(json!([])).admin("POST", "/admin/menu/import", None).await;
        assert_eq!(status, 404);
    });
}
