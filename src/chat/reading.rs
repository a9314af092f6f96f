//! Reading answers: page by page, the one that is being read first.

use super::count::Happened;
use super::paging::pages;
use super::state::{Conversation, Job};
use super::text::Texts;
use crate::wechat::reply::TEXT_LIMIT;

impl Conversation {
    /// `/retrieve`: the next unread page; else how long it has been taking; else the last answer again; else
    /// that there is nothing.
    pub(super) fn retrieve(&mut self, now: u64, texts: &Texts) -> String {
        if let Some(job) = self.next_unread() {
            return self.show_page(job, "retrieve", now, texts);
        }
        let on_its_way = |job: &&Job| job.answer.as_ref().is_some_and(|answer| answer.on_its_way);
        let coming = self.unfinished().chain(self.jobs.iter().filter(on_its_way));
        if let Some(oldest) = coming.map(|job| job.asked).min() {
            return texts.still_working(now.saturating_sub(oldest) / 1_000);
        }
        let last = self.jobs.iter().filter(|job| job.answer.is_some()).max_by_key(|job| shown(job));
        match last.map(|job| job.id) {
            Some(job) => {
                if let Some(answer) = self.job_mut(job).and_then(|job| job.answer.as_mut()) {
                    answer.read = 0;
                }
                self.show_page(job, "retrieve", now, texts)
            }
            None => texts.nothing_pending(),
        }
    }

    /// The answer that is being read goes on; otherwise the oldest one of which nothing was read. What is on
    /// its way by customer-service message is not shown twice.
    fn next_unread(&self) -> Option<u32> {
        let unread =
            |job: &&Job| job.answer.as_ref().is_some_and(|answer| answer.is_unread() && !answer.on_its_way);
        let last_shown = self.jobs.iter().filter(|job| shown(job) > 0).max_by_key(|job| shown(job));
        last_shown.filter(unread).or_else(|| self.jobs.iter().find(unread)).map(|job| job.id)
    }

    /// Shows the next page of an answer and notes that it was read, and on which `rung` of the ladder.
    pub(super) fn show_page(&mut self, job: u32, rung: &'static str, now: u64, texts: &Texts) -> String {
        let others = self.jobs.iter().any(|j| j.id != job && j.answer.as_ref().is_some_and(|a| a.read == 0));
        let Some(answer) = self.job_mut(job).and_then(|job| job.answer.as_mut()) else {
            return texts.nothing_pending();
        };
        let Page { mut text, end, number, of } = next_page(&answer.text, answer.read, texts);
        answer.read = end;
        let is_first = std::mem::replace(&mut answer.shown, now) == 0;
        if is_first {
            self.note(Happened::Answer(rung));
        }
        if number < of {
            text.push_str(&texts.next_page(number, of));
        } else if others && text.len() + texts.also_waiting().len() <= TEXT_LIMIT {
            text.push_str(&texts.also_waiting());
        }
        self.drop_old_answers(now);
        text
    }
}

/// When a page of a job's answer was last shown; 0 if none was.
fn shown(job: &Job) -> u64 {
    job.answer.as_ref().map_or(0, |answer| answer.shown)
}

/// One page of an answer, ready to be shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// Its text, without a footer.
    pub text: String,
    /// Where it ends in the answer, bytes.
    pub end: usize,
    /// Its number, from 1.
    pub number: usize,
    /// Pages of the whole answer.
    pub of: usize,
}

/// The page of `answer` that starts at byte `read`. Room for the footer is kept on every page of an answer
/// that needs more than one.
pub fn next_page(answer: &str, read: usize, texts: &Texts) -> Page {
    let limit = TEXT_LIMIT.saturating_sub(texts.next_page(99, 99).len());
    let all = if answer.len() <= TEXT_LIMIT { vec![answer] } else { pages(answer, limit) };
    let of = all.len();
    let mut end = 0;
    for (index, page) in all.iter().enumerate() {
        end += page.len();
        // A page of blanks would be an empty message, which WeChat shows as an error.
        if end > read && !page.trim().is_empty() {
            return Page { text: page.trim_end().to_owned(), end, number: index + 1, of };
        }
    }
    let last = all.last().copied().unwrap_or_default();
    Page { text: last.trim_end().to_owned(), end: answer.len(), number: of, of }
}
