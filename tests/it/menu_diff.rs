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

#[test]
fn buttons_are_added_and_removed() {
    let (a, b, c) = (click("a"), click("b"), click("c"));
    check(&menu(&[a.clone()]), &menu(&[a.clone()]), &[]);
    check(&Value::Null, &menu(&[a.clone()]), &["added 0 -"]);
    // Those behind a new one were not moved.
    check(&menu(&[b.clone(), c.clone()]), &menu(&[a.clone(), b.clone(), c.clone()]), &["added 0 -"]);
    check(&menu(&[a.clone(), b.clone(), c.clone()]), &menu(&[c.clone()]), &["removed 0 -", "removed 1 -"]);
    check(
        &menu(&[more("m", &[a.clone()])]),
        &menu(&[more("m", &[a.clone(), b.clone()]), more("n", &[c])]),
        &["added 0.1 -", "added 1 -", "added 1.0 -"],
    );
}

#[test]
fn as_few_as_possible_are_moved() {
    let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(click);
    check(
        &menu(&[a.clone(), b.clone(), c.clone()]),
        &menu(&[c.clone(), a.clone(), b.clone()]),
        &["moved 0 2"],
    );
    check(&menu(&[a.clone(), b.clone()]), &menu(&[b.clone(), a.clone()]), &["moved 0 1"]);
    check(
        &menu(&[more("m", &[a.clone(), b.clone(), c.clone(), d.clone(), e.clone()])]),
        &menu(&[more("m", &[b.clone(), c.clone(), d.clone(), e.clone(), a.clone()])]),
        &["moved 0.4 0.0"],
    );
    // From one group into another, and to the top.
    check(
        &menu(&[more("m", &[a.clone(), b.clone()]), more("n", &[c.clone()])]),
        &menu(&[more("m", &[b.clone()]), more("n", &[c.clone(), a.clone()])]),
        &["moved 1.1 0.0"],
    );
    check(&menu(&[more("m", &[a.clone(), b.clone()])]), &menu(&[more("m", &[b]), a]), &["moved 1 0.0"]);
}

#[test]
fn what_changed_is_named_field_by_field() {
    let a = click("a");
    let renamed = json!({ "type": "click", "name": "z", "key": "a" });
    check(&menu(&[a.clone()]), &menu(&[renamed]), &["changed 0 0 name"]);
    let view = json!({ "type": "view", "name": "a", "url": "https://example.com" });
    check(&menu(&[a.clone()]), &menu(&[view.clone()]), &["changed 0 0 key type url"]);
    let changes = difference(&menu(&[a.clone()]), &menu(&[view]));
    assert_eq!(changes[0]["fields"]["url"], json!({ "from": null, "to": "https://example.com" }));
    assert_eq!(changes[0]["fields"]["key"], json!({ "from": "a", "to": null }));
    // Another one in the same place.
    let other = json!({ "type": "click", "name": "o", "key": "o" });
    check(&menu(&[a.clone()]), &menu(&[other]), &["changed 0 0 key name"]);
    // Moved and changed; a group that got a new name keeps those below it.
    let rekeyed = json!({ "type": "click", "name": "a", "key": "new" });
    check(&menu(&[a.clone(), click("b")]), &menu(&[click("b"), rekeyed]), &["moved 0 1", "changed 1 0 key"]);
    check(&menu(&[more("m", &[a.clone()])]), &menu(&[more("n", &[a.clone()])]), &["changed 0 0 name"]);
    // A button that becomes a group.
    check(&menu(&[click("m")]), &menu(&[more("m", &[a])]), &["changed 0 0 key type", "added 0.0 -"]);
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
        let world = console(json!([
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
        ]));
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
