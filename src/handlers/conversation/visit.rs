//! Messages that concern a login: their way from the conversation to the login's desk and back.

use std::pin::pin;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};

use super::UserObject;
use crate::chat::turn::{Outcome, REPLY_WINDOW};
use crate::handlers::login::chat::Said;
use crate::log::Line;
use crate::login::words::Word;
use crate::platform::{Delivery, Platform, Storage, Unreachable, Verdict};
use crate::wechat::message::Inbound;

/// One message at the desk, and the deliveries that wait for what is said to it.
pub(super) struct Visit {
    word: Word,
    inbound: Rc<Inbound>,
    may_log_in: bool,
    waiting: Vec<oneshot::Sender<Option<Outcome>>>,
}

impl<P: Platform, S: Storage> UserObject<P, S> {
    /// A delivery of a message that may concern a login.
    ///
    /// 1. messages are served one after the other, so that many guesses at once are still counted one by one
    /// 2. a repeated delivery waits with the first
    /// 3. whoever cannot be told in time lets the delivery run out: the next one finds what was said
    pub(super) async fn visit(
        self: &Rc<Self>,
        word: Word,
        inbound: Rc<Inbound>,
        delivery: &Delivery,
    ) -> Result<Verdict, Unreachable> {
        let (sender, said) = oneshot::channel();
        self.queue(word, &inbound, delivery.may_log_in, sender);
        let left = (delivery.arrived + REPLY_WINDOW).saturating_sub(self.platform.now());
        match select(said, pin!(self.platform.sleep(left))).await {
            Either::Left((Ok(Some(outcome)), _)) => self.settle_delivery(outcome, delivery).await,
            Either::Left((Ok(None), _)) => self.accept(&inbound, delivery).await,
            Either::Left((Err(_), _)) => Err(Unreachable("the login's desk could not serve it".to_owned())),
            Either::Right(_) => Ok(Verdict::RunOut),
        }
    }

    fn queue(
        self: &Rc<Self>,
        word: Word,
        inbound: &Rc<Inbound>,
        may_log_in: bool,
        sender: oneshot::Sender<Option<Outcome>>,
    ) {
        let mut visits = self.visits.borrow_mut();
        if let Some(visit) = visits.iter_mut().find(|visit| visit.inbound.key() == inbound.key()) {
            visit.waiting.push(sender);
            return;
        }
        visits.push_back(Visit { word, inbound: Rc::clone(inbound), may_log_in, waiting: vec![sender] });
        if visits.len() == 1 {
            let object = Rc::clone(self);
            self.platform.spawn(async move { object.serve().await });
        }
    }

    /// Serves all who wait.
    async fn serve(self: Rc<Self>) {
        loop {
            let front = {
                let visits = self.visits.borrow();
                visits.front().map(|visit| (visit.word.clone(), Rc::clone(&visit.inbound), visit.may_log_in))
            };
            let Some((word, inbound, may_log_in)) = front else { return };
            let outcome = self.serve_one(word, &inbound, may_log_in).await;
            let waiting = self.visits.borrow_mut().pop_front().map(|visit| visit.waiting).unwrap_or_default();
            match outcome {
                Ok(outcome) => tell(waiting, outcome),
                // Those who wait are told by the closed channel; WeChat delivers again.
                Err(Unreachable(reason)) => self.platform.log(&Line::error("login.not_served", reason)),
            }
        }
    }

    /// What is said, and that it was said, is stored in one turn; what was no word after all goes to the
    /// conversation.
    async fn serve_one(
        self: &Rc<Self>,
        word: Word,
        inbound: &Inbound,
        may_log_in: bool,
    ) -> Result<Outcome, Unreachable> {
        let said = self.logins.answer(word, &inbound.from, may_log_in).await?;
        let text = match &said {
            Said::NotOurs => None,
            Said::Text(text) => Some(Some(text.as_str())),
            Said::Nothing => Some(None),
        };
        let outcome = match text {
            None => self.decide(inbound)?,
            Some(text) => {
                self.step(|state, now, app| state.replied(inbound, text, now, &app.config.rules))?
            }
        };
        self.start_jobs();
        Ok(outcome)
    }
}

/// The first delivery that is still there takes the outcome; the others are repeats of it.
fn tell(waiting: Vec<oneshot::Sender<Option<Outcome>>>, outcome: Outcome) {
    let mut outcome = Some(outcome);
    for delivery in waiting {
        if let Err(Some(back)) = delivery.send(outcome.take()) {
            outcome = Some(back);
        }
    }
}
