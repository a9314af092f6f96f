//! Rules in the chat: what they answer, when, and how a conversation goes to a person and back.

use serde_json::{Value, json};
use wxapi::gateway::record::Kind;
use wxapi::handlers::records;
use wxapi::wechat::xml::parse_xml;

use crate::world::admin::settings;
use crate::world::{USER, World, reply_text, run, see};

/// A world whose account has these rules, made by `/admin`.
pub async fn world_with(rules: &[Value], more: &[(&str, &str)]) -> World {
    let world = World::new(&[settings(), more.to_vec()].concat());
    for rule in rules {
        let (status, made) = world.admin("POST", "/admin/rules", Some(rule)).await;
        assert_eq!(status, 201, "{made}");
    }
    world
}

pub fn rule(when: Value, reply: Value) -> Value {
    json!({ "name": "a rule", "when": when, "reply": reply })
}

fn says(word: &str, text: &str) -> Value {
    rule(json!({ "texts": [{ "match": "exact", "text": word }] }), json!({ "type": "text", "text": text }))
}

fn hands_over(word: &str) -> Value {
    let when = json!({ "texts": [{ "match": "exact", "text": word }] });
    rule(when, json!({ "type": "hand_over", "kf_account": "kf1@gh" }))
}

/// The reply to one delivery, as XML.
async fn reply(world: &World, document: &str) -> String {
    let response = world.deliver_once(document).await;
    assert_eq!(response.status, 200);
    response.body
}

fn kind(body: &str) -> String {
    if body == "success" {
        return String::new();
    }
    parse_xml(body).unwrap().get("MsgType").unwrap().to_owned()
}

/// The type of the reply to a text of the user's.
async fn kind_of(world: &World, text: &str) -> String {
    kind(&reply(world, &world.text(USER, text)).await)
}

fn event(world: &World, elements: &str) -> String {
    let document = world.message(USER, &format!("<MsgType>event</MsgType>{elements}"));
    let (start, _) = document.split_once("<MsgId>").unwrap();
    format!("{start}</xml>")
}

#[test]
fn a_rule_answers_before_the_model_and_commands_before_rules() {
    run(async {
        let world =
            world_with(&[says("Price", "10 yuan"), says("/help", "never"), says("help", "never")], &[]).await;
        see(&world, "ｐｒｉｃｅ", 1, "10 yuan").await;
        assert!(world.model_calls().is_empty());
        see(&world, "prices", 1, "Answer to prices").await;
        see(&world, "help", 1, "Just write to me").await;
        see(&world, "/help", 1, "Just write to me").await;
        let (_, metrics) =
            (0, world.send(crate::world::admin::admin_request("GET", "/metrics", b"")).await.body);
        assert!(metrics.contains("wxapi_rules_total{kind=\"text\"} 1\n"), "{metrics}");
    });
}

#[test]
fn the_first_rule_in_order_answers() {
    run(async {
        let world = world_with(&[says("a", "first"), says("a", "second")], &[]).await;
        see(&world, "a", 1, "first").await;
        let (_, order) = world.admin("GET", "/admin/rules/order", None).await;
        let ids = order["ids"].as_array().unwrap();
        let (status, _) = world.admin("PUT", "/admin/rules/order", Some(&json!({ "ids": [ids[1]] }))).await;
        assert_eq!(status, 200);
        see(&world, "a", 1, "second").await;
    });
}

#[test]
fn a_repeated_delivery_gets_the_same_reply_though_the_rule_changed() {
    run(async {
        let world = world_with(&[says("a", "first")], &[]).await;
        let message = world.text(USER, "a");
        let first = reply(&world, &message).await;
        let (_, list) = world.admin("GET", "/admin/rules", None).await;
        let path = format!("/admin/rules/{}", list["items"][0]["id"].as_str().unwrap());
        assert_eq!(world.admin("PUT", &path, Some(&says("a", "other"))).await.0, 200);
        world.pass(3_000).await;
        assert_eq!(reply(&world, &message).await, first);
        world.crash();
        assert_eq!(reply(&world, &message).await, first);
        see(&world, "a", 1, "other").await;
        let document: Value = serde_json::from_str(&world.disk(USER).document().unwrap()).unwrap();
        assert_eq!(document["replies"][0]["body"], json!(first));
    });
}

