//! Attacks on the Mini Program's backend by people who have a session of their own, and accidents that look like some.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::digest::Digest;
use wxapi::handlers::conversation::Call;
use wxapi::platform::{Object, Peer, Platform, Request};

use crate::mini_kin::{ANNA, calls_of, home, kin, linked, settle, weixin};
use crate::world::admin::APP_ID;
use crate::world::mini::{Wire, world};
use crate::world::window::{self, MINI_TOKEN, OK};
use crate::world::{Answer, World, answers, mini_api, run};

fn tell(world: &World, session: &str, wire: &Wire, text: &str) {
    let user = world.mini_user(session.split('.').next().unwrap());
    user.heard(Digest::of(session).as_str(), text, Rc::new(wire.clone())).unwrap();
}

#[test]
fn whoever_never_logged_in_is_answered_behind_the_guard() {
    run(async {
        let settings = [("MSG_SEC_CHECK", "on"), ("MINI_TOKEN", MINI_TOKEN)];
        let (world, api) = mini_api::world(&settings, |path, _| {
            Ok(Answer::json(match path {
                "/wxa/msg_sec_check" => r#"{"errcode":0,"result":{"suggest":"pass","label":100}}"#,
                _ => OK,
            }))
        });
        world.write("mini-bob", "Hello").await;
        world.pass(10_000).await;
        assert_eq!(world.told(), [("mini-bob".to_owned(), "Answer to Hello".to_owned())]);
        let asked = api.bodies("/wxa/msg_sec_check");
        assert_eq!(asked.len(), 2);
        assert!(asked.iter().all(|body| body["openid"] == "mini-bob"), "{asked:?}");
    });
}

#[test]
fn three_answers_at_once_are_condensed_once() {
    run(async {
        let world = world(&[]);
        let condensed = Rc::new(Cell::new(0));
        let counter = Rc::clone(&condensed);
        world.model(move |call| {
            counter.set(counter.get() + usize::from(call.is_compaction()));
            answers(2_000, &"x".repeat(1_900))
        });
        let anna = world.wx_login("anna").await;
        let first = world.chat(&anna, "What is a spruce?", Some("new")).await;
        let id = first.body["conversation_id"].as_str().unwrap();
        for n in 0..3 {
            world.chat(&anna, &n.to_string(), Some(id)).await;
        }
        assert_eq!(condensed.get(), 0);
        let all = tokio::join!(
            world.chat(&anna, "And a fir?", Some(id)),
            world.chat(&anna, "And a yew?", Some(id)),
            world.chat(&anna, "And a larch?", Some(id)),
        );
        assert_eq!([all.0.status, all.1.status, all.2.status], [200; 3]);
        world.pass(20_000).await;
        assert_eq!(condensed.get(), 1, "the same turns are condensed once");
    });
}

