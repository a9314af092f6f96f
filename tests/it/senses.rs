//! Voice and pictures: heard and seen where the account and the models can, honestly declined where not.

use serde_json::Value;
use wxapi::platform::Outbound;

use crate::world::{Answer, USER, World, answers, run};

const VOICE: &str = "<MsgType>voice</MsgType><MediaId>m1</MediaId><Format>amr</Format>";
const PICTURE: &str =
    "<MsgType>image</MsgType><PicUrl>http://mmbiz.qpic.cn/p/1</PicUrl><MediaId>m2</MediaId>";
const PNG: [u8; 12] = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13];

fn with_account(settings: &[(&str, &str)]) -> World {
    World::new(&[&[("APP_ID", "wx1"), ("APP_SECRET", "s3cret")], settings].concat())
}

/// WeChat and a model endpoint: tokens, media, pictures, speech, chat.
fn upstream(request: &Outbound) -> Result<Answer, String> {
    let url = request.url.as_str();
    if url.contains("stable_token") {
        Ok(Answer::json(r#"{"access_token":"t","expires_in":7200}"#))
    } else if url.contains("/media/get") {
        Ok(Answer { status: 200, content_type: "audio/amr", body: b"#!AMR\nsound".to_vec() })
    } else if url.contains("qpic.cn") {
        Ok(Answer { status: 200, content_type: "image/png", body: PNG.to_vec() })
    } else if url.contains("/audio/transcriptions") {
        let form = String::from_utf8_lossy(&request.body).into_owned();
        assert!(form.contains("#!AMR\nsound") && form.contains("filename=\"voice.amr\""), "{form}");
        Ok(Answer::json(r#"{"text":"what is tea"}"#))
    } else if url.ends_with("/v1/chat/completions") {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let last = body["messages"].as_array().unwrap().last().unwrap()["content"].clone();
        let answer = format!("{} says: {last}", body["model"].as_str().unwrap());
        Ok(Answer {
            status: 200,
            content_type: "text/event-stream",
            body: format!(
                "data: {}\n\ndata: [DONE]\n\n",
                serde_json::json!({"choices":[{"delta":{"content":answer}}]})
            )
            .into_bytes(),
        })
    } else {
        Err(format!("unexpected: {url}"))
    }
}

async fn see(world: &World, elements: &str) -> String {
    world.deliver(&world.message(USER, elements)).await.text.unwrap()
}

#[test]
fn recognised_speech_is_a_question_or_a_command() {
    run(async {
        let world = World::new(&[]);
        let spoken = |words: &str| format!("{VOICE}<Recognition><![CDATA[{words}]]></Recognition>");
        assert_eq!(see(&world, &spoken("what is tea?")).await, "Answer to what is tea?");
        assert!(see(&world, &spoken("帮助。")).await.contains("Just write to me"));
    });
}

#[test]
fn voice_goes_through_the_speech_model_of_the_binding() {
    run(async {
        let world = with_account(&[]);
        world.wechat(upstream);
        world.model(|call| {
            if call.model.contains("whisper") {
                assert_eq!(call.inputs["audio"], "IyFBTVIKc291bmQ=");
                answers(0, r#"{"text":" what is tea "}"#)
            } else {
                answers(0, &format!("Answer to {}", call.question()))
            }
        });
        assert_eq!(see(&world, VOICE).await, "Answer to what is tea");
    });
}

#[test]
fn voice_goes_through_the_speech_model_of_an_endpoint() {
    run(async {
        let world = with_account(&[
            ("AI_BASE_URL", "https://ai.example/v1/"),
            ("AI_API_KEY", "key"),
            ("AI_MODEL", "talker"),
            ("AI_SPEECH_MODEL", "listener"),
        ]);
        world.wechat(upstream);
        assert_eq!(see(&world, VOICE).await, "talker says: \"what is tea\"");
        let chat = world.api_calls().pop().unwrap();
        assert!(chat.headers.contains(&("authorization", "Bearer key".to_owned())));
    });
}

#[test]
fn voice_without_rights_or_models_is_declined_honestly() {
    run(async {
        // No APP_SECRET, so no token.
        assert!(see(&World::new(&[]), VOICE).await.contains("could not make out this voice"));
        // No speech model at the endpoint.
        let world = with_account(&[("AI_BASE_URL", "https://ai.example/v1"), ("AI_MODEL", "m")]);
        assert!(see(&world, VOICE).await.contains("could not make out this voice"));
        // The account has no right to media.
        let world = with_account(&[]);
        world.wechat(|request| {
            Ok(Answer::json(if request.url.contains("stable_token") {
                r#"{"access_token":"t","expires_in":7200}"#
            } else {
                r#"{"errcode":48001,"errmsg":"api unauthorized"}"#
            }))
        });
        assert!(see(&world, VOICE).await.contains("could not make out this voice"));
        assert!(world.model_calls().is_empty());
    });
}

#[test]
fn a_picture_goes_to_the_vision_model_and_into_the_history() {
    run(async {
        let world = World::new(&[("AI_VISION_MODEL", "seer")]);
        world.wechat(upstream);
        world.model(|call| answers(0, &format!("{} saw it", call.model)));
        assert_eq!(see(&world, PICTURE).await, "seer saw it");
        let asked = world.model_calls()[0].inputs.to_string();
        assert!(asked.contains("data:image/png;base64,iVBORw0KGgoAAAAN"), "{asked}");
        world.say(USER, "and what colour?").await;
        assert!(world.model_calls()[1].inputs.to_string().contains("seer saw it"));
    });
}

#[test]
fn a_picture_from_elsewhere_is_not_fetched() {
    for url in [
        "http://169.254.169.254/latest",
        "https://evil.example/qpic.cn",
        "https://mmbiz.qpic.cn@evil.example/",
        "https://qpic.cn.evil.example/",
        "ftp://mmbiz.qpic.cn/",
        r"http://169.254.169.254\.qpic.cn/latest",
        "https://evil.example%2f.qpic.cn/",
        "https://evil.example\t.qpic.cn/",
    ] {
        run(async move {
            let world = World::new(&[]);
            let message = format!("<MsgType>image</MsgType><PicUrl>{url}</PicUrl><MediaId>m</MediaId>");
            assert!(see(&world, &message).await.contains("could not look at this picture"));
            assert!(world.api_calls().is_empty(), "{url}");
        });
    }
}

#[test]
fn what_is_no_picture_is_declined() {
    run(async {
        let world = World::new(&[]);
        world.wechat(|_| Ok(Answer { status: 200, content_type: "image/png", body: b"<html>".to_vec() }));
        assert!(see(&world, PICTURE).await.contains("could not look at this picture"));
    });
}

#[test]
fn an_endpoint_that_refuses_the_request_is_not_asked_again() {
    // What is refused with 400 or 422 may be the question for the tokens, so it is left out once.
    for (status, calls) in [(400, 2), (401, 1), (422, 2), (429, 3), (503, 3)] {
        run(async move {
            let world = World::new(&[("AI_BASE_URL", "https://ai.example/v1"), ("AI_MODEL", "m")]);
            world.wechat(move |_| {
                Ok(Answer { status, content_type: "application/json", body: b"{}".to_vec() })
            });
            assert!(world.say(USER, "why?").await.text.unwrap().contains("Sorry"));
            assert_eq!(world.api_calls().len(), calls, "{status}");
        });
    }
}
