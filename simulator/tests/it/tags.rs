//! Tags and the blacklist.

use serde_json::{Value, json};

use crate::callback::Callback;
use crate::world::World;

const TAG: &str = "/cgi-bin/tags/members/batchtagging";
const UNTAG: &str = "/cgi-bin/tags/members/batchuntagging";
const BLACKLIST: &str = "/cgi-bin/tags/members/batchblacklist";

async fn world() -> World {
    World::new(&Callback::answering("success").await.url).await
}

async fn tag(world: &World, name: &str) -> u64 {
    let made = world.call("/cgi-bin/tags/create", json!({ "tag": { "name": name } })).await;
    assert_eq!(made["tag"]["name"], name);
    made["tag"]["id"].as_u64().unwrap()
}

async fn counts(world: &World) -> Vec<(u64, Value)> {
    let tags = world.fetch("/cgi-bin/tags/get?").await;
    let tags = tags["tags"].as_array().unwrap().iter();
    tags.map(|tag| (tag["id"].as_u64().unwrap(), tag["count"].clone())).collect()
}

#[tokio::test]
async fn people_are_tagged_and_counted() {
    let world = world().await;
    let (ming, hong) = (world.follower("小明").await, world.follower("小红").await);
    let vip = tag(&world, "贵宾").await;
    assert_eq!(vip, 100);
    assert_eq!(world.errcode(TAG, json!({ "openid_list": [ming, hong], "tagid": vip })).await, 0);
    assert_eq!(world.errcode(TAG, json!({ "openid_list": [ming], "tagid": 2 })).await, 0);
    assert_eq!(counts(&world).await, [(2, json!(1)), (100, json!(2))]);
    let of_ming = world.call("/cgi-bin/tags/getidlist", json!({ "openid": ming })).await;
    assert_eq!(of_ming, json!({ "tagid_list": [100, 2] }));
    let info = world.fetch(&format!("/cgi-bin/user/info?openid={ming}")).await;
    assert_eq!((&info["tagid_list"], &info["groupid"]), (&json!([100, 2]), &json!(100)));
    let members = world.call("/cgi-bin/user/tag/get", json!({ "tagid": 2, "next_openid": "" })).await;
    assert_eq!(members, json!({ "count": 1, "data": { "openid": [ming] }, "next_openid": ming }));
    let rest = world.call("/cgi-bin/user/tag/get", json!({ "tagid": 2, "next_openid": ming })).await;
    assert_eq!(rest, json!({ "count": 0, "next_openid": "" }));
    assert_eq!(world.errcode(UNTAG, json!({ "openid_list": [hong], "tagid": vip })).await, 0);
    assert_eq!(counts(&world).await, [(2, json!(1)), (100, json!(1))]);
    assert_eq!(world.errcode("/cgi-bin/tags/delete", json!({ "tag": { "id": vip } })).await, 0);
    let of_ming = world.call("/cgi-bin/tags/getidlist", json!({ "openid": ming })).await;
    assert_eq!(of_ming, json!({ "tagid_list": [2] }));
}

