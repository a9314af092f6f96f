//! The platform, on Cloudflare Workers.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_util::future::{FutureExt, LocalBoxFuture, TryFutureExt};
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::glue;
use crate::gateway::token::TokenFailure;
use crate::log::{Level, Line};
use crate::platform::{
    AiError, Algorithm, Delivery, Inflow, KeyPair, Limiter, Millis, Object, Opaque, Outbound, Pace, Pieces,
    Platform, Storage, Tables, Unreachable, Upload, Verdict, Watch,
};
use crate::wechat::Secret;

/// The environment of this isolate.
#[derive(Clone)]
pub struct Runtime {
    env: JsValue,
    /// Where this is, for the log: `request` and its name, or `object` and its class, because an object serves many
    /// requests at once.
    place: Option<(&'static str, Rc<str>)>,
}

impl Runtime {
    /// The runtime with these bindings.
    pub fn new(env: JsValue) -> Self {
        Self { env, place: None }
    }

    /// The same, while it serves the request with this name.
    pub fn serving(self, request: &str) -> Self {
        Self { place: Some(("request", request.into())), ..self }
    }

    /// The runtime of an object of this class.
    pub fn inside(env: JsValue, class: &str) -> Self {
        Self { env, place: Some(("object", class.into())) }
    }

    /// A variable or secret. A number in `[vars]` without quotes arrives as a number.
    pub fn setting(&self, name: &str) -> Option<String> {
        let value = self.binding(name);
        let number =
            || value.as_f64().and_then(|_| js_sys::Number::from(value.clone()).to_string_with_radix(10).ok());
        value.as_string().or_else(|| number().map(String::from))
    }

    /// The WebSocket that an object makes for a watcher.
    pub async fn watch(&self, watch: &Watch) -> Result<web_sys::Response, JsValue> {
        let objects = self.binding(binding_of(watch.object));
        Ok(JsFuture::from(glue::watch(&objects, &watch.name, &watch.proof)).await?.into())
    }

    fn binding(&self, name: &str) -> JsValue {
        js_sys::Reflect::get(&self.env, &name.into()).unwrap_or(JsValue::UNDEFINED)
    }
}

/// The binding of a class of objects.
fn binding_of(object: Object) -> &'static str {
    match object {
        Object::Login => "LOGIN_OBJECT",
        Object::Code => "CODE_OBJECT",
        Object::Throttle => "THROTTLE_OBJECT",
        Object::Key => "KEY_OBJECT",
        Object::Account => "ACCOUNT_OBJECT",
        Object::Metrics => "METRICS_OBJECT",
        Object::MiniUser => "MINI_USER_OBJECT",
        Object::Session => "SESSION_OBJECT",
    }
}

/// As JOSE and WebCrypto's glue call it.
fn name_of(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
    }
}

/// A response's body.
pub struct Stream {
    reader: RefCell<JsValue>,
}

impl Stream {
    fn new(stream: &JsValue) -> Self {
        Self { reader: RefCell::new(glue::reader(stream)) }
    }
}

/// Takes the reader out of a [`Stream`], for whoever passes the rest on.
pub fn reader_of(rest: &Opaque) -> JsValue {
    let stream = rest.0.downcast_ref::<Stream>();
    stream.map_or(JsValue::UNDEFINED, |stream| stream.reader.replace(JsValue::UNDEFINED))
}

impl Pieces for Stream {
    fn next(&mut self, pace: Pace) -> impl Future<Output = Option<Result<Vec<u8>, Unreachable>>> {
        // Tokens come in hundreds of tiny pieces.
        let least = if pace == Pace::Eager { 1 } else { 1_024 };
        after(glue::read(self.reader.get_mut(), least), |piece| match piece {
            Ok(piece) if piece.is_undefined() => None,
            piece => Some(piece.map(|piece| js_sys::Uint8Array::from(piece).to_vec())),
        })
    }
}

impl Drop for Stream {
    /// What was not read is not wanted: a model must not go on writing.
    fn drop(&mut self) {
        glue::cancel(self.reader.get_mut());
    }
}

fn unreachable(error: &JsValue) -> Unreachable {
    Unreachable(glue::reason(error))
}

/// What `then` makes of what a promise comes to. On the heap: the futures of callers hold a pointer to it, instead of
/// having the code that waits for promises, and that lets go of them, in each of them again.
fn after<T: 'static>(
    promise: Promise,
    then: impl FnOnce(Result<JsValue, Unreachable>) -> T + 'static,
) -> LocalBoxFuture<'static, T> {
    settled(promise).map(then).boxed_local()
}

fn settled(promise: Promise) -> LocalBoxFuture<'static, Result<JsValue, Unreachable>> {
    JsFuture::from(promise).map_err(|error| unreachable(&error)).boxed_local()
}

