//! The control API, seen from the command line: that of a running server, or of one started for the moment.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::task::JoinSet;

use super::Trouble;
use super::dev::{PORT, listen};
use super::vars::Vars;
use crate::control::Health;
use crate::http::{self, Failure, Opened, Target};
use crate::push::envelope::{self, Mode};
use crate::server::serve;
use crate::state::{Options, Sim};

/// A server on this machine says at once that it is there, even a busy one; where none is, the connection is refused.
const HEALTH: Duration = Duration::from_secs(3);
/// Beyond any number of deliveries that a command orders.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A connection to a control API.
#[derive(Debug)]
pub struct Client {
    base: Target,
    /// How it seals messages unless a request says otherwise.
    pub mode: Mode,
    // Holds a server that was started for the moment; dropping the set ends it.
    server: JoinSet<()>,
}

impl Client {
    /// The server at `port`, which must be there; without a port, that at [`PORT`] if there is one. Else, and with
    /// port 0, one with these settings, for as long as the command runs.
    pub async fn find_or_start(
        port: Option<u16>,
        vars: &Vars,
        options: impl FnOnce() -> Result<Options, Trouble>,
    ) -> Result<Self, Trouble> {
        if port != Some(0) {
            match Self::find(port).await {
                Ok(client) => return Ok(client),
                Err(trouble) if port.is_some() => return Err(trouble),
                Err(_) => {}
            }
        }
        Self::start(vars, options()?).await
    }

    /// The server at `port`, or at [`PORT`].
    pub async fn find(port: Option<u16>) -> Result<Self, Trouble> {
        let wanted = port.unwrap_or(PORT);
        let base = format!("http://127.0.0.1:{wanted}").parse()?;
        let mode = wx_sim_at(&base).await;
        let mode = mode.ok_or_else(|| Trouble(format!("no wx-sim dev listens on port {wanted}")))?;
        Ok(Self { base, mode, server: JoinSet::new() })
    }

    async fn start(vars: &Vars, options: Options) -> Result<Self, Trouble> {
        let account = vars.account()?;
        let mode = envelope::default_mode(&account);
        let listener = listen(0).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let base = base_url.parse()?;
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::new(Sim::new(account, options, base_url))));
        Ok(Self { base, mode, server })
    }

    /// Whether the command does everything by itself.
    pub fn is_alone(&self) -> bool {
        !self.server.is_empty()
    }

    /// `GET`s a path and its query.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        call(&self.base, Method::GET, path, Bytes::new(), PATIENCE).await
    }

    /// A stream of events of the server's.
    pub async fn events(&self, path: &str) -> Result<Opened, Trouble> {
        let request = Request::builder().uri(path).body(Full::new(Bytes::new()))?;
        http::open(&self.base, request).await.map_err(|_| Trouble(format!("{}: no answer", self.base)))
    }

    /// `POST`s JSON.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Trouble> {
        call(&self.base, Method::POST, path, serde_json::to_vec(body)?.into(), PATIENCE).await
    }
}

/// The mode of the wx-sim that listens there, if one does.
async fn wx_sim_at(base: &Target) -> Option<Mode> {
    let health: Health = call(base, Method::GET, "/_sim/health", Bytes::new(), HEALTH).await.ok()?;
    (health.name == "wx-sim").then_some(health.mode)
}

async fn call<T: DeserializeOwned>(
    base: &Target,
    method: Method,
    path: &str,
    body: Bytes,
    limit: Duration,
) -> Result<T, Trouble> {
    let request = Request::builder().method(method).uri(path).body(Full::new(body))?;
    let answer = http::send(base, request, limit).await.map_err(|failure| match failure {
        Failure::Refused(why) | Failure::Cut(why) => Trouble(format!("{base}: {why}")),
        Failure::Timeout => Trouble(format!("{base}: no answer")),
    })?;
    if answer.status == 200 {
        return Ok(serde_json::from_slice(&answer.body)?);
    }
    let error: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let why = error.get("error").and_then(Value::as_str).map_or_else(|| answer.text(), str::to_owned);
    Err(Trouble(why))
}
