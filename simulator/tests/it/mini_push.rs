//! Messages to the Mini Program's customer service: signed, sealed and delivered to its own callback, and answered by
//! `custom/send`.

use serde_json::{Value, json};
use wxapi::wechat::callback::{Envelope, Format};
use wxapi::wechat::message::parse_document;
use wxapi::wechat::xml::Fields;

use crate::callback::{Arrived, Callback, Reaction};
use crate::raw::post;
use crate::world::{
    self, APP_ID, APP_SECRET, MINI_APP_ID, MINI_APP_SECRET, MINI_TOKEN, TOKEN, World, open_mini,
};

async fn window(answer: &'static str) -> (World, Callback) {
    let callback = Callback::answering(answer).await;
    (World::new(&callback.url).await, callback)
}

fn fields(push: &Arrived, secure: bool) -> Fields {
    parse_document(&open_mini(push, secure).unwrap().xml).unwrap()
}

fn rules(report: &Value, ok: bool) -> Vec<&str> {
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == ok);
    checks.map(|check| check["rule"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_mode_and_notation_reaches_the_callback_of_its_own() {
    let (world, callback) = window("success").await;
    for (format, json) in [("xml", false), ("json", true)] {
        for (mode, secure) in [("plain", false), ("compat", true), ("aes", true)] {
            let order =
                json!({ "as": "小明", "mini": true, "text": "在吗 \"<b>\"", "mode": mode, "format": format });
            let report = world.send(order).await;
            assert_eq!((rules(&report, false), &report["error_line"]), (vec![], &json!(false)), "{report}");
            let push = callback.arrived().pop().unwrap();
            assert_eq!(push.path, "/wechat/mini");
            assert_eq!(push.headers.contains("content-type: application/json"), json, "{}", push.headers);
            let opened = open_mini(&push, secure).unwrap();
            assert!(world::open(&push, secure).is_err(), "the account's keys do not open it");
            assert_eq!(opened.xml.starts_with('{'), json, "{}", opened.xml);
            if let Envelope::Encrypted { format, id, .. } = &opened.envelope {
                assert_eq!((*format == Format::Json, id.as_str()), (json, MINI_APP_ID));
            }
            let said = fields(&push, secure);
            assert_eq!(
                (said.get("Content"), said.get("FromUserName")),
                (Some("在吗 \"<b>\""), report["openid"].as_str())
            );
            assert_eq!(said.get("MsgId"), report["msg_id"].as_str());
        }
    }
}

#[tokio::test]
async fn people_send_pictures_and_pages_and_open_the_chat() {
    let (world, callback) = window("success").await;
    world.order("/_sim/mini", json!({ "mode": "plain", "format": "json" })).await;
    let settings = world.get("/_sim/mini").await;
    assert_eq!(
        (&settings["mode"], &settings["format"], &settings["app_id"]),
        (&json!("plain"), &json!("json"), &json!(MINI_APP_ID))
    );
    let send = async |mut order: Value| {
        order["mini"] = json!(true);
        world.send(order).await;
        fields(&callback.arrived().pop().unwrap(), false)
    };
    let image = send(json!({ "image": "iVBORw0KGgo=" })).await;
    assert!(image.get("PicUrl").unwrap().contains("/_sim/pic/"));
    let media = format!(
        "/cgi-bin/media/get?media_id={}&access_token={}",
        image.get("MediaId").unwrap(),
        world.mini_token().await
    );
    assert_eq!(world.ask(crate::raw::get(media)).await.body, world::PNG);
    let page = send(json!({ "page": { "title": "订单", "path": "pages/order?id=1" } })).await;
    assert_eq!(
        (page.get("MsgType"), page.get("PagePath"), page.get("AppId")),
        (Some("miniprogrampage"), Some("pages/order?id=1"), Some(MINI_APP_ID))
    );
    let enter =
        send(json!({ "event": { "type": "user_enter_tempsession", "fields": { "SessionFrom": "index" } } }))
            .await;
    assert_eq!(
        (enter.get("Event"), enter.get("SessionFrom")),
        (Some("user_enter_tempsession"), Some("index"))
    );
    for order in [json!({ "location": { "lat": 1, "lon": 2 } }), json!({ "voice": "AAAA" })] {
        let mut order = order;
        order["mini"] = json!(true);
        assert_eq!(world.ask(post("/_sim/send", order.to_string())).await.status, 400, "{order}");
    }
    let official = json!({ "page": { "title": "t", "path": "p" } });
    assert_eq!(world.ask(post("/_sim/send", official.to_string())).await.status, 400);
}

#[tokio::test]
async fn a_passive_reply_is_a_mistake_that_nobody_sees() {
    let (world, _callback) =
        window("<xml><ToUserName>a</ToUserName><MsgType>text</MsgType><Content>hi</Content></xml>").await;
    let report = world.send(json!({ "mini": true, "mode": "plain", "text": "hi" })).await;
    assert_eq!((rules(&report, false), &report["shown"]), (vec!["mini_reply"], &json!([])));
    let (world, _callback) = window("{\"oops").await;
    let report = world.send(json!({ "mini": true, "mode": "plain", "text": "hi" })).await;
    assert_eq!(rules(&report, false), ["well_formed"]);
    assert!(report["shown"][0]["text"].as_str().unwrap().contains("该小程序客服"), "{report}");
}

#[tokio::test]
async fn a_transfer_is_no_mistake() {
    let callback = Callback::start(|_, push| {
        let opened = open_mini(push, true).unwrap();
        let said = parse_document(&opened.xml).unwrap();
        let reply = format!(
            "<xml><ToUserName>{}</ToUserName><FromUserName>{}</FromUserName><CreateTime>1</CreateTime><MsgType>transfer_customer_service</MsgType></xml>",
            said.owned("FromUserName"),
            said.owned("ToUserName")
        );
        let keys = world::mini_keys(true);
        Reaction::Answer(200, wxapi::wechat::callback::seal(&reply, &opened.envelope, &keys, "1", 1_800_000_000, [1; 16]))
    })
    .await;
    let world = World::new(&callback.url).await;
    for format in ["xml", "json"] {
        let report = world.send(json!({ "mini": true, "format": format, "text": "人工" })).await;
        assert_eq!(
            (rules(&report, false), &report["shown"][0]["type"]),
            (vec![], &json!("transfer")),
            "{report}"
        );
        assert!(rules(&report, true).contains(&"msg_signature"), "it is sealed as the message was");
    }
}

#[tokio::test]
async fn what_is_not_answered_is_delivered_again_and_forged_messages_are_refused() {
    let callback = Callback::start(|n, push| match open_mini(push, true) {
        Ok(_) if n == 0 => Reaction::Hang,
        Ok(_) => Reaction::Answer(200, "success".to_owned()),
        Err(refusal) => Reaction::Answer(403, refusal.to_string()),
    })
    .await;
    let world = World::new(&callback.url).await;
    let report = world.send(json!({ "mini": true, "text": "hi", "limit_ms": 300, "format": "json" })).await;
    let outcomes: Vec<_> =
        report["deliveries"].as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["timeout", "success"]);
    let arrived = callback.arrived();
    assert_eq!((&arrived[0].query, &arrived[0].body), (&arrived[1].query, &arrived[1].body));
    for tamper in ["signature", "unsigned", "stale", "downgrade", "app_id"] {
        let report = world
            .send(json!({ "mini": true, "text": "hi", "format": "json", "deliveries": 1, "tamper": tamper }))
            .await;
        assert_eq!(report["deliveries"][0]["status"], 403, "{tamper}");
    }
    world.order("/_sim/network", json!({ "duplicate": true })).await;
    let report = world.send(json!({ "mini": true, "text": "hi" })).await;
    assert_eq!(
        (report["deliveries"].as_array().unwrap().len(), rules(&report, true).contains(&"same_reply")),
        (2, true)
    );
}

#[tokio::test]
async fn nobody_hears_of_a_mini_program_without_a_token() {
    let callback = Callback::answering("success").await;
    let setting = |name: &str| {
        world::setting(name).filter(|_| !["MINI_TOKEN", "MINI_ENCODING_AES_KEY"].contains(&name))
    };
    let world = World::with(&callback.url, setting).await;
    let refused = world.ask(post("/_sim/send", json!({ "mini": true, "text": "hi" }).to_string())).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("MINI_TOKEN"), "{}", refused.text());
    assert_eq!(callback.connections(), 0);
    let refused = world.ask(post("/_sim/mini", json!({ "mode": "aes" }).to_string())).await;
    assert!(refused.status == 400 && refused.text().contains("MINI_ENCODING_AES_KEY"));
}

