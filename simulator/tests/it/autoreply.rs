//! The console's automatic replies.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn what_is_set_in_the_console_is_told() {
    let world = World::alone().await;
    let path = format!("/cgi-bin/get_current_autoreply_info?access_token={}", world.token().await);
    let none = json!({ "is_add_friend_reply_open": 0, "is_autoreply_open": 0 });
    assert_eq!(world.get(&path).await, none);

    let replies = json!({
        "is_add_friend_reply_open": 1,
        "is_autoreply_open": 1,
        "add_friend_autoreply_info": { "type": "text", "content": "Thanks!" },
        "keyword_autoreply_info": { "list": [{
            "rule_name": "tea", "create_time": 1_423_028_166, "reply_mode": "random_one",
            "keyword_list_info": [{ "type": "text", "match_mode": "contain", "content": "tea" }],
            "reply_list_info": [{ "type": "img", "content": "media" }],
        }] },
    });
    world.order("/_sim/auto_replies", replies.clone()).await;
    assert_eq!(world.get(&path).await, replies);
    assert_eq!(world.get("/_sim/auto_replies").await, replies);

    let wrong = crate::raw::post("/_sim/auto_replies", json!({ "is_autoreply": 1 }).to_string());
    assert_eq!(world.ask(wrong).await.status, 400);
    world.order("/_sim/reset", json!({})).await;
    assert_eq!(world.get("/_sim/auto_replies").await, none);
    world.order("/_sim/seed", json!({ "auto_replies": replies })).await;
    assert_eq!(world.get("/_sim/auto_replies").await, replies);
}
