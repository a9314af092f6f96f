//! Temporary media and permanent material.

use serde_json::{Value, json};

use crate::raw::get;
use crate::world::{AMR, JPEG, MP4, PNG, World};

const UPLOAD: &str = "/cgi-bin/media/upload?type=";
const ADD: &str = "/cgi-bin/material/add_material?type=";

fn path_of(url: &Value) -> String {
    let url = url.as_str().expect("a url");
    url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).expect("a path")
}

/// What the simulator serves at a URL that it gave.
async fn served(world: &World, url: &Value) -> Vec<u8> {
    world.ask(get(path_of(url))).await.body
}

#[tokio::test]
async fn what_is_uploaded_comes_back_byte_by_byte_for_three_days() {
    let world = World::alone().await;
    let got = world.upload(&format!("{UPLOAD}image"), "图.png", PNG, &[]).await;
    assert!(got["type"] == "image" && got["created_at"].is_u64(), "{got}");
    let log = world.get("/_sim/calls").await;
    assert!(log["calls"][1]["body"].as_str().unwrap().ends_with(" bytes, no text)"), "{log}");
    let image = got["media_id"].as_str().unwrap();
    let fetched = world.download(&format!("/cgi-bin/media/get?media_id={image}")).await;
    assert_eq!(fetched.body, PNG);
    assert!(fetched.has_header("content-type: image/png"), "{}", fetched.headers);
    let jssdk = async |id: &str| world.download(&format!("/cgi-bin/media/get/jssdk?media_id={id}")).await;
    assert_eq!(jssdk(image).await.json()["errcode"], 40007);
    let voice = world.upload(&format!("{UPLOAD}voice"), "a.amr", AMR, &[]).await["media_id"].clone();
    assert_eq!(jssdk(voice.as_str().unwrap()).await.body, AMR);
    let video = world.upload(&format!("{UPLOAD}video"), "a.mp4", MP4, &[]).await["media_id"].clone();
    let video = world.fetch(&format!("/cgi-bin/media/get?media_id={}", video.as_str().unwrap())).await;
    assert_eq!(served(&world, &video["video_url"]).await, MP4);
    let thumb = world.upload(&format!("{UPLOAD}thumb"), "a.jpg", JPEG, &[]).await;
    assert!(thumb["thumb_media_id"].is_string() && thumb.get("media_id").is_none(), "{thumb}");
    world.order("/_sim/clock", json!({ "advance_s": 3 * 86_400 })).await;
    let late = world.fetch(&format!("/cgi-bin/media/get?media_id={image}")).await;
    assert_eq!(late["errcode"], 40007);
    assert_eq!(world.ask(get(format!("/_sim/media/{image}"))).await.body, PNG, "phones keep it");
}

#[tokio::test]
async fn each_wrong_upload_has_its_code() {
    let world = World::alone().await;
    let cases: [(&str, &str, &[u8], i64); 9] = [
        ("film", "a.png", PNG, 40004),
        ("", "a.png", PNG, 40004),
        ("image", "a.exe", PNG, 40005),
        ("image", "a.png", b"\x89PN", 40006),
        ("image", "a.png", b"hello, world", 40113),
        ("image", "", PNG, 41005),
        ("image", "a.png", b"", 44001),
        ("thumb", "a.jpg", &[JPEG, &[0; 65536]].concat(), 45001),
        ("voice", "a.amr", &[AMR, &[0x7C; 97_000]].concat(), 45007),
    ];
    for (kind, name, bytes, expected) in cases {
        for path in [UPLOAD, ADD] {
            let got = world.upload(&format!("{path}{kind}"), name, bytes, &[]).await;
            assert_eq!(got["errcode"], expected, "{path}{kind} {name}");
        }
    }
    assert_eq!(world.errcode("/cgi-bin/media/uploadimg", json!({})).await, 41005);
}

