//! The outside world on one screen: what the code behind the walls may ask of the runtime.
//!
//! `edge` implements these traits on Cloudflare Workers; the host tests implement them with a clock that
//! they move themselves. Futures here stay on one thread, as Workers have it.

mod inside;
mod passage;

use std::future::Future;
use std::net::IpAddr;

pub use inside::{Outlet, Storage, Tables, Watchers};
pub use passage::{Opaque, Passage, Upload};

/// Milliseconds since the Unix epoch, or a span of them.
pub type Millis = u64;

/// A request to the Worker, read once.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Names this request in the log, in the answer and in the audit: Cloudflare's ray, or a random text.
    pub id: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// Scheme, host and port that it came to: `https://wx.example.com`.
    pub origin: String,
    /// The path, percent-encoded as it came.
    pub path: String,
    /// What follows `?`, undecoded; empty if nothing does.
    pub query: String,
    /// The headers that somebody here reads, with names in lower case; none for WeChat's callback.
    pub headers: Vec<(String, String)>,
    /// Who sent it, as Cloudflare sees it.
    pub peer: Peer,
    /// The body; never much longer than [`crate::handlers::intake`] says for this path, because `edge` stops reading
    /// there. Empty if there is an `upload`.
    pub body: Vec<u8>,
    /// A long body that is only passed on.
    pub upload: Option<Upload>,
}

/// The other end of a request, as Cloudflare sees it; empty where it does not know.
/// <https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties>
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// Its IP address.
    pub address: String,
    /// Two letters of its country: `CN`.
    pub country: String,
    /// Its city, in English.
    pub city: String,
}

impl Peer {
    /// What one subscriber has: an IPv4 address, or the /64 of an IPv6 address.
    pub fn network(&self) -> String {
        match self.address.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}/64")
            }
            Ok(IpAddr::V4(address)) => address.to_string(),
            Err(_) => self.address.clone(),
        }
    }
}

impl Request {
    /// The credentials of the `Authorization` header, if it is of this scheme.
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-11.6.2>
    pub fn credentials(&self, scheme: &str) -> Option<&str> {
        let (given, credentials) = self.header("authorization")?.split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
    }

    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A cookie by its name; `None` too if it came more than once, because then one of them is somebody else's.
    ///
    /// Only blanks and tabs are cut off. Browsers let any host of a domain set a cookie whose name has another space,
    /// such as U+2003, before `__Host-`: it must not be read as the one that only this host can set.
    /// <https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix>
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.header("cookie")?.split(';').map(|pair| pair.trim_matches([' ', '\t']));
        let mut values = pairs.filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        values.next().filter(|_| values.next().is_none())
    }
}

/// The Worker's response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`; empty for none.
    pub content_type: &'static str,
    /// Header names and values besides.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// Instead of `body`, what somebody else answers, passed on as it comes.
    pub passage: Option<Box<Passage>>,
    /// Instead of all this, the connection becomes a WebSocket of an object's, if that agrees.
    pub watch: Option<Box<Watch>>,
}

/// Who wants a WebSocket of which object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The object's class.
    pub object: Object,
    /// Its name.
    pub name: String,
    /// What is shown to it: the digest of what only the right one has.
    pub proof: String,
}

impl Response {
    /// A response with a body.
    pub fn new(status: u16, content_type: &'static str, body: impl Into<String>) -> Self {
        Self { status, content_type, body: body.into(), ..Self::default() }
    }

    /// Plain text.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    /// The browser shall `GET` this address next.
    pub fn see_other(address: impl Into<String>) -> Self {
        Self { status: 303, ..Self::default() }.with("location", address)
    }

    /// The response with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A request to somebody else.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Absolute address.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body of a `POST`.
    pub body: Vec<u8>,
    /// Instead of `body`, somebody's upload, passed on as it comes. Can be sent once only.
    pub upload: Option<Upload>,
    /// The exchange fails if it is not over after this time, response body included.
    pub timeout: Millis,
}

/// Somebody else's response; its body comes in pieces.
#[derive(Debug)]
pub struct Inflow<B> {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, empty if there is none.
    pub content_type: String,
    /// `Content-Disposition`, empty if there is none: the name of a file.
    pub disposition: String,
    /// `Date`: what time it is there, to the second.
    pub date: Option<Millis>,
    /// The body.
    pub body: B,
}

/// A body that comes in pieces.
pub trait Pieces {
    /// The next piece; `None` at the end. [`Pace::Calm`] waits until there is about a kilobyte, which costs less.
    fn next(&mut self, pace: Pace) -> impl Future<Output = Option<Result<Vec<u8>, Unreachable>>>;
}

/// How pieces of a body are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Many small ones at once.
    Calm,
    /// Each as it comes: somebody is looking.
    Eager,
}

/// A call that did not get through, in words fit for a log: no secret, openid or message text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable(pub String);

/// A refusal of the `AI` binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AiError(pub String);

/// One delivery on its way to its user's object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When it arrived at the Worker.
    pub arrived: Millis,
    /// The authenticated plain document, in WeChat's own format.
    pub document: String,
    /// It came encrypted and is no older than a login allows, so its sender is beyond doubt.
    pub may_log_in: bool,
}

