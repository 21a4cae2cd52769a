//! The deployment's own secrets: the operator token and the secret key. Each comes from the
//! environment or from a file that only its owner can read; the first start makes the files.

use super::Entropy;
use crate::config::Config;
use crate::domain::secret::{Digest, Key, Secret};
use crate::domain::token;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The environment variable that holds the operator token.
pub const OPERATOR_TOKEN: &str = "DOORCODE_OPERATOR_TOKEN";

/// The environment variable that holds the secret key, 64 hexadecimal digits.
pub const SECRET_KEY: &str = "DOORCODE_SECRET_KEY";

/// The least length of an operator token that was chosen elsewhere.
const OPERATOR_TOKEN_LENGTH: usize = 32;

/// The deployment's secrets.
#[derive(Clone)]
pub struct Secrets {
    /// Authenticates form tokens and hides user codes.
    pub key: Key,
    /// What is kept of the operator token.
    pub operator_token: Digest,
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
        let mut made = Vec::new();
        let mut find = |variable: &str, path: &Path, fresh: &dyn Fn() -> Secret| {
            if let Some(value) = env(variable).filter(|value| !value.is_empty()) {
                return Ok((variable.to_owned(), Secret::new(value.trim())));
            }
            let (secret, is_new) = read_or_make(path, fresh)?;
            if is_new {
                made.push(path.to_owned());
            }
            Ok((path.display().to_string(), secret))
        };

        let (origin, operator) = find(OPERATOR_TOKEN, &config.operator.token_file, &|| {
            let mut seed = token::TokenSeed::default();
            entropy.fill(&mut seed);
            token::write(config.tokens.prefix.as_str(), &seed)
        })?;
        check_operator_token(config, origin, &operator)?;

        let (origin, key) = find(SECRET_KEY, &config.server.secret_key_file, &|| {
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes);
            Secret::from_random(&bytes)
        })?;
        let key = Key::parse(key.expose()).ok_or(Error::Unusable(
            origin,
            "the secret key must be 64 hexadecimal digits, such as `openssl rand -hex 32` prints.",
        ))?;
        Ok(Self {
            key,
            operator_token: operator.digest(),
            made,
        })
    }
}

/// Refuses what can be guessed: short values, and such as have few different characters. The
/// configured prefix is no part of the secret, whatever word it is.
fn check_operator_token(config: &Config, origin: String, token: &Secret) -> Result<(), Error> {
    let text = token.expose();
    let prefix = config.tokens.prefix.as_str();
    let random = match text.split_once('_') {
        Some((_, digits)) if token::is_well_formed(prefix, text) => digits,
        _ => text,
    };
    let different: std::collections::BTreeSet<char> = random.chars().collect();
    let lower = random.to_lowercase();
    let is_sample = [
        "changeme", "example", "operator", "secret", "password", "xxxx",
    ]
    .iter()
    .any(|word| lower.contains(word));
    if text.len() < OPERATOR_TOKEN_LENGTH || different.len() < 8 || is_sample {
        return Err(Error::Unusable(
            origin,
            "the operator token can be guessed. Use at least 32 random characters, such as `openssl rand -hex 32` prints.",
        ));
    }
    if text.chars().any(|c| !c.is_ascii_graphic()) {
        return Err(Error::Unusable(
            origin,
            "the operator token must be of visible ASCII characters, without spaces.",
        ));
    }
    Ok(())
}

fn read_or_make(path: &Path, fresh: &dyn Fn() -> Secret) -> Result<(Secret, bool), Error> {
    let failed = |error| Error::File(path.to_owned(), error);
    match File::open(path) {
        Ok(mut file) => {
            let mode = file.metadata().map_err(failed)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(Error::Exposed(path.to_owned()));
            }
            let mut text = String::new();
            file.read_to_string(&mut text).map_err(failed)?;
            Ok((Secret::new(text.trim()), false))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_private_directory(path).map_err(failed)?;
            let secret = fresh();
            write_whole(path, &secret).map_err(failed)?;
            Ok((secret, true))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Makes the directory of a file that is for its owner alone.
pub fn make_private_directory(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent),
        _ => Ok(()),
    }
}

/// A start that is killed halfway must not leave half a secret behind: the file gets its
/// name when it is whole, and never replaces another.
fn write_whole(path: &Path, secret: &Secret) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.new", std::process::id()));
    let partial = PathBuf::from(partial);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)?;
    writeln!(file, "{}", secret.expose())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&partial, path);
    std::fs::remove_file(&partial)?;
    linked
}
