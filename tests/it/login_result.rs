//! The result of an attempt: its code, what it is good for, and what is stored of it all.

use serde_json::json;
use sha2::{Digest as _, Sha256};
use wxapi::login::request::ResultBy;
use wxapi::login::session::{CODE_LIFETIME, Fault, REVOKED_FOR, Session, Stage, Status};
use wxapi::login::{Digest, base64url};

use crate::login_session::{NOW, by_redirect, confirmed, handle, issued, person, request, shown};
use crate::world::site::{BLOG as SITE, VERIFIER};

#[test]
fn the_code_is_for_one_client_one_address_one_verifier_and_one_time() {
    let good = issued(shown());
    let code = handle("result");
    let fails = |mut session: Session,
                 code: &Digest,
                 client: &str,
                 uri: Option<&str>,
                 verifier: Option<&str>,
                 now| {
        assert_eq!(session.redeem(code, client, uri, verifier, now), Err(Fault::Grant));
    };
    let v = Some(VERIFIER);
    fails(good.clone(), &handle("another"), "blog", None, v, NOW);
    fails(good.clone(), &code, "shop", None, v, NOW);
    fails(good.clone(), &code, "blog", Some("https://evil.example/"), v, NOW);
    fails(good.clone(), &code, "blog", None, None, NOW);
    fails(good.clone(), &code, "blog", None, Some("another verifier"), NOW);
    fails(good.clone(), &code, "blog", None, v, NOW + CODE_LIFETIME);
    let redirected = issued(by_redirect());
    fails(redirected.clone(), &code, "blog", None, v, NOW);
    fails(redirected.clone(), &code, "blog", Some(&format!("{SITE}/callback/")), v, NOW);
    assert!(redirected.clone().redeem(&code, "blog", Some(&format!("{SITE}/callback")), v, NOW).is_ok());
    let mut without_pkce = good.clone();
    without_pkce.request.challenge = None;
    fails(without_pkce.clone(), &code, "blog", None, v, NOW);
    assert!(without_pkce.redeem(&code, "blog", None, None, NOW).is_ok());
}

#[test]
fn a_code_that_comes_twice_takes_everything_back() {
    let mut session = issued(shown());
    session.redeem(&handle("result"), "blog", None, Some(VERIFIER), NOW).unwrap();
    assert!(!session.is_revoked());
    assert_eq!(session.redeem(&handle("result"), "blog", None, Some(VERIFIER), NOW), Err(Fault::Grant));
    assert!(session.is_revoked());
    assert_eq!(session.answer(), None, "nobody's name is kept with it");
    assert_eq!(session.deleted_at(), NOW + REVOKED_FOR);
}

#[test]
fn the_person_can_take_it_back() {
    for mut session in [confirmed(), issued(shown())] {
        assert_eq!(session.revoke(&person("o-2"), NOW), Err(Fault::NotYours));
        session.revoke(&person("o-1"), NOW).unwrap();
        assert!(session.finish(&handle("browser"), &handle("again"), NOW).is_err());
        assert_eq!(session.redeem(&handle("result"), "blog", None, Some(VERIFIER), NOW), Err(Fault::Grant));
    }
}

#[test]
fn a_page_that_was_reloaded_takes_the_result_again_until_it_is_redeemed() {
    let mut session = issued(shown());
    session.finish(&handle("browser"), &handle("second"), NOW + 1).unwrap();
    assert_eq!(session.redeem(&handle("result"), "blog", None, Some(VERIFIER), NOW + 2), Err(Fault::Grant));
    assert!(session.redeem(&handle("second"), "blog", None, Some(VERIFIER), NOW + 2).is_ok());
    assert_eq!(session.finish(&handle("browser"), &handle("third"), NOW + 3), Err(Fault::NotNow));
    let mut session = issued(shown());
    let late = NOW + CODE_LIFETIME;
    assert_eq!(session.finish(&handle("browser"), &handle("late"), late), Err(Fault::Gone));
}

#[test]
fn a_page_that_has_not_left_yet_can_leave() {
    let mut session = issued(by_redirect());
    assert_eq!(session.status(NOW), Status::Confirmed);
    session.finish(&handle("browser"), &handle("second"), NOW).unwrap();
    assert_eq!(session.status(NOW + CODE_LIFETIME), Status::Done);
    let uri = format!("{SITE}/callback");
    session.redeem(&handle("second"), "blog", Some(&uri), Some(VERIFIER), NOW).unwrap();
    assert_eq!(session.status(NOW), Status::Done);
    assert_eq!(issued(shown()).status(NOW), Status::Done, "a message has been sent");
}

#[test]
fn the_old_class_gets_no_code_that_could_be_redeemed() {
    let mut session = shown();
    session.request = request(ResultBy::Legacy { origin: SITE.to_owned() });
    let mut session = issued(session);
    assert!(matches!(session.stage, Stage::Issued { code: None, .. }));
    assert_eq!(session.redeem(&handle("result"), "blog", None, None, NOW), Err(Fault::Grant));
}

/// What is stored must be read by the next release: `docs/storage.md`.
#[test]
fn stored_shapes() {
    let session = issued(shown());
    let stored: serde_json::Value = serde_json::to_value(&session).unwrap();
    let expected = json!({
        "id": "00000000000000000000000000000000",
        "request": {
            "client": "blog", "result": { "message": { "origin": SITE } }, "state": "their-state", "nonce": null,
            "challenge": base64url(&Sha256::digest(VERIFIER.as_bytes())), "redirect_uri": null, "profile": false,
            "again": "/oauth?client_id=blog"
        },
        "browser": handle("browser").as_str(),
        "place": { "country": "", "city": "", "browser": "", "system": "" },
        "methods": ["qr", "code", "open"],
        "strict": false,
        "number": session.number,
        "choices": session.choices,
        "lang": "zh",
        "created": NOW,
        "ends": session.ends,
        "tokens": [],
        "code": null,
        "scene": null,
        "phone": null,
        "journey": null,
        "misses": 0,
        "stage": { "issued": {
            "answer": {
                "identity": { "who": { "wechat": { "app_id": "wx1", "openid": "o-1" } } }, "by": "code", "at": NOW
            },
            "code": handle("result").as_str(),
            "at": NOW
        } }
    });
    assert_eq!(stored, expected);
    assert_eq!(serde_json::from_value::<Session>(expected).unwrap(), session);
    let stages = [
        json!("shown"),
        json!("scanned"),
        json!({ "identified": stored["stage"]["issued"]["answer"] }),
        json!({ "number": { "answer": stored["stage"]["issued"]["answer"], "left": 3 } }),
        json!({ "confirmed": stored["stage"]["issued"]["answer"] }),
        json!({ "redeemed": { "answer": stored["stage"]["issued"]["answer"], "code": "00" } }),
        json!("denied"),
        json!({ "revoked": { "until": NOW } }),
    ];
    for stage in stages {
        let read: Stage = serde_json::from_value(stage.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), stage);
    }
}
