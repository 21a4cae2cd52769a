//! What every command uses.

use super::ClientOptions;
use crate::branding::Branding;
use crate::error::Error;
use crate::output::Output;
use crate::settings::{Environment, Settings};

/// What every command uses besides its own options.
pub struct Context<'a> {
    /// The names of the program.
    pub branding: &'a Branding,
    /// The options that all commands share.
    pub options: &'a ClientOptions,
    /// The output.
    pub out: Output,
}

impl<'a> Context<'a> {
    /// The context of a command with these options.
    pub fn new(branding: &'a Branding, options: &'a ClientOptions) -> Self {
        Self {
            branding,
            options,
            out: Output::new(options.json),
        }
    }

    /// The profile, server and token of the command.
    pub fn settings(&self) -> Result<Settings, Error> {
        let environment = Environment::of_process(self.branding)?;
        Settings::resolve(&self.options.flags(), environment)
    }

    /// A command line of this program with the same profile and server flags.
    pub fn command(&self, words: &str) -> String {
        let ClientOptions { host, .. } = self.options;
        let host = host.as_ref().map(|host| format!(" --host {host}"));
        self.command_line(words, &host.unwrap_or_default())
    }

    /// The same without the server, for commands after a sign-in: the credentials file names it.
    pub fn later_command(&self, words: &str) -> String {
        self.command_line(words, "")
    }

    fn command_line(&self, words: &str, host: &str) -> String {
        let profile = self.options.profile.as_ref();
        let profile = profile.map(|profile| format!(" --profile {profile}"));
        let allow_http = if self.options.allow_http {
            " --allow-http"
        } else {
            ""
        };
        format!(
            "{} {words}{}{host}{allow_http}",
            self.branding.program,
            profile.unwrap_or_default()
        )
    }
}