/// Somebody's response.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a date after 1970, or none")]
fn inflow(response: Result<JsValue, Unreachable>) -> Result<Inflow<Stream>, Unreachable> {
    let response = web_sys::Response::from(response?);
    let header = |name| response.headers().get(name).ok().flatten().unwrap_or_default();
    let (content_type, disposition) = (header("content-type"), header("content-disposition"));
    // No number, where there is no date, becomes 0.
    let date = Some(js_sys::Date::parse(&header("date")) as Millis).filter(|date| *date > 0);
    let body = Stream::new(&response.body().into());
    Ok(Inflow { status: response.status(), content_type, disposition, date, body })
}

/// A span of time passes.
struct Sleep {
    timer: Promise,
    over: LocalBoxFuture<'static, Result<JsValue, Unreachable>>,
}

impl Sleep {
    #[expect(clippy::cast_precision_loss, reason = "a span of milliseconds")]
    fn new(span: Millis) -> Self {
        let timer = glue::sleep(span as f64);
        Self { over: settled(timer.clone()), timer }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.over.as_mut().poll(context).map(drop)
    }
}

impl Drop for Sleep {
    /// An object with a timer that nobody waits for would not be put to sleep.
    fn drop(&mut self) {
        glue::wake(&self.timer);
    }
}

impl Platform for Runtime {
    type Body = Stream;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the clock is after 1970")]
    fn now(&self) -> Millis {
        js_sys::Date::now() as Millis
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // Workers always have a source of randomness; without it, AES-CBC's first block is only less blurred.
        let _ = getrandom::fill(&mut bytes);
        bytes
    }

    fn sleep(&self, span: Millis) -> impl Future<Output = ()> {
        Sleep::new(span)
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let task = task.map(|()| Ok(JsValue::UNDEFINED)).boxed_local();
        glue::wait_until(&wasm_bindgen_futures::future_to_promise(task));
    }

    #[expect(clippy::cast_precision_loss, reason = "a span of milliseconds")]
    fn fetch(&self, request: Outbound) -> impl Future<Output = Result<Inflow<Stream>, Unreachable>> {
        let Outbound { method, url, headers, body, upload, timeout } = request;
        let headers = headers.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
        let timeout = timeout as f64;
        let sent = match upload {
            None => glue::send(method, &url, headers, &body, timeout),
            Some(Upload { length, body }) => {
                let stream = body.0.downcast_ref::<JsValue>().cloned().unwrap_or_default();
                glue::send_on(method, &url, headers, &stream, length.unwrap_or_default() as f64, timeout)
            }
        };
        after(sent, inflow)
    }

    #[expect(clippy::cast_precision_loss, reason = "a span of milliseconds")]
    fn run_ai(
        &self,
        model: &str,
        inputs: String,
        timeout: Millis,
    ) -> impl Future<Output = Result<Stream, AiError>> {
        after(glue::run_ai(&self.binding("AI"), model, &inputs, timeout as f64), |output| {
            output.map(|stream| Stream::new(&stream)).map_err(|Unreachable(reason)| AiError(reason))
        })
    }

    fn deliver(&self, name: &str, delivery: &Delivery) -> impl Future<Output = Result<Verdict, Unreachable>> {
        after(glue::call_object(&self.binding("SESSION_OBJECT"), name, &delivery.to_text()), |answer| {
            Ok(answer?.as_string().map_or(Verdict::RunOut, Verdict::Reply))
        })
    }

    fn access_token(
        &self,
        name: &str,
        stale: Option<&str>,
    ) -> impl Future<Output = Result<String, TokenFailure>> {
        let stale = stale.unwrap_or_default();
        after(glue::call_object(&self.binding("ACCOUNT_OBJECT"), name, stale), |answer| {
            let answer = answer.map_err(|Unreachable(reason)| TokenFailure::Unreachable(reason))?;
            crate::json::from_str(&answer.as_string().unwrap_or_default()).unwrap_or_else(|_| {
                Err(TokenFailure::Unreachable("the account's object made no sense".to_owned()))
            })
        })
    }

    fn call(
        &self,
        object: Object,
        name: &str,
        body: &str,
    ) -> impl Future<Output = Result<String, Unreachable>> {
        after(glue::call_object(&self.binding(binding_of(object)), name, body), |answer| {
            answer?.as_string().ok_or_else(|| Unreachable("the object had nothing to say".to_owned()))
        })
    }

    fn open(
        &self,
        object: Object,
        name: &str,
        body: &str,
    ) -> impl Future<Output = Result<Inflow<Stream>, Unreachable>> {
        after(glue::open_object(&self.binding(binding_of(object)), name, body), inflow)
    }

