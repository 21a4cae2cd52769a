//! The terminal on Unix.

use std::io::{self, BufRead as _, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

/// Restores the settings of the terminal when it is dropped.
pub struct HiddenInput(Termios);

/// Switches the echo of standard input off.
pub fn hide_input() -> io::Result<HiddenInput> {
    let shown = tcgetattr(io::stdin())?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    // Enter still moves the cursor to the next line.
    hidden.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(io::stdin(), OptionalActions::Now, &hidden)?;
    Ok(HiddenInput(shown))
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        // An error is ignored: the terminal is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Reads one line of standard input, at most 4,096 bytes.
pub fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(4096).read_line(&mut line)?;
    Ok(line)
}

/// Moves a program that will be started out of the foreground process group, which gets the
/// signals of the terminal.
pub fn leave_foreground(command: &mut Command) {
    command.process_group(0);
}

/// Completes at SIGINT, SIGTERM or SIGHUP.
pub async fn wait_for_stop() {
    let received = async |kind| match signal(kind) {
        Ok(mut signals) => signals.recv().await,
        // Without a handler, the signal ends the process.
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        _ = received(SignalKind::interrupt()) => {}
        _ = received(SignalKind::terminate()) => {}
        _ = received(SignalKind::hangup()) => {}
    }
}
