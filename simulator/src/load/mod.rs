//! A load generator for benchmarks: kept-alive connections, every request made and signed beforehand, every answer
//! checked afterwards, so that little of its own work lies between two requests.

mod ammunition;
mod run;

use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use crate::account::Account;
use crate::http::Target;
use crate::push::envelope::Mode;

pub use run::run;

/// Most requests of one run.
pub const MOST_REQUESTS: u64 = 2_000_000;
/// The longest run, in seconds.
pub const LONGEST_S: u64 = 120;
/// Most connections.
pub const MOST_CONNECTIONS: usize = 20_000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// URL verifications: the echostr must come back.
    Verify,
    /// Text messages: the reply must hold the question's own marker.
    Text,
    /// Events (VIEW): any answer that is not empty is right.
    Event,
}

/// A run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The account whose users write.
    pub account: Account,
    /// The callback URL.
    pub target: Target,
    /// What is asked.
    pub kind: Kind,
    /// How it is sealed.
    pub mode: Mode,
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// Requests at most.
    pub requests: u64,
    /// Users, taking turns.
    pub users: u64,
    /// Time at most.
    pub duration: Duration,
    /// How long each connection rests between an answer and its next request.
    pub think: Duration,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Requests sent.
    pub requests: u64,
    /// Requests without an answer in 5 s, or with a status other than 200.
    pub errors: u64,
    /// Answers with status 200 and the wrong content.
    pub wrong: u64,
    /// Seconds that requests were under way.
    pub seconds: f64,
    /// Requests per second.
    pub rps: f64,
    /// The median latency in milliseconds.
    pub p50_ms: f64,
    /// 90 % of the answers came faster.
    pub p90_ms: f64,
    /// 99 % of the answers came faster.
    pub p99_ms: f64,
    /// The slowest answer.
    pub max_ms: f64,
}
