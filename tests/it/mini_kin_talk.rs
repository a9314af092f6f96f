//! One conversation in two windows: what the model is told, and what the Mini Program shows.

use serde_json::{Value, json};
use wxapi::platform::Object;

use crate::mini_kin::{ANNA, DAY, MINUTE, calls_of, home, last_told, linked, settle, shown, turn};
use crate::world::{answers, run};

#[test]
fn silence_ends_the_conversation_in_both() {
    run(async {
        let (world, session) = linked().await;
        world.chat(&session, "What is a spruce?", None).await;
        world.pass(6 * MINUTE).await;
        world.say(ANNA, "And a fir?").await;
        assert_eq!(last_told(&world), [] as [&str; 0]);
        settle(&world).await;
        world.pass(6 * MINUTE).await;
        world.chat(&session, "What is a yew?", None).await;
        assert_eq!(last_told(&world), [] as [&str; 0]);
        assert_eq!(shown(&world, &session).await.len(), 3);
    });
}

#[test]
fn new_begins_anew_in_both() {
    run(async {
        let (world, session) = linked().await;
        world.chat(&session, "What is a spruce?", None).await;
        world.say(ANNA, "/new").await;
        world.say(ANNA, "And a fir?").await;
        assert_eq!(last_told(&world), [] as [&str; 0]);
        settle(&world).await;
        world.chat(&session, "Which is taller?", None).await;
        assert_eq!(last_told(&world), ["And a fir?", "Answer to And a fir?"]);
        let first = turn("What is a spruce?", "app").to_vec();
        let second = [turn("And a fir?", "official_account"), turn("Which is taller?", "app")].concat();
        assert_eq!(shown(&world, &session).await, [second, first]);
    });
}

#[test]
fn a_place_told_in_the_chat_is_known_in_the_mini_program() {
    run(async {
        let (world, session) = linked().await;
        let place = "<MsgType>location</MsgType><Location_X>30.2</Location_X><Location_Y>120.1</Location_Y><Scale>15</Scale><Label>West Lake</Label>";
        world.deliver(&world.message(ANNA, place)).await;
        settle(&world).await;
        world.chat(&session, "Where am I?", None).await;
        assert!(last_told(&world)[0].contains("West Lake"));
        let roles: Vec<_> = shown(&world, &session).await.remove(0).into_iter().map(|said| said.0).collect();
        assert_eq!(roles, ["user", "user", "assistant"], "nobody sees an empty answer");
    });
}

#[test]
fn status_and_summary_are_of_the_one_conversation() {
    run(async {
        let (world, session) = linked().await;
        world.chat(&session, "What is a spruce?", None).await;
        let status = world.say(ANNA, "/status").await.text.unwrap();
        assert!(status.contains("Turns remembered: 1"), "{status}");
        world.say(ANNA, "/summary").await;
        assert!(world.model_calls().last().unwrap().question().contains("What is a spruce?"));
        world.pass(10 * MINUTE).await;
        let asked = world.model_calls().len();
        let seen = world.say(ANNA, "/summary").await.text.unwrap();
        assert!(seen.contains("not talked about anything"), "{seen}");
        assert_eq!(world.model_calls().len(), asked);
    });
}

#[test]
fn a_conversation_deleted_in_the_mini_program_is_not_remembered_in_the_chat() {
    run(async {
        let (world, session) = linked().await;
        world.say(ANNA, "What is a spruce?").await;
        settle(&world).await;
        assert_eq!(world.api("DELETE", "conversations", &session, "").await.status, 200);
        world.say(ANNA, "And a fir?").await;
        assert_eq!(last_told(&world), [] as [&str; 0]);
    });
}

#[test]
fn a_home_out_of_reach_costs_a_second_and_hears_it_later() {
    for says_so in [true, false] {
        run(async move {
            let (world, session) = linked().await;
            world.chat(&session, "What is a spruce?", None).await;
            world.cut_off(Some((Object::MiniUser, says_so)));
            let begun = wxapi::platform::Platform::now(&world);
            let seen = world.say(ANNA, "And a fir?").await;
            assert_eq!((seen.deliveries, seen.text.as_deref()), (1, Some("Answer to And a fir?")));
            assert!(wxapi::platform::Platform::now(&world) - begun <= 1_000);
            assert!(world.log().iter().any(|line| line.event == "kin.out_of_reach"));
            world.say(ANNA, "Which is taller?").await;
            assert_eq!(last_told(&world), ["And a fir?", "Answer to And a fir?"], "its own history serves");
            world.pass(20_000).await;
            world.cut_off(None);
            // Nobody writes: the alarm tells it.
            world.pass(2 * MINUTE).await;
            assert_eq!(shown(&world, &session).await[0].len(), 6, "{says_so}");
            let document = world.disk(ANNA).document().unwrap();
            assert!(!document.contains("outbox"), "{document}");
        });
    }
}

