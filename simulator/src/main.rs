//! wx-sim: a WeChat on your own desk.

use std::process::ExitCode;

fn main() -> ExitCode {
    wx_sim::cli::run()
}
