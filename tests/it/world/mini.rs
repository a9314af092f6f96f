//! The Mini Program in the world: its users' objects, and somebody who uses its API.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::handlers::mini::user_object::{MiniUserObject, Outcome};
use wxapi::platform::{Object, Outlet, Pace, Passage, Pieces, Request, Response, Unreachable};

use super::Body;
use super::{Answer, Disk, ORIGIN, World};

pub const MINI_APP: &str = "wx-mini";
pub const MINI_SECRET: &str = "mini-secret";

/// Settings of a world with a Mini Program, and others.
pub fn settings<'a>(others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let ours = [("MINI_APP_ID", MINI_APP), ("MINI_APP_SECRET", MINI_SECRET)];
    ours.into_iter().chain(others.iter().copied()).collect()
}

/// A world with a Mini Program, in which every login code is good for the person of whom it is the name.
pub fn world(others: &[(&str, &str)]) -> World {
    let world = World::new(&settings(others));
    world.wechat(|request| Ok(session_of(&request.url).unwrap_or_else(|| Answer::json("{}"))));
    world
}

/// WeChat's answer to a login code: whose name it is.
pub fn session_of(url: &str) -> Option<Answer> {
    let rest = url.split_once("/sns/jscode2session?")?.1;
    let code = rest.split('&').find_map(|pair| pair.strip_prefix("js_code="))?;
    let session_key = "MDEyMzQ1Njc4OWFiY2RlZg==";
    Some(Answer::json(&json!({ "openid": format!("mini-{code}"), "session_key": session_key }).to_string()))
}

/// What the API said.
#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    pub body: Value,
    pub response: Response,
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    /// The status, and what is wrong.
    pub fn refusal(&self) -> (u16, &str) {
        (self.status, self.error())
    }

    /// The conversation.
    pub fn id(&self) -> String {
        assert!(matches!(self.status, 200 | 202), "{self:?}");
        self.body["conversation_id"].as_str().unwrap().to_owned()
    }
}

/// Server-sent events, as they come.
pub struct Events {
    body: Body,
    buffer: String,
    /// Comments that came: somebody is still there.
    pub beats: usize,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct SentEvent {
    pub id: String,
    pub kind: String,
    pub data: Value,
}

impl Events {
    /// Whoever has these is the only reader: once they are dropped, nobody reads.
    fn of(response: Response) -> Self {
        let rest = response.passage.expect("a stream").rest.expect("a stream").0;
        let body = rest.downcast::<Body>().ok().and_then(Rc::into_inner).expect("a body of one reader");
        Self { body, buffer: String::new(), beats: 0 }
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<SentEvent> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.buffer = rest;
                if event.starts_with(':') {
                    self.beats += 1;
                    continue;
                }
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
                };
                let data = serde_json::from_str(&field("data: ")).unwrap();
                return Some(SentEvent { id: field("id: "), kind: field("event: "), data });
            }
            let piece = self.body.next(Pace::Eager).await?.unwrap();
            self.buffer.push_str(std::str::from_utf8(&piece).expect("no character is cut"));
        }
    }

    /// All that still come.
    pub async fn rest(&mut self) -> Vec<SentEvent> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }
}

/// What somebody sees who carries out these events, and the last one.
pub fn shown(events: &[SentEvent]) -> String {
    let mut shown = String::new();
    for event in events {
        match event.kind.as_str() {
            "delta" => shown.push_str(event.data["delta"].as_str().unwrap()),
            "replace" => shown = event.data["text"].as_str().unwrap().to_owned(),
            _ => {}
        }
    }
    shown
}

/// A WebSocket's other end.
#[derive(Clone, Default)]
pub struct Wire(Rc<RefCell<(Vec<Value>, Option<u16>)>>);

impl Wire {
    /// What was said so far.
    pub fn heard(&self) -> Vec<Value> {
        self.0.borrow().0.clone()
    }

    /// With which code it was closed.
    pub fn closed(&self) -> Option<u16> {
        self.0.borrow().1
    }

    /// They hang up.
    pub fn hang_up(&self) {
        self.0.borrow_mut().1 = Some(1_005);
    }
}

impl Outlet for Wire {
    fn send(&self, text: &str) -> bool {
        let mut inner = self.0.borrow_mut();
        if inner.1.is_none() {
            inner.0.push(serde_json::from_str(text).unwrap());
        }
        inner.1.is_none()
    }

