//! The Mini Program's access token: in an object of its own, beside the account's.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use wxapi::gateway::send::{Found, SendError};
use wxapi::gateway::token::{TokenFailure, TokenState};
use wxapi::handlers::{call_mini, call_wechat, download_mini};
use wxapi::platform::{Millis, Pieces, Platform};
use wxapi::wechat::OpenId;
use wxapi::wechat::api::{ApiRequest, mini};

use crate::world::weixin::Weixin;
use crate::world::{Answer, Disk, World, admin, run};

const HOUR: Millis = 3_600_000;
const MINI: &str = "wxfedcba9876543210";
const SECRET: &str = "the-mini-programs-secret";

fn world_with(more: &[(&'static str, &'static str)]) -> World {
    let mini = [("MINI_APP_ID", MINI), ("MINI_APP_SECRET", SECRET)];
    let world = World::new(&[admin::settings(), mini.to_vec(), more.to_vec()].concat());
    world.network(100);
    world
}

/// The world, and the WeChat of each app.
fn world() -> (World, Rc<Weixin>, Rc<Weixin>) {
    let world = world_with(&[]);
    let [account, mini] = Weixin::two(&world, MINI, SECRET);
    (world, account, mini)
}

fn disk(world: &World) -> Disk {
    world.disk_named(&format!("account {MINI}"))
}

fn request() -> ApiRequest {
    mini::phone_number(&OpenId::new("o"), "c")
}

async fn call(world: &World) -> Result<(), SendError> {
    call_mini(world, world.app(), &request()).await.map(drop)
}

async fn call_account(world: &World) -> Result<(), SendError> {
    call_wechat(world, world.app(), &request()).await.map(drop)
}

async fn token(world: &World) -> Result<String, TokenFailure> {
    world.access_token(MINI, None).await
}

#[test]
fn two_hundred_at_once_make_one_fetch_for_each_app() {
    run(async {
        let (world, account, mini) = world();
        let both = join_all((0..200).map(|_| async {
            let (ours, minis) = tokio::join!(world.access_token(admin::APP_ID, None), token(&world));
            (ours.unwrap(), minis.unwrap())
        }));
        for pair in both.await {
            assert_eq!(pair, ("token-1".to_owned(), "other-token-1".to_owned()));
        }
        assert_eq!((account.fetches(), mini.fetches()), ((1, 0), (1, 0)));
        // And again when they have ended: nobody's alarm rings while this clock only jumps.
        tokio::time::sleep(Duration::from_millis(3 * HOUR)).await;
        let answers = join_all((0..200).map(|_| token(&world))).await;
        assert!(answers.iter().all(|answer| answer.as_deref() == Ok("other-token-2")));
        assert_eq!((account.fetches(), mini.fetches()), ((1, 0), (2, 0)));
    });
}

