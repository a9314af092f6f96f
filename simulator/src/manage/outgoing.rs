//! What is sent: nothing, a text, or a form with a file that is read while it goes out.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::ids;

/// How much of a file is in memory at once, bytes.
const CHUNK: u64 = 64 * 1024;

/// The body of a request. Its length is known beforehand.
#[derive(Debug)]
pub struct Outgoing {
    head: Bytes,
    file: Option<io::Take<File>>,
    tail: Bytes,
}

impl Outgoing {
    /// Nothing.
    pub fn nothing() -> Self {
        Self::text(String::new())
    }

    /// A text.
    pub fn text(text: impl Into<Bytes>) -> Self {
        Self { head: text.into(), file: None, tail: Bytes::new() }
    }

    /// How many bytes are left.
    pub fn left(&self) -> u64 {
        let file = self.file.as_ref().map_or(0, io::Take::limit);
        self.head.len() as u64 + file + self.tail.len() as u64
    }

    fn chunk(&mut self) -> io::Result<Bytes> {
        if !self.head.is_empty() {
            return Ok(std::mem::take(&mut self.head));
        }
        let Some(file) = self.file.as_mut().filter(|file| file.limit() > 0) else {
            return Ok(std::mem::take(&mut self.tail));
        };
        let mut chunk = Vec::new();
        file.take(CHUNK).read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file became shorter while it was sent",
            ));
        }
        Ok(chunk.into())
    }
}

/// The file is read where it is sent: nothing else waits in this program.
impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(self.chunk().map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}

/// A form (RFC 7578) with a file in its field `media`, as WeChat wants it.
#[derive(Debug)]
pub struct Form {
    /// The `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Outgoing,
}

impl Form {
    /// The file, of what MIME type it is, and another field behind it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(path: &Path, mime: &str, field: Option<(&str, &str)>) -> io::Result<Self> {
        let file = File::open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::other("is not a file"));
        }
        // A file cannot hold what was made up after it was written.
        let boundary = format!("wx-{}-{}", ids::nonce(), ids::nonce());
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"media\"; filename=\"{}\"\r\nContent-Type: {mime}\r\n\r\n",
            escaped(&name)
        );
        let field = field.map(|(name, value)| {
            format!("\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}")
        });
        let tail = format!("{}\r\n--{boundary}--\r\n", field.unwrap_or_default());
        let body = Outgoing { head: head.into(), file: Some(file.take(meta.len())), tail: tail.into() };
        Ok(Self { content_type: format!("multipart/form-data; boundary={boundary}"), body })
    }
}

/// A file's name between quotes, as browsers write it.
/// <https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data>
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