#[test]
fn what_home_was_not_told_for_a_day_is_given_up() {
    run(async {
        let (world, _) = linked().await;
        world.cut_off(Some((Object::MiniUser, true)));
        for n in 0..25 {
            world.say(ANNA, &format!("question {n}")).await;
            world.pass(10_000).await;
        }
        let stored: Value = serde_json::from_str(&world.disk(ANNA).document().unwrap()).unwrap();
        assert_eq!(stored["kin"]["outbox"].as_array().unwrap().len(), 20);
        let before = calls_of(&world, Object::MiniUser);
        world.pass(DAY + 30 * MINUTE).await;
        assert!(calls_of(&world, Object::MiniUser) - before < 40, "less and less often");
        let stored: Value = serde_json::from_str(&world.disk(ANNA).document().unwrap()).unwrap();
        assert_eq!(stored["kin"]["outbox"], Value::Null);
        assert!(stored["kin"]["home"].is_string(), "the link stays");
    });
}

#[test]
fn a_crash_between_the_answer_and_its_telling_loses_nothing() {
    run(async {
        let (world, session) = linked().await;
        world.cut_off(Some((Object::MiniUser, false)));
        world.say(ANNA, "What is a spruce?").await;
        world.crash();
        world.cut_off(None);
        world.pass(2 * MINUTE).await;
        assert_eq!(shown(&world, &session).await[0], turn("What is a spruce?", "official_account"));
        // Told again by a life that did not hear that it was told, it is there once.
        let stored = world.disk(ANNA).document().unwrap();
        world.say(ANNA, "And a fir?").await;
        settle(&world).await;
        let rerun = world.disk(ANNA).document().unwrap();
        assert!(stored != rerun);
        assert_eq!(shown(&world, &session).await[0].len(), 4);
    });
}

#[test]
fn what_is_told_twice_is_there_once() {
    run(async {
        let (world, session) = linked().await;
        let name = home(&world).unwrap();
        let news = json!([
            { "key": "k1", "asked": 1, "at": 2, "turn": { "q": "What is a spruce?", "a": "Answer to What is a spruce?" } },
            { "key": "k2", "asked": 3, "at": 3 },
            { "key": "k3", "asked": 4, "at": 5, "turn": { "q": "And a fir?", "a": "Answer to And a fir?" } },
        ]);
        let call = json!({ "kin": { "tell": news } }).to_string();
        for _ in 0..2 {
            world.call_object(Object::MiniUser, &name, &call).await.unwrap();
        }
        let all = shown(&world, &session).await;
        assert_eq!(all.len(), 2, "{all:?}");
        assert_eq!(all[0], turn("And a fir?", "official_account"));
        let old = world.mini_disk(&session);
        let user: Value = serde_json::from_str(&old.document().unwrap()).unwrap();
        assert_eq!((&user["account"], &user["current"]["outside"]), (&json!(ANNA), &json!(true)));
    });
}

#[test]
fn what_was_spoken_is_part_of_the_conversation() {
    run(async {
        let (world, session) = linked().await;
        world.chat(&session, "What is a spruce?", None).await;
        let voice = "<MsgType>voice</MsgType><MediaId>m</MediaId><Format>amr</Format><Recognition>And a fir?</Recognition>";
        world.deliver(&world.message(ANNA, voice)).await;
        assert_eq!(last_told(&world), ["What is a spruce?", "Answer to What is a spruce?"]);
        settle(&world).await;
        world.chat(&session, "Which is taller?", None).await;
        assert_eq!(last_told(&world).len(), 4);
        assert_eq!(shown(&world, &session).await.len(), 1);
    });
}

#[test]
fn two_questions_at_once_are_both_told_and_an_answer_on_its_way_is_not_missing() {
    run(async {
        let (world, session) = linked().await;
        world.model(|call| answers(1_000, &format!("Answer to {}", call.question())));
        let both = tokio::join!(world.say(ANNA, "What is a spruce?"), world.say(ANNA, "And a fir?"));
        assert!(both.0.text.is_some() && both.1.text.is_some());
        world.say(ANNA, "Which is taller?").await;
        assert_eq!(last_told(&world).len(), 4);
        settle(&world).await;
        assert_eq!(shown(&world, &session).await[0].len(), 6);
    });
}

#[test]
fn long_conversations_are_condensed_where_they_are_at_home() {
    run(async {
        let (world, session) = linked().await;
        let long = "x".repeat(1_900);
        for n in 0..6 {
            world.say(ANNA, &format!("{n} {long}")).await;
            settle(&world).await;
        }
        world.say(ANNA, "And then?").await;
        let summary = &last_told(&world)[0];
        assert!(summary.starts_with("Summary of the conversation so far"), "{summary}");
        assert_eq!(shown(&world, &session).await[0].len(), 14, "all of it can be read");
        let own: Value = serde_json::from_str(&world.disk(ANNA).document().unwrap()).unwrap();
        assert_eq!(own["history"]["summary"], Value::Null, "it is not condensed twice");
    });
}
