//! What every command uses.

use super::ClientOptions;
use crate::branding::Branding;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::output::Output;
use crate::settings::{Environment, Flags, Settings};

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

    /// The profile, server, project and token of the command. Restricts the access rights of the
    /// credentials file if needed.
    pub fn settings(&self) -> Result<Settings, Error> {
        self.settings_with(&self.options.flags())
    }

    /// The same for a command with more flags than the common ones.
    pub fn settings_with(&self, flags: &Flags) -> Result<Settings, Error> {
        let environment = Environment::of_process(self.branding)?;
        let settings = Settings::resolve(flags, &environment)?;
        let note = settings.credentials.as_ref().and_then(Credentials::protect);
        if let Some(note) = note {
            self.out.note(note);
        }
        Ok(settings)
    }

    /// Whether the environment names a token.
    pub fn has_token_variable(&self) -> bool {
        let value = std::env::var_os(self.branding.variable("TOKEN"));
        value.is_some_and(|value| !value.is_empty())
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
