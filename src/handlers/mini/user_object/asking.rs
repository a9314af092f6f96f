//! Saying something, and hearing what is answered.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use serde_json::Value;

use super::{MiniUserObject, Opener};
use crate::chat::state::Question;
use crate::chat::thread::{Exchange, Source, Thread};
use crate::chat::turn::AT_ONCE;
use crate::handlers::mini::call::{Chat, Place, Said};
use crate::handlers::mini::listening::{Event, Listener, News};
use crate::handlers::mini::user::User;
use crate::json::json;
use crate::platform::{Millis, Outlet, Platform, Storage, Tables, Unreachable};

/// So long a request without a stream waits for its answer; `wx.request` gives up after 60 s.
/// <https://developers.weixin.qq.com/miniprogram/dev/reference/configuration/app.html#networkTimeout>
const PATIENCE: Millis = 55_000;
/// A stream in which nothing happens gets a line this often, so that nobody between thinks it dead.
const BEAT: Millis = 15_000;
/// Whoever has too many questions at work may try again after so many seconds.
const BUSY: u64 = 5;
/// A response that is over; of a stream nobody sees it.
pub(super) const OVER: u16 = 1_000;

impl<P: Platform, S: Storage + Tables> MiniUserObject<P, S> {
    /// Somebody says something.
    ///
    /// 1. it counts, whatever it is
    /// 2. what is no message is refused
    /// 3. one that is known by its name joins its answer; if there was none, it is asked again
    /// 4. a new one is stored before anything else happens, and work on it begins
    /// 5. the answer is waited for, or passed on as it comes
    pub(super) async fn chat(
        self: &Rc<Self>,
        body: &Value,
        open: Option<Opener<'_>>,
    ) -> Result<Option<Said>, Unreachable> {
        let (thread, n) = match self.ask(body)? {
            Ok(asked) => asked,
            Err(refusal) => return Ok(Some(refusal)),
        };
        match open {
            Some(open) => self.stream(&thread, n, None, open).map(|()| None),
            None => self.wait(&thread, n).await.map(Some),
        }
    }

    /// The last answer of a conversation, or that to a message by its name: whole, or as it comes.
    pub(super) fn follow(
        self: &Rc<Self>,
        thread: &str,
        last: Option<&str>,
        message: Option<&str>,
        open: Option<Opener<'_>>,
    ) -> Result<Option<Said>, Unreachable> {
        let Some(thread) = self.thread(thread)? else { return Ok(Some(Said::not_found())) };
        let exchange = match message {
            Some(message) => thread.by_key(message),
            None => thread.said.last(),
        };
        let Some(exchange) = exchange else { return Ok(Some(Said::not_found())) };
        let n = asked_for(&thread, last).unwrap_or(exchange.n);
        match open {
            Some(open) => self.stream(&thread.id, n, Some(last.unwrap_or_default()), open).map(|()| None),
            None => Ok(Some(said(&thread, n))),
        }
    }

    /// Something said by a WebSocket; the refusal, if it is one.
    pub(super) fn chat_by_socket(
        self: &Rc<Self>,
        body: &Value,
        name: &str,
        socket: &Rc<dyn Outlet>,
    ) -> Result<Option<Said>, Unreachable> {
        let (thread, n) = match self.ask(body)? {
            Ok(asked) => asked,
            Err(refusal) => return Ok(Some(refusal)),
        };
        self.listen(&thread, n, None, by_socket(socket, name))?;
        Ok(None)
    }

