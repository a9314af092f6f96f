//! Model output as WeChat should show it: without the model's thoughts and without Markdown.
//!
//! WeChat shows text messages literally, so `**bold**` would arrive with its stars.

use crate::wechat::xml::is_allowed;

/// The text a user should see: `<think>…</think>`, Markdown noise and control characters removed, code
/// indented, blank lines folded.
pub fn clean(output: &str) -> String {
    let mut text = without_thoughts(output);
    text.retain(is_allowed);
    let mut cleaned = String::with_capacity(text.len());
    let mut in_code = false;
    let mut blank_lines = 0;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            continue;
        }
        let line = if in_code { code_line(line) } else { prose_line(line) };
        if line.trim().is_empty() {
            blank_lines += 1;
            continue;
        }
        if !cleaned.is_empty() {
            cleaned.push_str(if blank_lines > 0 { "\n\n" } else { "\n" });
        }
        blank_lines = 0;
        cleaned.push_str(line.trim_end());
    }
    cleaned
}

/// Indented, so that code stands out in a plain chat and paging keeps its lines whole.
fn code_line(line: &str) -> String {
    format!("  {line}")
}

/// Drops every `<think>…</think>`; an unclosed one drops the rest, a lone closing tag what is before it (some
/// models leave the opening tag to the prompt).
fn without_thoughts(output: &str) -> String {
    const OPEN: &str = "<think>";
    const CLOSE: &str = "</think>";
    let mut kept = String::with_capacity(output.len());
    let mut rest = output;
    loop {
        let open = rest.find(OPEN);
        let close = rest.find(CLOSE);
        match (open, close) {
            (Some(open), close) if close.is_none_or(|close| open < close) => {
                kept.push_str(rest.get(..open).unwrap_or_default());
                match close {
                    Some(close) => rest = rest.get(close + CLOSE.len()..).unwrap_or_default(),
                    None => return kept,
                }
            }
            (_, Some(close)) => {
                kept.clear();
                rest = rest.get(close + CLOSE.len()..).unwrap_or_default();
            }
            _ => {
                kept.push_str(rest);
                return kept;
            }
        }
    }
}

/// One line that is not code: heading marks, quotes, rules and list stars are translated, then the marks
/// inside the line.
fn prose_line(line: &str) -> String {
    let trimmed = line.trim_start();
    let indent = line.len() - trimmed.len();
    if is_rule(trimmed.trim_end()) {
        return "——".to_owned();
    }
    let heading = trimmed.trim_start_matches('#');
    let body = if heading.len() < trimmed.len() && heading.starts_with(' ') {
        heading.trim_start()
    } else {
        trimmed.strip_prefix("> ").unwrap_or(trimmed)
    };
    let mut out = String::with_capacity(line.len());
    let item =
        body.strip_prefix("* ").or_else(|| body.strip_prefix("- ")).or_else(|| body.strip_prefix("+ "));
    if let Some(item) = item {
        out.push_str(if indent > 0 { " · " } else { "· " });
        inline(item, &mut out);
    } else {
        inline(body, &mut out);
    }
    out
}

/// A horizontal rule: three or more of `-`, `*` or `_` alone.
fn is_rule(line: &str) -> bool {
    line.len() >= 3 && ["-", "*", "_"].iter().any(|mark| line.replace(mark, "").is_empty())
}

/// Marks inside a line: bold and code marks go, images and links become `label (url)`.
fn inline(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**").or_else(|| rest.strip_prefix("`")) {
            rest = after;
        } else if let Some((label, url, after)) = link(rest) {
            out.push_str(label);
            if label != url {
                out.push_str(if label.is_empty() { "" } else { " " });
                out.push_str(url);
                // A blank ends the URL for whoever reads or taps it.
                out.push_str(if after.is_empty() { "" } else { " " });
            }
            rest = after;
        } else {
            out.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
    }
}

/// `[label](url)` or `![label](url)` at the start of `text`, and what follows it.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (label, rest) = text.strip_prefix('!').unwrap_or(text).strip_prefix('[')?.split_once("](")?;
    let (url, after) = rest.split_once(')')?;
    let plausible = !label.contains(['[', '\n']) && !url.contains([' ', '(']) && url.contains(':');
    plausible.then_some((label, url, after))
}
