//! The machine of messages to many by itself, and what it stores.

use serde_json::json;
use wxapi::gateway::mass::{Asked, Job, List, No, PartStage, Stage};
use wxapi::gateway::rail::Rail;
use wxapi::wechat::api::ApiError;
use wxapi::wechat::api::mass::{To, delete, msg_id, preview, status, submit};

const HOUR: u64 = 3_600_000;

fn job(parts: u64) -> Job {
    let mut job = Job::new("n", json!({ "msgtype": "text" }), json!({ "openids": 2 }), Vec::new());
    job.checked(2);
    let lists = (0..parts).map(|n| List { id: n.to_string(), people: 2 }).collect();
    job.confirm("0123456789abcdef-1", lists, 2, "code".to_owned(), 1_000);
    job
}

fn refused() -> Asked {
    Asked::Refused(ApiError::new(45028, "no quota"))
}

#[test]
fn who_may_send_when() {
    let mut job = job(1);
    assert_eq!(job.may_send("code", 1_000), Ok(()));
    assert_eq!(job.may_send("other", 1_000), Err(No::WrongConfirmation));
    assert_eq!(job.may_send("code", 601_000), Err(No::WrongConfirmation), "ten minutes");
    job.ask(0, 2_000);
    assert_eq!(job.may_send("code", 61_999), Err(No::Busy));
    assert_eq!(job.may_send("code", 62_000), Ok(()), "who asked must have died");
    assert_eq!(job.may_send("code", 2_000 + 24 * HOUR), Err(No::TooLate));
    job.answered(0, &Asked::Unknown(None));
    assert_eq!((job.stage, job.may_send("code", 3_000)), (Stage::Unknown, Ok(())));
    assert!(!job.may_change() && !job.may_go(3_000));
    job.answered(0, &Asked::Submitted(7));
    assert_eq!((job.stage, job.may_send("code", 3_000)), (Stage::Submitted, Err(No::Sent)));
    assert!(job.finished(7, true, &json!({ "total": 1 })) && !job.finished(7, false, &json!({ "total": 2 })));
    assert_eq!((job.stage, job.may_go(3_000), job.may_change()), (Stage::Done, true, false));
}

#[test]
fn what_was_never_asked_stays_confirmed_and_what_was_refused_may_change() {
    let mut job = job(2);
    job.ask(0, 2_000);
    job.answered(0, &Asked::Never);
    assert_eq!(
        (job.stage, job.sent, job.may_send("code", 601_000)),
        (Stage::Confirming, None, Err(No::WrongConfirmation))
    );
    job.ask(0, 2_000);
    job.answered(0, &refused());
    assert_eq!((job.stage, job.may_change()), (Stage::Failed, true));
    assert!(job.parts.iter().all(|part| part.stage == PartStage::Refused && part.error.is_some()));
    job.ask(0, 3_000);
    job.answered(0, &Asked::Submitted(1));
    job.ask(1, 3_000);
    job.answered(1, &refused());
    assert_eq!((job.stage, job.may_change()), (Stage::Submitted, false), "somebody got it");
    assert_eq!((job.may_send("code", 4_000), job.next()), (Ok(()), Some(1)));
    job.finished(1, false, &json!({}));
    assert_eq!((job.stage, job.may_change()), (Stage::Failed, false));
}

#[test]
fn what_may_have_been_taken_stays_in_doubt_whatever_is_said_later() {
    for later in [Asked::Never, refused(), Asked::Unknown(None)] {
        for died in [true, false] {
            let mut job = job(2);
            job.ask(0, 2_000);
            if !died {
                job.answered(0, &Asked::Unknown(None));
            }
            job.ask(0, 100_000);
            assert_eq!(job.may_send("code", 100_001), Err(No::Busy));
            job.answered(0, &later);
            // Another confirmation would be another message to WeChat, which would be sent beside the first.
            assert_eq!(
                (job.stage, job.may_change(), job.next()),
                (Stage::Unknown, false, Some(0)),
                "{later:?}"
            );
            assert_eq!(job.may_send("code", 200_000), Ok(()));
            job.ask(0, 200_000);
            job.answered(0, &Asked::Submitted(7));
            assert_eq!((job.stage, job.next()), (Stage::Sending, Some(1)));
            // Whoever asked before hears it last.
            job.answered(0, &later);
            job.answered(0, &Asked::Submitted(7));
            assert_eq!((job.parts[0].stage, job.msg_ids.as_slice()), (PartStage::Submitted, &[7][..]));
        }
    }
}

