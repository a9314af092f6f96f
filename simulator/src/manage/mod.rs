//! `wx`: the management API of a Worker, from the command line. `docs/cli.md` describes it.

mod api;
mod ask;
mod columns;
mod doctor;
mod document;
mod download;
mod mass;
mod media;
mod menu;
mod outgoing;
mod people;
mod place;
mod problem;
mod progress;
mod raw;
mod rules;
mod site;
mod stop;
mod voice;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

use crate::lang::Lang;
use api::Api;
use site::Site;
use stop::{Ending, Stop};
use voice::Voice;

/// Manage your Official Account: menu, media, broadcasts, people and rules, by the admin API of your WxApi Worker.
#[derive(Debug, Parser)]
#[command(name = "wx", version, after_help = AFTER)]
struct Cli {
    #[command(flatten)]
    site: Site,
    /// Print the API's own JSON, one document, for programs
    #[arg(long, global = true)]
    json: bool,
    /// The language of the output; that of LANG without it
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "The ADMIN_TOKEN is taken from the environment; for a Worker on this machine, else from .dev.vars.
Ends with 0 if all is well, 1 if something was refused or is not well, 2 for a wrong command, 3 if there was no answer.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Does everything work? What was found, and what to do about it
    Doctor(doctor::Doctor),
    /// The menu below the chat
    #[command(subcommand)]
    Menu(menu::Menu),
    /// Files that WeChat keeps for three days, and all uploads
    #[command(subcommand)]
    Media(media::Media),
    /// Files that WeChat keeps for good
    #[command(subcommand)]
    Material(media::Material),
    /// Messages to many
    #[command(subcommand)]
    Mass(mass::Mass),
    /// The followers
    #[command(subcommand)]
    Users(people::Users),
    /// Tags of the followers
    #[command(subcommand)]
    Tags(people::Tags),
    /// What is answered without the model
    #[command(subcommand)]
    Rules(rules::Rules),
    /// The access token; never the token itself
    #[command(subcommand)]
    Token(watch::Token),
    /// How often WeChat may still be asked today
    Quota(watch::Quota),
    /// What other programs called through this Worker
    Audit(watch::Audit),
    /// What was counted, as Prometheus reads it
    Metrics(watch::Metrics),
    /// Call any route
    Api(raw::Raw),
}

/// What every command has at hand.
#[derive(Debug)]
struct Wx {
    api: Api,
    voice: Voice,
}

/// Runs the program: 0 if all is well, 1 if something was refused or is not well, 2 for a command that does not work,
/// 3 if nobody answered.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let lang = cli.lang.unwrap_or_else(|| Lang::of_environment(variable));
    let voice = Voice::of_terminal(lang, cli.json, variable("NO_COLOR").is_none());
    let ended = start(cli, voice);
    if let Err(stop) = &ended {
        stop.tell(voice);
    }
    ExitCode::from(stop::code(&ended))
}

fn start(cli: Cli, voice: Voice) -> Result<Ending, Stop> {
    let api = cli.site.api(voice.lang)?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::Usage(error.to_string()))?;
    runtime.block_on(cli.command.run(&Wx { api, voice }))
}

impl Command {
    async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        match self {
            Self::Doctor(args) => args.run(wx).await,
            Self::Menu(args) => args.run(wx).await,
            Self::Media(args) => args.run(wx).await,
            Self::Material(args) => args.run(wx).await,
            Self::Mass(args) => args.run(wx).await,
            Self::Users(args) => args.run(wx).await,
            Self::Tags(args) => args.run(wx).await,
            Self::Rules(args) => args.run(wx).await,
            Self::Token(args) => args.run(wx).await,
            Self::Quota(args) => args.run(wx).await,
            Self::Audit(args) => args.run(wx).await,
            Self::Metrics(args) => args.run(wx).await,
            Self::Api(args) => args.run(wx).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn ids_may_begin_with_a_hyphen() {
        for line in ["wx material delete -Dc_o8 --yes", "wx media get -yx -o f --json", "wx users show -x"] {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }

    #[test]
    fn no_argument_takes_the_token() {
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            for argument in command.get_arguments() {
                assert!(!argument.get_id().as_str().contains("token"), "{}", command.get_name());
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
