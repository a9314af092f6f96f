//! A stand-in for the model, behind two protocols: OpenAI's and Cloudflare's `AI` binding.
//!
//! A request becomes a `Question`; the desk's rules turn it into a `Plan` (what to say, how slowly, how to fail);
//! `serve` carries the plan out and writes it in the caller's protocol.

mod answer;
mod desk;
mod directives;
mod openai;
mod question;
mod rules;
mod serve;
mod workers_ai;

pub use desk::{Desk, ModelCall};
pub use openai::{chat_completions, transcriptions};
pub use question::Question;
pub use rules::{Always, Rule};
pub use workers_ai::workers_ai;
