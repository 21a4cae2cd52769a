//! The names under which a client is shipped.

#[cfg(feature = "program")]
mod file;
#[cfg(all(feature = "program", not(unix)))]
mod other;
#[cfg(all(feature = "program", unix))]
mod unix;
mod words;

use serde::Deserialize;
use wire::oauth::CLI_CLIENT_ID;

use crate::credentials::Layout;
use crate::profile::Profile;
#[cfg(feature = "program")]
pub use file::BrandingError;
pub use words::Words;

/// The names under which a client is shipped. A company that ships its own replaces them, by
/// `branding.toml` or in code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Branding {
    /// The name of the program, which the texts and the user agent contain.
    pub program: String,
    /// The first line of the help.
    pub about: String,
    /// The version that `--version` prints.
    pub version: String,
    /// The server when neither flag, environment nor file names one.
    pub host: String,
    /// The client ID (RFC 6749 section 2.2), which the server must know.
    pub client_id: String,
    /// The scopes of a first sign-in that names none; if empty, the server's defaults of the
    /// client.
    pub scopes: Vec<String>,
    /// The environment variables.
    pub variables: Variables,
    /// The credentials files.
    pub files: Files,
    /// The words of the texts.
    pub words: Words,
}

/// The names of the environment variables. Those without a name of their own consist of the
/// prefix and a fixed part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variables {
    /// The first part: `ACME` for `ACME_TOKEN`. The name of the program in capitals if `None`.
    pub prefix: Option<String>,
    /// The variable of the token.
    pub token: Option<String>,
    /// The variable of the server.
    pub host: Option<String>,
    /// The variable of the profile.
    pub profile: Option<String>,
    /// The variable of the project.
    pub project: Option<String>,
    /// The variable of the path of the credentials file.
    pub config: Option<String>,
    /// The variable of the program that opens pages.
    pub browser: Option<String>,
}

/// The names of the credentials files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// The folder within the configuration folder of the user. The name of the program if `None`.
    pub folder: Option<String>,
    /// The file; with `{profile}` in its name, each profile has its own.
    pub credentials: String,
    /// The file of tokens that were given by hand. With the others if `None`.
    pub given: Option<String>,
    /// The profile of commands that name none.
    pub default_profile: String,
}

impl Branding {
    /// The name of an environment variable of the client, such as `DOORCODE_TOKEN` for `TOKEN`.
    pub fn variable(&self, name: &str) -> String {
        let own = match name {
            "TOKEN" => &self.variables.token,
            "HOST" => &self.variables.host,
            "PROFILE" => &self.variables.profile,
            "PROJECT" => &self.variables.project,
            "CONFIG" => &self.variables.config,
            "BROWSER" => &self.variables.browser,
            _ => &None,
        };
        own.clone().unwrap_or_else(|| {
            let prefix = self.variables.prefix.clone();
            let prefix = prefix.unwrap_or_else(|| {
                let program = self.program.to_ascii_uppercase();
                program.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
            });
            format!("{prefix}_{name}")
        })
    }

    /// The folder of the credentials file within the configuration folder of the user.
    pub fn folder(&self) -> &str {
        self.files.folder.as_deref().unwrap_or(&self.program)
    }

    /// The credentials files, the first of which has this path.
    pub(crate) fn layout(&self, path: std::path::PathBuf) -> Layout {
        Layout {
            given: self
                .files
                .given
                .as_ref()
                .map(|name| path.with_file_name(name)),
            path,
            default_host: self.host.clone(),
            // A branding from a file has been checked; one in code is the developer's.
            default_profile: Profile::parse(&self.files.default_profile).unwrap_or_default(),
            program: self.program.clone(),
        }
    }
}

impl Default for Branding {
    /// The names of Doorcode itself.
    fn default() -> Self {
        Self {
            program: "doorcode".to_owned(),
            about: "Sign in to your API from the command line".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: "http://127.0.0.1:8080".to_owned(),
            client_id: CLI_CLIENT_ID.to_owned(),
            scopes: Vec::new(),
            variables: Variables::default(),
            files: Files::default(),
            words: Words::default(),
        }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self {
            folder: None,
            credentials: "config.json".to_owned(),
            given: None,
            default_profile: Profile::default().to_string(),
        }
    }
}

#[cfg(all(test, feature = "program"))]
mod tests;
