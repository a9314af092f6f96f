//! Drafts, and what becomes of them.

use serde_json::{Value, json};
use wxapi::wechat::xml::parse_xml;

use crate::callback::Callback;
use crate::raw::{Got, get, post};
use crate::world::{JPEG, PNG, World, echo, open, until};

async fn cover(world: &World) -> Value {
    world.upload("/cgi-bin/material/add_material?type=thumb", "a.jpg", JPEG, &[]).await["media_id"].clone()
}

fn article(title: &str, cover: &Value) -> Value {
    json!({ "title": title, "author": "我", "content": "<p>正文</p>", "thumb_media_id": cover })
}

async fn add(world: &World, articles: &[Value]) -> Value {
    let added = world.call("/cgi-bin/draft/add", json!({ "articles": articles })).await;
    assert!(added["media_id"].is_string(), "{added}");
    added["media_id"].clone()
}

async fn publish(world: &World, draft: &Value) -> Value {
    let submitted = world.call("/cgi-bin/freepublish/submit", json!({ "media_id": draft })).await;
    assert_eq!(submitted["errcode"], 0, "{submitted}");
    world.call("/cgi-bin/freepublish/get", json!({ "publish_id": submitted["publish_id"] })).await
}

async fn page(world: &World, url: &Value) -> Got {
    let path = url.as_str().unwrap().splitn(4, '/').nth(3).unwrap();
    world.ask(get(format!("/{path}"))).await
}

#[tokio::test]
async fn a_draft_is_written_changed_listed_and_deleted() {
    let world = World::alone().await;
    let cover = cover(&world).await;
    let first = add(&world, &[article("一", &cover)]).await;
    let second = add(&world, &[article("二", &cover), article("三", &cover)]).await;
    let read = async |id: &Value| world.call("/cgi-bin/draft/get", json!({ "media_id": id })).await;
    let got = read(&first).await;
    let item = &got["news_item"][0];
    assert_eq!(
        (&item["title"], &item["article_type"], &item["digest"]),
        (&json!("一"), &json!("news"), &json!("正文"))
    );
    assert!(page(&world, &item["url"]).await.text().contains("<p>正文</p>"), "a preview");
    assert_eq!(page(&world, &item["thumb_url"]).await.body, JPEG);
    assert_eq!(read(&second).await["news_item"][1]["digest"], "", "only a single article has one of its own");

    let update = async |index: u64| {
        let changed = json!({ "media_id": second, "index": index, "articles": article("新", &cover) });
        world.errcode("/cgi-bin/draft/update", changed).await
    };
    assert_eq!((update(1).await, update(2).await), (0, 40114));
    assert_eq!(read(&second).await["news_item"][1]["title"], "新");
    assert_eq!(world.fetch("/cgi-bin/draft/count").await["total_count"], 2);
    let listed =
        world.call("/cgi-bin/draft/batchget", json!({ "offset": 0, "count": 20, "no_content": 1 })).await;
    assert_eq!((&listed["total_count"], &listed["item"][0]["media_id"]), (&json!(2), &second));
    assert_eq!(listed["item"][0]["content"]["news_item"][0].get("content"), None);
    assert_eq!(world.call("/cgi-bin/draft/switch?checkonly=1", json!({})).await["is_open"], 1);
    let delete = async |id: &Value| world.errcode("/cgi-bin/draft/delete", json!({ "media_id": id })).await;
    assert_eq!((delete(&first).await, delete(&first).await), (0, 40007));
    assert_eq!(read(&first).await["errcode"], 40007);
}