#[test]
fn what_was_in_doubt_for_a_day_may_go() {
    let mut job = job(1);
    job.ask(0, 2_000);
    job.answered(0, &Asked::Unknown(None));
    assert!(!job.may_go(2_000 + 24 * HOUR - 1), "it may be sent still");
    assert!(job.may_go(2_000 + 24 * HOUR) && !job.may_change());
}

#[test]
fn what_is_stored_is_read_again() {
    let mut job = job(1);
    job.ask(0, 2_000);
    job.answered(0, &Asked::Submitted(7));
    let stored = json!({
        "stage": "submitted", "name": "n", "message": { "msgtype": "text" }, "audience": { "openids": 2 },
        "lists": [{ "id": "0", "people": 2 }], "heads": 2, "confirmation": { "code": "code", "until": 601_000 },
        "sent": 2_000, "msg_ids": [7],
        "parts": [{
            "stage": "submitted", "clientmsgid": "0123456789abcdef-1-0", "list": { "id": "0", "people": 2 }, "asked": 2_000,
            "msg_id": 7, "error": null, "result": null, "stopped": [],
        }],
    });
    assert_eq!(serde_json::to_value(&job).unwrap(), stored);
    assert_eq!(wxapi::json::from_value::<Job>(&stored).unwrap(), job);
    let rail = Rail { sends: vec![("j".to_owned(), 5)] };
    assert_eq!(serde_json::to_value(&rail).unwrap(), json!({ "sends": [["j", 5]] }));
    assert_eq!(wxapi::json::from_value::<Rail>(&json!({ "sends": [["j", 5]] })).unwrap(), rail);
}

#[test]
fn the_rail_counts_a_job_once_and_gives_back() {
    let mut rail = Rail::default();
    assert_eq!(rail.take("a", 0, 1, 2), Ok(()));
    assert_eq!(rail.take("a", 10, 1, 2), Ok(()), "the same job");
    assert_eq!(rail.take("b", 10, 1, 2), Err(HOUR));
    rail.give_back("a");
    assert_eq!(rail.take("b", 10, 1, 2), Ok(()));
    assert_eq!(rail.take("c", HOUR + 10, 1, 2), Ok(()));
    assert_eq!(rail.take("d", 2 * HOUR + 10, 1, 2), Err(24 * HOUR + 10));
    assert_eq!(rail.take("d", 24 * HOUR + 10, 1, 2), Ok(()));
}

#[test]
fn the_calls_are_as_wechat_documents_them() {
    let message = json!({ "msgtype": "mpnews", "mpnews": { "media_id": "m" }, "send_ignore_reprint": 0 });
    let body = |request: wxapi::wechat::api::ApiRequest| match request.body {
        wxapi::wechat::api::Body::Json(text) => serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        other => panic!("{other:?}"),
    };
    let all = submit(&message, To::All, "c");
    assert_eq!(all.path, "/cgi-bin/message/mass/sendall");
    assert_eq!(
        body(all),
        json!({ "filter": { "is_to_all": true }, "mpnews": { "media_id": "m" }, "msgtype": "mpnews", "send_ignore_reprint": 0, "clientmsgid": "c" })
    );
    let some = submit(&message, To::People(vec!["a".to_owned(), "b".to_owned()]), "c");
    assert_eq!(
        (some.path, &body(some.clone())["touser"]),
        ("/cgi-bin/message/mass/send", &json!(["a", "b"]))
    );
    let shown = preview(&message, &json!({ "touser": "a", "towxname": "b", "other": 1 }));
    assert_eq!(
        body(shown),
        json!({ "touser": "a", "towxname": "b", "msgtype": "mpnews", "mpnews": { "media_id": "m" }, "send_ignore_reprint": 0 })
    );
    assert_eq!(body(status(5)), json!({ "msg_id": 5 }));
    assert_eq!(body(delete(5, 2)), json!({ "msg_id": 5, "article_idx": 2 }));
    for answer in [json!({ "msg_id": 34182, "msg_data_id": 206_227_730 }), json!({ "msg_id": "34182" })] {
        assert_eq!(msg_id(&answer), Some(34_182));
    }
    assert_eq!(msg_id(&json!({})), None);
}
