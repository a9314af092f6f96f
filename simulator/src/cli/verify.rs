//! `wx-sim verify`: a check list for a callback URL.

use clap::Args;

use super::vars::Vars;
use super::{Ending, Trouble, Voice, words};
use crate::clock::Clock;
use crate::http::Target;
use crate::push::envelope::{self, Mode};
use crate::verify::{Verification, verify};

#[derive(Debug, Args)]
pub struct Verify {
    /// The callback URL
    url: Target,
    /// Encryption, as chosen in the console [default: aes with ENCODING_AES_KEY, else plain]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    #[command(flatten)]
    vars: Vars,
    /// Check a callback on another machine
    #[arg(long)]
    allow_remote: bool,
}

impl Verify {
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let account = self.vars.account()?;
        if !self.url.is_loopback() && !self.allow_remote {
            return Err(Trouble(format!(
                "{} is not on this machine: --allow-remote if you mean it",
                self.url
            )));
        }
        let mode = self.mode.unwrap_or_else(|| envelope::default_mode(&account));
        let wall_ms = Clock::default().wall_ms();
        let order = Verification { account: &account, target: &self.url, mode, wall_ms };
        let checks = verify(&order)
            .await
            .map_err(|_| Trouble("compat and aes mode need ENCODING_AES_KEY".to_owned()))?;
        if let Some(check) = checks.iter().find(|check| check.rule == "reachable") {
            return Err(Trouble(format!("no connection to {}: {}", self.url, check.detail)));
        }
        println!(
            "{}  {}",
            voice.paint.bold(&self.url.to_string()),
            voice.paint.dim(&format!("{mode:?}").to_lowercase())
        );
        for check in &checks {
            println!("  {}", words::check_line(voice, check));
        }
        let broken = checks.iter().filter(|check| !check.ok).count();
        println!("{}", summary(voice, broken, checks.len()));
        if broken == 0 { Ok(Ending::Good) } else { Ok(Ending::Bad) }
    }
}

fn summary(Voice { lang, paint }: Voice, broken: usize, total: usize) -> String {
    let kept = total - broken;
    let line = lang.pick(format!("{total} 项中通过 {kept} 项"), format!("{kept} of {total} passed"));
    if broken == 0 { paint.green(&line) } else { paint.red(&line) }
}