#[tokio::test]
async fn each_limit_of_an_article_has_its_code() {
    let world = World::alone().await;
    let cover = cover(&world).await;
    let temporary = world.upload("/cgi-bin/media/upload?type=thumb", "a.jpg", JPEG, &[]).await;
    let with = |name: &str, value: Value| {
        let mut article = article("题", &cover);
        article[name] = value;
        json!({ "articles": [article] })
    };
    let long = |length: usize| json!("长".repeat(length));
    let cases = [
        (with("title", long(33)), 45003),
        (with("title", json!("")), 45003),
        (with("author", long(17)), 45110),
        (with("digest", long(129)), 45004),
        (with("content", long(20_000)), 45002),
        (with("content", json!("")), 44004),
        (with("content_source_url", json!("x".repeat(1025))), 45005),
        (with("thumb_media_id", temporary["thumb_media_id"].clone()), 40007),
        (with("article_type", json!("poem")), 40035),
        (with("article_type", json!("newspic")), 40035),
        (json!({ "articles": [] }), 44003),
        (json!({ "articles": vec![article("题", &cover); 9] }), 45008),
    ];
    for (asked, expected) in cases {
        assert_eq!(world.errcode("/cgi-bin/draft/add", asked).await, expected);
    }
    for fits in [
        with("title", long(32)),
        with("content", long(19_999)),
        json!({ "articles": vec![article("题", &cover); 8] }),
    ] {
        assert!(world.call("/cgi-bin/draft/add", fits).await["media_id"].is_string());
    }
}

#[tokio::test]
async fn what_wechat_does_to_a_text_happens_here() {
    let world = World::alone().await;
    let cover = cover(&world).await;
    let url =
        world.upload("/cgi-bin/media/uploadimg", "a.png", PNG, &[]).await["url"].as_str().unwrap().to_owned();
    let mut wanted = article("题", &cover);
    let (own, other) = (format!("<img src=\"{url}\">"), "<img src=\"https://example.com/a.png\">");
    wanted["content"] = json!(format!("<p>一</p>{own}{other}<script>alert(1)</script>"));
    let draft = add(&world, &[wanted]).await;
    let got = world.call("/cgi-bin/draft/get", json!({ "media_id": draft })).await;
    assert_eq!(got["news_item"][0]["content"], format!("<p>一</p>{own}"));

    let path = format!("/cgi-bin/draft/add?access_token={}", world.token().await);
    let escaped = article("题", &cover).to_string().replace('题', r"\u9898");
    let added = world.ask(post(path, format!("{{\"articles\":[{escaped}]}}"))).await.json();
    let got = world.call("/cgi-bin/draft/get", json!({ "media_id": added["media_id"] })).await;
    assert_eq!(got["news_item"][0]["title"], r"\u9898", "as everyone sees it");
}

#[tokio::test]
async fn publishing_tells_the_account_and_everyone_can_read() {
    let callback = echo(true).await;
    let world = World::new(&callback.url).await;
    let cover = cover(&world).await;
    let draft = add(&world, &[article("<一>", &cover), article("二", &cover)]).await;
    let status = publish(&world, &draft).await;
    assert_eq!(status["publish_status"], 0);
    let push = until(async || callback.arrived().pop()).await;
    let fields = parse_xml(&open(&push, true).unwrap().xml).unwrap();
    assert_eq!((fields.get("Event"), fields.get("EventKey")), (Some("PUBLISHJOBFINISH"), None));
    let info = fields.child("PublishEventInfo").unwrap();
    assert_eq!(info.get("publish_id"), status["publish_id"].as_str());
    assert_eq!(
        (info.get("publish_status"), info.get("article_id")),
        (Some("0"), status["article_id"].as_str())
    );
    let detail = info.child("article_detail").unwrap();
    let urls: Vec<_> = detail.children("item").map(|item| item.owned("article_url")).collect();
    assert_eq!((detail.get("count"), urls.len()), (Some("2"), 2));
    let text =
        json!({ "touser": fields.get("FromUserName"), "msgtype": "text", "text": { "content": "谢谢" } });
    assert_eq!(world.errcode("/cgi-bin/message/custom/send", text).await, 40003, "it came from no follower");

    let first = page(&world, &json!(urls[0])).await;
    assert!(first.text().contains("<h1>&lt;一&gt;</h1>") && first.headers.contains("default-src 'none'"));
    assert!(page(&world, &json!(urls[1])).await.text().contains("<h1>二</h1>"));
    assert_eq!(page(&world, &json!("http://x/s/nothing")).await.status, 404);
    assert_eq!(page(&world, &json!(format!("{}?idx=0", urls[0]))).await.status, 404);
    assert_eq!(
        world.errcode("/cgi-bin/draft/get", json!({ "media_id": draft })).await,
        40007,
        "out of the box"
    );
    assert_eq!(world.errcode("/cgi-bin/freepublish/submit", json!({ "media_id": draft })).await, 40007);
}

