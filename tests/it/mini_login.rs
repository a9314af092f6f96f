//! Sessions of the Mini Program's users: how they begin, what is stored of them, and how they end.

use serde_json::{Value, json};
use wxapi::login::mini::{IDLE, LONGEST, new_key};
use wxapi::platform::Millis;
use wxapi::wechat::Secret;

use crate::world::mini::{Heard, MINI_SECRET, world};
use crate::world::{Answer, World, run};

const HOUR: Millis = 3_600_000;
/// WeChat's own session key in these worlds.
const WECHATS_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";

async fn log_in(world: &World, body: &str) -> Heard {
    world.api("POST", "auth/wx-login", "", body).await
}

/// Whether a session is good.
async fn is_good(world: &World, session: &str) -> bool {
    let heard = world.api("GET", "conversations", session, "").await;
    match heard.status {
        200 => true,
        401 => {
            assert_eq!(heard.body, json!({ "error": "Invalid session" }));
            false
        }
        status => panic!("status {status}"),
    }
}

/// The objects of users that have come to life.
fn users(world: &World) -> usize {
    world.disks().iter().filter(|name| name.starts_with("MiniUser ")).count()
}

fn everything_stored(world: &World) -> String {
    let disks = world.disks();
    let dumps = disks.iter().filter_map(|name| name.strip_prefix("MiniUser "));
    dumps.map(|name| world.disk_behind(wxapi::platform::Object::MiniUser, name).dump()).collect()
}

