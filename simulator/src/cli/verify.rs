//! `wx-sim verify`: a check list for a callback URL.

use std::sync::Arc;

use clap::Args;

use super::confirm::confirmed_hosts;
use super::vars::Vars;
use super::{Ending, Trouble, Voice, words};
use crate::account::Account;
use crate::clock::Clock;
use crate::control::Refused;
use crate::control::send::no_key;
use crate::http::Target;
use crate::push::envelope::{self, Format, Mode};
use crate::verify::{Finding, Obstacle, Verification, verify};

#[derive(Debug, Args)]
pub struct Verify {
    /// The callback URL
    url: Target,
    /// Encryption, as chosen in the console [default: aes with ENCODING_AES_KEY, else plain]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// It is the Mini Program's, with MINI_TOKEN, MINI_ENCODING_AES_KEY and MINI_APP_ID
    #[arg(long)]
    mini: bool,
    /// The notation of the Mini Program's messages, as chosen in the console
    #[arg(long, value_enum, default_value = "xml", requires = "mini")]
    format: Format,
    #[command(flatten)]
    vars: Vars,
    /// Check a callback on another machine, after you have typed its name
    #[arg(long)]
    allow_remote: bool,
}

impl Verify {
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let account = self.account()?;
        confirmed_hosts(&self.url, self.allow_remote)?;
        let mode = self.mode.unwrap_or_else(|| envelope::default_mode(&account));
        let wall_ms = Clock::default().wall_ms();
        let order = Verification { account: &account, target: &self.url, mode, format: self.format, wall_ms };
        let findings = verify(&order).await.map_err(|obstacle| match obstacle {
            Obstacle::NoKey => {
                let Refused(_, why) = no_key(account.app);
                Trouble(why)
            }
            Obstacle::Unreachable(why) => Trouble(format!("no connection to {}: {why}", self.url)),
        })?;
        voice.say(&format!(
            "{}  {}",
            voice.paint.bold(&self.url.to_string()),
            voice.paint.dim(&format!("{mode:?}").to_lowercase())
        ));
        for finding in &findings {
            let line = match finding {
                Finding::Checked(check) => words::check_line(voice, check),
                Finding::Skipped(rule) => words::skipped_line(voice, rule),
            };
            voice.say(&format!("  {line}"));
        }
        let broken = |finding: &&Finding| matches!(finding, Finding::Checked(check) if !check.ok);
        let skipped = |finding: &&Finding| matches!(finding, Finding::Skipped(_));
        let (broken, skipped) =
            (findings.iter().filter(broken).count(), findings.iter().filter(skipped).count());
        voice.say(&summary(voice, findings.len(), broken, skipped));
        if broken == 0 { Ok(Ending::Good) } else { Ok(Ending::Bad) }
    }
}

impl Verify {
    fn account(&self) -> Result<Arc<Account>, Trouble> {
        let account = self.vars.account()?;
        let account = if self.mini { account.as_mini() } else { Some(account) };
        account.map(Arc::new).ok_or_else(|| Trouble("MINI_TOKEN and MINI_APP_ID are not set".to_owned()))
    }
}

fn summary(Voice { lang, paint }: Voice, total: usize, broken: usize, skipped: usize) -> String {
    let kept = total - broken - skipped;
    let mut line = lang.pick(format!("{total} 项中通过 {kept} 项"), format!("{kept} of {total} passed"));
    if skipped > 0 {
        line += &lang.pick(format!("，跳过 {skipped} 项"), format!(", {skipped} skipped"));
    }
    if broken == 0 { paint.green(&line) } else { paint.red(&line) }
}
