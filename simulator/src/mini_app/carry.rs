//! Doing what a person does in the Mini Program.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::deed::{Call, Deed, LoginWith};
use super::panel::{Complaint, Message, Panel, Standing, Unfinished};
use super::report::{Outcome, Report};
use super::wire::{self, Answer, Ask, Whole};
use crate::control::{Refused, mini};
use crate::http::Failure;
use crate::platform::mini::open_data::{self, Kind, OpenData};
use crate::platform::mini::session::Purpose;
use crate::query;
use crate::state::{Sim, State};

/// The phone waits so long for an answer; the server says after 55 s that one is still pending.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// Conversations in one list.
const LISTED: u32 = 50;

/// One phone with the Mini Program in it, while something is done there.
pub(super) struct Phone<'a> {
    pub sim: &'a Sim,
    pub openid: String,
    pub report: Report,
    /// When it began, in resets: after another one, nobody remembers this phone.
    epoch: u64,
}

/// Does it, and says what came of it.
///
/// # Errors
/// There is no Mini Program, no server, or the phone is waiting for another answer.
pub async fn carry_out(sim: &Sim, person: &str, deed: Deed) -> Result<Report, Refused> {
    let begun = Instant::now();
    let mut phone = Phone::pick_up(sim, person).await?;
    phone.act(deed).await?;
    phone.report.elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    phone.complain();
    Ok(phone.report.clone())
}

impl<'a> Phone<'a> {
    /// One thing after another happens in a phone: waits until what was begun before is over.
    async fn pick_up(sim: &'a Sim, name: &str) -> Result<Self, Refused> {
        let openid = mini::enter(sim, name)?;
        let until = Instant::now() + PATIENCE;
        let epoch = loop {
            if let Some(epoch) = Self::take(sim, &openid) {
                break epoch;
            }
            let left = until.saturating_duration_since(Instant::now());
            let free = sim.wait_for(left, |state| (!is_busy(state, &openid)).then_some(())).await;
            free.ok_or_else(|| Refused::bad("the phone waits for the server's answer"))?;
        };
        let report = Report { person: name.to_owned(), openid: openid.clone(), ..Report::default() };
        Ok(Self { sim, openid, report, epoch })
    }

    /// The phone is in use from now on; absent if it was.
    fn take(sim: &Sim, openid: &str) -> Option<u64> {
        let mut state = sim.lock();
        let free = !is_busy(&state, openid);
        free.then(|| {
            state.panels.change(openid, |panel| panel.busy = true);
            state.epoch
        })
    }

    async fn act(&mut self, deed: Deed) -> Result<(), Refused> {
        match deed {
            Deed::Login => drop(self.log_in(&LoginWith::default()).await?),
            Deed::LoginWith(with) => drop(self.log_in(&with).await?),
            Deed::Logout => self.log_out().await?,
            Deed::LoseSession => drop(self.panel(|panel| panel.set_session(None))),
            Deed::Say(say) => self.say(say.0).await?,
            Deed::Resume => self.resume().await?,
            Deed::New => drop(self.panel(|panel| panel.show(None, true))),
            Deed::List => self.list().await?,
            Deed::Open(id) => self.open_conversation(&id).await?,
            Deed::Delete(id) => self.delete(Some(&id)).await?,
            Deed::DeleteAll => self.delete(None).await?,
            Deed::Decrypt(kind) => {
                let OpenData { encrypted_data, iv, .. } = self.open_data(kind).await?;
                self.post("/api/wx/decrypt", json!({ "encryptedData": encrypted_data, "iv": iv })).await?;
            }
            Deed::Signature => {
                let OpenData { raw_data, signature, .. } = self.open_data(Kind::UserInfo).await?;
                self.post("/api/wx/signature", json!({ "rawData": raw_data, "signature": signature }))
                    .await?;
            }
            Deed::Phone => {
                let now_ms = self.sim.clock.now_ms();
                let code = self.sim.lock().mini.give_code(Purpose::Phone, &self.openid, false, now_ms);
                self.post("/api/wx/phone", json!({ "code": code })).await?;
            }
            Deed::Call(call) => self.call(call).await?,
        }
        Ok(())
    }

    /// What the phone shows, unless everything was forgotten in the meantime.
    pub fn panel<T>(&self, change: impl FnOnce(&mut Panel) -> T) -> Option<T> {
        let mut state = self.sim.lock();
        (state.epoch == self.epoch).then(|| state.panels.change(&self.openid, change))
    }

    /// Changes one message only.
    pub fn message(&self, id: u64, change: impl FnOnce(&mut Message)) {
        let mut state = self.sim.lock();
        if state.epoch == self.epoch {
            state.panels.change_message(&self.openid, id, change);
        }
    }

    fn session(&self) -> Option<String> {
        self.sim.lock().panels.get(&self.openid)?.session().map(str::to_owned)
    }

