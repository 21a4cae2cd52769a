//! The command-line client, an HTTP client of a Doorcode server for users and scripts.
//!
//! `settings` selects server, profile and token of a command, `client` sends requests,
//! `credentials` stores the token; each command has its own file. Output for terminals goes
//! through `terminal`, which removes control characters from text of the server.

mod audit;
mod login;
mod logout;
mod next_step;
mod options;
mod whoami;

use std::process::ExitCode;

use clap::Parser as _;

use crate::error::Error;
use crate::output::Output;
pub use audit::Audit;
pub use options::ClientOptions;

/// The client commands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Sign in: approve a short code in the browser and store a token on this machine
    Login(login::LoginOptions),
    /// Sign out: revoke the token on the server, then delete it here
    Logout(logout::LogoutOptions),
    /// Show the signed-in user, the server, and the scopes of the token
    Whoami(whoami::WhoamiOptions),
    /// Read the audit log. Skipped here: the server commands of `audit` include it.
    #[command(skip)]
    Audit(Audit),
}

impl Command {
    fn options(&self) -> &ClientOptions {
        match self {
            Self::Login(options) => &options.client,
            Self::Logout(options) => &options.client,
            Self::Whoami(options) => &options.client,
            Self::Audit(command) => command.options(),
        }
    }

    async fn execute(&self, out: &Output) -> Result<(), Error> {
        match self {
            Self::Login(options) => login::run(options, out).await,
            Self::Logout(options) => logout::run(options, out).await,
            Self::Whoami(options) => whoami::run(options, out).await,
            Self::Audit(command) => command.run(out).await,
        }
    }
}

/// The command line of the program without the server.
#[derive(clap::Parser)]
#[command(name = "doorcode", version)]
struct Arguments {
    #[command(subcommand)]
    command: Program,
}

/// All commands of the program without the server.
#[derive(clap::Subcommand)]
enum Program {
    #[command(flatten)]
    Client(Command),
    /// Read the audit log
    #[command(subcommand)]
    Audit(Audit),
}

/// The program without the server: parses the command line and runs the command.
pub fn main() -> ExitCode {
    run(match Arguments::parse().command {
        Program::Client(command) => command,
        Program::Audit(command) => Command::Audit(command),
    })
}

/// Runs a client command and returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 not
/// signed in, 4 not allowed, 130 cancelled.
pub fn run(command: Command) -> ExitCode {
    let out = Output::new(command.options().json);
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(cause) => {
            return fail(
                &out,
                &command,
                &Error::Failed(format!("Cannot start: {cause}.")),
            );
        }
    };
    let outcome = runtime.block_on(command.execute(&out));
    // After Ctrl-C a read of standard input still blocks its thread; do not wait for it.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&out, &command, &error),
    }
}

fn fail(out: &Output, command: &Command, error: &Error) -> ExitCode {
    match next_step::after(error, command.options()) {
        Some(step) => out.note(format_args!("{error}\n{step}")),
        None => out.note(error),
    }
    ExitCode::from(error.exit_code())
}
