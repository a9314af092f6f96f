//! Who gets a message to many: lists, and filters that are honest about what nobody knows.

use serde_json::{Value, json};
use wxapi::gateway::record::{Call, Kind, Reply};
use wxapi::handlers::records;

use crate::mass::{confirmed, get, post, sends, text, world};
use crate::world::{World, run};

async fn people(world: &World, documents: Vec<(String, Value)>) {
    for documents in documents.chunks(200) {
        let call = Call::PutAll { kind: Kind::Person, documents: documents.to_vec() };
        assert!(matches!(records::ask(world, world.app(), call).await, Ok(Reply::Count(_))));
    }
}

async fn stored(world: &World, kind: Kind) -> u64 {
    let call = Call::Count { kind, filters: Vec::new() };
    match records::ask(world, world.app(), call).await {
        Ok(Reply::Count(count)) => count,
        other => panic!("{other:?}"),
    }
}

/// Twenty followers: nine women, nine men, of two nobody knows; every other one speaks English.
fn twenty() -> Vec<(String, Value)> {
    (0..20)
        .map(|n| {
            let language = if n % 2 == 0 { "en" } else { "zh_CN" };
            let mut person = json!({ "language": language, "tags": [100 + n / 10] });
            if n < 18 {
                person["gender"] = json!(1 + n / 9);
            }
            (format!("o-{n}"), person)
        })
        .collect()
}

#[test]
fn a_list_goes_out_once_for_each_and_is_forgotten_then() {
    run(async {
        let (world, _) = world(&[]);
        let (id, code) = confirmed(&world, json!({ "openids": ["o-2", "o-1", "o-2"] })).await;
        assert_eq!(stored(&world, Kind::MassPeople).await, 1);
        let (_, sent) = post(&world, &format!("/{id}/send"), code).await;
        assert_eq!((&sent["stage"], &sent["parts"][0]["people"]), (&json!("submitted"), &json!(2)), "{sent}");
        assert_eq!(sends(&world)[0]["touser"], json!(["o-1", "o-2"]));
        assert_eq!(stored(&world, Kind::MassPeople).await, 0);
        assert!(!get(&world, &id).await.to_string().contains("o-1"));
    });
}

#[test]
fn a_filter_says_of_how_many_it_does_not_know() {
    run(async {
        let (world, _) = world(&[("MASS_PER_HOUR", "9")]);
        people(&world, twenty()).await;
        let check = async |filter: Value| {
            let (_, job) = post(&world, "", text(&json!({ "filter": filter }))).await;
            post(&world, &format!("/{}/check", job["id"].as_str().unwrap()), json!({})).await
        };
        let (status, problem) = check(json!({ "gender": 2, "language": "en" })).await;
        assert_eq!((status, &problem["type"]), (409, &json!("urn:wxapi:problem:guarded")), "{problem}");
        assert_eq!(
            (&problem["known"], &problem["unknown"], &problem["not_stored"]),
            (&json!(4), &json!(1), &json!(0))
        );
        assert_eq!(problem["unknown_by"], json!({ "gender": 1, "language": 0 }));
        let (status, checked) = check(json!({ "gender": 2, "language": "en", "unknown": "skip" })).await;
        assert_eq!((status, &checked["heads"]), (200, &json!(4)), "{checked}");
        let (status, checked) = check(json!({ "language": "en", "tag": 101 })).await;
        assert_eq!((status, &checked["heads"]), (200, &json!(5)), "all of this is known: {checked}");
        let (status, problem) = check(json!({ "city": "广州", "unknown": "skip" })).await;
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!("/audience/filter")),
            "{problem}"
        );
        let (id, code) = confirmed(&world, json!({ "filter": { "gender": 1, "unknown": "skip" } })).await;
        post(&world, &format!("/{id}/send"), code).await;
        let openids: Vec<_> = (0..9).map(|n| format!("o-{n}")).collect();
        assert_eq!(sends(&world)[0]["touser"], json!(openids));
    });
}

#[test]
fn followers_who_are_not_stored_are_unknown_too() {
    run(async {
        let (world, _) = world(&[]);
        people(&world, twenty().into_iter().take(15).collect()).await;
        let (_, job) = post(&world, "", text(&json!({ "filter": { "language": "en" } }))).await;
        let (status, problem) =
            post(&world, &format!("/{}/check", job["id"].as_str().unwrap()), json!({})).await;
        assert_eq!(
            (status, &problem["unknown"], &problem["not_stored"]),
            (409, &json!(0), &json!(5)),
            "{problem}"
        );
    });
}

#[test]
fn many_people_go_out_in_parts_and_a_failure_in_the_middle_is_told() {
    run(async {
        let (world, script) = world(&[]);
        let many = (0..20_001).map(|n| (format!("o-{n}"), json!({ "language": "en" }))).collect();
        people(&world, many).await;
        let (id, code) = confirmed(&world, json!({ "filter": { "language": "en" } })).await;
        let taken = |id: u64| Ok(json!({ "errcode": 0, "msg_id": id }).to_string());
        script.borrow_mut().extend([taken(1), Ok(r#"{"errcode":45011,"errmsg":"too fast"}"#.to_owned())]);
        let (status, sent) = post(&world, &format!("/{id}/send"), code.clone()).await;
        assert_eq!(status, 200, "a part went out: {sent}");
        let stages = |job: &Value| -> Vec<String> {
            job["parts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|part| format!("{} {}", part["stage"], part["people"]))
                .collect()
        };
        assert_eq!(stages(&sent), [r#""submitted" 10000"#, r#""refused" 9999"#, r#""refused" 2"#]);
        assert_eq!(sent["parts"][1]["error"]["errcode"], 45011);
        script.borrow_mut().extend([taken(2), taken(3)]);
        let (_, sent) = post(&world, &format!("/{id}/send"), code.clone()).await;
        assert_eq!(stages(&sent), [r#""submitted" 10000"#, r#""submitted" 9999"#, r#""submitted" 2"#]);
        let mut everybody: Vec<String> = Vec::new();
        let mut names = Vec::new();
        for send in sends(&world) {
            names.push(send["clientmsgid"].clone());
            everybody.extend(send["touser"].as_array().unwrap().iter().map(|openid| openid.to_string()));
        }
        assert_eq!(names[1], names[2], "the refused part was asked for again under its name");
        everybody.sort_unstable();
        everybody.dedup();
        assert_eq!((sends(&world).len(), everybody.len()), (4, 20_001));
        assert_eq!(post(&world, &format!("/{id}/send"), code).await.0, 409);
    });
}
