//! Mass messages.

use serde_json::{Value, json};

use crate::callback::Callback;
use crate::raw::get;
use crate::world::{JPEG, PNG, World, event};

const ALL: &str = "/cgi-bin/message/mass/sendall";
const SEND: &str = "/cgi-bin/message/mass/send";
const DELETE: &str = "/cgi-bin/message/mass/delete";

/// A world that these people follow the account in; their openids.
async fn followed_by(names: &[&str]) -> (World, Callback, Vec<String>) {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let mut openids = Vec::new();
    for name in names {
        openids.push(world.follower(name).await);
    }
    (world, callback, openids)
}

fn to_all(content: &str) -> Value {
    json!({ "filter": { "is_to_all": true }, "msgtype": "text", "text": { "content": content } })
}

fn to(openids: &[String], content: &str) -> Value {
    json!({ "touser": openids, "msgtype": "text", "text": { "content": content } })
}

async fn received(world: &World, name: &str) -> usize {
    world.get(&format!("/_sim/inbox?as={name}")).await["messages"].as_array().unwrap().len()
}

#[tokio::test]
async fn followers_get_it_and_the_result_is_told() {
    let (world, callback, _) = followed_by(&["ming", "hong", "gone"]).await;
    world.send(json!({ "as": "gone", "event": { "type": "unsubscribe" } })).await;
    let answer = world.call(ALL, to_all("大家好")).await;
    assert_eq!((&answer["errcode"], &answer["errmsg"]), (&json!(0), &json!("send job submission success")));
    let result = event(&callback, "MASSSENDJOBFINISH").await;
    assert_eq!(result.number::<u64>("MsgID"), answer["msg_id"].as_u64());
    let counts =
        ["Status", "TotalCount", "FilterCount", "SentCount", "ErrorCount"].map(|name| result.owned(name));
    assert_eq!(counts, ["send success", "2", "2", "2", "0"]);
    assert!(result.get("EventKey").is_none());
    assert_eq!((received(&world, "ming").await, received(&world, "gone").await), (1, 0));
    let status = world.call("/cgi-bin/message/mass/get", json!({ "msg_id": answer["msg_id"] })).await;
    assert_eq!(status, json!({ "msg_id": answer["msg_id"], "msg_status": "SEND_SUCCESS" }));
    assert_eq!(world.errcode(DELETE, json!({ "msg_id": answer["msg_id"] })).await, 40035, "a text stays");
    assert_eq!(world.errcode(DELETE, json!({ "msg_id": 1 })).await, 40035);
    let people = world.get("/_sim/people").await;
    assert_eq!(people.as_array().unwrap().len(), 3, "the platform is nobody: {people}");
}

#[tokio::test]
async fn who_does_not_follow_is_an_error_of_a_list() {
    let (world, callback, mut openids) = followed_by(&["ming", "gone"]).await;
    world.send(json!({ "as": "gone", "event": { "type": "unsubscribe" } })).await;
    openids.push("oAbCd1234567890abcdefghijkl_".to_owned());
    assert_eq!(world.errcode(SEND, to(&openids, "你们好")).await, 0);
    let result = event(&callback, "MASSSENDJOBFINISH").await;
    let counts = ["TotalCount", "FilterCount", "SentCount", "ErrorCount"].map(|name| result.owned(name));
    assert_eq!(counts, ["3", "3", "1", "2"]);
}

#[tokio::test]
async fn tags_choose_and_the_blacklist_filters() {
    let (world, callback, openids) = followed_by(&["ming", "hong", "gang"]).await;
    let tag =
        world.call("/cgi-bin/tags/create", json!({ "tag": { "name": "朋友" } })).await["tag"]["id"].clone();
    let tagged = json!({ "openid_list": &openids[..2], "tagid": tag });
    assert_eq!(world.errcode("/cgi-bin/tags/members/batchtagging", tagged).await, 0);
    let ban = json!({ "openid_list": [openids[1]] });
    assert_eq!(world.errcode("/cgi-bin/tags/members/batchblacklist", ban).await, 0);
    let to_tag = |tag: &Value| {
        let filter = json!({ "is_to_all": false, "tag_id": tag });
        json!({ "filter": filter, "msgtype": "text", "text": { "content": "朋友们好" } })
    };
    assert_eq!(world.errcode(ALL, to_tag(&json!(999))).await, 45159);
    assert_eq!(world.errcode(ALL, to_tag(&tag)).await, 0);
    let result = event(&callback, "MASSSENDJOBFINISH").await;
    let counts = ["TotalCount", "FilterCount", "SentCount", "ErrorCount"].map(|name| result.owned(name));
    assert_eq!(counts, ["2", "1", "1", "0"]);
    let got =
        [received(&world, "ming").await, received(&world, "hong").await, received(&world, "gang").await];
    assert_eq!(got, [1, 0, 0]);
}

