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
use super::dev::listen;
use super::vars::Vars;
use crate::http::{self, Failure, Target};
use crate::server::serve;
use crate::state::{Options, Sim};

/// A server on this machine says at once that it is there.
const HEALTH: Duration = Duration::from_millis(500);
/// Beyond any number of deliveries that a command orders.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A connection to a control API.
#[derive(Debug)]
pub struct Client {
    base: Target,
    // Dropping the set ends a server that was started for the moment.
    _server: JoinSet<()>,
}

impl Client {
    /// The server at `port` if there is one; else one with these settings, for as long as the command runs.
    pub async fn find_or_start(port: u16, vars: &Vars, options: Options) -> Result<Self, Trouble> {
        let running = Self { base: format!("http://127.0.0.1:{port}").parse()?, _server: JoinSet::new() };
        if running.is_wx_sim().await {
            return Ok(running);
        }
        let account = vars.account()?;
        let listener = listen(0).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let base = base_url.parse()?;
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::new(Sim::new(account, options, base_url))));
        Ok(Self { base, _server: server })
    }

    /// `GET`s a path and its query.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        self.call(Method::GET, path, Bytes::new(), PATIENCE).await
    }

    /// `POST`s JSON.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Trouble> {
        self.call(Method::POST, path, serde_json::to_vec(body)?.into(), PATIENCE).await
    }

    async fn is_wx_sim(&self) -> bool {
        let health: Result<Value, _> = self.call(Method::GET, "/_sim/health", Bytes::new(), HEALTH).await;
        health.is_ok_and(|health| health.get("name").and_then(Value::as_str) == Some("wx-sim"))
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        limit: Duration,
    ) -> Result<T, Trouble> {
        let request = Request::builder().method(method).uri(path).body(Full::new(body))?;
        let answer = http::send(&self.base, request, limit).await.map_err(|failure| match failure {
            Failure::Refused(why) | Failure::Cut(why) => Trouble(format!("{}: {why}", self.base)),
            Failure::Timeout => Trouble(format!("{}: no answer", self.base)),
        })?;
        if answer.status == 200 {
            return Ok(serde_json::from_slice(&answer.body)?);
        }
        let error: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let why = error.get("error").and_then(Value::as_str).map_or_else(|| answer.text(), str::to_owned);
        Err(Trouble(why))
    }
}
