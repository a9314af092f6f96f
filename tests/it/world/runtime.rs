//! The world as the Worker sees it: its platform and its storage.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wxapi::gateway::token::TokenFailure;
use wxapi::handlers::mini::user_object::Outcome;
use wxapi::log::Line;
use wxapi::platform::{
    AiError, Algorithm, Delivery, Inflow, KeyPair, Limiter, Millis, Object, Outbound, Outlet, Pace, Pieces,
    Platform, Storage, Tables, Unreachable, Verdict,
};
use wxapi::wechat::Secret;

use super::{DAWN, ModelCall, World, keys};

/// One document in one object's storage. It outlives the object.
#[derive(Clone, Default)]
pub struct Disk(Rc<DiskInner>, &'static str);

#[derive(Default)]
struct DiskInner {
    documents: RefCell<HashMap<&'static str, String>>,
    alarm: Cell<Option<Millis>>,
    writes: Cell<usize>,
    full: Cell<bool>,
    aside: RefCell<Option<String>>,
    database: RefCell<Option<Connection>>,
}

impl Disk {
    /// Another document of the same object.
    pub fn beside(&self, key: &'static str) -> Self {
        Self(Rc::clone(&self.0), key)
    }

    pub fn document(&self) -> Option<String> {
        self.0.documents.borrow().get(self.1).cloned()
    }

    pub fn put(&self, document: &str) {
        self.0.documents.borrow_mut().insert(self.1, document.to_owned());
    }

    pub fn alarm(&self) -> Option<Millis> {
        self.0.alarm.get()
    }

    /// From now on, writes fail; or not any more.
    pub fn set_full(&self, full: bool) {
        self.0.full.set(full);
    }

    /// What could not be read.
    pub fn aside(&self) -> Option<String> {
        self.0.aside.borrow().clone()
    }

    /// The alarm rings, so it is no longer set.
    pub fn alarm_rings(&self) {
        self.0.alarm.set(None);
    }

    pub fn writes(&self) -> usize {
        self.0.writes.get()
    }

    /// Everything that is stored, in any document and table.
    pub fn dump(&self) -> String {
        let mut all: Vec<String> = self.0.documents.borrow().values().cloned().collect();
        all.extend(self.aside());
        if let Some(database) = self.0.database.borrow().as_ref() {
            let tables = run(database, "SELECT name FROM sqlite_master WHERE type = 'table'", &[]).unwrap();
            for table in tables {
                let rows = format!("SELECT * FROM {}", table["name"].as_str().unwrap());
                all.extend(run(database, &rows, &[]).unwrap().iter().map(Value::to_string));
            }
        }
        all.join("\n")
    }
}

impl Storage for Disk {
    fn load(&self) -> Result<Option<String>, Unreachable> {
        Ok(self.document())
    }

    fn save(&self, document: &str) -> Result<(), Unreachable> {
        if self.0.full.get() {
            return Err(Unreachable("the disk is full".to_owned()));
        }
        self.put(document);
        self.0.writes.set(self.0.writes.get() + 1);
        Ok(())
    }

    fn delete(&self) -> Result<(), Unreachable> {
        self.0.documents.borrow_mut().remove(self.1);
        Ok(())
    }

    fn set_aside(&self, document: &str) -> Result<(), Unreachable> {
        *self.0.aside.borrow_mut() = Some(document.to_owned());
        Ok(())
    }

    fn clear(&self) -> Result<(), Unreachable> {
        self.0.documents.borrow_mut().clear();
        *self.0.database.borrow_mut() = None;
        self.0.alarm.set(None);
        Ok(())
    }

    fn set_alarm(&self, at: Millis) -> Result<(), Unreachable> {
        self.0.alarm.set(Some(at));
        Ok(())
    }
}

impl Tables for Disk {
    fn run(&self, statement: &str, values: &[Value]) -> Result<Vec<Value>, Unreachable> {
        if self.0.full.get() && !statement.trim_start().starts_with("SELECT") {
            return Err(Unreachable("the disk is full".to_owned()));
        }
        let mut database = self.0.database.borrow_mut();
        let database = database.get_or_insert_with(|| Connection::open_in_memory().unwrap());
        run(database, statement, values).map_err(|error| Unreachable(error.to_string()))
    }
}

fn run(database: &Connection, statement: &str, values: &[Value]) -> rusqlite::Result<Vec<Value>> {
    let mut prepared = database.prepare(statement)?;
    for (index, value) in values.iter().enumerate() {
        match value {
            Value::Null => prepared.raw_bind_parameter(index + 1, rusqlite::types::Null)?,
            Value::Number(number) if number.is_i64() => {
                prepared.raw_bind_parameter(index + 1, number.as_i64())?
            }
            Value::Number(number) => prepared.raw_bind_parameter(index + 1, number.as_f64())?,
            Value::String(text) => prepared.raw_bind_parameter(index + 1, text)?,
            other => panic!("a value that Cloudflare would not take: {other}"),
        }
    }
    let names: Vec<String> = prepared.column_names().into_iter().map(str::to_owned).collect();
    let mut rows = prepared.raw_query();
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut object = Map::new();
        for (index, name) in names.iter().enumerate() {
            let value = match row.get_ref(index)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => json!(number),
                ValueRef::Real(number) => json!(number),
                ValueRef::Text(text) => json!(std::str::from_utf8(text).unwrap()),
                ValueRef::Blob(_) => panic!("no table here has blobs"),
            };
            object.insert(name.clone(), value);
        }
        all.push(Value::Object(object));
    }
    Ok(all)
}

