//! The terminal on systems other than Unix.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::process::Command;

/// The input is hidden for as long as a line is read.
pub struct HiddenInput;

/// Does nothing: [`read_line`] hides the input of a terminal itself.
pub fn hide_input() -> io::Result<HiddenInput> {
    Ok(HiddenInput)
}

/// Reads one line of standard input, without echo on a terminal; from another input at most 4,096
/// bytes.
pub fn read_line() -> io::Result<String> {
    if io::stdin().is_terminal() {
        return console::Term::stderr().read_secure_line();
    }
    let mut line = String::new();
    io::stdin().lock().take(4096).read_line(&mut line)?;
    Ok(line)
}

/// Does nothing: these systems have no process groups of a terminal.
pub fn leave_foreground(_: &mut Command) {}

/// Completes at Ctrl-C.
pub fn wait_for_stop() -> impl Future<Output = ()> {
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler, Ctrl-C ends the process.
            std::future::pending().await
        }
    }
}
