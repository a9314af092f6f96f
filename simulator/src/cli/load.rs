//! `wx-sim load`: the load generator.

use std::time::Duration;

use clap::Args;

use super::dev::TARGET;
use super::vars::Vars;
use super::{Ending, Trouble};
use crate::http::Target;
use crate::load::{Kind, LONGEST_S, MOST_CONNECTIONS, MOST_REQUESTS, Plan, run};
use crate::push::envelope::{self, Mode};

#[derive(Debug, Args)]
pub struct Load {
    /// The callback URL, on this machine
    #[arg(long, value_name = "URL", default_value = TARGET)]
    target: Target,
    /// What is asked
    #[arg(long, value_enum, default_value = "text")]
    kind: Kind,
    /// Encryption [default: aes with ENCODING_AES_KEY, else plain]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// Kept-alive connections, each with one request at a time
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Requests at most [default: 10000; with --duration, 2000000]
    #[arg(long)]
    requests: Option<u64>,
    /// Users, taking turns
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    users: u64,
    /// Seconds at most
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=LONGEST_S))]
    duration: Option<u64>,
    /// Milliseconds that each connection rests between an answer and its next request
    #[arg(long, value_name = "MS", default_value_t = 0)]
    think: u64,
    #[command(flatten)]
    vars: Vars,
}

impl Load {
    /// Prints one line of JSON; errors and wrong answers make the command fail.
    pub async fn run(self) -> Result<Ending, Trouble> {
        if !self.target.is_loopback() {
            return Err(Trouble(format!("{} is not on this machine", self.target)));
        }
        let default_requests = if self.duration.is_some() { MOST_REQUESTS } else { 10_000 };
        let requests = self.requests.unwrap_or(default_requests);
        if !(1..=MOST_REQUESTS).contains(&requests) || !(1..=MOST_CONNECTIONS).contains(&self.connections) {
            let bounds = format!("--requests is 1 to {MOST_REQUESTS}, --connections 1 to {MOST_CONNECTIONS}");
            return Err(Trouble(bounds));
        }
        let account = self.vars.account()?;
        let plan = Plan {
            mode: self.mode.unwrap_or_else(|| envelope::default_mode(&account)),
            account,
            target: self.target,
            kind: self.kind,
            connections: self.connections,
            requests,
            users: self.users,
            duration: Duration::from_secs(self.duration.unwrap_or(LONGEST_S)),
            think: Duration::from_millis(self.think),
        };
        let summary =
            run(&plan).await.map_err(|_| Trouble("compat and aes mode need ENCODING_AES_KEY".to_owned()))?;
        println!("{}", serde_json::to_string(&summary)?);
        if summary.errors + summary.wrong == 0 { Ok(Ending::Good) } else { Ok(Ending::Bad) }
    }
}
