//! The command line under the names of a branding.

use std::ffi::OsString;

use clap::{CommandFactory as _, Error, Subcommand as _};

use super::help::{self, ServerCommands};
use super::{Arguments, Program};
use crate::branding::Branding;

/// The environment variables that the help of an option names.
const VARIABLES: [&str; 6] = ["TOKEN", "HOST", "PROFILE", "PROJECT", "CONFIG", "BROWSER"];

/// The commands whose names are words of the branding.
const COMMANDS: [&str; 2] = ["project", "profile"];

/// The command line of a program under the names of its branding.
#[derive(Clone, Copy)]
pub struct CommandLine<'a> {
    /// The names of the program.
    pub branding: &'a Branding,
    /// The command line under the names of Doorcode.
    own: fn() -> clap::Command,
    /// The environment variables of the server commands; `None` if the program has none.
    server: Option<&'a [(&'a str, &'a str)]>,
}

impl<'a> CommandLine<'a> {
    /// The client commands alone.
    pub(super) fn of_client(branding: &'a Branding) -> Self {
        Self {
            branding,
            own: Arguments::command,
            server: None,
        }
    }

    /// `own` is the command line under the names of Doorcode, which has the client commands and
    /// those of the server; `variables` are environment variables of the latter and their meaning.
    pub fn with_server(
        branding: &'a Branding,
        own: fn() -> clap::Command,
        variables: &'a [(&'a str, &'a str)],
    ) -> Self {
        Self {
            branding,
            own,
            server: Some(variables),
        }
    }

    /// Parses a command line. The commands have the names of Doorcode in the result, but those of
    /// the branding in the errors and the help.
    pub fn parse(
        &self,
        arguments: impl Iterator<Item = OsString>,
    ) -> Result<clap::ArgMatches, Error> {
        let arguments: Vec<_> = arguments.collect();
        let parsed = self
            .renamed(self.base(), |own, name| own.alias(name))
            .try_get_matches_from(&arguments);
        parsed.or_else(|_| self.describe().try_get_matches_from(&arguments))
    }

    /// All commands under the names of the branding, with the layout of the help. The commands have
    /// the same order everywhere: that of the alphabet.
    pub fn describe(&self) -> clap::Command {
        let name = |command| {
            self.renamed(command, |own, name| {
                let former = own.get_name().to_owned();
                own.name(name).alias(former)
            })
        };
        let server = self.server.map(|variables| ServerCommands {
            users: name(below(
                Program::augment_subcommands(clap::Command::new("")),
                self.branding,
            )),
            variables,
        });
        let command = name(self.base()).mut_subcommands(|command| command.display_order(0));
        help::arrange(command, self.branding, server.as_ref())
    }

    /// The command line with the names of the branding. `rename` gives a command the word of the
    /// branding.
    fn renamed(
        &self,
        command: clap::Command,
        rename: fn(clap::Command, String) -> clap::Command,
    ) -> clap::Command {
        COMMANDS.into_iter().fold(command, |command, own| {
            let name = self.branding.words.name(own).to_owned();
            match name == own {
                true => command,
                false => command.mut_subcommand(own, |own| rename(own, name)),
            }
        })
    }

    /// The command line with the names of the branding, except those of the commands.
    fn base(&self) -> clap::Command {
        let branding = self.branding;
        let name = branding.program.clone();
        let mut command = (self.own)()
            .name(name.clone())
            .bin_name(name)
            .version(branding.version.clone());
        // A program with server commands does more than what the client says of itself.
        if self.server.is_none() || branding.about != Branding::default().about {
            command = command
                .about(branding.about.clone())
                .long_about(branding.about.clone());
        }
        below(command, branding)
    }
}

/// The command, and those below it, with the texts and options of the branding.
fn below(command: clap::Command, branding: &Branding) -> clap::Command {
    let mut command = command;
    if let Some(about) = command.get_about().map(|about| text(about, branding)) {
        command = command.about(about);
    }
    if let Some(about) = command.get_long_about().map(|about| text(about, branding)) {
        command = command.long_about(about);
    }
    command
        .mut_args(|arg| option(arg, branding))
        .mut_subcommands(|command| below(command, branding))
}

fn option(arg: clap::Arg, branding: &Branding) -> clap::Arg {
    let words = &branding.words;
    let long = arg.get_long().map(str::to_owned);
    let values: Vec<_> = arg.get_value_names().unwrap_or_default().to_vec();
    let mut arg = arg;
    if let Some(help) = arg.get_help().map(|help| text(help, branding)) {
        arg = arg.help(help);
    }
    if let Some(help) = arg.get_long_help().map(|help| text(help, branding)) {
        arg = arg.long_help(help);
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

/// A text of the help with the words, the environment variables and the program of the branding.
fn text(own: &clap::builder::StyledStr, branding: &Branding) -> String {
    let doorcode = Branding::default();
    let text = VARIABLES.into_iter().fold(own.to_string(), |text, name| {
        text.replace(&doorcode.variable(name), &branding.variable(name))
    });
    let program = |name: &str| format!("`{name} ");
    let text = text.replace(&program(&doorcode.program), &program(&branding.program));
    branding.words.apply(&text)
}