#[tokio::test]
async fn a_person_is_reached_once_a_day_or_four_times_a_month() {
    for (account, times) in [("subscription", 1), ("service", 4)] {
        let (world, _callback, _) = followed_by(&["ming"]).await;
        world.order("/_sim/account", json!({ "type": account })).await;
        for n in 0..times {
            assert_eq!(world.errcode(ALL, to_all(&format!("第{n}条"))).await, 0, "{account} {n}");
        }
        assert_eq!(world.errcode(ALL, to_all("再来一条")).await, 45028, "{account}");
        let days = if account == "service" { 31 } else { 1 };
        world.order("/_sim/clock", json!({ "advance_s": days * 86_400 })).await;
        assert_eq!(world.errcode(ALL, to_all("又一条")).await, 0, "{account}");
        assert_eq!(received(&world, "ming").await, times + 1);
    }
}

#[tokio::test]
async fn a_repetition_is_known() {
    let (world, _callback, openids) = followed_by(&["ming", "hong"]).await;
    let message = |client: Option<&str>| {
        let mut message = to(&openids, "你们好");
        message["clientmsgid"] = client.map_or(Value::Null, Value::from);
        message
    };
    let first = world.call(SEND, message(Some("a"))).await;
    let again = world.call(SEND, message(Some("a"))).await;
    assert_eq!((&again["errcode"], &again["msg_id"]), (&json!(45065), &first["msg_id"]));
    assert_eq!(world.errcode(SEND, message(Some("a"))).await, 45066);
    assert_eq!(world.errcode(SEND, message(Some(&"a".repeat(33)))).await, 45067);
    assert_eq!(world.errcode(SEND, message(None)).await, 0);
    assert_eq!(world.errcode(SEND, message(None)).await, 45065, "the content is known, too");
    world.order("/_sim/clock", json!({ "advance_s": 86_400 })).await;
    assert_eq!(world.errcode(SEND, message(Some("a"))).await, 0);
}

#[tokio::test]
async fn audiences_and_messages_are_checked() {
    let (world, _callback, openids) = followed_by(&["ming", "hong"]).await;
    let picture =
        world.upload("/cgi-bin/media/upload?type=image", "a.png", PNG, &[]).await["media_id"].clone();
    let cases = [
        (ALL, json!({ "msgtype": "text", "text": { "content": "x" } }), 40035),
        (
            ALL,
            json!({ "filter": { "is_to_all": false }, "msgtype": "text", "text": { "content": "x" } }),
            40035,
        ),
        (ALL, to_all(""), 44004),
        (ALL, json!({ "filter": { "is_to_all": true }, "msgtype": "mpnews", "mpnews": {} }), 40007),
        (ALL, json!({ "filter": { "is_to_all": true }, "msgtype": "music", "music": {} }), 40008),
        (
            ALL,
            json!({ "filter": { "is_to_all": true }, "msgtype": "image", "images": { "media_ids": [] } }),
            40007,
        ),
        (SEND, to(&openids[..1], "x"), 40130),
        (SEND, to(&vec![openids[0].clone(); 10_001], "x"), 40032),
        (SEND, json!({ "touser": openids, "msgtype": "wxcard", "wxcard": { "card_id": "c" } }), 0),
        (
            SEND,
            json!({ "touser": openids, "msgtype": "image", "images": { "media_ids": ["nothing"] } }),
            40007,
        ),
        (SEND, json!({ "touser": openids, "msgtype": "voice", "voice": { "media_id": picture } }), 40007),
        (
            SEND,
            json!({ "touser": openids, "msgtype": "image", "images": { "media_ids": [picture, picture] } }),
            0,
        ),
    ];
    for (path, body, code) in cases {
        assert_eq!(world.errcode(path, body.clone()).await, code, "{path} {body}");
    }
    assert_eq!(received(&world, "ming").await, 3);
    for (account, all, send) in
        [("personal", 48001, 48001), ("test", 48001, 48001), ("subscription", 45028, 48001)]
    {
        world.order("/_sim/account", json!({ "type": account })).await;
        assert_eq!(world.errcode(ALL, to_all(account)).await, all, "{account}");
        assert_eq!(world.errcode(SEND, to(&openids, account)).await, send, "{account}");
    }
}

/// Sends two articles to all: the answer, and the draft's media id.
async fn send_articles(world: &World) -> (Value, Value) {
    let cover = world.upload("/cgi-bin/material/add_material?type=thumb", "a.jpg", JPEG, &[]).await;
    let article = |title: &str| json!({ "title": title, "content": "<p>正文</p>", "thumb_media_id": cover["media_id"] });
    let drafted =
        world.call("/cgi-bin/draft/add", json!({ "articles": [article("一"), article("二")] })).await;
    let message = json!({
        "filter": { "is_to_all": true }, "msgtype": "mpnews", "mpnews": { "media_id": drafted["media_id"] },
        "send_ignore_reprint": 0
    });
    (world.call(ALL, message).await, drafted["media_id"].clone())
}

