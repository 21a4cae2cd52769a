//! The layout of `--help`.

use std::fmt::Write as _;

use clap::Subcommand as _;
use console::Term;

use super::Command;
use crate::branding::Branding;
use crate::output::wrap_line;

/// Maximum width of the text, and its width without a terminal.
const WIDTH: usize = 100;

/// The environment variables of the client that have the prefix of its branding.
const OWN_VARIABLES: [(&str, &str); 6] = [
    (
        "TOKEN",
        "The token, instead of the one in the credentials file",
    ),
    ("HOST", "The address of the server"),
    ("PROFILE", "The profile of the credentials file"),
    ("PROJECT", "The project of commands that name none"),
    ("CONFIG", "The path of the credentials file"),
    (
        "BROWSER",
        "The program that opens the sign-in page; else BROWSER, else that of the system",
    ),
];

/// The environment variables that other programs use, too.
const COMMON_VARIABLES: [(&str, &str); 4] = [
    (
        "SSL_CERT_FILE",
        "The trusted certificates, instead of those of the system",
    ),
    (
        "HTTPS_PROXY",
        "The proxy for https:// addresses; NO_PROXY lists the exceptions",
    ),
    ("NO_COLOR", "Disables colours"),
    ("CI", "Disables the countdown, for the log of a job"),
];

const EXIT_CODES: [(&str, &str); 6] = [
    ("0", "Success"),
    ("1", "Failure"),
    ("2", "Wrong usage"),
    ("3", "Not signed in, or the server refuses the token"),
    ("4", "The token does not allow the operation"),
    ("130", "Cancelled"),
];

/// The server commands of a program that has them beside those of users.
pub struct ServerCommands<'a> {
    /// The commands of users, with the names and texts of the branding.
    pub users: clap::Command,
    /// The environment variables of the server commands and their meaning.
    pub variables: &'a [(&'a str, &'a str)],
}

/// Lays out the help: commands in alphabetical order, then examples, exit codes and environment
/// variables. A program that also has server commands lists them apart, with their variables; a
/// group with commands of both kinds is in both lists.
pub fn arrange(
    command: clap::Command,
    branding: &Branding,
    server: Option<&ServerCommands<'_>>,
) -> clap::Command {
    let all = listed(&command);
    let commands = match server {
        Some(server) => {
            let own = Command::augment_subcommands(clap::Command::new(""));
            let own: Vec<_> = own
                .get_subcommands()
                .map(|own| branding.words.name(own.get_name()))
                .collect();
            let is_of_server = |(name, _): &(String, String)| !own.contains(&name.as_str());
            let servers: Vec<_> = all.into_iter().filter(is_of_server).collect();
            let users = listed(&server.users);
            section("User commands", &users) + &section("Server commands", &servers)
        }
        None => section("Commands", &all),
    };
    let own =
        OWN_VARIABLES.map(|(name, text)| (branding.variable(name), branding.words.apply(text)));
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        owned.collect()
    };
    let mut variables = own.to_vec();
    variables.extend(pairs(
        server.map(|server| server.variables).unwrap_or_default(),
    ));
    variables.extend(pairs(&COMMON_VARIABLES));
    let after = examples(branding)
        + &section("Exit codes", &pairs(&EXIT_CODES))
        + &section("Environment variables", &variables);
    command
        .max_term_width(WIDTH)
        .help_template(format!(
            "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{commands}Options:\n\
             {{options}}{{after-help}}"
        ))
        .after_help(after.trim_end().to_owned())
}

/// The commands below this one and what they do, in alphabetical order.
fn listed(command: &clap::Command) -> Vec<(String, String)> {
    let shown = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let mut listed: Vec<_> = shown
        .map(|command| {
            let about = command.get_about().map(ToString::to_string);
            (command.get_name().to_owned(), about.unwrap_or_default())
        })
        .collect();
    listed.sort();
    listed
}

fn examples(branding: &Branding) -> String {
    let program = &branding.program;
    section(
        "Examples",
        &[
            (
                format!("{program} login"),
                "Sign in to the default server".to_owned(),
            ),
            (
                format!("{program} login --host https://auth.example.com"),
                "Sign in to another server".to_owned(),
            ),
            (
                format!("{program} whoami --json"),
                "Show the signed-in user to a script".to_owned(),
            ),
        ],
    )
}

/// A heading and its entries, in two columns.
fn section(heading: &str, entries: &[(String, String)]) -> String {
    let terminal = Term::stdout().size_checked();
    let width = terminal.map_or(WIDTH, |(_, columns)| usize::from(columns).min(WIDTH));
    let column = entries.iter().map(|(name, _)| name.len()).max();
    let column = column.unwrap_or_default() + 4;
    let mut text = format!("{heading}:\n");
    for (name, about) in entries {
        let lines = wrap_line(about, width.saturating_sub(column).max(20));
        for (at, line) in lines.iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {name:<0$}{line}", column - 2);
        }
    }
    text + "\n"
}
