//! Proving who scanned: an attempt to log in to a website, and the tokens that follow from it. Pure: time, random
//! bytes and configuration are arguments.
//!
//! Reading order: [`client`] and [`request`] say who asks for what; [`method`] says how a person can answer;
//! [`session`] is one attempt from its first page to the code that the website redeems; [`subject`], [`token`] and
//! [`keys`] make of it what the website gets. [`words`], [`desk`] and [`text`] are the part that happens in the chat,
//! [`page`] the part that happens in browsers. [`mini`] stands apart: the sessions of the Mini Program's users.
//!
//! Four words: an *attempt* is one [`session::Session`]; `login`, where it is a text, is the attempt's name ([`id`]);
//! a *handle* is what a cookie holds; a *code* is what a person sends or types ([`code`]), or what a website redeems.

pub mod agent;
pub mod client;
pub mod code;
pub mod desk;
pub mod github;
pub mod id;
pub mod keys;
pub mod method;
pub mod mini;
pub mod origin;
pub mod page;
pub mod params;
pub mod request;
pub mod session;
pub mod subject;
pub mod text;
pub mod throttle;
pub mod token;
pub mod words;

pub use crate::digest::{Digest, base64url, from_base64url};
