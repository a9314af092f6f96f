//! One person, known to the Official Account and in the Mini Program: how their two conversations become one.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::gateway::record::Kind;
use wxapi::handlers::records;
use wxapi::platform::{Object, Outbound};

use crate::world::admin::{self, APP_ID};
use crate::world::mini::settings;
use crate::world::{Answer, ModelCall, World, answers, run};

/// Anna: her openid at the account is `o-anna`, her name in the Mini Program `anna`, her unionid `u-anna`.
pub const ANNA: &str = "o-anna";
pub const MINUTE: u64 = 60_000;
pub const DAY: u64 = 86_400_000;

/// WeChat, where everybody has a unionid: `o-<name>` at the account is `<name>` in the Mini Program.
pub fn weixin(request: &Outbound) -> Value {
    let parameter = |name: &str| {
        let rest = request.url.split(&format!("{name}=")).nth(1).unwrap_or_default();
        rest.split('&').next().unwrap().to_owned()
    };
    let path = request.url.split('?').next().unwrap_or_default();
    match path.strip_prefix("https://api.weixin.qq.com").unwrap_or_default() {
        "/cgi-bin/stable_token" => json!({ "access_token": "T", "expires_in": 7200 }),
        "/cgi-bin/user/info" => {
            let openid = parameter("openid");
            let unionid = openid.replacen("o-", "u-", 1);
            json!({ "subscribe": 1, "openid": openid, "unionid": unionid, "language": "zh_CN" })
        }
        "/sns/jscode2session" => {
            let name = parameter("js_code");
            let session_key = "MDEyMzQ1Njc4OWFiY2RlZg==";
            json!({ "openid": format!("mini-{name}"), "unionid": format!("u-{name}"), "session_key": session_key })
        }
        _ => json!({ "errcode": 0, "errmsg": "ok" }),
    }
}

pub fn world_with(others: &[(&str, &str)]) -> World {
    let all: Vec<_> = admin::settings().into_iter().chain(others.iter().copied()).collect();
    let world = World::new(&settings(&all));
    world.wechat(|request| Ok(Answer::json(&weixin(request).to_string())));
    world
}

/// An account and a Mini Program of one owner.
pub fn world() -> World {
    world_with(&[])
}

/// Everybody finishes what they do in the background.
pub async fn settle(world: &World) {
    world.pass(1).await;
}

/// How often WeChat was asked who somebody is.
pub fn asked_who(world: &World) -> usize {
    world.api_calls().iter().filter(|call| call.url.contains("/cgi-bin/user/info?")).count()
}

/// How often objects of this class were called.
pub fn calls_of(world: &World, object: Object) -> usize {
    world.object_calls().iter().filter(|called| **called == object).count()
}

/// What a model was told before the last question.
pub fn told(call: &ModelCall) -> Vec<String> {
    let messages = call.inputs["messages"].as_array().unwrap();
    let text = |message: &Value| message["content"].as_str().unwrap().to_owned();
    messages[1..messages.len() - 1].iter().map(text).collect()
}

pub fn last_told(world: &World) -> Vec<String> {
    told(world.model_calls().last().unwrap())
}

pub fn home(world: &World) -> Option<String> {
    let document: Value = serde_json::from_str(&world.disk(ANNA).document()?).unwrap();
    document["kin"]["home"].as_str().map(str::to_owned)
}

/// The documents by which the two find each other.
pub async fn kin(world: &World) -> Vec<Value> {
    use wxapi::gateway::record::{Call, Reply};
    let call =
        Call::List { kind: Kind::Kin, after: None, limit: 9, newest_first: false, filters: Vec::new() };
    match records::ask(world, world.app(), call).await.unwrap() {
        Reply::Records { records, .. } => records.into_iter().map(|record| record.document).collect(),
        other => panic!("{other:?}"),
    }
}

/// Anna's conversations in the Mini Program, as she reads them: who said what where.
pub async fn shown(world: &World, session: &str) -> Vec<Vec<(String, String, String)>> {
    let list = world.api("GET", "conversations", session, "").await;
    let mut all = Vec::new();
    for entry in list.body["conversations"].as_array().unwrap() {
        let target = format!("conversations/{}", entry["id"].as_str().unwrap());
        let one = world.api("GET", &target, session, "").await;
        let text = |message: &Value, name: &str| message[name].as_str().unwrap_or("app").to_owned();
        let said = one.body["messages"].as_array().unwrap().iter();
        all.push(said.map(|m| (text(m, "role"), text(m, "content"), text(m, "source"))).collect());
    }
    all
}

pub fn turn(question: &str, source: &str) -> [(String, String, String); 2] {
    let said = |role: &str, text: &str| (role.to_owned(), text.to_owned(), source.to_owned());
    [said("user", question), said("assistant", &format!("Answer to {question}"))]
}

