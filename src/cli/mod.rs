//! The command-line client, an HTTP client of a Doorcode server for users and scripts.
//!
//! `settings` selects server, profile and token of a command, `client` sends requests,
//! `credentials` stores the token; each command has its own file. Output for terminals goes
//! through `terminal`, which removes control characters from text of the server.

mod answer;
mod audit;
mod client;
mod credentials;
mod device;
mod error;
mod host;
mod identity;
mod login;
mod logout;
mod pace;
mod profile;
mod prompt;
mod settings;
mod terminal;
mod whoami;

use std::process::ExitCode;

pub use audit::Audit;
use error::Error;
use terminal::Output;

/// The options that all client commands share.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ClientOptions {
    /// Print the result as JSON on standard output; everything else goes to standard error
    #[arg(long)]
    pub json: bool,
    /// Use this profile of the credentials file [env: DOORCODE_PROFILE]
    #[arg(long, value_name = "NAME", value_parser = profile::Profile::parse)]
    pub profile: Option<profile::Profile>,
    /// The server's address, such as https://auth.example.com [env: DOORCODE_HOST]
    #[arg(long, value_name = "URL", value_parser = host::Host::parse)]
    pub host: Option<host::Host>,
    /// Allow http:// to another machine: the token is then sent without encryption
    #[arg(long)]
    pub allow_http: bool,
}

impl ClientOptions {
    /// A command line of this program with the same profile and server flags.
    fn command(&self, words: &str) -> String {
        let mut command = format!("doorcode {words}");
        if let Some(profile) = &self.profile {
            command.push_str(&format!(" --profile {profile}"));
        }
        if let Some(host) = &self.host {
            command.push_str(&format!(" --host {host}"));
        }
        if self.allow_http {
            command.push_str(" --allow-http");
        }
        command
    }
}

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
    match error.next_step(command.options()) {
        Some(step) => out.note(format_args!("{error}\n{step}")),
        None => out.note(error),
    }
    ExitCode::from(error.exit_code())
}
