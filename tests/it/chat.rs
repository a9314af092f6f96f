//! A user chats, through `route()`: limits, memory, commands, every kind of message.

use wxapi::chat::command::Command;

use crate::world::{DAWN, USER, World, answers, run, see, slow_model};

#[test]
fn the_rate_limit_is_polite_and_says_when_it_resets() {
    run(async {
        let world = World::new(&[("RATE_LIMIT", "3")]);
        for n in 0..3 {
            see(&world, &format!("question {n}"), 1, "Answer to").await;
            world.pass(5_000).await;
        }
        see(&world, "one more", 1, "again in 45 s").await;
        see(&world, "/help", 1, "Just write to me").await;
        world.pass(45_000).await;
        see(&world, "one more", 1, "Answer to one more").await;
        assert_eq!(world.model_calls().len(), 4);
    });
}

#[test]
fn at_most_three_questions_are_in_work_at_once() {
    run(async {
        let world = slow_model(60_000);
        let messages: Vec<String> = (0..3).map(|n| world.text(USER, &format!("question {n}"))).collect();
        for message in &messages {
            let _ =
                tokio::time::timeout(std::time::Duration::from_millis(1), world.deliver_once(message)).await;
        }
        see(&world, "a fourth", 1, "still working on your earlier questions").await;
        assert_eq!(world.model_calls().len(), 3);
        // Another user is not concerned.
        world.model(|_| answers(0, "fine"));
        assert_eq!(world.say("o-other", "hello").await.text.as_deref(), Some("fine"));
    });
}

#[test]
fn unread_answers_are_never_dropped_for_new_questions() {
    run(async {
        let world = World::new(&[("RATE_LIMIT", "1000")]);
        world.model(|call| answers(16_000, &call.question()));
        for n in 0..20 {
            see(&world, &format!("question {n}"), 3, "Tap for the answer").await;
            world.pass(5_000).await;
        }
        see(&world, "one more", 1, "20 answers are waiting").await;
        for n in 0..20 {
            see(&world, "/retrieve", 1, &format!("question {n}")).await;
        }
        see(&world, "one more", 3, "Tap for the answer").await;
    });
}

#[test]
fn the_conversation_is_remembered_and_new_forgets_it() {
    run(async {
        let world = slow_model(0);
        see(&world, "my name is Ming", 1, "Answer").await;
        see(&world, "who am I?", 1, "Answer").await;
        assert!(world.model_calls()[1].inputs.to_string().contains("my name is Ming"));
        see(&world, "/new", 1, "fresh start").await;
        see(&world, "and now?", 1, "Answer").await;
        assert!(!world.model_calls()[2].inputs.to_string().contains("Ming"));
    });
}

#[test]
fn an_answer_to_the_old_conversation_stays_out_of_the_new_one() {
    run(async {
        let world = slow_model(16_000);
        see(&world, "old question", 3, "Tap").await;
        see(&world, "新对话", 1, "fresh start").await;
        world.pass(5_000).await;
        see(&world, "/retrieve", 1, "Answer to old question").await;
        world.model(|call| answers(0, &call.question()));
        see(&world, "new question", 1, "new question").await;
        assert!(!world.model_calls()[1].inputs.to_string().contains("old question"));
    });
}

#[test]
fn silence_ends_the_conversation_but_keeps_the_unread_answer_for_a_day() {
    run(async {
        let world = World::new(&[("SESSION_TIMEOUT", "300")]);
        world.model(|call| answers(20_000, &call.question()));
        see(&world, "slow one", 3, "Tap").await;
        world.pass(3_600_000).await;
        see(&world, "/retrieve", 1, "slow one").await;
        world.pass(301_000).await;
        see(&world, "/retrieve", 1, "No pending messages found").await;
        see(&world, "another", 3, "Tap").await;
        assert!(!world.model_calls()[1].inputs.to_string().contains("slow one"));
        world.pass(25 * 3_600_000).await;
        see(&world, "/retrieve", 1, "No pending messages found").await;
        world.pass(1_260_000).await;
        assert_eq!(world.disk(USER).document(), None, "nothing is kept of a user who went away");
        assert_eq!(world.disk(USER).alarm(), None);
    });
}

