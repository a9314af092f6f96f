//! Sessions between a person and an agent, and who waits for one.
//!
//! <https://developers.weixin.qq.com/doc/service/Customer_Service/Session_control.html>

use serde_json::json;

use super::{Agents, NOT_BOUND};
use crate::platform::api::{Call, announce, ok_with, text};
use crate::platform::errcode::{self, Errcode};
use crate::platform::{ApiReply, done};
use crate::state::State;

const NO_SESSION: Errcode = Errcode(65413);
const TAKEN: Errcode = Errcode(65414);

/// People shown who wait.
const WAITING: usize = 100;

/// One conversation.
#[derive(Debug)]
pub struct Session {
    /// The agent's account.
    pub account: String,
    since_s: u64,
}

impl Agents {
    /// A reply handed the conversation to the agents: who talks to one goes on doing so, others wait until
    /// `kfsession/create` gives them to one.
    pub fn transferred(&mut self, openid: &str, said: &str, now_ms: u64) {
        match self.sessions.get(openid) {
            Some(session) => self.records.heard(&session.account, openid, said, now_ms),
            None => drop(self.waiting.insert(openid.to_owned(), now_ms / 1000)),
        }
    }
}

/// `POST /customservice/kfsession/create?access_token=…`
pub fn create(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let (account, openid) = (text(&asked, "kf_account"), text(&asked, "openid"));
    let Call { state, now_ms, .. } = call;
    state.people.find(openid)?;
    let agents = &mut state.agents;
    agents.find(account)?.worker.as_ref().ok_or(NOT_BOUND)?;
    match agents.sessions.get(openid) {
        Some(session) if session.account == account => return Ok(done()),
        Some(_) => return Err(TAKEN),
        None => {}
    }
    agents.waiting.remove(openid);
    let session = Session { account: account.to_owned(), since_s: *now_ms / 1000 };
    agents.sessions.insert(openid.to_owned(), session);
    announce(state, false, openid, "kf_create_session", json!({ "KfAccount": account }));
    Ok(done())
}

/// `POST /customservice/kfsession/close?access_token=…`
pub fn close(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let (account, openid) = (text(&asked, "kf_account"), text(&asked, "openid"));
    call.state.people.find(openid)?;
    call.state.agents.find(account)?;
    let session = call.state.agents.sessions.get(openid);
    session.filter(|session| session.account == account).ok_or(NO_SESSION)?;
    end(call.state, openid, account);
    Ok(done())
}

/// Ends every session of an agent.
pub fn close_all(state: &mut State, account: &str) {
    let sessions = state.agents.sessions.iter().filter(|(_, session)| session.account == account);
    let openids: Vec<_> = sessions.map(|(openid, _)| openid.clone()).collect();
    for openid in openids {
        end(state, &openid, account);
    }
}

fn end(state: &mut State, openid: &str, account: &str) {
    state.agents.sessions.remove(openid);
    announce(state, false, openid, "kf_close_session", json!({ "KfAccount": account }));
}

/// `GET /customservice/kfsession/getsession?access_token=…&openid=…`
pub fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let openid = call.request.parameter("openid").ok_or(errcode::OPENID_MISSING)?;
    call.state.people.get(openid).ok_or(errcode::OPENID)?;
    let session = call.state.agents.sessions.get(openid);
    let (account, since_s) = session.map_or(("", 0), |session| (session.account.as_str(), session.since_s));
    Ok(ok_with(json!({ "createtime": since_s, "kf_account": account })))
}

/// `GET /customservice/kfsession/getsessionlist?access_token=…&kf_account=…`
pub fn list(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let account = call.request.parameter("kf_account").unwrap_or_default();
    call.state.agents.find(account)?;
    let sessions = call.state.agents.sessions.iter().filter(|(_, session)| session.account == account);
    let describe =
        |(openid, session): (&String, &Session)| json!({ "createtime": session.since_s, "openid": openid });
    Ok(ApiReply::Json(json!({ "sessionlist": sessions.map(describe).collect::<Vec<_>>() })))
}

/// `GET /customservice/kfsession/getwaitcase?access_token=…`: who has waited longest comes first.
pub fn waiting(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let mut waiting: Vec<_> = call.state.agents.waiting.iter().collect();
    waiting.sort_by_key(|(_, since_s)| **since_s);
    let describe = |(openid, since_s): &(&String, &u64)| json!({ "latest_time": since_s, "openid": openid });
    let shown: Vec<_> = waiting.iter().take(WAITING).map(describe).collect();
    Ok(ApiReply::Json(json!({ "count": waiting.len(), "waitcaselist": shown })))
}