/// A body that comes in pieces.
pub enum Body {
    /// It is there, in small ones; each takes so long.
    Whole(std::vec::IntoIter<Vec<u8>>, Millis),
    /// An object makes it.
    Made(UnboundedReceiver<String>),
}

impl Body {
    fn new(bytes: &[u8]) -> Self {
        Self::Whole(bytes.chunks(7).map(<[u8]>::to_vec).collect::<Vec<_>>().into_iter(), 0)
    }
}

impl Pieces for Body {
    async fn next(&mut self, _pace: Pace) -> Option<Result<Vec<u8>, Unreachable>> {
        match self {
            Self::Whole(pieces, pause) => {
                let next = pieces.next()?;
                if *pause > 0 {
                    tokio::time::sleep(Duration::from_millis(*pause)).await;
                }
                Some(Ok(next))
            }
            Self::Made(pieces) => pieces.recv().await.map(|piece| Ok(piece.into_bytes())),
        }
    }
}

/// A response that an object makes while it is read.
#[derive(Default)]
struct Channel(RefCell<Option<UnboundedSender<String>>>);

impl Outlet for Channel {
    fn send(&self, text: &str) -> bool {
        self.0.borrow().as_ref().is_some_and(|sender| sender.send(text.to_owned()).is_ok())
    }

    fn close(&self, _code: u16) {
        *self.0.borrow_mut() = None;
    }
}

impl Platform for World {
    type Body = Body;

    fn now(&self) -> Millis {
        DAWN + u64::try_from(self.0.dawn.elapsed().as_millis()).unwrap()
    }

