//! A callback: a tiny server of the test's own that is pushed to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A push as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: String,
    pub body: String,
}

/// What the callback does with a push.
pub enum Reaction {
    /// Answers with this status and body.
    Answer(u16, String),
    /// Never answers.
    Hang,
    /// Closes the connection after half an answer.
    Cut,
}

/// A running callback.
pub struct Callback {
    pub url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    connections: Arc<AtomicUsize>,
}

impl Callback {
    /// Starts one that reacts to its n-th request (from 0) as `react` says.
    pub async fn start(react: impl Fn(usize, &Arrived) -> Reaction + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/wechat", listener.local_addr().unwrap());
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (react, log, count) = (Arc::new(react), arrived.clone(), connections.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, react.clone(), log.clone()));
            }
        });
        Self { url, arrived, connections }
    }

    /// Starts one that always answers with status 200 and this body.
    pub async fn answering(body: &'static str) -> Self {
        Self::start(move |_, _| Reaction::Answer(200, body.to_owned())).await
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Every push so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }
}

/// Answers the requests of one connection until the other side closes it, or says that it will.
async fn serve<F: Fn(usize, &Arrived) -> Reaction>(
    mut stream: TcpStream,
    react: Arc<F>,
    log: Arc<Mutex<Vec<Arrived>>>,
) {
    while let Some(push) = read(&mut stream).await {
        let n = {
            let mut log = log.lock().unwrap();
            log.push(push.clone());
            log.len() - 1
        };
        match react(n, &push) {
            Reaction::Answer(status, body) => {
                let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes()).await;
            }
            Reaction::Cut => {
                return drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<xml>").await);
            }
            // Until the other side hangs up.
            Reaction::Hang => return drop(stream.read(&mut [0; 1]).await),
        }
        if push.headers.contains("connection: close") {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Arrived> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() < length.unwrap_or(0) {
            continue;
        }
        let mut words = head.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        return Some(Arrived { method, path, query, headers: head.to_owned(), body: body.to_owned() });
    }
}
