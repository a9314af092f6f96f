//! The menu: its limits, conditional menus, and what each person sees.

use serde_json::{Value, json};

use crate::page::Page;
use crate::raw::post;
use crate::world::{PNG, World};

const CREATE: &str = "/cgi-bin/menu/create";
const ADD: &str = "/cgi-bin/menu/addconditional";

fn click(name: &str) -> Value {
    json!({ "type": "click", "name": name, "key": "K" })
}

fn view(url: &str) -> Value {
    json!({ "type": "view", "name": "看", "url": url })
}

fn below(children: &[Value]) -> Value {
    json!({ "button": [{ "name": "更多", "sub_button": children }] })
}

fn menu() -> Value {
    let mini = json!({ "type": "miniprogram", "name": "小程序", "url": "http://mp.weixin.qq.com", "appid": "wx286b93c14bbf93aa", "pagepath": "pages/lunar/index" });
    json!({ "button": [click("今日歌曲"), { "name": "菜单", "sub_button": [view("http://a.example/"), mini] }] })
}

async fn get(world: &World, path: &str) -> Value {
    world.fetch(path).await
}

#[tokio::test]
async fn a_menu_is_made_seen_and_deleted() {
    let world = World::alone().await;
    assert_eq!(get(&world, "/cgi-bin/menu/get").await["errcode"], 46003);
    let closed = get(&world, "/cgi-bin/get_current_selfmenu_info").await;
    assert_eq!(closed, json!({ "is_menu_open": 0, "selfmenu_info": { "button": [] } }));
    assert_eq!(world.errcode(CREATE, menu()).await, 0);
    let got = get(&world, "/cgi-bin/menu/get").await;
    let song = json!({ "type": "click", "name": "今日歌曲", "key": "K", "sub_button": [] });
    assert_eq!((&got["menu"]["button"][0], got["menu"].get("menuid")), (&song, None));
    assert_eq!(got["menu"]["button"][1].get("type"), None);
    assert_eq!(got["menu"]["button"][1]["sub_button"][1]["pagepath"], "pages/lunar/index");
    world.order("/_sim/account", json!({ "type": "personal" })).await;
    assert_eq!(get(&world, "/cgi-bin/menu/get").await["errcode"], 48001);
    let console = get(&world, "/cgi-bin/get_current_selfmenu_info").await;
    assert_eq!(console["is_menu_open"], 1);
    let button = &console["selfmenu_info"]["button"];
    assert_eq!(button[0], json!({ "type": "click", "name": "今日歌曲", "key": "K" }));
    assert_eq!(button[1]["sub_button"]["list"][0]["url"], "http://a.example/");
    world.order("/_sim/account", json!({ "type": "test" })).await;
    assert_eq!(get(&world, "/cgi-bin/menu/delete").await["errcode"], 0);
    assert_eq!(get(&world, "/cgi-bin/menu/get").await["errcode"], 46003);
}

