//! Two conversations that were one part again: by `/forget`, by leaving, by age.

use serde_json::{Value, json};
use wxapi::chat::state::Conversation;
use wxapi::gateway::record::Kind;
use wxapi::handlers::records;
use wxapi::platform::Object;

use crate::mini_kin::{ANNA, DAY, home, kin, last_told, linked, linked_in, settle, shown, turn, world_with};
use crate::world::{World, run};

async fn in_directory(world: &World) -> bool {
    records::get(world, world.app(), Kind::Person, ANNA).await.unwrap().is_some()
}

/// Anna is known in both, in the directory too, and said something in each.
async fn known_everywhere() -> (World, String) {
    let (world, session) = linked().await;
    let body = json!({ "gender": 1 });
    assert_eq!(world.admin("PATCH", &format!("/admin/users/{ANNA}"), Some(&body)).await.0, 200);
    world.chat(&session, "What is a spruce?", None).await;
    world.say(ANNA, "And a fir?").await;
    settle(&world).await;
    (world, session)
}

/// Nothing that she said is left, and nothing by which she could be found.
async fn assert_forgotten(world: &World, session: &str) {
    assert_eq!(world.mini_disk(session).document(), None);
    assert_eq!(world.api("GET", "conversations", session, "").await.status, 401);
    let left = world.disk(ANNA).document().unwrap_or_default();
    assert!(!left.contains("spruce") && !left.contains("fir?") && !left.contains("kin"), "{left}");
    assert_eq!(kin(world).await, [] as [Value; 0]);
    assert!(!in_directory(world).await);
    let log: String = world.log().iter().map(wxapi::log::Line::to_json).collect();
    assert!(!log.contains("anna"), "{log}");
}

#[test]
fn forget_in_the_chat_is_forget_in_the_mini_program() {
    run(async {
        let (world, session) = known_everywhere().await;
        let seen = world.say(ANNA, "/forget").await;
        assert_eq!(seen.deliveries, 1);
        settle(&world).await;
        assert_forgotten(&world, &session).await;
        // She can come back, as somebody new.
        let session = world.wx_login("anna").await;
        world.say(ANNA, "hello").await;
        settle(&world).await;
        assert!(home(&world).is_some());
        assert_eq!(shown(&world, &session).await, [turn("hello", "official_account")]);
    });
}

#[test]
fn forget_in_the_mini_program_is_forget_in_the_chat() {
    run(async {
        let (world, session) = known_everywhere().await;
        assert_eq!(world.api("POST", "forget-me", &session, "{}").await.status, 200);
        settle(&world).await;
        assert_forgotten(&world, &session).await;
        world.say(ANNA, "Which is taller?").await;
        assert_eq!(last_told(&world), [] as [&str; 0]);
    });
}

#[test]
fn one_half_that_cannot_be_reached_does_not_stop_the_other() {
    run(async {
        let (world, session) = known_everywhere().await;
        world.cut_off(Some((Object::MiniUser, true)));
        assert_eq!(world.say(ANNA, "/forget").await.deliveries, 1);
        settle(&world).await;
        assert!(!world.disk(ANNA).document().unwrap().contains("spruce"));
        // It is back within seconds: what was asked for happens after all.
        world.pass(2_000).await;
        world.cut_off(None);
        world.pass(5_000).await;
        assert_forgotten(&world, &session).await;
        assert!(!world.log().iter().any(|line| line.event == "kin.not_parted"));
    });
    run(async {
        let (world, session) = known_everywhere().await;
        world.cut_off(Some((Object::Session, true)));
        assert_eq!(world.api("POST", "forget-me", &session, "{}").await.status, 200);
        world.pass(60_000).await;
        assert!(world.log().iter().any(|line| line.event == "kin.not_parted"));
        assert_eq!((kin(&world).await, in_directory(&world).await), (vec![], false));
        // Whoever finds nobody at home is no longer linked.
        world.cut_off(None);
        world.say(ANNA, "Which is taller?").await;
        assert_eq!(home(&world), None);
    });
}

