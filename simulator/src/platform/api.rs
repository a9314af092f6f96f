//! What every API has in common: one entry of the table, and the steps before it runs.

use serde_json::{Value, json};

use super::account_type::Right;
use super::errcode::{self, Errcode};
use super::quota::Quotas;
use super::{ApiReply, ApiRequest};
use crate::account::Account;
use crate::control::send::SendRequest;
use crate::http::Target;
use crate::push::message::Event;
use crate::state::State;

/// One API of the platform, as its family's table has it.
#[derive(Debug, Clone, Copy)]
pub struct Api {
    /// Its path, as `/cgi-bin/menu/create`.
    pub path: &'static str,
    /// Who may call it: others get 48001.
    pub right: Right,
    /// Calls a day of a verified account, of which a test account has a tenth; absent if nobody counts them.
    pub daily: Option<u32>,
    verb: Verb,
    wants_token: bool,
    callers: Callers,
    run: fn(&mut Call<'_>) -> Result<ApiReply, Errcode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get,
    Post,
    Either,
}

/// Who tells the account about its jobs: somebody at WeChat, not a follower.
pub const PLATFORM: &str = "platform";

/// Which of the two apps an access token belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum App {
    /// The Official Account.
    #[default]
    Official,
    /// The Mini Program that belongs to it.
    Mini,
}

/// Whose tokens an API takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Callers {
    Official,
    Mini,
    Both,
}

/// One call of an API: the request and all that it may read and change.
#[derive(Debug)]
pub struct Call<'a> {
    /// What the simulator remembers.
    pub state: &'a mut State,
    /// The simulated account.
    pub account: &'a Account,
    /// Its callback, if there is one that may be spoken to.
    pub target: Option<&'a Target>,
    /// Simulated milliseconds since 1970.
    pub now_ms: u64,
    /// The request itself.
    pub request: &'a ApiRequest,
    /// Who calls, by the access token or the secret.
    pub app: App,
}

