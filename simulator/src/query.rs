//! Query strings: reading and writing.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// RFC 3986's unreserved characters stay as they are.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The decoded pairs of a query, in order; a name without `=` has an empty value.
pub fn parse(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The first value with this name.
pub fn get<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str())
}

/// The pairs as a query.
pub fn write(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

/// The text with everything escaped that could end or change a part of a URL.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let query = write(&[("as", "小明 & 小红"), ("n", "1+1=2")]);
        assert_eq!(query, "as=%E5%B0%8F%E6%98%8E%20%26%20%E5%B0%8F%E7%BA%A2&n=1%2B1%3D2");
        let read = parse(&query);
        assert_eq!(get(&read, "as"), Some("小明 & 小红"));
        assert_eq!(get(&read, "n"), Some("1+1=2"));
        assert_eq!(get(&parse("a+b=c+d&flag&"), "a b"), Some("c d"));
        assert_eq!(get(&parse("flag"), "flag"), Some(""));
    }
}
