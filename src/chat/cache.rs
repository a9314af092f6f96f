//! Answers to questions that need no context, kept for an hour.
//!
//! In the memory of one isolate and shared by the users it serves: no user waits on a common object, and a
//! restart only costs the next question its shortcut.

use std::collections::VecDeque;

/// How long an answer is good, in milliseconds.
const LIFETIME: u64 = 3_600_000;
/// Answers kept; the oldest goes first.
const CAPACITY: usize = 256;
/// A question longer than this, in bytes, is asked by nobody else.
const LONGEST_QUESTION: usize = 500;

/// What was answered to a question, and when (milliseconds).
#[derive(Debug)]
struct Kept {
    question: String,
    answer: String,
    at: u64,
}

/// Question to answer. They are few: looking through all takes a microsecond.
#[derive(Debug, Default)]
pub struct AnswerCache {
    /// The oldest first.
    kept: VecDeque<Kept>,
}

impl AnswerCache {
    /// The answer to this very question within the last hour.
    pub fn get(&self, question: &str, now: u64) -> Option<&str> {
        let kept = self.kept.iter().find(|kept| kept.question == question)?;
        (now < kept.at + LIFETIME).then_some(kept.answer.as_str())
    }

    /// Keeps an answer.
    pub fn put(&mut self, question: &str, answer: &str, now: u64) {
        if question.len() > LONGEST_QUESTION {
            return;
        }
        self.kept.retain(|kept| kept.question != question);
        self.kept.push_back(Kept { question: question.to_owned(), answer: answer.to_owned(), at: now });
        if self.kept.len() > CAPACITY {
            self.kept.pop_front();
        }
    }
}