#[test]
fn a_token_that_died_behind_our_back_is_replaced_once_and_the_other_stays() {
    run(async {
        let (world, account, mini) = world();
        call(&world).await.unwrap();
        call_account(&world).await.unwrap();
        mini.invalidate();
        let outcomes = join_all((0..200).map(|_| call(&world))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        call_account(&world).await.unwrap();
        assert_eq!((account.fetches(), mini.fetches()), ((1, 0), (2, 0)));
        assert_eq!(mini.others.borrow().iter().filter(|lives| **lives).count(), 201);
        assert_eq!(*account.others.borrow(), [true, true], "no call went out with the other's token");
        mini.break_current();
        call(&world).await.unwrap();
        assert_eq!((account.fetches(), mini.fetches()), ((1, 0), (4, 1)), "by force, of its own twenty");
    });
}

/// What the alarm wakes may not know its name.
#[test]
fn each_is_renewed_by_its_own_alarm_even_after_a_crash() {
    run(async {
        let (world, account, mini) = world();
        token(&world).await.unwrap();
        world.pass(HOUR).await;
        world.access_token(admin::APP_ID, None).await.unwrap();
        for round in 2..6 {
            world.crash();
            world.pass(7_200_000 - 300_000).await;
            assert_eq!(token(&world).await, Ok(format!("other-token-{round}")));
            assert_eq!(world.access_token(admin::APP_ID, None).await, Ok(format!("token-{round}")));
            assert_eq!((account.fetches(), mini.fetches()), ((round, 0), (round, 0)));
        }
        // Nobody uses either for a month: both fall asleep.
        world.pass(30 * 24 * HOUR).await;
        assert_eq!((disk(&world).alarm(), world.account_disk().alarm()), (None, None));
    });
}

#[test]
fn what_is_stored_says_whose_it_is() {
    run(async {
        let (world, _, _) = world();
        token(&world).await.unwrap();
        world.access_token(admin::APP_ID, None).await.unwrap();
        let stored = |disk: Disk| serde_json::from_str::<Value>(&disk.document().unwrap()).unwrap();
        assert_eq!(stored(disk(&world))["of"], MINI);
        assert_eq!(stored(world.account_disk()).get("of"), None, "as every release stored it");
        let state: TokenState = serde_json::from_value(stored(disk(&world))).unwrap();
        assert_eq!((state.of.as_str(), state.access.text.as_str()), (MINI, "other-token-1"));
    });
}

#[test]
fn what_an_older_release_left_is_read_or_fetched_anew() {
    run(async {
        let (world, account, mini) = world();
        let held = |now: Millis| {
            json!({
                "access": { "text": "left", "fetched": now, "renew": now + HOUR, "expires": now + 2 * HOUR },
                "asked": now,
            })
        };
        let document = held(world.now()).to_string();
        world.account_disk().put(&document);
        assert_eq!(world.access_token(admin::APP_ID, None).await.as_deref(), Ok("left"));
        // There the older release, which knew of no Mini Program, kept the account's.
        disk(&world).put(&document);
        assert_eq!(token(&world).await.as_deref(), Ok("other-token-1"));
        assert_eq!((account.fetches(), mini.fetches()), ((0, 0), (1, 0)));
    });
}

#[test]
fn an_app_that_is_no_longer_configured_is_not_renewed() {
    run(async {
        let world = World::new(&admin::settings());
        let weixin = Weixin::of(&world);
        let now = world.now();
        let state = json!({
            "access": { "text": "old", "fetched": now, "renew": now + HOUR, "expires": now + 2 * HOUR },
            "asked": now,
            "of": MINI,
        });
        disk(&world).put(&state.to_string());
        wxapi::platform::Storage::set_alarm(&disk(&world), now + HOUR).unwrap();
        world.pass(24 * HOUR).await;
        assert_eq!((weixin.fetches(), disk(&world).alarm()), ((0, 0), None));
        assert_eq!(call(&world).await, Err(SendError::Token(TokenFailure::NotConfigured)));
        assert!(world.api_calls().is_empty());
    });
}

#[test]
fn the_log_says_whose_secret_is_wrong() {
    run(async {
        let (world, _, mini) = world();
        mini.fail_next(40125, 1);
        assert!(matches!(call(&world).await, Err(SendError::Token(TokenFailure::Refused(_)))));
        let log: String = world.log().iter().map(wxapi::log::Line::to_json).collect();
        for words in
            ["token.failed", "Mini Program: access_token", "MINI_APP_SECRET is wrong", "put MINI_APP_SECRET"]
        {
            assert!(log.contains(words), "{words} in {log}");
        }
        assert!(!log.contains(SECRET) && !log.contains(" APP_SECRET"), "{log}");
    });
}

#[test]
fn a_code_is_a_picture_or_an_error() {
    run(async {
        let (world, _, _) = world();
        let code = mini::code(&json!({ "scene": "a=1" })).unwrap();
        let picture = || b"\x89PNG and more".to_vec();
        let tokens = std::cell::Cell::new(0);
        world.wechat(move |request| {
            if request.url.ends_with("/cgi-bin/stable_token") {
                tokens.set(tokens.get() + 1);
                let token = json!({ "access_token": format!("t{}", tokens.get()), "expires_in": 7200 });
                return Ok(Answer::json(&token.to_string()));
            }
            if request.url.ends_with("access_token=t1") {
                return Ok(Answer::json(r#"{"errcode":42001,"errmsg":"expired"}"#));
            }
            Ok(Answer { status: 200, content_type: "image/png", body: picture() })
        });
        let found = download_mini(&world, world.app(), &code).await.unwrap();
        let Found::File { content_type, mut first, mut rest, .. } = found else { panic!("no picture") };
        while let Some(piece) = rest.next(wxapi::platform::Pace::Calm).await {
            first.extend(piece.unwrap());
        }
        assert_eq!((content_type.as_str(), first), ("image/png", picture()));
        for errcode in [41030, 40097, 45009] {
            let no = json!({ "errcode": errcode, "errmsg": "no" }).to_string();
            world.wechat(move |_| Ok(Answer::json(&no)));
            match download_mini(&world, world.app(), &code).await {
                Err(SendError::Refused(error)) => assert_eq!(error.errcode, errcode),
                _ => panic!("{errcode} is a refusal"),
            }
        }
        let bare = World::new(&admin::settings());
        let outcome = download_mini(&bare, bare.app(), &code).await;
        assert!(matches!(outcome, Err(SendError::Token(TokenFailure::NotConfigured))));
    });
}