#[test]
fn what_wechat_says_of_a_code_decides_what_the_client_hears() {
    let slow_down = "Too many requests. Please slow down.";
    let unavailable = "Service temporarily unavailable";
    let refused = |errcode: i64| Ok(json!({ "errcode": errcode, "errmsg": "no, rid: 1-2-3" }).to_string());
    let cases: [(Result<String, String>, u16, &str); 11] = [
        (refused(40029), 401, "Invalid code"),
        (refused(40163), 401, "Invalid code"),
        (refused(41008), 401, "Invalid code"),
        (refused(40226), 403, "Login refused"),
        (refused(45011), 429, slow_down),
        (refused(-1), 500, unavailable),
        (refused(40013), 500, unavailable),
        (refused(40125), 500, unavailable),
        (Err("the network is down".to_owned()), 500, unavailable),
        (Ok("<html>".to_owned()), 500, unavailable),
        (Ok(json!({ "openid": "o-1" }).to_string()), 500, unavailable),
    ];
    for (said, status, error) in cases {
        run(async move {
            let world = world(&[]);
            let answer = said.clone();
            world.wechat(move |_| answer.clone().map(|body| Answer::json(&body)));
            let heard = log_in(&world, r#"{"code":"a-secret-code"}"#).await;
            assert_eq!((heard.status, &heard.body), (status, &json!({ "error": error })), "{said:?}");
            assert_eq!(heard.header("retry-after"), (status == 429).then_some("60"), "{said:?}");
            assert_eq!(heard.header("cache-control"), Some("no-store"));
            assert_eq!(users(&world), 0, "nobody came to life for {said:?}");
            let log = format!("{:?}", world.log());
            assert!(log.contains("mini.login_refused"), "{log}");
            assert!(!log.contains("a-secret-code") && !log.contains(MINI_SECRET), "{log}");
        });
    }
}

#[test]
fn what_is_no_code_is_not_shown_to_wechat() {
    run(async {
        let world = world(&[]);
        for body in
            ["", "{", "[]", "{}", r#"{"code":""}"#, r#"{"code":" "}"#, r#"{"code":7}"#, r#"{"code":null}"#]
        {
            let heard = log_in(&world, body).await;
            assert_eq!((heard.status, heard.error()), (400, "Invalid code"), "{body}");
        }
        assert_eq!(world.api_calls().len(), 0);
        let heard = world.api("GET", "auth/wx-login", "", "").await;
        assert_eq!((heard.status, heard.header("allow")), (405, Some("POST")));
        world.flood();
        let heard = log_in(&world, r#"{"code":"anna"}"#).await;
        assert_eq!((heard.status, heard.header("retry-after")), (429, Some("60")));
        assert_eq!(heard.error(), "Too many requests. Please slow down.");
        assert_eq!(world.api_calls().len(), 0, "a flood costs WeChat nothing");
    });
    run(async {
        let heard = log_in(&World::new(&[]), r#"{"code":"anna"}"#).await;
        assert_eq!((heard.status, heard.error()), (503, "Not configured"));
    });
}

#[test]
fn only_the_person_has_the_key() {
    run(async {
        let world = world(&[]);
        let (anna, bella) = (world.wx_login("anna").await, world.wx_login("bella").await);
        let again = world.wx_login("anna").await;
        for key in [&anna, &bella, &again] {
            let parts: Vec<&str> = key.split('.').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [22, 43, 22], "{key}");
            let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            assert!(parts.iter().all(|part| part.bytes().all(alphabet)), "{key}");
        }
        let part = |key: &str, at: usize| key.split('.').nth(at).unwrap().to_owned();
        assert_eq!(part(&anna, 0), part(&again, 0), "one person, one object");
        assert_ne!(part(&anna, 0), part(&bella, 0));
        assert_ne!(part(&anna, 1), part(&again, 1));
        assert!(!anna.contains("mini-anna"), "the openid is not in it");
        world.chat(&anna, "Hello", None).await;
        let (stored, log) = (everything_stored(&world), format!("{:?}", world.log()));
        for (place, text) in [("storage", &stored), ("log", &log)] {
            for key in [&anna, &bella, &again] {
                assert!(!text.contains(key.as_str()) && !text.contains(&part(key, 1)), "a key in {place}");
            }
        }
        assert!(stored.contains(wxapi::digest::Digest::of(&anna).as_str()), "its digest is");
        assert!(stored.contains(WECHATS_KEY), "WeChat's key is kept for its services");
        assert!(!log.contains(WECHATS_KEY) && !log.contains("mini-anna"), "{log}");
    });
}

#[test]
fn wechats_key_is_in_no_answer() {
    run(async {
        let world = world(&[]);
        let body = log_in(&world, r#"{"code":"anna"}"#).await.response.body;
        let session =
            serde_json::from_str::<Value>(&body).unwrap()["sessionKey"].as_str().unwrap().to_owned();
        assert_eq!(body, json!({ "sessionKey": session }).to_string());
        let id =
            world.chat(&session, "Hello", None).await.body["conversation_id"].as_str().unwrap().to_owned();
        for target in ["export", "conversations", &format!("conversations/{id}"), &format!("chat/{id}")] {
            let heard = world.api("GET", target, &session, "").await;
            assert_eq!(heard.status, 200, "{target}");
            assert!(!heard.response.body.contains(WECHATS_KEY), "{target}");
            assert!(!heard.response.body.contains(&session), "{target}");
        }
        // What the Worker asks itself, no client can: such a body is a message without a text.
        for body in [r#""who""#, r#"{"who":null}"#, r#"{"as":{"session":"","ask":"who"}}"#] {
            let heard = world.api("POST", "chat", &session, body).await;
            assert_eq!((heard.status, heard.error()), (400, "Invalid message"));
        }
    });
}

#[test]
fn a_key_that_we_never_made_reaches_no_object() {
    run(async {
        let world = world(&[]);
        let (anna, bella) = (world.wx_login("anna").await, world.wx_login("bella").await);
        let parts = |key: &str| key.split('.').map(str::to_owned).collect::<Vec<_>>();
        let (ours, theirs) = (parts(&anna), parts(&bella));
        let unknown = ["A".repeat(22), ours[1].clone(), ours[2].clone()].join(".");
        let mut forged = vec![
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            unknown,
            [theirs[0].as_str(), &ours[1], &ours[2]].join("."),
            [ours[0].as_str(), &theirs[1], &ours[2]].join("."),
            [ours[0].as_str(), &ours[1], &theirs[2]].join("."),
            [ours[0].as_str(), &ours[1]].join("."),
            format!("{anna}."),
            format!("{anna} "),
            format!("x{anna}"),
            anna.to_uppercase(),
            new_key(&Secret::new("another secret"), &ours[0], [[1; 16]; 2]),
            new_key(&Secret::new(MINI_SECRET), "short", [[1; 16]; 2]),
        ];
        forged.extend((0..anna.len()).map(|end| anna[..end].to_owned()));
        let before = (users(&world), world.mini_disk(&anna).writes(), world.mini_disk(&bella).writes());
        for key in forged {
            assert!(!is_good(&world, &key).await, "{key}");
        }
        // One that could be ours, of somebody whom we do not know: their object says no, and stores nothing.
        let sealed = new_key(&Secret::new(MINI_SECRET), &"B".repeat(22), [[1; 16]; 2]);
        assert_eq!(users(&world), before.0);
        assert!(!is_good(&world, &sealed).await);
        assert_eq!(world.mini_disk(&sealed).dump(), "");
        assert_eq!((world.mini_disk(&anna).writes(), world.mini_disk(&bella).writes()), (before.1, before.2));
        assert!(is_good(&world, &anna).await && is_good(&world, &bella).await);
        world.flood();
        let heard = world.api("GET", "conversations", "forged", "").await;
        assert_eq!((heard.status, heard.header("retry-after")), (429, Some("60")));
        assert!(is_good(&world, &anna).await, "who has a session is not counted by their address");
    });
}

#[test]
fn a_session_that_nobody_uses_ends() {
    run(async {
        let world = world(&[]);
        let session = world.wx_login("anna").await;
        world.pass(IDLE - 1).await;
        assert!(is_good(&world, &session).await);
        world.pass(IDLE).await;
        assert!(!is_good(&world, &session).await);
        assert_eq!(world.mini_disk(&session).dump(), "", "with the last session everything is forgotten");
        assert_eq!(world.mini_disk(&session).alarm(), None);
    });
}

#[test]
fn no_session_is_for_ever() {
    run(async {
        let world = world(&[]);
        let session = world.wx_login("anna").await;
        for _day in 1..30 {
            world.pass(24 * HOUR).await;
            assert!(is_good(&world, &session).await);
        }
        world.pass(24 * HOUR).await;
        assert_eq!(30 * 24 * HOUR, LONGEST);
        assert!(!is_good(&world, &session).await);
    });
}

#[test]
fn that_somebody_was_here_is_stored_once_an_hour() {
    run(async {
        let world = world(&[]);
        let session = world.wx_login("anna").await;
        let disk = world.mini_disk(&session);
        let fresh = disk.writes();
        for _ in 0..5 {
            assert!(is_good(&world, &session).await);
        }
        assert_eq!(disk.writes(), fresh);
        world.pass(HOUR).await;
        for _ in 0..5 {
            assert!(is_good(&world, &session).await);
        }
        assert_eq!(disk.writes(), fresh + 1);
        let export = world.api("GET", "export", &session, "").await.body;
        let (created, seen) =
            (export["created_at"].as_u64().unwrap(), export["last_seen_at"].as_u64().unwrap());
        assert_eq!(seen - created, HOUR);
    });
}

#[test]
fn the_eleventh_session_ends_the_one_that_was_used_longest_ago() {
    run(async {
        let world = world(&[]);
        let mut sessions = Vec::new();
        for _ in 0..10 {
            sessions.push(world.wx_login("anna").await);
            world.pass(HOUR).await;
        }
        assert!(is_good(&world, &sessions[0]).await, "and so it was used just now");
        world.pass(HOUR).await;
        sessions.push(world.wx_login("anna").await);
        for (index, session) in sessions.iter().enumerate() {
            assert_eq!(is_good(&world, session).await, index != 1, "session {index}");
        }
    });
}

#[test]
fn logging_out_ends_one_session_and_no_other() {
    run(async {
        let world = world(&[]);
        let (telephone, tablet) = (world.wx_login("anna").await, world.wx_login("anna").await);
        let bella = world.wx_login("bella").await;
        world.chat(&telephone, "Hello", None).await;
        let heard = world.api("POST", "auth/logout", &telephone, "").await;
        assert_eq!((heard.status, heard.body), (200, json!({ "status": "ok" })));
        assert!(!is_good(&world, &telephone).await);
        assert!(is_good(&world, &tablet).await && is_good(&world, &bella).await);
        let heard = world.api("POST", "auth/logout", &telephone, "").await;
        assert_eq!((heard.status, heard.error()), (401, "Invalid session"));
        world.crash();
        assert!(!is_good(&world, &telephone).await && is_good(&world, &tablet).await);
        // With the last one, conversations stay for whoever logs in again.
        world.api("POST", "auth/logout", &tablet, "").await;
        let back = world.wx_login("anna").await;
        let list = world.api("GET", "conversations", &back, "").await.body;
        assert_eq!(list["conversations"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn the_unionid_is_kept_once_wechat_tells_it() {
    run(async {
        let world = world(&[]);
        let tells = |unionid: Option<&'static str>| {
            move |_: &wxapi::platform::Outbound| {
                let mut body = json!({ "openid": "mini-anna", "session_key": WECHATS_KEY });
                unionid.into_iter().for_each(|unionid| body["unionid"] = json!(unionid));
                Ok(Answer::json(&body.to_string()))
            }
        };
        for (said, expected) in [(None, Value::Null), (Some("u-1"), json!("u-1")), (None, json!("u-1"))] {
            world.wechat(tells(said));
            let session = world.wx_login("anna").await;
            let export = world.api("GET", "export", &session, "").await.body;
            assert_eq!((&export["openid"], &export["unionid"]), (&json!("mini-anna"), &expected));
        }
    });
}
