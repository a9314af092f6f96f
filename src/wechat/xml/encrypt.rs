//! Finding `Encrypt` in a body that nobody has vouched for yet.

/// Pushes are a few kilobytes; nothing beyond this is looked at.
const SCAN_LIMIT: usize = 64 * 1024;

/// The base64 text of the `Encrypt` element (XML) or member (JSON), exactly as received.
///
/// This runs before any signature is verified, so it is one linear scan that builds nothing: it skips CDATA
/// sections, comments and strings, so that a user who types `<Encrypt>` is not mistaken for WeChat.
pub fn find_encrypt(body: &[u8]) -> Option<&str> {
    let body = body.get(..SCAN_LIMIT).unwrap_or(body);
    let found = match body.trim_ascii_start().first()? {
        b'{' => in_json(body)?,
        _ => in_xml(body)?,
    };
    std::str::from_utf8(found).ok()
}

fn in_xml(body: &[u8]) -> Option<&[u8]> {
    let mut rest = body;
    loop {
        rest = after(rest, b"<")?;
        if let Some(data) = rest.strip_prefix(b"![CDATA[") {
            rest = after(data, b"]]>")?;
        } else if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = after(comment, b"-->")?;
        } else if let Some(element) = rest.strip_prefix(b"Encrypt>") {
            return element_text(element);
        }
    }
}

fn element_text(element: &[u8]) -> Option<&[u8]> {
    let element = element.trim_ascii_start();
    let (text, tail) = match element.strip_prefix(b"<![CDATA[") {
        Some(data) => {
            let (text, tail) = base64_run(data.trim_ascii_start())?;
            (text, tail.trim_ascii_start().strip_prefix(b"]]>")?)
        }
        None => base64_run(element)?,
    };
    tail.trim_ascii_start().starts_with(b"</Encrypt>").then_some(text)
}

fn in_json(body: &[u8]) -> Option<&[u8]> {
    let mut rest = body;
    let mut depth = 0_usize;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let (string, tail) = json_string(rest)?;
                rest = tail;
                if depth == 1
                    && string == b"Encrypt"
                    && let Some(value) = tail.trim_ascii_start().strip_prefix(b":")
                {
                    return member_text(value);
                }
            }
            _ => {}
        }
    }
    None
}

fn member_text(value: &[u8]) -> Option<&[u8]> {
    let (text, tail) = base64_run(value.trim_ascii_start().strip_prefix(b"\"")?)?;
    tail.starts_with(b"\"").then_some(text)
}

/// Splits at the quote that ends the string; escapes are skipped, not decoded.
fn json_string(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = rest.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    let (string, tail) = rest.split_at_checked(end)?;
    Some((string, tail.get(1..)?))
}

/// Splits off the longest non-empty run of base64 characters.
fn base64_run(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let end = text.iter().position(|byte| !base64(byte))?;
    if end == 0 { None } else { text.split_at_checked(end) }
}

fn after<'a>(haystack: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    let start = haystack.windows(needle.len()).position(|window| window == needle)?;
    haystack.get(start + needle.len()..)
}
