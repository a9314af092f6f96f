//! The command line.

mod client;
mod confirm;
mod dev;
mod junit;
mod load;
mod mini;
pub(crate) mod paint;
mod record;
mod report;
mod run;
mod send;
mod tap;
mod vars;
mod verify;
mod words;

use std::future::Future;
use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

use crate::lang::Lang;
use paint::Paint;

/// A WeChat on your own desk: it pushes messages to your callback as WeChat does, shows what the user would see and
/// why, and stands in for api.weixin.qq.com and for the model.
#[derive(Debug, Parser)]
#[command(name = "wx-sim", version)]
struct Cli {
    /// The language of the output; that of LANG without it
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server: api.weixin.qq.com, the model, and the control API
    Dev(dev::Dev),
    /// Send a message to your callback, as a user would
    Send(send::Send),
    /// Let an event happen: follow, leave, tap a menu button, scan a code
    Event(send::Event),
    /// Tap a button of the account's menu
    Click(tap::Click),
    /// Scan a QR code
    Scan(tap::Scan),
    /// Do something in the account's Mini Program, at a running server
    #[command(subcommand)]
    Mini(mini::Mini),
    /// Run scenarios: what users do, and what must come of it
    #[command(visible_alias = "replay")]
    Run(run::Run),
    /// Record what is done at a running server, as a scenario
    Record(record::Record),
    /// Check a callback URL, as the console does and beyond
    Verify(verify::Verify),
    /// Send many messages over kept-alive connections and measure the answers
    Load(load::Load),
}

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Everything is as it should be.
    Good,
    /// The user saw WeChat's error line, or a rule was broken.
    Bad,
}

/// What keeps the program from doing its work: the command, the settings or the network.
#[derive(Debug)]
struct Trouble(String);

impl<E: std::error::Error> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// How to speak to whoever sits at the terminal.
#[derive(Debug, Clone, Copy)]
struct Voice {
    lang: Lang,
    paint: Paint,
}

impl Voice {
    /// Prints a line. Whoever stopped reading (`| head`) does not want to hear of it.
    fn say(self, line: &str) {
        let _ = writeln!(stdout(), "{line}");
    }
}

/// Runs the program: 0 if all is well, 1 if the user saw WeChat's error line, a rule was broken or a scenario failed, 2 for a command
/// or a connection that does not work.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let variable = |name: &str| std::env::var(name).ok();
    let lang = cli.lang.unwrap_or_else(|| Lang::of_environment(variable));
    let paint =
        Paint::new(stdout().is_terminal() && variable("NO_COLOR").is_none_or(|value| value.is_empty()));
    let voice = Voice { lang, paint };
    let ended = match cli.command {
        Command::Dev(args) => block_on(&mut Builder::new_multi_thread(), args.run(voice)),
        Command::Send(args) => block_on(&mut Builder::new_current_thread(), args.run(voice)),
        Command::Event(args) => block_on(&mut Builder::new_current_thread(), args.run(voice)),
        Command::Click(args) => block_on(&mut Builder::new_current_thread(), args.run(voice)),
        Command::Scan(args) => block_on(&mut Builder::new_current_thread(), args.run(voice)),
        Command::Mini(args) => block_on(&mut Builder::new_current_thread(), args.run(voice)),
        Command::Run(args) => block_on(&mut Builder::new_multi_thread(), args.run(voice)),
        Command::Record(args) => block_on(&mut Builder::new_current_thread(), args.run(voice)),
        Command::Verify(args) => block_on(&mut Builder::new_current_thread(), args.run(voice)),
        Command::Load(args) => block_on(&mut Builder::new_current_thread(), args.run(voice)),
    };
    match ended {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Bad) => ExitCode::from(1),
        Err(Trouble(why)) => {
            eprintln!("wx-sim: {why}");
            ExitCode::from(2)
        }
    }
}

fn block_on(
    builder: &mut Builder,
    work: impl Future<Output = Result<Ending, Trouble>>,
) -> Result<Ending, Trouble> {
    builder.enable_all().build()?.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
