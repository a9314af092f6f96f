//! What is counted, and how Prometheus is told.

use std::collections::BTreeMap;
use std::fs;

use wxapi::metrics::{Call, Counters, FAMILIES};

use crate::tidy::sources;
use crate::world::admin::{TOKEN, admin_request, settings};
use crate::world::{Answer, ModelTurn, USER, World, answers, run};

/// The value of a series; 0 if it is not there.
async fn value(world: &World, series: &str) -> u64 {
    let page = world.metrics().await;
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

#[track_caller]
fn check_page(page: &str) -> BTreeMap<String, String> {
    let mut families = BTreeMap::new();
    let (mut current, mut last_bucket) = (String::new(), -1.0);
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            current = help.split(' ').next().unwrap().to_owned();
            assert!(families.insert(current.clone(), String::new()).is_none(), "{current} comes twice");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(name, current);
            families.insert(name.to_owned(), kind.to_owned());
        } else {
            assert!(line.starts_with(&current), "{line} stands in the family {current}");
            if let Some((_, bound)) = line.split_once("le=\"") {
                let bound = bound.split('"').next().unwrap();
                let bound: f64 = if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() };
                assert!(bound > last_bucket, "{line}: buckets go up");
                last_bucket = if bound.is_infinite() { -1.0 } else { bound };
            }
        }
    }
    families
}

#[test]
fn every_question_is_counted_where_it_was_answered() {
    run(async {
        let world = World::new(&settings());
        world.say(USER, "quick").await;
        world.model(|_| answers(7_000, "slow"));
        world.say(USER, "slow").await;
        world.model(|_| answers(30_000, "slower"));
        world.say(USER, "slower").await;
        world.pass(30_000).await;
        world.say(USER, "/retrieve").await;
        world.say("o-other", "quick").await;
        let page = world.metrics().await;
        for line in [
            r#"wxapi_answers_total{rung="1"} 2"#,
            r#"wxapi_answers_total{rung="2"} 1"#,
            r#"wxapi_answers_total{rung="retrieve"} 1"#,
            r#"wxapi_deliveries_total{number="1",result="run_out"} 2"#,
            r#"wxapi_deliveries_total{number="2",result="run_out"} 1"#,
            r#"wxapi_deliveries_total{number="3",result="link"} 1"#,
            r#"wxapi_messages_total{type="text",outcome="question"} 4"#,
            r#"wxapi_messages_total{type="text",outcome="command"} 1"#,
            r#"wxapi_questions_total{outcome="answered"} 3"#,
            r#"wxapi_questions_total{outcome="cached"} 1"#,
            r#"wxapi_model_attempts_total{outcome="answered"} 3"#,
            r#"wxapi_model_seconds_bucket{outcome="answered",le="0.25"} 1"#,
            r#"wxapi_model_seconds_bucket{outcome="answered",le="10"} 2"#,
            r#"wxapi_model_seconds_bucket{outcome="answered",le="30"} 3"#,
            r#"wxapi_model_seconds_bucket{outcome="answered",le="+Inf"} 3"#,
            r#"wxapi_model_seconds_sum{outcome="answered"} 37.000"#,
            r#"wxapi_model_seconds_count{outcome="answered"} 3"#,
            r#"wxapi_http_requests_total{family="wechat",status_class="2xx"} 5"#,
        ] {
            assert!(page.lines().any(|found| found == line), "{line} in\n{page}");
        }
        check_page(&page);
    });
}

