//! Answers by customer-service message.

use std::rc::Rc;

use super::UserObject;
use crate::chat::state::Conversation;
use crate::gateway::send::SendError;
use crate::gateway::token::TokenFailure;
use crate::handlers::call_wechat;
use crate::log::Line;
use crate::platform::{Millis, Platform, Storage, Unreachable};
use crate::wechat::OpenId;
use crate::wechat::api::{self, Reaction, custom};

impl<P: Platform, S: Storage> UserObject<P, S> {
    /// Pushes a job's answer page by page, as far as the quota goes. What WeChat does not take stays unread,
    /// for `/retrieve`.
    pub(super) async fn push(&self, job: u32) -> Result<(), Unreachable> {
        if self.state.borrow().job(job).is_none_or(|job| job.push_to.is_none()) {
            return Ok(());
        }
        let mut next = self.step(|state, now, app| state.first_push(job, now, &app.config.rules.texts))?;
        while let Some(page) = next {
            if let Err(error) = self.send(&custom::send_text(&page.to, &page.text)).await {
                self.platform.log(&Line::warn("push.failed", &error));
                return self.step(|state, now, _| note_refusal(state, job, page.to, &error, now));
            }
            next = self.step(|state, now, app| {
                state.pushed(job, page.end, now);
                state.next_push(job, page.to, now, &app.config.rules.texts)
            })?;
        }
        Ok(())
    }

    /// Shows "对方正在输入…" while the model thinks. Only a nicety: its failure changes nothing.
    pub(super) fn show_typing(self: &Rc<Self>, job: u32) {
        let user = self.state.borrow().job(job).and_then(|job| job.push_to.clone());
        let Some(user) = user else { return };
        let object = Rc::clone(self);
        self.platform.spawn(async move {
            if let Err(error) = object.send(&custom::typing(&user, custom::Typing::Typing)).await {
                object.platform.log(&Line::info("typing.failed", &error));
            }
        });
    }

    async fn send(&self, request: &api::ApiRequest) -> Result<(), SendError> {
        call_wechat(&self.platform, &self.app, request).await.map(drop)
    }
}

/// What a failed customer-service message means for its answer, and for the next ones.
fn note_refusal(state: &mut Conversation, job: u32, to: OpenId, error: &SendError, now: Millis) {
    state.not_pushed(job);
    match error {
        SendError::Token(TokenFailure::Unreachable(_)) => state.push_later(job, to),
        SendError::Token(_) => state.push.refuse(now),
        SendError::Unknown(_) => {}
        SendError::Refused(error) => match api::reaction(error.errcode) {
            Reaction::Drop => state.push.exhaust(),
            // The account may not send, now or ever: the passive ladder serves this user for a while.
            Reaction::Configuration
            | Reaction::AllowIp
            | Reaction::AwaitAdministrator { .. }
            | Reaction::StopForToday
            | Reaction::RefreshToken => state.push.refuse(now),
            _ => {}
        },
    }
}
