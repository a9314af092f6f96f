//! `json!`, as `serde_json` has it, in a quarter of the code: a value is made by one function for each kind of thing, and
//! an object by one function for all.

use serde_json::{Map, Value};

/// What has a value. A type that is only serialized has one by way of [`super::of`].
pub trait Say {
    /// Its value.
    fn value(&self) -> Value;
}

impl Say for str {
    #[inline(never)]
    fn value(&self) -> Value {
        Value::String(self.to_owned())
    }
}

impl Say for String {
    fn value(&self) -> Value {
        self.as_str().value()
    }
}

impl Say for Value {
    fn value(&self) -> Value {
        self.clone()
    }
}

impl Say for Map<String, Value> {
    fn value(&self) -> Value {
        Value::Object(self.clone())
    }
}

impl<T: Say + ?Sized> Say for &T {
    fn value(&self) -> Value {
        (**self).value()
    }
}

impl<T: Say> Say for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Say::value)
    }
}

impl<T: Say> Say for [T] {
    fn value(&self) -> Value {
        let mut all = Vec::with_capacity(self.len());
        for one in self {
            all.push(one.value());
        }
        Value::Array(all)
    }
}

impl<T: Say> Say for Vec<T> {
    fn value(&self) -> Value {
        self.as_slice().value()
    }
}

impl<T: Say, const N: usize> Say for [T; N] {
    fn value(&self) -> Value {
        self.as_slice().value()
    }
}

macro_rules! plain {
    ($($kind:ty),+) => { $(impl Say for $kind {
        fn value(&self) -> Value {
            Value::from(*self)
        }
    })+ };
}

plain!(bool, u8, u16, u32, u64, usize, i32, i64);

/// What members are put into.
pub trait Put {
    /// Puts a member, in place of the one before.
    fn put(&mut self, name: &str, value: Value);
}

impl Put for Map<String, Value> {
    #[inline(never)]
    fn put(&mut self, name: &str, value: Value) {
        self.insert(name.to_owned(), value);
    }
}

/// An object of these members, which are taken out.
#[inline(never)]
pub fn gather(members: &mut [(&str, Value)]) -> Value {
    let mut object = Map::new();
    for (name, value) in members {
        object.put(name, value.take());
    }
    Value::Object(object)
}

/// An object of these members.
#[inline(always)]
pub fn object<const N: usize>(mut members: [(&str, Value); N]) -> Value {
    let object = gather(&mut members);
    // Only nulls are left, of which there is nothing to free.
    std::mem::forget(members);
    object
}

/// A [`Value`]. The name of a member that is more than one word stands in parentheses.
macro_rules! json {
    (@object [$($done:tt)*]) => { $crate::json::object([$($done)*]) };
    (@object [$($done:tt)*] $name:tt : null $(, $($rest:tt)*)?) => {
        $crate::json::json!(@object [$($done)* ($name, ::serde_json::Value::Null),] $($($rest)*)?)
    };
    (@object [$($done:tt)*] $name:tt : { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $crate::json::json!(@object [$($done)* ($name, $crate::json::json!({ $($inner)* })),] $($($rest)*)?)
    };
    (@object [$($done:tt)*] $name:tt : [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::json::json!(@object [$($done)* ($name, $crate::json::json!([ $($inner)* ])),] $($($rest)*)?)
    };
    (@object [$($done:tt)*] $name:tt : $value:expr $(, $($rest:tt)*)?) => {
        $crate::json::json!(@object [$($done)* ($name, $crate::json::json!($value)),] $($($rest)*)?)
    };
    (null) => { ::serde_json::Value::Null };
    ([ $($item:tt),* $(,)? ]) => { ::serde_json::Value::Array(vec![$($crate::json::json!($item)),*]) };
    ([ $($item:expr),* $(,)? ]) => { ::serde_json::Value::Array(vec![$($crate::json::json!($item)),*]) };
    ({}) => { ::serde_json::Value::Object(::serde_json::Map::new()) };
    ({ $($members:tt)+ }) => { $crate::json::json!(@object [] $($members)+) };
    ($value:expr) => { $crate::json::Say::value(&$value) };
}
pub(crate) use json;
