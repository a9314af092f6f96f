//! `wx-sim run`: scenarios, one after another or some at a time, with a report for people and one for machines.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::client::Client;
use super::confirm::confirmed_hosts;
use super::dev::TARGET;
use super::vars::Vars;
use super::{Ending, Trouble, Voice, junit, report};
use crate::http::Target;
use crate::push::envelope::Mode;
use crate::scenario::{Outcome, RunRequest, RunResult, Scenario};
use crate::state::Options;

#[derive(Debug, Args)]
pub struct Run {
    /// Scenarios: JSON files, and folders of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write a report in JUnit's XML, as CI servers read it
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Your callback URL [default: that of the running `wx-sim dev`, else http://127.0.0.1:8787/wechat]
    #[arg(long, value_name = "URL")]
    target: Option<Target>,
    /// Encryption where a scenario says nothing [default: aes with ENCODING_AES_KEY, else plain]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// The port of a running `wx-sim dev`; 0: do all by itself [default: 8788 if one runs there, else 0]
    #[arg(long)]
    port: Option<u16>,
    /// How many scenarios run at a time; those that change what all share run alone in any case
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    jobs: u16,
    /// Show every step, not only those that fail
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    vars: Vars,
    /// Let messages go to another machine, after you have typed its name
    #[arg(long)]
    allow_remote: bool,
}

/// A scenario that was run, and the file that it comes from.
#[derive(Debug)]
pub struct Ran {
    /// The file.
    pub file: PathBuf,
    /// What came of it; or why it could not be run.
    pub result: Result<RunResult, String>,
    /// The scenario's name.
    pub name: String,
}

impl Run {
    /// 1. Reads every file. 2. Finds a server. 3. Runs them. 4. Says how they went. 5. Writes the report.
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let mut scenarios = read_all(&self.files)?;
        // Whoever must run alone waits for all others, and would make those wait that come later.
        scenarios.sort_by_key(|(_, scenario)| scenario.is_alone());
        let options = || {
            let default: Target = TARGET.parse()?;
            let target = self.target.clone().unwrap_or(default);
            let confirmed_hosts = confirmed_hosts(&target, self.allow_remote)?;
            Ok(Options { target: Some(target), confirmed_hosts, ..Options::default() })
        };
        let client = Arc::new(Client::find_or_start(self.port, &self.vars, options).await?);
        let runs =
            scenarios.into_iter().map(|(file, scenario)| self.one(Arc::clone(&client), file, scenario));
        let mut results = stream::iter(runs).buffered(self.jobs.into());
        let mut all = Vec::new();
        while let Some(ran) = results.next().await {
            report::ran(voice, &ran, self.verbose);
            all.push(ran);
        }
        report::ran_all(voice, &all);
        if let Some(file) = &self.junit {
            fs::write(file, junit::write(&all))
                .map_err(|error| Trouble(format!("{}: {error}", file.display())))?;
        }
        ending(&all)
    }

    async fn one(&self, client: Arc<Client>, file: PathBuf, scenario: Scenario) -> Ran {
        let name = scenario.name.clone();
        let target = self.target.as_ref().map(ToString::to_string);
        let request = RunRequest { scenario, target, mode: self.mode };
        let result = client.post("/_sim/run", &request).await.map_err(|Trouble(why)| why);
        Ran { file, result, name }
    }
}

fn ending(all: &[Ran]) -> Result<Ending, Trouble> {
    let outcome = |ran: &Ran| ran.result.as_ref().map_or(Outcome::Error, |result| result.outcome);
    let count = |wanted: Outcome| all.iter().filter(|ran| outcome(ran) == wanted).count();
    match (count(Outcome::Error), count(Outcome::Failed)) {
        (0, 0) => Ok(Ending::Good),
        (0, _) => Ok(Ending::Bad),
        (errors, _) => {
            Err(Trouble(format!("{errors} of {} scenarios could not be run to their end", all.len())))
        }
    }
}

/// Every scenario of the files and folders. Nothing runs if one of them cannot be read.
fn read_all(files: &[PathBuf]) -> Result<Vec<(PathBuf, Scenario)>, Trouble> {
    let (mut scenarios, mut faults) = (Vec::new(), Vec::new());
    for file in expand(files)? {
        match read(&file) {
            Ok(Some(scenario)) => scenarios.push((file, scenario)),
            Ok(None) => {}
            Err(fault) => faults.push(format!("{}: {fault}", file.display())),
        }
    }
    if !faults.is_empty() {
        return Err(Trouble(faults.join("\nwx-sim: ")));
    }
    if scenarios.is_empty() {
        return Err(Trouble("there is no scenario: no *.json directly in what was named".to_owned()));
    }
    Ok(scenarios)
}

/// A folder stands for the JSON files in it, by name.
fn expand(files: &[PathBuf]) -> Result<Vec<PathBuf>, Trouble> {
    let mut all = Vec::new();
    for file in files {
        if !file.is_dir() {
            all.push(file.clone());
            continue;
        }
        let fault = |error| Trouble(format!("{}: {error}", file.display()));
        let entries = fs::read_dir(file).map_err(fault)?.collect::<Result<Vec<_>, _>>().map_err(fault)?;
        let json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
        let mut inside: Vec<_> = entries.iter().map(fs::DirEntry::path).filter(json).collect();
        inside.sort();
        all.extend(inside);
    }
    Ok(all)
}

/// A scenario; nothing for a JSON Schema, which `*.json` catches, too.
fn read(file: &Path) -> Result<Option<Scenario>, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let value: Option<Value> = serde_json::from_str(&text).ok();
    let schema = value.as_ref().and_then(|value| value.get("$schema")).and_then(Value::as_str);
    if schema.is_some_and(|schema| schema.contains("json-schema.org/")) {
        return Ok(None);
    }
    Scenario::parse(&text).map(Some).map_err(|error| error.to_string())
}
