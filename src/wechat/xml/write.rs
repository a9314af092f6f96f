//! Writing WeChat's XML: replies, envelopes and (in the simulator) pushes.

/// Builds one `<xml>` document in one string.
#[derive(Debug)]
pub struct XmlWriter {
    out: String,
}

impl XmlWriter {
    /// Starts a document; `capacity` is the expected size in bytes.
    pub fn new(capacity: usize) -> Self {
        let mut out = String::with_capacity(capacity);
        out.push_str("<xml>");
        Self { out }
    }

    /// Opens an element.
    pub fn open(&mut self, name: &str) -> &mut Self {
        for part in ["<", name, ">"] {
            self.out.push_str(part);
        }
        self
    }

    /// Closes an element.
    pub fn close(&mut self, name: &str) -> &mut Self {
        for part in ["</", name, ">"] {
            self.out.push_str(part);
        }
        self
    }

    /// An element with its text in CDATA; any text survives, except characters that XML 1.0 has no way to write.
    pub fn cdata(&mut self, name: &str, text: &str) -> &mut Self {
        self.open(name);
        self.out.push_str("<![CDATA[");
        push_cdata(&mut self.out, text);
        self.out.push_str("]]>");
        self.close(name)
    }

    /// An element with a bare number that may be negative or broken.
    pub fn decimal(&mut self, name: &str, number: f64) -> &mut Self {
        self.open(name);
        self.out.push_str(&number.to_string());
        self.close(name)
    }

    /// An element with a bare number.
    pub fn number(&mut self, name: &str, number: u64) -> &mut Self {
        self.open(name);
        self.out.push_str(&number.to_string());
        self.close(name)
    }

    /// The whole document.
    pub fn finish(mut self) -> String {
        self.out.push_str("</xml>");
        self.out
    }
}

/// Whether XML 1.0 can hold this character. <https://www.w3.org/TR/xml/#charsets>
pub fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn push_cdata(out: &mut String, text: &str) {
    if !text.contains("]]") && text.chars().all(is_allowed) {
        out.push_str(text);
        return;
    }
    for character in text.chars().filter(|character| is_allowed(*character)) {
        // Looks at what was written, because a dropped character may have stood between "]]" and ">".
        if character == '>' && out.ends_with("]]") {
            out.push_str("]]><![CDATA[");
        }
        out.push(character);
    }
}
