//! What a file is, by its first bytes.

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileType {
    /// For the `Content-Type` header.
    pub content_type: &'static str,
    /// For a file name.
    pub extension: &'static str,
}

/// Recognises what WeChat sends and what people have at hand; anything else is `application/octet-stream`.
pub fn file_type(bytes: &[u8]) -> FileType {
    let (content_type, extension) = match bytes {
        [0xFF, 0xD8, 0xFF, ..] => ("image/jpeg", "jpg"),
        [0x89, b'P', b'N', b'G', ..] => ("image/png", "png"),
        [b'G', b'I', b'F', b'8', ..] => ("image/gif", "gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ("image/webp", "webp"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => ("audio/wav", "wav"),
        [b'#', b'!', b'A', b'M', b'R', ..] => ("audio/amr", "amr"),
        [b'I', b'D', b'3', ..] | [0xFF, 0xFB | 0xF3 | 0xF2, ..] => ("audio/mpeg", "mp3"),
        [b'O', b'g', b'g', b'S', ..] => ("audio/ogg", "ogg"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => ("video/mp4", "mp4"),
        _ => ("application/octet-stream", "bin"),
    };
    FileType { content_type, extension }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_beginnings() {
        assert_eq!(file_type(b"\x89PNG\r\n\x1a\n").content_type, "image/png");
        assert_eq!(file_type(b"#!AMR\n\x3c").extension, "amr");
        assert_eq!(file_type(b"RIFF\x01\x02\x03\x04WEBPVP8 ").extension, "webp");
        assert_eq!(file_type(b"hello").content_type, "application/octet-stream");
        assert_eq!(file_type(b"").extension, "bin");
    }
}