#[tokio::test]
async fn what_was_published_is_listed_until_it_is_deleted() {
    let world = World::alone().await;
    let cover = cover(&world).await;
    let draft = add(&world, &[article("一", &cover), article("二", &cover)]).await;
    let status = publish(&world, &draft).await;
    let id = &status["article_id"];
    let list = async || world.call("/cgi-bin/freepublish/batchget", json!({ "offset": 0, "count": 1 })).await;
    let item = list().await["item"][0].clone();
    assert_eq!((&item["article_id"], &item["content"]["news_item"][1]["title"]), (id, &json!("二")));
    let news = world.call("/cgi-bin/material/get_material", json!({ "media_id": draft })).await;
    assert_eq!(news["news_item"][0]["title"], "一");
    let material = json!({ "type": "news", "offset": 0, "count": 1 });
    let material = world.call("/cgi-bin/material/batchget_material", material).await;
    assert_eq!((&material["total_count"], &material["item"][0]["media_id"]), (&json!(1), &draft));

    let delete = async |index: u64| {
        let asked = json!({ "article_id": id, "index": index });
        world.errcode("/cgi-bin/freepublish/delete", asked).await
    };
    assert_eq!((delete(1).await, delete(3).await), (0, 40114));
    let left = world.call("/cgi-bin/freepublish/getarticle", json!({ "article_id": id })).await;
    let deleted: Vec<_> =
        left["news_item"].as_array().unwrap().iter().map(|item| &item["is_deleted"]).collect();
    assert_eq!(deleted, [true, false]);
    let urls = &status["article_detail"]["item"];
    assert_eq!(page(&world, &urls[0]["article_url"]).await.status, 404);
    assert_eq!(page(&world, &urls[1]["article_url"]).await.status, 200);
    assert_eq!((delete(0).await, delete(0).await), (0, 53600));
    assert_eq!(list().await["total_count"], 0);
    let asked = json!({ "publish_id": status["publish_id"] });
    assert_eq!(world.call("/cgi-bin/freepublish/get", asked).await["publish_status"], 5);
    assert_eq!(world.errcode("/cgi-bin/freepublish/get", json!({ "publish_id": "1" })).await, 53502);
}

#[tokio::test]
async fn articles_can_be_sent_and_put_on_the_menu() {
    let callback = Callback::answering("success").await;
    let world = World::new(&callback.url).await;
    let openid = world.send(json!({ "text": "hi" })).await["openid"].clone();
    let image =
        world.upload("/cgi-bin/material/add_material?type=image", "a.png", PNG, &[]).await["media_id"]
            .clone();
    let images = json!({ "image_list": [{ "image_media_id": image }] });
    let pictures =
        json!({ "article_type": "newspic", "title": "图", "content": "<b>", "image_info": images });
    let draft = add(&world, &[pictures]).await;
    let send = async |msgtype: &str, payload: Value| {
        let message = json!({ "touser": openid, "msgtype": msgtype, msgtype: payload });
        world.errcode("/cgi-bin/message/custom/send", message).await
    };
    assert_eq!(send("mpnews", json!({ "media_id": draft })).await, 0);
    let status = publish(&world, &draft).await;
    let id = &status["article_id"];
    assert_eq!(send("mpnewsarticle", json!({ "article_id": id })).await, 0);
    let button = json!({ "type": "article_view_limited", "name": "文", "article_id": id });
    assert_eq!(world.errcode("/cgi-bin/menu/create", json!({ "button": [button] })).await, 0);
    let inbox = world.get("/_sim/inbox?as=xiaoming").await;
    let shown = &inbox["messages"][1]["shown"];
    assert_eq!((&shown["type"], &shown["articles"][0]["title"]), (&json!("news"), &json!("图")));
    assert_eq!(page(&world, &shown["articles"][0]["pic_url"]).await.body, PNG);
    let text = page(&world, &shown["articles"][0]["url"]).await.text();
    assert!(text.contains("<p>&lt;b&gt;</p>") && text.contains("/_sim/media/"), "{text}");
}
