//! Logging in by messages, from the code to the result and back out.

use wxapi::login::method::Method;
use wxapi::login::session::{Call, Confirmer, Fault, Reply, Status};
use wxapi::login::subject::Who;
use wxapi::platform::Object;
use wxapi::wechat::{AppId, OpenId};

use crate::login_stage::{
    APP, LOGIN, OTHER, call, deliver, desk, encrypted, event, logged, open, open_with_code, opened, say,
    show, stage, status, stored,
};
use crate::world::{ModelCall, USER, World, answers, reply_text, run};

fn link(word: &str) -> String {
    format!("weixin://bizmsgmenu?msgmenucontent={word}&")
}

fn questions(world: &World) -> Vec<String> {
    world.model_calls().iter().map(ModelCall::question).collect()
}

#[test]
fn a_code_and_a_yes_log_in_and_the_reply_is_the_alert() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        assert_eq!(code.len(), 6);
        let asked = say(&world, USER, &format!("登录 {code}")).await;
        for part in [
            "My Blog (blog.example.com)",
            "Shenzhen, CN",
            "Chrome / Windows",
            &link("confirm"),
            &link("cancel"),
        ] {
            assert!(asked.contains(part), "{part}: {asked}");
        }
        assert_eq!(status(&world, LOGIN).await, Status::Scanned);
        let done = say(&world, USER, "确认").await;
        assert!(done.contains("You have just logged in to My Blog (blog.example.com)"), "{done}");
        assert!(done.contains(&link("log%20out")), "{done}");
        assert_eq!(status(&world, LOGIN).await, Status::Confirmed);
        assert_eq!(world.heard(LOGIN).all(), [r#"{"status":"scanned"}"#, r#"{"status":"confirmed"}"#]);
        let answer = stored(&world, LOGIN).answer().cloned().unwrap();
        let who = Who::Wechat { app_id: AppId::new(APP), openid: OpenId::new(USER), unionid: None };
        assert_eq!((answer.identity.who, answer.by), (who, Method::Code));
        assert!(world.model_calls().is_empty());
    });
}

#[test]
fn a_yes_may_be_tapped_twice_and_then_is_a_word_like_any_other() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        let first = say(&world, USER, "1").await;
        assert_eq!(say(&world, USER, "confirm").await, first);
        world.pass(31_000).await;
        assert_eq!(say(&world, USER, "1").await, "Answer to 1");
        assert!(world.heard(LOGIN).all().len() == 2);
    });
}

#[test]
fn a_no_logs_nobody_in() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        for _ in 0..2 {
            assert!(say(&world, USER, "取消").await.contains("Cancelled"));
            assert_eq!(status(&world, LOGIN).await, Status::Denied);
        }
        assert!(say(&world, USER, "确认").await.contains("over"));
        assert_eq!(status(&world, LOGIN).await, Status::Denied);
        world.pass(31_000).await;
        assert_eq!(say(&world, USER, "退出").await, "Answer to 退出", "there is no login to take back");
        let login = "c".repeat(32);
        let code = open_with_code(&world, &login).await;
        say(&world, USER, &code).await;
        assert!(say(&world, USER, "退出").await.contains("Cancelled"), "out, before being in");
        assert_eq!(status(&world, &login).await, Status::Denied);
    });
}

#[test]
fn a_no_after_a_yes_points_to_the_way_out() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        say(&world, USER, "yes").await;
        assert!(say(&world, USER, "cancel").await.contains(&link("log%20out")));
        assert_eq!(status(&world, LOGIN).await, Status::Confirmed);
    });
}

#[test]
fn a_login_can_be_taken_back_while_its_attempt_is_known() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        say(&world, USER, "确认").await;
        world.pass(300_000).await;
        assert_eq!(say(&world, OTHER, "退出").await, "Answer to 退出");
        assert!(!stored(&world, LOGIN).is_revoked());
        for _ in 0..2 {
            assert!(say(&world, USER, "退出").await.contains("was taken back"));
            assert!(stored(&world, LOGIN).is_revoked());
        }
        world.pass(31_000).await;
        assert_eq!(say(&world, USER, "log out").await, "Answer to log out");
    });
}

