//! What is stored, and what objects say to each other, is pinned: Cloudflare runs two releases side by side
//! during a deployment, and a new one must read what the old one wrote. Changing an expectation here means
//! writing a migration, and a line in docs/storage.md.

use serde_json::json;
use wxapi::chat::state::Conversation;
use wxapi::gateway::record::Kind;
use wxapi::gateway::token::{TokenFailure, TokenState};
use wxapi::handlers::records;
use wxapi::platform::Delivery;
use wxapi::wechat::api::ApiError;

use crate::world::admin::settings;
use crate::world::{USER, World, run};

const CONVERSATION: &str = r#"{"last_job":7,"epoch":1,"active":1700000000000,"history":{"summary":"They like tea.","turns":[{"q":"why?","a":"because"}]},"jobs":[{"id":5,"key":"k5","epoch":1,"asked":1700000000000,"question":null,"deliveries":3,"starts":1,"answer":{"at":1700000004000,"text":"because","read":3,"shown":1700000005000}},{"id":6,"key":"k6","epoch":1,"asked":1700000000001,"question":{"voice":{"media_id":"m","format":"amr"}},"deliveries":1,"starts":1,"push_to":"o1","answer":null},{"id":7,"key":"k7","epoch":1,"asked":1700000000002,"question":{"picture":{"url":"http://mmbiz.qpic.cn/1"}},"deliveries":1,"starts":1,"answer":null},{"id":8,"key":"k8","epoch":1,"asked":1700000000002,"question":"summary","deliveries":1,"starts":1,"answer":null}],"replies":[{"key":"k0","at":1700000000000,"body":"success"}],"asked":[1700000000000],"push":{"opened":1700000000000,"sent":2,"refused_until":1700003600000},"human":{"until":1700003600000,"account":"kf1@gh"}}"#;

#[test]
fn the_conversation_is_stored_in_this_shape() {
    let conversation = Conversation::from_json(CONVERSATION).unwrap();
    // Loading counts a new life on every job; nothing else may change.
    let expected = CONVERSATION.replace("\"starts\":1", "\"starts\":2");
    assert_eq!(conversation.to_json(), expected);
}

#[test]
fn rules_are_stored_in_this_shape() {
    run(async {
        let world = World::new(&settings());
        let rule = json!({ "name": "n", "enabled": false, "when": { "types": ["text"] }, "reply": { "type": "ai" } });
        let (_, made) = world.admin("POST", "/admin/rules", Some(&rule)).await;
        let welcome = json!({ "type": "text", "text": "Ahoy" });
        world.admin("PUT", "/admin/welcome", Some(&json!({ "reply": welcome }))).await;
        let order = json!({ "ids": [made["id"]] });
        world.admin("PUT", "/admin/rules/order", Some(&order)).await;
        let id = made["id"].as_str().unwrap();
        for (id, document) in [(id, rule), ("welcome", welcome), ("order", order)] {
            let record = records::get(&world, world.app(), Kind::Rule, id).await.unwrap().unwrap();
            assert_eq!(record.document, document);
        }
    });
}

#[test]
fn fields_of_a_newer_release_and_missing_ones_are_no_obstacle() {
    let conversation = Conversation::from_json(r#"{"from_the_future":[1,2],"epoch":3}"#).unwrap();
    assert_eq!((conversation.epoch, conversation.jobs.len()), (3, 0));
    assert_eq!(Conversation::from_json("{}"), Some(Conversation::default()));
    assert_eq!(Conversation::from_json("not json"), None);
}

#[test]
fn a_conversation_that_cannot_be_read_is_set_aside() {
    run(async {
        let world = World::new(&[]);
        let disk = world.disk(USER);
        disk.put(r#"{"jobs":[{"of":"a release that was rolled back"}]}"#);
        assert!(world.say(USER, "why?").await.text.unwrap().contains("Answer to why?"));
        assert!(disk.aside().unwrap().contains("rolled back"));
    });
}

#[test]
fn the_access_token_is_stored_in_this_shape() {
    let json = r#"{"access":{"text":"t","fetched":1700000000000,"renew":1700006900000,"expires":1700007200000,"failure":{"at":1700000000000,"until":1700000060000,"why":{"Refused":{"errcode":40164,"errmsg":"invalid ip"}}}},"jsapi":{"text":"j","fetched":1,"renew":2,"expires":3},"wx_card":{"text":"","fetched":0,"renew":0,"expires":0},"forced":[1700000000000],"asked":1700000000000}"#;
    let state: TokenState = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&state).unwrap(), json);
    // That of the Mini Program says whose it is.
    let minis = json.replacen("\"asked\":1700000000000}", "\"asked\":1700000000000,\"of\":\"wx2\"}", 1);
    let state: TokenState = serde_json::from_str(&minis).unwrap();
    assert_eq!((state.of.as_str(), serde_json::to_string(&state).unwrap()), ("wx2", minis));
    // Of what an earlier release stored, only the forced refreshes matter; the token is fetched again.
    let earlier = r#"{"token":"t","expires":1700007200000,"forced":[1700000000000]}"#;
    let state: TokenState = serde_json::from_str(earlier).unwrap();
    assert_eq!(state, TokenState { forced: vec![1_700_000_000_000], ..TokenState::default() });
}

#[test]
fn a_delivery_goes_to_its_object_in_this_shape() {
    let delivery =
        Delivery { arrived: 1_700_000_000_000, document: "<xml>\n</xml>".to_owned(), may_log_in: false };
    assert_eq!(delivery.to_text(), "1700000000000\n<xml>\n</xml>");
    assert_eq!(Delivery::from_text(&delivery.to_text()), Some(delivery));
    assert_eq!(Delivery::from_text("no time"), None);
}

#[test]
fn a_token_comes_from_its_object_in_this_shape() {
    let refused = ApiError::new(40164, "invalid ip");
    for (answer, json) in [
        (Ok("t".to_owned()), r#"{"Ok":"t"}"#),
        (Err(TokenFailure::NotConfigured), r#"{"Err":"NotConfigured"}"#),
        (Err(TokenFailure::Unreachable("cut".to_owned())), r#"{"Err":{"Unreachable":"cut"}}"#),
        (
            Err(TokenFailure::Refused(refused)),
            r#"{"Err":{"Refused":{"errcode":40164,"errmsg":"invalid ip"}}}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&answer).unwrap(), json);
        assert_eq!(serde_json::from_str::<Result<String, TokenFailure>>(json).unwrap(), answer);
    }
}
