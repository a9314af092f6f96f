//! Where the command line finds the account's settings.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use clap::Args;

use super::Trouble;
use crate::account::{Account, parse_vars};

/// The file that wrangler reads, too.
const DEFAULT_FILE: &str = ".dev.vars";

#[derive(Debug, Clone, Args)]
pub struct Vars {
    /// A file of NAME=value lines with WECHAT_TOKEN, APP_ID, APP_SECRET and ENCODING_AES_KEY, and MINI_… and OPEN_… for
    /// its Mini Program and its website; what it lacks is taken from the environment [default: .dev.vars, if there]
    #[arg(long, value_name = "FILE")]
    vars: Option<PathBuf>,
}

impl Vars {
    /// The account, from the file and, for what it lacks, the environment.
    pub fn account(&self) -> Result<Account, Trouble> {
        let file = self.vars.clone().unwrap_or_else(|| DEFAULT_FILE.into());
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && self.vars.is_none() => String::new(),
            Err(error) => return Err(Trouble(format!("{}: {error}", file.display()))),
        };
        let vars = parse_vars(&text);
        let in_file = |name: &str| vars.iter().find(|pair| pair.0 == name).map(|pair| pair.1.clone());
        Ok(Account::from_settings(|name| in_file(name).or_else(|| std::env::var(name).ok()))?)
    }
}
