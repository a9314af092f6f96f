//! From a question to its answer.

use std::rc::Rc;

use super::MiniUserObject;
use crate::chat::history::History;
use crate::chat::live::bounded;
use crate::chat::prompt::{self, ChatMessage};
use crate::chat::state::Question;
use crate::chat::thread::{Exchange, Reply};
use crate::handlers::ask::{self, Progress};
use crate::handlers::tasks::store_at_last;
use crate::handlers::{metrics, senses};
use crate::log::Line;
use crate::platform::{Platform, Storage, Tables, Unreachable};

/// What to do with a question.
enum Plan<'a> {
    /// This was answered lately, to whomever.
    Repeat(String),
    /// No model can help; this is said, in words of ours.
    Say(String),
    /// One of these models is asked this.
    Ask(&'a [String], Vec<ChatMessage>),
}

impl<P: Platform, S: Storage + Tables> MiniUserObject<P, S> {
    /// An exchange from its question to its answer.
    ///
    /// 1. ask, unless an earlier life got the answer already
    /// 2. store the answer, then tell it to those who listen
    /// 3. send it, if it was asked in the customer service's chat
    /// 4. condense what the model is told, if it grew too long
    pub(super) async fn work(self: Rc<Self>, thread: String, n: u32) {
        let finished = self.finish(&thread, n).await;
        // What cannot be stored is logged; the alarm, or the next question, starts the work again.
        if finished.is_err() {
            self.with_running(&thread, n, super::Running::fail);
        }
        self.running.borrow_mut().retain(|running| !(running.n == n && running.thread == thread));
        if finished.is_ok() {
            self.post();
            self.condense(&thread).await;
        }
    }

    async fn finish(&self, thread: &str, n: u32) -> Result<(), Unreachable> {
        let Some(stored) = self.thread(thread)? else { return Ok(()) };
        let Some(exchange) = stored.exchange(n) else { return Ok(()) };
        if exchange.answer.is_none() {
            let history = stored.context(n, &self.app.config.rules.texts);
            let reply = self.answer(exchange, &history, thread).await;
            store_at_last(&self.platform, &|| self.settle(thread, n, &reply)).await?;
            self.with_running(thread, n, |running| match (reply.failed, reply.refused) {
                (true, true) => running.refuse(),
                (true, false) => running.fail(),
                (false, _) => running.settle(&reply.text, reply.tokens),
            });
        }
        Ok(())
    }

    /// The answer to a question: known without a model, or a model's. Without context, it may come from the cache.
    async fn answer(&self, exchange: &Exchange, history: &History, thread: &str) -> Reply {
        let texts = &self.app.config.rules.texts;
        if exchange.is_hopeless() {
            self.platform.log(&Line::error("mini.given_up", "its object died too often"));
            self.count("given_up");
            return self.reply(texts.model_failed(), 0, true);
        }
        if let Some(stopped) = self.stop(&exchange.question).await {
            return stopped;
        }
        let (chain, messages) = match self.plan(&exchange.question, history).await {
            Plan::Repeat(text) => {
                let reply = self.look_at(self.reply(text, 0, false)).await;
                if !reply.failed && !reply.refused {
                    self.count("cached");
                }
                return reply;
            }
            Plan::Say(text) => return self.reply(text, 0, false),
            Plan::Ask(chain, messages) => (chain, messages),
        };
        let ear = |progress: Progress<'_>| {
            self.with_running(thread, exchange.n, |running| match progress {
                Progress::Begins => running.begin(),
                Progress::Wrote(output) => running.write(output),
            });
        };
        // What is to be looked at is not shown while it comes.
        let ear: Option<ask::Ear<'_>> = if self.is_guarded() { None } else { Some(&ear) };
        match ask::ask(&self.platform, &self.app, chain, &messages, ear).await {
            Ok(written) => {
                let reply = self.reply(bounded(&written.text, texts), written.tokens, false);
                let reply = self.look_at(reply).await;
                if reply.failed || reply.refused {
                    return reply;
                }
                self.count("answered");
                if let Question::Text(text) = &exchange.question
                    && history.is_empty()
                {
                    self.app.answers.borrow_mut().put(text, &written.text, self.platform.now());
                }
                reply
            }
            Err(_logged) => {
                self.count("failed");
                self.reply(texts.model_failed(), 0, true)
            }
        }
    }

    /// What to do with a question.
    async fn plan(&self, question: &Question, history: &History) -> Plan<'_> {
        let texts = &self.app.config.rules.texts;
        let model = &self.app.config.model;
        match question {
            Question::Text(text) => {
                let cached = self.app.answers.borrow().get(text, self.platform.now()).map(str::to_owned);
                match cached.filter(|_| history.is_empty()) {
                    Some(answer) => Plan::Repeat(bounded(&answer, texts)),
                    None => Plan::Ask(&model.chain, prompt::question(&model.system_prompt, history, text)),
                }
            }
            Question::Summary if history.is_empty() => Plan::Say(texts.nothing_to_summarise()),
            Question::Summary => Plan::Ask(&model.chain, prompt::summary(texts.lang, history)),
            Question::Picture { url } => match senses::picture(&self.platform, &self.app, url).await {
                Some(messages) => Plan::Ask(model.vision.as_slice(), messages),
                None => {
                    self.count("unseen");
                    Plan::Say(texts.cannot_see())
                }
            },
            Question::Voice { .. } => Plan::Say(texts.cannot_hear()),
        }
    }

    pub(super) fn reply(&self, text: String, tokens: u64, failed: bool) -> Reply {
        Reply { at: self.platform.now(), text, tokens, failed, refused: false }
    }

    /// Counts a question by where its answer came from.
    pub(super) fn count(&self, outcome: &str) {
        metrics::count(&self.platform, &self.app, "wxapi_questions_total", &[("outcome", outcome)]);
    }

    /// Stores an answer, unless the conversation was deleted meanwhile.
    fn settle(&self, thread: &str, n: u32, reply: &Reply) -> Result<(), Unreachable> {
        let Some(mut thread) = self.thread(thread)? else { return Ok(()) };
        if !thread.answered(n, reply.clone()) {
            return Ok(());
        }
        let mut user = self.snapshot();
        if let Some(current) = user.current.as_mut().filter(|current| current.thread == thread.id) {
            current.spoken = current.spoken.max(reply.at);
        }
        self.keep(user, Some(&thread))
    }

    /// Replaces the older half of a long history by the model's summary of it. Should that fail, the oldest turns drop
    /// out in time. One at a time: several answers at once would have the same turns condensed as often.
    pub(super) async fn condense(&self, thread: &str) {
        if !self.condensing.replace(true) {
            self.condense_alone(thread).await;
            self.condensing.set(false);
        }
    }

    async fn condense_alone(&self, thread: &str) {
        let texts = &self.app.config.rules.texts;
        let Ok(Some(stored)) = self.thread(thread) else { return };
        let Some((old, last)) = stored.overflow(texts) else { return };
        let messages = prompt::compaction(&stored.summary, &old);
        let chain = &self.app.config.model.chain;
        let Ok(summary) = ask::ask(&self.platform, &self.app, chain, &messages, None).await else { return };
        // Should it not be stored, the next answer leads here again.
        if let Ok(Some(mut stored)) = self.thread(thread) {
            stored.summarise(last, &summary.text);
            let _ = self.keep(self.snapshot(), Some(&stored));
        }
    }
}
