//! The names under which a client is shipped.

use std::borrow::Cow;

use wire::oauth::CLI_CLIENT_ID;

/// The names under which a client is shipped. A company that ships its own replaces them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branding {
    /// The name of the program, which the texts and the user agent contain.
    pub program: Cow<'static, str>,
    /// The first part of the environment variables: `DOORCODE` for `DOORCODE_TOKEN`.
    pub variables: Cow<'static, str>,
    /// The folder of the credentials file within the configuration folder of the user.
    pub folder: Cow<'static, str>,
    /// The server when neither flag, environment nor file names one.
    pub host: Cow<'static, str>,
    /// The client ID (RFC 6749 section 2.2), which the server must know.
    pub client_id: Cow<'static, str>,
}

impl Branding {
    /// The name of an environment variable of the client, such as `DOORCODE_TOKEN` for `TOKEN`.
    pub fn variable(&self, name: &str) -> String {
        format!("{}_{name}", self.variables)
    }
}

impl Default for Branding {
    /// The names of Doorcode itself. A build for one company sets `DOORCODE_DEFAULT_HOST` in its
    /// environment.
    fn default() -> Self {
        Self {
            program: "doorcode".into(),
            variables: "DOORCODE".into(),
            folder: "doorcode".into(),
            host: option_env!("DOORCODE_DEFAULT_HOST")
                .unwrap_or("http://127.0.0.1:8080")
                .into(),
            client_id: CLI_CLIENT_ID.into(),
        }
    }
}