    /// A limiter that fails stops nobody: what must be counted is counted in objects.
    fn within_limit(&self, limiter: Limiter, key: &str) -> impl Future<Output = bool> {
        let binding = match limiter {
            Limiter::Login => "LOGIN_LIMITER",
            Limiter::Caller => "RATE_LIMITER",
        };
        after(glue::within_limit(&self.binding(binding), key), |answer| {
            answer.ok().and_then(|within| within.as_bool()).unwrap_or(true)
        })
    }

    fn make_key(&self, algorithm: Algorithm) -> impl Future<Output = Result<KeyPair, Unreachable>> {
        after(glue::make_key(name_of(algorithm)), |pair| {
            let pair = js_sys::Array::from(&pair?);
            let mut halves = pair.iter().filter_map(|half| half.as_string());
            let private = halves.next().map(Secret::new);
            let public = halves.next().and_then(|jwk| crate::json::value(jwk.as_bytes()).ok());
            let (Some(private), Some(public)) = (private, public) else {
                return Err(Unreachable("WebCrypto made no keys".to_owned()));
            };
            Ok(KeyPair { private, public })
        })
    }

    fn sign(
        &self,
        algorithm: Algorithm,
        private: &Secret,
        message: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, Unreachable>> {
        after(glue::sign(name_of(algorithm), private.expose(), message), |signature| {
            Ok(js_sys::Uint8Array::from(signature?).to_vec())
        })
    }

    fn verify(
        &self,
        algorithm: Algorithm,
        public: &serde_json::Value,
        message: &[u8],
        signature: &[u8],
    ) -> impl Future<Output = bool> {
        let public = crate::json::text(public);
        after(glue::verify(name_of(algorithm), &public, message, signature), |answer| {
            answer.ok().and_then(|valid| valid.as_bool()).unwrap_or(false)
        })
    }

    fn find_binding(&self, name: &str) -> Option<String> {
        let binding = self.binding(name);
        if binding.is_undefined() || binding.is_null() {
            return None;
        }
        let id = js_sys::Reflect::get(&binding, &"id".into());
        Some(id.ok().and_then(|id| id.as_string()).unwrap_or_default())
    }

    fn log(&self, line: &Line) {
        let place = self.place.as_ref().map(|(what, name)| (*what, &**name));
        let text = JsValue::from(line.to_json_in(place));
        match line.level {
            Level::Info => web_sys::console::log_1(&text),
            Level::Warn => web_sys::console::warn_1(&text),
            Level::Error => web_sys::console::error_1(&text),
        }
    }
}

/// One document in the storage of a Durable Object.
pub struct ObjectStorage {
    state: JsValue,
    key: &'static str,
}

impl ObjectStorage {
    /// The document that every object has, of the one with this `DurableObjectState`.
    pub fn new(state: JsValue) -> Self {
        Self::beside(state, "state")
    }

    /// Another one, under `key`.
    pub fn beside(state: JsValue, key: &'static str) -> Self {
        Self { state, key }
    }
}

impl Storage for ObjectStorage {
    fn load(&self) -> Result<Option<String>, Unreachable> {
        glue::load(&self.state, self.key).map_err(|error| unreachable(&error))
    }

    fn save(&self, document: &str) -> Result<(), Unreachable> {
        glue::save(&self.state, self.key, document).map_err(|error| unreachable(&error))
    }

    fn delete(&self) -> Result<(), Unreachable> {
        glue::remove(&self.state, self.key).map_err(|error| unreachable(&error))
    }

    fn set_aside(&self, document: &str) -> Result<(), Unreachable> {
        glue::set_aside(&self.state, document).map_err(|error| unreachable(&error))
    }

    fn clear(&self) -> Result<(), Unreachable> {
        glue::clear(&self.state).map_err(|error| unreachable(&error))
    }

    #[expect(clippy::cast_precision_loss, reason = "a date of this age")]
    fn set_alarm(&self, at: Millis) -> Result<(), Unreachable> {
        glue::set_alarm(&self.state, at as f64).map_err(|error| unreachable(&error))
    }
}

impl Tables for ObjectStorage {
    fn run(
        &self,
        statement: &str,
        values: &[serde_json::Value],
    ) -> Result<Vec<serde_json::Value>, Unreachable> {
        let values = serde_json::to_string(values).unwrap_or_default();
        let rows = glue::sql(&self.state, statement, &values).map_err(|error| unreachable(&error))?;
        match crate::json::value(rows.as_bytes()) {
            Ok(serde_json::Value::Array(rows)) => Ok(rows),
            _ => Err(Unreachable("the rows made no sense".to_owned())),
        }
    }
}
