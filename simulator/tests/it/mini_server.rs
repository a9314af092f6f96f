//! A small server with the API that the Mini Program calls: sessions, conversations, answers in pieces. What a message
//! says decides how it is answered.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_service::Service;

use crate::raw;
use crate::world::{MINI_APP_ID, MINI_APP_SECRET};

/// What the server remembers.
#[derive(Default)]
pub struct Memory {
    pub sim: u16,
    pub sessions: BTreeMap<String, String>,
    pub conversations: Vec<Conversation>,
    /// Every message, with the client's own name of it.
    pub asked: Vec<(String, String)>,
    /// The headers of the last request.
    pub headers: HeaderMap,
    /// How often a pending answer is said to be pending.
    pub pending: u32,
}

#[derive(Clone)]
pub struct Conversation {
    pub id: String,
    openid: String,
    messages: Vec<Value>,
    answer: String,
}

type Shared = Arc<Mutex<Memory>>;

/// A running server.
pub struct Server {
    pub target: String,
    pub memory: Shared,
}

impl Server {
    /// Starts one; the port of its simulator is told later.
    pub async fn start() -> Self {
        let memory = Shared::default();
        let router = Router::new()
            .route("/api/auth/wx-login", post(login))
            .route("/api/auth/logout", post(logout))
            .route("/api/chat", post(chat))
            .route("/api/chat/{id}", get(answer))
            .route("/api/conversations", get(list).delete(delete_all))
            .route("/api/conversations/{id}", get(one).delete(delete))
            .route("/api/wx/{service}", post(service))
            .route("/wechat/mini", post(async || "success"))
            .with_state(Arc::clone(&memory));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = format!("http://{}/wechat", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let router = router.clone();
                let service = service_fn(move |request: hyper::Request<Incoming>| {
                    router.clone().call(request.map(Body::new))
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { target, memory }
    }
}

fn error(status: u16, text: &str) -> Response {
    reply(status, &json!({ "error": text }))
}

fn reply(status: u16, body: &Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, "application/json")], body.to_string())
        .into_response()
}

async fn login(State(memory): State<Shared>, body: Bytes) -> Response {
    let code = serde_json::from_slice::<Value>(&body).unwrap()["code"].as_str().unwrap().to_owned();
    let sim = memory.lock().unwrap().sim;
    let path = format!(
        "/sns/jscode2session?appid={MINI_APP_ID}&secret={MINI_APP_SECRET}&js_code={code}&grant_type=authorization_code"
    );
    let session = raw::send(sim, raw::get(path)).await.unwrap().json();
    match session["errcode"].as_i64() {
        None => {}
        Some(40029 | 40163) => return error(401, "Invalid code"),
        Some(40226) => return error(403, "Login refused"),
        Some(_) => return error(500, "Service temporarily unavailable"),
    }
    let mut memory = memory.lock().unwrap();
    let key = format!("session-{}", memory.sessions.len());
    memory.sessions.insert(key.clone(), session["openid"].as_str().unwrap().to_owned());
    reply(200, &json!({ "sessionKey": key }))
}

fn user(memory: &Shared, headers: &HeaderMap) -> Result<String, Box<Response>> {
    let mut memory = memory.lock().unwrap();
    memory.headers = headers.clone();
    let key = headers.get("x-wx-session").and_then(|key| key.to_str().ok()).unwrap_or_default();
    memory.sessions.get(key).cloned().ok_or_else(|| Box::new(error(401, "Invalid session")))
}

async fn logout(State(memory): State<Shared>, headers: HeaderMap) -> Response {
    let Err(response) = user(&memory, &headers) else {
        memory.lock().unwrap().sessions.clear();
        return reply(200, &json!({ "status": "ok" }));
    };
    *response
}

fn wants_stream(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|accept| accept == "text/event-stream")
}

async fn chat(State(memory): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let openid = match user(&memory, &headers) {
        Ok(openid) => openid,
        Err(response) => return *response,
    };
    let body: Value = serde_json::from_slice(&body).unwrap();
    let text = body["message"].as_str().unwrap().to_owned();
    match text.as_str() {
        "" => return error(400, "Invalid message"),
        "429" => {
            let mut response = error(429, "Too many requests. Please slow down.");
            response.headers_mut().insert(header::RETRY_AFTER, "7".parse().unwrap());
            return response;
        }
        "500" => return error(500, "Service temporarily unavailable"),
        _ => {}
    }
    let conversation = match remember(&memory, openid, &text, &body) {
        Ok(conversation) => conversation,
        Err(response) => return *response,
    };
    if text == "never" {
        std::future::pending::<()>().await;
    }
    if wants_stream(&headers) { events(&conversation, &text, 0) } else { reply(200, &whole(&conversation)) }
}

