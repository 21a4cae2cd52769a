//! What every command uses.

use std::path::Path;

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
    /// The program as it was called, for the command lines in texts.
    pub program: String,
    /// The output.
    pub out: Output,
}

impl<'a> Context<'a> {
    /// The context of a command with these options.
    pub fn new(branding: &'a Branding, options: &'a ClientOptions) -> Self {
        Self {
            branding,
            options,
            program: program_as_called(branding),
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
        for note in settings.credentials.iter().flat_map(Credentials::protect) {
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
        let word = &self.branding.words.profile;
        let profile = profile.map(|profile| format!(" --{word} {profile}"));
        let allow_http = if self.options.allow_http {
            " --allow-http"
        } else {
            ""
        };
        let ca_cert = self.options.ca_cert.as_ref();
        let ca_cert = ca_cert.map(|file| format!(" --ca-cert {}", file.display()));
        format!(
            "{} {words}{}{host}{allow_http}{}",
            self.program,
            profile.unwrap_or_default(),
            ca_cert.unwrap_or_default()
        )
    }
}

/// The program as it was called: with its path if it was called by its path, since it may not be
/// in `PATH`.
fn program_as_called(branding: &Branding) -> String {
    let called = std::env::args_os()
        .next()
        .and_then(|text| text.into_string().ok());
    called
        .filter(|text| is_path_of(text, &branding.program))
        .unwrap_or_else(|| branding.program.clone())
}

/// Whether this is a path of the program that can be typed without quotes.
fn is_path_of(text: &str, program: &str) -> bool {
    let simple = |c: char| c.is_alphanumeric() || "/\\._-+~:".contains(c);
    let path = Path::new(text);
    path.file_stem().is_some_and(|stem| stem == program)
        && path.parent().is_some_and(|folder| folder != Path::new(""))
        && text.chars().all(simple)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_is_named_as_it_was_called() {
        for (called, yes) in [
            ("target/release/doorcode", true),
            ("./doorcode", true),
            ("/usr/local/bin/doorcode", true),
            ("doorcode", false),
            ("/tmp/renamed", false),
            ("/my programs/doorcode", false),
            ("", false),
        ] {
            assert_eq!(is_path_of(called, "doorcode"), yes, "{called:?}");
        }
    }
}
