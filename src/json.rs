//! JSON into types, by way of [`Value`].
//!
//! `serde_json::from_str` compiles its whole parser into every type that it reads; here there is one parser, that of
//! [`Value`], and a type only picks its members out of what was parsed. That makes the Worker a quarter smaller.

mod say;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

pub(crate) use say::json;
pub use say::{Put, Say, object};

/// Reads a document. Where a member comes twice, the last one counts; a struct is read of an object only, not of a list.
///
/// # Errors
/// What is wrong with it; for whoever wrote it, because it may repeat a part of the document.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    from_value(&serde_json::from_str(text)?)
}

/// Reads what was parsed before.
///
/// # Errors
/// As for [`from_str`].
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(Node(value))
}

/// Writes a value. (That it can be printed would bring a writer of its own, with indentation.)
pub fn text(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A value of what can be written. By way of text, because a writer into [`Value`]s would be compiled once more for
/// every type.
pub fn of<T: serde::Serialize>(what: &T) -> Value {
    let text = serde_json::to_string(what).unwrap_or_default();
    value(text.as_bytes()).unwrap_or_default()
}

/// Parses a document of whatever shape.
///
/// # Errors
/// Why it is not JSON.
pub fn value(text: &[u8]) -> Result<Value, Error> {
    serde_json::from_str(std::str::from_utf8(text).map_err(|_| wrong("UTF-8"))?)
}

/// As [`from_value`], but a member of the object that the type does not have is an error.
///
/// # Errors
/// As for [`from_str`].
pub fn from_exact<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    let mut names: &[&str] = &[];
    // It always fails; what counts is whom it asked for.
    let _ = T::deserialize(Names(&mut names));
    let mut members = value.as_object().into_iter().flat_map(Map::keys);
    match members.find(|member| !names.contains(&member.as_str())) {
        Some(stranger) => Err(Error::unknown_field(stranger, names)),
        None => from_value(value),
    }
}

/// Learns the names of a struct's members.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(wrong("nothing"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(wrong("nothing"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A value that is to be read as a certain type.
#[derive(Clone, Copy)]
struct Node<'de>(&'de Value);

#[cold]
fn wrong(wanted: &str) -> Error {
    Error::custom(format_args!("expected {wanted}"))
}

impl<'de> Node<'de> {
    fn object(self) -> Result<Members<'de>, Error> {
        let object = self.0.as_object().ok_or_else(|| wrong("an object"))?;
        Ok(Members { rest: object.iter(), value: None })
    }

    /// The members that a struct has, in its order.
    fn picked<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        let object = self.0.as_object().ok_or_else(|| wrong("an object"))?;
        let mut picked = Picked { object, names: names.iter(), missing: None };
        visitor.visit_seq(&mut picked).map_err(|error| picked.explained(error))
    }

    fn text(self) -> Result<&'de str, Error> {
        self.0.as_str().ok_or_else(|| wrong("a string"))
    }

    fn list(self) -> Result<Entries<'de>, Error> {
        let list = self.0.as_array().ok_or_else(|| wrong("a list"))?;
        Ok(Entries { rest: list.iter() })
    }

    fn entries<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut entries = self.list()?;
        let read = visitor.visit_seq(&mut entries)?;
        if entries.rest.len() == 0 { Ok(read) } else { Err(wrong("fewer entries")) }
    }
}

