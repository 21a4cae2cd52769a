//! The terminal: what it can show, input without echo, and the signals that end a command.

mod screen;

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use other as platform;
#[cfg(unix)]
use unix as platform;

use std::io::{self, IsTerminal as _};

pub use screen::Screen;

/// Completes when the user presses Ctrl-C, or when the command must end because its terminal is
/// closed (SIGHUP) or the system asks for it (SIGTERM). The signals are handled from this call on,
/// not from the first poll: what else the caller starts may be under way before that.
pub fn stop_requested() -> impl Future<Output = ()> {
    platform::wait_for_stop()
}

/// Starts a program in the background of the terminal: Ctrl-C does not reach it, and it has no
/// input and no output.
pub fn spawn_in_background(command: &mut std::process::Command) -> io::Result<std::process::Child> {
    let null = std::process::Stdio::null;
    platform::leave_foreground(command);
    command.stdin(null()).stdout(null()).stderr(null()).spawn()
}

/// Reads one line of standard input, without echo on a terminal; at most 4,096 bytes. The echo is
/// restored when the future is dropped, also before the line is complete. Ctrl-C gives an error of
/// the kind `Interrupted`.
pub async fn read_secret_line() -> io::Result<String> {
    let read = async {
        let _hidden = match io::stdin().is_terminal() {
            true => Some(platform::hide_input()?),
            false => None,
        };
        // Reading standard input blocks, and Ctrl-C must be handled meanwhile.
        tokio::task::spawn_blocking(platform::read_line)
            .await
            .map_err(io::Error::other)?
    };
    tokio::select! {
        () = stop_requested() => Err(io::ErrorKind::Interrupted.into()),
        line = read => line,
    }
}

/// The same for a program without a runtime.
pub fn prompt_for_secret() -> io::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let line = runtime.block_on(read_secret_line());
    // The read of standard input still blocks its thread.
    runtime.shutdown_background();
    line
}
