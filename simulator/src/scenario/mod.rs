//! Scenarios: what people do with an account and what must come of it, as data that a person can write.
//!
//! - `format`, `expect`: what a file may say; `brief`: short forms. `scenarios/schema.json` says the same to editors.
//! - `parse`: reading a file; whatever is wrong with it is said with the place.
//! - `vars`: `${name}`, and keeping parts of answers for later steps.
//! - `run`: doing it; `judge`, `later`: comparing what came with what was expected, at once or when it comes.
//! - `shared`: what scenarios of one server share, and how they keep out of each other's way.

mod act;
mod brief;
mod expect;
mod format;
mod judge;
mod later;
mod parse;
mod result;
mod run;
#[cfg(test)]
mod schema;
mod shared;
mod vars;

pub use brief::{Brief, FromText, Texts};
pub use expect::{Expect, MessageRule, Shown, TextRule};
pub use format::{Scenario, Step};
pub use judge::text_of;
pub use parse::read;
#[cfg(test)]
pub use result::Miss;
pub use result::{Outcome, RunResult, StepResult};
pub use run::{RunRequest, is_of_a_run, run};