#[test]
fn what_is_no_question_is_counted_too() {
    run(async {
        let world = World::new(&[settings(), vec![("RATE_LIMIT", "1")]].concat());
        for text in ["/help", "one", "two"] {
            world.say(USER, text).await;
        }
        let event =
            |name: &str| world.message(USER, &format!("<MsgType>event</MsgType><Event>{name}</Event>"));
        for name in ["subscribe", "VIEW", "unsubscribe"] {
            world.deliver(&event(name)).await;
        }
        let again = world.text(USER, "/help");
        world.deliver_once(&again).await;
        world.deliver_once(&again).await;
        for (series, expected) in [
            (r#"wxapi_messages_total{type="text",outcome="command"}"#, 2),
            (r#"wxapi_messages_total{type="text",outcome="refused"}"#, 1),
            (r#"wxapi_messages_total{type="event",outcome="told"}"#, 1),
            (r#"wxapi_messages_total{type="event",outcome="acknowledged"}"#, 1),
            (r#"wxapi_messages_total{type="event",outcome="forgotten"}"#, 1),
            (r#"wxapi_deliveries_total{number="again",result="repeat"}"#, 1),
            (r#"wxapi_deliveries_total{number="1",result="silent"}"#, 1),
        ] {
            assert_eq!(value(&world, series).await, expected, "{series}");
        }
    });
}

#[test]
fn failures_and_refusals_are_counted_by_their_reason() {
    run(async {
        let world = World::new(&settings());
        world.model(|_| ModelTurn { delay: 100, outcome: Err("5007: no such model".to_owned()) });
        world.say(USER, "hello").await;
        world.request("POST", "wechat", "signature=0&timestamp=1&nonce=n", "<xml/>").await;
        world.request("GET", "nowhere", "", "").await;
        for series in [
            r#"wxapi_questions_total{outcome="failed"}"#,
            r#"wxapi_model_attempts_total{outcome="code"}"#,
            r#"wxapi_model_seconds_count{outcome="failed"}"#,
            r#"wxapi_callback_refusals_total{reason="bad_signature"}"#,
            r#"wxapi_http_requests_total{family="wechat",status_class="4xx"}"#,
            r#"wxapi_http_requests_total{family="other",status_class="4xx"}"#,
        ] {
            assert_eq!(value(&world, series).await, 1, "{series}");
        }
    });
}

#[test]
fn pushed_answers_are_counted() {
    run(async {
        let world = World::new(&[settings(), vec![("DELIVERY", "push")]].concat());
        world.wechat(|request| {
            let token = r#"{"access_token":"t","expires_in":7200}"#;
            Ok(Answer::json(if request.url.contains("stable_token") { token } else { "{}" }))
        });
        world.say(USER, "hello").await;
        world.pass(1_000).await;
        assert_eq!(value(&world, r#"wxapi_answers_total{rung="push"}"#).await, 1);
    });
}

#[test]
fn counters_survive_their_object_and_never_stop_a_message() {
    run(async {
        let world = World::new(&settings());
        world.say(USER, "/help").await;
        world.pass(6_000).await;
        world.crash();
        let series = r#"wxapi_messages_total{type="text",outcome="command"}"#;
        assert_eq!(value(&world, series).await, 1);
        for name in world.disks().iter().filter(|name| name.starts_with("Metrics")) {
            world.disk_named(name).set_full(true);
        }
        let seen = world.say(USER, "/help").await;
        assert!(seen.text.is_some_and(|text| !text.is_empty()));
        world.pass(60_000).await;
        for name in world.disks().iter().filter(|name| name.starts_with("Metrics")) {
            world.disk_named(name).set_full(false);
        }
        assert_eq!(value(&world, series).await, 2, "what could not be kept is brought again");
        let silent = World::new(&[]);
        silent.say(USER, "/help").await;
        assert!(silent.app().counters.borrow().series.is_empty(), "nobody could read it");
    });
}

#[test]
fn only_the_operator_reads_them() {
    run(async {
        let world = World::new(&settings());
        let mut request = admin_request("GET", "/metrics", b"");
        request.headers.clear();
        assert_eq!(world.send(request.clone()).await.status, 401);
        request.headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}x"))];
        assert_eq!(world.send(request).await.status, 401);
        let response = world.send(admin_request("GET", "/metrics", b"")).await;
        assert_eq!(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
        let build = response.body.lines().find(|line| line.starts_with("wxapi_build_info{")).unwrap();
        assert!(build.contains(r#"deployment="a-version""#) && build.ends_with(" 1"), "{build}");
    });
}

#[test]
fn whoever_was_to_bring_it_and_died_is_replaced() {
    run(async {
        let world = World::new(&settings());
        world.say(USER, "/help").await;
        // Whatever was under way ends, but the isolate's memory stays.
        world.crash();
        world.pass(61_000).await;
        assert!(!world.app().counters.borrow().series.is_empty());
        world.say(USER, "/help").await;
        world.pass(6_000).await;
        assert!(world.app().counters.borrow().series.is_empty());
        assert_eq!(value(&world, r#"wxapi_messages_total{type="text",outcome="command"}"#).await, 2);
    });
}

#[test]
fn what_is_stored_has_this_shape_and_stays_small() {
    let mut counters = Counters::default();
    counters.add("wxapi_rules_total", &[("kind", "te\"xt")], 2);
    counters.observe("wxapi_model_seconds", &[("outcome", "answered")], 700);
    counters.observe("wxapi_model_seconds", &[("outcome", "answered")], 700_000);
    let json = serde_json::to_string(&Call::Add(counters.series)).unwrap();
    let expected = serde_json::json!({ "add": {
        r#"wxapi_model_seconds_bucket{outcome="answered",le="+Inf"}"#: 1,
        r#"wxapi_model_seconds_bucket{outcome="answered",le="1"}"#: 1,
        r#"wxapi_model_seconds_sum{outcome="answered"}"#: 700_700,
        r#"wxapi_rules_total{kind="text"}"#: 2,
    } });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), expected);
    assert_eq!(serde_json::to_string(&Call::Read).unwrap(), r#""read""#);
    let mut counters = Counters::default();
    for errcode in 0..2_000 {
        counters.add("wxapi_api_calls_total", &[("errcode", &errcode.to_string())], 1);
    }
    counters.add("wxapi_api_calls_total", &[("errcode", "0")], 1);
    assert_eq!(counters.series.len(), 1_000);
    assert_eq!(counters.series[r#"wxapi_api_calls_total{errcode="0"}"#], 2);
}

/// The first text literal after each `mark` in the code.
fn literals(mark: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (path, text) in sources(&["src"]) {
        for rest in text.split(mark).skip(1) {
            let literal = rest.split('"').nth(1).unwrap_or_default();
            all.push((path.display().to_string(), literal.to_owned()));
        }
    }
    all
}

#[test]
fn every_counter_has_its_line_in_the_table_and_in_the_docs() {
    let docs = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).unwrap();
    let names: Vec<&str> = FAMILIES.iter().map(|(name, ..)| *name).collect();
    assert!(names.is_sorted());
    for name in &names {
        assert!(docs.contains(&format!("`{name}")), "docs/operations.md does not know {name}");
    }
    for (path, text) in sources(&["src"]) {
        for rest in text.split("\"wxapi_").skip(1) {
            let name = format!("wxapi_{}", rest.split('"').next().unwrap());
            let known = names.contains(&name.as_str()) || name == "wxapi_build_info";
            assert!(known, "{}: {name} is not in metrics::FAMILIES", path.display());
        }
    }
}

#[test]
fn every_event_of_the_log_is_in_the_docs() {
    let docs = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).unwrap();
    let mut events = literals("Line::info(");
    events.extend(literals("Line::warn("));
    events.extend(literals("Line::error("));
    // Events that are handed on as an argument.
    events.extend(literals("super::read("));
    let events: Vec<_> = events.into_iter().filter(|(_, event)| is_event(event)).collect();
    assert!(events.len() > 40, "{}", events.len());
    for (path, event) in &events {
        assert!(docs.contains(&format!("`{event}`")), "{path}: docs/operations.md does not know {event}");
    }
    // And the table holds nothing that no code says.
    let (_, table) = docs.split_once("## Events").unwrap();
    let table = table.split("\n## ").next().unwrap();
    for row in table.lines().filter_map(|line| line.strip_prefix("| `")) {
        let event = row.split('`').next().unwrap();
        assert!(events.iter().any(|(_, known)| known == event), "no code says {event}");
    }
}

fn is_event(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte))
}
