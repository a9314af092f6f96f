//! Host tests: features are tested through `route()`, formats through their vectors.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod chat;
mod world;
