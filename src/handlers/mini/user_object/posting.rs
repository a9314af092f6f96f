//! Customer-service messages of the Mini Program: answers, page by page, and short notes.

use std::rc::Rc;

use super::MiniUserObject;
use crate::chat::reading::next_page;
use crate::chat::thread::{Exchange, Pushed, Thread};
use crate::chat::turn::STARTS;
use crate::gateway::send::SendError;
use crate::gateway::token::TokenFailure;
use crate::handlers::mini::user::{Entry, User};
use crate::handlers::{call_mini, metrics};
use crate::log::Line;
use crate::platform::{Millis, Platform, Storage, Tables, Unreachable};
use crate::wechat::OpenId;
use crate::wechat::api::{Reaction, custom, mini, reaction};
use crate::wechat::reply::TEXT_LIMIT;

/// WeChat asked to be left alone: it is, for so long, milliseconds. The alarm that tries again rings later.
const REST: Millis = super::keeping::LOOK_AFTER - 5_000;

/// What is being sent: a page of an answer; a note has number 0.
#[derive(Default)]
pub(super) struct Posted {
    thread: String,
    n: u32,
}

impl Posted {
    /// Whoever it is for was forgotten: whatever becomes of it, nothing of them is noted.
    pub(super) fn forget(&mut self) {
        // No exchange has this name.
        (self.thread, self.n) = (String::new(), 1);
    }

    /// Whether it is of this exchange.
    pub(super) fn is_of(&self, thread: &str, n: u32) -> bool {
        self.n == n && self.thread == thread
    }
}

/// A message that is to be sent.
struct Letter {
    to: OpenId,
    text: String,
    /// Where the page ends in its answer, bytes.
    end: usize,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Taken,
    /// WeChat certainly did not take it, but may in a while.
    Later,
    /// WeChat takes none until they write again.
    Closed,
    /// WeChat did not take it, or nobody knows.
    Lost,
}

impl<P: Platform, S: Storage + Tables> MiniUserObject<P, S> {
    /// Sends what is to be sent, one message after the other, unless that is being done.
    pub(super) fn post(self: &Rc<Self>) {
        if self.posted.borrow().is_some() || self.platform.now() < self.resting.get() {
            return;
        }
        self.posted.replace(Some(Posted::default()));
        let object = Rc::clone(self);
        self.platform.spawn(async move {
            // What cannot be stored is logged; the alarm, or the next question, goes on.
            while let Ok(Some(letter)) = object.next_letter() {
                let fate = object.send(&letter).await;
                if object.sent(letter, fate).is_err() || fate == Fate::Later {
                    break;
                }
            }
            object.posted.take();
        });
    }

    /// Shows "对方正在输入…" while the model thinks. Only a nicety: its failure changes nothing.
    pub(super) fn show_typing(self: &Rc<Self>) {
        let Some(to) = self.correspondent() else { return };
        let object = Rc::clone(self);
        self.platform.spawn(async move {
            let request = mini::typing(&to, custom::Typing::Typing);
            if let Err(error) = call_mini(&object.platform, &object.app, &request).await {
                object.platform.log(&Line::info("typing.failed", &error));
            }
        });
    }

    pub(super) fn correspondent(&self) -> Option<OpenId> {
        self.user.borrow().window.as_ref()?.openid.clone()
    }

    /// The next message: a note, else the next page of the answer of which one was sent last, else of another one. It is
    /// stored as one that waits, so that no crash sends it twice; once WeChat takes it, the rest waits no longer.
    fn next_letter(&self) -> Result<Option<Letter>, Unreachable> {
        let now = self.platform.now();
        loop {
            let mut user = self.snapshot();
            let may = user.push.allows(now);
            if let Some((to, text)) = user.window.as_mut().and_then(|window| window.next_note()) {
                user.push.count();
                self.keep(user, None)?;
                self.posted.replace(Some(Posted::default()));
                if may {
                    return Ok(Some(Letter { to, text, end: 0 }));
                }
                continue;
            }
            let Some((mut thread, n, sent)) = self.outgoing(&user)? else { return Ok(None) };
            let to = self.correspondent().filter(|_| may);
            if to.is_some() {
                user.push.count();
            }
            let letter = to.and_then(|to| self.page(&thread, n, sent, to, &user, now));
            if let Some(pushed) = thread.exchange_mut(n).and_then(|exchange| exchange.push.as_mut()) {
                pushed.waits = true;
            }
            self.keep(user, Some(&thread))?;
            self.posted.replace(Some(Posted { thread: thread.id, n }));
            if letter.is_some() {
                return Ok(letter);
            }
        }
    }

