//! Quotas, request ids, the look at the callback, tickets.

use serde_json::{Value, json};

use crate::callback::Callback;
use crate::world::{APP_ID, APP_SECRET, World};

const QUOTA: &str = "/cgi-bin/openapi/quota/get";
const FOLLOWERS: &str = "/cgi-bin/user/get";

async fn quota(world: &World, path: &str) -> Value {
    world.call(QUOTA, json!({ "cgi_path": path })).await["quota"].clone()
}

#[tokio::test]
async fn a_quota_is_counted_and_cleared() {
    let world = World::alone().await;
    world.order("/_sim/account", json!({ "type": "test" })).await;
    for _ in 0..50 {
        world.fetch("/cgi-bin/user/get?").await;
    }
    let full = json!({ "daily_limit": 50, "used": 50, "remain": 0 });
    assert_eq!(quota(&world, FOLLOWERS).await, full);
    assert_eq!(world.fetch("/cgi-bin/user/get?").await["errcode"], 45009);
    assert_eq!(world.errcode("/cgi-bin/openapi/quota/clear", json!({ "cgi_path": FOLLOWERS })).await, 0);
    assert_eq!(quota(&world, FOLLOWERS).await, json!({ "daily_limit": 50, "used": 0, "remain": 50 }));
    world.fetch("/cgi-bin/user/get?").await;
    assert_eq!(world.errcode("/cgi-bin/clear_quota", json!({ "appid": APP_ID })).await, 0);
    assert_eq!(quota(&world, FOLLOWERS).await["used"], 0);
    assert_eq!(quota(&world, "/cgi-bin/tags/get").await, json!({ "daily_limit": 0, "used": 0, "remain": 0 }));
    for (path, code) in
        [("/cgi-bin/nothing", 76021), ("cgi-bin/user/get", 76003), ("", 76003), ("/sns/userinfo", 76022)]
    {
        assert_eq!(world.errcode(QUOTA, json!({ "cgi_path": path })).await, code, "{path}");
    }
    world.order("/_sim/account", json!({ "type": "personal" })).await;
    assert_eq!(world.errcode(QUOTA, json!({ "cgi_path": FOLLOWERS })).await, 76022);
}

#[tokio::test]
async fn all_quotas_are_cleared_ten_times_a_month_by_both_ways() {
    let world = World::alone().await;
    let secret = |appid: &str, secret: &str| json!({ "appid": appid, "appsecret": secret });
    let by_secret = async |body: Value| world.api("/cgi-bin/clear_quota/v2", body).await["errcode"].clone();
    assert_eq!(by_secret(secret("wx1", APP_SECRET)).await, 40013);
    assert_eq!(by_secret(secret(APP_ID, "wrong")).await, 40125);
    assert_eq!(by_secret(secret("", APP_SECRET)).await, 41002);
    assert_eq!(by_secret(secret(APP_ID, "")).await, 41004);
    assert_eq!(world.errcode("/cgi-bin/clear_quota", json!({ "appid": "wx1" })).await, 40013);
    for _ in 0..5 {
        assert_eq!(by_secret(secret(APP_ID, APP_SECRET)).await, 0);
        assert_eq!(world.errcode("/cgi-bin/clear_quota", json!({ "appid": APP_ID })).await, 0);
    }
    assert_eq!(by_secret(secret(APP_ID, APP_SECRET)).await, 48006);
    assert_eq!(world.errcode("/cgi-bin/clear_quota", json!({ "appid": APP_ID })).await, 48006);
    world.order("/_sim/clock", json!({ "advance_s": 31 * 86_400 })).await;
    assert_eq!(by_secret(secret(APP_ID, APP_SECRET)).await, 0);
}

/// The request id at the end of an answer.
fn rid(answer: &Value) -> String {
    let (_, rid) = answer["errmsg"].as_str().unwrap().rsplit_once("rid: ").unwrap();
    rid.to_owned()
}