#[test]
fn forget_deletes_everything_even_what_is_on_its_way() {
    run(async {
        let world = slow_model(20_000);
        see(&world, "a secret", 3, "Tap").await;
        see(&world, "/forget", 1, "Everything stored about you is deleted").await;
        let stored = world.disk(USER).document().unwrap_or_default();
        assert!(!stored.contains("secret"), "{stored}");
        world.pass(30_000).await;
        see(&world, "/retrieve", 1, "No pending messages found").await;
        world.pass(1_260_000).await;
        assert_eq!(world.disk(USER).document(), None);
    });
}

#[test]
fn unfollowing_or_revoking_deletes_the_users_data() {
    for event in [
        "<MsgType>event</MsgType><Event>unsubscribe</Event><EventKey></EventKey>",
        "<MsgType>event</MsgType><Event>user_authorization_cancellation</Event><OpenID>o-user</OpenID><AppID>wx1</AppID><RevokeInfo>205</RevokeInfo>",
    ] {
        run(async move {
            let world = slow_model(0);
            see(&world, "a secret", 1, "Answer").await;
            let from = if event.contains("OpenID") { "o-platform" } else { USER };
            let event = world.message(from, event);
            assert_eq!(world.deliver(&event).await.text.as_deref(), Some(""));
            let stored = world.disk(USER).document().unwrap_or_default();
            assert!(!stored.contains("secret"), "{stored}");
        });
    }
}

#[test]
fn commands_work_in_both_languages_and_as_menu_keys() {
    run(async {
        let world = slow_model(0);
        for (typed, expected) in [
            ("/help", "Just write to me"),
            ("帮助", "Just write to me"),
            ("／HELP ", "Just write to me"),
            ("/status", "Turns remembered: 0"),
            ("状态", "Turns remembered: 0"),
            ("/summary", "We have not talked"),
            ("总结", "We have not talked"),
            ("忘记我", "deleted"),
        ] {
            see(&world, typed, 1, expected).await;
        }
        let click =
            world.message(USER, "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>/help</EventKey>");
        assert!(world.deliver(&click).await.text.unwrap().contains("Just write to me"));
        assert!(world.model_calls().is_empty());
    });
}

#[test]
fn the_retrieve_word_can_be_configured() {
    run(async {
        let world = World::new(&[("LLMLastMsg", "取回"), ("LANG", "zh")]);
        world.model(|_| answers(20_000, "好了"));
        let seen = world.say(USER, "慢问题").await.text.unwrap();
        assert!(seen.contains("msgmenucontent=%E5%8F%96%E5%9B%9E"), "{seen}");
        world.pass(10_000).await;
        assert_eq!(world.say(USER, "取回").await.text.as_deref(), Some("好了"));
    });
}

#[test]
fn summary_is_written_by_the_model() {
    run(async {
        let world = slow_model(0);
        see(&world, "tell me about tea", 1, "Answer").await;
        world.model(|call| answers(0, &format!("You talked about: {}", call.question())));
        see(&world, "/summary", 1, "User: tell me about tea").await;
    });
}

#[test]
fn a_long_history_is_condensed() {
    run(async {
        let world = World::new(&[("RATE_LIMIT", "1000")]);
        world.model(|call| {
            let text = if call.is_compaction() { "the gist".to_owned() } else { "word ".repeat(300) };
            answers(0, &text)
        });
        for n in 0..12 {
            world.say(USER, &format!("question {n}")).await;
        }
        let last = world.model_calls().last().unwrap().inputs.to_string();
        assert!(last.contains("the gist"), "{last}");
        assert!(!last.contains("question 0"));
        assert!(last.len() < 20_000, "the prompt is bounded, not {} bytes", last.len());
    });
}

#[test]
fn a_question_without_context_is_answered_from_the_cache_for_an_hour() {
    run(async {
        let world = slow_model(1_000);
        see(&world, "opening hours?", 1, "Answer").await;
        assert_eq!(world.say("o-other", "opening hours?").await.deliveries, 1);
        assert_eq!(world.model_calls().len(), 1);
        // The first user has context now.
        see(&world, "opening hours?", 1, "Answer").await;
        assert_eq!(world.model_calls().len(), 2);
        world.pass(3_600_000).await;
        world.say("o-third", "opening hours?").await;
        assert_eq!(world.model_calls().len(), 3);
    });
}

