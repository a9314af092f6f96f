//! `wx-sim record`: what is done at a running server becomes a scenario.

use std::fs;
use std::io::stdin;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::client::Client;
use super::{Ending, Trouble, Voice};
use crate::control::record::Recorded;

#[derive(Debug, Args)]
pub struct Record {
    /// Where to write the scenario; it is printed without this
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The port of the running `wx-sim dev` [default: 8788]
    #[arg(long)]
    port: Option<u16>,
}

impl Record {
    /// Records until Enter or Ctrl-C.
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let client = Client::find(self.port).await?;
        let _: Value = client.post("/_sim/record", &json!({ "on": true })).await?;
        eprintln!("{}", voice.lang.pick("正在录制；按回车结束", "recording; press Enter to end"));
        // The thread that reads may wait for ever: it ends with the program.
        let enter = tokio::task::spawn_blocking(|| stdin().read_line(&mut String::new()));
        tokio::select! {
            _ = enter => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        let Recorded { mut scenario } = client.post("/_sim/record", &json!({ "on": false })).await?;
        if scenario.steps.is_empty() {
            return Err(Trouble("nothing was done".to_owned()));
        }
        let stem = self.out.as_ref().and_then(|out| out.file_stem()).map(|stem| stem.to_string_lossy());
        if let Some(stem) = stem {
            scenario.name = stem.into_owned();
        }
        let text = format!("{}\n", serde_json::to_string_pretty(&scenario)?);
        match &self.out {
            Some(out) => {
                fs::write(out, text).map_err(|error| Trouble(format!("{}: {error}", out.display())))?
            }
            None => voice.say(text.trim_end()),
        }
        Ok(Ending::Good)
    }
}
