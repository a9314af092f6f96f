//! The world as the Worker sees it: its platform and its storage.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use wxapi::gateway::token::TokenFailure;
use wxapi::log::Line;
use wxapi::platform::{
    AiError, Algorithm, Delivery, Inflow, KeyPair, Millis, Object, Outbound, Pieces, Platform, Storage,
    Tables, Unreachable, Verdict,
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
    database: OnceCell<Connection>,
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
        let database = self.0.database.get_or_init(|| Connection::open_in_memory().unwrap());
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

/// A body that arrives in small pieces.
pub struct Body(std::vec::IntoIter<Vec<u8>>);

impl Body {
    fn new(bytes: &[u8]) -> Self {
        Self(bytes.chunks(7).map(<[u8]>::to_vec).collect::<Vec<_>>().into_iter())
    }
}

impl Pieces for Body {
    async fn next(&mut self) -> Option<Result<Vec<u8>, Unreachable>> {
        self.0.next().map(Ok)
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
        let mut stream = String::new();
        for piece in text.split_inclusive(' ') {
            stream.push_str(&format!("data: {}\n\n", serde_json::json!({ "response": piece })));
        }
        Ok(Body::new((stream + "data: [DONE]\n\n").as_bytes()))
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

    async fn within_limit(&self, _key: &str) -> bool {
        !self.0.logins.is_flooded()
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
