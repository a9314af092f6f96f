//! WeChat's documents as a small tree: XML from Official Accounts, XML or JSON from Mini Programs.
//!
//! Message types and events differ in fields, not in shape, so one tree serves all of them; [`XmlWriter`] is the
//! way back. Nothing here trusts its input: entities, depth and size are bounded.

mod encrypt;
mod json;
mod write;

pub use encrypt::find_encrypt;
pub use json::{JsonError, parse_json};
pub use write::{XmlWriter, is_allowed};

use quick_xml::events::{BytesRef, Event};
use quick_xml::{Reader, XmlVersion};
use std::fmt;

/// Deepest nesting of any WeChat document is 5; the rest is somebody playing.
pub(crate) const MAX_DEPTH: usize = 16;
/// The largest real push (a mass-send result with 8 articles) has under 150 elements.
pub(crate) const MAX_ELEMENTS: usize = 2000;

/// An element with its text and its children, in document order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    name: String,
    text: String,
    children: Vec<Fields>,
}

impl Fields {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The element's name; `xml` for the document.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The element's own text without the blanks around it: WeChat's samples pad some values.
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// All children.
    pub fn all(&self) -> &[Fields] {
        &self.children
    }

    /// The first child with this name; names compare exactly.
    pub fn child(&self, name: &str) -> Option<&Fields> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every child with this name: a list of one and a list of many look the same.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Fields> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text of the first child with this name; empty if the element is.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.child(name).map(Fields::text)
    }

    /// Like [`get`](Self::get), but absent when empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|text| !text.is_empty())
    }

    /// The text of a child, or an empty one.
    pub fn owned(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// The text of a child that is there and not empty.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.filled(name).map(str::to_owned)
    }

    /// A child's text as a number; absent when it is not one.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.filled(name)?.parse().ok()
    }
}

/// Why a document was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// Not well-formed, or more than one root.
    Malformed,
    /// The root is not `<xml>`.
    Root,
    /// A document type, the door to entity attacks.
    DocType,
    /// An entity beyond the five predefined ones, or a reference to a character that XML forbids.
    Entity,
    /// More than 16 levels.
    TooDeep,
    /// More than 2000 elements.
    TooMany,
}

impl fmt::Display for XmlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the XML is not well-formed",
            Self::Root => "the XML document's root is not <xml>",
            Self::DocType => "the XML document has a DOCTYPE",
            Self::Entity => "the XML document uses a forbidden entity",
            Self::TooDeep => "the XML document is nested too deeply",
            Self::TooMany => "the XML document has too many elements",
        })
    }
}

impl std::error::Error for XmlError {}

/// Reads a document with the root `<xml>`. CDATA and text are the same, attributes and comments are ignored.
///
/// # Errors
/// Whatever is not plain, small, well-formed XML: see [`XmlError`].
pub fn parse_xml(document: &str) -> Result<Fields, XmlError> {
    let mut reader = Reader::from_str(document.trim_start_matches('\u{feff}'));
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Start(tag) => tree.open(tag.name().into_inner())?,
            Event::End(_) => tree.close(),
            Event::Empty(tag) => {
                tree.open(tag.name().into_inner())?;
                tree.close();
            }
            Event::Text(text) => tree.text(&text.xml_content(XmlVersion::Implicit1_0))?,
            Event::CData(text) => tree.data(&text.xml_content(XmlVersion::Implicit1_0))?,
            Event::GeneralRef(reference) => tree.data(resolve(&reference)?.encode_utf8(&mut [0; 4]))?,
            Event::DocType(_) => return Err(XmlError::DocType),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    let found = match reference.resolve_char_ref().map_err(|_| XmlError::Entity)? {
        Some(character) => character,
        None => match &**reference {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            _ => return Err(XmlError::Entity),
        },
    };
    if is_allowed(found) { Ok(found) } else { Err(XmlError::Entity) }
}

/// What a name may begin with: <https://www.w3.org/TR/xml/#NT-NameStartChar>, without the colon.
fn begins_name(first: char) -> bool {
    matches!(first, 'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// The elements that are still open, outermost first, and the root once it is closed.
#[derive(Default)]
struct Tree {
    open: Vec<Fields>,
    root: Option<Fields>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, name: &str) -> Result<(), XmlError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(XmlError::TooMany);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooDeep);
        }
        if self.root.is_some() || !name.starts_with(begins_name) {
            return Err(XmlError::Malformed);
        }
        if self.open.is_empty() && name != "xml" {
            return Err(XmlError::Root);
        }
        self.open.push(Fields::new(name));
        Ok(())
    }

    fn close(&mut self) {
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    /// Text between tags: outside the root only blanks may stand.
    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        if self.open.is_empty() && text.trim().is_empty() { Ok(()) } else { self.data(text) }
    }

    fn data(&mut self, text: &str) -> Result<(), XmlError> {
        self.open.last_mut().ok_or(XmlError::Malformed)?.text.push_str(text);
        Ok(())
    }

    fn finish(self) -> Result<Fields, XmlError> {
        if self.open.is_empty() { self.root.ok_or(XmlError::Malformed) } else { Err(XmlError::Malformed) }
    }
}