    /// 1. Gets a code of WeChat. 2. Gives it to the server. 3. Keeps the session; absent if there is none.
    async fn log_in(&mut self, with: &LoginWith) -> Result<Option<String>, Refused> {
        let now_ms = self.sim.clock.now_ms();
        let code = with.code.clone().unwrap_or_else(|| {
            let mini = &mut self.sim.lock().mini;
            let code = mini.give_code(Purpose::Login, &self.openid, with.risky, now_ms);
            if with.used {
                mini.spend(&code, now_ms);
            }
            code
        });
        let ask = Ask {
            method: "POST",
            path: "/api/auth/wx-login".to_owned(),
            body: Some(json!({ "code": code })),
            what: "login".to_owned(),
            ..Ask::default()
        };
        let Some(whole) = self.whole(wire::call(self.sim, &ask, PATIENCE).await?) else { return Ok(None) };
        let session = whole.json.get("sessionKey").and_then(Value::as_str).filter(|_| whole.status == 200);
        if session.is_none() && whole.status == 200 {
            self.fail(Outcome::Refused, "the answer has no sessionKey");
        }
        let session = session.map(str::to_owned);
        if let Some(session) = session.clone() {
            self.report.logins += 1;
            self.panel(|panel| panel.set_session(Some(session)));
        }
        Ok(session)
    }

    async fn log_out(&mut self) -> Result<(), Refused> {
        let ask = Ask {
            method: "POST",
            path: "/api/auth/logout".to_owned(),
            session: self.session(),
            what: "logout".to_owned(),
            ..Ask::default()
        };
        let whole = self.whole(wire::call(self.sim, &ask, PATIENCE).await?);
        // Without a session, the server has none to end.
        if whole.is_some_and(|whole| whole.status == 200 || whole.status == 401) {
            self.panel(|panel| {
                panel.set_session(None);
                panel.show(None, false);
                panel.conversations = None;
            });
        }
        Ok(())
    }

