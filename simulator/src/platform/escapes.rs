//! Escapes as `\u4f60` in a request's JSON, which WeChat does not read as other servers do.

/// Whether the JSON has a `\u` escape.
pub fn found(json: &[u8]) -> bool {
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' && bytes.next() == Some(&b'u') {
            return true;
        }
    }
    false
}

/// The JSON with its `\u` escapes as the six characters that they are.
pub fn literal(json: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(json.len());
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        written.push(*byte);
        if *byte != b'\\' {
            continue;
        }
        match bytes.next() {
            Some(b'u') => written.extend(br"\u"),
            Some(escaped) => written.push(*escaped),
            None => {}
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_is_told_from_a_backslash() {
        assert!(found(br#"{"name":"\u4f60"}"#) && found(br#"{"a":"\n\\\u0026"}"#));
        assert!(!found("{\"name\":\"你\"}".as_bytes()) && !found(br#"{"path":"C:\\users"}"#));
    }

    #[test]
    fn an_escape_stays_as_it_was_typed() {
        let read = |json: &[u8]| serde_json::from_slice::<Vec<String>>(&literal(json)).unwrap();
        assert_eq!(read(br#"["\u4f60","a\n\"\\u"]"#), [r"\u4f60", "a\n\"\\u"]);
        assert_eq!(literal(br"\"), br"\");
    }
}