#[tokio::test]
async fn each_limit_has_its_code() {
    let world = World::alone().await;
    let one = |button: Value| json!({ "button": [button] });
    let sized = |name: &str, key: usize| json!({ "type": "click", "name": name, "key": "k".repeat(key) });
    let link = |length: usize| view(&format!("http://a.example/{}", "x".repeat(length - 17)));
    let mini = |appid: &str, path: &str| json!({ "type": "miniprogram", "name": "程", "url": "http://a.example", "appid": appid, "pagepath": path });
    let cases = [
        (json!({ "button": vec![click("一"); 3] }), 0),
        (json!({ "button": vec![click("一"); 4] }), 40016),
        (json!({}), 40016),
        (one(json!({ "type": "hologram", "name": "一", "key": "K" })), 40017),
        (one(json!({ "type": "view_limited", "name": "一", "media_id": "m" })), 40017),
        (one(sized("五个汉字啊", 128)), 0),
        (one(sized("六个汉字多了", 1)), 40018),
        (one(sized("", 1)), 40018),
        (one(sized("一", 0)), 40019),
        (one(sized("一", 129)), 40019),
        (one(link(1024)), 0),
        (one(link(1025)), 40020),
        (one(view("")), 40020),
        (one(view("a.example")), 40055),
        (one(mini("", "p")), 40013),
        (one(mini("wx1", "")), 40159),
        (one(json!({ "type": "media_id", "name": "一", "media_id": "m" })), 40007),
        (one(json!({ "type": "article_id", "name": "一", "article_id": "a" })), 53600),
        (below(&vec![click("一"); 5]), 0),
        (below(&vec![click("一"); 6]), 40023),
        (below(&[below(&[click("一")])["button"][0].clone()]), 40023),
        (below(&[json!({ "name": "一" })]), 40024),
        (below(&[sized(&"二".repeat(20), 128)]), 0),
        (below(&[sized(&"二".repeat(21), 1)]), 40025),
        (below(&[sized("一", 129)]), 40026),
        (below(&[link(1025)]), 40027),
        (below(&[view("ftp://a.example")]), 40054),
    ];
    for (menu, expected) in cases {
        assert_eq!(world.errcode(CREATE, menu.clone()).await, expected, "{menu}");
    }
    let path = format!("{CREATE}?access_token={}", world.token().await);
    let escaped = r#"{"button":[{"type":"click","name":"\u4f60","key":"K"}]}"#;
    assert_eq!(world.ask(post(path.as_str(), escaped)).await.json()["errcode"], 40033);
    assert_eq!(world.ask(post(path.as_str(), "")).await.json()["errcode"], 44002);
    assert_eq!(world.ask(post(path.as_str(), "[]")).await.json()["errcode"], 47001);
}

#[tokio::test]
async fn a_button_can_send_what_the_account_has() {
    let world = World::alone().await;
    let added = world.upload("/cgi-bin/material/add_material?type=image", "a.png", PNG, &[]).await;
    let picture = json!({ "type": "media_id", "name": "图", "media_id": added["media_id"] });
    assert_eq!(world.errcode(CREATE, json!({ "button": [picture] })).await, 0);
    let temporary = world.upload("/cgi-bin/media/upload?type=image", "a.png", PNG, &[]).await;
    let picture = json!({ "type": "media_id", "name": "图", "media_id": temporary["media_id"] });
    assert_eq!(
        world.errcode(CREATE, json!({ "button": [picture] })).await,
        40007,
        "it is gone in three days"
    );
}

#[tokio::test]
async fn conditional_menus_come_and_go() {
    let world = World::alone().await;
    let rule = |button: Value, rule: Value| json!({ "button": [button], "matchrule": rule });
    let ios = || json!({ "client_platform_type": "1" });
    assert_eq!(world.errcode(ADD, rule(click("一"), ios())).await, 65303);
    world.call(CREATE, menu()).await;
    assert_eq!(world.errcode(ADD, json!({ "matchrule": ios() })).await, 65307);
    assert_eq!(world.errcode(ADD, rule(click("一"), json!({}))).await, 65304);
    assert_eq!(world.errcode(ADD, rule(click("一"), json!({ "sex": "1", "tag_id": "100" }))).await, 65320);
    let first = world.call(ADD, rule(click("一"), ios())).await["menuid"].as_str().unwrap().to_owned();
    let second = world.call(ADD, rule(click("二"), ios())).await["menuid"].as_str().unwrap().to_owned();
    let got = get(&world, "/cgi-bin/menu/get").await;
    assert!(got["menu"]["menuid"].is_u64());
    assert_eq!(got["conditionalmenu"][0]["menuid"].to_string(), second, "the newest first");
    assert_eq!(got["conditionalmenu"][1]["matchrule"], ios());

    world.send(json!({ "as": "小明", "event": { "type": "subscribe" } })).await;
    let matched = async || world.call("/cgi-bin/menu/trymatch", json!({ "user_id": "小明" })).await;
    assert_eq!(matched().await["button"][0]["name"], "二");
    let delete =
        async |id: &str| world.errcode("/cgi-bin/menu/delconditional", json!({ "menuid": id })).await;
    assert_eq!(delete(&second).await, 0);
    assert_eq!(delete(&second).await, 65301);
    assert_eq!(matched().await["button"][0]["name"], "一");
    assert_eq!(delete(&first).await, 0);
    assert_eq!(matched().await["button"][0]["name"], "今日歌曲");
    let nobody = json!({ "user_id": "nobody" });
    assert_eq!(world.errcode("/cgi-bin/menu/trymatch", nobody).await, 65302);
    world.call(ADD, rule(click("三"), ios())).await;
    get(&world, "/cgi-bin/menu/delete").await;
    assert_eq!(matched().await["errcode"], 46003, "all of them");
}