#[test]
fn thoughts_and_markdown_are_removed() {
    run(async {
        let world = World::new(&[]);
        world.model(|_| answers(0, "<think>hm, let me see</think>\n# Title\n\n**Bold** and `code`, [a link](https://a.example/x).\n- item\n```rust\nfn main() {}\n```"));
        let text = world.say(USER, "markdown").await.text.unwrap();
        assert_eq!(text, "Title\n\nBold and code, a link https://a.example/x .\n· item\n  fn main() {}");
    });
}

#[test]
fn links_and_locations_reach_the_model_or_the_history() {
    run(async {
        let world = slow_model(0);
        let link = world.message(USER, "<MsgType>link</MsgType><Title>Tea</Title><Description>All about it</Description><Url>https://tea.example/</Url>");
        let seen = world.deliver(&link).await.text.unwrap();
        assert!(seen.contains("Tea") && seen.contains("https://tea.example/"), "{seen}");
        let location = world.message(USER, "<MsgType>location</MsgType><Location_X>31.2</Location_X><Location_Y>121.5</Location_Y><Scale>15</Scale><Label>人民广场</Label>");
        assert!(world.deliver(&location).await.text.unwrap().contains("人民广场"));
        see(&world, "food nearby?", 1, "Answer").await;
        assert!(world.model_calls().last().unwrap().inputs.to_string().contains("人民广场"));
        let video =
            world.message(USER, "<MsgType>video</MsgType><MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>");
        assert!(world.deliver(&video).await.text.unwrap().contains("cannot open"));
    });
}

#[test]
fn a_new_follower_is_welcomed_and_other_events_are_acknowledged() {
    run(async {
        let world = slow_model(0);
        let follow =
            world.message(USER, "<MsgType>event</MsgType><Event>subscribe</Event><EventKey></EventKey>");
        assert!(world.deliver(&follow).await.text.unwrap().contains("welcome"));
        for event in ["LOCATION", "VIEW", "some_event_of_next_year"] {
            let event = world.message(USER, &format!("<MsgType>event</MsgType><Event>{event}</Event>"));
            assert_eq!(world.deliver(&event).await.text.as_deref(), Some(""));
        }
        let unknown = world.message(USER, "<MsgType>hologram</MsgType>");
        assert_eq!(world.deliver(&unknown).await.text.as_deref(), Some(""));
    });
}

#[test]
fn one_message_costs_two_writes() {
    run(async {
        let world = slow_model(0);
        see(&world, "why?", 1, "Answer").await;
        assert_eq!(world.disk(USER).writes(), 2);
        assert!(world.disk(USER).alarm().unwrap() >= DAWN + 30_000);
        // Each delivery is counted, each reply is stored; a window that closes costs nothing.
        world.model(|_| answers(12_000, "late"));
        see(&world, "and why that?", 3, "late").await;
        assert_eq!(world.disk(USER).writes(), 2 + 4);
    });
}

#[test]
fn the_case_of_a_command_does_not_matter_in_any_script_with_two() {
    let found = |text: &str, retrieve: &str| Command::parse(text, retrieve);
    assert_eq!(found(" ／NEW ", "/retrieve"), Some(Command::New));
    assert_eq!(found("Forget ME", "/retrieve"), Some(Command::Forget));
    for (typed, configured) in [
        ("/ДАЛЬШЕ", "/дальше"),
        ("ΕΛΑ ΞΑΝΑ", "ελα ξανα"),
        ("Í MÉG Ü", "í még ü"),
        ("ＮＥＸＴ", "ｎｅｘｔ"),
        ("Ѐж", "ѐЖ"),
    ] {
        assert_eq!(found(typed, configured), Some(Command::Retrieve), "{typed}");
    }
    for other in ["/дальшее", "×÷", "@`", "["] {
        assert_eq!(found(other, "/дальше"), None);
    }
    assert_eq!(found("×", "÷"), None);
}
