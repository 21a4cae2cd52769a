//! The command line under the names of a branding.

use std::ffi::OsString;

use clap::{CommandFactory as _, Error};

use super::{Arguments, command_line};
use crate::branding::Branding;

/// The environment variables that the help of an option names.
const VARIABLES: [&str; 6] = ["TOKEN", "HOST", "PROFILE", "PROJECT", "CONFIG", "BROWSER"];

/// The commands whose names are words of the branding.
const COMMANDS: [&str; 2] = ["project", "profile"];

/// Parses a command line. The commands have their own names in the result, but those of the
/// branding in the errors and the help.
pub fn parse(
    branding: &Branding,
    arguments: impl Iterator<Item = OsString>,
) -> Result<clap::ArgMatches, Error> {
    let arguments: Vec<_> = arguments.collect();
    let own = COMMANDS.into_iter().fold(base(branding), |command, own| {
        let name = branding.words.name(own).to_owned();
        match name == own {
            true => command,
            false => command.mut_subcommand(own, |command| command.alias(name)),
        }
    });
    let parsed = own.try_get_matches_from(&arguments);
    parsed.or_else(|_| command_line(branding).try_get_matches_from(&arguments))
}

/// The command line with the names of the branding.
pub fn command(branding: &Branding) -> clap::Command {
    COMMANDS.into_iter().fold(base(branding), |command, own| {
        let name = branding.words.name(own).to_owned();
        match name == own {
            true => command,
            false => command.mut_subcommand(own, |command| command.name(name).alias(own)),
        }
    })
}

/// The command line with the names of the branding, except those of the commands.
fn base(branding: &Branding) -> clap::Command {
    let name = branding.program.clone();
    let command = Arguments::command()
        .name(name.clone())
        .bin_name(name)
        .version(branding.version.clone())
        .about(branding.about.clone());
    below(command, branding)
}

/// The command, and those below it, with the texts and options of the branding.
fn below(command: clap::Command, branding: &Branding) -> clap::Command {
    let words = &branding.words;
    let about = command.get_about().map(ToString::to_string);
    let command = match about {
        Some(about) => command.about(words.apply(&about)),
        None => command,
    };
    command
        .mut_args(|arg| option(arg, branding))
        .mut_subcommands(|command| below(command, branding))
}

fn option(arg: clap::Arg, branding: &Branding) -> clap::Arg {
    let words = &branding.words;
    let long = arg.get_long().map(str::to_owned);
    let values: Vec<_> = arg.get_value_names().unwrap_or_default().to_vec();
    let help = arg.get_help().map(ToString::to_string);
    let mut arg = arg;
    if let Some(help) = help {
        arg = arg.help(words.apply(&variables(&help, branding)));
    }
    if let Some(long) = long {
        let named = renamed(&long, branding);
        if named != long {
            arg = arg.long(named).alias(long);
        }
    }
    if let [value] = &values[..] {
        let named = match value.as_str() {
            "ORG" => words.name("org").to_uppercase(),
            value => words.apply(value),
        };
        arg = arg.value_name(named);
    }
    arg
}

/// The name of an option, such as `project` or `limit-org`.
fn renamed(long: &str, branding: &Branding) -> String {
    let parts: Vec<_> = long
        .split('-')
        .map(|part| branding.words.name(part))
        .collect();
    parts.join("-")
}

/// The text with the names of the environment variables.
fn variables(text: &str, branding: &Branding) -> String {
    let own = Branding::default();
    VARIABLES.into_iter().fold(text.to_owned(), |text, name| {
        text.replace(&own.variable(name), &branding.variable(name))
    })
}