#[tokio::test]
async fn each_person_sees_their_own_menu() {
    let world = World::alone().await;
    world.order("/_sim/people", json!({ "name": "小红", "phone_system": "android" })).await;
    world.order("/_sim/people", json!({ "name": "小明" })).await;
    world.call(CREATE, menu()).await;
    let android = json!({ "button": [click("安卓")], "matchrule": { "client_platform_type": 2 } });
    world.call(ADD, android).await;
    let mut page = Page::open(&world).await;
    let menus = |page: &Page| {
        let names: Vec<_> =
            page.view["people"].as_array()?.iter().map(|one| &one["menu"][0]["name"]).collect();
        (names == ["安卓", "今日歌曲"]).then_some(())
    };
    page.until(menus).await;
    let openid = world.follower("小明").await;
    let tag =
        world.call("/cgi-bin/tags/create", json!({ "tag": { "name": "会员" } })).await["tag"]["id"].clone();
    world.call(ADD, json!({ "button": [click("会员")], "matchrule": { "tag_id": tag } })).await;
    let tagged = json!({ "tagid": tag, "openid_list": [openid] });
    let first = async |name: &str| world.get(&format!("/_sim/menu?as={name}&button=0")).await["name"].clone();
    assert_eq!(first("%E5%B0%8F%E7%BA%A2").await, "安卓");
    assert_eq!(first("%E5%B0%8F%E6%98%8E").await, "今日歌曲");
    assert_eq!(world.errcode("/cgi-bin/tags/members/batchtagging", tagged).await, 0);
    assert_eq!(first("%E5%B0%8F%E6%98%8E").await, "会员");
}

#[tokio::test]
async fn conditional_menus_lead_to_three_domains_at_most() {
    let world = World::alone().await;
    world.call(CREATE, menu()).await;
    let add = async |host: &str| {
        let rule = json!({ "button": [view(&format!("https://{host}/x"))], "matchrule": { "tag_id": 100 } });
        world.call(ADD, rule).await["errcode"].as_i64().unwrap_or(0)
    };
    for host in ["a.example", "b.example", "c.example", "a.example", "mp.weixin.qq.com"] {
        assert_eq!(add(host).await, 0, "{host}");
    }
    assert_eq!(add("d.example").await, 65316);
}

#[tokio::test]
async fn everyone_can_ask_what_somebody_sees() {
    let world = World::alone().await;
    let status = async |query: &str| world.ask(crate::raw::get(format!("/_sim/menu{query}"))).await.status;
    assert_eq!(status("?as=xiaoming").await, 404, "no menu");
    world.call(CREATE, menu()).await;
    let seen = world.get("/_sim/menu?as=xiaoming").await;
    assert_eq!(seen["button"][1]["sub_button"][0]["url"], "http://a.example/");
    assert!(seen["menuid"].is_u64());
    assert_eq!(world.get("/_sim/menu?as=xiaoming&button=0").await["key"], "K");
    assert_eq!(world.get("/_sim/menu?as=xiaoming&button=1,1").await["name"], "小程序");
    assert_eq!(status("?as=xiaoming&button=1,2").await, 404);
    assert_eq!((status("?as=xiaoming&button=x").await, status("").await), (400, 400));
}

#[tokio::test]
async fn a_test_account_makes_a_hundred_menus_a_day() {
    let world = World::alone().await;
    world.order("/_sim/account", json!({ "type": "test" })).await;
    let path = format!("{CREATE}?access_token={}", world.token().await);
    for _ in 0..100 {
        assert_eq!(world.api(&path, menu()).await["errcode"], 0);
    }
    assert_eq!(world.api(&path, menu()).await["errcode"], 45009);
}
