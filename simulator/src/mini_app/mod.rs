//! The account's Mini Program, as it runs in people's phones: it logs in at the server, chats through its API, and shows
//! what comes of it. Its page is part of the simulator's; the requests are made here, as a phone makes them.
//!
//! - `deed`: what a person does in it; `report`: what came of that.
//! - `panel`: what their phone shows.
//! - `carry`: doing it; `chat`: a message and its answer.
//! - `wire`: requests, noted in the journal; `events`: the stream in which an answer comes.

mod carry;
mod chat;
mod deed;
mod events;
mod panel;
mod report;
mod wire;

pub use carry::carry_out;
pub use deed::{Call, Deed, LoginWith, Say};
pub use events::Reader;
pub use panel::{Message, Panel, Panels};
pub use report::{Outcome, Report};
