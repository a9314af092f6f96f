//! Subscribe notifications of both apps.

use serde_json::{Value, json};

use crate::callback::Callback;
use crate::raw::get;
use crate::world::{MINI_APP_ID, World, event};

const ADD: &str = "/wxaapi/newtmpl/addtemplate";
const SEND: &str = "/cgi-bin/message/subscribe/bizsend";
const MINI_SEND: &str = "/cgi-bin/message/subscribe/send";

async fn api(world: &World, path: &str, token: &str, body: Value) -> Value {
    world.api(&format!("{path}?access_token={token}"), body).await
}

async fn look(world: &World, path: &str, token: &str) -> Value {
    let mark = if path.contains('?') { '&' } else { '?' };
    world.ask(get(format!("{path}{mark}access_token={token}"))).await.json()
}

async fn add(world: &World, token: &str, tid: u64, kids: &[u64]) -> String {
    let asked = json!({ "tid": tid, "kidList": kids, "sceneDesc": "测试" });
    api(world, ADD, token, asked).await["priTmplId"].as_str().unwrap().to_owned()
}

async fn accept(world: &World, id: &str) -> String {
    let order = json!({ "as": "ming", "template_id": id, "accept": true });
    world.order("/_sim/subscribe", order).await["openid"].as_str().unwrap().to_owned()
}

fn message(openid: &str, id: &str) -> Value {
    json!({ "touser": openid, "template_id": id, "page": "https://a.example",
            "data": { "thing1": { "value": "咖啡" }, "amount4": { "value": "￥9.90" } } })
}

#[tokio::test]
async fn one_consent_is_one_message_and_both_are_told() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let token = world.token().await;
    let id = add(&world, &token, 401, &[1, 4]).await;
    let openid = accept(&world, &id).await;
    let popup = event(&callback, "subscribe_msg_popup_event").await;
    let item = popup.child("SubscribeMsgPopupEvent").and_then(|event| event.child("List")).unwrap();
    assert_eq!(
        (item.get("TemplateId"), item.get("SubscribeStatusString")),
        (Some(id.as_str()), Some("accept"))
    );
    assert_eq!((item.get("PopupScene"), popup.get("FromUserName")), (Some("0"), Some(openid.as_str())));
    assert_eq!(world.errcode(SEND, message(&openid, &id)).await, 0);
    let sent = event(&callback, "subscribe_msg_sent_event").await;
    let item = sent.child("SubscribeMsgSentEvent").and_then(|event| event.child("List")).unwrap();
    assert_eq!((item.get("ErrorCode"), item.get("ErrorStatus")), (Some("0"), Some("success")));
    assert_eq!(world.errcode(SEND, message(&openid, &id)).await, 43101);
    let inbox = world.get("/_sim/inbox?as=ming").await;
    let card = &inbox["messages"][0]["shown"];
    assert_eq!((&card["title"], &card["url"]), (&json!("发货提醒"), &json!("https://a.example")));
    assert_eq!(card["lines"][1], json!({ "name": "金额", "value": "￥9.90" }));
}

#[tokio::test]
async fn whoever_refuses_gets_nothing() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let token = world.token().await;
    let id = add(&world, &token, 601, &[1, 2]).await;
    let refusal = json!({ "as": "ming", "template_id": id, "accept": false });
    let openid = world.order("/_sim/subscribe", refusal).await["openid"].as_str().unwrap().to_owned();
    let message = json!({ "touser": openid, "template_id": id,
                          "data": { "thing1": { "value": "一路" }, "car_number2": { "value": "粤A8Z888" } } });
    assert_eq!(world.errcode(SEND, message.clone()).await, 43101);
    accept(&world, &id).await;
    for _ in 0..3 {
        assert_eq!(world.errcode(SEND, message.clone()).await, 0, "a long-term consent lasts");
    }
    let order = json!({ "as": "ming", "template_id": id, "accept": false, "settings": true });
    world.order("/_sim/subscribe", order).await;
    let change = event(&callback, "subscribe_msg_change_event").await;
    let item = change.child("SubscribeMsgChangeEvent").and_then(|event| event.child("List")).unwrap();
    assert_eq!(item.get("SubscribeStatusString"), Some("reject"));
    assert_eq!(world.errcode(SEND, message).await, 43101);
}

#[tokio::test]
async fn fields_are_checked_before_the_consent_is_used() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let token = world.token().await;
    let id = add(&world, &token, 402, &[1, 4]).await;
    let openid = accept(&world, &id).await;
    let message = |phrase: &str, way: &str| {
        json!({ "touser": openid, "template_id": id,
                "data": { "phrase1": { "value": phrase }, "enum_string4": { "value": way } } })
    };
    for (phrase, way, words) in [
        ("审核没有通过", "自动", "data.phrase1.value invalid"),
        ("审核通过", "随便", "data.enum_string4.value invalid"),
        ("审核通过", "", "data.enum_string4.value is empty"),
    ] {
        let answer = api(&world, SEND, &token, message(phrase, way)).await;
        assert_eq!(answer["errcode"], 47003);
        assert!(answer["errmsg"].as_str().unwrap().contains(words), "{answer}");
    }
    assert_eq!(world.errcode(SEND, message("审核通过", "人工")).await, 0);
    assert_eq!(world.errcode(SEND, json!({ "touser": openid, "template_id": "?" })).await, 40037);
    assert_eq!(world.errcode(SEND, json!({ "touser": "nobody", "template_id": id })).await, 40003);
}