#[test]
fn every_kind_of_message_and_event_can_have_a_rule() {
    run(async {
        let image = json!({ "type": "image", "media_id": "m1" });
        let news = json!({ "type": "news", "articles": [{ "title": "t" }, { "title": "u" }] });
        let types =
            json!({ "types": ["video", "shortvideo", "location", "link", "file", "miniprogrampage"] });
        let events = json!({ "events": [{ "event": "scan", "key": "9" }, { "event": "click", "key": "k" }, { "event": "scancode_waitmsg" }] });
        let silent = rule(json!({ "types": ["voice"] }), json!({ "type": "silent" }));
        let world = world_with(&[rule(types, image), rule(events, news), silent], &[]).await;
        for elements in [
            "<MsgType>video</MsgType><MediaId>v</MediaId>",
            "<MsgType>location</MsgType><Location_X>1</Location_X><Location_Y>2</Location_Y>",
            "<MsgType>link</MsgType><Title>t</Title><Url>https://x</Url>",
            "<MsgType>file</MsgType><Title>t</Title>",
        ] {
            assert_eq!(kind(&reply(&world, &world.message(USER, elements)).await), "image", "{elements}");
        }
        let voice = world.message(USER, "<MsgType>voice</MsgType><MediaId>v</MediaId><Format>amr</Format>");
        assert_eq!(reply(&world, &voice).await, "success");
        for (elements, expected) in [
            ("<Event>SCAN</Event><EventKey>9</EventKey>", "news"),
            ("<Event>SCAN</Event><EventKey>8</EventKey>", ""),
            ("<Event>CLICK</Event><EventKey>k</EventKey>", "news"),
            ("<Event>CLICK</Event><EventKey>/help</EventKey>", "text"),
            ("<Event>scancode_waitmsg</Event><EventKey>z</EventKey>", "news"),
            ("<Event>VIEW</Event><EventKey>k</EventKey>", ""),
            ("<Event>LOCATION</Event><Latitude>1</Latitude>", ""),
        ] {
            let document = event(&world, elements);
            let first = reply(&world, &document).await;
            assert_eq!(kind(&first), expected, "{elements}");
            world.pass(1_000).await;
            assert_eq!(reply(&world, &document).await, first, "{elements}");
        }
        assert!(world.model_calls().is_empty());
    });
}

#[test]
fn echo_and_image_exchange_are_ready() {
    run(async {
        let world = world_with(&[], &[]).await;
        for name in ["echo", "image-exchange", "echo"] {
            let (status, made) = world.admin("POST", &format!("/admin/rules/examples/{name}"), None).await;
            assert_eq!((status, &made["id"]), (201, &json!(format!("example-{name}"))));
        }
        see(&world, "好 <&>", 1, "好 <&>").await;
        let image =
            world.message(USER, "<MsgType>image</MsgType><PicUrl>http://p</PicUrl><MediaId>m9</MediaId>");
        let body = reply(&world, &image).await;
        let fields = parse_xml(&body).unwrap();
        assert_eq!(fields.child("Image").and_then(|image| image.get("MediaId")), Some("m9"), "{body}");
        assert_eq!(world.admin("GET", "/admin/rules", None).await.1["items"].as_array().unwrap().len(), 2);
        assert!(world.model_calls().is_empty());
    });
}

#[test]
fn a_rule_can_leave_a_message_to_the_model() {
    run(async {
        let ai = rule(json!({ "texts": [{ "match": "contains", "text": "?" }] }), json!({ "type": "ai" }));
        let rest = rule(json!({ "types": ["text"] }), json!({ "type": "text", "text": "no question" }));
        let world = world_with(&[ai, rest], &[]).await;
        see(&world, "why？", 1, "Answer to why？").await;
        see(&world, "why", 1, "no question").await;
    });
}

#[test]
fn where_answers_are_pushed_rules_still_answer_at_once() {
    run(async {
        let world = world_with(&[says("a", "at once")], &[("DELIVERY", "push")]).await;
        see(&world, "a", 1, "at once").await;
        assert!(world.api_calls().is_empty());
    });
}

#[test]
fn a_new_follower_is_welcomed_as_the_operator_says() {
    run(async {
        let world = world_with(&[], &[]).await;
        let follow = |world: &World| event(world, "<Event>subscribe</Event>");
        assert!(reply_text(&reply(&world, &follow(&world)).await).contains("welcome"));
        let welcome = json!({ "reply": { "type": "text", "text": "Ahoy" } });
        assert_eq!(world.admin("PUT", "/admin/welcome", Some(&welcome)).await.0, 200);
        world.pass(1_000).await;
        assert_eq!(reply_text(&reply(&world, &follow(&world)).await), "Ahoy");
        let scene = rule(
            json!({ "events": [{ "event": "subscribe", "key": "7" }] }),
            json!({ "type": "text", "text": "From {text}" }),
        );
        assert_eq!(world.admin("POST", "/admin/rules", Some(&scene)).await.0, 201);
        let scanned = event(&world, "<Event>subscribe</Event><EventKey>qrscene_7</EventKey>");
        assert_eq!(reply_text(&reply(&world, &scanned).await), "From 7");
        assert_eq!(world.admin("DELETE", "/admin/welcome", None).await.0, 204);
        world.pass(1_000).await;
        assert!(reply_text(&reply(&world, &follow(&world)).await).contains("Just ask me anything"));
    });
}

