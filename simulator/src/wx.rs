//! wx: the account's management from the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    wx_sim::manage::run()
}
