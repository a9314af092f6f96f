//! Bodies that are passed on as they come.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

/// A body that this Worker passes on without reading it.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its bytes as `Content-Length` has them; `None` if it was not said.
    pub length: Option<u64>,
    /// The body.
    pub body: Opaque,
}

/// What only the runtime can look into.
#[derive(Clone)]
pub struct Opaque(pub Rc<dyn Any>);

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque")
    }
}

impl PartialEq for Opaque {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Opaque {}

/// A body that comes from somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Its `Content-Type`.
    pub content_type: String,
    /// What was read of it already.
    pub first: Vec<u8>,
    /// The rest, a [`super::Platform::Body`]; `None` if there is none.
    pub rest: Option<Opaque>,
}