#[test]
fn too_late_to_take_back_is_said_and_then_everything_is_deleted() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        say(&world, USER, "确认").await;
        // The conversation is forgotten before the login is.
        world.pass(25 * 60_000).await;
        assert_eq!(world.disk(USER).document(), None);
        assert!(desk(&world, USER).is_some());
        assert!(say(&world, USER, "退出").await.contains("cannot be taken back here"));
        world.pass(40 * 60_000).await;
        assert_eq!((world.disk(USER).document(), desk(&world, USER)), (None, None));
        assert_eq!(world.disk(USER).alarm(), None);
    });
}

#[test]
fn a_login_that_nobody_asks_about_again_is_deleted_all_the_same() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        say(&world, USER, "确认").await;
        for crashes in [false, true] {
            world.pass(25 * 60_000).await;
            assert_eq!(desk(&world, USER).is_some(), !crashes);
            world.crash();
        }
        assert_eq!((world.disk(USER).document(), world.disk(USER).alarm()), (None, None));
    });
}

#[test]
fn nobody_else_can_say_yes_or_no() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        for word in ["确认", "1", "取消", "confirm", "退出", "47"] {
            assert_eq!(say(&world, OTHER, word).await, format!("Answer to {word}"));
        }
        let by = Confirmer::Person(Who::Wechat {
            app_id: AppId::new(APP),
            openid: OpenId::new(OTHER),
            unionid: None,
        });
        assert_eq!(call(&world, LOGIN, &Call::Confirm { by, number: None }).await, Err(Fault::NotYours));
        assert_eq!(status(&world, LOGIN).await, Status::Scanned);
        say(&world, USER, "确认").await;
        assert_eq!(status(&world, LOGIN).await, Status::Confirmed);
    });
}

#[test]
fn whoever_sends_the_same_code_later_is_turned_away() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        assert!(say(&world, OTHER, &code).await.contains("Somebody else"));
        assert_eq!(say(&world, OTHER, "确认").await, "Answer to 确认");
        assert!(say(&world, USER, &code).await.contains("You are logging in"), "again, by the same person");
        say(&world, USER, "确认").await;
        assert!(say(&world, USER, &code).await.contains("over"));
        assert_eq!(stored(&world, LOGIN).answer().cloned().unwrap().by, Method::Code);
    });
}

#[test]
fn repeated_deliveries_get_the_same_reply_byte_for_byte() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        let sent = world.text(USER, &code);
        let both = tokio::join!(deliver(&world, &sent), deliver(&world, &sent));
        assert_eq!(both.0, both.1);
        let wrong = world.text(OTHER, "登录 12345");
        let missed = tokio::join!(deliver(&world, &wrong), deliver(&world, &wrong));
        assert_eq!(missed.0, missed.1);
        assert_eq!(desk(&world, OTHER).unwrap()["misses"].as_array().unwrap().len(), 1);
        world.pass(3_000).await;
        assert_eq!(deliver(&world, &sent).await, both.0);
        let yes = world.text(USER, "1");
        let first = deliver(&world, &yes).await;
        say(&world, USER, "退出").await;
        assert_eq!(deliver(&world, &yes).await, first);
        assert!(stored(&world, LOGIN).is_revoked(), "the repeat did not log in again");
        assert_eq!(world.heard(LOGIN).all().len(), 3);
    });
}