#[tokio::test]
async fn templates_are_chosen_from_the_library() {
    let world = World::alone().await;
    let token = world.token().await;
    let categories = look(&world, "/wxaapi/newtmpl/getcategory", &token).await;
    assert_eq!(categories["data"][0], json!({ "id": 616, "name": "公交" }));
    let path = "/wxaapi/newtmpl/getpubtemplatetitles?ids=616,670&start=1&limit=1";
    let titles = look(&world, path, &token).await;
    assert_eq!((&titles["count"], &titles["data"][0]["tid"]), (&json!(3), &json!(402)));
    let keywords = look(&world, "/wxaapi/newtmpl/getpubtemplatekeywords?tid=402", &token).await;
    assert_eq!(
        keywords["data"][0],
        json!({ "kid": 1, "name": "审核状态", "example": "审核通过", "rule": "phrase" })
    );
    for (path, code) in [
        ("/wxaapi/newtmpl/getpubtemplatetitles?start=0&limit=30", 200_018),
        ("/wxaapi/newtmpl/getpubtemplatetitles?ids=616&limit=30", 200_016),
        ("/wxaapi/newtmpl/getpubtemplatetitles?ids=616&start=0&limit=31", 200_017),
        ("/wxaapi/newtmpl/getpubtemplatekeywords?tid=9", 200_014),
    ] {
        assert_eq!(look(&world, path, &token).await["errcode"], code, "{path}");
    }
    for (asked, code) in [
        (json!({ "tid": 9, "kidList": [1, 2] }), 200_014),
        (json!({ "tid": 402, "kidList": [1] }), 200_020),
        (json!({ "tid": 402, "kidList": [1, 1] }), 200_020),
        (json!({ "tid": 402, "kidList": [1, 9] }), 200_020),
        (json!({ "tid": 402, "kidList": [1, 2], "sceneDesc": "长".repeat(16) }), 200_021),
    ] {
        assert_eq!(world.errcode(ADD, asked.clone()).await, code, "{asked}");
    }
    let id = add(&world, &token, 402, &[4, 1]).await;
    let listed = look(&world, "/wxaapi/newtmpl/gettemplate", &token).await;
    let template = &listed["data"][0];
    assert_eq!(template["content"], "处理方式:{{enum_string4.DATA}}\n审核状态:{{phrase1.DATA}}\n");
    let options = json!([{ "enumValueList": ["自动", "人工"], "keywordCode": "enum_string4.DATA" }]);
    assert_eq!((&template["type"], &template["keywordEnumValueList"]), (&json!(2), &options));
    let delete = "/wxaapi/newtmpl/deltemplate";
    assert_eq!(world.errcode(delete, json!({ "priTmplId": id })).await, 0);
    assert_eq!(world.errcode(delete, json!({ "priTmplId": id })).await, 40037);
}

#[tokio::test]
async fn the_mini_program_has_its_own_templates_consents_and_openids() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let (official, mini) = (world.token().await, world.mini_token().await);
    let id = add(&world, &mini, 401, &[1, 4]).await;
    assert_eq!(look(&world, "/wxaapi/newtmpl/gettemplate", &official).await["data"], json!([]));
    let openid = accept(&world, &id).await;
    let popup = event(&callback, "subscribe_msg_popup_event").await;
    assert_eq!(popup.get("FromUserName"), Some(openid.as_str()));
    assert_ne!(popup.get("ToUserName"), world.get("/_sim/account").await["original_id"].as_str());
    let send = async |more: Value| {
        let mut message = message(&openid, &id);
        message["page"] = json!("pages/order?id=1");
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        api(&world, MINI_SEND, &mini, message).await["errcode"].clone()
    };
    assert_eq!(send(json!({ "lang": "fr" })).await, 47003);
    world.order("/_sim/mini", json!({ "pages": ["pages/index"] })).await;
    assert_eq!(send(json!({})).await, 41030);
    world.order("/_sim/mini", json!({ "pages": null })).await;
    assert_eq!(send(json!({ "miniprogram_state": "developer", "lang": "zh_CN" })).await, 0);
    assert_eq!(send(json!({})).await, 43101);
    let inbox = world.get("/_sim/inbox?as=ming").await;
    let target = json!({ "appid": MINI_APP_ID, "pagepath": "pages/order?id=1" });
    assert_eq!(inbox["messages"][0]["shown"]["mini_program"], target);
    assert_eq!(api(&world, MINI_SEND, &official, json!({})).await["errcode"], 40001, "another app's token");
    assert_eq!(api(&world, SEND, &mini, json!({})).await["errcode"], 40001);
}
