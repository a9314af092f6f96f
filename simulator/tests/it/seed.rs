//! Seeds: who and what is there at the beginning.

use std::fs;

use serde_json::{Value, json};

use crate::cli::{Server, run, wx_sim};
use crate::raw::{self, get, post};
use crate::world::World;

async fn people(port: u16) -> Vec<(String, String, bool)> {
    let people = raw::send(port, get("/_sim/people")).await.unwrap().json();
    let one = |person: &Value| {
        let text = |name: &str| person[name].as_str().unwrap().to_owned();
        (text("name"), text("nickname"), person["following"].as_bool().unwrap())
    };
    people.as_array().unwrap().iter().map(one).collect()
}

async fn order(port: u16, path: &str, body: Value) -> raw::Got {
    raw::send(port, post(path, body.to_string())).await.unwrap()
}

fn person(name: &str, nickname: &str, following: bool) -> (String, String, bool) {
    (name.to_owned(), nickname.to_owned(), following)
}

#[tokio::test]
async fn without_a_seed_three_people_are_there() {
    let server = Server::start("http://127.0.0.1:1/");
    let cast = [person("xiaoming", "小明", true), person("ahua", "阿花", false), person("bob", "Bob", true)];
    assert_eq!(people(server.port).await, cast);
    order(server.port, "/_sim/people", json!({ "name": "carol" })).await;
    order(server.port, "/_sim/reset", json!({})).await;
    assert_eq!(people(server.port).await, cast, "a reset returns to them");
}

#[tokio::test]
async fn a_seed_file_is_there_at_the_start_and_after_a_reset() {
    let file = format!("{}/seed.json", env!("CARGO_TARGET_TMPDIR"));
    let seed = json!({
        "account": { "type": "subscription", "mode": "compat" },
        "tags": ["vip", "new"],
        "people": [
            { "name": "carol", "following": true, "tags": ["new", "vip"], "remark": "from the fair", "language": "en" },
            { "name": "dan", "nickname": "Dan", "following": true, "blacklisted": true },
        ],
        "qr_codes": [{ "action_name": "QR_LIMIT_STR_SCENE", "action_info": { "scene": { "scene_str": "shop" } } }],
        "model": [{ "reply": "seeded" }],
        "faults": [{ "path": "/cgi-bin/x", "errcode": -1 }],
        "network": { "slow_ms": 5 },
    });
    fs::write(&file, seed.to_string()).unwrap();
    let server =
        Server::of(wx_sim(&["dev", "--port", "0", "--target", "http://127.0.0.1:1/", "--seed", &file]));
    let port = server.port;
    let look = async || {
        let get = async |path: &str| raw::send(port, get(path)).await.unwrap().json();
        (get("/_sim/account").await, get("/_sim/network").await, get("/_sim/model").await["rules"].clone())
    };
    let first = look().await;
    assert_eq!((&first.0["type"], &first.0["mode"]), (&json!("subscription"), &json!("compat")));
    assert_eq!((&first.1["slow_ms"], &first.2[0]["reply"]), (&json!(5), &json!("seeded")));
    assert_eq!(people(port).await, [person("carol", "carol", true), person("dan", "Dan", true)]);
    order(port, "/_sim/account", json!({ "type": "personal", "mode": "plain" })).await;
    order(port, "/_sim/model", json!([])).await;
    order(port, "/_sim/reset", json!({})).await;
    assert_eq!(look().await, first);
    let codes = raw::send(port, get("/_sim/codes")).await.unwrap().json();
    assert_eq!(codes.as_array().unwrap().len(), 1, "{codes}");
    let steps = json!([
        { "as": "carol", "api": { "path": "/cgi-bin/tags/get" }, "expect": { "answer": { "tags": [{}, { "name": "vip", "count": 1 }, { "name": "new", "count": 1 }] } } },
    ]);
    let result =
        order(port, "/_sim/run", json!({ "scenario": { "name": "n", "steps": steps } })).await.json();
    assert_eq!(result["outcome"], "passed", "{result:#}");
}

#[tokio::test]
async fn what_is_wrong_with_a_seed_is_said() {
    let file = format!("{}/bad-seed.json", env!("CARGO_TARGET_TMPDIR"));
    for (seed, named) in [
        (json!({ "poeple": [] }), "poeple: unknown field"),
        (json!({ "people": [{ "name": "a", "folowing": true }] }), "people[0].folowing: unknown field"),
        (json!({ "people": [{ "name": "a", "tags": ["vip"] }] }), "a has the tag vip"),
        (json!({ "tags": [""] }), "tags: /cgi-bin/tags/create"),
    ] {
        fs::write(&file, seed.to_string()).unwrap();
        let (code, _, error) = run(&["dev", "--port", "0", "--seed", &file]).await;
        assert_eq!((code, error.contains(named)), (2, true), "{error}");
    }
    assert_eq!(run(&["dev", "--port", "0", "--seed", "nowhere.json"]).await.0, 2);
}

#[tokio::test]
async fn a_seed_can_be_added_later() {
    let world = World::alone().await;
    world
        .order("/_sim/seed", json!({ "people": [{ "name": "eve", "nickname": "Eve", "following": true }] }))
        .await;
    assert_eq!(people(world.port).await, [person("eve", "Eve", true)]);
    let template = json!({ "template_id_short": "TM00001" });
    let publish = json!({ "path": "/cgi-bin/tags/create", "body": { "tag": { "name": "later" } } });
    world.order("/_sim/seed", json!({ "templates": [template], "api": [publish] })).await;
    let steps = json!([
        { "api": { "path": "/cgi-bin/template/get_all_private_template" }, "expect": { "answer": { "template_list": [{}] } } },
        { "api": { "path": "/cgi-bin/tags/get" }, "expect": { "answer": { "tags": [{}, { "name": "later" }] } } },
    ]);
    let result = world.order("/_sim/run", json!({ "scenario": { "name": "n", "steps": steps } })).await;
    assert_eq!(result["outcome"], "passed", "{result:#}");
    let got = order(world.port, "/_sim/seed", json!({ "people": [{}] })).await;
    assert!(got.status == 400 && got.text().contains("people[0]: missing field `name`"), "{}", got.text());
}
