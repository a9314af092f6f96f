//! Messages to other machines: only to those that a person has named.

use std::process::Stdio;

use serde_json::json;

use crate::cli::{Server, typed, wx_sim};
use crate::raw::{self, post};

#[tokio::test]
async fn another_machine_must_be_named_by_hand() {
    let (remote, file) =
        ("http://wx.example.com/wechat", format!("{}/remote.json", env!("CARGO_TARGET_TMPDIR")));
    std::fs::write(&file, json!({ "name": "n", "steps": [{ "send": "a" }] }).to_string()).unwrap();
    let commands: [&[&str]; 5] = [
        &["dev", "--port", "0", "--target", remote],
        &["send", "hi", "--port", "0", "--target", remote],
        &["event", "subscribe", "--port", "0", "--target", remote],
        &["run", &file, "--port", "0", "--target", remote],
        &["verify", remote],
    ];
    for command in commands {
        let args = [command, &["--allow-remote"]].concat();
        for answer in ["", "\n", "y\n", "example.com\n"] {
            let (code, out, error) = typed(&args, answer).await;
            assert_eq!((code, out.as_str()), (2, ""), "{command:?} {answer:?}: {error}");
            assert!(error.contains("wx.example.com was not confirmed"), "{error}");
        }
        if command[0] != "dev" {
            let (code, _, error) = typed(command, "wx.example.com\n").await;
            assert_eq!((code, error.contains("--allow-remote")), (2, true), "{command:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_server_speaks_to_the_machine_that_was_named_and_to_no_other() {
    let mut command =
        wx_sim(&["dev", "--port", "0", "--allow-remote", "--target", "http://wx-sim-test.invalid/wechat"]);
    command.stdin(Stdio::piped());
    let server = Server::answering(command, "wx-sim-test.invalid\n");
    let send = async |body: serde_json::Value| {
        raw::send(server.port, post("/_sim/send", body.to_string())).await.unwrap()
    };
    let own = send(json!({ "text": "hi", "deliveries": 1 })).await;
    assert_eq!(own.json()["deliveries"][0]["outcome"], "refused", "it was tried: {}", own.text());
    let other = send(json!({ "text": "hi", "target": "http://192.0.2.1/" })).await;
    assert!(other.status == 403 && other.text().contains("--allow-remote"), "{}", other.text());
    let other = raw::send(
        server.port,
        post(
            "/_sim/run",
            json!({
                "target": "http://192.0.2.1/", "scenario": { "name": "n", "steps": [{ "send": "a" }] },
            })
            .to_string(),
        ),
    )
    .await
    .unwrap();
    assert!(
        other.json()["steps"][0]["trouble"].as_str().unwrap().contains("--allow-remote"),
        "{}",
        other.text()
    );
    let unconfirmed = Server::start("http://wx-sim-test.invalid/wechat");
    let verify = raw::send(unconfirmed.port, post("/_sim/verify", "")).await.unwrap();
    assert_eq!(verify.status, 403, "{}", verify.text());
}
