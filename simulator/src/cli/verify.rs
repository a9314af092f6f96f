//! `wx-sim verify`: a check list for a callback URL.

use clap::Args;

use super::confirm::confirmed_hosts;
use super::vars::Vars;
use super::{Ending, Trouble, Voice, words};
use crate::clock::Clock;
use crate::http::Target;
use crate::push::envelope::{self, Mode};
use crate::verify::{Finding, Obstacle, Verification, verify};

#[derive(Debug, Args)]
pub struct Verify {
    /// The callback URL
    url: Target,
    /// Encryption, as chosen in the console [default: aes with ENCODING_AES_KEY, else plain]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    #[command(flatten)]
    vars: Vars,
    /// Check a callback on another machine, after you have typed its name
    #[arg(long)]
    allow_remote: bool,
}

impl Verify {
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let account = self.vars.account()?;
        confirmed_hosts(&self.url, self.allow_remote)?;
        let mode = self.mode.unwrap_or_else(|| envelope::default_mode(&account));
        let wall_ms = Clock::default().wall_ms();
        let order = Verification { account: &account, target: &self.url, mode, wall_ms };
        let findings = verify(&order).await.map_err(|obstacle| match obstacle {
            Obstacle::NoKey => Trouble("compat and aes mode need ENCODING_AES_KEY".to_owned()),
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

fn summary(Voice { lang, paint }: Voice, total: usize, broken: usize, skipped: usize) -> String {
    let kept = total - broken - skipped;
    let mut line = lang.pick(format!("{total} 项中通过 {kept} 项"), format!("{kept} of {total} passed"));
    if skipped > 0 {
        line += &lang.pick(format!("，跳过 {skipped} 项"), format!(", {skipped} skipped"));
    }
    if broken == 0 { paint.green(&line) } else { paint.red(&line) }
}
