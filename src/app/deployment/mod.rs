//! The deployment's own secrets: the operator token and the secret key. Each comes from the
//! environment or from a file that only its owner can read; the first start makes the files.

pub(super) mod file;

use super::Entropy;
use super::operator::OperatorTokens;
use crate::config::Config;
use crate::domain::secret::{Key, Secret};
pub use file::make_private_directory;
use std::io;
use std::path::PathBuf;

/// The environment variable that holds the operator token.
pub const OPERATOR_TOKEN: &str = "DOORCODE_OPERATOR_TOKEN";

/// The environment variable that holds the operator token that was valid before.
pub const OPERATOR_TOKEN_PREVIOUS: &str = "DOORCODE_OPERATOR_TOKEN_PREVIOUS";

/// The environment variable that holds the secret key, 64 hexadecimal digits.
pub const SECRET_KEY: &str = "DOORCODE_SECRET_KEY";

/// The deployment's secrets.
pub struct Secrets {
    /// Authenticates form tokens and hides user codes.
    pub key: Key,
    /// The operator tokens that are valid.
    pub operator: OperatorTokens,
    /// The files that this start made.
    pub made: Vec<PathBuf>,
}

/// Why the secrets cannot be used.
#[derive(Debug)]
pub enum Error {
    /// A file cannot be read or made.
    File(PathBuf, io::Error),
    /// A file can be read by others.
    Exposed(PathBuf),
    /// A value is too short, a sample, or not of its form; where it came from and what to do.
    Unusable(String, &'static str),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Exposed(path) => write!(
                f,
                "{0} can be read by other users of this machine. Run `chmod 600 {0}`; if others may have read it, delete it, and the next start makes a new one.",
                path.display()
            ),
            Self::Unusable(origin, what) => write!(f, "{origin}: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl Secrets {
    /// Reads the secrets from the environment, given as a look-up, or from their files, which
    /// are made if they are not there.
    pub fn load(
        config: &Config,
        entropy: &dyn Entropy,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        let mut made = Vec::new();
        let (operator, made_now) = OperatorTokens::load(config, entropy, env)?;
        made.extend(made_now);

        let path = &config.server.secret_key_file;
        let (origin, key) = match env(SECRET_KEY) {
            Some(value) => (SECRET_KEY.to_owned(), Secret::new(value.trim())),
            None => {
                let (key, is_new) = file::read_or_make(path, &|| {
                    let mut bytes = [0; 32];
                    entropy.fill(&mut bytes);
                    Secret::from_random(&bytes)
                })?;
                made.extend(is_new.then(|| path.clone()));
                (path.display().to_string(), key)
            }
        };
        let key = Key::parse(key.expose()).ok_or(Error::Unusable(
            origin,
            "the secret key must be 64 hexadecimal digits, such as `openssl rand -hex 32` prints.",
        ))?;
        Ok(Self {
            key,
            operator,
            made,
        })
    }
}
