//! Vectors of calls that the management API passes on, and of answers that it reads: through its routes.

use serde_json::{Value, json};
use wxapi::handlers::admin::passing::{PASSES, Pass, Special};
use wxapi::wechat::api::{Method, mass};

use crate::passing::{calls, world};
use crate::vectors::{Check, Outcome, Vector, same};
use crate::world::admin::settings;
use crate::world::{Answer, World, run};

/// The row of the table that calls this path with a body like the vector's.
fn row(path: &str) -> Option<&'static Pass> {
    let fits = |pass: &&Pass| pass.path.trim_start_matches('/') == path && pass.call == Method::Post;
    PASSES.iter().filter(fits).find(|pass| pass.special == Special::None)
}

/// Sends the vector's body to the route that stands for its endpoint: WeChat must be asked just that.
pub fn request(vector: &Vector, endpoint: &str) -> Option<Check> {
    let endpoint = match vector.subtype() {
        "template-send/" => "cgi-bin/message/template/send",
        _ => endpoint,
    };
    let (pass, body) = (row(endpoint)?, vector.expected()["body"].clone());
    let mut found = Err("the route was not served".to_owned());
    run(async {
        let world = world("{}");
        let segments = pass.pattern.split('/').map(|part| match part.strip_prefix(':') {
            Some(name) => body[name].as_str().unwrap_or_default(),
            None => part,
        });
        let route = format!("/admin/{}", segments.collect::<Vec<_>>().join("/"));
        let (status, answer) = world.admin(pass.method, &route, Some(&body)).await;
        found = match calls(&world).pop() {
            Some((_, _, asked)) => same("body", &asked, &body).map(|()| Outcome::Passed),
            None => Err(format!("{status}: {answer}")),
        };
    });
    Some(found)
}

/// What the answers of `mass/send` and of `user/info/batchget` are read as.
pub fn response(vector: &Vector, answer: &Value) -> Result<(), String> {
    match vector.subtype() {
        "message_mass_send" => same("msg_id", &mass::msg_id(answer), &answer["msg_id"].as_u64()),
        "user_info_batchget" => {
            let mut found = Err("nothing was stored".to_owned());
            run(async { found = copied(answer).await });
            found
        }
        _ => Ok(()),
    }
}

/// Copies these people: those who follow are stored, with what WeChat says of them.
async fn copied(answer: &Value) -> Result<(), String> {
    let world = World::new(&settings());
    let people = answer["user_info_list"].as_array().cloned().unwrap_or_default();
    let openids: Vec<Value> = people.iter().map(|person| person["openid"].clone()).collect();
    let text = answer.to_string();
    world.wechat(move |request| {
        Ok(Answer::json(&match request.url.split('?').next().and_then(|path| path.rsplit('/').next()) {
            Some("stable_token") => json!({ "access_token": "T", "expires_in": 7200 }).to_string(),
            Some("batchget") => text.clone(),
            _ => json!({ "total": 2, "count": 2, "data": { "openid": openids } }).to_string(),
        }))
    });
    world.admin("POST", "/admin/users/sync", None).await;
    let (_, page) = world.admin("GET", "/admin/users", None).await;
    let stored = page["items"].as_array().cloned().unwrap_or_default();
    let follow: Vec<&Value> = people.iter().filter(|person| person["subscribe"] == 1).collect();
    same("how many are stored", &stored.len(), &follow.len())?;
    for (stored, told) in stored.iter().zip(follow) {
        for name in ["openid", "language", "subscribe_time", "unionid"] {
            same(name, &stored[name], &told[name])?;
        }
    }
    Ok(())
}
