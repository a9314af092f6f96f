//! One user's conversation: the delayed-reply machine, commands, history, paging, prompts.
//!
//! Pure: no I/O, and time is an argument. Read [`turn`] first; it is the machine. [`state`] is what it
//! stores, [`intent`] what a message means to it, [`rule`] what the operator wants said instead, [`human`] when a person
//! answers. [`thread`] is a conversation of the Mini Program's API, [`window`] the chat with its customer service.

pub mod cache;
pub mod clean;
pub mod command;
pub mod count;
pub mod history;
pub mod human;
pub mod intent;
pub mod kin;
pub mod live;
pub mod model;
pub mod paging;
pub mod prompt;
pub mod push;
pub mod reading;
pub mod rule;
pub mod state;
pub mod text;
pub mod thread;
pub mod turn;
pub mod window;
