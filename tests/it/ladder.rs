//! The delayed-reply ladder, through `route()`: answers in time, late answers, crashes, failing models, pages.

use crate::world::{ModelTurn, USER, World, answers, reply_text, run, see, slow_model};

#[test]
fn answers_on_the_first_second_or_third_delivery() {
    for (delay, delivery) in [(0, 1), (1_000, 1), (4_400, 1), (4_600, 2), (7_000, 2), (12_000, 3)] {
        run(async move {
            let world = slow_model(delay);
            see(&world, "why?", delivery, "Answer to why?").await;
            assert_eq!(world.model_calls().len(), 1, "after {delay} ms");
        });
    }
}

#[test]
fn an_answer_that_takes_longer_waits_for_retrieve() {
    run(async {
        let world = slow_model(40_000);
        see(&world, "why?", 3, "Tap for the answer").await;
        see(&world, "/retrieve", 1, "Still working, 14 s").await;
        world.pass(26_000).await;
        see(&world, "/retrieve", 1, "Answer to why?").await;
        see(&world, "继续", 1, "Answer to why?").await;
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn retrieve_without_anything_says_so() {
    run(async {
        let world = slow_model(0);
        see(&world, "/retrieve", 1, "No pending messages found").await;
        assert!(world.model_calls().is_empty());
    });
}

#[test]
fn a_repeated_message_gets_the_same_reply_byte_for_byte() {
    run(async {
        let world = slow_model(1_000);
        let message = world.text(USER, "why?");
        let first = world.deliver_once(&message).await;
        world.pass(7_000).await;
        assert_eq!(world.deliver_once(&message).await, first);
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn three_deliveries_at_once_share_one_job_and_one_answer() {
    run(async {
        let world = slow_model(2_000);
        let message = world.text(USER, "why?");
        let deliver = || world.deliver_once(&message);
        let (a, b, c) = tokio::join!(deliver(), deliver(), deliver());
        assert!(reply_text(&a.body).contains("Answer to why?"));
        assert_eq!((&a, &b), (&b, &c));
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn a_late_copy_of_an_acknowledged_message_gets_the_acknowledgement() {
    run(async {
        let world = slow_model(20_000);
        let message = world.text(USER, "why?");
        let acknowledged = world.deliver(&message).await;
        world.pass(10_000).await;
        let fourth = world.deliver_once(&message).await;
        assert_eq!(Some(reply_text(&fourth.body)), acknowledged.text);
        see(&world, "/retrieve", 1, "Answer to why?").await;
    });
}

#[test]
fn the_job_is_stored_before_the_model_is_asked() {
    run(async {
        let world = World::new(&[]);
        let disk = world.disk(USER);
        world.model(move |call| {
            let stored = disk.document().expect("nothing stored yet");
            assert!(stored.contains("why?"), "{stored}");
            answers(0, &call.question())
        });
        see(&world, "why?", 1, "why?").await;
    });
}

#[test]
fn a_crash_while_the_model_runs_loses_nothing() {
    run(async {
        let world = slow_model(20_000);
        see(&world, "why?", 3, "Tap for the answer").await;
        world.crash();
        // Nobody asks: the alarm alone brings the job back to work.
        world.pass(60_000).await;
        assert_eq!(world.model_calls().len(), 2);
        see(&world, "/retrieve", 1, "Answer to why?").await;
    });
}

#[test]
fn after_a_crash_the_next_delivery_resumes_the_job() {
    run(async {
        let world = slow_model(3_000);
        let message = world.text(USER, "why?");
        let first =
            tokio::time::timeout(std::time::Duration::from_secs(2), world.deliver_once(&message)).await;
        assert!(first.is_err(), "the object dies before it answers");
        world.crash();
        let seen = world.deliver(&message).await;
        assert!(seen.text.unwrap().contains("Answer to why?"));
    });
}

#[test]
fn a_question_that_keeps_killing_its_object_gets_a_graceful_answer() {
    run(async {
        let world = slow_model(600_000);
        see(&world, "why?", 3, "Tap for the answer").await;
        for _ in 0..6 {
            world.crash();
            world.pass(31_000).await;
        }
        see(&world, "/retrieve", 1, "Sorry, I could not answer").await;
        assert_eq!(world.model_calls().len(), 5);
    });
}

#[test]
fn what_cannot_be_stored_is_not_accepted() {
    run(async {
        let world = slow_model(0);
        see(&world, "before", 1, "Answer to before").await;
        let disk = world.disk(USER);
        disk.set_full(true);
        let message = world.text(USER, "why?");
        assert_eq!(world.deliver_once(&message).await.status, 503);
        assert_eq!(world.model_calls().len(), 1, "the model is not asked what could not be stored");
        disk.set_full(false);
        let seen = world.deliver(&message).await;
        assert!(seen.text.unwrap().contains("Answer to why?"));
    });
}

#[test]
fn an_answer_that_cannot_be_stored_is_not_shown_and_comes_with_the_next_delivery() {
    run(async {
        let world = slow_model(1_000);
        let message = world.text(USER, "why?");
        let (seen, ()) = tokio::join!(world.deliver(&message), world.fill_disk_for_a_second(USER));
        assert!(seen.text.unwrap().contains("Answer to why?"));
        assert_eq!(seen.deliveries, 2);
    });
}

#[test]
fn a_provider_that_fails_twice_is_asked_a_third_time() {
    run(async {
        let world = World::new(&[]);
        world.model(|call| ModelTurn {
            delay: 0,
            outcome: if call.number < 3 {
                Err("3040: Capacity temporarily exceeded".into())
            } else {
                Ok("At last".into())
            },
        });
        see(&world, "why?", 1, "At last").await;
        assert_eq!(world.model_calls().len(), 3);
    });
}

#[test]
fn the_next_model_of_the_chain_answers_when_the_first_is_down() {
    run(async {
        let world = World::new(&[("AI_MODEL", "first, second")]);
        world.model(|call| ModelTurn {
            delay: 0,
            outcome: if call.model == "first" { Err("down".into()) } else { Ok("From the second".into()) },
        });
        see(&world, "why?", 1, "From the second").await;
        let models: Vec<String> = world.model_calls().into_iter().map(|call| call.model).collect();
        assert_eq!(models, ["first", "first", "first", "second"]);
    });
}

#[test]
fn a_model_that_never_finishes_is_asked_again() {
    run(async {
        let world = World::new(&[]);
        world.model(|call| answers(if call.number == 1 { 86_400_000 } else { 0 }, "awake now"));
        see(&world, "why?", 3, "Tap for the answer").await;
        world.pass(200_000).await;
        see(&world, "/retrieve", 1, "awake now").await;
        assert_eq!(world.model_calls().len(), 2);
    });
}

#[test]
fn a_model_that_does_not_exist_is_not_asked_again() {
    run(async {
        let world = World::new(&[("AI_MODEL", "missing, present")]);
        world.model(|call| ModelTurn {
            delay: 0,
            outcome: if call.model == "missing" {
                Err("InferenceUpstreamError: 5007: No such model".into())
            } else {
                Ok("here".into())
            },
        });
        see(&world, "why?", 1, "here").await;
        assert_eq!(world.model_calls().len(), 2);
    });
}

#[test]
fn a_provider_that_fails_for_good_leaves_a_graceful_answer() {
    run(async {
        let world = World::new(&[]);
        world.model(|_| ModelTurn { delay: 6_000, outcome: Err("down".into()) });
        see(&world, "why?", 3, "Tap for the answer").await;
        world.pass(20_000).await;
        see(&world, "/retrieve", 1, "Sorry, I could not answer").await;
        world.model(|_| answers(0, "Back again"));
        see(&world, "and now?", 1, "Back again").await;
        let calls = world.model_calls();
        let last = calls.last().unwrap().inputs.to_string();
        assert!(!last.contains("Sorry"), "a failure is not part of the conversation: {last}");
    });
}

#[test]
fn a_long_answer_comes_in_pages() {
    run(async {
        let world = World::new(&[]);
        let long: String = (1..=200).map(|n| format!("第 {n} 句话说完了。")).collect();
        let answer = long.clone();
        world.model(move |_| answers(0, &answer));
        let mut read = String::new();
        let mut shown = world.say(USER, "讲个长故事").await.text.unwrap();
        let mut pages = 1;
        while let Some((page, rest)) = shown.split_once("\n\n(") {
            read.push_str(page);
            assert!(rest.contains("weixin://bizmsgmenu"), "{rest}");
            assert!(rest.starts_with(&format!("{pages}/")), "{rest}");
            shown = world.say(USER, "/retrieve").await.text.unwrap();
            pages += 1;
        }
        read.push_str(&shown);
        assert_eq!(read, long);
        assert!(pages >= 2);
        assert_eq!(world.model_calls().len(), 1);
    });
}

#[test]
fn a_waiting_answer_is_announced_under_the_next_one() {
    run(async {
        let world = World::new(&[]);
        world.model(|call| answers(if call.question() == "slow" { 20_000 } else { 0 }, &call.question()));
        see(&world, "slow", 3, "Tap for the answer").await;
        world.pass(10_000).await;
        see(&world, "quick", 1, "Another answer is waiting").await;
        see(&world, "/retrieve", 1, "slow").await;
        let last = world.say(USER, "quick again").await.text.unwrap();
        assert_eq!(last, "quick again");
    });
}
