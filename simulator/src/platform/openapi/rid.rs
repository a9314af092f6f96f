//! Request ids: what became of the request at the end of whose `errmsg` one stood.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::ids;
use crate::platform::api::{Call, ok_with, text};
use crate::platform::errcode::Errcode;
use crate::platform::{ApiReply, ApiRequest};
use crate::query;
use crate::secrets::{in_text, is_secret};

const NOT_FOUND: Errcode = Errcode(76001);
const FORM: Errcode = Errcode(76002);
const TOO_OLD: Errcode = Errcode(76004);

/// Requests remembered.
const KEPT: usize = 1000;
/// A request can be asked for seven days long.
const ASKED_MS: u64 = 7 * 86_400_000;
/// Characters remembered of a body.
const BODY: usize = 4096;

/// When a request came and how long its answer took.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    /// Simulated milliseconds since 1970.
    pub at_ms: u64,
    /// Milliseconds.
    pub cost_ms: u64,
}

#[derive(Debug)]
struct Remembered {
    rid: String,
    answered: Answered,
    query: String,
    body: String,
    response: String,
}

/// The newest requests that went wrong.
#[derive(Debug, Default)]
pub struct Rids {
    newest: VecDeque<Remembered>,
}

impl Rids {
    /// Remembers a request whose answer has a request id.
    pub fn remember(&mut self, answered: Answered, request: &ApiRequest, reply: &ApiReply) {
        let ApiReply::Json(body) = reply else { return };
        let errmsg = body.get("errmsg").and_then(Value::as_str).unwrap_or_default();
        let Some((_, rid)) = errmsg.rsplit_once("rid: ") else { return };
        if self.newest.len() == KEPT {
            self.newest.pop_front();
        }
        self.newest.push_back(Remembered {
            rid: rid.to_owned(),
            answered,
            query: shown_query(&request.query),
            body: shown_body(&request.body),
            response: body.to_string(),
        });
    }
}

/// The query, of each secret only its beginning.
fn shown_query(pairs: &[(String, String)]) -> String {
    let shown = pairs.iter().map(|(name, value)| match is_secret(name) {
        true => (name.as_str(), value.chars().take(6).chain("xxxx".chars()).collect()),
        false => (name.as_str(), value.clone()),
    });
    let shown: Vec<_> = shown.collect();
    query::write(&shown.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
}

fn shown_body(body: &[u8]) -> String {
    in_text(&String::from_utf8_lossy(body)).chars().take(BODY).collect()
}

/// `POST /cgi-bin/openapi/rid/get?access_token=…`
pub fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let rid = text(&asked, "rid");
    if !ids::is_rid(rid) {
        return Err(FORM);
    }
    let found = call.state.rids.newest.iter().find(|remembered| remembered.rid == rid).ok_or(NOT_FOUND)?;
    let Answered { at_ms, cost_ms } = found.answered;
    if call.now_ms > at_ms + ASKED_MS {
        return Err(TOO_OLD);
    }
    Ok(ok_with(json!({
        "request": {
            "invoke_time": at_ms / 1000,
            "cost_in_ms": cost_ms,
            "request_url": found.query,
            "request_body": found.body,
            "response_body": found.response,
            // The server listens to this machine only.
            "client_ip": "127.0.0.1",
        },
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown_whole() {
        let pairs = [("access_token", "97_abcdefgh"), ("openid", "o1")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(shown_query(&pairs), "access_token=97_abcxxxx&openid=o1");
        assert_eq!(shown_body(br#"{"appsecret":"s3cret"}"#), r#"{"appsecret":"***"}"#);
        assert_eq!((shown_body(b"").as_str(), shown_body(b"text").as_str()), ("", "text"));
    }
}