    /// Sends a request with the session: logs in if there is none, and once more if the server does not know it. Absent
    /// if there is no answer, or no session.
    pub async fn send(&mut self, ask: &Ask) -> Result<Option<Answer<'a>>, Refused> {
        let mut again = true;
        loop {
            let session = match self.session() {
                Some(session) => session,
                None => match self.log_in(&LoginWith::default()).await? {
                    Some(session) => session,
                    None => return Ok(None),
                },
            };
            let ask = Ask { session: Some(session), ..ask.clone() };
            match wire::send(self.sim, &ask, PATIENCE).await? {
                Ok(answer) if answer.status == 401 && again => {
                    again = false;
                    drop(answer.whole().await);
                    self.panel(|panel| panel.set_session(None));
                }
                Ok(answer) => return Ok(Some(answer)),
                Err(failure) => {
                    self.unreachable(&failure);
                    return Ok(None);
                }
            }
        }
    }

    /// The same for an answer that is read whole; absent unless its status is 200 or 202.
    pub async fn ask(&mut self, ask: &Ask) -> Result<Option<Whole>, Refused> {
        let Some(answer) = self.send(ask).await? else { return Ok(None) };
        let whole = answer.whole().await;
        Ok(self.whole(whole).filter(|whole| whole.status < 300))
    }

    /// Notes what an answer says.
    pub fn whole(&mut self, whole: Result<Whole, Failure>) -> Option<Whole> {
        let whole = match whole {
            Ok(whole) => whole,
            Err(failure) => {
                self.unreachable(&failure);
                return None;
            }
        };
        self.report.status = Some(whole.status);
        self.report.answer = whole.json.clone();
        let text = |name: &str| whole.json.get(name).and_then(Value::as_str).map(str::to_owned);
        self.report.conversation_id = text("conversation_id").or(self.report.conversation_id.take());
        self.report.error = None;
        self.report.outcome = Outcome::Done;
        if whole.status >= 300 {
            self.report.retry_after_s = whole.retry_after_s;
            let error = text("error").unwrap_or_else(|| format!("status {}", whole.status));
            self.fail(Outcome::Refused, &error);
        }
        Some(whole)
    }

    fn unreachable(&mut self, failure: &Failure) {
        self.fail(Outcome::Unreachable, &words(failure));
    }

    /// Notes that it went wrong.
    pub fn fail(&mut self, outcome: Outcome, error: &str) {
        self.report.outcome = outcome;
        self.report.error = Some(error.to_owned());
    }

    /// The phone says what went wrong last, if anything did.
    fn complain(&self) {
        let Report { status, error, retry_after_s, .. } = &self.report;
        let at_ms = self.sim.clock.wall_ms();
        let complaint = error.clone().map(|text| Complaint {
            status: status.filter(|_| self.report.outcome != Outcome::Unreachable),
            text,
            retry_after_s: *retry_after_s,
            at_ms,
        });
        self.panel(|panel| panel.complaint = complaint);
    }

    async fn list(&mut self) -> Result<(), Refused> {
        let ask = get(format!("/api/conversations?limit={LISTED}"), "conversations");
        if let Some(whole) = self.ask(&ask).await? {
            let listed = whole.json.get("conversations").and_then(Value::as_array).cloned();
            self.panel(|panel| panel.conversations = Some(listed.unwrap_or_default()));
        }
        Ok(())
    }

    async fn open_conversation(&mut self, id: &str) -> Result<(), Refused> {
        let ask = get(format!("/api/conversations/{}", query::encode(id)), "conversation");
        let Some(whole) = self.ask(&ask).await? else { return Ok(()) };
        let listed = whole.json.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
        let pending = whole.json.get("status").and_then(Value::as_str) == Some("pending");
        let at_ms = self.sim.clock.wall_ms();
        self.report.conversation_id = Some(id.to_owned());
        self.panel(|panel| {
            panel.show(Some(id.to_owned()), false);
            for message in &listed {
                panel.add(read(message));
            }
            if pending {
                let shown = panel.add(Message::new("assistant", "", Standing::Pending, at_ms));
                let conversation_id = Some(id.to_owned());
                panel.set_rest(Some(Unfinished { conversation_id, shown, ..Unfinished::default() }));
            }
        });
        Ok(())
    }

    async fn delete(&mut self, id: Option<&str>) -> Result<(), Refused> {
        let below = id.map(|id| format!("/{}", query::encode(id))).unwrap_or_default();
        let what = "delete".to_owned();
        let ask =
            Ask { method: "DELETE", path: format!("/api/conversations{below}"), what, ..Ask::default() };
        let whole = self.ask(&ask).await?;
        // What is not there any more is deleted, too.
        if whole.is_none() && self.report.status != Some(404) {
            return Ok(());
        }
        self.panel(|panel| {
            let is_it =
                |other: &Value| id.is_none_or(|id| other.get("id").and_then(Value::as_str) == Some(id));
            panel.conversations.iter_mut().for_each(|listed| listed.retain(|other| !is_it(other)));
            if id.is_none() || panel.conversation_id.as_deref() == id {
                panel.show(None, true);
            }
        });
        Ok(())
    }

    /// What `wx.getUserInfo` and its like give; logs in before if that was never done.
    async fn open_data(&mut self, kind: Kind) -> Result<OpenData, Refused> {
        if self.session().is_none() {
            self.log_in(&LoginWith::default()).await?;
        }
        let now_ms = self.sim.clock.now_ms();
        let mut state = self.sim.lock();
        let key = state.mini.session_key(&self.openid, now_ms).map(str::to_owned);
        let key =
            key.ok_or_else(|| Refused::bad("they have no session at WeChat: the server exchanged no code"))?;
        let mini = self.sim.account.mini.as_ref().ok_or_else(|| Refused::bad("MINI_APP_ID is not set"))?;
        let data = open_data::make(&mut state, mini, &self.openid, kind, &key, now_ms);
        data.map_err(|error| Refused::bad(format!("errcode {}", error.0)))
    }

    async fn post(&mut self, path: &str, body: Value) -> Result<(), Refused> {
        let ask = Ask { method: "POST", path: path.to_owned(), body: Some(body), ..Ask::default() };
        self.ask(&ask).await?;
        Ok(())
    }

    async fn call(&mut self, call: Call) -> Result<(), Refused> {
        let method = match call.method.as_deref() {
            Some("GET") => "GET",
            Some("POST") => "POST",
            Some("DELETE") => "DELETE",
            Some(_) => return Err(Refused::bad("method is GET, POST or DELETE")),
            None if call.body.is_some() => "POST",
            None => "GET",
        };
        let ask = Ask { method, path: call.path, body: call.body, ..Ask::default() };
        if let Some(session) = call.session {
            let ask = Ask { session: Some(session), ..ask };
            let answer = wire::call(self.sim, &ask, PATIENCE).await?;
            self.whole(answer);
            return Ok(());
        }
        self.ask(&ask).await?;
        Ok(())
    }
}

fn is_busy(state: &State, openid: &str) -> bool {
    state.panels.get(openid).is_some_and(|panel| panel.busy)
}

/// Whatever happens, the phone does not wait for ever.
impl Drop for Phone<'_> {
    fn drop(&mut self) {
        self.panel(|panel| panel.busy = false);
    }
}

/// A failure in words.
pub(super) fn words(failure: &Failure) -> String {
    match failure {
        Failure::Refused(why) => format!("no connection: {why}"),
        Failure::Cut(why) => why.clone(),
        Failure::Timeout => "no answer in time".to_owned(),
    }
}

pub(super) fn get(path: String, what: &str) -> Ask {
    Ask { method: "GET", path, what: what.to_owned(), ..Ask::default() }
}

/// A message as the server's history has it.
fn read(message: &Value) -> Message {
    let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
    let at_ms = message.get("created_at").and_then(Value::as_u64).unwrap_or_default();
    let source = message.get("source").and_then(Value::as_str).map(str::to_owned);
    let tokens_used = message.get("tokens_used").and_then(Value::as_u64);
    Message { tokens_used, source, ..Message::new(text("role"), text("content"), Standing::Done, at_ms) }
}
