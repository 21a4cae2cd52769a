//! The program `doorcode`: the server, its administration, and the command-line client.

mod command;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches as _, Parser, Subcommand};
use command::{
    audit, backup, check, client, configuration, decision, deployment, health, operator, org,
    project, serve, transfer, user,
};
use doorcode_client::commands::{self, Command as Remote, CommandLine, Shared};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The environment variables of the server commands.
const SERVER_VARIABLES: [(&str, &str); 2] = [
    ("DOORCODE_SERVER_CONFIG", "The server's configuration"),
    (
        "DOORCODE__SERVER__LISTEN",
        "The key listen of the section [server]; each key of the configuration has such a variable",
    ),
];

/// Device login, personal access tokens and authorization for your API.
///
/// Without a command, the server starts.
#[derive(Parser)]
#[command(name = "doorcode", version)]
struct Arguments {
    /// The server's configuration [default: doorcode.toml, if it exists]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Migrate the database to the current version, without starting the server
    Migrate,
    /// Manage users
    #[command(subcommand)]
    User(user::User),
    /// Manage clients
    #[command(subcommand)]
    Client(client::Client),
    /// Manage organizations
    #[command(subcommand)]
    Org(org::Organization),
    /// Manage projects
    #[command(subcommand)]
    Project(Group<project::Project, commands::ProjectCommand>),
    /// Manage the operator token
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Manage the keys that belong to the database
    #[command(subcommand)]
    Deployment(deployment::DeploymentCommand),
    /// Write a backup of the database to a file, while the server runs (SQLite)
    Backup(backup::Backup),
    /// Restore a backup, after it was checked against the audit log's checkpoints (SQLite)
    Restore(backup::Restore),
    /// Move the whole deployment to another database, while no server runs
    Move(transfer::Move),
    /// List and verify the audit log, erase personal data from it, or recover it
    #[command(subcommand)]
    Audit(Group<audit::Audit, commands::Audit>),
    /// Check the server's configuration, or show the settings of user commands
    #[command(subcommand)]
    Config(Group<configuration::Configuration, commands::ConfigCommand>),
    /// Check a running deployment from outside: address, TLS, clock, proxy and refusals
    Check(check::Check),
    Healthcheck(health::HealthCheck),
    /// Explain why a request with a token is allowed or denied
    Explain(decision::Explain),
    /// Print the description of the management API (OpenAPI 3.1)
    Openapi,
    #[command(flatten)]
    Remote(Remote),
}

/// A group with commands of the server and of users.
#[derive(Subcommand)]
enum Group<S: Subcommand, U: Subcommand> {
    #[command(flatten)]
    Server(S),
    #[command(flatten)]
    User(U),
}

fn main() -> ExitCode {
    let branding = match commands::branding() {
        Ok(branding) => branding,
        Err(failed) => return failed,
    };
    let command_line = CommandLine::with_server(&branding, Arguments::command, &SERVER_VARIABLES);
    let parsed = command_line.parse(std::env::args_os());
    let arguments = match parsed.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let config = arguments.config.as_deref();
    let result = match arguments.command {
        None => serve::run_unasked(config),
        Some(Command::Serve(options)) => serve::run(config, &options),
        Some(Command::Migrate) => command::migrate(config),
        Some(Command::User(user)) => user::run(config, user),
        Some(Command::Client(client)) => client::run(config, client),
        Some(Command::Org(command)) => org::run(config, command),
        Some(Command::Project(Group::Server(command))) => project::run(config, command),
        Some(Command::Project(Group::User(command))) => {
            return remote(
                &Remote::Shared(Shared::Project(command)),
                config,
                command_line,
            );
        }
        Some(Command::Operator(command)) => operator::run(config, command),
        Some(Command::Deployment(command)) => deployment::run(config, command),
        Some(Command::Healthcheck(check)) => health::run(config, &check),
        Some(Command::Backup(command)) => backup::back_up(config, &command),
        Some(Command::Restore(command)) => backup::restore(config, &command),
        Some(Command::Move(command)) => transfer::run(config, &command),
        Some(Command::Audit(Group::Server(command))) => audit::run(config, command),
        Some(Command::Audit(Group::User(command))) => {
            return remote(
                &Remote::Shared(Shared::Audit(command)),
                config,
                command_line,
            );
        }
        Some(Command::Config(Group::Server(command))) => configuration::run(config, command),
        Some(Command::Config(Group::User(command))) => {
            return remote(
                &Remote::Shared(Shared::Config(command)),
                config,
                command_line,
            );
        }
        Some(Command::Check(command)) => check::run(command),
        Some(Command::Explain(command)) => match decision::run(config, command) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Some(Command::Openapi) => command::openapi(config),
        Some(Command::Remote(command)) => return remote(&command, config, command_line),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; the exit code then reports the failure alone.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("error: {}\n", command::as_called(&error.to_string())).as_bytes(),
            );
            ExitCode::FAILURE
        }
    }
}

/// Runs a command of users, which a server answers.
fn remote(command: &Remote, config: Option<&Path>, command_line: CommandLine<'_>) -> ExitCode {
    if config.is_some() {
        let message = format!(
            "--config is for the commands of the server. Name the credentials file in {}.",
            command_line.branding.variable("CONFIG")
        );
        command_line
            .describe()
            .error(ErrorKind::ArgumentConflict, message)
            .exit();
    }
    commands::run(command, command_line)
}
