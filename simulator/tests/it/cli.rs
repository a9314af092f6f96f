//! The command line, as a process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use serde_json::json;
use tokio::task::spawn_blocking;

use crate::callback::{Arrived, Callback, Reaction};
use crate::raw::{self, get, post};
use crate::world::{answer, echo, open, reply, setting, until};

/// `wx-sim` with the settings of the test, in a directory without `.dev.vars`.
pub fn wx_sim(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wx-sim"));
    command.args(args).current_dir(env!("CARGO_TARGET_TMPDIR")).env_clear();
    for name in ["WECHAT_TOKEN", "APP_ID", "APP_SECRET", "ENCODING_AES_KEY"] {
        command.env(name, setting(name).unwrap());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command that ends by itself: exit code, output, errors.
pub async fn run(args: &[&str]) -> (i32, String, String) {
    finish(wx_sim(args)).await
}

async fn finish(mut command: Command) -> (i32, String, String) {
    ended(spawn_blocking(move || command.output().unwrap()).await.unwrap())
}

/// Starts a command and types something.
pub async fn typed(args: &[&str], text: &str) -> (i32, String, String) {
    let mut child = wx_sim(args).stdin(Stdio::piped()).spawn().unwrap();
    // A command that refuses at once does not wait for it.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    ended(spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap())
}

fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// `wx-sim dev` on a free port, as long as the test runs.
pub struct Server {
    child: Child,
    pub port: u16,
}

impl Server {
    pub fn start(target: &str) -> Self {
        Self::of(wx_sim(&["dev", "--port", "0", "--target", target]))
    }

    /// A command that runs a server.
    pub fn of(command: Command) -> Self {
        Self::answering(command, "")
    }

    /// A command that runs a server after something was typed.
    pub fn answering(mut command: Command, typed: &str) -> Self {
        let mut child = command.spawn().unwrap();
        child.stdin.take().into_iter().for_each(|mut stdin| stdin.write_all(typed.as_bytes()).unwrap());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("wx-sim listening on http://127.0.0.1:").expect("the line");
        Self { port: port.parse().unwrap(), child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test]
async fn send_works_alone_and_says_what_the_user_sees() {
    let callback = echo(true).await;
    let (code, out, _) =
        run(&["--lang", "zh", "send", "你好", "--port", "0", "--target", &callback.url]).await;
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("xiaoming ▸ 你好  aes") && out.contains("公众号 ◂ 回声：你好"), "{out}");
    assert!(out.contains("第 1 次") && out.contains("✓ 文本不超过 2048 字节"), "{out}");
    assert!(!out.contains('\u{1b}'), "no colours in a pipe");
}

#[tokio::test]
async fn the_exit_code_tells_how_it_went() {
    let bad = Callback::answering("<html>").await;
    let (code, out, _) =
        run(&["--lang", "en", "send", "hi", "--mode", "plain", "--port", "0", "--target", &bad.url]).await;
    assert_eq!(code, 1);
    assert!(
        out.contains("该公众号提供的服务出现故障") && out.contains("✗ the reply is well-formed XML"),
        "{out}"
    );
    let (code, out, error) = run(&["send", "hi", "--port", "0", "--target", "http://127.0.0.1:1/"]).await;
    assert_eq!((code, error.contains("no connection")), (2, true), "{out}{error}");
    assert!(error.contains("is `npm run dev`, or your backend, running?"), "{error}");
    let (code, out, error) = run(&["send", "hi", "--port", "1", "--target", &bad.url]).await;
    assert_eq!((code, error.contains("no wx-sim dev listens on port 1")), (2, true), "{out}{error}");
    assert!(out.is_empty(), "nothing is sent: {out}");
    let (code, _, error) = run(&["send"]).await;
    assert_eq!((code, error.contains("--image")), (2, true), "{error}");
    let (code, _, error) = run(&["send", "hi", "--port", "0", "--target", "http://192.0.2.1/"]).await;
    assert_eq!((code, error.contains("--allow-remote")), (2, true), "{error}");
    let mut without_token = wx_sim(&["send", "hi", "--port", "0"]);
    without_token.env_remove("WECHAT_TOKEN");
    let (code, _, error) = finish(without_token).await;
    assert_eq!((code, error.contains("WECHAT_TOKEN is not set")), (2, true), "{error}");
}

#[tokio::test]
async fn events_and_quiet_answers() {
    let callback = Callback::answering("success").await;
    let args = [
        "--lang",
        "en",
        "event",
        "click",
        "MENU_1",
        "--mode",
        "plain",
        "--port",
        "0",
        "--target",
        &callback.url,
    ];
    let (code, out, _) = run(&args).await;
    assert_eq!(code, 0);
    assert!(out.contains("[event] click MENU_1") && out.contains("(the user sees nothing)"), "{out}");
    assert!(callback.arrived()[0].body.contains("<![CDATA[CLICK]]>"));
    assert_eq!(run(&["event", "click", "--port", "0"]).await.0, 2);
}

#[tokio::test]
async fn a_scanned_page_opens_in_the_phone() {
    let callback = Callback::answering("success").await;
    let server = Server::start(&callback.url);
    let number = server.port.to_string();
    let scan = async |code: &str| run(&["--lang", "en", "scan", code, "--port", &number]).await;
    let (code, out, _) = scan(&format!("{}/m/abc", callback.url)).await;
    assert_eq!(code, 0, "{out}");
    let phone = out.split_once("in the phone http://127.0.0.1:").expect(&out).1;
    let (port, path) = phone.trim().split_once('/').unwrap();
    assert!(path.ends_with("m/abc"), "{path}");
    assert!(raw::send(port.parse().unwrap(), get(format!("/{path}"))).await.is_some());
    let seen = callback.arrived();
    assert!(seen.len() == 1 && seen[0].headers.contains("MicroMessenger"), "{seen:?}");
    let (code, out, _) = scan("https://example.com/m/abc").await;
    assert!(code == 0 && out.contains("opens https://example.com/m/abc"), "{out}");
    assert!(!out.contains("in the phone"), "another machine's: {out}");
}

#[tokio::test]
async fn a_picture_with_its_bytes() {
    let callback = Callback::answering("success").await;
    let file = format!("{}/picture.png", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, b"\x89PNG\r\n\x1a\n").unwrap();
    let args = ["send", "--image", &file, "--mode", "plain", "--port", "0", "--target", &callback.url];
    assert_eq!(run(&args).await.0, 0);
    assert!(callback.arrived()[0].body.contains("/_sim/pic/"));
    let args = [
        "send",
        "--location",
        "-39.9,116.4,天安门",
        "--mode",
        "plain",
        "--port",
        "0",
        "--target",
        &callback.url,
    ];
    assert_eq!(run(&args).await.0, 0);
    assert!(callback.arrived()[1].body.contains("<Location_X>-39.9<"));
}

#[tokio::test]
async fn a_running_server_delivers_and_shows_what_is_pushed() {
    let callback = Callback::start(|_, push: &Arrived| {
        let opened = open(push, true).unwrap();
        Reaction::Answer(200, reply(&opened, push, "稍等"))
    })
    .await;
    let server = Server::start(&callback.url);
    let (port, number) = (server.port, server.port.to_string());
    let args = ["--lang", "zh", "send", "你好", "--as", "小明", "--port", &number, "--wait", "60"];
    let sending = run(&args);
    let pushing = async {
        let health = raw::send(port, get("/_sim/health")).await.unwrap().json();
        assert_eq!(health["target"], json!(callback.url));
        // The person may be written to once the message is on its way.
        let allowed = async || {
            let inbox = raw::send(port, get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E")).await.unwrap().json();
            (inbox["allowance"] != 0).then_some(())
        };
        until(allowed).await;
        push(port).await;
    };
    let ((code, out, error), ()) = tokio::join!(sending, pushing);
    assert_eq!(code, 0, "{error}");
    assert!(
        out.contains("小明 ▸ 你好") && out.contains("公众号 ◂ 稍等") && out.contains("客服消息 ◂ 答案"),
        "{out}"
    );
}

async fn push(port: u16) {
    let inbox = raw::send(port, get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E")).await.unwrap().json();
    let (appid, secret) = (setting("APP_ID"), setting("APP_SECRET"));
    let asked = json!({ "grant_type": "client_credential", "appid": appid, "secret": secret }).to_string();
    let token = raw::send(port, post("/cgi-bin/stable_token", asked)).await.unwrap().json();
    let path =
        format!("/cgi-bin/message/custom/send?access_token={}", token["access_token"].as_str().unwrap());
    let message =
        json!({ "touser": inbox["openid"], "msgtype": "text", "text": { "content": "答案" } }).to_string();
    assert_eq!(raw::send(port, post(path, message)).await.unwrap().json()["errcode"], 0);
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let server = Server::start("http://127.0.0.1:1/");
    let port = server.port;
    let (code, _, error) = run(&["dev", "--port", &port.to_string()]).await;
    assert_eq!((code, error.contains(&port.to_string())), (2, true), "{error}");
}

#[tokio::test]
async fn verify_passes_a_careful_callback() {
    for (mode, secure, rules) in [("plain", false, 15), ("compat", true, 19), ("aes", true, 20)] {
        let callback = echo(secure).await;
        let (code, out, error) = run(&["--lang", "en", "verify", &callback.url, "--mode", mode]).await;
        assert_eq!(code, 0, "{mode}: {out}{error}");
        assert!(out.contains(&format!("{rules} of {rules} passed")), "{out}");
    }
}

#[tokio::test]
async fn verify_finds_out_a_careless_one() {
    let careless = Callback::start(|_, push| {
        let echostr = push.query.split("echostr=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
        let from = push.body.split("<FromUserName><![CDATA[").nth(1).map(|rest| rest.split("]]>").next().unwrap());
        let to = push.body.split("<ToUserName><![CDATA[").nth(1).map(|rest| rest.split("]]>").next().unwrap());
        Reaction::Answer(200, match (push.method.as_str(), from, to) {
            ("GET", ..) => echostr.to_owned(),
            (_, Some(from), Some(to)) => format!("<xml><ToUserName>{from}</ToUserName><FromUserName>{to}</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>hi</Content></xml>"),
            _ => "success".to_owned(),
        })
    })
    .await;
    let (code, out, _) = run(&["--lang", "en", "verify", &careless.url, "--mode", "plain"]).await;
    let broken = marked(&out, "✗");
    let expected = [
        "no echostr for a wrong signature",
        "no echostr without a signature",
        "a message with a wrong signature is refused",
        "a message without a signature is refused",
        "a message of an hour ago is refused",
    ];
    assert_eq!((code, broken.as_slice()), (1, expected.as_slice()), "{out}");
    let (code, out, _) = run(&["--lang", "zh", "verify", &careless.url]).await;
    assert_eq!(code, 1);
    assert!(out.contains("✗ 安全模式下拒绝明文消息"), "{out}");
    assert_eq!(run(&["verify", "http://127.0.0.1:1/"]).await.0, 2);
    assert_eq!(run(&["verify", "http://192.0.2.1/"]).await.0, 2);
}

/// The words of the lines with this mark.
fn marked<'a>(out: &'a str, mark: &str) -> Vec<&'a str> {
    out.lines().filter_map(|line| line.trim().strip_prefix(mark)?.trim().split("  ").next()).collect()
}

#[tokio::test]
async fn verify_praises_nothing_at_a_wrong_url() {
    let wrong = Callback::start(|_, _| Reaction::Answer(404, "no such page".to_owned())).await;
    let (code, out, _) = run(&["--lang", "en", "verify", &wrong.url]).await;
    assert_eq!((code, marked(&out, "✓").len()), (1, 0), "{out}");
    let broken = ["GET gives the echostr back as it is", "answered in time with status 200"];
    assert_eq!((marked(&out, "✗"), marked(&out, "–").len()), (broken.to_vec(), 9), "{out}");
    assert!(out.contains("0 of 11 passed, 9 skipped"), "{out}");
}

#[tokio::test]
async fn verify_takes_only_a_refusal_for_one() {
    let reactions = [
        (Reaction::Answer as fn(u16, String) -> Reaction, 403, "", true),
        (Reaction::Answer, 200, "", true),
        (Reaction::Answer, 200, "success", false),
        (Reaction::Answer, 500, "", false),
        (|_, _| Reaction::Cut, 0, "", false),
    ];
    for (react, status, body, refuses) in reactions {
        let callback = Callback::start(move |_, push| {
            answer(push, true)
                .map_or_else(|_| react(status, body.to_owned()), |body| Reaction::Answer(200, body))
        })
        .await;
        let (code, out, _) = run(&["--lang", "en", "verify", &callback.url]).await;
        let posts = marked(&out, "✗").iter().filter(|words| words.ends_with("is refused")).count();
        assert_eq!((code, posts), if refuses { (0, 0) } else { (1, 5) }, "{status} {body}: {out}");
        assert!(out.contains("✓ a duplicate is answered alike  the same"), "{out}");
    }
}

#[tokio::test]
async fn verify_compares_and_believes_only_replies() {
    let silent = Callback::start(|_, push| match push.method.as_str() {
        "GET" => answer(push, true)
            .map_or(Reaction::Answer(403, String::new()), |body| Reaction::Answer(200, body)),
        _ => Reaction::Answer(200, String::new()),
    })
    .await;
    let (code, out, _) = run(&["--lang", "en", "verify", &silent.url]).await;
    assert_eq!((code, marked(&out, "✗").len()), (1, 5), "an empty body for all refuses nobody: {out}");
    assert_eq!(marked(&out, "–"), ["a duplicate is answered alike"], "{out}");
}

async fn load(url: &str, args: &[&str]) -> (i32, serde_json::Value) {
    let all = [&["load", "--target", url, "--connections", "4", "--requests", "200", "--users", "50"], args]
        .concat();
    let (code, out, error) = run(&all).await;
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}")))
}

#[tokio::test]
async fn load_asks_as_often_as_it_says_over_few_connections() {
    for (kind, mode, secure) in
        [("text", "plain", false), ("text", "aes", true), ("event", "aes", true), ("verify", "aes", true)]
    {
        let callback = echo(secure).await;
        let (code, summary) = load(&callback.url, &["--kind", kind, "--mode", mode]).await;
        let counts = ["requests", "errors", "wrong"].map(|name| summary[name].as_u64().unwrap());
        assert_eq!((code, counts), (0, [200, 0, 0]), "{kind} {mode}: {summary}");
        assert!(
            summary["rps"].as_f64() > Some(0.0) && summary["p99_ms"].as_f64() <= summary["max_ms"].as_f64()
        );
        let arrived = callback.arrived();
        assert_eq!((arrived.len(), callback.connections()), (200, 4));
        let senders: std::collections::BTreeSet<_> = arrived
            .iter()
            .map(|push| push.query.split("openid=").nth(1).map(|rest| rest[..28].to_owned()))
            .collect();
        assert_eq!(senders.len(), if kind == "verify" { 1 } else { 50 });
    }
}

#[tokio::test]
async fn load_counts_what_goes_wrong() {
    let same = Callback::start(|n, push| match n % 4 {
        0 => Reaction::Answer(500, String::new()),
        1 => Reaction::Cut,
        2 => Reaction::Answer(200, "success".to_owned()),
        _ => Reaction::Answer(200, reply(&open(push, true).unwrap(), push, "always the same")),
    })
    .await;
    let (code, summary) = load(&same.url, &[]).await;
    let counts = ["requests", "errors", "wrong"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!((code, counts), (1, [200, 100, 100]), "{summary}");
    assert_eq!(run(&["load", "--target", "http://192.0.2.1/"]).await.0, 2);
    assert_eq!(run(&["load", "--requests", "2000001"]).await.0, 2);
    assert_eq!(run(&["load", "--duration", "121"]).await.0, 2);
}
