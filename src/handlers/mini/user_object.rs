//! The object of one user of the Mini Program: their sessions, their conversations, and the answers on their way.

mod asking;
mod guard;
mod keeping;
mod kin;
mod posting;
mod records;
mod window;
mod working;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::Value;

use super::call::{Ask, Call, Said};
use super::listening::Running;
use super::user::{User, one_more};
use crate::digest::Digest;
use crate::handlers::{App, understand, write};
use crate::json::{Put, json};
use crate::log::Line;
use crate::login::mini::Holder;
use crate::platform::{Millis, Outlet, Platform, Storage, Tables, Unreachable};
use crate::wechat::{OpenId, Secret};
use posting::Posted;

/// A WebSocket whose session has ended is closed with this code.
/// <https://www.rfc-editor.org/rfc/rfc6455#section-7.4.2>
const NO_SESSION: u16 = 4_401;
/// One that says more at once than anybody needs is closed with this code; the same page.
pub const TOO_BIG: u16 = 1_009;
/// Bytes that somebody may say at once: the longest message, were each character of it written as an escape, has 12,000.
/// Cloudflare lets 32 MiB pass, which as JSON may take more memory than all objects of an isolate have.
/// <https://developers.cloudflare.com/durable-objects/platform/limits/>
pub const WORD: usize = 65_536;
/// Other calls than questions that a user may make in a minute, for each question that they may ask.
const CALLS: usize = 6;

/// One user's object in memory.
pub struct MiniUserObject<P: Platform, S: Storage + Tables> {
    platform: P,
    storage: S,
    app: Rc<App>,
    user: RefCell<User>,
    /// Exchanges at work in this memory.
    running: RefCell<Vec<Running>>,
    /// The customer-service message that is being sent.
    posted: RefCell<Option<Posted>>,
    /// A history is being condensed.
    condensing: Cell<bool>,
    /// WeChat asked to be left alone until then.
    resting: Cell<Millis>,
    /// When calls of the last minute came, other than questions.
    calls: RefCell<Vec<Millis>>,
    /// Whether this life has looked for what an earlier one left unfinished.
    awake: Cell<bool>,
    /// Whether the table of conversations is there.
    prepared: Cell<bool>,
    /// When the alarm is set to ring, as far as this memory knows.
    alarm: Cell<Option<Millis>>,
}

/// Makes the stream that a response is, for whoever wants one.
pub type Opener<'a> = &'a dyn Fn() -> Rc<dyn Outlet>;

/// What becomes of a call.
pub enum Outcome {
    /// An answer, as JSON.
    Said(String),
    /// The stream that was opened.
    Streaming,
}

impl<P: Platform, S: Storage + Tables> MiniUserObject<P, S> {
    /// The object, with what it stored. What an earlier life left unfinished goes on with the next call or alarm.
    pub fn new(platform: P, storage: S, app: Rc<App>) -> Result<Rc<Self>, Unreachable> {
        let user = match storage.load()? {
            None => User::default(),
            Some(json) => match crate::json::from_str(&json) {
                Ok(user) => user,
                Err(_) => {
                    platform.log(&Line::error("mini.unreadable", "the stored user was set aside"));
                    storage.set_aside(&json)?;
                    User::default()
                }
            },
        };
        let (running, posted, condensing, resting, calls, awake, prepared, alarm) = Default::default();
        let user = RefCell::new(user);
        Ok(Rc::new(Self {
            platform,
            storage,
            app,
            user,
            running,
            posted,
            condensing,
            resting,
            calls,
            awake,
            prepared,
            alarm,
        }))
    }

    /// A [`Call`] as JSON. `open` makes the response a stream.
    pub async fn call(self: &Rc<Self>, call: &str, open: Opener<'_>) -> Result<Outcome, Unreachable> {
        self.wake()?;
        let said = match understand(call, "a call to a user's object")? {
            Call::Login { openid, unionid, session_key, digest } => {
                self.login(openid, unionid, &session_key, digest)?
            }
            Call::Window { document } => self.heed(&document)?,
            Call::As { session, ask } => match self.check(&session, &ask)? {
                Some(refusal) => refusal,
                None => match self.serve(&session, ask, open).await? {
                    Some(said) => said,
                    None => return Ok(Outcome::Streaming),
                },
            },
            Call::Kin(call) => self.kin(call)?,
        };
        write(&said).map(Outcome::Said)
    }

    /// The alarm rang: what is too old is deleted, what a dead object left is finished.
    pub fn alarm(self: &Rc<Self>) -> Result<(), Unreachable> {
        self.alarm.set(None);
        self.wake()?;
        let mut user = self.snapshot();
        for thread in user.expire(self.platform.now()) {
            self.delete_thread(&thread)?;
        }
        self.keep(user, None)?;
        self.start_jobs()
    }

    /// Somebody wants a WebSocket. `Err`: why not.
    pub fn admit(&self, session: &str) -> Result<(), Said> {
        let session = Digest::parse(session).ok_or_else(Said::no_session)?;
        let user = self.user.borrow();
        let holder = user.holder.as_ref();
        let known = holder.and_then(|holder| holder.session(&session, self.platform.now()));
        known.map(drop).ok_or_else(Said::no_session)
    }

