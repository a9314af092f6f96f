//! From a question to its answer: the cache, the senses, the models.

use super::UserObject;
use crate::chat::prompt::{self, ChatMessage};
use crate::chat::state::Question;
use crate::chat::turn::STARTS;
use crate::handlers::{ask, senses};
use crate::log::Line;
use crate::platform::{Platform, Storage};

impl<P: Platform, S: Storage> UserObject<P, S> {
    /// The question of a job that has no answer yet; `Err` if objects keep dying of it.
    pub(super) fn question(&self, job: u32) -> Option<Result<Question, TooManyStarts>> {
        let state = self.state.borrow();
        let job = state.running().find(|running| running.id == job)?;
        Some(job.question.clone().filter(|_| job.starts <= STARTS).ok_or(TooManyStarts))
    }

    /// The answer to a question, and what the history should remember as the question.
    pub(super) async fn answer(&self, question: Result<Question, TooManyStarts>) -> (String, Option<String>) {
        let texts = &self.app.config.rules.texts;
        let model = &self.app.config.model;
        match question {
            Err(TooManyStarts) => {
                self.platform.log(&Line::error("job.given_up", "its object died too often"));
                self.count_question("given_up");
                (texts.model_failed(), None)
            }
            Ok(Question::Text(text)) => self.answer_text(text).await,
            Ok(Question::Voice { media_id, format }) => {
                match senses::hear(&self.platform, &self.app, &media_id, &format).await {
                    Some(words) => self.answer_text(words).await,
                    None => {
                        self.count_question("unheard");
                        (texts.cannot_hear(), None)
                    }
                }
            }
            Ok(Question::Picture { url }) => match senses::picture(&self.platform, &self.app, &url).await {
                Some(messages) => {
                    self.ask(model.vision.as_slice(), &messages, Some(texts.picture().to_owned())).await
                }
                None => {
                    self.count_question("unseen");
                    (texts.cannot_see(), None)
                }
            },
            Ok(Question::Summary) => {
                let history = self.recalled().await;
                if history.is_empty() {
                    return (texts.nothing_to_summarise(), None);
                }
                self.ask(&model.chain, &prompt::summary(texts.lang, &history), None).await
            }
        }
    }

    /// A typed question. Without context, the answer may come from the cache.
    async fn answer_text(&self, text: String) -> (String, Option<String>) {
        let model = &self.app.config.model;
        let history = self.recalled().await;
        let messages = prompt::question(&model.system_prompt, &history, &text);
        let context_free = history.is_empty();
        if context_free && let Some(answer) = self.app.answers.borrow().get(&text, self.platform.now()) {
            self.count_question("cached");
            return (answer.to_owned(), Some(text));
        }
        let (answer, turn) = self.ask(&model.chain, &messages, Some(text)).await;
        if context_free && let Some(question) = &turn {
            self.app.answers.borrow_mut().put(question, &answer, self.platform.now());
        }
        (answer, turn)
    }

    /// Asks the models; their failure is a graceful answer that the history does not remember.
    async fn ask(
        &self,
        chain: &[String],
        messages: &[ChatMessage],
        turn: Option<String>,
    ) -> (String, Option<String>) {
        match ask::ask(&self.platform, &self.app, chain, messages, None).await {
            Ok(answer) => {
                self.count_question("answered");
                (answer.text, turn)
            }
            Err(_logged) => {
                self.count_question("failed");
                (self.app.config.rules.texts.model_failed(), None)
            }
        }
    }

    /// Replaces the older half of a long history by the model's summary of it. Should that fail, the oldest
    /// turns drop out in time; so they do if this history is only a fall-back.
    pub(super) async fn condense(&self) {
        if self.home().is_some() {
            return;
        }
        let (messages, old) = {
            let history = &self.state.borrow().history;
            let Some(old) = history.overflow() else { return };
            (prompt::compaction(&history.summary, old), old.to_vec())
        };
        if let Ok(summary) =
            ask::ask(&self.platform, &self.app, &self.app.config.model.chain, &messages, None).await
        {
            // Should it not be stored, the next answer leads here again.
            let _ = self.step(|state, _, _| state.history.summarise(&old, &summary.text));
        }
    }
}

/// A job has brought down too many lives of its object.
pub(super) struct TooManyStarts;
