//! The client side of the program: a command line for people and scripts that talks to a
//! Doorcode server over HTTP like any other client.
//!
//! `settings` decides which server, profile and token a command works with, `client` speaks
//! to the server, `credentials` keeps the token; each command has a file of its own. What
//! is meant for people goes through `terminal`, which cleans what came from the server.

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
mod prompt;
mod settings;
mod terminal;
mod whoami;

pub use audit::Audit;

use std::process::ExitCode;

use error::Error;
use terminal::Output;

/// The options that every client command has.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ClientOptions {
    /// Print the result as JSON on standard output; everything else goes to standard error
    #[arg(long)]
    pub json: bool,
    /// Use this profile of the credentials file [env: DOORCODE_PROFILE]
    #[arg(long, value_name = "NAME", value_parser = settings::Profile::parse)]
    pub profile: Option<settings::Profile>,
    /// The server's address, such as https://auth.example.com [env: DOORCODE_HOST]
    #[arg(long, value_name = "URL", value_parser = host::Host::parse)]
    pub host: Option<host::Host>,
    /// Allow http:// to another machine, where anyone on the way can read the token
    #[arg(long)]
    pub allow_http: bool,
}

impl ClientOptions {
    /// A command of this program with the flags that lead it to the same profile and server.
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

/// The commands of the client side.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Sign in: approve a short code in the browser, and a token is kept for this machine
    Login(login::LoginOptions),
    /// Sign out: revoke the token on the server, then forget it here
    Logout(logout::LogoutOptions),
    /// Show who is signed in, where, and what the token may do
    Whoami(whoami::WhoamiOptions),
    /// Read the audit log
    #[command(subcommand)]
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

/// Runs a client command to its end and answers the exit code: 0 done, 1 failed, 2 wrong
/// usage, 3 not signed in, 4 not allowed, 130 cancelled.
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
    // A read of standard input that Ctrl-C interrupted still blocks its thread; waiting for
    // it would keep the program alive.
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
