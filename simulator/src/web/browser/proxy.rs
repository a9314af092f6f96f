//! One door: requests in, the same requests to the origin, and what it answers back; both ways as streams.

use std::convert::Infallible;
use std::sync::{Arc, Weak};

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::header::UPGRADE;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Request, Uri, client::conn::http1 as client};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::headers::{dress, may_pass, undress};
use crate::http::{Failure, Target, is_loopback};
use crate::state::Sim;

/// A person's way to an origin.
#[derive(Debug)]
pub struct Door {
    /// Weak, since the simulator holds its doors.
    pub sim: Weak<Sim>,
    /// Whose it is.
    pub openid: String,
    /// Where it leads.
    pub origin: Target,
    /// Where it is, on 127.0.0.1.
    pub port: u16,
    /// By this, the simulator's own pages know whose phone it is.
    pub token: String,
    /// The browser's name.
    pub agent: String,
}

impl Door {
    /// Its own origin.
    pub fn outside(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether it leads to the simulator itself.
    pub fn leads_home(&self, base_url: &str) -> bool {
        let home = base_url.parse::<Target>().is_ok_and(|home| home.port() == self.origin.port());
        home && is_loopback(self.origin.host()) && self.origin.scheme() == "http"
    }
}

/// Serves the door until the task is aborted, which closes every connection.
pub async fn serve(listener: TcpListener, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&door)))),
            // Most likely no file descriptor is left.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}

async fn connection(stream: TcpStream, door: Arc<Door>) {
    let _ = stream.set_nodelay(true);
    let (tunnels, mut opened) = tokio::sync::mpsc::unbounded_channel();
    let service = service_fn(move |request: Request<Incoming>| {
        let (door, tunnels) = (Arc::clone(&door), tunnels.clone());
        async move {
            let response = exchange(&door, request, |tunnel| drop(tunnels.send(tunnel))).await;
            Ok::<_, Infallible>(response)
        }
    });
    // A client that goes away is no error of ours.
    let _ = server::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    // The connection's task is also its tunnel, so that it ends with the door.
    if let Ok((inner, outer)) = opened.try_recv() {
        tunnel(inner, outer).await;
    }
}

type Tunnel = (OnUpgrade, OnUpgrade);

async fn exchange(door: &Door, mut request: Request<Incoming>, tunnel: impl FnOnce(Tunnel)) -> Response {
    let Some(sim) = door.sim.upgrade() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    if !may_pass(request.headers()) {
        return (StatusCode::FORBIDDEN, "This address answers this machine only.\n").into_response();
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let outer = request.headers().contains_key(UPGRADE).then(|| hyper::upgrade::on(&mut request));
    dress(door, &sim, &path, request.headers_mut());
    *request.uri_mut() = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
    let mut response = match forward(&door.origin, request).await {
        Ok(response) => response,
        Err(why) => {
            let text = format!("{} does not answer: {}\n", door.origin.origin(), words(&why));
            return (StatusCode::BAD_GATEWAY, text).into_response();
        }
    };
    let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    undress(door, &sim, &path, response.headers_mut(), upgraded);
    if upgraded && let Some(outer) = outer {
        tunnel((hyper::upgrade::on(&mut response), outer));
    }
    response.map(Body::new)
}

/// A connection of its own, which lasts as long as the answer's body.
async fn forward(origin: &Target, request: Request<Incoming>) -> Result<Response<Incoming>, Failure> {
    let stream = TokioIo::new(origin.connect().await?);
    let cut = |error: hyper::Error| Failure::Cut(error.to_string());
    let (mut sender, driver) = client::handshake(stream).await.map_err(cut)?;
    tokio::spawn(driver.with_upgrades());
    sender.send_request(request).await.map_err(cut)
}

fn words(failure: &Failure) -> &str {
    match failure {
        Failure::Refused(why) | Failure::Cut(why) => why,
        Failure::Timeout => "too late",
    }
}

async fn tunnel(inner: OnUpgrade, outer: OnUpgrade) {
    let ends: (Result<Upgraded, _>, Result<Upgraded, _>) = (inner.await, outer.await);
    if let (Ok(inner), Ok(outer)) = ends {
        let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(inner), &mut TokioIo::new(outer)).await;
    }
}
