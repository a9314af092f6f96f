//! The outside world on one screen: what the code behind the walls may ask of the runtime.
//!
//! `edge` implements these traits on Cloudflare Workers; the host tests implement them with a clock that
//! they move themselves. Futures here stay on one thread, as Workers have it.

use std::future::Future;

/// Milliseconds since the Unix epoch, or a span of them.
pub type Millis = u64;

/// A request to the Worker, read once.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, percent-encoded as it came.
    pub path: String,
    /// What follows `?`, undecoded; empty if nothing does.
    pub query: String,
    /// The body; never much longer than [`crate::wechat::callback::BODY_LIMIT`], because `edge` stops
    /// reading there.
    pub body: Vec<u8>,
}

/// The Worker's response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// A request to somebody else.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Absolute address.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body of a `POST`.
    pub body: Vec<u8>,
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
    /// The body.
    pub body: B,
}

/// A body that comes in pieces.
pub trait Pieces {
    /// The next piece, of at least about a kilobyte unless it is the last; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Option<Result<Vec<u8>, Unreachable>>>;
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
}

impl Delivery {
    /// The delivery as it goes to the object: the time on a line of its own, then the document.
    pub fn to_text(&self) -> String {
        format!("{}\n{}", self.arrived, self.document)
    }

    /// The way back from [`Self::to_text`].
    pub fn from_text(text: &str) -> Option<Self> {
        let (arrived, document) = text.split_once('\n')?;
        Some(Self { arrived: arrived.parse().ok()?, document: document.to_owned() })
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

    /// Writes one line to the log.
    fn log(&self, line: &crate::log::Line);
}

/// The storage of one object. Writes of one turn are atomic, and nothing leaves the object before they are
/// on disk.
/// <https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/>
pub trait Storage: 'static {
    /// The stored document.
    fn load(&self) -> Result<Option<String>, Unreachable>;

    /// Stores the document.
    fn save(&self, document: &str) -> Result<(), Unreachable>;

    /// Keeps a document that cannot be read, beside the one that will be stored.
    fn set_aside(&self, document: &str) -> Result<(), Unreachable>;

    /// Deletes everything.
    fn clear(&self) -> Result<(), Unreachable>;

    /// Calls the object's alarm at this time; replaces an earlier setting.
    fn set_alarm(&self, at: Millis) -> Result<(), Unreachable>;
}
