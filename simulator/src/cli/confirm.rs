//! Asking before messages go to another machine: whoever knows an account's token can speak for all of its users.

use std::io::{BufRead, Write, stderr, stdin};

use super::Trouble;
use crate::http::Target;

/// The hosts that messages may go to: none for a target on this machine; else the target's, once its name was typed.
///
/// # Errors
/// The target is another machine, and the flag is missing, or something else was typed.
pub fn confirmed_hosts(target: &Target, allow_remote: bool) -> Result<Vec<String>, Trouble> {
    if target.is_loopback() {
        return Ok(Vec::new());
    }
    if !allow_remote {
        return Err(Trouble(format!("{target} is not on this machine: --allow-remote if you mean it")));
    }
    let host = target.host();
    let mut stderr = stderr();
    let _ = writeln!(
        stderr,
        "{host} will get messages that are signed as WeChat signs them, from users that are made up."
    );
    let _ = writeln!(stderr, "It cannot tell them from real ones, and may act on them.");
    let _ = write!(stderr, "Type its name to go on: ");
    let _ = stderr.flush();
    let mut typed = String::new();
    stdin().lock().read_line(&mut typed)?;
    if typed.trim() != host {
        return Err(Trouble(format!("{host} was not confirmed")));
    }
    Ok(vec![host.to_owned()])
}
