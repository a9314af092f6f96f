//! JSON messages of Mini Programs, read into the same tree as XML.

use super::{Fields, MAX_DEPTH, MAX_ELEMENTS};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The text is not a JSON object, or it is nested too deeply or too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError;

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the document is not a JSON object, or too deep or too large")
    }
}

impl std::error::Error for JsonError {}

/// Reads a JSON object. Members become elements, numbers become their text (64-bit ones exactly), and an array
/// becomes repeated elements: a `List` is an object when it has one entry and an array when it has several.
///
/// # Errors
/// Anything that is not one JSON object, more than 16 levels, or more than 2000 values.
pub fn parse_json(document: &str) -> Result<Fields, JsonError> {
    let document = document.trim_start_matches('\u{feff}').trim_start();
    if !document.starts_with('{') {
        return Err(JsonError);
    }
    let mut root = Fields::default();
    let mut elements = 0;
    let mut reader = serde_json::Deserializer::from_str(document);
    Node { parent: &mut root, name: "xml", depth: 0, elements: &mut elements }
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|_| JsonError)?;
    root.children.pop().ok_or(JsonError)
}

/// One value on its way into `parent`, under `name`.
struct Node<'a> {
    parent: &'a mut Fields,
    name: &'a str,
    depth: usize,
    elements: &'a mut usize,
}

impl Node<'_> {
    fn add<E: Error>(self, text: String, children: Vec<Fields>) -> Result<(), E> {
        *self.elements += 1;
        if *self.elements > MAX_ELEMENTS {
            return Err(E::custom("too many values"));
        }
        self.parent.children.push(Fields { name: self.name.to_owned(), text, children });
        Ok(())
    }

    fn deeper<E: Error>(&self) -> Result<usize, E> {
        if self.depth < MAX_DEPTH { Ok(self.depth + 1) } else { Err(E::custom("too deep")) }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.add(text.to_owned(), Vec::new())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.add(number.to_string(), Vec::new())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.add(number.to_string(), Vec::new())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        // As serde_json writes it, which brings no second printer of fractions.
        let text = serde_json::to_string(&number).unwrap_or_default();
        self.add(text.strip_suffix(".0").unwrap_or(&text).to_owned(), Vec::new())
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        self.add(truth.to_string(), Vec::new())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.add(String::new(), Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        let Self { parent, name, elements, .. } = self;
        while entries.next_element_seed(Node { parent, name, depth, elements })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        let mut inner = Fields::default();
        while let Some(name) = members.next_key::<String>()? {
            members.next_value_seed(Node {
                parent: &mut inner,
                name: &name,
                depth,
                elements: self.elements,
            })?;
        }
        self.add(String::new(), inner.children)
    }
}