/// Anna is known in both; nothing was said lately.
pub async fn linked() -> (World, String) {
    linked_in(world()).await
}

pub async fn linked_in(world: World) -> (World, String) {
    world.say(ANNA, "hello").await;
    settle(&world).await;
    world.pass(10 * MINUTE).await;
    let session = world.wx_login("anna").await;
    settle(&world).await;
    assert!(home(&world).is_some(), "{:?}", world.log());
    (world, session)
}

#[test]
fn whoever_wrote_to_the_account_first_goes_on_in_the_mini_program() {
    run(async {
        let world = world();
        world.say(ANNA, "What is a spruce?").await;
        settle(&world).await;
        assert_eq!(asked_who(&world), 1);
        assert_eq!(kin(&world).await, [json!({ "account": ANNA })]);
        let session = world.wx_login("anna").await;
        settle(&world).await;
        let known = kin(&world).await;
        assert_eq!((known.len(), &known[0]["account"]), (1, &json!(ANNA)));
        assert_eq!(known[0]["user"].as_str(), home(&world).as_deref());
        assert!(session.starts_with(&home(&world).unwrap()));
        // What she said before the two were found to be one came along.
        let heard = world.chat(&session, "And a fir?", None).await;
        assert_eq!(heard.status, 200);
        assert_eq!(last_told(&world), ["What is a spruce?", "Answer to What is a spruce?"]);
        let both = [turn("What is a spruce?", "official_account"), turn("And a fir?", "app")].concat();
        assert_eq!(shown(&world, &session).await, [both]);
        // Back in the chat, the conversation goes on there.
        world.say(ANNA, "Which is taller?").await;
        assert_eq!(last_told(&world).len(), 4);
        settle(&world).await;
        assert_eq!(shown(&world, &session).await[0].len(), 6);
        assert_eq!(asked_who(&world), 1, "it is known");
    });
}

#[test]
fn whoever_used_the_mini_program_first_goes_on_in_the_chat() {
    run(async {
        let world = world();
        let session = world.wx_login("anna").await;
        world.chat(&session, "What is a spruce?", None).await;
        assert_eq!(calls_of(&world, Object::Session), 0, "nobody knows of an account");
        // The first word in the chat is answered before anybody knows who she is, …
        world.say(ANNA, "hello").await;
        assert_eq!(last_told(&world), [] as [&str; 0]);
        settle(&world).await;
        // … and then joins the conversation.
        world.say(ANNA, "And a fir?").await;
        assert_eq!(
            last_told(&world),
            ["What is a spruce?", "Answer to What is a spruce?", "hello", "Answer to hello"]
        );
        settle(&world).await;
        let all = [
            turn("What is a spruce?", "app"),
            turn("hello", "official_account"),
            turn("And a fir?", "official_account"),
        ];
        assert_eq!(shown(&world, &session).await, [all.concat()]);
        // Nothing is told twice, and the same question is not asked from the cache, where it would know nothing.
        let asked = world.model_calls().len();
        world.say(ANNA, "hello").await;
        assert_eq!(world.model_calls().len(), asked + 1);
    });
}

#[test]
fn a_follower_of_the_directory_is_known_before_they_write() {
    run(async {
        let world = world();
        let body = json!({ "gender": 1 });
        assert_eq!(world.admin("PATCH", &format!("/admin/users/{ANNA}"), Some(&body)).await.0, 200);
        let session = world.wx_login("anna").await;
        settle(&world).await;
        assert_eq!(world.disk(ANNA).document().map(|_| home(&world).is_some()), Some(true));
        world.chat(&session, "What is a spruce?", None).await;
        world.say(ANNA, "And a fir?").await;
        assert_eq!(last_told(&world), ["What is a spruce?", "Answer to What is a spruce?"]);
        let export = world.api("GET", "export", &session, "").await;
        assert_eq!(export.body["official_account_openid"], ANNA);
    });
}

#[test]
fn two_followers_with_one_unionid_are_not_guessed_at() {
    run(async {
        let world = world();
        for openid in [ANNA, "o-other"] {
            let document = json!({ "unionid": "u-anna" });
            records::put(&world, world.app(), Kind::Person, openid, None, document).await.unwrap();
        }
        world.wx_login("anna").await;
        settle(&world).await;
        assert_eq!(calls_of(&world, Object::Session), 0);
    });
}

