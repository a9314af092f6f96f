//! Our reader of JSON reads what `serde_json` reads, and refuses what it refuses; but for a struct that is written as a
//! list of its members, which `serde_json` would take and nobody writes.

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;
use wxapi::chat::state::Conversation;
use wxapi::json;
use wxapi::login::code::Shard;
use wxapi::login::desk::Desk;
use wxapi::login::keys::Ring;
use wxapi::login::session::{Call, Fault, Reply, Session};
use wxapi::login::throttle::Throttle;

use super::login_session::{confirmed, issued, shown};

/// Both readers say the same of a document.
fn same<T: DeserializeOwned + PartialEq + Debug>(document: &str) {
    let (ours, theirs) = (json::from_str::<T>(document).ok(), serde_json::from_str::<T>(document).ok());
    assert_eq!(ours, theirs, "{document}");
}

fn same_everywhere(document: &str) {
    same::<Session>(document);
    same::<Conversation>(document);
    same::<Desk>(document);
    same::<Shard>(document);
    same::<Throttle>(document);
    same::<Ring>(document);
    same::<Call>(document);
    same::<Result<Reply, Fault>>(document);
}

/// A document and those that differ from it in one place.
fn spoilt(document: &Value) -> Vec<Value> {
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!("x"),
        json!([]),
        json!({}),
        json!({ "x": 1 }),
    ];
    let mut found = vec![document.clone()];
    match document {
        Value::Object(members) => {
            for (name, member) in members {
                let mut without = members.clone();
                without.remove(name);
                found.push(Value::Object(without));
                let lists = |other: &Value| !(member.is_object() && other.is_array());
                let replaced = spoilt(member).into_iter().chain(others.clone()).filter(lists);
                found.extend(replaced.map(|other| {
                    let mut members = members.clone();
                    members.insert(name.clone(), other);
                    Value::Object(members)
                }));
            }
            let mut more = members.clone();
            more.insert("unknown".to_owned(), json!({ "a": [1] }));
            found.push(Value::Object(more));
        }
        Value::Array(entries) if !entries.is_empty() => {
            found.extend(spoilt(&entries[0]).into_iter().map(|first| {
                let rest = entries[1..].iter().cloned();
                Value::Array(std::iter::once(first).chain(rest).collect())
            }));
        }
        _ => {}
    }
    found
}

#[test]
fn attempts_are_read_alike_whole_and_spoilt() {
    for session in [shown(), confirmed(), issued(shown())] {
        for document in spoilt(&serde_json::to_value(&session).unwrap()) {
            same::<Session>(&document.to_string());
        }
    }
}

#[test]
fn what_goes_between_objects_is_read_alike_whole_and_spoilt() {
    let call = Call::Finish { browser: shown().browser, code: shown().browser };
    for document in spoilt(&serde_json::to_value(&call).unwrap()) {
        same::<Call>(&document.to_string());
    }
    let mut session = confirmed();
    let finished = session.finish(&session.browser.clone(), &shown().browser, shown().created).unwrap();
    let replies: [Result<Reply, Fault>; 4] = [
        Ok(Reply::Finished(Box::new(finished))),
        Ok(Reply::Done),
        Err(Fault::Wrong { left: 2 }),
        Err(Fault::Gone),
    ];
    for reply in replies {
        for document in spoilt(&serde_json::to_value(&reply).unwrap()) {
            same::<Result<Reply, Fault>>(&document.to_string());
        }
    }
}

#[test]
fn conversations_are_read_alike_whole_and_spoilt() {
    let document = json!({
        "last_job": 3, "epoch": 1, "active": 5,
        "history": { "summary": "s", "turns": [{ "q": "q", "a": "a" }] },
        "jobs": [
            { "id": 1, "key": "k", "epoch": 0, "asked": 1, "question": { "voice": { "media_id": "m", "format": "amr" } },
              "deliveries": 1, "starts": 1, "push_to": "o", "answer": { "at": 1, "text": "t", "read": 0, "shown": 0 } },
            { "id": 2, "key": "k", "epoch": 0, "asked": 1, "question": "summary", "deliveries": 1 }
        ],
        "replies": [{ "key": "k", "at": 1, "body": "b" }], "asked": [1, 2],
        "push": { "opened": 1, "sent": 2, "refused_until": 3 }
    });
    assert!(serde_json::from_value::<Conversation>(document.clone()).is_ok());
    for document in spoilt(&document) {
        same::<Conversation>(&document.to_string());
    }
}

#[test]
fn what_is_no_json_is_refused_by_both() {
    for document in ["", "{", "nul", "{\"a\":1,}", "[1 2]", "\"\\x\"", "{} x", "\u{feff}{}"] {
        same_everywhere(document);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_alike(text in "[\\[\\]{}\":,a-c0-9. -]{0,40}") {
        // To serde_json, an empty list is everything that has only defaults.
        prop_assume!(!text.trim_start().starts_with('['));
        same_everywhere(&text);
    }
}