#[tokio::test]
async fn the_window_shows_what_was_said_and_answered() {
    let (world, _callback) = window("success").await;
    let mut watch = crate::raw::events(world.port, "/_sim/watch").await;
    let report = world.send(json!({ "as": "小明", "mini": true, "text": "在吗" })).await;
    let message = json!({ "touser": report["openid"], "msgtype": "text", "text": { "content": "在的" } });
    let path = format!("/cgi-bin/message/custom/send?access_token={}", world.mini_token().await);
    assert_eq!(world.api(&path, message).await["errcode"], 0);
    let (mut said, mut answered) = (false, false);
    while !(said && answered) {
        let update = watch.recv().await.unwrap();
        for line in update["lines"].as_array().unwrap() {
            assert_eq!(line["openid"], report["openid"], "{line}");
            said |= line["sent"]["text"] == "在吗" && line["deliveries"][0]["state"] == "success";
            answered |= line["shown"]["text"] == "在的" && line["how"]["kind"] == "custom";
        }
    }
    assert_eq!(
        world.get("/_sim/inbox?as=%E5%B0%8F%E6%98%8E&mini=true").await["messages"][0]["shown"]["text"],
        "在的"
    );
}

#[tokio::test]
async fn the_console_checks_its_url_too() {
    let callback = Callback::start(|_, push| {
        let query = wxapi::wechat::callback::Query::parse(&push.query);
        let keys = if push.path == "/wechat/mini" { MINI_TOKEN } else { TOKEN };
        let good =
            wxapi::wechat::signature::verify(&[keys, &query.timestamp, &query.nonce], &query.signature);
        Reaction::Answer(if good { 200 } else { 403 }, query.echostr.into_owned())
    })
    .await;
    let world = World::new(&callback.url).await;
    for mini in [false, true] {
        assert_eq!(world.order("/_sim/verify", json!({ "mini": mini })).await["ok"], true);
    }
}

