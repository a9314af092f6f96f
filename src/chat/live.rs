//! An answer while the model writes it: what can be shown already.
//!
//! Readers get [`Change`]s. One after the other, and with the one of [`Live::settle`] at the end, they make exactly
//! the cleaned answer, however the output came in pieces.

use super::clean::Cleaner;
use super::history::clip;
use super::model::ANSWER_LIMIT;
use super::text::Texts;

/// What a reader has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Append this.
    More(String),
    /// Forget what was shown, and show this.
    Anew(String),
}

/// The answer so far.
#[derive(Debug, Default)]
pub struct Live {
    cleaner: Cleaner,
    /// Bytes of the model's output that were read.
    read: usize,
    shown: String,
    edition: u32,
    /// What is shown is to be replaced by the next words.
    stale: bool,
    /// The answer has reached its limit.
    full: bool,
}

impl Live {
    /// The model has written on: `output` is everything it has written so far, thoughts and marks included.
    ///
    /// [`Change::Anew`] comes only if what was shown turns out to be a thought (a `</think>` that was never opened),
    /// or after [`Self::restart`].
    pub fn feed(&mut self, output: &str) -> Option<Change> {
        let more = output.get(self.read..).unwrap_or_default();
        self.read += more.len();
        let mut words = String::new();
        if self.cleaner.feed(more, &mut words) {
            (self.stale, self.full) = (true, false);
        }
        if self.full || words.is_empty() {
            return None;
        }
        let room = ANSWER_LIMIT - if self.stale { 0 } else { self.shown.len().min(ANSWER_LIMIT) };
        self.full = words.len() > room;
        words.truncate(words.floor_char_boundary(room));
        self.show(words)
    }

    /// The model begins again, or another one does. What is shown stays until there is something better.
    pub fn restart(&mut self) {
        (self.cleaner, self.read, self.stale, self.full) = (Cleaner::default(), 0, true, false);
    }

    /// The whole answer is known, as [`bounded`] leaves it.
    pub fn settle(&mut self, whole: &str) -> Option<Change> {
        let rest = whole.strip_prefix(&self.shown);
        self.stale = rest.is_none();
        self.full = true;
        self.show(rest.unwrap_or(whole).to_owned())
    }

    fn show(&mut self, words: String) -> Option<Change> {
        // Nobody has seen anything yet.
        self.stale &= !self.shown.is_empty();
        if std::mem::take(&mut self.stale) {
            self.edition += 1;
            self.shown.clone_from(&words);
            return Some(Change::Anew(words));
        }
        self.shown.push_str(&words);
        (!words.is_empty()).then_some(Change::More(words))
    }

    /// What is shown so far, to whoever was there from the beginning.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// How far that is: how often it was replaced, and the bytes of [`Self::shown`].
    pub fn place(&self) -> (u32, usize) {
        (self.edition, self.shown.len())
    }

    /// What somebody lacks who has seen everything up to `place`; everything again, if that is no place of this
    /// answer.
    pub fn since(&self, (edition, bytes): (u32, usize)) -> Option<Change> {
        match self.shown.get(bytes..).filter(|_| edition == self.edition) {
            Some("") => None,
            Some(rest) => Some(Change::More(rest.to_owned())),
            None => Some(Change::Anew(self.shown.clone())),
        }
    }
}

/// An answer up to [`ANSWER_LIMIT`]; the reader is told if it was longer.
pub fn bounded(answer: &str, texts: &Texts) -> String {
    let mut kept = clip(answer, ANSWER_LIMIT);
    if kept.len() < answer.len() {
        kept.push_str(texts.cut_short());
    }
    kept
}