#[tokio::test]
async fn pictures_for_articles_have_a_url_and_are_in_no_list() {
    let world = World::alone().await;
    let upload =
        async |name: &str, bytes: &[u8]| world.upload("/cgi-bin/media/uploadimg", name, bytes, &[]).await;
    let got = upload("a.png", PNG).await;
    assert_eq!(served(&world, &got["url"]).await, PNG);
    assert_eq!(upload("a.gif", b"GIF89a").await["errcode"], 40005);
    assert_eq!(upload("a.png", &[PNG, &vec![0; 1 << 20]].concat()).await["errcode"], 40009);
    assert_eq!(world.fetch("/cgi-bin/material/get_materialcount").await["image_count"], 0);
}

#[tokio::test]
async fn material_is_kept_listed_and_deleted() {
    let world = World::alone().await;
    let image = world.upload(&format!("{ADD}image"), "图.png", PNG, &[]).await;
    assert_eq!(served(&world, &image["url"]).await, PNG);
    let describe = [("description", r#"{"title":"片名","introduction":"说明"}"#)];
    let video = world.upload(&format!("{ADD}video"), "a.mp4", MP4, &describe).await["media_id"].clone();
    let thumb = world.upload(&format!("{ADD}thumb"), "b.jpg", JPEG, &[]).await["media_id"].clone();
    world.order("/_sim/clock", json!({ "advance_s": 30 * 86_400 })).await;
    let count = world.fetch("/cgi-bin/material/get_materialcount").await;
    assert_eq!(count, json!({ "voice_count": 0, "video_count": 1, "image_count": 2, "news_count": 0 }));

    let wanted = async |id: &Value| {
        let path = format!("/cgi-bin/material/get_material?access_token={}", world.token().await);
        world.ask(crate::raw::post(path, json!({ "media_id": id }).to_string())).await
    };
    assert_eq!(wanted(&image["media_id"]).await.body, PNG);
    let described = wanted(&video).await.json();
    assert_eq!((&described["title"], &described["description"]), (&json!("片名"), &json!("说明")));
    assert_eq!(served(&world, &described["down_url"]).await, MP4);

    let list = async |asked: Value| world.call("/cgi-bin/material/batchget_material", asked).await;
    let all = list(json!({ "type": "image", "offset": 0, "count": 20 })).await;
    assert_eq!((&all["total_count"], &all["item_count"]), (&json!(2), &json!(2)));
    assert_eq!((&all["item"][0]["media_id"], &all["item"][1]["name"]), (&thumb, &json!("图.png")));
    let second = list(json!({ "type": "image", "offset": 1, "count": 1 })).await;
    assert_eq!((&second["item_count"], &second["item"][0]["media_id"]), (&json!(1), &image["media_id"]));
    assert_eq!(list(json!({ "type": "film", "offset": 0, "count": 1 })).await["errcode"], 40004);
    assert_eq!(list(json!({ "type": "image", "offset": 0, "count": 21 })).await["errcode"], 40097);

    let delete =
        async |id: &Value| world.errcode("/cgi-bin/material/del_material", json!({ "media_id": id })).await;
    assert_eq!(delete(&image["media_id"]).await, 0);
    assert_eq!((delete(&image["media_id"]).await, delete(&json!("")).await), (40007, 41006));
    assert_eq!(wanted(&image["media_id"]).await.json()["errcode"], 40007);
}

#[tokio::test]
async fn a_permanent_video_needs_its_description() {
    let world = World::alone().await;
    for (fields, expected) in [
        (&[][..], 41011),
        (&[("description", "片名")][..], 47001),
        (&[("description", r#"{"introduction":"说明"}"#)][..], 41011),
    ] {
        let got = world.upload(&format!("{ADD}video"), "a.mp4", MP4, fields).await;
        assert_eq!(got["errcode"], expected, "{fields:?}");
    }
}

#[tokio::test]
async fn a_test_account_has_media_but_no_material() {
    let world = World::alone().await;
    world.order("/_sim/account", json!({ "type": "test" })).await;
    assert!(world.upload(&format!("{UPLOAD}image"), "a.png", PNG, &[]).await["media_id"].is_string());
    assert_eq!(world.upload(&format!("{ADD}image"), "a.png", PNG, &[]).await["errcode"], 48001);
    world.order("/_sim/account", json!({ "type": "personal" })).await;
    assert_eq!(world.upload(&format!("{UPLOAD}image"), "a.png", PNG, &[]).await["errcode"], 48001);
}