    /// Different each time, and the same in every run.
    fn random(&self) -> [u8; 16] {
        let number = self.0.random.get();
        self.0.random.set(number + 1);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Sha256::digest(number.to_be_bytes())[..16]);
        bytes
    }

    async fn sleep(&self, span: Millis) {
        tokio::time::sleep(Duration::from_millis(span)).await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.tasks.borrow_mut().push(tokio::task::spawn_local(task).abort_handle());
    }

    async fn fetch(&self, request: Outbound) -> Result<Inflow<Body>, Unreachable> {
        self.0.api_calls.borrow_mut().push(request.clone());
        self.sleep(self.0.network.get()).await;
        let answer = (self.0.wechat.borrow())(&request).map_err(Unreachable)?;
        Ok(Inflow {
            status: answer.status,
            content_type: answer.content_type.to_owned(),
            disposition: String::new(),
            date: Some((self.now() / 1_000 * 1_000).saturating_sub(self.skew())),
            body: Body::new(&answer.body),
        })
    }

    async fn run_ai(&self, model: &str, inputs: String, timeout: Millis) -> Result<Body, AiError> {
        let number = self.0.model_calls.borrow().len() + 1;
        let inputs = serde_json::from_str(&inputs).unwrap();
        let call = ModelCall { model: model.to_owned(), inputs, number };
        self.0.model_calls.borrow_mut().push(call.clone());
        let turn = (self.0.model.borrow())(&call);
        self.sleep(turn.delay.min(timeout)).await;
        if turn.delay >= timeout {
            return Err(AiError("The operation was aborted due to timeout".to_owned()));
        }
        let text = turn.outcome.map_err(AiError)?;
        if call.inputs["stream"] != serde_json::Value::Bool(true) {
            return Ok(Body::new(text.as_bytes()));
        }
        let event = |event: Value| format!("data: {event}\n\n").into_bytes();
        let words = text.split_inclusive(' ');
        let mut stream: Vec<_> = words.map(|words| event(json!({ "response": words }))).collect();
        let tokens = text.len();
        stream.push(event(json!({ "response": "", "usage": { "total_tokens": tokens } })));
        stream.push(b"data: [DONE]\n\n".to_vec());
        Ok(match self.0.model_pause.get() {
            0 => Body::new(&stream.concat()),
            pause => Body::Whole(stream.into_iter(), pause),
        })
    }

    async fn deliver(&self, name: &str, delivery: &Delivery) -> Result<Verdict, Unreachable> {
        // As over the wire between objects.
        let delivery = Delivery::from_text(&delivery.to_text()).unwrap();
        let user = self.user(name);
        user.receive(&delivery).await
    }

    async fn access_token(&self, name: &str, stale: Option<&str>) -> Result<String, TokenFailure> {
        let token = self.account(name).token(stale).await;
        serde_json::from_str(&serde_json::to_string(&token).unwrap()).unwrap()
    }

    async fn call(&self, object: Object, name: &str, body: &str) -> Result<String, Unreachable> {
        self.call_object(object, name, body).await
    }

    async fn open(&self, object: Object, name: &str, body: &str) -> Result<Inflow<Body>, Unreachable> {
        assert_eq!(object, Object::MiniUser, "no other object makes streams");
        let (sender, receiver) = unbounded_channel();
        let channel = Rc::new(Channel(RefCell::new(Some(sender))));
        let open = || -> Rc<dyn Outlet> { channel.clone() };
        let (content_type, body) = match self.mini_user(name).call(body, &open).await? {
            Outcome::Said(said) => ("application/json", Body::new(said.as_bytes())),
            Outcome::Streaming => ("text/event-stream; charset=utf-8", Body::Made(receiver)),
        };
        let (content_type, disposition) = (content_type.to_owned(), String::new());
        Ok(Inflow { status: 200, content_type, disposition, date: None, body })
    }

    async fn within_limit(&self, _limiter: Limiter, key: &str) -> bool {
        !self.0.logins.is_flooded(key)
    }

    async fn make_key(&self, algorithm: Algorithm) -> Result<KeyPair, Unreachable> {
        // Making RSA keys takes its time, during which others come.
        if self.0.network.get() > 0 {
            self.sleep(self.0.network.get()).await;
        }
        Ok(self.0.logins.make_key(algorithm))
    }

    async fn sign(
        &self,
        algorithm: Algorithm,
        private: &Secret,
        message: &[u8],
    ) -> Result<Vec<u8>, Unreachable> {
        Ok(keys::sign(algorithm, private.expose(), message))
    }

    async fn verify(&self, algorithm: Algorithm, public: &Value, message: &[u8], signature: &[u8]) -> bool {
        keys::verify(algorithm, public, message, signature)
    }

    fn find_binding(&self, name: &str) -> Option<String> {
        let id = if name == "CF_VERSION_METADATA" { "a-version" } else { "" };
        (!self.lacks(name)).then(|| id.to_owned())
    }

    fn log(&self, line: &Line) {
        self.0.log.borrow_mut().push(line.clone());
    }
}