/// Notes the message and its answer.
fn remember(
    memory: &Shared,
    openid: String,
    text: &str,
    body: &Value,
) -> Result<Conversation, Box<Response>> {
    let mut shared = memory.lock().unwrap();
    shared.asked.push((text.to_owned(), body["message_id"].as_str().unwrap_or_default().to_owned()));
    let known = shared
        .conversations
        .iter()
        .position(|known| known.openid == openid && body["conversation_id"] == known.id.as_str());
    let index = match (known, &body["conversation_id"]) {
        (Some(index), _) => index,
        (None, Value::String(id)) if id != "new" => return Err(Box::new(error(404, "Not found"))),
        _ => {
            let id = format!("c{}", shared.conversations.len() + 1);
            shared.conversations.push(Conversation {
                id,
                openid,
                messages: Vec::new(),
                answer: String::new(),
            });
            shared.conversations.len() - 1
        }
    };
    let conversation = &mut shared.conversations[index];
    conversation.answer = format!("回声：{text} 😀 the end");
    let said = |role: &str, content: &str| json!({ "role": role, "content": content, "created_at": 1_800_000_000_000_u64 });
    conversation.messages.push(said("user", text));
    conversation.messages.push(said("assistant", &conversation.answer.clone()));
    let conversation = conversation.clone();
    if text == "pending" {
        shared.pending = 2;
        return Err(Box::new(reply(
            202,
            &json!({ "status": "pending", "conversation_id": conversation.id }),
        )));
    }
    Ok(conversation)
}

fn whole(conversation: &Conversation) -> Value {
    json!({ "reply": conversation.answer, "conversation_id": conversation.id, "tokens_used": 42 })
}

/// The answer in pieces of four characters, from one of them on. `cut` breaks off after two, `fails` ends with an
/// error, `again` takes back what it said.
fn events(conversation: &Conversation, text: &str, from: usize) -> Response {
    let id = conversation.id.clone();
    let characters: Vec<char> = conversation.answer.chars().collect();
    let pieces: Vec<String> = characters.chunks(4).map(|chunk| chunk.iter().collect()).collect();
    let mut events = vec![(0, json!({ "type": "begin", "conversation_id": id }))];
    for (n, piece) in pieces.iter().enumerate().skip(from) {
        events.push((n + 1, json!({ "type": "delta", "conversation_id": id, "delta": piece })));
    }
    match text {
        "cut" => events.truncate(3),
        "fails" => {
            events.truncate(2);
            events.push((
                9,
                json!({ "type": "error", "conversation_id": id, "error": "Service temporarily unavailable" }),
            ));
        }
        "again" => events.push((99, json!({ "type": "replace", "conversation_id": id, "text": "回声" }))),
        _ => {}
    }
    if !["cut", "fails"].contains(&text) {
        let mut done = whole(conversation);
        done["type"] = json!("done");
        events.push((100, done));
    }
    let slow = text == "slow";
    let written = events
        .into_iter()
        .map(|(n, data)| format!("id: {n}\nevent: {}\ndata: {data}\n\n", data["type"].as_str().unwrap()));
    let body = stream::iter(written).then(move |event| async move {
        if slow {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok::<_, Infallible>(Bytes::from(event))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
}

async fn answer(State(memory): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Err(response) = user(&memory, &headers) {
        return *response;
    }
    let mut memory = memory.lock().unwrap();
    let Some(conversation) = memory.conversations.iter().find(|known| known.id == id).cloned() else {
        return error(404, "Not found");
    };
    if memory.pending > 0 {
        memory.pending -= 1;
        return reply(202, &json!({ "status": "pending", "conversation_id": id }));
    }
    match headers.get("last-event-id").and_then(|last| last.to_str().ok()?.parse().ok()) {
        Some(last) if wants_stream(&headers) => events(&conversation, "", last),
        _ => reply(200, &whole(&conversation)),
    }
}

async fn list(State(memory): State<Shared>, headers: HeaderMap) -> Response {
    let openid = match user(&memory, &headers) {
        Ok(openid) => openid,
        Err(response) => return *response,
    };
    let memory = memory.lock().unwrap();
    let of = |known: &Conversation| json!({ "id": known.id, "title": known.messages[0]["content"], "created_at": 1, "updated_at": 1, "status": "idle" });
    let listed: Vec<_> =
        memory.conversations.iter().rev().filter(|known| known.openid == openid).map(of).collect();
    reply(200, &json!({ "conversations": listed, "next": null }))
}

async fn one(State(memory): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Err(response) = user(&memory, &headers) {
        return *response;
    }
    let memory = memory.lock().unwrap();
    match memory.conversations.iter().find(|known| known.id == id) {
        Some(known) => reply(
            200,
            &json!({ "id": id, "title": "t", "created_at": 1, "updated_at": 1, "status": "idle", "messages": known.messages }),
        ),
        None => error(404, "Not found"),
    }
}

async fn delete(State(memory): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Err(response) = user(&memory, &headers) {
        return *response;
    }
    let mut memory = memory.lock().unwrap();
    let before = memory.conversations.len();
    memory.conversations.retain(|known| known.id != id);
    if memory.conversations.len() < before {
        reply(200, &json!({ "deleted": 1 }))
    } else {
        error(404, "Not found")
    }
}

async fn delete_all(State(memory): State<Shared>, headers: HeaderMap) -> Response {
    if let Err(response) = user(&memory, &headers) {
        return *response;
    }
    let deleted = std::mem::take(&mut memory.lock().unwrap().conversations).len();
    reply(200, &json!({ "deleted": deleted }))
}

/// Gives back what came, so that tests see it.
async fn service(
    State(memory): State<Shared>,
    Path(_): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match user(&memory, &headers) {
        Ok(_) => reply(200, &json!({ "got": serde_json::from_slice::<Value>(&body).unwrap() })),
        Err(response) => *response,
    }
}
