//! Template messages.

use serde_json::{Value, json};

use crate::callback::Callback;
use crate::world::{World, event, until};

const SEND: &str = "/cgi-bin/message/template/send";
const ADD: &str = "/cgi-bin/template/api_add_template";

async fn follower() -> (World, Callback, String) {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let openid = world.follower("ming").await;
    (world, callback, openid)
}

/// Adds a template with the fields `thing2` and `amount3`; its id.
async fn order_template(world: &World) -> String {
    let asked = json!({ "template_id_short": "40001", "keyword_name_list": ["商品名称", "订单金额"] });
    world.call(ADD, asked).await["template_id"].as_str().unwrap().to_owned()
}

fn message(openid: &str, id: &str) -> Value {
    json!({
        "touser": openid, "template_id": id, "url": "https://a.example",
        "data": { "thing2": { "value": "咖啡" }, "amount3": { "value": "9.90元", "color": "#ff0000" } }
    })
}

async fn inbox(world: &World) -> Vec<Value> {
    let inbox = world.get("/_sim/inbox?as=ming").await;
    inbox["messages"].as_array().unwrap().iter().map(|pushed| pushed["shown"].clone()).collect()
}

#[tokio::test]
async fn the_phone_shows_the_filled_card() {
    let (world, callback, openid) = follower().await;
    let id = order_template(&world).await;
    let answer = world.call(SEND, message(&openid, &id)).await;
    let result = event(&callback, "TEMPLATESENDJOBFINISH").await;
    assert_eq!(result.number::<u64>("MsgID"), answer["msgid"].as_u64());
    assert_eq!((result.get("Status"), result.get("FromUserName")), (Some("success"), Some(openid.as_str())));
    let lines = json!([{ "name": "商品名称", "value": "咖啡" }, { "name": "订单金额", "value": "9.90元" }]);
    let card = json!({ "type": "card", "title": "订单状态通知", "lines": lines, "url": "https://a.example" });
    assert_eq!(inbox(&world).await, [card]);
}

#[tokio::test]
async fn who_cannot_get_it_and_what_cannot_be_sent() {
    let (world, _callback, openid) = follower().await;
    let id = order_template(&world).await;
    assert_eq!(world.errcode(SEND, message("nobody", &id)).await, 40003);
    assert_eq!(world.errcode(SEND, message(&openid, "nothing")).await, 40037);
    for (field, value, words) in
        [("thing2", "一二三四五六七八九十一二三四五六七八九十一", "invalid"), ("amount3", "", "is empty")]
    {
        let mut message = message(&openid, &id);
        message["data"][field]["value"] = json!(value);
        let answer = world.call(SEND, message).await;
        let named = format!("argument invalid! data.{field}.value {words} rid: ");
        assert_eq!(answer["errcode"], 47003);
        assert!(answer["errmsg"].as_str().unwrap().starts_with(&named), "{answer}");
    }
    let ming = json!({ "openid_list": [openid] });
    assert_eq!(world.errcode("/cgi-bin/tags/members/batchblacklist", ming.clone()).await, 0);
    assert_eq!(world.errcode(SEND, message(&openid, &id)).await, 43019);
    assert_eq!(world.errcode("/cgi-bin/tags/members/batchunblacklist", ming).await, 0);
    world.send(json!({ "as": "ming", "event": { "type": "unsubscribe" } })).await;
    assert_eq!(world.errcode(SEND, message(&openid, &id)).await, 43004);
    for account in ["personal", "subscription"] {
        world.order("/_sim/account", json!({ "type": account })).await;
        assert_eq!(world.errcode(SEND, message(&openid, &id)).await, 48001, "{account}");
    }
    assert_eq!(inbox(&world).await, [Value::Null; 0]);
}

#[tokio::test]
async fn the_same_client_msg_id_sends_once_in_ten_minutes() {
    let (world, _callback, openid) = follower().await;
    let id = order_template(&world).await;
    let mut message = message(&openid, &id);
    message["client_msg_id"] = json!("MSG_1");
    let first = world.call(SEND, message.clone()).await;
    assert_eq!(world.call(SEND, message.clone()).await["msgid"], first["msgid"]);
    assert_eq!(inbox(&world).await.len(), 1);
    world.order("/_sim/clock", json!({ "advance_s": 600 })).await;
    assert_ne!(world.call(SEND, message).await["msgid"], first["msgid"]);
    assert_eq!(inbox(&world).await.len(), 2);
}

#[tokio::test]
async fn a_message_may_fail_afterwards() {
    let (world, callback, openid) = follower().await;
    let id = order_template(&world).await;
    for (n, (receipt, status)) in
        [("user_block", "failed:user block"), ("system_failed", "failed: system failed")]
            .into_iter()
            .enumerate()
    {
        world.order("/_sim/receipt", json!({ "as": "ming", "receipt": receipt })).await;
        assert_eq!(world.errcode(SEND, message(&openid, &id)).await, 0);
        let expected = format!("<Status><![CDATA[{status}]]></Status>");
        until(async || {
            let pushes = callback.arrived();
            let opened = pushes.iter().skip(n + 1).filter_map(|push| crate::world::open(push, true).ok());
            let told = opened.into_iter().any(|push| push.xml.contains(&expected));
            tokio::task::yield_now().await;
            told.then_some(())
        })
        .await;
    }
    assert_eq!(inbox(&world).await, [Value::Null; 0]);
}

