//! How long the audit and the keys are kept, and what their calls look like between the Worker and the object.

use serde_json::{Value, json};
use wxapi::gateway::desk::{Begin, Call, End, Keep, Kept, Key, Opening};
use wxapi::platform::Tables;

use crate::world::client::{world_with, yes};
use crate::world::run;

const SEND: &str = "/cgi-bin/message/custom/send";
const DAY: u64 = 86_400_000;

#[test]
fn entries_are_kept_for_thirty_days_and_keys_for_one() {
    run(async {
        let world = world_with(&[("shop", &["message"])], |_| yes());
        world.client_once("shop", "k", SEND, "{}").await;
        let count = |table: &str| {
            let rows = world.account_disk().run(&format!("SELECT count(*) AS n FROM {table}"), &[]).unwrap();
            rows[0]["n"].as_u64().unwrap()
        };
        assert_eq!((count("audit"), count("once")), (1, 1));
        world.crash();
        world.pass(DAY + 3_600_000).await;
        assert_eq!((count("audit"), count("once")), (1, 0));
        world.client("shop", "POST", SEND, "{}").await;
        world.pass(29 * DAY).await;
        assert_eq!(count("audit"), 1);
        world.pass(DAY + 3_600_000).await;
        assert_eq!(count("audit"), 0);
    });
}

#[test]
fn of_many_entries_the_oldest_go() {
    run(async {
        let world = world_with(&[("shop", &["message"])], |_| yes());
        world.client("shop", "POST", SEND, "{}").await;
        let disk = world.account_disk();
        disk.run("UPDATE audit SET number = 1", &[]).unwrap();
        disk.run("UPDATE sqlite_sequence SET seq = 50000 WHERE name = 'audit'", &[]).unwrap();
        world.client("shop", "POST", SEND, "{}").await;
        let rows = disk.run("SELECT number FROM audit", &[]).unwrap();
        assert_eq!(rows, [json!({ "number": 50_001 })]);
    });
}

#[test]
fn a_key_too_many_is_refused_rather_than_one_forgotten() {
    run(async {
        let world = world_with(&[("shop", &["message"])], |_| yes());
        world.client_once("shop", "first", SEND, "{}").await;
        world.account_disk().run("UPDATE sqlite_sequence SET seq = 100000 WHERE name = 'once'", &[]).unwrap();
        assert_eq!(world.client_once("shop", "last", SEND, "{}").await.0["errcode"], 0);
        assert_eq!(world.client_once("shop", "another", SEND, "{}").await.0["errcode"], 45009);
        assert!(world.client_once("shop", "first", SEND, "{}").await.1);
        assert_eq!(world.passed_on().len(), 2);
    });
}

fn pinned<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
    value: &T,
    json: &Value,
) {
    assert_eq!(&serde_json::to_value(value).unwrap(), json);
    assert_eq!(&wxapi::json::from_value::<T>(json).unwrap(), value);
}

/// Two releases run side by side during a deployment, so each must understand the other's calls.
#[test]
fn calls_between_the_worker_and_the_object() {
    let key = Key { name: "k".to_owned(), digest: "d".to_owned() };
    let begin = Begin {
        request: "r".to_owned(),
        client: "c".to_owned(),
        per_minute: 600,
        method: "POST".to_owned(),
        path: "/p".to_owned(),
        scope: json!("message"),
        permitted: true,
        key: Some(key),
    };
    let json = json!({ "begin": { "request": "r", "client": "c", "per_minute": 600, "method": "POST", "path": "/p",
        "scope": "message", "permitted": true, "key": { "name": "k", "digest": "d" } } });
    pinned(&Call::Begin(begin), &json);
    let kept = Kept { status: 200, content_type: "text/plain".to_owned(), body: "e30".to_owned() };
    let end = End {
        number: 7,
        status: 200,
        errcode: Some(-1),
        rid: None,
        ms: 12,
        retried: 1,
        outcome: "ok".to_owned(),
        keep: Some(Keep::Answer(kept.clone())),
    };
    let stored = json!({ "status": 200, "content_type": "text/plain", "body": "e30" });
    let json = json!({ "end": { "number": 7, "status": 200, "errcode": -1, "rid": null, "ms": 12, "retried": 1,
        "outcome": "ok", "keep": { "answer": stored } } });
    pinned(&Call::End(end), &json);
    let audit = Call::Audit { client: None, after: Some(3), limit: 50 };
    pinned(&audit, &json!({ "audit": { "client": null, "after": 3, "limit": 50 } }));
    pinned(&Opening::Replay(kept), &json!({ "replay": stored }));
    pinned(&Opening::Limited { seconds: 9 }, &json!({ "limited": { "seconds": 9 } }));
    pinned(
        &Opening::Begun { number: 7, token: "t".to_owned() },
        &json!({ "begun": { "number": 7, "token": "t" } }),
    );
    pinned(&Opening::Busy, &json!("busy"));
}
