//! `wx api`: every route.

use std::io::{IsTerminal, Write, stdout};

use clap::Args;
use hyper::Method;
use serde_json::Value;

use super::Wx;
use super::document::Document;
use super::menu::in_file;
use super::outgoing::Outgoing;
use super::progress::Progress;
use super::stop::{Ending, Stop};

#[derive(Debug, Args)]
pub struct Raw {
    /// GET, POST, PUT, PATCH or DELETE
    #[arg(value_parser = parse_method)]
    method: Method,
    /// The path; below /admin unless it begins with a slash
    path: String,
    /// JSON; @FILE for that of a file, @- for standard input
    body: Option<String>,
}

fn parse_method(text: &str) -> Result<Method, String> {
    Method::from_bytes(text.to_ascii_uppercase().as_bytes()).map_err(|error| error.to_string())
}

/// As it is asked for: never another host, whatever is typed.
fn path(text: &str) -> Result<String, String> {
    if text.contains("://") && !text.contains('?') {
        return Err(format!("{text}: a path is wanted; the Worker is chosen by --url"));
    }
    let path = if text.starts_with('/') { text.to_owned() } else { format!("/admin/{text}") };
    let whole = path.chars().all(|character| character.is_ascii_graphic()) && !path.contains('#');
    if whole { Ok(path) } else { Err(format!("{text}: is no path; percent-encode what is special in it")) }
}

impl Raw {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let path = path(&self.path).map_err(Stop::Usage)?;
        let document = match self.body.as_deref() {
            None => None,
            Some(body) => Some(match body.strip_prefix('@') {
                Some(file) => Document::read(file)?,
                None => Document::parse("BODY", body.to_owned())?,
            }),
        };
        let content = document
            .as_ref()
            .map(|document| ("application/json".to_owned(), Outgoing::text(document.text.clone())));
        let sent = wx.api.exchange(self.method, &path, content, &mut Progress::quiet()).await;
        let arriving = sent.map_err(|stop| match &document {
            Some(document) => in_file(stop, document),
            None => stop,
        })?;
        let json = arriving.is_json();
        let bytes = arriving.bytes().await?;
        let read: Option<Value> = if json { serde_json::from_slice(&bytes).ok() } else { None };
        match read {
            // For programs byte by byte, for people to read.
            Some(value) if wx.voice.json || stdout().is_terminal() => wx.voice.document(&value),
            None if wx.voice.json && bytes.is_empty() => wx.voice.document(&Value::Null),
            _ => {
                let _ = stdout().write_all(&bytes);
            }
        }
        Ok(Ending::Good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_on_the_worker() {
        assert_eq!(path("menu?x=1").as_deref(), Ok("/admin/menu?x=1"));
        assert_eq!(path("/metrics").as_deref(), Ok("/metrics"));
        for wrong in ["https://example.com/", "a b", "菜单", "a\r\nHost: x", "#"] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
    }
}