#[tokio::test]
async fn templates_are_managed() {
    let world = World::alone().await;
    assert_eq!(world.call(ADD, json!({ "template_id_short": "TM9" })).await["errcode"], 40037);
    let id = order_template(&world).await;
    let list = world.fetch("/cgi-bin/template/get_all_private_template?").await;
    let [template] = list["template_list"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&template["template_id"], &template["title"]), (&json!(id), &json!("订单状态通知")));
    assert_eq!(template["content"], "商品名称：{{thing2.DATA}}\n订单金额：{{amount3.DATA}}");
    assert_eq!(template["deputy_industry"], "互联网|电子商务");
    for _ in 1..25 {
        assert_eq!(world.errcode(ADD, json!({ "template_id_short": "TM00001" })).await, 0);
    }
    assert_eq!(world.errcode(ADD, json!({ "template_id_short": "TM00001" })).await, 45026);
    const DELETE: &str = "/cgi-bin/template/del_private_template";
    assert_eq!(world.errcode(DELETE, json!({ "template_id": id })).await, 0);
    assert_eq!(world.errcode(DELETE, json!({ "template_id": id })).await, 40037);
}

#[tokio::test]
async fn the_industry_changes_once_a_month() {
    let world = World::alone().await;
    const SET: &str = "/cgi-bin/template/api_set_industry";
    let unset = world.fetch("/cgi-bin/template/get_industry?").await;
    assert_eq!(unset["primary_industry"]["first_class"], "");
    assert_eq!(world.errcode(SET, json!({ "industry_id1": "1", "industry_id2": "99" })).await, 40102);
    assert_eq!(world.errcode(SET, json!({ "industry_id1": "1", "industry_id2": "13" })).await, 0);
    let industry = world.fetch("/cgi-bin/template/get_industry?").await;
    assert_eq!(
        industry["secondary_industry"],
        json!({ "first_class": "运输与仓储", "second_class": "快递" })
    );
    assert_eq!(world.errcode(SET, json!({ "industry_id1": "1", "industry_id2": "2" })).await, 43100);
    world.order("/_sim/clock", json!({ "advance_s": 31 * 86_400 })).await;
    assert_eq!(world.errcode(SET, json!({ "industry_id1": "1", "industry_id2": "2" })).await, 0);
}

#[tokio::test]
async fn a_template_of_ones_own_takes_any_text() {
    let (world, _callback, openid) = follower().await;
    let template = json!({
        "kind": "template", "template_id": "mine", "title": "提醒",
        "content": "{{first.DATA}}\n订单：{{order.DATA}}\n{{remark.DATA}}"
    });
    assert_eq!(world.order("/_sim/template", template).await, json!({ "template_id": "mine" }));
    let mini = json!({ "appid": "wx1", "pagepath": "index?a=1" });
    let message = json!({
        "touser": openid, "template_id": "mine", "url": "https://a.example", "miniprogram": mini,
        "data": { "order": { "value": "很长".repeat(30) } }
    });
    assert_eq!(world.errcode(SEND, message).await, 0);
    let shown = inbox(&world).await;
    assert_eq!(shown[0]["mini_program"], mini);
    assert_eq!(shown[0]["lines"], json!([{ "name": "订单", "value": "很长".repeat(30) }]));
    assert!(shown[0].get("url").is_none());
}

#[tokio::test]
async fn a_one_time_subscription_is_one_message() {
    const ONCE: &str = "/cgi-bin/message/template/subscribe";
    let world = World::alone().await;
    let consent = json!({ "as": "ming", "template_id": "once", "scene": 7, "accept": true });
    let answer = world.order("/_sim/subscribe", consent).await;
    assert_eq!(answer["action"], "confirm");
    let message = |scene: u64, title: &str, content: &str| {
        json!({
            "touser": answer["openid"], "template_id": "once", "scene": scene.to_string(), "title": title,
            "data": { "content": { "value": content, "color": "#000000" } }
        })
    };
    assert_eq!(world.errcode(ONCE, message(8, "到货", "来取")).await, 43101);
    assert_eq!(world.errcode(ONCE, message(7, &"长".repeat(16), "来取")).await, 45003);
    assert_eq!(world.errcode(ONCE, message(7, "到货", &"长".repeat(201))).await, 47003);
    assert_eq!(world.errcode(ONCE, message(7, "到货", "来取")).await, 0);
    assert_eq!(world.errcode(ONCE, message(7, "到货", "来取")).await, 43101);
    let shown = inbox(&world).await;
    assert_eq!((&shown[0]["title"], &shown[0]["lines"][0]["value"]), (&json!("到货"), &json!("来取")));
}