#[test]
fn a_conversation_goes_to_a_person_and_comes_back() {
    run(async {
        let back = rule(
            json!({ "texts": [{ "match": "exact", "text": "机器人" }] }),
            json!({ "type": "end_hand_over", "text": "I am back" }),
        );
        let world = world_with(&[says("a", "a rule"), hands_over("人工"), back], &[]).await;
        let first = reply(&world, &world.text(USER, "人工")).await;
        assert!(first.contains("<KfAccount><![CDATA[kf1@gh]]></KfAccount>"), "{first}");
        // Words that could be meant for the person are theirs, whatever they are to us.
        for words in ["a", "hello", "help", "continue"] {
            let body = reply(&world, &world.text(USER, words)).await;
            assert_eq!(kind(&body), "transfer_customer_service", "{words}");
            assert!(body.contains("kf1@gh"), "{body}");
        }
        let image =
            world.message(USER, "<MsgType>image</MsgType><PicUrl>http://p</PicUrl><MediaId>m</MediaId>");
        assert_eq!(kind(&reply(&world, &image).await), "transfer_customer_service");
        assert_eq!(kind_of(&world, "/status").await, "text");
        world.crash();
        assert_eq!(kind_of(&world, "hello").await, "transfer_customer_service");
        see(&world, "机器人", 1, "I am back").await;
        see(&world, "a", 1, "a rule").await;
        see(&world, "why", 1, "Answer to why").await;

        // `/new` ends it, and so does an hour of silence.
        kind_of(&world, "人工").await;
        see(&world, "new chat", 1, "fresh start").await;
        see(&world, "why", 1, "Answer to why").await;
        kind_of(&world, "人工").await;
        world.pass(3_500_000).await;
        assert_eq!(kind_of(&world, "why").await, "transfer_customer_service");
        world.pass(3_600_000).await;
        see(&world, "why", 1, "Answer to why").await;
    });
}

#[test]
fn while_a_person_has_the_session_the_model_is_silent() {
    run(async {
        let world = World::new(&[]);
        let session = |world: &World, elements: &str| event(world, elements);
        reply(&world, &session(&world, "<Event>kf_create_session</Event><KfAccount>k1</KfAccount>")).await;
        assert!(reply(&world, &world.text(USER, "hello")).await.contains("k1"));
        let switch =
            "<Event>kf_switch_session</Event><FromKfAccount>k1</FromKfAccount><ToKfAccount>k2</ToKfAccount>";
        assert_eq!(reply(&world, &session(&world, switch)).await, "success");
        let body = reply(&world, &world.text(USER, "hello")).await;
        assert!(body.contains("k2") && !body.contains("k1"), "{body}");
        assert!(world.model_calls().is_empty());
        reply(&world, &session(&world, "<Event>kf_close_session</Event><KfAccount>k2</KfAccount>")).await;
        see(&world, "hello", 1, "Answer to hello").await;
    });
}

#[test]
fn what_is_left_of_a_hand_over_is_deleted() {
    run(async {
        let world = World::new(&[]);
        reply(&world, &event(&world, "<Event>kf_create_session</Event><KfAccount>k1</KfAccount>")).await;
        assert!(world.disk(USER).document().unwrap().contains("\"human\":{\"until\":"));
        world.pass(3_700_000).await;
        assert_eq!(world.disk(USER).document(), None);
    });
}

#[test]
fn a_change_made_elsewhere_is_seen_within_a_minute() {
    run(async {
        let world = world_with(&[says("a", "first")], &[]).await;
        see(&world, "a", 1, "first").await;
        let app = world.app();
        // As another isolate's `/admin` would.
        records::put(&world, app, Kind::Rule, "another", None, says("b", "second")).await.unwrap();
        see(&world, "b", 1, "Answer to b").await;
        world.pass(60_000).await;
        see(&world, "b", 1, "second").await;
    });
}

#[test]
fn rules_that_cannot_be_read_serve_on() {
    run(async {
        let world = world_with(&[says("a", "first")], &[]).await;
        see(&world, "a", 1, "first").await;
        world.pass(61_000).await;
        world.account_falls_silent(true);
        see(&world, "a", 1, "first").await;
        see(&world, "b", 1, "Answer to b").await;
        assert!(world.log().iter().any(|line| line.to_json().contains("rules.not_read")));
        world.account_falls_silent(false);
    });
}

#[test]
fn without_an_admin_token_nobody_is_asked_for_rules() {
    run(async {
        let world = World::new(&[]);
        see(&world, "hello", 1, "Answer to hello").await;
        assert!(!world.disks().iter().any(|name| name.starts_with("account")));
    });
}

#[test]
fn messages_share_one_reading_of_the_rules() {
    run(async {
        let world = world_with(&[says("a", "first")], &[]).await;
        see(&world, "a", 1, "first").await;
        let before = world.account_calls();
        for text in ["a", "b", "c"] {
            world.say(USER, text).await;
        }
        assert_eq!(world.account_calls(), before);
    });
}