#[test]
fn a_flood_by_websocket_is_not_even_read() {
    run(async {
        let world = world(&[]);
        let anna = world.wx_login("anna").await;
        let wire = Wire::default();
        let mut flood = json!({ "type": "chat", "message": "Hello", "conversation_id": "new" });
        flood["more"] = json!("x".repeat(100_000));
        tell(&world, &anna, &wire, &flood.to_string());
        assert_eq!((wire.closed(), wire.heard().len()), (Some(1_009), 0));
        settle(&world).await;
        assert_eq!(world.model_calls().len(), 0);
        // The longest message that is allowed, written as long as can be.
        let longest =
            format!(r#"{{"type":"chat","conversation_id":"new","message":"{}"}}"#, r"\u4f60".repeat(2_000));
        let other = Wire::default();
        tell(&world, &anna, &other, &longest);
        world.pass(5_000).await;
        assert_eq!(other.heard().last().unwrap()["type"], "done");
    });
}

#[test]
fn what_home_was_told_but_cannot_be_noted_is_not_told_without_end() {
    run(async {
        let (world, session) = linked().await;
        world.cut_off(Some((Object::MiniUser, true)));
        world.say(ANNA, "And a fir?").await;
        settle(&world).await;
        world.cut_off(None);
        let before = calls_of(&world, Object::MiniUser);
        let call = serde_json::to_string(&Call::Link(home(&world).unwrap())).unwrap();
        world.call(Object::Session, &[APP_ID, ":", ANNA].concat(), &call).await.unwrap();
        world.disk(ANNA).set_full(true);
        settle(&world).await;
        assert_eq!(calls_of(&world, Object::MiniUser) - before, 1);
        world.disk(ANNA).set_full(false);
        world.pass(120_000).await;
        let document = world.disk(ANNA).document().unwrap();
        assert!(!document.contains("outbox"), "{document}");
        assert_eq!(crate::mini_kin::shown(&world, &session).await[0].len(), 2);
    });
}

#[test]
fn a_message_that_comes_again_after_many_others_is_not_asked_again() {
    run(async {
        let world = world(&[]);
        let anna = world.wx_login("anna").await;
        let say = |name: &str| {
            let body = json!({ "message": format!("What is {name}?"), "conversation_id": "new", "message_id": name });
            body.to_string()
        };
        let odd = "a \"key\":\u{1}\\ 键";
        let first = world.api("POST", "chat", &anna, &say(odd)).await;
        for n in 0..5 {
            assert_eq!(world.api("POST", "chat", &anna, &say(&n.to_string())).await.status, 200);
        }
        let again = world.api("POST", "chat", &anna, &say(odd)).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
        assert_eq!(world.model_calls().len(), 6);
    });
}

#[test]
fn a_unionid_that_changed_leaves_nothing_behind() {
    run(async {
        let (world, _) = linked().await;
        world.wechat(|request| {
            let mut answer = weixin(request);
            if request.url.contains("/sns/jscode2session") {
                answer["unionid"] = json!("u-another");
            }
            Ok(Answer::json(&answer.to_string()))
        });
        let session = world.wx_login("anna").await;
        world.pass(20_000).await;
        assert_eq!(home(&world), None, "nobody says that they are one person");
        let export = world.api("GET", "export", &session, "").await.body;
        assert_eq!(export["official_account_openid"], Value::Null);
        assert_eq!(world.api("POST", "forget-me", &session, "").await.status, 200);
        world.pass(20_000).await;
        let left = kin(&world).await;
        assert!(left.iter().all(|record| record["user"].is_null()), "{left:?}");
    });
}

#[test]
fn a_note_that_was_on_its_way_does_not_bring_back_who_was_forgotten() {
    run(async {
        let world = window::world(&[], |n| if n == 1 { window::no(-1) } else { Ok(OK.to_owned()) });
        world.network(2_000);
        world.event("mini-anna", "user_enter_tempsession", json!({ "SessionFrom": "x" })).await;
        let fields = json!({ "OpenID": "mini-anna", "AppID": "wx-mini", "RevokeInfo": "6" });
        world.event("wechat-itself", "user_authorization_cancellation", fields).await;
        world.pass(120_000).await;
        assert_eq!(world.told().len(), 1, "nobody who is forgotten is greeted");
        let left = world.mini_disk_of("mini-anna").document().unwrap_or_default();
        assert!(!left.contains("anna"), "{left}");
    });
}

#[test]
fn one_network_is_one_caller_however_many_addresses_it_has() {
    run(async {
        let world = world(&[]);
        for (target, body) in [("auth/wx-login", r#"{"code":"anna"}"#), ("chat", "{}")] {
            let peer = Peer { address: format!("2001:db8:1:2::{}", body.len()), ..Peer::default() };
            let headers = vec![("x-wx-session".to_owned(), "x.y.z".to_owned())];
            let (method, path, body) =
                ("POST".to_owned(), format!("/api/{target}"), body.as_bytes().to_vec());
            world.send(Request { method, path, headers, peer, body, ..Request::default() }).await;
        }
        let counted = world.limited();
        assert_eq!(counted.len(), 2);
        assert_eq!(counted[0], counted[1]);
    });
}