#[test]
fn whoever_has_no_unionid_is_not_looked_for() {
    run(async {
        let world = world();
        world.wechat(|request| {
            let mut said = weixin(request);
            said.as_object_mut().unwrap().remove("unionid");
            Ok(Answer::json(&said.to_string()))
        });
        let session = world.wx_login("anna").await;
        world.chat(&session, "What is a spruce?", None).await;
        world.say(ANNA, "hello").await;
        settle(&world).await;
        assert_eq!((asked_who(&world), kin(&world).await), (1, vec![]));
        assert_eq!(calls_of(&world, Object::Session), 0);
        // The Mini Program's object was called for her login and her question only.
        assert_eq!(calls_of(&world, Object::MiniUser), 1);
        // For a day nobody asks again, however often she falls silent.
        for _ in 0..3 {
            world.pass(10 * MINUTE).await;
            world.say(ANNA, "hello again").await;
        }
        settle(&world).await;
        assert_eq!(asked_who(&world), 1);
        world.pass(DAY).await;
        assert_eq!(world.disk(ANNA).document(), None, "nothing stays that is of no use");
        world.say(ANNA, "hello once more").await;
        settle(&world).await;
        assert_eq!(asked_who(&world), 2);
    });
}

#[test]
fn an_account_that_may_not_ask_asks_once_a_day() {
    run(async {
        let world = world();
        world.wechat(|request| {
            let refused = json!({ "errcode": 48001, "errmsg": "api unauthorized rid: 1" });
            let about = request.url.contains("/cgi-bin/user/info?");
            Ok(Answer::json(&if about { refused } else { weixin(request) }.to_string()))
        });
        for user in [ANNA, "o-ben", "o-carl"] {
            world.say(user, "hello").await;
            settle(&world).await;
        }
        assert_eq!(asked_who(&world), 1);
        world.pass(DAY + 1).await;
        world.say("o-ben", "hello").await;
        settle(&world).await;
        assert_eq!(asked_who(&world), 2);
    });
}

#[test]
fn whoever_is_not_linked_waits_for_nobody() {
    run(async {
        // Without a Mini Program, nothing at all happens.
        let alone = World::new(&[("APP_ID", APP_ID), ("APP_SECRET", "the-account\u{2019}s-secret")]);
        let others = Rc::new(Cell::new(0));
        alone.wechat(move |request| Ok(Answer::json(&weixin(request).to_string())));
        alone.say(ANNA, "hello").await;
        settle(&alone).await;
        let calls = |world: &World| {
            let others = world.object_calls().into_iter().filter(|object| *object != Object::Metrics);
            (others.count(), world.api_calls().len())
        };
        assert_eq!(calls(&alone), (0, 0));
        assert!(!alone.disk(ANNA).document().unwrap().contains("kin"));
        // With one, nothing before the reply.
        let world =
            World::new(&settings(&[("APP_ID", APP_ID), ("APP_SECRET", "the-account\u{2019}s-secret")]));
        let (seen, at_reply) = (world.clone(), Rc::clone(&others));
        world.wechat(|request| Ok(Answer::json(&weixin(request).to_string())));
        world.model(move |call| {
            at_reply.set(calls(&seen).0 + calls(&seen).1);
            answers(2_000, &format!("Answer to {}", call.question()))
        });
        world.say(ANNA, "hello").await;
        assert_eq!(others.get(), 0);
        settle(&world).await;
        assert_eq!(asked_who(&world), 1);
        // Linked, a question costs one call before the model is asked and one after it was.
        world.wx_login("anna").await;
        settle(&world).await;
        let before = calls_of(&world, Object::MiniUser);
        world.say(ANNA, "And a fir?").await;
        settle(&world).await;
        assert_eq!(calls_of(&world, Object::MiniUser) - before, 2);
    });
}

#[test]
fn logging_in_does_not_wait_for_the_account() {
    run(async {
        let world = world();
        world.account_falls_silent(true);
        let begun = wxapi::platform::Platform::now(&world);
        world.wx_login("anna").await;
        assert_eq!(wxapi::platform::Platform::now(&world), begun);
        world.account_falls_silent(false);
        world.cut_off(Some((Object::Account, true)));
        world.wx_login("anna").await;
        settle(&world).await;
        assert!(world.log().iter().any(|line| line.event == "kin.not_linked"));
        // The next login finds what this one could not.
        world.cut_off(None);
        world.say(ANNA, "hello").await;
        settle(&world).await;
        world.wx_login("anna").await;
        settle(&world).await;
        assert!(home(&world).is_some());
    });
}

#[test]
fn whoever_follows_is_known_before_they_write() {
    run(async {
        let world = world();
        let session = world.wx_login("anna").await;
        world.chat(&session, "What is a spruce?", None).await;
        let follows = "<MsgType>event</MsgType><Event>subscribe</Event>";
        assert_eq!(world.deliver(&world.message(ANNA, follows)).await.deliveries, 1);
        settle(&world).await;
        world.say(ANNA, "And a fir?").await;
        assert_eq!(last_told(&world), ["What is a spruce?", "Answer to What is a spruce?"]);
        // An event that nobody made, such as the doctor's, asks nothing.
        assert_eq!(world.admin("GET", "/admin/doctor?only=objects", None).await.0, 200);
        settle(&world).await;
        assert_eq!(asked_who(&world), 1);
    });
}