type Run = fn(&mut Call<'_>) -> Result<ApiReply, Errcode>;

impl Api {
    const fn new(path: &'static str, right: Right, verb: Verb, run: Run) -> Self {
        Self { path, right, daily: None, verb, wants_token: true, callers: Callers::Official, run }
    }

    /// An API that answers `GET` with an `access_token` in the query.
    pub const fn get(path: &'static str, right: Right, run: Run) -> Self {
        Self::new(path, right, Verb::Get, run)
    }

    /// An API that answers `POST` with an `access_token` in the query.
    pub const fn post(path: &'static str, right: Right, run: Run) -> Self {
        Self::new(path, right, Verb::Post, run)
    }

    /// An API that answers both.
    pub const fn either(path: &'static str, right: Right, run: Run) -> Self {
        Self::new(path, right, Verb::Either, run)
    }

    /// The same API, called without an `access_token`: it checks secrets itself.
    pub const fn without_token(self) -> Self {
        Self { wants_token: false, ..self }
    }

    /// The same API, called with tokens of the Mini Program only.
    pub const fn for_mini(self) -> Self {
        Self { callers: Callers::Mini, ..self }
    }

    /// The same API, called with tokens of either app.
    pub const fn for_both(self) -> Self {
        Self { callers: Callers::Both, ..self }
    }

    /// The same API with a limit of calls a day.
    pub const fn daily(self, calls: u32) -> Self {
        Self { daily: Some(calls), ..self }
    }

    /// 1. The method. 2. The token. 3. The account's right, which is not a Mini Program's matter.
    /// 4. The day's quota, which each app has for itself; what needs no token finds out who calls, and counts.
    /// 5. The API itself.
    ///
    /// # Errors
    /// 43001, 43002; 40001, 40014, 41001, 42001; 48001; 45009; and what the API answers.
    pub fn call(&self, call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
        if !self.answers(&call.request.method) {
            return Err(if self.verb == Verb::Get { errcode::WANTS_GET } else { errcode::WANTS_POST });
        }
        if self.wants_token {
            call.app = self.caller(call)?;
        }
        if !self.is_allowed(call) {
            return Err(errcode::UNAUTHORIZED);
        }
        if self.wants_token {
            self.count(call)?;
        }
        (self.run)(call)
    }

    /// Whether it answers requests with this method.
    pub fn answers(&self, method: &str) -> bool {
        matches!((self.verb, method), (Verb::Get | Verb::Either, "GET") | (Verb::Post | Verb::Either, "POST"))
    }

    /// Counts one call of the app that calls.
    ///
    /// # Errors
    /// 45009 when the day's calls are used up.
    pub fn count(&self, call: &mut Call<'_>) -> Result<(), Errcode> {
        let (limit, now_ms) = (self.daily_limit(call), call.now_ms);
        call.quotas().take(self.path, limit, now_ms)
    }

    /// Whether the account has the right; it is not a Mini Program's matter.
    fn is_allowed(&self, call: &Call<'_>) -> bool {
        call.app == App::Mini || call.state.account_type.has(self.right)
    }

    /// Whether it is for the app that calls.
    pub fn serves(&self, call: &Call<'_>) -> bool {
        let other = if call.app == App::Mini { Callers::Official } else { Callers::Mini };
        (self.callers != other || !self.wants_token) && self.is_allowed(call)
    }

    /// A token of the other app is like one that nobody gave out.
    fn caller(&self, call: &Call<'_>) -> Result<App, Errcode> {
        let token = call.request.parameter("access_token");
        let official = || call.state.tokens.check(token, call.now_ms).map(|()| App::Official);
        let mini = || call.state.mini.tokens.check(token, call.now_ms).map(|()| App::Mini);
        match self.callers {
            Callers::Official => official(),
            Callers::Mini => mini(),
            Callers::Both => mini().or_else(|error| {
                official().map_err(|other| if other == errcode::NOT_LATEST { error } else { other })
            }),
        }
    }

    /// Calls a day of the app that calls; absent without a limit.
    pub fn daily_limit(&self, call: &Call<'_>) -> Option<u32> {
        match call.app {
            App::Official => self.daily.map(|calls| call.state.account_type.share_of(calls)),
            App::Mini => self.daily,
        }
    }
}

impl Call<'_> {
    /// How often the app that calls has called what today.
    pub fn quotas(&mut self) -> &mut Quotas {
        match self.app {
            App::Official => &mut self.state.quotas,
            App::Mini => &mut self.state.mini.quotas,
        }
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// 44002 if it is empty, 47001 if it is not a JSON object.
    pub fn json(&self) -> Result<Value, Errcode> {
        self.request.json()
    }

    /// An error that names what is wrong, as WeChat does for fields of a template.
    pub fn wrong(&self, error: Errcode, what: &str) -> ApiReply {
        ApiReply::Json(error.about(what, self.now_ms))
    }

    /// Pushes an event right after the answer; `from` is its FromUserName, `fields` are its further elements.
    pub fn push(&mut self, from: &str, kind: &str, fields: Value) {
        let mini = self.app == App::Mini;
        announce(self.state, mini, from, kind, fields);
    }
}

/// Pushes an event of the Mini Program or of the account right after the answer; `from` is its FromUserName, `fields`
/// are its further elements.
pub fn announce(state: &mut State, mini: bool, from: &str, kind: &str, fields: Value) {
    let fields = fields.as_object().cloned().unwrap_or_default().into_iter().collect();
    let event = Some(Event { kind: kind.to_owned(), key: None, fields });
    let person = Some(from.to_owned());
    state.outbox.push(SendRequest { person, mini, event, ..SendRequest::default() });
}

/// `{"errcode":0,"errmsg":"ok"}` with further members.
pub fn ok_with(more: Value) -> ApiReply {
    let mut body = json!({ "errcode": 0, "errmsg": "ok" });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    ApiReply::Json(body)
}

/// A member as text; empty if it is missing or no text.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A member as a list; empty if it is missing or no list.
pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The object with one member more, if there is any.
pub fn with_optional(object: Value, name: &str, member: Option<&str>) -> Value {
    match member {
        Some(member) => with(object, name, member),
        None => object,
    }
}

/// The object with one member more.
pub fn with(mut object: Value, name: &str, member: impl Into<Value>) -> Value {
    if let Value::Object(members) = &mut object {
        members.insert(name.to_owned(), member.into());
    }
    object
}

/// A member as a whole number; WeChat takes a text of digits for one.
pub fn number(value: &Value, name: &str) -> Option<u64> {
    match value.get(name)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
