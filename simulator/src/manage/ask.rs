//! Asking whoever sits at the terminal.

use std::io::{BufRead, Write, stderr, stdin};

use super::Wx;
use super::document::STDIN;
use super::stop::Stop;

/// What is typed in answer to a question; empty if nobody is there.
pub fn typed(question: &str) -> String {
    let mut stderr = stderr();
    let _ = write!(stderr, "{question} ");
    let _ = stderr.flush();
    let mut line = String::new();
    // No line is no answer.
    let _ = stdin().lock().read_line(&mut line);
    line.trim().to_owned()
}

/// Goes on only after a yes.
///
/// # Errors
/// Anything else was typed.
pub fn go_on(wx: &Wx, question: &str, yes: bool) -> Result<(), Stop> {
    if yes {
        return Ok(());
    }
    let answer = typed(&format!("{question} [y/N]")).to_lowercase();
    if ["y", "yes", "是", "好"].contains(&answer.as_str()) {
        return Ok(());
    }
    let words = wx.voice.lang.pick(
        "没有确认，什么也没有改变（不询问：--yes）",
        "that was no yes; nothing was changed (without asking: --yes)",
    );
    Err(Stop::Refused(words.to_owned()))
}

/// Whoever gives the file on standard input cannot type an answer there.
///
/// # Errors
/// Neither a file nor `--yes`.
pub fn can_answer(wx: &Wx, file: &str, yes: bool) -> Result<(), Stop> {
    if file != STDIN || yes {
        return Ok(());
    }
    let words = wx.voice.lang.pick("从标准输入读文件时需要 --yes", "a file on standard input needs --yes");
    Err(Stop::Usage(words.to_owned()))
}
