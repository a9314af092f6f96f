//! The little of `multipart/form-data` (RFC 7578) that an upload of a recording needs.

/// The parts of a form: name and content.
pub type Parts<'a> = Vec<(String, &'a [u8])>;

/// Takes a form apart; absent if it is none, or is not whole.
pub fn parse<'a>(content_type: &str, body: &'a [u8]) -> Option<Parts<'a>> {
    let boundary = content_type.strip_prefix("multipart/form-data")?.split("boundary=").nth(1)?;
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(delimiter.trim_start().as_bytes())?;
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n")?;
        let (part, after) = split(part, delimiter.as_bytes())?;
        let (headers, content) = split(part, b"\r\n\r\n")?;
        parts.push((name(headers)?, content));
        rest = after;
    }
    Some(parts)
}

/// The content of the part with this name.
pub fn get<'a>(parts: &Parts<'a>, name: &str) -> Option<&'a [u8]> {
    parts.iter().find(|part| part.0 == name).map(|part| part.1)
}

fn name(headers: &[u8]) -> Option<String> {
    let headers = std::str::from_utf8(headers).ok()?;
    let disposition =
        headers.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let parameters = disposition.split(';').filter_map(|parameter| parameter.trim().strip_prefix("name="));
    parameters.map(|value| value.trim_matches('"').to_owned()).next()
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = bytes.windows(at.len()).position(|window| window == at)?;
    Some((bytes.get(..start)?, bytes.get(start + at.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"xYz\"";

    #[test]
    fn a_form_with_a_file() {
        let body = b"--xYz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.amr\"\r\nContent-Type: audio/amr\r\n\r\n#!AMR\n\r\n\r\n--x\x00\r\n--xYz--\r\n";
        let parts = parse(TYPE, body).unwrap();
        assert_eq!(get(&parts, "model"), Some(&b"whisper-1"[..]));
        assert_eq!(get(&parts, "file"), Some(&b"#!AMR\n\r\n\r\n--x\x00"[..]));
        assert_eq!(get(&parts, "prompt"), None);
    }

    #[test]
    fn half_a_form_is_none() {
        assert_eq!(parse(TYPE, b"--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"), None);
        assert_eq!(parse("application/json", b"{}"), None);
        assert_eq!(parse(TYPE, b""), None);
    }
}