#[test]
fn a_number_that_is_a_question_is_asked_once_and_missed_once() {
    run(async {
        let world = stage(|_| {});
        world.model(|call| answers(6_000, &format!("Answer to {}", call.question())));
        let sent = world.text(USER, "100000");
        for _ in 0..2 {
            let (query, body) = encrypted(&world, &sent, 0);
            let hung_up = tokio::time::timeout(
                std::time::Duration::from_secs(5),
                world.request("POST", "wechat", &query, &body),
            );
            if let Ok(response) = hung_up.await {
                assert_eq!(reply_text(&opened(&response)), "Answer to 100000");
            }
        }
        assert_eq!(questions(&world), ["100000"]);
        assert_eq!(desk(&world, USER).unwrap()["misses"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn every_object_may_die_between_the_code_and_the_yes() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        world.crash();
        let sent = world.text(USER, &code);
        let asked = deliver(&world, &sent).await;
        world.crash();
        assert_eq!(deliver(&world, &sent).await, asked);
        assert!(say(&world, USER, "确认").await.contains("just logged in"));
        world.crash();
        assert_eq!(status(&world, LOGIN).await, Status::Confirmed);
        assert!(say(&world, USER, "退出").await.contains("was taken back"));
    });
}

#[test]
fn what_cannot_be_stored_is_delivered_again_and_then_works() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        let sent = world.text(USER, &code);
        world.disk(USER).set_full(true);
        let (query, body) = encrypted(&world, &sent, 0);
        assert_eq!(world.request("POST", "wechat", &query, &body).await.status, 503);
        assert_eq!(logged(&world, "login.not_served"), 1);
        world.disk(USER).set_full(false);
        assert!(deliver(&world, &sent).await.contains("You are logging in"));
        assert!(say(&world, USER, "确认").await.contains("just logged in"));
    });
}

#[test]
fn a_page_that_has_ended_is_told_from_a_wrong_code() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        world.pass(181_000).await;
        assert!(say(&world, USER, &code).await.contains("timed out"));
        assert_eq!(desk(&world, USER), None, "it was no guess");
        let code = open_with_code(&world, LOGIN).await;
        say(&world, USER, &code).await;
        world.pass(175_000).await;
        assert!(say(&world, USER, "1").await.contains("just logged in"));
        let late = open_with_code(&world, &"d".repeat(32)).await;
        world.pass(150_000).await;
        say(&world, USER, &late).await;
        world.pass(61_000).await;
        assert!(say(&world, USER, "1").await.contains("timed out"));
    });
}

#[test]
fn strict_clients_have_the_number_typed_on_the_page() {
    run(async {
        let world = stage(|_| {});
        open(&world, LOGIN, true).await;
        let view = show(&world, LOGIN, Method::Code).await;
        assert_eq!(view.number, None, "the chat tells it");
        say(&world, USER, &view.code.unwrap()).await;
        let told = say(&world, USER, "确认").await;
        assert_eq!(say(&world, USER, "确认").await, told);
        assert_eq!(status(&world, LOGIN).await, Status::Number);
        let number = told.split("number ").nth(1).unwrap()[..2].parse().unwrap();
        let browser = wxapi::login::Digest::of("browser");
        assert_eq!(call(&world, LOGIN, &Call::Number { browser, number }).await, Ok(Reply::Done));
        assert_eq!(status(&world, LOGIN).await, Status::Confirmed);
    });
}

#[test]
fn without_websites_every_word_is_a_question_and_nothing_more_is_stored() {
    run(async {
        let world = stage(|config| config.login.clients.clear());
        for word in ["登录 482913", "482913", "确认", "退出", "登录"] {
            assert_eq!(say(&world, USER, word).await, format!("Answer to {word}"));
            world.pass(10_000).await;
        }
        let scan = "<Event>SCAN</Event><EventKey>wxl_</EventKey>";
        assert_eq!(deliver(&world, &event(&world, USER, scan)).await, "success");
        assert_eq!(desk(&world, USER), None);
    });
}

#[test]
fn an_ordinary_question_costs_nothing_more_for_the_login() {
    run(async {
        let mut writes = Vec::new();
        for on in [false, true] {
            let world = stage(|config| {
                if !on {
                    config.login.clients.clear();
                }
            });
            say(&world, USER, "why is the sky blue?").await;
            say(&world, USER, "确认收货了吗").await;
            writes.push(world.disk(USER).writes());
            for shard in 0..16 {
                assert_eq!(world.disk_behind(Object::Code, &shard.to_string()).writes(), 0);
            }
        }
        assert_eq!(writes[0], writes[1]);
    });
}
