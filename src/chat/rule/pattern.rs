//! How a text is held against what a rule waits for.

use super::regex::Regex;
use crate::chat::command::lower;

/// Most bytes of a pattern.
pub const LONGEST_PATTERN: usize = 512;
/// Most bytes of a text that is held against patterns: WeChat lets nobody write more.
const LONGEST_TEXT: usize = 2048;

/// What a rule waits for.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// This text, nothing before or after it.
    Exact(Text),
    /// This text, anywhere.
    Contains(Text),
    /// A regular expression.
    Regex(Box<Regex>),
}

/// A text to compare with.
#[derive(Clone, Debug)]
pub struct Text {
    text: String,
    as_is: bool,
}

impl Text {
    /// `as_is`: case and width matter.
    pub fn new(text: &str, as_is: bool) -> Self {
        let text = text.trim();
        Self { text: if as_is { text.to_owned() } else { fold(text) }, as_is }
    }
}

/// What was said, as it was and folded.
#[derive(Debug)]
pub struct Said<'a> {
    text: &'a str,
    folded: String,
}

impl<'a> Said<'a> {
    /// What was said, as far as patterns look at it.
    pub fn new(text: &'a str) -> Self {
        let text = text.get(..text.floor_char_boundary(LONGEST_TEXT)).unwrap_or_default();
        Self { text, folded: fold(text) }
    }

    fn as_wanted(&self, by: &Text) -> &str {
        if by.as_is { self.text } else { &self.folded }
    }
}

impl Pattern {
    /// Compiles a regular expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn regex(pattern: &str, as_is: bool) -> Result<Self, &'static str> {
        Ok(Self::Regex(Box::new(Regex::new(pattern, !as_is)?)))
    }

    /// What the groups matched, if the text matches.
    pub fn matches(&self, said: &Said<'_>) -> Option<Vec<String>> {
        match self {
            Self::Exact(text) => (said.as_wanted(text) == text.text).then(Vec::new),
            Self::Contains(text) => said.as_wanted(text).contains(&text.text).then(Vec::new),
            Self::Regex(regex) => {
                let part = |span: Option<(usize, usize)>| said.text.get(span?.0..span?.1);
                let groups = regex.captures(said.text)?;
                Some(groups.into_iter().map(|span| part(span).unwrap_or_default().to_owned()).collect())
            }
        }
    }
}

/// Small letters, and the half-width form of what has a full-width one.
/// <https://www.unicode.org/charts/PDF/UFF00.pdf>
pub fn fold(text: &str) -> String {
    let narrow = |letter: char| match letter {
        '\u{3000}' => ' ',
        '！'..='～' => char::from_u32(u32::from(letter) - 0xFEE0).unwrap_or(letter),
        _ => letter,
    };
    text.chars().map(|letter| lower(narrow(letter))).collect()
}
