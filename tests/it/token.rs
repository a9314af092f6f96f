//! The account's access token: one fetch for all, renewal, repair, refusals that are remembered.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use wxapi::gateway::send::{SendError, send};
use wxapi::gateway::token::{Call, TokenFailure};
use wxapi::handlers::borrow_token;
use wxapi::platform::{Millis, Platform};
use wxapi::wechat::OpenId;
use wxapi::wechat::api::{ApiRequest, user};

use crate::world::weixin::Weixin;
use crate::world::{World, admin, run};

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// A world whose requests to WeChat take 100 ms.
fn world() -> (World, Rc<Weixin>) {
    let world = World::new(&admin::settings());
    world.network(100);
    let weixin = Weixin::of(&world);
    (world, weixin)
}

async fn token(world: &World, stale: Option<&str>) -> Result<String, TokenFailure> {
    world.access_token(admin::APP_ID, stale).await
}

fn request() -> ApiRequest {
    user::info(&OpenId::new("o-1"))
}

async fn call(world: &World) -> Result<(), SendError> {
    let config = &world.app().config;
    send(world, &config.wechat_api, &config.app_id, &request()).await.map(drop)
}

fn refused(failure: Result<String, TokenFailure>) -> i64 {
    match failure {
        Err(TokenFailure::Refused(error)) => error.errcode,
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_hundred_at_once_make_one_fetch() {
    run(async {
        let (world, weixin) = world();
        let answers = join_all((0..200).map(|_| token(&world, None))).await;
        assert!(answers.iter().all(|answer| answer.as_deref() == Ok("token-1")));
        assert_eq!(weixin.fetches(), (1, 0));
        // And again when it has ended: nobody's alarm rings while this clock only jumps.
        tokio::time::sleep(Duration::from_millis(3 * HOUR)).await;
        let answers = join_all((0..200).map(|_| token(&world, None))).await;
        assert!(answers.iter().all(|answer| answer.as_deref() == Ok("token-2")));
        assert_eq!(weixin.fetches(), (2, 0));
    });
}

#[test]
fn a_token_that_died_behind_our_back_is_replaced_once_for_all() {
    run(async {
        let (world, weixin) = world();
        call(&world).await.unwrap();
        weixin.invalidate();
        let outcomes = join_all((0..200).map(|_| call(&world))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(weixin.fetches(), (2, 0), "one at first, one for the two hundred");
        let others = weixin.others.borrow();
        assert_eq!(others.len(), 401, "each was repeated once");
        assert_eq!(others.iter().filter(|lives| **lives).count(), 201);
    });
}

#[test]
fn whoever_comes_late_with_the_old_token_gets_the_new_one() {
    run(async {
        let (world, weixin) = world();
        token(&world, None).await.unwrap();
        weixin.invalidate();
        assert_eq!(token(&world, Some("token-1")).await.as_deref(), Ok("token-2"));
        for _ in 0..50 {
            assert_eq!(token(&world, Some("token-1")).await.as_deref(), Ok("token-2"));
        }
        assert_eq!(weixin.fetches(), (2, 0));
    });
}

#[test]
fn it_is_forced_only_when_wechat_gives_out_what_it_refuses() {
    run(async {
        let (world, weixin) = world();
        call(&world).await.unwrap();
        weixin.break_current();
        let outcomes = join_all((0..200).map(|_| call(&world))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(weixin.fetches(), (3, 1), "at first, then normal, then by force");
    });
}

#[test]
fn who_waited_for_a_fetch_that_brings_the_refused_token_does_not_get_that() {
    run(async {
        let (world, weixin) = world();
        token(&world, None).await.unwrap();
        weixin.break_current();
        // The one is renewing it when the other comes to say that it is refused.
        let renewal = borrow_token(&world, world.app(), Call::Refresh { force: false });
        let (renewed, repaired) = tokio::join!(renewal, token(&world, Some("token-1")));
        assert_eq!(renewed.unwrap().text, "token-1");
        assert_eq!(repaired.as_deref(), Ok("token-4"));
        assert_eq!(weixin.fetches(), (4, 1), "at first, the renewal, and two for the repair");
    });
}

#[test]
fn a_wechat_that_refuses_everything_is_neither_forced_nor_asked_without_end() {
    run(async {
        let (world, weixin) = world();
        weixin.refuses_all.set(true);
        let end = world.now() + DAY;
        let mut calls = 0;
        while world.now() < end {
            calls += 1;
            let Err(SendError::Refused(error)) = call(&world).await else { panic!("WeChat refuses all") };
            assert_eq!(error.errcode, 40001);
            world.pass(10_000).await;
        }
        let asked = weixin.asked.borrow();
        let forced: Vec<Millis> = asked.iter().filter(|(_, force)| *force).map(|(at, _)| *at).collect();
        assert_eq!(forced.len(), 20);
        assert!(forced.windows(2).all(|pair| pair[1] - pair[0] >= 30_000), "{forced:?}");
        assert!(asked.len() < calls / 2, "{} of {calls}", asked.len());
        assert!(weixin.others.borrow().len() <= 2 * calls, "one more try, not more");
    });
}

#[test]
fn a_crash_makes_no_room_for_more_force() {
    run(async {
        let (world, weixin) = world();
        for _ in 0..40 {
            let sent = world.api_calls().len();
            let order = borrow_token(&world, world.app(), Call::Refresh { force: true });
            // Killed while the forced refresh is on its way.
            let killed = tokio::time::timeout(Duration::from_millis(50), order).await.is_err();
            assert_eq!(killed, sent < 20);
            world.crash();
            world.pass(31_000).await;
        }
        assert_eq!(world.api_calls().len(), 20);
        assert!(weixin.asked.borrow().is_empty());
    });
}

#[test]
fn a_fetch_that_is_killed_is_made_anew() {
    run(async {
        let (world, weixin) = world();
        let asking = token(&world, None);
        assert!(tokio::time::timeout(Duration::from_millis(50), asking).await.is_err());
        world.crash();
        assert_eq!(token(&world, None).await.as_deref(), Ok("token-1"));
        world.crash();
        assert_eq!(token(&world, None).await.as_deref(), Ok("token-1"), "it was stored");
        assert_eq!(weixin.fetches(), (1, 0));
    });
}

#[test]
fn if_whoever_fetches_goes_away_the_next_one_does_it() {
    run(async {
        let (world, weixin) = world();
        let hasty = tokio::time::timeout(Duration::from_millis(50), token(&world, None));
        let patient = join_all((0..10).map(|_| token(&world, None)));
        let (hasty, patient) = tokio::join!(hasty, patient);
        assert!(hasty.is_err() && patient.iter().all(|answer| answer.as_deref() == Ok("token-1")));
        assert_eq!(weixin.fetches(), (1, 0));
        assert_eq!(world.api_calls().len(), 2);
    });
}

#[test]
fn it_is_renewed_by_alarm_before_it_ends_even_after_a_crash() {
    run(async {
        let (world, weixin) = world();
        token(&world, None).await.unwrap();
        for round in 2..6 {
            world.crash();
            world.pass(7_200_000 - 300_000).await;
            // Whoever comes now need not wait.
            assert_eq!(token(&world, None).await, Ok(format!("token-{round}")));
            assert_eq!(weixin.fetches(), (round, 0));
        }
    });
}

#[test]
fn what_nobody_uses_is_not_renewed_for_ever() {
    run(async {
        let (world, weixin) = world();
        token(&world, None).await.unwrap();
        world.pass(30 * DAY).await;
        let (fetches, _) = weixin.fetches();
        assert!((12..=14).contains(&fetches), "{fetches} in a month, all of them on the first day");
        assert_eq!(world.account_disk().alarm(), None);
        // It comes back to life with the next who asks.
        token(&world, None).await.unwrap();
        world.pass(12 * HOUR).await;
        assert!(weixin.fetches().0 >= fetches + 6);
        // Use keeps it alive, though nothing is fetched for that.
        for _ in 0..48 {
            world.pass(HOUR).await;
            token(&world, None).await.unwrap();
        }
        let before = weixin.fetches().0;
        world.pass(20 * HOUR).await;
        assert!(weixin.fetches().0 >= before + 9);
    });
}

#[test]
fn a_token_that_wechat_renews_late_is_not_asked_for_by_everybody() {
    run(async {
        let (world, weixin) = world();
        let fault = serde_json::json!({ "access_token": "nearly-over", "expires_in": "290" });
        weixin.faults.borrow_mut().push_back(Ok(fault));
        for _ in 0..50 {
            assert_eq!(token(&world, None).await.as_deref(), Ok("nearly-over"));
        }
        assert_eq!(weixin.fetches(), (1, 0));
        world.pass(61_000).await;
        assert_eq!(token(&world, None).await.as_deref(), Ok("token-2"), "the alarm fetched it");
    });
}

#[test]
fn a_wrong_secret_is_told_and_not_tried_with_every_message() {
    for code in [40001, 40013, 40125, 40164, 40243, 45009, 50004, 50007, 89503] {
        run(async move {
            let (world, weixin) = world();
            weixin.fail_next(code, 1_000);
            for _ in 0..59 {
                assert!(
                    matches!(call(&world).await, Err(SendError::Token(TokenFailure::Refused(error))) if error.errcode == code)
                );
                tokio::time::sleep(Duration::from_millis(900)).await;
            }
            assert_eq!(weixin.fetches(), (1, 0), "{code}");
            assert!(weixin.others.borrow().is_empty());
            tokio::time::sleep(Duration::from_millis(60_000)).await;
            assert_eq!(refused(token(&world, None).await), code);
            assert_eq!(weixin.fetches(), (2, 0), "{code}");
            // The operator need not wait.
            weixin.faults.borrow_mut().clear();
            assert_eq!(refused(token(&world, None).await), code);
            borrow_token(&world, world.app(), Call::Refresh { force: false }).await.unwrap();
            call(&world).await.unwrap();
            // The log says what to do.
            let log: String = world.log().iter().map(wxapi::log::Line::to_json).collect();
            let fix = wxapi::gateway::advice::advice(code).unwrap();
            assert!(
                log.contains("token.failed") && log.contains(&fix[..fix.find('`').unwrap_or(fix.len())]),
                "{log}"
            );
            assert!(log.contains("203.0.113.7"), "the address that was refused");
        });
    }
}

#[test]
fn the_time_that_wechat_states_is_waited_but_no_longer_than_an_hour() {
    for (code, wait) in [(89507, HOUR), (89506, HOUR), (45011, 60_000)] {
        run(async move {
            let (world, weixin) = world();
            weixin.fail_next(code, 1);
            assert_eq!(refused(token(&world, None).await), code);
            world.crash();
            let sleep = |span| tokio::time::sleep(Duration::from_millis(span));
            sleep(wait - 5_000).await;
            assert_eq!(refused(token(&world, None).await), code, "remembered, even after a crash");
            sleep(5_000).await;
            assert_eq!(token(&world, None).await.as_deref(), Ok("token-2"));
            assert_eq!(weixin.fetches(), (2, 0));
        });
    }
}

#[test]
fn what_may_pass_is_tried_three_times() {
    run(async {
        let (world, weixin) = world();
        weixin.fail_next(-1, 1);
        weixin.faults.borrow_mut().push_back(Err("connection reset".to_owned()));
        assert_eq!(token(&world, None).await.as_deref(), Ok("token-3"));
        weixin.invalidate();
        weixin.fail_next(-1, 3);
        assert_eq!(refused(token(&world, Some("token-3")).await), -1);
        assert_eq!(weixin.fetches().0, 6);
        assert_eq!(token(&world, Some("token-3")).await.as_deref(), Ok("token-7"), "and not remembered");
    });
}

#[test]
fn while_renewing_fails_the_token_that_lives_is_used() {
    run(async {
        let (world, weixin) = world();
        token(&world, None).await.unwrap();
        weixin.fail_next(40164, 3);
        world.pass(7_200_000 - 300_000 + 1_000).await;
        assert_eq!(weixin.fetches(), (2, 0));
        for _ in 0..20 {
            assert_eq!(token(&world, None).await.as_deref(), Ok("token-1"));
        }
        assert_eq!(weixin.fetches(), (2, 0));
        // But not what WeChat refuses.
        assert_eq!(refused(token(&world, Some("token-1")).await), 40164);
        world.pass(190_000).await;
        assert_eq!(token(&world, None).await.as_deref(), Ok("token-5"), "the alarm went on trying");
    });
}

#[test]
fn without_a_place_to_store_nothing_is_forced_and_the_token_is_used() {
    run(async {
        let (world, weixin) = world();
        world.account_disk().set_full(true);
        call(&world).await.unwrap();
        weixin.break_current();
        assert!(call(&world).await.is_err());
        assert_eq!(weixin.fetches(), (2, 0));
        world.account_disk().set_full(false);
        world.pass(31_000).await;
        call(&world).await.unwrap();
    });
}

#[test]
fn fetches_never_overlap_whatever_happens() {
    run(async {
        let (world, weixin) = world();
        let mut dice = 7_u64;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        for _ in 0..400 {
            match roll(8) {
                0 => weixin.invalidate(),
                1 => weixin.break_current(),
                2 => weixin.fail_next(if roll(2) == 0 { -1 } else { 40164 }, 1),
                3 => world.crash(),
                4 => drop(borrow_token(&world, world.app(), Call::Refresh { force: roll(2) == 0 }).await),
                _ => world.pass(roll(3_000_000)).await,
            }
            let callers = 1 + roll(20);
            let spread = roll(300);
            let calls = (0..callers).map(|n| {
                let world = world.clone();
                async move {
                    world.sleep(n * spread).await;
                    let _ = call(&world).await;
                }
            });
            join_all(calls).await;
        }
        let asked = weixin.asked.borrow();
        assert!(asked.len() > 100, "{}", asked.len());
        // Each takes 100 ms, so two that end closer together were on their way at once.
        assert!(asked.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 100));
        let forced: Vec<Millis> = asked.iter().filter(|(_, force)| *force).map(|(at, _)| *at).collect();
        assert!(forced.len() > 20, "the test forces");
        for (index, at) in forced.iter().enumerate() {
            let day = forced[index..].iter().take_while(|later| **later < at + DAY).count();
            assert!(day <= 20, "{day} in a day");
        }
        assert!(forced.windows(2).all(|pair| pair[1] - pair[0] >= 30_000));
    });
}
