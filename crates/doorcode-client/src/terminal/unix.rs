//! The terminal on Unix.

use std::io::{self, BufRead as _, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::task::Poll;

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

/// Handles SIGINT, SIGTERM and SIGHUP from this call on, and completes at the first of them.
pub fn wait_for_stop() -> impl Future<Output = ()> {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    // Without a handler, the signal ends the process.
    let mut signals: Vec<_> = kinds.into_iter().flat_map(signal).collect();
    std::future::poll_fn(move |context| {
        let mut received = signals.iter_mut().map(|signal| signal.poll_recv(context));
        match received.any(|polled| polled.is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
}
