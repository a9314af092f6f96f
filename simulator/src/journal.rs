//! Every request in both directions, for the page's timeline.

use std::sync::Arc;

use serde::Serialize;

use crate::log::Log;
use crate::push::checks::Check;
use crate::push::deliver::Order;
use crate::revision;

/// Requests kept, with their bodies.
const KEPT: usize = 1000;
/// Bytes of each body that are kept.
pub const BODY_KEPT: usize = 64 * 1024;

/// The newest requests.
#[derive(Debug)]
pub struct Journal {
    exchanges: Log<Exchange>,
    /// The number of the last change.
    pub revision: u64,
}

/// A request and its answer.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    /// Its number, from 1.
    pub id: u64,
    /// Who asks whom.
    pub kind: Kind,
    /// When it began: real milliseconds since 1970.
    pub at_ms: u64,
    /// Milliseconds that it took; null while it runs.
    pub elapsed_ms: Option<u64>,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// What it is about, in a few words.
    pub what: String,
    /// How it stands.
    pub state: Progress,
    /// Its end in a word: a status, an errcode, an outcome.
    pub result: String,
    /// Which delivery it is, if it is one.
    pub delivery: Option<Place>,
    /// Milliseconds that it may take, if anybody counts.
    pub limit_ms: Option<u64>,
    /// What is shown of one request only.
    #[serde(skip)]
    pub detail: Detail,
    /// What is delivered, to deliver it again.
    #[serde(skip)]
    pub order: Option<Arc<Order>>,
    #[serde(skip)]
    revision: u64,
}

/// Who asks whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// WeChat tells the target what a person did.
    Push,
    /// Somebody calls the platform.
    Api,
    /// Somebody asks the model.
    Model,
    /// A browser opens one of WeChat's pages.
    Web,
    /// The Mini Program in somebody's phone calls the target's API.
    Mini,
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It has no answer yet.
    Running,
    /// It was answered as it should be.
    Ok,
    /// It was not answered in time.
    Late,
    /// It went wrong otherwise.
    Failed,
}

/// Where a delivery belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// 1, 2, 3.
    pub n: u32,
    /// The line of the chat that is delivered, if it is in one.
    pub line: Option<u64>,
}

/// The whole of a request and its answer.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Detail {
    /// The request.
    pub request: Sent,
    /// Its answer, if any came.
    pub response: Option<Received>,
    /// The document before it was sealed.
    pub plain: Option<String>,
    /// The reply's document after it was opened.
    pub reply_plain: Option<String>,
    /// The rules that apply to the reply.
    pub checks: Vec<Check>,
}

/// A request as it was sent.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sent {
    /// Its address.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body, as far as it is text and is kept.
    pub body: String,
}

/// An answer as it came.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Received {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body, as far as it is text and is kept.
    pub body: String,
}

/// A request that begins.
#[derive(Debug)]
pub struct Begin {
    /// Who asks whom.
    pub kind: Kind,
    /// Real milliseconds since 1970.
    pub at_ms: u64,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// What it is about, in a few words.
    pub what: String,
    /// Which delivery it is, if it is one.
    pub delivery: Option<Place>,
    /// Milliseconds that it may take, if anybody counts.
    pub limit_ms: Option<u64>,
    /// The request.
    pub request: Sent,
    /// The document before it was sealed.
    pub plain: Option<String>,
    /// What is delivered.
    pub order: Option<Arc<Order>>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { exchanges: Log::keeping(KEPT), revision: 0 }
    }
}

impl Journal {
    /// An empty one that goes on counting, so that what still runs does not end another one's request.
    pub fn after(&self) -> Self {
        Self { exchanges: self.exchanges.after(), revision: 0 }
    }

    /// Notes that a request begins; returns its id.
    pub fn begin(&mut self, begin: Begin) -> u64 {
        let Begin { kind, at_ms, method, path, what, delivery, limit_ms, request, plain, order } = begin;
        self.revision = revision::next();
        let revision = self.revision;
        self.exchanges.push(|id| Exchange {
            id,
            kind,
            at_ms,
            elapsed_ms: None,
            method,
            path,
            what,
            state: Progress::Running,
            result: String::new(),
            delivery,
            limit_ms,
            detail: Detail { request, plain, ..Detail::default() },
            order,
            revision,
        })
    }

    /// Notes how a request ended, if it is still there.
    pub fn end(&mut self, id: u64, change: impl FnOnce(&mut Exchange)) {
        let Some(exchange) = self.exchanges.get_mut(id) else { return };
        change(exchange);
        exchange.revision = revision::next();
        self.revision = exchange.revision;
    }

    /// The request with this id, if it is still there.
    pub fn get(&self, id: u64) -> Option<&Exchange> {
        self.exchanges.get(id)
    }

    /// The requests that changed after `revision`, oldest first.
    pub fn since(&self, revision: u64) -> impl Iterator<Item = &Exchange> {
        let changed = self.revision > revision;
        self.exchanges.iter().filter(move |exchange| changed && exchange.revision > revision)
    }
}

impl Exchange {
    /// A command line that makes the same request again.
    pub fn curl(&self) -> String {
        let Sent { url, headers, body } = &self.detail.request;
        let own = ["host", "content-length", "connection", "accept"];
        // Neither is the session; whoever has one puts it into the variable.
        let headers = headers.iter().filter(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()));
        let plain = self.method.bytes().all(|byte| byte.is_ascii_alphabetic());
        let method = if plain { self.method.clone() } else { quoted(&self.method) };
        // The token is not kept; whoever has one puts it into the variable.
        let url = quoted(url).replace("access_token=***", "access_token='\"$ACCESS_TOKEN\"'");
        let mut parts = vec![format!("curl -i -X {method} {url}")];
        let header = |(name, value): &(String, String)| quoted(&format!("{name}: {value}"));
        parts.extend(headers.map(|pair| match pair.0.as_str() {
            "x-wx-session" => "-H \"x-wx-session: $WX_SESSION\"".to_owned(),
            _ => format!("-H {}", header(pair)),
        }));
        if !body.is_empty() {
            // Not `--data-binary`, which would send a file if the body begins with `@`.
            parts.push(format!("--data-raw {}", quoted(body)));
        }
        parts.join(" \\\n  ")
    }
}

/// As one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Characters of a request's name in lists.
const SHORT: usize = 200;

/// The beginning of a text, for lists.
pub fn in_short(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Bytes as far as they are kept; what is no text is only counted.
pub fn kept(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= BODY_KEPT => text.to_owned(),
        Ok(text) => {
            let end = (0..=BODY_KEPT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
            format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len())
        }
        Err(_) => format!("({} bytes, no text)", bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_survives_quotes() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }

    #[test]
    fn long_and_binary_bodies_are_bounded() {
        assert_eq!(kept("你好".as_bytes()), "你好");
        assert!(kept("好".repeat(BODY_KEPT).as_bytes()).ends_with("… (196608 bytes)"));
        assert_eq!(kept(&[0xFF, 0xD8, 0xFF]), "(3 bytes, no text)");
    }
}