/// These kinds of values are not told apart.
macro_rules! same {
    ($to:ident($visitor:ident): $($from:ident($($argument:ident: $kind:ty),*)),+) => {
        $(fn $from<V: Visitor<'de>>(self, $($argument: $kind,)* $visitor: V) -> Result<V::Value, Error> {
            $(let _ = $argument;)*
            self.$to($visitor)
        })+
    };
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Number(number) => match number.as_f64() {
                Some(float) if number.is_f64() => visitor.visit_f64(float),
                _ => self.deserialize_i64(visitor),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(_) => self.entries(visitor),
            Value::Object(_) => visitor.visit_map(self.object()?),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.0.as_bool().ok_or_else(|| wrong("true or false"))?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(self.0.as_u64().ok_or_else(|| wrong("a whole number"))?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.as_i64() {
            Some(number) => visitor.visit_i64(number),
            None => self.deserialize_u64(visitor),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.0.as_f64().ok_or_else(|| wrong("a number"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_unit() } else { Err(wrong("null")) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.entries(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.object()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.picked(names, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(variant(self.0)?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    same!(deserialize_u64(visitor): deserialize_u8(), deserialize_u16(), deserialize_u32());
    same!(deserialize_i64(visitor): deserialize_i8(), deserialize_i16(), deserialize_i32());
    same!(deserialize_f64(visitor): deserialize_f32());
    same!(deserialize_str(visitor): deserialize_char(), deserialize_string(), deserialize_identifier());
    same!(deserialize_seq(visitor): deserialize_bytes(), deserialize_byte_buf(), deserialize_tuple(length: usize),
        deserialize_tuple_struct(name: &'static str, length: usize));
    same!(deserialize_unit(visitor): deserialize_unit_struct(name: &'static str));
}

/// What is left of an object.
struct Members<'de> {
    rest: serde_json::map::Iter<'de>,
    value: Option<&'de Value>,
}

impl<'de> Members<'de> {
    #[inline(never)]
    fn key(&mut self) -> Option<&'de str> {
        let (key, value) = self.rest.next()?;
        self.value = Some(value);
        Some(key)
    }
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.key().map(|key| seed.deserialize(StrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Node(self.value.unwrap_or(&Value::Null)))
    }
}

/// What is left of a struct: its members one after the other, as if they were a list, which takes much less code than
/// to recognize each by its name. (So a member must have one name, no `alias`.)
struct Picked<'de> {
    object: &'de Map<String, Value>,
    names: std::slice::Iter<'static, &'static str>,
    /// The last one, if the object does not have it.
    missing: Option<&'static str>,
}

impl<'de> Picked<'de> {
    /// The next member, if the struct has one more; and in that, if the object has it.
    #[inline(never)]
    fn next(&mut self) -> Option<Option<&'de Value>> {
        let name = self.names.next()?;
        let member = self.object.get(*name);
        self.missing = member.is_none().then_some(name);
        Some(member)
    }

    /// What serde says about the length of a list means a member here.
    #[cold]
    fn explained(&self, error: Error) -> Error {
        self.missing.map_or(error, Error::missing_field)
    }
}

impl<'de> SeqAccess<'de> for &mut Picked<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(member) = self.next() else { return Ok(None) };
        let read = seed.deserialize(Node(member.unwrap_or(&Value::Null)));
        // A member that is not there is `None`, or its default, or else an error, which serde makes of this.
        if member.is_some() { read.map(Some) } else { Ok(read.ok()) }
    }
}

/// What is left of a list.
struct Entries<'de> {
    rest: std::slice::Iter<'de, Value>,
}

impl<'de> SeqAccess<'de> for &mut Entries<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.rest.next().map(|value| seed.deserialize(Node(value))).transpose()
    }
}

/// A variant of an enum: `"name"`, or `{"name": …}`.
struct Variant<'de> {
    name: &'de str,
    content: &'de Value,
}

fn variant(value: &Value) -> Result<Variant<'_>, Error> {
    let only = |object: &Map<String, Value>| object.len() == 1;
    match value {
        Value::String(name) => Ok(Variant { name, content: &Value::Null }),
        Value::Object(object) if only(object) => {
            let first = object.iter().next().map(|(name, content)| Variant { name, content });
            first.ok_or_else(|| wrong("a variant"))
        }
        _ => Err(wrong("the name of a variant, alone or with its content")),
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Node<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Node<'de>), Error> {
        Ok((seed.deserialize(StrDeserializer::<Error>::new(self.name))?, Node(self.content)))
    }
}

impl<'de> VariantAccess<'de> for Node<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.0.is_null() { Ok(()) } else { Err(wrong("nothing")) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.entries(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.picked(names, visitor)
    }
}
