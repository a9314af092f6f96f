//! Model output as WeChat should show it: without the model's thoughts and without Markdown.
//!
//! WeChat shows text messages literally, so `**bold**` would arrive with its stars. The [`Cleaner`] works while the
//! model still writes: what it gave out once stands, and it keeps back only what the next words could change.

use crate::wechat::xml::is_allowed;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";
/// A link's label and its URL are at most this long, in bytes. So long may a lone `[` hold words back.
const LABEL_LIMIT: usize = 300;
const URL_LIMIT: usize = 2_048;

/// The text a user should see: `<think>…</think>`, Markdown noise and control characters removed, code
/// indented, blank lines folded.
pub fn clean(output: &str) -> String {
    let mut cleaned = String::with_capacity(output.len());
    let mut cleaner = Cleaner::default();
    cleaner.feed(output, &mut cleaned);
    cleaner.finish(&mut cleaned);
    cleaned
}

/// Cleans output that comes in any pieces.
#[derive(Debug, Default)]
pub struct Cleaner {
    /// The beginning of what may become a tag.
    tag: String,
    thinking: bool,
    /// What is undecided yet of the current line.
    line: String,
    /// So many bytes of it are known to be nothing but marks and blanks.
    marks: usize,
    place: Place,
    in_code: bool,
    /// Something was given out: ever, and of this line.
    begun: bool,
    line_begun: bool,
    /// A blank line came since.
    blank: bool,
    /// Blanks that count only if something follows them in the line.
    blanks: String,
}

/// Where in a line the cleaner is.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// At its beginning, where a mark may stand for the whole line.
    #[default]
    Start,
    Prose,
    Code,
    /// In the line that begins or ends code; nothing of it is shown.
    Fence,
}

impl Cleaner {
    /// Takes the next words, and appends to `out` what is certain now.
    ///
    /// True: what was given out so far was a thought after all, so `out` holds only what came after it. Some models
    /// leave the opening tag to the prompt and send a lone closing one.
    pub fn feed(&mut self, words: &str, out: &mut String) -> bool {
        let mut anew = false;
        for character in words.chars() {
            if character == '<' {
                self.no_tag(out);
            } else if self.tag.is_empty() {
                self.character(character, out);
                continue;
            }
            self.tag.push(character);
            if self.tag == CLOSE && !self.thinking {
                *self = Self::default();
                out.clear();
                anew = true;
            } else if self.tag == OPEN || self.tag == CLOSE {
                self.thinking = self.tag == OPEN;
                self.tag.clear();
            } else if !OPEN.starts_with(&self.tag) && !CLOSE.starts_with(&self.tag) {
                self.no_tag(out);
            }
        }
        self.advance(false, out);
        anew
    }

    /// Nothing comes any more: appends what was kept back.
    pub fn finish(mut self, out: &mut String) {
        self.no_tag(out);
        self.advance(true, out);
    }

    /// What looked like a tag is text.
    fn no_tag(&mut self, out: &mut String) {
        for character in std::mem::take(&mut self.tag).chars() {
            self.character(character, out);
        }
    }

    fn character(&mut self, character: char, out: &mut String) {
        if self.thinking {
            return;
        }
        if character == '\n' {
            self.advance(true, out);
            self.blank |= !self.line_begun && !matches!(self.place, Place::Fence);
            self.line_begun = false;
            self.blanks.clear();
            (self.place, self.marks) = (Place::Start, 0);
        } else if is_allowed(character) {
            self.line.push(character);
        }
    }

    /// Gives out what is certain of the line; all of it, if it is `whole`.
    fn advance(&mut self, whole: bool, out: &mut String) {
        let line = std::mem::take(&mut self.line);
        let mut rest = line.as_str();
        if matches!(self.place, Place::Start) {
            let undecided = |character: char| character.is_whitespace() || "#>-*+_`".contains(character);
            if !whole && rest.get(self.marks..).unwrap_or_default().chars().all(undecided) {
                self.marks = rest.len();
                self.line = line;
                return;
            }
            rest = self.start(rest, out);
        }
        match self.place {
            Place::Prose => rest = self.inline(rest, whole, out),
            Place::Code => self.say(std::mem::take(&mut rest), out),
            Place::Start | Place::Fence => rest = "",
        }
        rest.clone_into(&mut self.line);
    }

