//! Answers to questions that need no context, kept for an hour.
//!
//! In the memory of one isolate and shared by the users it serves: no user waits on a common object, and a
//! restart only costs the next question its shortcut.

use std::collections::{HashMap, VecDeque};

/// How long an answer is good, in milliseconds.
const LIFETIME: u64 = 3_600_000;
/// Answers kept; the oldest goes first.
const CAPACITY: usize = 256;
/// A question longer than this, in bytes, is asked by nobody else.
const LONGEST_QUESTION: usize = 500;

/// Question to answer.
#[derive(Debug, Default)]
pub struct AnswerCache {
    answers: HashMap<String, (u64, String)>,
    order: VecDeque<String>,
}

impl AnswerCache {
    /// The answer to this very question within the last hour.
    pub fn get(&self, question: &str, now: u64) -> Option<&str> {
        let (at, answer) = self.answers.get(question)?;
        (now < at + LIFETIME).then_some(answer.as_str())
    }

    /// Keeps an answer.
    pub fn put(&mut self, question: &str, answer: &str, now: u64) {
        if question.len() > LONGEST_QUESTION {
            return;
        }
        if self.answers.insert(question.to_owned(), (now, answer.to_owned())).is_some() {
            self.order.retain(|known| known != question);
        }
        self.order.push_back(question.to_owned());
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }
}
