//! Cutting a long answer into pages that WeChat accepts.
//!
//! A page never cuts a character, an emoji sequence, a URL or a code line that would fit a page of its own.
//! The pages of a text, put one after the other, are the text.

use crate::grapheme::graphemes;

/// Where the page that starts at the beginning of `text` ends, in bytes; at most `limit` unless one single
/// character is larger than that.
///
/// In this order of preference: the end of the text; the last line end or sentence end in the second half of
/// the page; the last line end at all (so a line that fits a page stays whole); a blank; any character
/// outside a URL.
pub fn page_end(text: &str, limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    let window = last_boundary(text, limit);
    let line_end = window.rfind('\n').map_or(0, |at| at + 1);
    if line_end * 2 >= limit {
        return line_end;
    }
    let sentence = sentence_end(text, window, line_end);
    if sentence * 2 >= limit {
        return sentence;
    }
    if line_end > 0 {
        return line_end;
    }
    outside_url(text, window, true).or_else(|| outside_url(text, window, false)).unwrap_or(window.len())
}

/// All pages of `text`, each at most `limit` bytes.
pub fn pages(text: &str, limit: usize) -> Vec<&str> {
    let mut pages = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (page, tail) = rest.split_at(page_end(rest, limit));
        pages.push(page);
        rest = tail;
    }
    pages
}

/// The longest prefix of at most `limit` bytes that ends between two user-perceived characters.
fn last_boundary(text: &str, limit: usize) -> &str {
    // A lone carriage return never ends a page: with the line feed after it, it is one character.
    let ends = graphemes(text).map(|(at, grapheme)| at + grapheme.len());
    let end = ends.take_while(|end| *end <= limit).last();
    let end = end.unwrap_or_else(|| oversized_character(text, limit));
    text.get(..end).unwrap_or(text)
}

/// One user-perceived character is larger than a page (a letter under hundreds of accents): cut it between
/// code points, since it cannot be sent whole.
fn oversized_character(text: &str, limit: usize) -> usize {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    ends.clone().take_while(|end| *end <= limit).last().or_else(|| ends.clone().next()).unwrap_or(text.len())
}

/// The end of the last sentence in `window`, looking at its last line only; 0 if there is none, or if that
/// line is code.
fn sentence_end(text: &str, window: &str, line_start: usize) -> usize {
    let line = window.get(line_start..).unwrap_or_default();
    if is_code(line) && line_fits(text, line_start, window.len()) {
        return 0;
    }
    let mut end = 0;
    let mut urls = UrlScan::new();
    let mut rest = graphemes(line).peekable();
    while let Some((at, grapheme)) = rest.next() {
        let in_url = urls.step(line, at, grapheme);
        let next = rest.peek().map(|(_, next)| *next);
        let ends = match grapheme {
            "。" | "！" | "？" | "；" | "…" => {
                next.is_none_or(|next| !matches!(next, "”" | "」" | "）" | "’"))
            }
            "." | "!" | "?" | ";" => next == Some(" "),
            "”" | "」" => true,
            _ => false,
        };
        if ends && !in_url {
            end = line_start + at + grapheme.len();
        }
    }
    end
}

/// Code lines keep the indentation that [`super::clean`] gives them.
fn is_code(line: &str) -> bool {
    line.starts_with("  ") || line.starts_with('\t')
}

/// Whether the whole line that starts at `start` is no longer than a page of `limit` bytes.
fn line_fits(text: &str, start: usize, limit: usize) -> bool {
    let line = text.get(start..).unwrap_or_default();
    line.find('\n').map_or(line.len(), |at| at + 1) <= limit
}

/// The last place in `window` that is not inside a URL, after a blank only if `blank` says so.
fn outside_url(text: &str, window: &str, blank: bool) -> Option<usize> {
    let mut urls = UrlScan::new();
    let mut last = None;
    // The character after the window decides whether its end is inside a URL.
    for (at, grapheme) in graphemes(text).take_while(|(at, _)| *at <= window.len()) {
        let inside = urls.in_url();
        let still_inside = urls.step(text, at, grapheme);
        if at > 0 && !(inside && still_inside) && (!blank || after_blank(text, at)) {
            last = Some(at);
        }
    }
    last
}

fn after_blank(text: &str, at: usize) -> bool {
    text.get(..at).is_some_and(|head| head.ends_with([' ', '\u{3000}', '\t']))
}

/// Follows a text and knows whether it is inside `http://…` or `https://…`.
struct UrlScan {
    inside: bool,
}

impl UrlScan {
    fn new() -> Self {
        Self { inside: false }
    }

    fn in_url(&self) -> bool {
        self.inside
    }

    /// Takes the next character; says whether it belongs to a URL.
    fn step(&mut self, text: &str, at: usize, grapheme: &str) -> bool {
        self.inside = if self.inside {
            is_url_character(grapheme)
        } else {
            let rest = text.get(at..).unwrap_or_default();
            rest.starts_with("http://") || rest.starts_with("https://")
        };
        self.inside
    }
}

fn is_url_character(grapheme: &str) -> bool {
    matches!(grapheme.as_bytes(), [byte] if byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))
}