#[tokio::test]
async fn each_mistake_with_a_tag_has_its_code() {
    let world = world().await;
    let ming = world.follower("小明").await;
    let vip = tag(&world, "贵宾").await;
    let (update, delete) = ("/cgi-bin/tags/update", "/cgi-bin/tags/delete");
    let cases = [
        ("/cgi-bin/tags/create", json!({ "tag": { "name": "贵宾" } }), 45157),
        ("/cgi-bin/tags/create", json!({}), 45157),
        ("/cgi-bin/tags/create", json!({ "tag": { "name": "长".repeat(31) } }), 45158),
        (update, json!({ "tag": { "id": 2, "name": "x" } }), 45058),
        (update, json!({ "tag": { "id": 101, "name": "x" } }), 45159),
        (update, json!({ "tag": { "id": vip, "name": "新" } }), 0),
        (delete, json!({ "tag": { "id": 0 } }), 45058),
        (delete, json!({ "tag": { "id": "x" } }), 45159),
        (TAG, json!({ "openid_list": [], "tagid": vip }), 40032),
        (TAG, json!({ "openid_list": vec![&ming; 51], "tagid": vip }), 40032),
        (TAG, json!({ "openid_list": vec![&ming; 50], "tagid": vip }), 0),
        (TAG, json!({ "openid_list": [ming, "nonsense"], "tagid": vip }), 40003),
        (TAG, json!({ "openid_list": ["o".repeat(28)], "tagid": vip }), 49003),
        (TAG, json!({ "openid_list": [ming], "tagid": 1 }), 45159),
        (UNTAG, json!({ "openid_list": [ming], "tagid": 999 }), 45159),
        ("/cgi-bin/user/tag/get", json!({ "tagid": 999 }), 45159),
        ("/cgi-bin/tags/getidlist", json!({ "openid": "nobody" }), 40003),
    ];
    for (path, body, code) in cases {
        assert_eq!(world.errcode(path, body.clone()).await, code, "{path} {body}");
    }
    world.send(json!({ "as": "小明", "event": { "type": "unsubscribe" } })).await;
    assert_eq!(world.errcode(TAG, json!({ "openid_list": [ming], "tagid": vip })).await, 50005);
}

#[tokio::test]
async fn nobody_has_more_than_twenty_tags() {
    let world = world().await;
    let (ming, hong) = (world.follower("小明").await, world.follower("小红").await);
    for n in 0..20 {
        let id = tag(&world, &format!("标签{n}")).await;
        assert_eq!(world.errcode(TAG, json!({ "openid_list": [ming], "tagid": id })).await, 0);
    }
    let both = json!({ "openid_list": [hong, ming], "tagid": 2 });
    assert_eq!(world.errcode(TAG, both).await, 45059);
    let of_hong = world.call("/cgi-bin/tags/getidlist", json!({ "openid": hong })).await;
    assert_eq!(of_hong, json!({ "tagid_list": [] }), "all of them or none");
    assert_eq!(world.errcode(TAG, json!({ "openid_list": [ming], "tagid": 100 })).await, 0, "has it already");
}

#[tokio::test]
async fn the_blacklisted_are_not_heard() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let (ming, hong) = (world.follower("小明").await, world.follower("小红").await);
    let list = async || world.call("/cgi-bin/tags/members/getblacklist", json!({ "begin_openid": "" })).await;
    assert_eq!(list().await, json!({ "total": 0, "count": 0, "next_openid": "" }));
    assert_eq!(world.errcode(BLACKLIST, json!({ "openid_list": [ming] })).await, 0);
    let expected = json!({ "total": 1, "count": 1, "data": { "openid": [ming] }, "next_openid": ming });
    assert_eq!(list().await, expected);
    assert_eq!(world.fetch(&format!("/cgi-bin/user/info?openid={ming}")).await["groupid"], 1);
    let before = callback.arrived().len();
    world.send(json!({ "as": "小明", "text": "hi" })).await;
    assert_eq!(callback.arrived().len(), before);
    let unblacklist = "/cgi-bin/tags/members/batchunblacklist";
    assert_eq!(world.errcode(unblacklist, json!({ "openid_list": [ming, hong] })).await, 0);
    world.send(json!({ "as": "小明", "text": "hi" })).await;
    assert_eq!(callback.arrived().len(), before + 1);
    assert_eq!(world.errcode(BLACKLIST, json!({ "openid_list": vec![&ming; 21] })).await, 40032);
    assert_eq!(world.errcode(BLACKLIST, json!({ "openid_list": ["o".repeat(28)] })).await, 49003);
    let personal = json!({ "type": "personal" });
    world.order("/_sim/account", personal).await;
    assert_eq!(world.errcode(BLACKLIST, json!({ "openid_list": [ming] })).await, 48001);
}
