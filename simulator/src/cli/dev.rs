//! `wx-sim dev`: the server.

use std::fs;
use std::io::{ErrorKind, IsTerminal, Write, stdout};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::confirm::confirmed_hosts;
use super::vars::Vars;
use super::{Ending, Trouble, Voice};
use crate::http::Target;
use crate::platform::AccountType;
use crate::scenario;
use crate::seed::Seed;
use crate::server::serve;
use crate::state::{Options, Sim};

/// The port at which the other commands look for a running server.
pub const PORT: u16 = 8788;
/// Where a Worker under `wrangler dev` has its callback.
pub const TARGET: &str = "http://127.0.0.1:8787/wechat";

#[derive(Debug, Args)]
pub struct Dev {
    /// The port on 127.0.0.1; 0 for any free one
    #[arg(long, default_value_t = PORT)]
    port: u16,
    /// Your callback URL
    #[arg(long, value_name = "URL", default_value = TARGET)]
    target: Target,
    /// The callback URL of your Mini Program [default: that of the account with /mini behind it]
    #[arg(long, value_name = "URL")]
    mini_target: Option<Target>,
    /// The account and its Mini Program are not bound to one Open Platform account: nobody has a unionid
    #[arg(long)]
    unbound: bool,
    #[command(flatten)]
    vars: Vars,
    /// What the account may do; the rest answers 48001 [default: that of the seed, else service]
    #[arg(long, value_enum)]
    account: Option<AccountType>,
    /// Who and what is there at the start, and after a reset [default: xiaoming, ahua and bob]
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Let messages go to the target on another machine, after you have typed its name
    #[arg(long)]
    allow_remote: bool,
}

impl Dev {
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let account = self.vars.account()?;
        let mut seed = self.seed.as_deref().map(read_seed).transpose()?.unwrap_or_else(Seed::cast);
        if self.account.is_some() {
            seed.account.get_or_insert_default().account_type = self.account;
        }
        let mut hosts = Vec::new();
        for target in std::iter::once(&self.target).chain(&self.mini_target) {
            // Without the flag, the platform and the model are there, and every message is refused.
            let asks = target.is_loopback() || self.allow_remote;
            if asks && !hosts.iter().any(|host| host == target.host()) {
                hosts.extend(confirmed_hosts(target, self.allow_remote)?);
            }
        }
        let options = Options {
            target: Some(self.target),
            mini_target: self.mini_target,
            unbound: self.unbound,
            confirmed_hosts: hosts,
            seed,
        };
        let listener = listen(self.port).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let sim = Arc::new(Sim::new(account, options, base_url.clone()));
        sim.sow().map_err(|why| Trouble(format!("seed: {why}")))?;
        // Scripts wait for this line, and read the port from it.
        voice.say(&format!("wx-sim listening on {base_url}"));
        if stdout().is_terminal() {
            voice.say(&format!("  WECHAT_API_BASE={base_url}  AI_BASE_URL={base_url}/v1"));
            voice.say("  wx-sim send 你好");
        }
        stdout().flush()?;
        serve(listener, sim).await;
        Ok(Ending::Good)
    }
}

fn read_seed(file: &Path) -> Result<Seed, Trouble> {
    let fault = |why: String| Trouble(format!("{}: {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| fault(error.to_string()))?;
    scenario::read(&text).map_err(|error| fault(error.to_string()))
}

/// Loopback only: whoever reaches the control API can speak for any user.
pub async fn listen(port: u16) -> Result<TcpListener, Trouble> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    listener.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => Trouble(format!(
            "127.0.0.1:{port} is taken, maybe by another wx-sim: choose one with --port, or 0 for any free port"
        )),
        _ => Trouble(format!("127.0.0.1:{port}: {error}")),
    })
}
