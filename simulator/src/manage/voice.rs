//! How to speak: to people on a terminal, to programs by one JSON document.

use std::io::{IsTerminal, Write, stderr, stdout};

use serde_json::Value;

use crate::cli::paint::Paint;
use crate::lang::Lang;

/// How to speak.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    pub lang: Lang,
    /// Programs listen: standard output is for one document, and words go to standard error.
    pub json: bool,
    /// Colours of what [`Voice::say`] says.
    pub paint: Paint,
    /// Colours of what [`Voice::alert`] says.
    pub alarm: Paint,
    /// Whether a line may be written over and over.
    pub lively: bool,
}

impl Voice {
    /// Colours only where there is a terminal.
    pub fn of_terminal(lang: Lang, json: bool, colours: bool) -> Self {
        let (out, err) = (stdout().is_terminal(), stderr().is_terminal());
        let said = if json { err } else { out };
        Self {
            lang,
            json,
            paint: Paint::new(said && colours),
            alarm: Paint::new(err && colours),
            lively: err,
        }
    }

    /// A line for people. Whoever stopped reading (`| head`) does not want to hear of it.
    pub fn say(self, line: &str) {
        if self.json {
            self.alert(line);
        } else {
            let _ = writeln!(stdout(), "{line}");
        }
    }

    /// A line about what went wrong.
    pub fn alert(self, line: &str) {
        let _ = writeln!(stderr(), "{line}");
    }

    /// The document for programs.
    pub fn document(self, value: &Value) {
        let _ = writeln!(stdout(), "{value:#}");
    }

    /// The answer, as people or programs want it.
    pub fn answer(self, value: &Value, words: impl FnOnce() -> String) {
        if self.json { self.document(value) } else { self.say(words().trim_end()) }
    }

    /// `✓` and what was done.
    pub fn done(self, words: &str) -> String {
        format!("{} {words}", self.paint.green("✓"))
    }
}

/// Text of somebody else's, without what would do something to the terminal.
pub fn tame(text: &str) -> String {
    let tame = |character: char| match character {
        '\n' | '\t' => ' ',
        // Also those that turn the direction of the line.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        character if character.is_control() => '\u{fffd}',
        character => character,
    };
    text.chars().map(tame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_write_on_the_terminal() {
        assert_eq!(tame("小明\n\u{1b}[31m"), "小明 \u{fffd}[31m");
        assert_eq!(tame("a\u{202e}b"), "a\u{fffd}b");
    }
}