    /// Somebody says something by the WebSocket that they got with `session`.
    pub fn heard(
        self: &Rc<Self>,
        session: &str,
        text: &str,
        socket: Rc<dyn Outlet>,
    ) -> Result<(), Unreachable> {
        if text.len() > WORD {
            socket.close(TOO_BIG);
            return Ok(());
        }
        self.wake()?;
        let Some(session) = Digest::parse(session).filter(|session| self.admit(session.as_str()).is_ok())
        else {
            socket.close(NO_SESSION);
            return Ok(());
        };
        self.touch(&session)?;
        let body = crate::json::value(text.as_bytes()).unwrap_or_default();
        let name = body.get("message_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let said = match body.get("type").and_then(Value::as_str) {
            Some("chat") => self.chat_by_socket(&body, &name, &socket)?,
            Some("resume") => self.resume_by_socket(&body, &name, &socket)?,
            _ => {
                let refusal = self.count_call(self.platform.now());
                Some(refusal.unwrap_or_else(|| Said::refused(400, "Invalid message")))
            }
        };
        if let Some(said) = said {
            socket.send(&refusal(&said, &name));
        }
        Ok(())
    }

    /// Somebody logged in.
    fn login(
        self: &Rc<Self>,
        openid: OpenId,
        unionid: Option<OpenId>,
        session_key: &str,
        digest: Digest,
    ) -> Result<Said, Unreachable> {
        let now = self.platform.now();
        let before = self.snapshot();
        let mut user = before.clone();
        let holder = user.holder.get_or_insert_with(|| Holder::new(openid, now));
        holder.begin(digest, Secret::new(session_key), unionid, now);
        // Under another unionid they may be another person at the account.
        let known = before.holder.as_ref().and_then(|holder| holder.unionid.as_ref());
        let other = known.is_some() && known != holder.unionid.as_ref();
        if other {
            user.account = None;
        }
        self.keep(user, None)?;
        if other {
            self.part(&before, false);
        }
        self.seek();
        Ok(Said::done())
    }

    /// Why somebody with this session is not served; `None` if they are. Questions are counted elsewhere.
    fn check(&self, session: &Digest, ask: &Ask) -> Result<Option<Said>, Unreachable> {
        let now = self.platform.now();
        if self.admit(session.as_str()).is_err() {
            return Ok(Some(Said::no_session()));
        }
        if !matches!(ask, Ask::Chat { .. })
            && let Some(refusal) = self.count_call(now)
        {
            return Ok(Some(refusal));
        }
        self.touch(session)?;
        Ok(None)
    }

    /// Somebody was here with this session.
    fn touch(&self, session: &Digest) -> Result<(), Unreachable> {
        let mut user = self.snapshot();
        if user.holder.as_mut().is_some_and(|holder| holder.touch(session, self.platform.now())) {
            self.keep(user, None)?;
        }
        Ok(())
    }

    /// A call that is no question; the refusal, if it is one too many.
    fn count_call(&self, now: Millis) -> Option<Said> {
        let limit = self.app.config.rules.rate_limit * CALLS;
        one_more(&mut self.calls.borrow_mut(), limit, now).err().map(Said::slow_down)
    }

    /// Serves somebody; `None` if the response is a stream.
    async fn serve(
        self: &Rc<Self>,
        session: &Digest,
        ask: Ask,
        open: Opener<'_>,
    ) -> Result<Option<Said>, Unreachable> {
        Ok(Some(match ask {
            Ask::Chat { chat, stream } => return self.chat(&chat, stream.then_some(open)).await,
            Ask::Follow { thread, last, message, stream } => {
                let open = stream.then_some(open);
                return self.follow(&thread, last.as_deref(), message.as_deref(), open);
            }
            Ask::List { after, limit } => self.list(after.as_deref(), limit),
            Ask::Show { thread } => self.show(&thread)?,
            Ask::Delete { thread } => self.delete(thread.as_deref())?,
            Ask::Export => return self.export(open).map(|()| None),
            Ask::Forget => self.forget(self.snapshot(), None)?,
            Ask::Logout => self.log_out(session)?,
            Ask::Who => self.who(session),
        }))
    }

    fn log_out(&self, session: &Digest) -> Result<Said, Unreachable> {
        let mut user = self.snapshot();
        if let Some(holder) = &mut user.holder {
            holder.end(session);
        }
        self.keep(user, None)?;
        Ok(Said::done())
    }

    fn who(&self, session: &Digest) -> Said {
        let user = self.user.borrow();
        let holder = user.holder.as_ref();
        let known = holder.and_then(|holder| Some((holder, holder.session(session, self.platform.now())?)));
        match known {
            Some((holder, session)) => Said::ok(json!({
                "openid": holder.openid.as_str(),
                "session_key": session.session_key.expose(),
            })),
            None => Said::no_session(),
        }
    }
}

/// A refusal as a message of a WebSocket; `name` is the client's own for what it said.
fn refusal(said: &Said, name: &str) -> String {
    let mut body = json!({
        "type": "error",
        "status": u64::from(said.status),
        "error": said.body.get("error"),
    });
    if let Some(body) = body.as_object_mut() {
        if let Some(seconds) = said.retry_after {
            body.put("retry_after", json!(seconds));
        }
        if !name.is_empty() {
            body.put("message_id", json!(name));
        }
    }
    crate::json::text(&body)
}
