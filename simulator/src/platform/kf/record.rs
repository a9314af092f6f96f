//! What agents and people said to each other.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Obtain_chat_transcript.html>

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::Agents;
use crate::platform::ApiReply;
use crate::platform::api::{Call, number, text};
use crate::platform::errcode::Errcode;

const PARAMETER: Errcode = Errcode(65416);
const TOO_LONG: Errcode = Errcode(65417);

/// The agent sent a message.
const SENT: u32 = 2002;
/// The agent received a message.
const RECEIVED: u32 = 2003;
/// Seconds that one question may span.
const SPAN_S: u64 = 86_400;
/// Records of one answer.
const PAGE: u64 = 10_000;
/// Records kept; the oldest go first.
const KEPT: usize = 10_000;

#[derive(Debug)]
struct Record {
    /// Its number, from 1.
    id: u64,
    worker: String,
    openid: String,
    code: u32,
    at_s: u64,
    text: String,
}

/// The newest records.
#[derive(Debug, Default)]
pub struct Records {
    kept: VecDeque<Record>,
    total: u64,
}

impl Records {
    /// A person's message reached an agent.
    pub fn heard(&mut self, account: &str, openid: &str, said: &str, now_ms: u64) {
        self.add(RECEIVED, account, openid, said, now_ms);
    }

    fn add(&mut self, code: u32, account: &str, openid: &str, text: &str, now_ms: u64) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.total += 1;
        let (worker, openid, text) = (account.to_owned(), openid.to_owned(), text.to_owned());
        self.kept.push_back(Record { id: self.total, worker, openid, code, at_s: now_ms / 1000, text });
    }
}

impl Agents {
    /// A `custom/send` went out in an agent's name.
    pub fn said(&mut self, account: &str, message: &Value, now_ms: u64) {
        let (openid, msgtype) = (text(message, "touser"), text(message, "msgtype"));
        let said = match message.get("text") {
            Some(payload) if msgtype == "text" => text(payload, "content").to_owned(),
            _ => format!("[{msgtype}]"),
        };
        self.records.add(SENT, account, openid, &said, now_ms);
    }
}

/// `POST /customservice/msgrecord/getmsglist?access_token=…`: the records between two times, from a number on.
pub fn list(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let parameter = |name| number(&asked, name).ok_or(PARAMETER);
    let (start, end) = (parameter("starttime")?, parameter("endtime")?);
    let (first, most) = (parameter("msgid")?, parameter("number")?);
    if end <= start || first == 0 || !(1..=PAGE).contains(&most) {
        return Err(PARAMETER);
    }
    if end - start > SPAN_S {
        return Err(TOO_LONG);
    }
    let records = call.state.agents.records.kept.iter();
    let matching = records.filter(|record| record.id >= first && (start..=end).contains(&record.at_s));
    let found: Vec<_> = matching.take(usize::try_from(most).unwrap_or(usize::MAX)).collect();
    let describe = |record: &&Record| {
        json!({
            "openid": record.openid,
            "opercode": record.code,
            "text": record.text,
            "time": record.at_s,
            "worker": record.worker,
        })
    };
    let next = found.last().map_or(first, |record| record.id + 1);
    let shown: Vec<_> = found.iter().map(describe).collect();
    Ok(ApiReply::Json(json!({ "recordlist": shown, "number": shown.len(), "msgid": next })))
}
