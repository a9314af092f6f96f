//! Scenarios: run by the control API and by `wx-sim run`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::callback::{Arrived, Callback, Reaction};
use crate::cli::run;
use crate::raw::post;
use crate::world::{World, echo, open, reply};

/// A folder of this test's own with these files.
fn folder(name: &str, files: &[(&str, Value)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (file, content) in files {
        fs::write(folder.join(file), content.to_string()).unwrap();
    }
    folder
}

fn scenario(steps: Value) -> Value {
    json!({ "name": "a scenario", "steps": steps })
}

async fn outcome(world: &World, scenario: Value) -> Value {
    world.order("/_sim/run", json!({ "scenario": scenario })).await
}

#[track_caller]
fn assert_passed(result: &Value) {
    assert_eq!(result["outcome"], "passed", "{result:#}");
}

/// What the last step says is wrong: the places.
fn misses(result: &Value) -> Vec<&str> {
    let last = result["steps"].as_array().unwrap().last().unwrap();
    last["misses"].as_array().unwrap().iter().map(|miss| miss["place"].as_str().unwrap()).collect()
}

/// Answers with a one-tap link, and with a code to remember.
async fn tappable() -> Callback {
    Callback::start(|_, push: &Arrived| {
        let Ok(opened) = open(push, true) else { return Reaction::Answer(403, String::new()) };
        let text = match opened.xml.contains("bizmsgmenuid") {
            true => "tapped",
            false if opened.xml.contains("654321") => "the code is right",
            false => "code 654321 <a href=\"weixin://bizmsgmenu?msgmenucontent=more&msgmenuid=7\">More</a> <a href=\"https://a.example/?x=1\">Page</a>",
        };
        Reaction::Answer(200, reply(&opened, push, text))
    })
    .await
}

#[tokio::test]
async fn what_is_shown_is_compared_tapped_and_saved() {
    let callback = tappable().await;
    let world = World::new(&callback.url).await;
    let result = outcome(
        &world,
        scenario(json!([
            {
                "send": "hi",
                "expect": {
                    "delivery": 1, "deliveries": ["reply"], "status": 200, "type": "text", "error_line": false,
                    "text": { "equals": "code 654321 More Page", "contains": ["code", "More"], "lacks": "href", "matches": "^code \\d+ " },
                    "links": ["More", { "label": "Page", "kind": "page", "href": { "contains": "a.example" } }, { "send": "more" }],
                    "holds": ["text_size", "encrypted"],
                },
                "save": { "code": "code (\\d+)", "page": { "link": "Page" }, "who": { "at": "/openid" } },
            },
            { "send": "${code}", "expect": { "text": "the code is right", "same": false } },
            { "again": true, "expect": { "same": true } },
            { "as": "bob", "send": "hi" },
            { "as": "bob", "tap": "Page", "expect": { "open": "${page}" } },
            { "as": "bob", "tap": "More", "expect": { "text": "tapped" } },
        ])),
    )
    .await;
    assert_passed(&result);
    let arrived = callback.arrived();
    let read = |n: usize| open(&arrived[n], true).unwrap().xml;
    assert_eq!(read(1), read(2), "delivered again as it was");
    let bob = read(3);
    assert_ne!(bob.split("FromUserName").nth(1), read(1).split("FromUserName").nth(1));
    assert!(read(4).contains("<Content><![CDATA[more]]>") && read(4).contains("<bizmsgmenuid><![CDATA[7]]>"));
}

#[tokio::test]
async fn each_run_has_people_of_its_own() {
    let world = World::new(&echo(true).await.url).await;
    let once =
        scenario(json!([{ "send": "${id} ${openid}", "expect": { "text": "回声：${id} ${openid}" } }]));
    let (first, second) = (outcome(&world, once.clone()).await, outcome(&world, once).await);
    assert_passed(&first);
    assert_passed(&second);
    let openid = |result: &Value| result["steps"][0]["report"]["openid"].as_str().unwrap().to_owned();
    assert_ne!(openid(&first), openid(&second));
    let people = world.get("/_sim/people").await;
    assert!(people.as_array().unwrap().iter().all(|person| person["nickname"] == "xiaoming"), "{people}");
}

#[tokio::test]
async fn what_is_not_as_expected_is_named() {
    let world = World::new(&echo(true).await.url).await;
    for (step, expected) in [
        (json!({ "send": "a", "expect": { "text": "b" } }), "expect.text"),
        (json!({ "send": "a", "expect": { "text": { "contains": "b" } } }), "expect.text.contains"),
        (json!({ "send": "a", "expect": { "text": { "lacks": "a" } } }), "expect.text.lacks"),
        (json!({ "send": "a", "expect": { "text": { "matches": "^a" } } }), "expect.text.matches"),
        (json!({ "send": "a", "expect": { "delivery": 2 } }), "expect.delivery"),
        (json!({ "send": "a", "expect": { "deliveries": ["timeout", "reply"] } }), "expect.deliveries"),
        (json!({ "send": "a", "expect": { "status": 403 } }), "expect.status"),
        (json!({ "send": "a", "expect": { "rejected": true } }), "expect.rejected"),
        (json!({ "send": "a", "expect": { "type": "nothing" } }), "expect.type"),
        (json!({ "send": "a", "expect": { "links": ["b"] } }), "expect.links"),
        (json!({ "send": "a", "expect": { "same": true } }), "expect.same"),
        (json!({ "send": "a", "expect": { "error_line": true } }), "expect.error_line"),
        (json!({ "send": "a", "expect": { "fails": "text_size" } }), "expect.fails"),
        (json!({ "send": "a", "expect": { "holds": ["articles"] } }), "expect.holds"),
        (json!({ "send": "a", "expect": { "open": "https://a.example" } }), "expect.open"),
        (json!({ "send": "a", "save": { "b": "b" } }), "save.b"),
        (json!({ "send": "a", "expect": { "allowance": 4 }, "within_s": 0 }), "expect.allowance"),
        (json!({ "send": "a", "expect": { "typing": true }, "within_s": 0 }), "expect.typing"),
        (json!({ "send": "a", "expect": { "inbox": [{}] }, "within_s": 0 }), "expect.inbox"),
        (json!({ "send": "a", "expect": { "calls": [{ "path": "/x" }] }, "within_s": 0 }), "expect.calls[0]"),
        (json!({ "send": "a", "expect": { "model_calls": [{}] }, "within_s": 0 }), "expect.model_calls[0]"),
        (json!({ "api": { "path": "/cgi-bin/nothing" } }), "expect.errcode"),
        (
            json!({ "api": { "path": "/cgi-bin/get_api_domain_ip" }, "expect": { "answer": { "x": 1 } } }),
            "expect.answer",
        ),
    ] {
        let result =
            outcome(&world, scenario(json!([{ "send": "before" }, step, { "send": "never" }]))).await;
        assert_eq!((&result["outcome"], misses(&result)), (&json!("failed"), vec![expected]), "{result:#}");
        assert_eq!(result["steps"].as_array().unwrap().len(), 2, "the rest is not run");
    }
}

#[tokio::test]
async fn broken_rules_fail_unless_they_are_expected() {
    let world = World::new(&Callback::answering("<html>").await.url).await;
    let mode = |step: Value| json!({ "name": "n", "mode": "plain", "steps": [step] });
    assert_eq!(misses(&outcome(&world, mode(json!({ "send": "a" }))).await), ["rules"]);
    for expect in [json!({ "fails": "well_formed", "type": "error" }), json!({ "error_line": true })] {
        assert_passed(&outcome(&world, mode(json!({ "send": "a", "expect": expect }))).await);
    }
}

#[tokio::test]
async fn forged_messages_are_to_be_rejected() {
    let world = World::new(&echo(true).await.url).await;
    let forged =
        |tamper: &str| json!({ "send": { "text": "a", "tamper": tamper }, "expect": { "rejected": true } });
    let steps = ["signature", "unsigned", "stale", "downgrade", "app_id"].map(forged);
    assert_passed(&outcome(&world, scenario(json!(steps))).await);
}

#[tokio::test]
async fn what_the_account_sends_on_its_own_is_waited_for() {
    let world = World::new(&echo(true).await.url).await;
    let push = |text: &str| {
        let body = json!({ "touser": "${openid:bob}", "msgtype": "text", "text": { "content": text } });
        json!({ "api": { "path": "/cgi-bin/message/custom/send", "body": body } })
    };
    let result = outcome(
        &world,
        scenario(json!([
            { "as": "bob", "send": "hi", "expect": { "allowance": 5 } },
            push("one"),
            push("two <a href=\"weixin://bizmsgmenu?msgmenucontent=2&msgmenuid=2\">Two</a>"),
            { "as": "bob", "expect": { "inbox": [{ "type": "text", "text": "one" }], "allowance": 3 } },
            { "as": "bob", "expect": { "inbox": [{ "text": "two Two", "links": ["Two"] }] } },
            { "as": "bob", "expect": { "inbox": [] }, "within_s": 0 },
            { "as": "bob", "tap": "Two", "expect": { "text": "回声：2" } },
            { "expect": { "inbox": [] }, "within_s": 0 },
        ])),
    )
    .await;
    assert_passed(&result);
}

#[tokio::test]
async fn a_step_can_be_repeated_until_it_holds() {
    let callback = Callback::start(|n, push: &Arrived| {
        let opened = open(push, true).unwrap();
        Reaction::Answer(200, reply(&opened, push, if n < 2 { "not yet" } else { "now" }))
    })
    .await;
    let world = World::new(&callback.url).await;
    let step = json!({ "send": "ready?", "retry_s": 60, "expect": { "text": "now" } });
    let result = outcome(&world, scenario(json!([step]))).await;
    assert_passed(&result);
    assert_eq!(result["steps"][0]["tries"], 3);
}

#[tokio::test]
async fn what_all_share_is_put_back() {
    let world = World::new(&echo(true).await.url).await;
    world.order("/_sim/model", json!([{ "reply": "mine" }])).await;
    world.order("/_sim/faults", json!([{ "path": "/cgi-bin/mine", "errcode": -1 }])).await;
    world.order("/_sim/clock", json!({ "advance_s": 60 })).await;
    let settings = async || {
        let (model, faults) =
            (world.get("/_sim/model").await["rules"].clone(), world.get("/_sim/faults").await);
        (model, faults, world.get("/_sim/account").await, world.get("/_sim/network").await)
    };
    let before = settings().await;
    let all = json!({
        "name": "n",
        "account": { "type": "personal" },
        "model": [{ "reply": "theirs" }],
        "faults": [{ "path": "/cgi-bin/theirs", "cut": true }],
        "network": { "duplicate": true },
        "seed": { "people": [{ "name": "xiaoming", "nickname": "小明", "following": true }] },
        "steps": [
            { "advance_s": 7200 },
            { "api": { "path": "/cgi-bin/message/custom/send", "body": {} }, "expect": { "errcode": 48001 } },
            { "account": { "type": "service" } },
            { "send": "a", "expect": { "deliveries": ["reply", "reply"] } },
            { "invalidate_token": true },
            { "send": "b", "expect": { "text": "nonsense" } },
        ],
    });
    assert_eq!(outcome(&world, all).await["outcome"], "failed");
    assert_eq!(settings().await, before);
}

#[tokio::test]
async fn a_scenario_that_cannot_be_read_is_refused_with_the_place() {
    let world = World::alone().await;
    for (scenario, named) in [
        (
            json!({ "name": "n", "steps": [{ "send": "a", "expect": { "txet": "b" } }] }),
            "scenario.steps[0].expect.txet",
        ),
        (json!({ "name": "n", "steps": [{}] }), "scenario.steps[0]: nothing happens"),
    ] {
        let got = world.ask(post("/_sim/run", json!({ "scenario": scenario }).to_string())).await;
        assert!(got.status == 400 && got.text().contains(named), "{}", got.text());
    }
}

#[tokio::test]
async fn the_command_line_runs_files_and_folders_and_reports() {
    let callback = echo(true).await;
    let good = json!({ "name": "good", "steps": [{ "send": "a", "expect": { "text": "回声：a" } }] });
    let bad =
        json!({ "name": "bad", "steps": [{ "send": "a" }, { "send": "a", "expect": { "text": "<b>" } }] });
    let schema = json!({ "$schema": "http://json-schema.org/draft-07/schema#" });
    let folder = folder("run", &[("good.json", good), ("schema.json", schema), ("bad.json", bad)]);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (report, own) = (path("report.xml"), ["--port", "0", "--target", &callback.url, "--junit"]);
    let args = |files: &[String]| {
        let files = files.iter().map(String::as_str);
        let args: Vec<_> =
            ["--lang", "en", "run"].into_iter().chain(files).chain(own).map(str::to_owned).collect();
        args
    };
    let (code, out, error) = start(args(&[path("good.json")]), &report).await;
    assert_eq!((code, out.lines().last()), (0, Some("1 of 1 scenarios passed")), "{out}{error}");
    let (code, out, _) = start(args(&[folder.to_str().unwrap().to_owned()]), &report).await;
    assert_eq!((code, out.lines().last()), (1, Some("1 of 2 scenarios passed")), "{out}");
    assert!(
        out.contains("✓ good") && out.contains("✗ bad") && out.contains("step 2: {\"send\":\"a\"}"),
        "{out}"
    );
    assert!(out.contains("expected: \"<b>\"") && out.contains("came:     \"回声：a\""), "{out}");
    assert!(out.contains("delivery 1: reply after") && out.contains("<Content><![CDATA[回声：a]]>"), "{out}");
    let xml = fs::read_to_string(&report).unwrap();
    assert!(
        xml.contains("tests=\"2\" failures=\"1\" errors=\"0\"")
            && xml.contains("expected: &quot;&lt;b&gt;&quot;"),
        "{xml}"
    );
}

async fn start(args: Vec<String>, report: &str) -> (i32, String, String) {
    let args: Vec<_> = args.iter().map(String::as_str).chain([report]).collect();
    run(&args).await
}

#[tokio::test]
async fn what_keeps_scenarios_from_running_is_exit_code_2() {
    let good = json!({ "name": "good", "steps": [{ "send": "a" }] });
    let typo = json!({ "name": "typo", "steps": [{ "sned": "a" }] });
    let folder = folder("run2", &[("good.json", good), ("typo.json", typo)]);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (code, out, error) = run(&["run", folder.to_str().unwrap(), "--port", "0"]).await;
    assert_eq!((code, out.as_str()), (2, ""), "nothing runs");
    assert!(error.contains("typo.json: steps[0].sned: unknown field"), "{error}");
    let report = path("report.xml");
    let args =
        ["run", &path("good.json"), "--port", "0", "--target", "http://127.0.0.1:1/", "--junit", &report];
    let (code, out, error) = run(&args).await;
    assert_eq!((code, out.contains("no connection")), (2, true), "{out}{error}");
    assert!(fs::read_to_string(&report).unwrap().contains("<error type=\"error\" message=\"step 1"));
    assert_eq!(run(&["run", &path("none.json"), "--port", "0"]).await.0, 2);
    assert_eq!(run(&["run"]).await.0, 2);
}

#[tokio::test]
async fn verbose_shows_every_step() {
    let callback = echo(true).await;
    let steps = json!([{ "name": "say hello", "send": "hello" }]);
    let folder = folder("run3", &[("a.json", json!({ "name": "a", "steps": steps }))]);
    let args =
        ["--lang", "en", "run", folder.to_str().unwrap(), "-v", "--port", "0", "--target", &callback.url];
    let (code, out, _) = run(&args).await;
    assert_eq!(code, 0);
    assert!(out.contains("1. say hello") && out.contains("account ◂ 回声：hello"), "{out}");
}