    /// The beginning of a line: fences and code, then heading marks, quotes, rules and list stars are translated.
    /// Returns the text after them.
    fn start<'a>(&mut self, line: &'a str, out: &mut String) -> &'a str {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            self.in_code = !self.in_code;
            self.place = Place::Fence;
            return "";
        }
        if self.in_code {
            // Indented, so that code stands out in a plain chat and paging keeps its lines whole.
            self.place = Place::Code;
            self.say("  ", out);
            return line;
        }
        self.place = Place::Prose;
        if is_rule(trimmed.trim_end()) {
            self.say("——", out);
            return "";
        }
        let heading = trimmed.trim_start_matches('#');
        let body = if heading.len() < trimmed.len() && heading.starts_with(' ') {
            heading.trim_start()
        } else {
            trimmed.strip_prefix("> ").unwrap_or(trimmed)
        };
        let Some(item) = body.strip_prefix(['*', '-', '+']).and_then(|item| item.strip_prefix(' ')) else {
            return body;
        };
        self.say(if trimmed.len() < line.len() { " · " } else { "· " }, out);
        item
    }

    /// Marks inside a line: bold and code marks go, images and links become `label (url)`. Returns what is
    /// undecided, as long as the line is not `whole`.
    fn inline<'a>(&mut self, mut rest: &'a str, whole: bool, out: &mut String) -> &'a str {
        while let Some(next) = rest.chars().next() {
            let after = rest.get(next.len_utf8()..).unwrap_or_default();
            match (next, link(rest)) {
                ('`', _) => rest = after,
                ('*', _) if after.starts_with('*') => rest = after.get(1..).unwrap_or_default(),
                ('*', _) if after.is_empty() && !whole => break,
                (_, Err(true)) if !whole => break,
                (_, Ok((label, url, after))) => {
                    if label != url {
                        self.inline(label, true, out);
                        self.say(if label.is_empty() { "" } else { " " }, out);
                    }
                    self.say(url, out);
                    // A blank ends the URL for whoever reads or taps it.
                    self.say(if label == url { "" } else { " " }, out);
                    rest = after;
                }
                _ => {
                    self.say(next.encode_utf8(&mut [0; 4]), out);
                    rest = after;
                }
            }
        }
        rest
    }

    /// Gives out text of the line; before its first visible character, the end of the line before.
    fn say(&mut self, text: &str, out: &mut String) {
        for character in text.chars() {
            if character.is_whitespace() {
                self.blanks.push(character);
                continue;
            }
            if self.begun && !self.line_begun {
                out.push_str(if self.blank { "\n\n" } else { "\n" });
            }
            (self.begun, self.line_begun, self.blank) = (true, true, false);
            out.push_str(&self.blanks);
            self.blanks.clear();
            out.push(character);
        }
    }
}

/// A horizontal rule: three or more of `-`, `*` or `_` alone.
fn is_rule(line: &str) -> bool {
    line.len() >= 3 && ['-', '*', '_'].iter().any(|mark| line.trim_start_matches(*mark).is_empty())
}

/// `[label](url)` or `![label](url)` at the start of `text`, and what follows it. An error says whether the text may
/// still become one when more of it comes.
fn link(text: &str) -> Result<(&str, &str, &str), bool> {
    let marked = text.strip_prefix('!').unwrap_or(text);
    let named = marked.strip_prefix('[').ok_or(marked.is_empty())?;
    let (mut label, mut rest) = until(named, b"[]", LABEL_LIMIT)?;
    if rest.starts_with("]]") {
        // A footnote's label has brackets of its own: [[1]](url).
        (label, rest) = named.split_at_checked(label.len() + 1).ok_or(false)?;
    }
    let rest = rest.strip_prefix("](").ok_or(rest == "]")?;
    let (url, rest) = until(rest, b")( ", URL_LIMIT)?;
    let after = rest.strip_prefix(')').filter(|_| url.contains(':')).ok_or(false)?;
    Ok((label, url, after))
}

/// `text` before and from the first of these ASCII characters on, which comes within `limit` bytes.
fn until<'a>(text: &'a str, ends: &[u8], limit: usize) -> Result<(&'a str, &'a str), bool> {
    let end = text.bytes().take(limit + 1).position(|byte| ends.contains(&byte));
    end.and_then(|end| text.split_at_checked(end)).ok_or(text.len() <= limit)
}