#[test]
fn whoever_unfollows_keeps_what_they_have_in_the_mini_program() {
    run(async {
        let (world, session) = known_everywhere().await;
        let name = home(&world).unwrap();
        let leave = "<MsgType>event</MsgType><Event>unsubscribe</Event>";
        world.deliver(&world.message(ANNA, leave)).await;
        settle(&world).await;
        assert_eq!((home(&world), in_directory(&world).await), (None, false));
        assert_eq!(kin(&world).await, [json!({ "user": name })]);
        assert_eq!(shown(&world, &session).await[0].len(), 4);
        let export = world.api("GET", "export", &session, "").await;
        assert_eq!(export.body["official_account_openid"], Value::Null);
        // Once she follows again and writes, she is known again.
        world.say(ANNA, "hello").await;
        settle(&world).await;
        assert_eq!(home(&world), Some(name));
    });
}

#[test]
fn a_mini_program_that_nobody_uses_any_more_is_left() {
    run(async {
        let (world, session) = linked().await;
        world.chat(&session, "What is a spruce?", None).await;
        world.pass(40 * DAY).await;
        assert_eq!(world.mini_disk(&session).document(), None);
        assert_eq!((home(&world), world.disk(ANNA).document()), (None, None));
        assert_eq!(kin(&world).await, [json!({ "account": ANNA })]);
    });
}

#[test]
fn logging_out_ends_nothing_while_there_are_conversations() {
    run(async {
        let (world, session) = linked().await;
        world.say(ANNA, "What is a spruce?").await;
        settle(&world).await;
        world.api("POST", "auth/logout", &session, "{}").await;
        settle(&world).await;
        assert!(home(&world).is_some());
        // With the last conversation goes the link.
        let session = world.wx_login("anna").await;
        settle(&world).await;
        world.api("DELETE", "conversations", &session, "").await;
        world.api("POST", "auth/logout", &session, "{}").await;
        settle(&world).await;
        assert_eq!(home(&world), None);
    });
}

#[test]
fn a_conversation_and_its_kin_are_stored_in_this_shape() {
    let json = r#"{"last_job":1,"epoch":0,"active":1700000000000,"history":{},"jobs":[],"replies":[],"asked":[],"push":{},"kin":{"home":"h","asked":1700000000000,"outbox":[{"key":"k","asked":1,"at":2,"turn":{"q":"why?","a":"because"}},{"key":"n","asked":3,"at":3}]}}"#;
    let stored = Conversation::from_json(json).unwrap();
    assert_eq!(stored.to_json(), json);
    assert_eq!(stored.kin.outbox.len(), 2);
    // What an earlier release stored has none of it; alone, a link is worth a row.
    let mut earlier = Conversation::from_json("{}").unwrap();
    assert!(earlier.is_forgettable() && !earlier.to_json().contains("kin"));
    earlier.link("h", 1, 300_000);
    assert!(!earlier.is_forgettable());
    assert_eq!(earlier.next_expiry(300_000), None, "a link has no end of its own");
    earlier.unlink("another");
    assert!(!earlier.is_forgettable());
    earlier.unlink("h");
    assert!(earlier.is_forgettable());
}

#[test]
fn what_the_two_say_to_each_other_has_this_shape() {
    use wxapi::handlers::conversation::Call as Session;
    use wxapi::handlers::mini::call::Call;
    use wxapi::handlers::mini::kin::Call as Kin;
    let json = |call: &Call| serde_json::to_string(call).unwrap();
    let openid = wxapi::wechat::OpenId::new("o1");
    assert_eq!(json(&Call::Kin(Kin::Link(openid))), r#"{"kin":{"link":"o1"}}"#);
    assert_eq!(json(&Call::Kin(Kin::Leave(true))), r#"{"kin":{"leave":true}}"#);
    assert_eq!(json(&Call::Kin(Kin::Tell(vec![]))), r#"{"kin":{"tell":[]}}"#);
    for (call, json) in [
        (Session::Link("h".to_owned()), r#"{"link":"h"}"#),
        (Session::Unlink("h".to_owned()), r#"{"unlink":"h"}"#),
        (Session::Forget("h".to_owned()), r#"{"forget":"h"}"#),
    ] {
        assert_eq!(serde_json::to_string(&call).unwrap(), json);
    }
}

#[test]
fn answers_that_are_pushed_are_told_too() {
    run(async {
        let (world, session) = linked_in(world_with(&[("DELIVERY", "push")])).await;
        world.say(ANNA, "What is a spruce?").await;
        world.pass(2_000).await;
        assert_eq!(shown(&world, &session).await[0], turn("What is a spruce?", "official_account"));
    });
}