    /// The exchange of which the next page is to be sent, and where that begins.
    fn outgoing(&self, user: &User) -> Result<Option<(Thread, u32, usize)>, Unreachable> {
        let last = self.posted.borrow().as_ref().map(|posted| (posted.thread.clone(), posted.n));
        let (last, last_n) = last.unwrap_or_default();
        let ids = user.threads.iter().filter(|entry| entry.unfinished).map(|entry| &entry.id);
        for id in user.entry(&last).into_iter().map(|entry| &entry.id).chain(ids) {
            let Some(thread) = self.thread(id)? else { continue };
            let goes_out = |exchange: &Exchange| Some((exchange.n, exchange.goes_out()?));
            let all = thread.said.iter().filter_map(goes_out);
            if let Some((n, sent)) = all.min_by_key(|(n, _)| *n != last_n) {
                return Ok(Some((thread, n, sent)));
            }
        }
        Ok(None)
    }

    /// The page that begins at byte `sent` of an answer. The last message that WeChat allows says how to get the rest,
    /// the last page that another answer waits.
    fn page(
        &self,
        thread: &Thread,
        n: u32,
        sent: usize,
        to: OpenId,
        user: &User,
        now: Millis,
    ) -> Option<Letter> {
        let texts = self.typed_texts();
        let answer = thread.exchange(n)?.answer.as_ref()?;
        let page = next_page(&answer.text, sent, &texts);
        let mut text = page.text;
        if page.number < page.of {
            if !user.push.allows(now) {
                text.push_str(&texts.next_page(page.number, page.of));
            }
        } else if text.len() + texts.also_waiting().len() <= TEXT_LIMIT
            && (user.threads.iter().any(|entry: &Entry| entry.waits && entry.id != thread.id)
                || thread.said.iter().any(Exchange::waits))
        {
            text.push_str(&texts.also_waiting());
        }
        Some(Letter { to, text, end: page.end })
    }

    async fn send(&self, letter: &Letter) -> Fate {
        let request = custom::send_text(&letter.to, &letter.text);
        let Err(error) = call_mini(&self.platform, &self.app, &request).await else { return Fate::Taken };
        self.platform.log(&Line::warn("push.failed", &error));
        match &error {
            SendError::Token(TokenFailure::Unreachable(_)) => Fate::Later,
            SendError::Refused(error) => match reaction(error.errcode) {
                Reaction::BackOff | Reaction::Wait { .. } => Fate::Later,
                Reaction::Drop => Fate::Closed,
                _ => Fate::Lost,
            },
            SendError::Token(_) | SendError::Unknown(_) => Fate::Lost,
        }
    }

    /// Stores what became of a message.
    fn sent(&self, letter: Letter, fate: Fate) -> Result<(), Unreachable> {
        let mut user = self.snapshot();
        match fate {
            Fate::Later => {
                self.resting.set(self.platform.now() + REST);
                user.push.uncount();
            }
            Fate::Closed => user.push.exhaust(),
            _ => {}
        }
        let Letter { to, text, end } = letter;
        let (id, n) = match &*self.posted.borrow() {
            Some(posted) => (posted.thread.clone(), posted.n),
            None => return Ok(()),
        };
        if n == 0 {
            if let Some(window) = user.window.as_mut().filter(|_| fate == Fate::Later) {
                window.not_told(to, text);
            }
            return self.keep(user, None);
        }
        let Some(mut thread) = self.thread(&id)? else { return Ok(()) };
        let pushed = thread.exchange_mut(n).and_then(|exchange| exchange.push.as_mut());
        let Some(pushed) = pushed else { return Ok(()) };
        let is_first = pushed.sent == 0;
        match fate {
            Fate::Taken => *pushed = Pushed { sent: end, ..Pushed::default() },
            Fate::Later if pushed.tries < STARTS => {
                *pushed = Pushed { waits: false, tries: pushed.tries + 1, ..*pushed };
            }
            _ => {}
        }
        self.keep(user, Some(&thread))?;
        if is_first && fate == Fate::Taken {
            metrics::count(&self.platform, &self.app, "wxapi_answers_total", &[("rung", "push")]);
        }
        Ok(())
    }
}