    fn close(&self, code: u16) {
        self.0.borrow_mut().1 = Some(code);
    }
}

impl World {
    /// The object of a user, as `edge` has it.
    pub fn mini_user(&self, name: &str) -> Rc<MiniUserObject<World, Disk>> {
        if let Some(user) = self.0.minis.borrow().get(name) {
            return Rc::clone(user);
        }
        let disk = self.disk_behind(Object::MiniUser, name);
        let user = MiniUserObject::new(self.clone(), disk, Rc::clone(&self.0.app)).unwrap();
        self.0.minis.borrow_mut().insert(name.to_owned(), Rc::clone(&user));
        user
    }

    pub async fn call_mini_user(&self, name: &str, body: &str) -> Result<String, Unreachable> {
        let open = || -> Rc<dyn Outlet> { panic!("no stream was asked for") };
        match self.mini_user(name).call(body, &open).await? {
            Outcome::Said(said) => Ok(said),
            Outcome::Streaming => panic!("no stream was asked for"),
        }
    }

    /// The storage behind a session key.
    pub fn mini_disk(&self, session: &str) -> Disk {
        self.disk_behind(Object::MiniUser, session.split('.').next().unwrap())
    }

    async fn mini_request(
        &self,
        method: &str,
        target: &str,
        session: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let session = (!session.is_empty()).then_some(("x-wx-session", session));
        let headers = session.iter().chain(headers);
        self.send(Request {
            method: method.to_owned(),
            origin: ORIGIN.to_owned(),
            path: format!("/api/{path}"),
            query: query.to_owned(),
            headers: headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.as_bytes().to_vec(),
            ..Request::default()
        })
        .await
    }

    /// A call of the API; `target` is what follows `/api/`.
    pub async fn api(&self, method: &str, target: &str, session: &str, body: &str) -> Heard {
        let mut response = self.mini_request(method, target, session, &[], body).await;
        let is_json = |passage: &&mut Box<Passage>| passage.content_type.starts_with("application/json");
        if response.passage.as_mut().filter(is_json).is_some() {
            // It comes as it is made; here it is wanted whole.
            let made = Response { passage: response.passage.take(), ..Response::default() };
            response.body = String::from_utf8(super::admin::whole(made).await).expect("text");
        }
        let body = serde_json::from_str(&response.body).unwrap_or_default();
        Heard { status: response.status, body, response }
    }

    /// Somebody logs in by a code.
    pub async fn wx_login(&self, code: &str) -> String {
        let heard = self.api("POST", "auth/wx-login", "", &json!({ "code": code }).to_string()).await;
        assert_eq!(heard.status, 200, "{heard:?}");
        heard.body["sessionKey"].as_str().unwrap().to_owned()
    }

    /// Somebody says something in a conversation.
    pub async fn chat(&self, session: &str, message: &str, conversation: Option<&str>) -> Heard {
        let body = json!({ "message": message, "conversation_id": conversation }).to_string();
        self.api("POST", "chat", session, &body).await
    }

    /// Somebody says something, in whatever words of JSON.
    pub async fn ask(&self, session: &str, body: Value) -> Heard {
        self.api("POST", "chat", session, &body.to_string()).await
    }

    /// The ids of one page of somebody's conversations, and where the next one begins.
    pub async fn listed(&self, session: &str, query: &str) -> (Vec<String>, Value) {
        let heard = self.api("GET", &format!("conversations{query}"), session, "").await;
        assert_eq!(heard.status, 200, "{heard:?}");
        let all = heard.body["conversations"].as_array().unwrap();
        let ids = all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        (ids, heard.body["next"].clone())
    }

    /// A call whose answer comes as a stream; `Err` if it does not.
    pub async fn events(
        &self,
        method: &str,
        target: &str,
        session: &str,
        last: Option<&str>,
        body: &str,
    ) -> Result<Events, Heard> {
        let last = last.map(|last| ("last-event-id", last));
        let headers: Vec<_> = [("accept", "text/event-stream")].into_iter().chain(last).collect();
        let response = self.mini_request(method, target, session, &headers, body).await;
        if response.passage.is_some() {
            return Ok(Events::of(response));
        }
        let body = serde_json::from_str(&response.body).unwrap_or_default();
        Err(Heard { status: response.status, body, response })
    }
}