    /// Somebody comes back by a WebSocket; the refusal, if it is one.
    pub(super) fn resume_by_socket(
        self: &Rc<Self>,
        body: &Value,
        name: &str,
        socket: &Rc<dyn Outlet>,
    ) -> Result<Option<Said>, Unreachable> {
        if let Some(refusal) = self.count_call(self.platform.now()) {
            return Ok(Some(refusal));
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let thread = self.thread(text("conversation_id"))?;
        let Some((thread, exchange)) = thread.as_ref().and_then(|thread| Some((thread, thread.said.last()?)))
        else {
            return Ok(Some(Said::not_found()));
        };
        let last = text("last_event_id");
        let n = asked_for(thread, Some(last)).unwrap_or(exchange.n);
        self.listen(&thread.id, n, Some(last), by_socket(socket, name))?;
        Ok(None)
    }

    /// A new question, stored; or the one with the same name, which is asked again only if it could not be answered.
    /// Where it is: conversation and number.
    fn ask(self: &Rc<Self>, body: &Value) -> Result<Result<(String, u32), Said>, Unreachable> {
        let now = self.platform.now();
        let rules = &self.app.config.rules;
        let mut user = self.snapshot();
        if let Err(seconds) = user.may_ask(rules.rate_limit, now) {
            return Ok(Err(Said::slow_down(seconds)));
        }
        // That it counts is stored with the next thing that is.
        self.user.borrow_mut().asked.clone_from(&user.asked);
        let chat = match Chat::read(body) {
            Ok(chat) => chat,
            Err(fault) => return Ok(Err(Said::refused(400, fault))),
        };
        let (mut thread, again) = match self.known(&chat)? {
            Some((mut thread, n)) => match thread.ask_again(n, now) {
                true => (thread, Some(n)),
                false => return Ok(Ok((thread.id, n))),
            },
            None => match self.place(&chat.place, &user, now)? {
                Some(thread) => (thread, None),
                None => return Ok(Err(Said::not_found())),
            },
        };
        if self.running.borrow().len() >= AT_ONCE {
            return Ok(Err(Said::slow_down(BUSY)));
        }
        let n = again.unwrap_or_else(|| {
            thread.ask(Question::Text(chat.message), &chat.key, Source::App, now, &rules.texts)
        });
        user.speak_in(&thread.id, false, now);
        self.keep(user, Some(&thread))?;
        self.start_jobs()?;
        Ok(Ok((thread.id, n)))
    }

    /// The exchange of a message that came before, by the client's own name for it. A new conversation's id may never
    /// have reached the client, so all are looked at.
    fn known(&self, chat: &Chat) -> Result<Option<(Thread, u32)>, Unreachable> {
        if chat.key.is_empty() {
            return Ok(None);
        }
        match &chat.place {
            Place::Thread(id) => self.among(vec![id.clone()], &chat.key),
            Place::Any | Place::New => self.anywhere(&chat.key),
        }
    }

    /// The exchange of a message in any conversation. The database looks for it, so that few are read.
    pub(super) fn anywhere(&self, key: &str) -> Result<Option<(Thread, u32)>, Unreachable> {
        let written = ["\"key\":", &crate::json::text(&json!(key))].concat();
        let rows = self.run("SELECT id FROM thread WHERE instr(document, ?) > 0", &[json!(written)])?;
        let id = |row: &Value| row.get("id").and_then(Value::as_str).map(str::to_owned);
        self.among(rows.iter().filter_map(id).collect(), key)
    }

    fn among(&self, threads: Vec<String>, key: &str) -> Result<Option<(Thread, u32)>, Unreachable> {
        for id in threads {
            let Some(thread) = self.thread(&id)? else { continue };
            if let Some(n) = thread.by_key(key).map(|exchange| exchange.n) {
                return Ok(Some((thread, n)));
            }
        }
        Ok(None)
    }

    /// The conversation in which something is said; `None` if it is not theirs.
    fn place(&self, place: &Place, user: &User, now: Millis) -> Result<Option<Thread>, Unreachable> {
        let current = user.current(now, self.app.config.rules.timeout).filter(|current| current.outside);
        let id = match (place, current) {
            (Place::Thread(id), _) => return self.thread(id),
            (Place::Any, Some(current)) => self.thread(&current.thread)?,
            _ => None,
        };
        Ok(Some(id.unwrap_or_else(|| self.new_thread(now))))
    }

    pub(super) fn new_thread(&self, now: Millis) -> Thread {
        Thread::new(hex::encode(self.platform.random()), now)
    }

    /// Waits until the answer is there, or patience ends.
    async fn wait(&self, thread: &str, n: u32) -> Result<Said, Unreachable> {
        let (sender, over) = oneshot::channel::<()>();
        let sender = RefCell::new(Some(sender));
        let listener: Listener = Box::new(move |news| match news {
            News::Event(event) if event.is_last() => {
                // Dropped, it says the same.
                drop(sender.borrow_mut().take());
                false
            }
            _ => !sender.borrow().as_ref().is_none_or(oneshot::Sender::is_canceled),
        });
        self.listen_only(thread, n, None, listener)?;
        if let Either::Right(_) = select(over, pin!(self.platform.sleep(PATIENCE))).await {
            return Ok(pending(thread));
        }
        Ok(self.thread(thread)?.map_or_else(Said::not_found, |thread| said(&thread, n)))
    }

    /// Passes an answer on as it comes.
    fn stream(
        self: &Rc<Self>,
        thread: &str,
        n: u32,
        last: Option<&str>,
        open: Opener<'_>,
    ) -> Result<(), Unreachable> {
        let outlet = open();
        let listener: Listener = Box::new(move |news| match news {
            News::Nothing => outlet.send(":\n\n"),
            News::Event(event) => {
                let here = outlet.send(&event.to_sse());
                if event.is_last() {
                    outlet.close(OVER);
                }
                here && !event.is_last()
            }
        });
        self.listen(thread, n, last, listener)
    }

    /// Listens, and sees to it that something is heard from time to time.
    fn listen(
        self: &Rc<Self>,
        thread: &str,
        n: u32,
        last: Option<&str>,
        listener: Listener,
    ) -> Result<(), Unreachable> {
        self.listen_only(thread, n, last, listener)?;
        let needs = |running: &mut super::Running| running.needs_beat();
        let Some(Some(mut over)) = self.with_running(thread, n, needs) else { return Ok(()) };
        let (object, thread) = (Rc::clone(self), thread.to_owned());
        self.platform.spawn(async move {
            while let Either::Right(_) = select(&mut over, pin!(object.platform.sleep(BEAT))).await {
                object.with_running(&thread, n, super::Running::beat);
            }
        });
        Ok(())
    }

    /// A listener hears what comes of an answer that is on its way, or how it ended.
    fn listen_only(
        &self,
        thread: &str,
        n: u32,
        last: Option<&str>,
        listener: Listener,
    ) -> Result<(), Unreachable> {
        let mut listener = Some(listener);
        let stored = self.thread(thread)?;
        let exchange = stored.as_ref().and_then(|thread| thread.exchange(n));
        let answer = exchange.and_then(|exchange| exchange.answer.as_ref());
        if exchange.is_some() && answer.is_none() {
            self.with_running(thread, n, |running| {
                listener.take().into_iter().for_each(|listener| running.listen(listener, last));
            });
        }
        if let Some(listener) = listener {
            let event = match answer {
                Some(answer) if !answer.failed => Event::done(end(n), thread, &answer.text, answer.tokens),
                Some(answer) if answer.refused => Event::refused(end(n), thread),
                _ => Event::failed(end(n), thread),
            };
            listener(&News::Event(&event));
        }
        Ok(())
    }

    /// Does something with an answer that is on its way; `None` if it is not.
    pub(super) fn with_running<T>(
        &self,
        thread: &str,
        n: u32,
        act: impl FnOnce(&mut super::Running) -> T,
    ) -> Option<T> {
        let mut all = self.running.borrow_mut();
        all.iter_mut().find(|running| running.n == n && running.thread == thread).map(act)
    }
}

/// The id of the event that says how an exchange ended.
fn end(n: u32) -> String {
    [&n.to_string(), ".end"].concat()
}

/// The exchange to which an event belongs.
fn asked_for(thread: &Thread, last: Option<&str>) -> Option<u32> {
    let n = last?.split('.').next()?.parse().ok()?;
    thread.exchange(n).map(|exchange| exchange.n)
}

/// Events as messages of a WebSocket; `name` is the client's own for what it said.
fn by_socket(socket: &Rc<dyn Outlet>, name: &str) -> Listener {
    let (socket, name) = (Rc::clone(socket), name.to_owned());
    Box::new(move |news| match news {
        News::Nothing => true,
        News::Event(event) => socket.send(&event.to_message(&name)) && !event.is_last(),
    })
}

fn pending(thread: &str) -> Said {
    Said { status: 202, ..Said::ok(json!({ "status": "pending", "conversation_id": thread })) }
}

/// How an exchange stands, as the API says it.
fn said(thread: &Thread, n: u32) -> Said {
    match thread.exchange(n).map(|Exchange { answer, .. }| answer) {
        None => Said::not_found(),
        Some(None) => pending(&thread.id),
        Some(Some(answer)) if answer.failed && answer.refused => Said::not_allowed(),
        Some(Some(answer)) if answer.failed => Said::unavailable(),
        Some(Some(answer)) => Said::ok(json!({
            "reply": answer.text,
            "conversation_id": thread.id,
            "tokens_used": answer.tokens,
        })),
    }
}