impl Delivery {
    /// The delivery as it goes to the object: the time on a line of its own, then the document. A plus sign
    /// before the time, which earlier releases read over, says that it may log in.
    pub fn to_text(&self) -> String {
        let sign = if self.may_log_in { "+" } else { "" };
        format!("{sign}{}\n{}", self.arrived, self.document)
    }

    /// The way back from [`Self::to_text`].
    pub fn from_text(text: &str) -> Option<Self> {
        let (arrived, document) = text.split_once('\n')?;
        let may_log_in = arrived.starts_with('+');
        Some(Self { arrived: arrived.parse().ok()?, document: document.to_owned(), may_log_in })
    }
}

/// What a user's object makes of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Reply with this plain document, or `success`.
    Reply(String),
    /// Do not reply: WeChat shall hang up and deliver again.
    RunOut,
}

/// The classes of objects that are called with JSON and answer with JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Object {
    /// One attempt to log in.
    Login,
    /// A part of the codes that people may send.
    Code,
    /// Counts what one address does.
    Throttle,
    /// The keys that sign tokens.
    Key,
    /// The account: its access token, what its clients do, and what is stored about it.
    Account,
    /// A part of the counters.
    Metrics,
    /// A user of the Mini Program: their sessions and conversations.
    MiniUser,
    /// A user of the account. Their messages come by [`Platform::deliver`].
    Session,
}

/// Who is counted where the request arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limiter {
    /// `LOGIN_LIMITER`: whoever begins something that costs a little.
    Login,
    /// `RATE_LIMITER`: callers of the Mini Program's API who have no session.
    Caller,
}

/// How tokens are signed.
/// <https://www.rfc-editor.org/rfc/rfc7518#section-3.1>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 and 2048 bits: every client knows it.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA with P-256 and SHA-256: smaller and faster.
    #[serde(rename = "ES256")]
    Es256,
}

/// A new pair of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// What [`Platform::sign`] takes; to everybody else a closed box.
    pub private: crate::wechat::Secret,
    /// The public half as a JWK.
    pub public: serde_json::Value,
}

/// The runtime, as every handler sees it.
pub trait Platform: Clone + 'static {
    /// The body of a response to [`Platform::fetch`].
    type Body: Pieces + 'static;

    /// The time.
    fn now(&self) -> Millis;

    /// Sixteen random bytes from a cryptographic source.
    fn random(&self) -> [u8; 16];

    /// Completes after `span`.
    fn sleep(&self, span: Millis) -> impl Future<Output = ()>;

    /// Runs `task` to its end, whether or not the request that started it is still open.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);

    /// Sends a request.
    fn fetch(&self, request: Outbound) -> impl Future<Output = Result<Inflow<Self::Body>, Unreachable>>;

    /// Runs a model by the `AI` binding; `inputs` is JSON. The body is a stream of server-sent events if the
    /// inputs ask for one, else JSON. Fails if it is not over after `timeout`.
    fn run_ai(
        &self,
        model: &str,
        inputs: String,
        timeout: Millis,
    ) -> impl Future<Output = Result<Self::Body, AiError>>;

    /// Hands a delivery to the object of the user called `name`.
    fn deliver(&self, name: &str, delivery: &Delivery) -> impl Future<Output = Result<Verdict, Unreachable>>;

    /// The access token of the account called `name`, from its object; a new one if it is still `stale`.
    fn access_token(
        &self,
        name: &str,
        stale: Option<&str>,
    ) -> impl Future<Output = Result<String, crate::gateway::token::TokenFailure>>;

    /// Calls the object called `name` with JSON; its answer is JSON.
    fn call(
        &self,
        object: Object,
        name: &str,
        body: &str,
    ) -> impl Future<Output = Result<String, Unreachable>>;

    /// Calls the object called `name` with JSON; its answer comes as it is made.
    fn open(
        &self,
        object: Object,
        name: &str,
        body: &str,
    ) -> impl Future<Output = Result<Inflow<Self::Body>, Unreachable>>;

    /// Whether `key` has not come too often lately: approximate, and counted where the request arrived.
    /// <https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/>
    fn within_limit(&self, limiter: Limiter, key: &str) -> impl Future<Output = bool>;

    /// Makes a pair of keys.
    fn make_key(&self, algorithm: Algorithm) -> impl Future<Output = Result<KeyPair, Unreachable>>;

    /// Signs `message` with the private half of a pair.
    fn sign(
        &self,
        algorithm: Algorithm,
        private: &crate::wechat::Secret,
        message: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, Unreachable>>;

    /// Whether `signature` is that of `message`, by the public half, a JWK.
    fn verify(
        &self,
        algorithm: Algorithm,
        public: &serde_json::Value,
        message: &[u8],
        signature: &[u8],
    ) -> impl Future<Output = bool>;

    /// The `id` of the binding called `name`, empty if it has none; `None` if the deployment lacks the binding.
    fn find_binding(&self, name: &str) -> Option<String>;

    /// Writes one line to the log.
    fn log(&self, line: &crate::log::Line);
}
