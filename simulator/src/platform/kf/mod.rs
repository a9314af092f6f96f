//! Customer-service agents; their sessions and records are beside.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html>

mod record;
mod session;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::account_type::Right;
use super::api::{Api, Call, text, with_optional};
use super::errcode::{self, Errcode};
use super::{ApiReply, Kind, done};
use crate::multipart;
use crate::sniff;

use record::Records;
use session::Session;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/customservice/kfaccount/add", Right::CustomerService, add),
    Api::post("/customservice/kfaccount/update", Right::CustomerService, update),
    Api::either("/customservice/kfaccount/del", Right::CustomerService, delete),
    Api::post("/customservice/kfaccount/inviteworker", Right::CustomerService, invite),
    Api::post("/customservice/kfaccount/uploadheadimg", Right::CustomerService, upload_picture),
    Api::get("/cgi-bin/customservice/getkflist", Right::CustomerService, agents),
    Api::get("/cgi-bin/customservice/getonlinekflist", Right::CustomerService, online),
    Api::post("/customservice/kfsession/create", Right::CustomerService, session::create),
    Api::post("/customservice/kfsession/close", Right::CustomerService, session::close),
    Api::get("/customservice/kfsession/getsession", Right::CustomerService, session::get),
    Api::get("/customservice/kfsession/getsessionlist", Right::CustomerService, session::list),
    Api::get("/customservice/kfsession/getwaitcase", Right::CustomerService, session::waiting),
    Api::post("/customservice/msgrecord/getmsglist", Right::CustomerService, record::list),
];

/// `custom/send` names an agent in a wrong form.
const PARAMETER: Errcode = Errcode(61451);
/// `custom/send` names no agent of the account.
const SPEAKER: Errcode = Errcode(61452);
const UNKNOWN: Errcode = Errcode(65401);
const NOT_BOUND: Errcode = Errcode(65402);
const NICKNAME: Errcode = Errcode(65403);
const ACCOUNT_FORM: Errcode = Errcode(65404);
const TOO_MANY: Errcode = Errcode(65405);
const EXISTS: Errcode = Errcode(65406);
const WORKER_ALREADY: Errcode = Errcode(65407);
const WECHAT_ID: Errcode = Errcode(65409);
const BOUND_ALREADY: Errcode = Errcode(65412);

/// Agents of an account.
const AGENTS: usize = 100;
/// Characters of a nickname.
const NICKNAME_CHARACTERS: usize = 16;
/// Characters before the `@` of an agent's account, and behind it.
const PREFIX: usize = 10;
const SUFFIX: usize = 30;
/// Agents are numbered from here.
const FIRST_ID: usize = 1001;

/// One agent.
#[derive(Debug)]
struct Agent {
    id: usize,
    account: String,
    nickname: String,
    /// Where their picture is.
    picture: String,
    /// The WeChat id of who works as this agent. They are online all the time.
    worker: Option<String>,
}

/// The agents, whom they talk to, who waits for them, and what was said.
#[derive(Debug, Default)]
pub struct Agents {
    agents: Vec<Agent>,
    hired: usize,
    sessions: BTreeMap<String, Session>,
    /// Since when somebody waits, in seconds since 1970, by openid.
    waiting: BTreeMap<String, u64>,
    records: Records,
}

impl Agents {
    fn hire(&mut self, account: &str, nickname: &str) -> Result<(), Errcode> {
        if !is_account(account) {
            return Err(ACCOUNT_FORM);
        }
        check_nickname(nickname)?;
        if self.find(account).is_ok() {
            return Err(EXISTS);
        }
        if self.agents.len() >= AGENTS {
            return Err(TOO_MANY);
        }
        let id = FIRST_ID + self.hired;
        self.hired += 1;
        let (account, nickname) = (account.to_owned(), nickname.to_owned());
        self.agents.push(Agent { id, account, nickname, picture: String::new(), worker: None });
        Ok(())
    }

    fn find(&self, account: &str) -> Result<&Agent, Errcode> {
        self.agents.iter().find(|agent| agent.account == account).ok_or(UNKNOWN)
    }

    fn find_mut(&mut self, account: &str) -> Result<&mut Agent, Errcode> {
        self.agents.iter_mut().find(|agent| agent.account == account).ok_or(UNKNOWN)
    }

    fn bind(&mut self, account: &str, worker: &str) -> Result<(), Errcode> {
        let form = worker.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if self.find(account)?.worker.is_some() {
            return Err(BOUND_ALREADY);
        }
        if worker.is_empty() || !form {
            return Err(WECHAT_ID);
        }
        if self.agents.iter().any(|agent| agent.worker.as_deref() == Some(worker)) {
            return Err(WORKER_ALREADY);
        }
        self.find_mut(account)?.worker = Some(worker.to_owned());
        Ok(())
    }

    /// The agent in whose name a `custom/send` is to arrive.
    ///
    /// # Errors
    /// 61451 if `customservice` has no `kf_account`, 61452 if nobody has it.
    pub fn speaker(&self, message: &Value) -> Result<Option<String>, Errcode> {
        let Some(named) = message.get("customservice") else { return Ok(None) };
        let account = named.get("kf_account").and_then(Value::as_str).ok_or(PARAMETER)?;
        self.find(account).map_or(Err(SPEAKER), |agent| Ok(Some(agent.account.clone())))
    }
}

