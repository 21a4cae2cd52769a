//! The commands of users, a file for each.
//!
//! [`Context`] gives a command its settings and its output.

mod audit;
mod configuration;
mod context;
mod help;
mod login;
mod logout;
mod names;
mod next_step;
mod options;
mod packaging;
mod profile;
mod project;
mod revocation;
mod session;
mod token;
mod whoami;

use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::branding::Branding;
use crate::error::Error;
use crate::output::Output;
pub use audit::Audit;
pub use configuration::ConfigCommand;
pub use context::Context;
pub use names::CommandLine;
pub use options::ClientOptions;
use options::{parse_time, reference};
pub use project::ProjectCommand;

/// The client commands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Sign in: approve a short code in the browser and store a token on this machine
    Login(login::LoginOptions),
    /// Sign out: revoke the token on the server, then delete it here
    Logout(logout::LogoutOptions),
    /// Show the signed-in user, the server, and the scopes of the token
    Whoami(whoami::WhoamiOptions),
    /// Manage tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Manage the profiles of the credentials file
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    /// Print a script that completes commands in a shell
    Completions(packaging::CompletionsOptions),
    /// Write the man pages to a folder
    #[command(hide = true)]
    Man(packaging::ManOptions),
    /// A command of a group that also has commands of the server. Skipped here: the program adds
    /// it to the group.
    #[command(skip)]
    Shared(Shared),
}

/// The client commands in groups that also have commands of the server.
#[derive(Debug, clap::Subcommand)]
pub enum Shared {
    /// Read the audit log
    #[command(subcommand)]
    Audit(Audit),
    /// List projects and choose the default one
    #[command(subcommand)]
    Project(ProjectCommand),
    /// Show the settings of this program
    #[command(subcommand)]
    Config(ConfigCommand),
}

impl Command {
    /// The options that all client commands share. `None` for a command without them, which uses
    /// neither settings nor server.
    fn options(&self) -> Option<&ClientOptions> {
        Some(match self {
            Self::Login(options) => &options.client,
            Self::Logout(options) => &options.client,
            Self::Whoami(options) => &options.client,
            Self::Token(command) => command.options(),
            Self::Profile(command) => command.options(),
            Self::Shared(Shared::Audit(command)) => command.options(),
            Self::Shared(Shared::Project(command)) => command.options(),
            Self::Shared(Shared::Config(command)) => command.options(),
            Self::Completions(_) | Self::Man(_) => return None,
        })
    }

    async fn execute(
        &self,
        context: &Context<'_>,
        command_line: CommandLine<'_>,
    ) -> Result<(), Error> {
        match self {
            Self::Login(options) => login::run(options, context).await,
            Self::Logout(options) => logout::run(options, context).await,
            Self::Whoami(_) => whoami::run(context).await,
            Self::Token(command) => command.run(context).await,
            Self::Profile(command) => command.run(context),
            Self::Shared(Shared::Audit(command)) => command.run(context).await,
            Self::Shared(Shared::Project(command)) => command.run(context).await,
            Self::Shared(Shared::Config(command)) => command.run(context),
            Self::Completions(options) => packaging::completions(options, command_line.describe()),
            Self::Man(options) => packaging::man(options, command_line.describe()),
        }
    }
}

/// The command line; a branding has the rest.
#[derive(clap::Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Program,
}

/// All commands of a program that has the client commands alone.
#[derive(clap::Subcommand)]
enum Program {
    #[command(flatten)]
    Client(Command),
    #[command(flatten)]
    Shared(Shared),
}

/// A program that has the client commands alone, under the names of its branding file: parses the
/// command line and runs the command.
pub fn program() -> ExitCode {
    branding().map_or_else(|failed| failed, |branding| main(&branding))
}

/// The names of this program. Writes what is wrong with a branding file to standard error.
pub fn branding() -> Result<Branding, ExitCode> {
    let out = Output::new(false);
    let warn = |text| out.note(format_args!("warning: {text}"));
    Branding::of_program(warn).map_err(|error| {
        out.note(format_args!("error: {error}"));
        ExitCode::FAILURE
    })
}

/// [`program`] under these names.
pub fn main(branding: &Branding) -> ExitCode {
    let command_line = CommandLine::of_client(branding);
    let parsed = command_line.parse(std::env::args_os());
    let command = match parsed.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(Arguments {
            command: Program::Client(command),
        }) => command,
        Ok(Arguments {
            command: Program::Shared(command),
        }) => Command::Shared(command),
        Err(error) => error.exit(),
    };
    run(&command, command_line)
}

/// Runs a client command and returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 not
/// signed in, 4 not allowed, 130 cancelled. `command_line` has all commands of the program, for
/// completions and man pages.
pub fn run(command: &Command, command_line: CommandLine<'_>) -> ExitCode {
    let no_options = ClientOptions::default();
    let context = Context::new(
        command_line.branding,
        command.options().unwrap_or(&no_options),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(command.execute(&context, command_line));
            // After Ctrl-C a read of standard input still blocks its thread; do not wait for it.
            runtime.shutdown_background();
            outcome
        }
        Err(cause) => Err(Error::Failed(format!("Cannot start: {cause}."))),
    };
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    let prefix = if error.is_cancellation() {
        ""
    } else {
        "error: "
    };
    match next_step::after(&error, &context) {
        Some(step) => context.out.note(format_args!("{prefix}{error}\n{step}")),
        None => context.out.note(format_args!("{prefix}{error}")),
    }
    ExitCode::from(error.exit_code())
}

#[cfg(test)]
mod tests;
