//! The tokens that an answer took: asked for, and read in every place where a provider tells them.

use serde_json::{Value, json};
use wxapi::chat::clean::clean;
use wxapi::chat::model::{ANSWER_LIMIT, AnswerReader, ModelError, Written};

use crate::world::{Answer, USER, World, run};

fn read(stream: &str) -> Result<Written, ModelError> {
    let mut whole = AnswerReader::default();
    whole.feed(stream.as_bytes());
    let whole = whole.finish();
    for size in [1, 7] {
        let mut reader = AnswerReader::default();
        for piece in stream.as_bytes().chunks(size) {
            if !reader.feed(piece) {
                break;
            }
        }
        assert_eq!(reader.finish(), whole, "in pieces of {size} bytes");
    }
    whole
}

fn events(events: &[Value]) -> String {
    let lines: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    lines + "data: [DONE]\n\n"
}

fn delta(words: &str) -> Value {
    json!([{ "index": 0, "delta": { "content": words }, "finish_reason": null }])
}

const USAGE: &str = r#"{ "prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15 }"#;
const COUNTING: &str = r#"{ "prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12 }"#;

#[test]
fn tokens_are_read_where_each_provider_has_them() {
    let usage: Value = serde_json::from_str(USAGE).unwrap();
    let counting: Value = serde_json::from_str(COUNTING).unwrap();
    let (ok, last) =
        (delta("ok"), json!([{ "index": 0, "delta": {}, "finish_reason": "stop", "usage": usage }]));
    for (who, said) in [
        ("OpenAI", vec![json!({ "choices": ok, "usage": null }), json!({ "choices": [], "usage": usage })]),
        ("no choices", vec![json!({ "choices": ok }), json!({ "choices": null, "usage": usage })]),
        (
            "DeepSeek",
            vec![json!({ "choices": ok, "usage": null }), json!({ "choices": delta(""), "usage": usage })],
        ),
        ("Moonshot", vec![json!({ "choices": ok }), json!({ "choices": last })]),
        (
            "every event",
            vec![
                json!({ "choices": delta("o"), "usage": counting }),
                json!({ "choices": delta("k"), "usage": usage }),
            ],
        ),
        ("Workers AI", vec![json!({ "response": "ok" }), json!({ "response": "", "usage": usage })]),
        (
            "no sum",
            vec![
                json!({ "response": "ok" }),
                json!({ "usage": { "prompt_tokens": 11, "completion_tokens": 4 } }),
            ],
        ),
    ] {
        assert_eq!(read(&events(&said)), Ok(Written { text: "ok".to_owned(), tokens: 15 }), "{who}");
    }
    for body in [
        json!({ "choices": [{ "message": { "content": "ok" } }], "usage": usage }),
        json!({ "response": "ok", "usage": usage }),
    ] {
        assert_eq!(read(&body.to_string()), Ok(Written { text: "ok".to_owned(), tokens: 15 }), "{body}");
    }
}

#[test]
fn a_provider_that_says_none_took_none() {
    for usage in
        [json!(null), json!({}), json!(7), json!({ "total_tokens": -1 }), json!({ "total_tokens": "9" })]
    {
        let stream = events(&[json!({ "choices": delta("ok"), "usage": usage })]);
        assert_eq!(read(&stream).map(|written| written.tokens), Ok(0), "{usage}");
    }
    let most = json!({ "prompt_tokens": u64::MAX, "completion_tokens": u64::MAX });
    let stream = events(&[json!({ "response": "ok", "usage": most })]);
    assert_eq!(read(&stream).map(|written| written.tokens), Ok(u64::MAX));
    let nothing = events(&[json!({ "response": "", "usage": { "total_tokens": 3 } })]);
    assert_eq!(read(&nothing), Err(ModelError::Empty));
}

#[test]
fn what_was_read_so_far_can_be_seen() {
    let mut reader = AnswerReader::default();
    for (piece, so_far) in [
        ("data: {\"response\":\"<think>a\"}\n", "<think>a"),
        ("data: {\"respo", "<think>a"),
        ("nse\":\"</think>b\"}\n\n", "<think>a</think>b"),
    ] {
        assert!(reader.feed(piece.as_bytes()));
        assert_eq!(reader.so_far(), so_far);
    }
}

#[test]
fn an_answer_that_fits_once_it_is_cleaned_is_heard_out() {
    let usage: Value = serde_json::from_str(USAGE).unwrap();
    let mut said = vec![json!({ "response": "**a** " }); ANSWER_LIMIT / 5];
    said.push(json!({ "response": "end", "usage": usage }));
    let written = read(&events(&said)).unwrap();
    assert!(written.text.len() > ANSWER_LIMIT && clean(&written.text).ends_with("a end"));
    assert_eq!(written.tokens, 15);
}

/// Mistral's answer to `stream_options`.
fn refusal() -> Answer {
    let body = json!({ "object": "error", "message": { "detail": [{ "type": "extra_forbidden",
        "loc": ["body", "stream_options", "include_usage"], "msg": "Extra inputs are not permitted" }] } });
    Answer { status: 422, content_type: "application/json", body: body.to_string().into_bytes() }
}

#[test]
fn an_endpoint_that_cannot_count_answers_all_the_same() {
    for refuses in [false, true] {
        run(async move {
            let world = World::new(&[("AI_BASE_URL", "https://ai.example/v1"), ("AI_MODEL", "m")]);
            world.wechat(move |request| {
                let asked: Value = serde_json::from_slice(&request.body).unwrap();
                if refuses && asked.get("stream_options").is_some() {
                    return Ok(refusal());
                }
                let body = events(&[json!({ "choices": delta("Because.") })]).into_bytes();
                Ok(Answer { status: 200, content_type: "text/event-stream", body })
            });
            assert_eq!(world.say(USER, "why?").await.text.as_deref(), Some("Because."));
            let calls = world.api_calls();
            let asked: Vec<Value> =
                calls.iter().map(|call| serde_json::from_slice(&call.body).unwrap()).collect();
            assert_eq!(asked[0]["stream_options"], json!({ "include_usage": true }));
            assert_eq!(asked.len(), if refuses { 2 } else { 1 });
            let last = asked.last().unwrap();
            assert_eq!((&last["stream"], last.get("stream_options").is_none()), (&json!(true), refuses));
        });
    }
}
