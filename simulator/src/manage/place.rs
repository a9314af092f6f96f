//! Where in a JSON text something is.

use super::columns::width;
use super::voice::tame;

/// A place in a text, for people: both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// Most columns of a line that are shown.
const SHOWN: usize = 96;

/// Where the value of a JSON pointer (RFC 6901) begins. What is not there is where it would be: at the innermost
/// value around it. The text must be JSON.
pub fn find(text: &str, pointer: &str) -> Place {
    let mut scan = Scan { text: text.as_bytes(), at: 0 };
    scan.blank();
    for token in pointer.split('/').skip(1) {
        if !scan.enter(&token.replace("~1", "/").replace("~0", "~")) {
            break;
        }
    }
    place(text, scan.at)
}

fn place(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    Place { line: before.matches('\n').count() + 1, column }
}

/// The line, and a mark below the place; `indent` columns from the left.
pub fn excerpt(text: &str, place: Place, indent: usize) -> String {
    let line = tame(text.lines().nth(place.line - 1).unwrap_or_default());
    let blanks = line.chars().take_while(|character| *character == ' ').count().min(place.column - 1);
    let shown: Vec<char> = line.chars().skip(blanks).collect();
    let index = place.column - 1 - blanks;
    // Of a file in one line, what is around the place.
    let from = if index > SHOWN / 2 && shown.len() > SHOWN { index - SHOWN / 2 } else { 0 };
    let shown: String = shown.into_iter().skip(from).take(SHOWN).collect();
    let before: String = shown.chars().take(index - from).collect();
    let pad = " ".repeat(indent);
    format!("{pad}{shown}\n{pad}{}^", " ".repeat(width(&before)))
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blank(&mut self) {
        while self.byte().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Moves from a value to the one below it with this name or number, if there is one.
    fn enter(&mut self, token: &str) -> bool {
        let found = match self.byte() {
            Some(b'{') => self.member(token),
            Some(b'[') => token.parse().ok().and_then(|index| self.element(index)),
            _ => None,
        };
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }

    /// The last of that name: the one that counts.
    fn member(&self, name: &str) -> Option<usize> {
        let mut scan = Scan { text: self.text, at: self.at + 1 };
        let mut found = None;
        loop {
            scan.blank();
            if scan.byte() != Some(b'"') {
                return found;
            }
            let start = scan.at;
            scan.string();
            let key = scan.text.get(start..scan.at).unwrap_or_default();
            scan.blank();
            scan.at += 1; // the colon
            scan.blank();
            if serde_json::from_slice::<String>(key).is_ok_and(|key| key == name) {
                found = Some(scan.at);
            }
            if !scan.next() {
                return found;
            }
        }
    }

    fn element(&self, index: usize) -> Option<usize> {
        let mut scan = Scan { text: self.text, at: self.at + 1 };
        scan.blank();
        for _ in 0..index {
            if !scan.next() {
                return None;
            }
            scan.blank();
        }
        scan.byte().filter(|byte| *byte != b']').map(|_| scan.at)
    }

    /// Passes over a value and the comma behind it; whether there was one.
    fn next(&mut self) -> bool {
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return false,
                b'}' | b']' => depth -= 1,
                b',' if depth == 0 => {
                    self.at += 1;
                    return true;
                }
                _ => {}
            }
            self.at += 1;
        }
        false
    }

    /// Passes over a string.
    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.byte() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MENU: &str = r#"{
  "button": [
    { "name": "帮助 \"]}\"", "key": "/help", "a/b": 1 },
    { "name": "更多",
      "sub_button": [{ "x": [1, [2], {}] }, "two"] }
  ]
}"#;

    #[track_caller]
    fn check(pointer: &str, line: usize, column: usize) {
        assert_eq!(find(MENU, pointer), Place { line, column }, "{pointer}");
    }

    #[test]
    fn pointers_are_found() {
        check("", 1, 1);
        check("/button", 2, 13);
        check("/button/0", 3, 5);
        check("/button/0/name", 3, 15);
        check("/button/0/key", 3, 35);
        check("/button/0/a~1b", 3, 51);
        check("/button/1/sub_button/0/x/1", 5, 33);
        check("/button/1/sub_button/0/x/1/0", 5, 34);
        check("/button/1/sub_button/1", 5, 45);
    }

    #[test]
    fn what_is_missing_is_where_it_would_be() {
        check("/button/0/type", 3, 5);
        check("/button/7/name", 2, 13);
        check("/button/0/name/deeper", 3, 15);
        check("/button/x", 2, 13);
        check("/nothing", 1, 1);
        assert_eq!(find("[]", "/0"), Place { line: 1, column: 1 });
    }

    #[test]
    fn of_two_members_with_one_name_the_last_counts() {
        assert_eq!(find(r#"{"a":1,"a":2}"#, "/a"), Place { line: 1, column: 12 });
    }

    #[test]
    fn the_mark_is_below_the_place_though_some_characters_are_wide() {
        let shown = excerpt(MENU, find(MENU, "/button/0/key"), 2);
        let (line, mark) = shown.split_once('\n').unwrap();
        assert_eq!(line, r#"  { "name": "帮助 \"]}\"", "key": "/help", "a/b": 1 },"#);
        let before = line.split_once("\"/help").unwrap().0;
        assert_eq!(mark.find('^'), Some(width(before)));
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("{{\"a\":\"{}\",\"b\":7}}", "x".repeat(500));
        let shown = excerpt(&text, find(&text, "/b"), 0);
        let (line, mark) = shown.split_once('\n').unwrap();
        assert_eq!(line.get(mark.len() - 1..), Some("7}"));
    }
}
