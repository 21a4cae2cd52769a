//! Why a client command failed, in words for the person at the terminal.
//!
//! The text of an error says what went wrong; [`Error::next_step`] says what to do about it.

use std::fmt;
use std::time::Duration;

use super::ClientOptions;
use super::credentials::FileError;
use super::host::Host;

/// Why a command failed.
#[derive(Debug)]
pub enum Error {
    /// The command was used wrongly.
    Usage(String),
    /// There is no token to work with.
    NotSignedIn(String),
    /// The server refuses the token.
    TokenRefused(Host),
    /// The token is good but does not allow this.
    NotAllowed(String),
    /// No answer came.
    Unreachable { host: Host, cause: String },
    /// The server answers that it cannot answer now.
    Busy {
        host: Host,
        status: u16,
        detail: Option<String>,
        retry_after: Option<Duration>,
    },
    /// The answer is not one of a Doorcode server.
    Unexpected { host: Host, what: String },
    /// The server refuses with an error of OAuth.
    OAuth {
        name: String,
        description: Option<String>,
    },
    /// The person pressed Deny.
    Denied,
    /// Nobody approved the code in time.
    Expired,
    /// The server could not be told to revoke the token, so it is kept.
    NotRevoked(Box<Error>),
    /// The credentials file.
    File(FileError),
    /// Anything else on this machine.
    Failed(String),
    /// Ctrl-C.
    Cancelled,
}

impl Error {
    /// The exit code of the program.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NotSignedIn(_) | Self::TokenRefused(_) => 3,
            Self::NotAllowed(_) => 4,
            Self::Cancelled => 130,
            _ => 1,
        }
    }

    /// If the same request may well succeed a little later: how long the server wants to be
    /// left alone, if it says so.
    pub fn passing(&self) -> Option<Option<Duration>> {
        match self {
            Self::Unreachable { .. } => Some(None),
            Self::Busy { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// What the person can do now.
    pub fn next_step(&self, options: &ClientOptions) -> Option<String> {
        let login = options.command("login");
        Some(match self {
            Self::NotSignedIn(_) | Self::TokenRefused(_) => format!("Run `{login}` to sign in."),
            Self::NotAllowed(_) => {
                format!("Ask an administrator, or sign in again with `{login} --scope NAME`.")
            }
            Self::Unreachable { host, .. } if host.is_loopback() => {
                "Is the server running? Start it with `doorcode serve`, or name another one \
                 with --host URL."
                    .to_owned()
            }
            Self::Unreachable { .. } => {
                "Check the network and the address; --host URL names another server.".to_owned()
            }
            Self::Busy {
                retry_after: Some(pause),
                ..
            } => {
                format!("Try again in {} seconds.", pause.as_secs())
            }
            Self::Busy { .. } => "Try again in a moment.".to_owned(),
            Self::Unexpected { .. } => {
                "Check that the address is that of a Doorcode server; --host URL names another \
                 one."
                    .to_owned()
            }
            Self::OAuth { name, .. } if name == "invalid_scope" => {
                "Check the names after --scope; the server's administrator knows which there \
                 are."
                    .to_owned()
            }
            Self::OAuth { .. } | Self::Denied | Self::Expired => {
                format!("Nothing was saved. To try again, run `{login}`.")
            }
            Self::NotRevoked(_) => format!(
                "The token is kept, so you can try again. `{}` forgets it here, but on the \
                 server it stays valid until it is revoked there.",
                options.command("logout --force")
            ),
            Self::File(_) | Self::Usage(_) | Self::Failed(_) | Self::Cancelled => return None,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text)
            | Self::NotSignedIn(text)
            | Self::NotAllowed(text)
            | Self::Failed(text) => f.write_str(text),
            Self::TokenRefused(host) => write!(
                f,
                "{host} refuses the token: it has expired, was revoked, or is mistyped."
            ),
            Self::Unreachable { host, cause } => write!(f, "Cannot reach {host}: {cause}."),
            Self::Busy {
                host,
                status,
                detail,
                ..
            } => {
                write!(f, "{host} cannot answer now (HTTP {status}).")?;
                detail.iter().try_for_each(|text| write!(f, " {text}"))
            }
            Self::Unexpected { host, what } => {
                write!(f, "{host} does not answer like a Doorcode server: {what}.")
            }
            Self::OAuth {
                name,
                description: None,
            } => {
                write!(f, "The server refuses the sign-in: {name}.")
            }
            Self::OAuth {
                name,
                description: Some(text),
            } => {
                write!(f, "The server refuses the sign-in: {text} ({name})")
            }
            Self::Denied => f.write_str("The sign-in was denied in the browser."),
            Self::Expired => f.write_str("The code expired before it was approved."),
            Self::NotRevoked(cause) => write!(f, "{cause}"),
            Self::File(error) => write!(f, "{error}"),
            Self::Cancelled => f.write_str("Cancelled. Nothing was saved."),
        }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        Self::Failed(format!("Cannot write the output: {cause}."))
    }
}