#[tokio::test]
async fn a_request_id_leads_to_its_request_for_seven_days() {
    let world = World::alone().await;
    let body = json!({ "openid": "nobody" });
    let answer = world.call("/cgi-bin/tags/getidlist", body.clone()).await;
    let path = "/cgi-bin/openapi/rid/get";
    let asked = json!({ "rid": rid(&answer) });
    let found = world.call(path, asked.clone()).await["request"].clone();
    assert_eq!(serde_json::from_str::<Value>(found["response_body"].as_str().unwrap()).unwrap(), answer);
    assert_eq!(found["request_body"], body.to_string());
    let query = found["request_url"].as_str().unwrap();
    assert!(query.starts_with("access_token=97_") && query.ends_with("xxxx") && query.len() < 30, "{query}");
    assert!(
        found["invoke_time"].is_u64() && found["cost_in_ms"].is_u64() && found["client_ip"] == "127.0.0.1"
    );
    let fault = json!([{ "path": "/cgi-bin/tags/get", "errcode": -1 }]);
    world.order("/_sim/faults", fault).await;
    let failed = world.fetch("/cgi-bin/tags/get?").await;
    assert_eq!(world.errcode(path, json!({ "rid": rid(&failed) })).await, 0, "a fault's too");
    assert_eq!(world.errcode(path, json!({ "rid": "65a0c1d2-0a1b2c3d-4e5f6073" })).await, 76001);
    assert_eq!(world.errcode(path, json!({ "rid": "x" })).await, 76002);
    world.order("/_sim/clock", json!({ "advance_s": 7 * 86_400 + 60 })).await;
    assert_eq!(world.errcode(path, asked).await, 76004);
}

#[tokio::test]
async fn the_callback_is_looked_for_where_it_is() {
    let callback = Callback::answering("success").await;
    let path = "/cgi-bin/callback/check";
    let asked = |action: &str, operator: &str| json!({ "action": action, "check_operator": operator });
    let world = World::new(&callback.url.replace("127.0.0.1", "localhost")).await;
    let found = world.call(path, asked("all", "UNICOM")).await;
    let dns: Vec<_> = found["dns"].as_array().unwrap().iter().map(|entry| entry["ip"].clone()).collect();
    assert!(dns.contains(&json!("127.0.0.1")), "{found}");
    let pings = found["ping"].as_array().unwrap();
    let ping = pings.iter().find(|entry| entry["ip"] == "127.0.0.1").unwrap();
    assert_eq!((&ping["package_loss"], &ping["from_operator"]), (&json!("0%"), &json!("UNICOM")));
    assert!(ping["time"].as_str().unwrap().ends_with("ms"));
    let found = World::alone().await.call(path, asked("ping", "DEFAULT")).await;
    assert_eq!((found.get("dns"), &found["ping"][0]["package_loss"]), (None, &json!("100%")));
    assert_eq!(world.call(path, asked("dns", "CAP")).await.get("ping"), None);
    assert_eq!(world.errcode(path, asked("trace", "CAP")).await, 40202);
    assert_eq!(world.errcode(path, asked("all", "MARS")).await, 40203);
    let remote = World::new("http://192.0.2.1/wechat").await;
    assert_eq!(remote.errcode(path, asked("all", "CAP")).await, 40201, "another machine is not spoken to");
}

#[tokio::test]
async fn every_account_may_ask_for_addresses() {
    let world = World::alone().await;
    world.order("/_sim/account", json!({ "type": "personal" })).await;
    for path in ["/cgi-bin/getcallbackip?", "/cgi-bin/get_api_domain_ip?"] {
        assert_eq!(world.fetch(path).await, json!({ "ip_list": ["127.0.0.1", "127.0.0.0/8"] }));
    }
}

#[tokio::test]
async fn a_ticket_stays_for_two_hours() {
    let world = World::alone().await;
    let ticket = async |kind: &str| world.fetch(&format!("/cgi-bin/ticket/getticket?type={kind}")).await;
    let first = ticket("jsapi").await;
    assert_eq!((&first["errcode"], &first["expires_in"]), (&json!(0), &json!(7200)));
    world.order("/_sim/clock", json!({ "advance_s": 7000 })).await;
    let again = ticket("jsapi").await;
    assert_eq!(again["ticket"], first["ticket"]);
    assert!(again["expires_in"].as_u64().unwrap() <= 200);
    assert_ne!(ticket("wx_card").await["ticket"], first["ticket"]);
    world.order("/_sim/clock", json!({ "advance_s": 200 })).await;
    assert_ne!(ticket("jsapi").await["ticket"], first["ticket"]);
    assert_eq!(ticket("sdk").await["errcode"], 40097);
    assert_eq!(ticket("").await["errcode"], 40097);
}
