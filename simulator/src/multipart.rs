//! The little of `multipart/form-data` (RFC 7578) that uploads need.

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The field's name.
    pub name: String,
    /// The file's name, if it is a file.
    pub filename: Option<String>,
    /// Its content.
    pub content: &'a [u8],
}

/// Takes a form apart; absent if it is none, or is not whole.
pub fn parse<'a>(content_type: &str, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let boundary = content_type.strip_prefix("multipart/form-data")?.split("boundary=").nth(1)?;
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(delimiter.trim_start().as_bytes())?;
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n")?;
        let (part, after) = split(part, delimiter.as_bytes())?;
        let (headers, content) = split(part, b"\r\n\r\n")?;
        let (name, filename) = names(headers)?;
        parts.push(Part { name, filename, content });
        rest = after;
    }
    Some(parts)
}

/// The part with this name.
pub fn get<'p, 'a>(parts: &'p [Part<'a>], name: &str) -> Option<&'p Part<'a>> {
    parts.iter().find(|part| part.name == name)
}

/// What `Content-Disposition` calls the field, and the file.
fn names(headers: &[u8]) -> Option<(String, Option<String>)> {
    let headers = String::from_utf8_lossy(headers);
    let disposition =
        headers.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let parameters = parameters(disposition);
    let value = |name: &str| {
        let found = parameters.iter().find_map(|parameter| parameter.trim().strip_prefix(name));
        found.map(|value| value.trim_matches('"').to_owned())
    };
    Some((value("name=")?, value("filename=")))
}

/// The pieces between semicolons, except for those in quotes.
fn parameters(header: &str) -> Vec<&str> {
    let mut quoted = false;
    let split = |character: char| {
        quoted ^= character == '"';
        character == ';' && !quoted
    };
    header.split(split).collect()
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
        let body = "--xYz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"声音; 1.amr\"\r\nContent-Type: audio/amr\r\n\r\n#!AMR\n\r\n\r\n--x\x00\r\n--xYz--\r\n";
        let parts = parse(TYPE, body.as_bytes()).unwrap();
        let model = get(&parts, "model").unwrap();
        assert_eq!((model.content, &model.filename), (&b"whisper-1"[..], &None));
        let file = get(&parts, "file").unwrap();
        assert_eq!(file.content, b"#!AMR\n\r\n\r\n--x\x00");
        assert_eq!(file.filename.as_deref(), Some("声音; 1.amr"));
        assert_eq!(get(&parts, "prompt"), None);
    }

    #[test]
    fn half_a_form_is_none() {
        assert_eq!(parse(TYPE, b"--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"), None);
        assert_eq!(parse("application/json", b"{}"), None);
        assert_eq!(parse(TYPE, b""), None);
    }
}
