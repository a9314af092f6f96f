//! Regular expressions in linear time: what an operator writes must not be able to stop the account.
//!
//! A pattern becomes a small program, and all its threads read the text together, each character once (Thompson, Pike:
//! <https://swtch.com/~rsc/regexp/regexp2.html>). It does what `regex-lite` does with the same pattern, which is held
//! against it in the tests; that crate takes 21 kB of the bundle, because it can do more.
//!
//! Known: letters and other characters as themselves, `\` before punctuation, `\n \r \t`, `.`, `\d \w \s \D \W \S`
//! (ASCII), `[a-z]`, `[^a-z]`, `( )`, `(?: )`, `|`, `* + ? {2} {2,} {2,5}` and the same with `?` behind, `^`, `$`, and
//! `(?i)` at the beginning.

mod compile;
mod parse;

use compile::compile;
use parse::{Set, parse};

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Regex {
    program: Vec<Step>,
    groups: usize,
    any_case: bool,
}

#[derive(Clone, Debug)]
enum Step {
    One(Set),
    /// Goes on at both places; the first is preferred.
    Split(usize, usize),
    /// Notes where the text is read.
    Save(usize),
    Begin,
    End,
    Match,
}

/// The threads at one place of the text, the preferred ones first.
struct Threads {
    /// Where each is in the program, and what it has noted.
    list: Vec<(usize, Vec<usize>)>,
    /// When each place of the program was reached last.
    reached: Vec<usize>,
}

/// What a note is before it is made.
const NOWHERE: usize = usize::MAX;

impl Regex {
    /// Compiles a pattern; `any_case`: small and capital letters (ASCII) are the same.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(pattern: &str, any_case: bool) -> Result<Self, &'static str> {
        let bare = pattern.strip_prefix("(?i)");
        let any_case = any_case || bare.is_some();
        let (node, groups) = parse(bare.unwrap_or(pattern))?;
        Ok(Self { program: compile(&node)?, groups, any_case })
    }

    /// The steps of its program: each may be made once for every character of a text.
    pub fn steps(&self) -> usize {
        self.program.len()
    }

    /// What the groups matched in the first match: each as the bytes where it begins and ends.
    pub fn captures(&self, text: &str) -> Option<Vec<Option<(usize, usize)>>> {
        let new = || Threads { list: Vec::new(), reached: vec![NOWHERE; self.program.len()] };
        let (mut now, mut next) = (new(), new());
        let mut found: Option<Vec<usize>> = None;
        let ends = text.char_indices().map(|(at, letter)| (at, Some(letter)));
        for (at, letter) in ends.chain([(text.len(), None)]) {
            if found.is_none() {
                self.follow(&mut now, 0, at, text.len(), vec![NOWHERE; self.groups * 2]);
            } else if now.list.is_empty() {
                break;
            }
            for (place, notes) in now.list.drain(..) {
                match self.program.get(place) {
                    Some(Step::One(set)) => {
                        if let Some(letter) = letter.filter(|letter| set.has(*letter, self.any_case)) {
                            self.follow(&mut next, place + 1, at + letter.len_utf8(), text.len(), notes);
                        }
                    }
                    _ => {
                        found = Some(notes);
                        break;
                    }
                }
            }
            std::mem::swap(&mut now, &mut next);
            next.list.clear();
        }
        let found = found?;
        let group = |number: usize| {
            let (from, to) = (*found.get(number * 2)?, *found.get(number * 2 + 1)?);
            (from != NOWHERE && to != NOWHERE).then_some((from, to))
        };
        Some((0..self.groups).map(group).collect())
    }

    /// Adds the threads that go on from `place` without reading.
    fn follow(&self, threads: &mut Threads, place: usize, at: usize, end: usize, notes: Vec<usize>) {
        let mut todo = vec![(place, notes)];
        while let Some((place, mut notes)) = todo.pop() {
            match threads.reached.get_mut(place) {
                Some(reached) if *reached != at => *reached = at,
                _ => continue,
            }
            match self.program.get(place) {
                Some(Step::Split(first, second)) => {
                    todo.push((*second, notes.clone()));
                    todo.push((*first, notes));
                }
                Some(Step::Save(slot)) => {
                    if let Some(note) = notes.get_mut(*slot) {
                        *note = at;
                    }
                    todo.push((place + 1, notes));
                }
                Some(Step::Begin) if at == 0 => todo.push((place + 1, notes)),
                Some(Step::End) if at == end => todo.push((place + 1, notes)),
                Some(Step::One(_) | Step::Match) => threads.list.push((place, notes)),
                _ => {}
            }
        }
    }
}