/// `name@account`: 1 to 10 letters, digits and underscores before the `@`, 1 to 30 characters behind.
fn is_account(text: &str) -> bool {
    let Some((prefix, suffix)) = text.split_once('@') else { return false };
    let word = prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word && (1..=PREFIX).contains(&prefix.len()) && (1..=SUFFIX).contains(&suffix.len())
}

fn check_nickname(nickname: &str) -> Result<(), Errcode> {
    if (1..=NICKNAME_CHARACTERS).contains(&nickname.chars().count()) { Ok(()) } else { Err(NICKNAME) }
}

/// `POST /customservice/kfaccount/add?access_token=…`
fn add(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    call.state.agents.hire(text(&asked, "kf_account"), text(&asked, "nickname"))?;
    Ok(done())
}

/// `POST /customservice/kfaccount/update?access_token=…`
fn update(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let agent = call.state.agents.find_mut(text(&asked, "kf_account"))?;
    let nickname = text(&asked, "nickname");
    check_nickname(nickname)?;
    nickname.clone_into(&mut agent.nickname);
    Ok(done())
}

/// `POST /customservice/kfaccount/del?access_token=…`, once a `GET` with `kf_account` in the query: the agent's
/// sessions end.
fn delete(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let account = match call.request.parameter("kf_account") {
        Some(account) => account.to_owned(),
        None => text(&call.json()?, "kf_account").to_owned(),
    };
    call.state.agents.find(&account)?;
    session::close_all(call.state, &account);
    call.state.agents.agents.retain(|agent| agent.account != account);
    Ok(done())
}

/// `POST /customservice/kfaccount/inviteworker?access_token=…`: the invited accept at once.
fn invite(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    call.state.agents.bind(text(&asked, "kf_account"), text(&asked, "invite_wx"))?;
    Ok(done())
}

/// `POST /customservice/kfaccount/uploadheadimg?access_token=…&kf_account=…`: a form with one file.
fn upload_picture(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let account = call.request.parameter("kf_account").unwrap_or_default();
    call.state.agents.find(account)?;
    let parts = multipart::parse(&call.request.content_type, &call.request.body).ok_or(errcode::NO_FILE)?;
    let file =
        parts.first().map(|part| part.content).filter(|file| !file.is_empty()).ok_or(errcode::NO_FILE)?;
    if !matches!(sniff::file_type(file).extension, "jpg" | "png") {
        return Err(errcode::FILE_SUFFIX);
    }
    let id = call.state.media.add(Kind::Image, file.to_vec().into(), call.now_ms);
    let picture = format!("{}/_sim/pic/{id}", call.state.base_url);
    call.state.agents.find_mut(account)?.picture = picture;
    Ok(done())
}

/// `GET /cgi-bin/customservice/getkflist?access_token=…`
fn agents(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let describe = |agent: &Agent| {
        let about = json!({
            "kf_account": agent.account,
            "kf_headimgurl": agent.picture,
            "kf_id": agent.id.to_string(),
            "kf_nick": agent.nickname,
        });
        with_optional(about, "kf_wx", agent.worker.as_deref())
    };
    let agents: Vec<_> = call.state.agents.agents.iter().map(describe).collect();
    Ok(ApiReply::Json(json!({ "kf_list": agents })))
}

/// `GET /cgi-bin/customservice/getonlinekflist?access_token=…`
fn online(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let all = &call.state.agents;
    let describe = |agent: &Agent| {
        json!({
            "kf_account": agent.account,
            "status": 1,
            "kf_id": agent.id.to_string(),
            "accepted_case": all.sessions.values().filter(|session| session.account == agent.account).count(),
        })
    };
    let online: Vec<_> = all.agents.iter().filter(|agent| agent.worker.is_some()).map(describe).collect();
    Ok(ApiReply::Json(json!({ "kf_online_list": online })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_may_be_called() {
        for good in ["test1@test", "a_1@gh_0a81e05b394e", "0123456789@x"] {
            assert!(is_account(good), "{good}");
        }
        for bad in [
            "",
            "test",
            "@test",
            "test@",
            "01234567890@x",
            "客服@x",
            "a-b@x",
            &format!("a@{}", "x".repeat(31)),
        ] {
            assert!(!is_account(bad), "{bad}");
        }
        let mut agents = Agents::default();
        assert_eq!(agents.hire("a@x", ""), Err(NICKNAME));
        assert_eq!(agents.hire("a@x", &"名".repeat(17)), Err(NICKNAME));
        assert_eq!(agents.hire("a@x", &"名".repeat(16)), Ok(()));
        assert_eq!(agents.hire("a@x", "又"), Err(EXISTS));
    }

    #[test]
    fn an_account_has_a_hundred_agents() {
        let mut agents = Agents::default();
        for n in 0..100 {
            agents.hire(&format!("a{n}@x"), "客服").unwrap();
        }
        assert_eq!(agents.hire("more@x", "客服"), Err(TOO_MANY));
    }

    #[test]
    fn each_agent_has_a_worker_of_their_own() {
        let mut agents = Agents::default();
        agents.hire("a@x", "甲").unwrap();
        agents.hire("b@x", "乙").unwrap();
        assert_eq!(agents.bind("c@x", "w1"), Err(UNKNOWN));
        assert_eq!(agents.bind("a@x", ""), Err(WECHAT_ID));
        assert_eq!(agents.bind("a@x", "w1"), Ok(()));
        assert_eq!(agents.bind("a@x", "w2"), Err(BOUND_ALREADY));
        assert_eq!(agents.bind("b@x", "w1"), Err(WORKER_ALREADY));
    }
}
