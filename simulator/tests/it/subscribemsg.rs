//! The page of the one-time subscription.

use serde_json::json;

use crate::oauth::location;
use crate::raw::{get, post};
use crate::world::{APP_ID, World};

fn link(changed: &str, to: &str) -> String {
    let link = format!(
        "/mp/subscribemsg?action=get_confirm&appid={APP_ID}&scene=1000&template_id=t-1\
         &redirect_url=http%3A%2F%2F127.0.0.1%3A9%2Fdone%3Fx%3D1&reserved=r1"
    );
    link.replace(changed, to)
}

#[tokio::test]
async fn who_agrees_is_named() {
    let world = World::alone().await;
    let page = world.ask(get(link("", ""))).await.text();
    assert!(page.contains("value=\"allow\"") && page.contains("value=\"refuse\""), "{page}");
    let to = location(&world.ask(post(link("", ""), "as=new&name=ming&answer=allow")).await);
    let openid = to.split("openid=").nth(1).unwrap().split('&').next().unwrap();
    assert_eq!(openid.len(), 28);
    assert_eq!(
        to,
        format!(
            "http://127.0.0.1:9/done?x=1&openid={openid}&template_id=t-1&action=confirm&scene=1000&reserved=r1"
        )
    );
    let message = json!({
        "touser": openid, "template_id": "t-1", "scene": "1000", "title": "到货",
        "data": { "content": { "value": "来取" } }
    });
    for expected in [0, 43101] {
        let sent = world.errcode("/cgi-bin/message/template/subscribe", message.clone()).await;
        assert_eq!(sent, expected, "one message");
    }
}

#[tokio::test]
async fn who_cancels_is_not() {
    let world = World::alone().await;
    let to = location(&world.ask(post(link("&reserved=r1", ""), "as=new&name=ming&answer=refuse")).await);
    assert_eq!(to, "http://127.0.0.1:9/done?x=1&template_id=t-1&action=cancel&scene=1000");
}

#[tokio::test]
async fn a_wrong_link_is_explained() {
    let world = World::alone().await;
    for (changed, to, shown) in [
        ("get_confirm", "x", "action"),
        (APP_ID, "wx1", "40013"),
        ("1000", "10001", "scene"),
        ("1000", "one", "scene"),
        ("t-1", "", "template_id"),
        ("127.0.0.1", "evil.example", "10003"),
        ("r1", &"r".repeat(129), "reserved"),
    ] {
        let got = world.ask(get(link(changed, to))).await;
        assert!(got.status == 200 && got.text().contains(shown), "{changed}: {}", got.text());
    }
    world.order("/_sim/account", json!({ "type": "subscription" })).await;
    assert!(world.ask(get(link("", ""))).await.text().contains("10005"));
}