#[tokio::test]
async fn faults_of_logins_are_to_be_had() {
    let world = World::alone().await;
    for errcode in [40029, 40163, 40226, 45011, -1] {
        world.order("/_sim/faults", json!([{ "path": "/sns/jscode2session", "errcode": errcode }])).await;
        let code = world.order("/_sim/login_code", json!({ "as": "小明" })).await["code"].clone();
        let path = format!(
            "/sns/jscode2session?appid={MINI_APP_ID}&secret={MINI_APP_SECRET}&js_code={}&grant_type=authorization_code",
            code.as_str().unwrap()
        );
        assert_eq!(world.get(&path).await["errcode"], errcode);
        assert!(world.get(&path).await["openid"].is_string(), "the code was not used");
    }
    let wrong = format!("/cgi-bin/token?grant_type=client_credential&appid={APP_ID}&secret={APP_SECRET}");
    assert!(world.get(&wrong).await["access_token"].is_string());
}

#[tokio::test]
async fn verify_knows_the_mini_programs_callback() {
    let callback = Callback::start(|_, push| {
        if push.method == "GET" {
            let query = wxapi::wechat::callback::Query::parse(&push.query);
            return match wxapi::wechat::callback::verify_url(&query, &world::mini_keys(true)) {
                Ok(echostr) => Reaction::Answer(200, echostr),
                Err(refusal) => Reaction::Answer(403, refusal.to_string()),
            };
        }
        match open_mini(push, true) {
            Ok(_) => Reaction::Answer(200, "success".to_owned()),
            Err(refusal) => Reaction::Answer(403, refusal.to_string()),
        }
    })
    .await;
    let url = format!("{}/mini", callback.url);
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mini-verify.vars");
    let names =
        ["WECHAT_TOKEN", "APP_ID", "MINI_APP_ID", "MINI_APP_SECRET", "MINI_TOKEN", "MINI_ENCODING_AES_KEY"];
    let lines = names.map(|name| format!("{name}={}\n", world::setting(name).unwrap()));
    std::fs::write(&file, lines.concat()).unwrap();
    let verify = async |more: &[&str]| {
        let args = [&["verify", &url, "--vars", file.to_str().unwrap()], more].concat();
        crate::cli::run(&args).await
    };
    for format in ["xml", "json"] {
        for mode in ["compat", "aes"] {
            let (code, out, _) = verify(&["--mini", "--format", format, "--mode", mode]).await;
            assert_eq!(code, 0, "{out}");
            assert!(out.contains("a message for another AppID is refused"), "{out}");
        }
    }
    let (code, out, _) = verify(&["--mode", "plain"]).await;
    assert_eq!(code, 1, "with the account's settings, it refuses: {out}");
    let (code, _, error) = verify(&["--format", "json"]).await;
    assert!(code == 2 && error.contains("--mini"), "{error}");
}
