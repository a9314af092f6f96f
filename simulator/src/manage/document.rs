//! A file of JSON that somebody wrote.

use std::fs;
use std::io::{Read, stdin};

use serde_json::Value;

use super::place::{Place, excerpt};
use super::stop::Stop;

/// Standard input, as a file's name.
pub const STDIN: &str = "-";

/// A file of JSON.
#[derive(Debug, Clone)]
pub struct Document {
    pub name: String,
    pub text: String,
    pub value: Value,
}

impl Document {
    /// Reads it; `-` is standard input.
    ///
    /// # Errors
    /// It is not there, or is no JSON.
    pub fn read(file: &str) -> Result<Self, Stop> {
        let mut text = read(file)?;
        // As some editors begin a file.
        if let Some(rest) = text.strip_prefix('\u{feff}') {
            text = rest.to_owned();
        }
        let name = if file == STDIN { "(stdin)" } else { file };
        Self::parse(name, text)
    }

    /// The JSON in a text.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(name: &str, text: String) -> Result<Self, Stop> {
        match serde_json::from_str(&text) {
            Ok(value) => Ok(Self { name: name.to_owned(), text, value }),
            Err(error) => {
                // At the end of the text, the line may not have begun.
                let place = Place { line: error.line().max(1), column: error.column().max(1) };
                let words = error.to_string();
                let words = words.split(" at line ").next().unwrap_or_default();
                let shown = excerpt(&text, place, 2);
                Err(Stop::Refused(format!("{name}:{}:{}: {words}\n{shown}", place.line, place.column)))
            }
        }
    }
}

/// The text of a file, or of standard input.
///
/// # Errors
/// It cannot be read.
pub fn read(file: &str) -> Result<String, Stop> {
    let mut text = String::new();
    let read = if file == STDIN {
        stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    read.map_err(|error| Stop::Usage(format!("{file}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_shown_in_its_place() {
        let Err(Stop::Refused(words)) = Document::parse("menu.json", "{\n  \"button\": [,]\n}".to_owned())
        else {
            panic!("it was read");
        };
        assert_eq!(words, "menu.json:2:14: expected value\n  \"button\": [,]\n             ^");
        for text in ["", "{", "[1,\n"] {
            assert!(matches!(Document::parse("x", text.to_owned()), Err(Stop::Refused(_))), "{text}");
        }
    }
}
