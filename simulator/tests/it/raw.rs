//! HTTP over a bare socket: what is tested here should not also be the tool.

use std::io::Cursor;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// A request to be sent.
#[derive(Clone, Default)]
pub struct Ask {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub fn get(path: impl Into<String>) -> Ask {
    Ask { method: "GET", path: path.into(), ..Ask::default() }
}

pub fn post(path: impl Into<String>, body: impl Into<Vec<u8>>) -> Ask {
    Ask { method: "POST", path: path.into(), body: body.into(), ..Ask::default() }
}

impl Ask {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What came back.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
    /// Whether the body ended as its headers promised.
    pub whole: bool,
}

impl Got {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let pairs = self.headers.lines().filter_map(|line| line.split_once(": "));
        pairs.filter(|pair| pair.0.eq_ignore_ascii_case(name)).map(|pair| pair.1).next()
    }

    pub fn has_header(&self, line: &str) -> bool {
        self.headers.lines().any(|header| header.eq_ignore_ascii_case(line))
    }
}

/// Sends a request; absent if the connection closes without an answer.
pub async fn send(port: u16, ask: Ask) -> Option<Got> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut head = format!("{} {} HTTP/1.1\r\n", ask.method, ask.path);
    if !ask.headers.iter().any(|header| header.0.eq_ignore_ascii_case("host")) {
        head.push_str(&format!("Host: 127.0.0.1:{port}\r\n"));
    }
    for (name, value) in &ask.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Connection: close\r\nContent-Length: {}\r\n\r\n", ask.body.len()));
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&ask.body).await.unwrap();
    let mut bytes = Vec::new();
    // A reset is how some systems report a cut.
    let _ = stream.read_to_end(&mut bytes).await;
    if bytes.is_empty() { None } else { Some(parse(bytes).await) }
}

/// The messages of an event stream, as they come. Each is one chunk, so that a line of data is one line.
pub async fn events(port: u16, path: &str) -> mpsc::UnboundedReceiver<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let Some(data) = line.strip_prefix("data: ") else { continue };
            if sender.send(serde_json::from_str(data).unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

async fn parse(bytes: Vec<u8>) -> Got {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    let headers = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = headers[9..12].parse().unwrap();
    let rest = bytes[end..].to_vec();
    let length = headers
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    if headers.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        let (body, whole) = dechunk(rest).await;
        return Got { status, headers, body, whole };
    }
    let whole = length.is_none_or(|length: usize| length == rest.len());
    Got { status, headers, body: rest, whole }
}

async fn dechunk(bytes: Vec<u8>) -> (Vec<u8>, bool) {
    let mut reader = BufReader::new(Cursor::new(bytes));
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        let Ok(size) = usize::from_str_radix(line.trim(), 16) else { return (body, false) };
        let mut chunk = vec![0; size + 2];
        if reader.read_exact(&mut chunk).await.is_err() {
            return (body, false);
        }
        if size == 0 {
            return (body, true);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}
