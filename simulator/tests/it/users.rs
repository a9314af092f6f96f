//! Users, as the account sees them.

use serde_json::{Value, json};

use crate::callback::Callback;
use crate::world::World;

async fn world() -> World {
    World::new(&Callback::answering("success").await.url).await
}

#[tokio::test]
async fn followers_are_listed_page_after_page() {
    let world = world().await;
    assert_eq!(
        world.fetch("/cgi-bin/user/get?next_openid=").await,
        json!({ "total": 0, "count": 0, "next_openid": "" })
    );
    let mut openids = Vec::new();
    for name in ["甲", "乙", "丙"] {
        openids.push(world.follower(name).await);
    }
    openids.sort();
    let all = world.fetch("/cgi-bin/user/get?next_openid=").await;
    assert_eq!(
        all,
        json!({ "total": 3, "count": 3, "data": { "openid": openids }, "next_openid": openids[2] })
    );
    let rest = world.fetch(&format!("/cgi-bin/user/get?next_openid={}", openids[0])).await;
    assert_eq!((&rest["total"], &rest["data"]["openid"]), (&json!(3), &json!(openids[1..])));
    let end = world.fetch(&format!("/cgi-bin/user/get?next_openid={}", openids[2])).await;
    assert_eq!(end, json!({ "total": 3, "count": 0, "next_openid": "" }));
    assert_eq!(world.fetch("/cgi-bin/user/get?next_openid=nobody").await["errcode"], 40003);
    world.send(json!({ "as": "甲", "event": { "type": "unsubscribe" } })).await;
    assert_eq!(world.fetch("/cgi-bin/user/get?next_openid=").await["total"], 2);
}

#[tokio::test]
async fn info_tells_what_wechat_still_tells() {
    let world = world().await;
    world.order("/_sim/account", json!({ "bound": false })).await;
    let openid = world.follower("小明").await;
    let info = async || world.fetch(&format!("/cgi-bin/user/info?openid={openid}&lang=zh_CN")).await;
    let mut about = info().await;
    let since = about["subscribe_time"].take();
    assert!(since.as_u64().unwrap() > 1_700_000_000);
    let expected = json!({
        "subscribe": 1, "openid": openid, "language": "zh_CN", "subscribe_time": null, "remark": "", "groupid": 0,
        "tagid_list": [], "subscribe_scene": "ADD_SCENE_SEARCH", "qr_scene": 0, "qr_scene_str": "",
    });
    assert_eq!(about, expected);
    world.send(json!({ "as": "小明", "event": { "type": "unsubscribe" } })).await;
    assert_eq!(info().await, json!({ "subscribe": 0, "openid": openid }));
    assert_eq!(world.fetch("/cgi-bin/user/info?openid=nobody").await["errcode"], 40003);
    assert_eq!(world.fetch("/cgi-bin/user/info?lang=en").await["errcode"], 41009);
}

#[tokio::test]
async fn many_are_asked_for_at_once() {
    let world = world().await;
    let (ming, hong) = (world.follower("小明").await, world.follower("小红").await);
    world.send(json!({ "as": "小红", "event": { "type": "unsubscribe" } })).await;
    let path = "/cgi-bin/user/info/batchget";
    let list = |openids: &[&String]| {
        let entries: Vec<_> =
            openids.iter().map(|openid| json!({ "openid": openid, "lang": "zh_CN" })).collect();
        json!({ "user_list": entries })
    };
    let got = world.call(path, list(&[&ming, &hong])).await;
    let shown: Vec<_> =
        got["user_info_list"].as_array().unwrap().iter().map(|person| &person["subscribe"]).collect();
    assert_eq!(shown, [1, 0]);
    assert_eq!(world.call(path, list(&[&ming; 100])).await["user_info_list"].as_array().unwrap().len(), 100);
    assert_eq!(world.errcode(path, list(&[&ming; 101])).await, 40032);
    assert_eq!(world.errcode(path, list(&[])).await, 40032);
    assert_eq!(world.errcode(path, list(&[&ming, &"o".repeat(28)])).await, 40003);
}

#[tokio::test]
async fn a_remark_has_thirty_characters() {
    let world = world().await;
    let openid = world.follower("小明").await;
    let path = "/cgi-bin/user/info/updateremark";
    let remark = |remark: &str| json!({ "openid": openid, "remark": remark });
    assert_eq!(world.errcode(path, remark(&"好".repeat(30))).await, 0);
    assert_eq!(world.errcode(path, remark(&"好".repeat(31))).await, 40092);
    let info = world.fetch(&format!("/cgi-bin/user/info?openid={openid}")).await;
    assert_eq!(info["remark"], "好".repeat(30));
    assert_eq!(world.errcode(path, json!({ "openid": "nobody", "remark": "x" })).await, 40003);
    world.send(json!({ "as": "小明", "event": { "type": "unsubscribe" } })).await;
    assert_eq!(world.errcode(path, remark("x")).await, 43004);
    world.follower("小明").await;
    let info = world.fetch(&format!("/cgi-bin/user/info?openid={openid}")).await;
    assert_eq!(info["remark"], "", "who leaves takes the account's notes along");
}

#[tokio::test]
async fn openids_move_with_an_account() {
    let world = world().await;
    let new = world.follower("小明").await;
    let path = "/cgi-bin/changeopenid";
    let asked = |from: &str, openids: Value| json!({ "from_appid": from, "openid_list": openids });
    let old = "o".repeat(28);
    let got = world.call(path, asked("wx0000000000000000", json!([old]))).await;
    assert_eq!(got["result_list"], json!([{ "ori_openid": old, "err_msg": "ori_openid error" }]));
    // What the same person is called in the other account is what a simulator of that account says.
    let other = World::with(&Callback::answering("success").await.url, |name| match name {
        "APP_ID" => Some("wx0000000000000000".to_owned()),
        name => crate::world::setting(name),
    })
    .await;
    let old = other.follower("小明").await;
    let got = world.call(path, asked("wx0000000000000000", json!([old]))).await;
    assert_eq!(got["result_list"], json!([{ "ori_openid": old, "new_openid": new, "err_msg": "ok" }]));
    assert_eq!(world.errcode(path, asked("", json!([old]))).await, 63178);
    assert_eq!(world.errcode(path, asked("wx1", json!([]))).await, 63182);
    assert_eq!(world.errcode(path, asked("wx1", json!(vec![old; 101]))).await, 40032);
}

#[tokio::test]
async fn a_list_can_be_asked_for_500_times_a_day() {
    let world = world().await;
    world.order("/_sim/account", json!({ "type": "test" })).await;
    let token = world.token().await;
    for _ in 0..50 {
        assert_eq!(world.get(&format!("/cgi-bin/user/get?access_token={token}")).await["count"], 0);
    }
    assert_eq!(world.get(&format!("/cgi-bin/user/get?access_token={token}")).await["errcode"], 45009);
    world.order("/_sim/account", json!({ "type": "personal" })).await;
    assert_eq!(world.get(&format!("/cgi-bin/user/get?access_token={token}")).await["errcode"], 48001);
}
