//! The HTTP server: the route table, the guard of the control API and the pages, and connections that can be cut.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{HOST, ORIGIN, UPGRADE};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Router, http::Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service;

use crate::http::is_loopback;
use crate::state::Sim;
use crate::{articles, capture, control, model, page, platform, web};

/// Bytes of a request body that are read: pictures come in base64.
pub const MAX_BODY: usize = 32 * 1024 * 1024;

/// The control API, and the pages that a person answers: only this machine reaches them.
const GUARDED: [&str; 3] = ["/_sim/", "/connect/", "/mp/"];

/// Serves the simulator until the program ends.
pub async fn serve(listener: TcpListener, sim: Arc<Sim>) {
    let router = routes(Arc::clone(&sim));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, Arc::clone(&sim), router.clone()))),
            // Most likely no file descriptor is left: the next connection that closes frees one.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Every route. A request of the AI binding is recognised by a header, whatever its path is.
fn routes(sim: Arc<Sim>) -> Router {
    let apis = platform::PATHS
        .iter()
        .fold(Router::new(), |apis, path| apis.route(&format!("{path}{{*api}}"), any(platform::handle)));
    Router::new()
        .nest("/_sim", control::routes())
        .merge(web::routes())
        .merge(apis)
        .route("/v1/chat/completions", post(model::chat_completions))
        .route("/v1/audio/transcriptions", post(model::transcriptions))
        .route("/s/{article}", get(articles::handle))
        .route("/", get(page::index).fallback(model::workers_ai))
        .route("/assets/{*file}", get(page::asset).fallback(model::workers_ai))
        .fallback(model::workers_ai)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(sim)
}

async fn connection(stream: TcpStream, sim: Arc<Sim>, router: Router) {
    // Streamed tokens are small writes that must not wait for each other.
    let _ = stream.set_nodelay(true);
    let service =
        service_fn(move |request: Request<Incoming>| exchange(Arc::clone(&sim), router.clone(), request));
    // A client that goes away is no error of ours.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn exchange(sim: Arc<Sim>, mut router: Router, request: Request<Incoming>) -> io::Result<Response> {
    let path = request.uri().path();
    let is_guarded = GUARDED.iter().any(|start| path.starts_with(start));
    if (is_guarded || page::is_wanted(request.method(), path)) && !is_own(request.headers()) {
        return Ok((StatusCode::FORBIDDEN, "This address answers this machine only.\n").into_response());
    }
    if request.headers().contains_key(UPGRADE) {
        return Ok((StatusCode::BAD_REQUEST, "No WebSocket here.\n").into_response());
    }
    let (request, ticket) = match capture::begin(&sim, request).await {
        Ok(begun) => begun,
        Err(refusal) => return Ok(refusal),
    };
    let response: Result<Response, Infallible> = router.call(request).await;
    let Ok(response) = response;
    let response = match ticket {
        Some(ticket) => ticket.follow(response),
        None => response,
    };
    if response.extensions().get::<Cut>().is_some() {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    Ok(response)
}

/// Whether a request comes from no page at all, or from one of this very address. A page at another port of this
/// machine is another site, too: the one that is tested, or what a phone shows of one.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let same = |origin: &str| text(HOST).is_some_and(|host| origin.strip_prefix("http://") == Some(host));
    is_ours(headers) && headers.get(ORIGIN).is_none_or(|_| text(ORIGIN).is_some_and(same))
}

/// A page of another site can make a browser on this machine send requests here, if need be under a name of its own
/// that it points to 127.0.0.1: `Origin` and `Host` tell.
pub fn is_ours(headers: &HeaderMap) -> bool {
    let authority = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = authority(HOST).is_some_and(|host| names_loopback(&format!("http://{host}")));
    host && authority(ORIGIN).is_none_or(names_loopback)
}

fn names_loopback(origin: &str) -> bool {
    origin.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(is_loopback))
}

/// Marks a response that is not to be sent.
#[derive(Clone, Copy)]
pub struct Cut;

/// A response that closes the connection instead.
pub fn cut() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cut);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        is_ours(&headers)
    }

    #[test]
    fn only_this_machine_controls() {
        assert!(ours(&[("host", "127.0.0.1:8788")]));
        assert!(ours(&[("host", "localhost:8788"), ("origin", "http://localhost:8788")]));
        assert!(ours(&[("host", "[::1]:8788")]));
        assert!(!ours(&[]));
        assert!(!ours(&[("host", "evil.example:8788")]), "DNS rebinding");
        assert!(!ours(&[("host", "127.0.0.1:8788"), ("origin", "https://evil.example")]));
        assert!(!ours(&[("host", "127.0.0.1:8788"), ("origin", "null")]));
    }
}
