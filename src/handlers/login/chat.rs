//! The part of a login that happens in the chat.