#[tokio::test]
async fn articles_have_addresses() {
    let (world, callback, _) = followed_by(&["ming"]).await;
    let (answer, _) = send_articles(&world).await;
    assert!(answer["msg_data_id"].is_u64(), "{answer}");
    let result = event(&callback, "MASSSENDJOBFINISH").await;
    let urls = result.child("ArticleUrlResult").unwrap();
    let second = urls.child("ResultList").unwrap().children("item").nth(1).unwrap();
    assert_eq!((urls.get("Count"), second.get("ArticleIdx")), (Some("2"), Some("2")));
    let inbox = world.get("/_sim/inbox?as=ming").await;
    assert_eq!(inbox["messages"][0]["shown"]["articles"][1]["url"].as_str(), second.get("ArticleUrl"));
}

#[tokio::test]
async fn what_was_sent_is_no_draft_any_more_and_its_pages_can_be_deleted() {
    let (world, _, _) = followed_by(&["ming"]).await;
    let (answer, media_id) = send_articles(&world).await;
    assert_eq!(world.fetch("/cgi-bin/draft/count").await["total_count"], 0);
    assert_eq!(world.errcode("/cgi-bin/draft/get", json!({ "media_id": media_id })).await, 40007);
    let page = async |number: u32| {
        let path = format!("/s/{}?idx={number}", media_id.as_str().unwrap());
        world.ask(get(path)).await.status
    };
    assert_eq!((page(1).await, page(2).await), (200, 200));
    let delete = async |article: Value| {
        world.errcode(DELETE, json!({ "msg_id": answer["msg_id"], "article_idx": article })).await
    };
    assert_eq!(delete(json!(3)).await, 40114);
    assert_eq!((delete(json!(1)).await, page(1).await, page(2).await), (0, 404, 200));
    let status =
        async || world.call("/cgi-bin/message/mass/get", json!({ "msg_id": answer["msg_id"] })).await;
    assert_eq!(status().await["msg_status"], "SEND_SUCCESS", "one is left");
    assert_eq!((delete(json!(0)).await, page(2).await), (0, 404));
    assert_eq!(status().await["msg_status"], "DELETE");
}

#[tokio::test]
async fn refused_words_reach_nobody() {
    let (world, callback, _) = followed_by(&["ming"]).await;
    let answer = world.call(ALL, to_all("来赌博")).await;
    let result = event(&callback, "MASSSENDJOBFINISH").await;
    assert_eq!((result.get("Status"), result.get("SentCount")), (Some("err(20006)"), Some("0")));
    let status = world.call("/cgi-bin/message/mass/get", json!({ "msg_id": answer["msg_id"] })).await;
    assert_eq!((&status["msg_status"], received(&world, "ming").await), (&json!("SEND_FAIL"), 0));
}

#[tokio::test]
async fn previews_reach_one_person() {
    const PREVIEW: &str = "/cgi-bin/message/mass/preview";
    let (world, _callback, openids) = followed_by(&["ming", "hong"]).await;
    let message = |more: Value| {
        let mut message = json!({ "msgtype": "text", "text": { "content": "预览" } });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    let both = message(json!({ "touser": openids[0], "towxname": "hong" }));
    let answer = world.call(PREVIEW, both).await;
    assert_eq!(answer["errmsg"], "preview success");
    assert_eq!(
        (received(&world, "ming").await, received(&world, "hong").await),
        (0, 1),
        "the name goes first"
    );
    assert_eq!(world.errcode(PREVIEW, message(json!({ "touser": openids[0] }))).await, 0);
    assert_eq!(world.errcode(PREVIEW, message(json!({ "towxname": "nobody" }))).await, 40132);
    assert_eq!(world.errcode(PREVIEW, message(json!({ "touser": "nobody" }))).await, 40003);
    for _ in 4..99 {
        world.errcode(PREVIEW, message(json!({ "towxname": "nobody" }))).await;
    }
    assert_eq!(world.errcode(PREVIEW, message(json!({ "towxname": "hong" }))).await, 0, "the hundredth");
    assert_eq!(world.errcode(PREVIEW, message(json!({ "towxname": "hong" }))).await, 45009);
}

#[tokio::test]
async fn the_speed_has_five_levels() {
    let world = World::alone().await;
    let speed = async || world.call("/cgi-bin/message/mass/speed/get", json!({})).await;
    assert_eq!(speed().await, json!({ "speed": 0, "realspeed": 80 }));
    assert_eq!(world.errcode("/cgi-bin/message/mass/speed/set", json!({ "speed": 3 })).await, 0);
    assert_eq!(speed().await, json!({ "speed": 3, "realspeed": 30 }));
    assert_eq!(world.errcode("/cgi-bin/message/mass/speed/set", json!({ "speed": 5 })).await, 45083);
    assert_eq!(world.errcode("/cgi-bin/message/mass/speed/set", json!({})).await, 45084);
}
