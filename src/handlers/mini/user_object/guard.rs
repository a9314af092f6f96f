//! The guard (`MSG_SEC_CHECK=on`): WeChat looks at every question before a model does, and at every answer before anybody
//! does. What nobody could look at is not let through.
//!
//! Answers from the cache are looked at as well: the account's chat, which has no guard, fills the same cache, and a look
//! costs less than to keep what was looked at. `review` lets a text pass: it asks for somebody to look at what many will
//! see, and nobody but the one who asked sees this. The log tells of it.
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_msgseccheck.html>

use super::MiniUserObject;
use crate::chat::state::Question;
use crate::chat::thread::Reply;
use crate::gateway::send::SendError;
use crate::handlers::mini::services::{CHAT, verdict};
use crate::log::Line;
use crate::platform::{Millis, Platform, Storage, Tables};
use crate::wechat::api::Reaction;
use crate::wechat::api::mini::Suggest;

/// WeChat is asked again after these pauses, if it was busy or not there.
const AGAIN: [Millis; 2] = [1_000, 2_000];

impl<P: Platform, S: Storage + Tables> MiniUserObject<P, S> {
    /// Whether there is a guard.
    pub(super) fn is_guarded(&self) -> bool {
        self.app.config.mini.as_ref().is_some_and(|mini| mini.check_text)
    }

    /// What is said to a question that is not let through; `None` if it is. Pictures are not looked at, but what is said
    /// about them is.
    pub(super) async fn stop(&self, question: &Question) -> Option<Reply> {
        let Question::Text(text) = question else { return None };
        match self.lets_through("question", text).await {
            Some(true) => None,
            Some(false) => Some(Reply { failed: true, ..self.refusal(0) }),
            None => Some(self.unchecked(0)),
        }
    }

    /// An answer, or what is said in its place.
    pub(super) async fn look_at(&self, reply: Reply) -> Reply {
        match self.lets_through("answer", &reply.text).await {
            Some(true) => reply,
            Some(false) => self.refusal(reply.tokens),
            None => self.unchecked(reply.tokens),
        }
    }

    fn refusal(&self, tokens: u64) -> Reply {
        self.count("refused");
        let text = self.app.config.rules.texts.not_allowed();
        Reply { refused: true, ..self.reply(text, tokens, false) }
    }

    fn unchecked(&self, tokens: u64) -> Reply {
        self.count("failed");
        self.reply(self.app.config.rules.texts.model_failed(), tokens, true)
    }

    /// Whether a text is let through; `what` it is, for the log. `None`: nobody knows.
    async fn lets_through(&self, what: &str, text: &str) -> Option<bool> {
        if !self.is_guarded() {
            return Some(true);
        }
        // Whoever only ever wrote to the customer service is known by that; whoever is not known was forgotten meanwhile.
        let holder = self.user.borrow().holder.as_ref().map(|holder| holder.openid.clone());
        let openid = holder.or_else(|| self.correspondent())?;
        let mut pauses = AGAIN.iter();
        let verdict = loop {
            match verdict(&self.platform, &self.app, &openid, CHAT, text).await {
                Ok(verdict) => break verdict,
                Err(error) => match pauses.next().filter(|_| may_pass(&error)) {
                    Some(pause) => self.platform.sleep(*pause).await,
                    None => {
                        self.platform.log(&Line::error("mini.unchecked", format_args!("{what}: {error}")));
                        return None;
                    }
                },
            }
        };
        let event = match verdict.suggest {
            Suggest::Pass => return Some(true),
            Suggest::Review => Line::info("mini.review", format_args!("{what}: label {}", verdict.label)),
            Suggest::Risky => Line::warn("mini.risky", format_args!("{what}: label {}", verdict.label)),
        };
        self.platform.log(&event);
        Some(verdict.suggest != Suggest::Risky)
    }
}

/// Whether it may go better in a second.
fn may_pass(error: &SendError) -> bool {
    match error {
        SendError::Token(failure) => failure.is_passing(),
        SendError::Unknown(_) => true,
        SendError::Refused(error) => error.reaction() == Reaction::BackOff,
    }
}
