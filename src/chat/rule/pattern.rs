//! How a text is held against what a rule waits for.

use regex_lite::{Regex, RegexBuilder};

use crate::chat::command::lower;
use crate::chat::history::clip;

/// Most bytes of a pattern.
pub const LONGEST_PATTERN: usize = 512;
/// Most bytes of a text that is held against patterns: WeChat lets nobody write more.
const LONGEST_TEXT: usize = 2048;
/// Most bytes of a compiled regular expression. Matching takes time in proportion to it and to the text.
const LARGEST_REGEX: usize = 16 * 1024;
/// How deep its groups may be nested.
const DEEPEST_REGEX: u32 = 20;
/// Groups that a reply can name: `{1}` to `{9}`.
const GROUPS: usize = 9;

/// What a rule waits for.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// This text, nothing before or after it.
    Exact(Text),
    /// This text, anywhere.
    Contains(Text),
    /// A regular expression of the `regex-lite` kind: matched in linear time, whatever it is.
    /// <https://docs.rs/regex-lite/latest/regex_lite/#syntax>
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
        let mut end = text.len().min(LONGEST_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
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
    pub fn regex(pattern: &str, as_is: bool) -> Result<Self, String> {
        let mut builder = RegexBuilder::new(pattern);
        builder.case_insensitive(!as_is).size_limit(LARGEST_REGEX).nest_limit(DEEPEST_REGEX);
        let regex = builder.build().map_err(|error| error.to_string())?;
        if regex.captures_len() > GROUPS + 1 {
            return Err("it has more than 9 groups; write those that no reply names as (?:…)".to_owned());
        }
        Ok(Self::Regex(Box::new(regex)))
    }

    /// What the groups matched, if the text matches.
    pub fn matches(&self, said: &Said<'_>) -> Option<Vec<String>> {
        match self {
            Self::Exact(text) => (said.as_wanted(text) == text.text).then(Vec::new),
            Self::Contains(text) => said.as_wanted(text).contains(&text.text).then(Vec::new),
            Self::Regex(regex) => {
                let captures = regex.captures(said.text)?;
                let group = |group: Option<regex_lite::Match<'_>>| {
                    clip(group.map_or("", |group| group.as_str()), LONGEST_TEXT)
                };
                Some(captures.iter().skip(1).map(group).collect())
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
