//! The valid operator tokens: the current one, and the previous one during an overlap.
//!
//! The token file holds the current token, and a second file beside it the previous one with its
//! expiry, so that scripts can still read the current token from the first. A rotation renames
//! complete files into place, the old token's first: in between, and after a crash, both files
//! hold the current token. Servers check the files at each comparison of a token, so that a
//! rotation takes effect with the next request of all servers that share them.

use super::file::{self, SecretFile, Staged, Stamp};
use super::{Error, Found};
use crate::Entropy;
use chrono::SecondsFormat;
use config::{Config, Operator};
use domain::Instant;
use domain::secret::{Digest, Secret};
use domain::token;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Minimum length of an operator token that was not generated here.
const LENGTH: usize = 32;

/// The valid operator tokens.
pub struct OperatorTokens(Source);

enum Source {
    /// Disabled.
    Off,
    /// Environment variables, fixed for this process; the name of the first.
    Environment(Valid, String),
    /// Files, which may change at any time.
    Files(Files),
}

/// Digests of the valid tokens.
struct Valid {
    current: Digest,
    previous: Option<Previous>,
}

struct Previous {
    digest: Digest,
    /// `None` if it ends with the process.
    ends_at: Option<Instant>,
}

impl Valid {
    fn has(&self, digest: &Digest, now: Instant) -> bool {
        let is_previous = self.previous.as_ref().is_some_and(|previous| {
            previous.digest.matches(digest) && previous.ends_at.is_none_or(|end| now < end)
        });
        self.current.matches(digest) | is_previous
    }
}

impl Valid {
    fn digests(&self, now: Instant) -> Vec<Digest> {
        let previous = self.previous.iter();
        let previous = previous.filter(|one| one.ends_at.is_none_or(|end| now < end));
        std::iter::once(&self.current)
            .chain(previous.map(|previous| &previous.digest))
            .cloned()
            .collect()
    }
}

struct Files {
    current: PathBuf,
    previous: PathBuf,
    /// Configured token prefix.
    prefix: String,
    /// The environment variable that would replace the files.
    variable: String,
    last: Mutex<Reading>,
}

/// Content of the files when last read, and stamps to detect changes.
struct Reading {
    stamps: [Option<Stamp>; 2],
    /// `None` if they could not be used.
    valid: Option<Valid>,
}

impl OperatorTokens {
    /// Loads the tokens from the environment, given as a look-up, or from their files.
    pub fn load(
        config: &Config,
        entropy: &dyn Entropy,
        env: impl Fn(&str) -> Option<String>,
        found: &mut Found,
    ) -> Result<Self, Error> {
        if !config.operator.enabled {
            return Ok(Self(Source::Off));
        }
        let prefix = config.tokens.prefix.as_str();
        let variable = config.operator.token_variable.as_str();
        let of_previous = config.operator.previous_token_variable();
        let find = |variable: &str| {
            let value = env(variable).map(|value| Secret::new(value.trim()));
            value
                .map(|value| check(prefix, variable.to_owned(), &value))
                .transpose()
        };
        match (find(variable)?, find(&of_previous)?) {
            (Some(current), previous) => {
                let previous = previous.map(|digest| Previous {
                    digest,
                    ends_at: None,
                });
                let valid = Valid { current, previous };
                return Ok(Self(Source::Environment(valid, variable.to_owned())));
            }
            (None, Some(_)) => {
                let what = format!(
                    "holds the previous token, but {variable} is not set. Set {variable} too, or unset \
                     this one."
                );
                return Err(Error::Unusable(of_previous, what.into()));
            }
            (None, None) => {}
        }

        let current = config.operator.token_file.clone();
        secret_file(&config.operator).read_or_make(&|| draw(config, entropy), found)?;
        let mut previous = current.as_os_str().to_owned();
        previous.push(".previous");
        let files = Files {
            previous: previous.into(),
            prefix: prefix.to_owned(),
            variable: variable.to_owned(),
            last: Mutex::new(Reading {
                stamps: [None, None],
                valid: None,
            }),
            current,
        };
        files.read()?;
        Ok(Self(Source::Files(files)))
    }

    /// Whether a text is a currently valid operator token.
    pub fn recognises(&self, text: &Secret, now: Instant) -> bool {
        match &self.0 {
            Source::Off => false,
            Source::Environment(valid, _) => valid.has(&text.digest(), now),
            Source::Files(files) => {
                let digest = text.digest();
                files.with_valid(|valid| valid.has(&digest, now))
            }
        }
    }

    /// Digests of the valid tokens, the current one first.
    pub(super) fn valid_digests(&self, now: Instant) -> Vec<Digest> {
        match &self.0 {
            Source::Off => Vec::new(),
            Source::Environment(valid, _) => valid.digests(now),
            Source::Files(files) => files.with_valid(|valid| valid.digests(now)),
        }
    }

    /// Stages a new token, which becomes valid with [`Prepared::put_in_force`].
    pub(crate) fn prepare(
        &self,
        new: &Secret,
        overlap: Duration,
        now: Instant,
    ) -> Result<Prepared, Error> {
        match &self.0 {
            Source::Off => Err(Error::Unusable(
                "operator.enabled".to_owned(),
                "is false, so there is no operator token. Set it to true to use one.".into(),
            )),
            Source::Environment(_, variable) => {
                let what = format!(
                    "the operator token comes from this variable, which no command can change. Set \
                     the new token in {variable} and the old one in {variable}_PREVIOUS, and \
                     restart; when every script has the new one, unset the second and restart again."
                );
                Err(Error::Unusable(variable.clone(), what.into()))
            }
            Source::Files(files) => files.prepare(new, overlap, now),
        }
    }
}

/// Generates an operator token in the format of every token.
pub fn draw(config: &Config, entropy: &dyn Entropy) -> Secret {
    let mut seed = token::TokenSeed::default();
    entropy.fill(&mut seed);
    token::write(config.tokens.prefix.as_str(), &seed)
}

impl Files {
    /// Reads the current token first: a rotation writes it last, so a token that is replaced
    /// meanwhile is found in the other file.
    fn read(&self) -> Result<Valid, Error> {
        let origin = |path: &Path| path.display().to_string();
        let current = self.file(&self.current).read()?.ok_or_else(|| {
            let gone = io::Error::from(io::ErrorKind::NotFound);
            Error::File(self.current.clone(), gone)
        })?;
        let current = Secret::new(current.trim());
        let current = check(&self.prefix, origin(&self.current), &current)?;
        let previous = match self.read_previous()? {
            Some((token, end)) => Some(Previous {
                digest: check(&self.prefix, origin(&self.previous), &token)?,
                ends_at: Some(end),
            }),
            None => None,
        };
        Ok(Valid { current, previous })
    }

    /// Runs work on the valid tokens. Unusable files mean that no operator token is valid, and the
    /// default is returned.
    fn with_valid<T: Default>(&self, work: impl FnOnce(&Valid) -> T) -> T {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // Stamped before the read, so that a later change is detected next time.
        let stamps = [&self.current, &self.previous].map(|path| Stamp::of(path));
        if stamps != last.stamps {
            let valid = self.read().map_err(|error| {
                tracing::error!(%error, "no operator token is valid until this error is fixed");
            });
            *last = Reading {
                stamps,
                valid: valid.ok(),
            };
        }
        last.valid.as_ref().map(work).unwrap_or_default()
    }

    fn prepare(&self, new: &Secret, overlap: Duration, now: Instant) -> Result<Prepared, Error> {
        // Replace the target of a symbolic link, not the link.
        let current = std::fs::canonicalize(&self.current).map_err(self.failed())?;
        let lock = file::lock_directory(&current)?;
        let owner = std::fs::metadata(&current).map_err(self.failed())?;
        let old = self.file(&current).read()?.unwrap_or_default();
        let is_active = |(_, end): &(Secret, Instant)| now < *end;
        let older = self.read_previous()?.filter(is_active);
        let ends_at = chrono::Duration::from_std(overlap)
            .ok()
            .filter(|overlap| !overlap.is_zero())
            .map(|overlap| now + overlap);

        let stage = |path: &Path, text: &str| {
            Staged::write(path, text, Some(&owner))
                .map_err(|error| Error::File(path.to_owned(), error))
        };
        let previous = match ends_at {
            Some(end) => {
                let end = end.to_rfc3339_opts(SecondsFormat::Millis, true);
                Some(stage(&self.previous, &format!("{}\n{end}\n", old.trim()))?)
            }
            None => None,
        };
        Ok(Prepared {
            current: stage(&current, &format!("{}\n", new.expose()))?,
            previous,
            previous_path: self.previous.clone(),
            rotation: Rotation {
                token_file: self.current.clone(),
                previous_ends_at: ends_at,
                cut_short: older.map(|(_, end)| end),
            },
            _lock: lock,
        })
    }

    fn file<'a>(&'a self, path: &'a Path) -> SecretFile<'a> {
        SecretFile {
            path,
            variable: &self.variable,
        }
    }

    /// Reads the previous token and its expiry.
    fn read_previous(&self) -> Result<Option<(Secret, Instant)>, Error> {
        let Some(text) = self.file(&self.previous).read()? else {
            return Ok(None);
        };
        let read = text.trim().split_once('\n').and_then(|(token, end)| {
            let end = end.trim().parse().ok()?;
            Some((Secret::new(token.trim()), end))
        });
        read.map(Some).ok_or_else(|| {
            Error::Unusable(
                self.previous.display().to_string(),
                "must contain the previous operator token and, on a second line, its expiry. Delete \
                 the file to accept only the current token."
                    .into(),
            )
        })
    }

    fn failed(&self) -> impl Fn(io::Error) -> Error + use<'_> {
        |error| Error::File(self.current.clone(), error)
    }
}

/// The file of the operator token. While the variable is set, it is not read.
pub(super) fn secret_file(operator: &Operator) -> SecretFile<'_> {
    SecretFile {
        path: &operator.token_file,
        variable: &operator.token_variable,
    }
}

/// A staged rotation.
pub(crate) struct Prepared {
    current: Staged,
    /// `None` if the old token ends immediately.
    previous: Option<Staged>,
    previous_path: PathBuf,
    rotation: Rotation,
    /// Two concurrent rotations would lose a token.
    _lock: std::fs::File,
}

/// Result of a rotation of the operator token.
#[derive(Debug)]
pub struct Rotation {
    /// File that holds the new token.
    pub token_file: PathBuf,
    /// Expiry of the old token; `None` if it has ended.
    pub previous_ends_at: Option<Instant>,
    /// Original expiry of an even older token, which the rotation ended early.
    pub cut_short: Option<Instant>,
}

impl Prepared {
    /// Makes the new token valid. If this fails halfway, the old one stays valid.
    pub(crate) fn put_in_force(self) -> Result<Rotation, Error> {
        let moved = match self.previous {
            Some(previous) => previous.put_in_place(),
            None => match std::fs::remove_file(&self.previous_path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        };
        moved.map_err(|error| Error::File(self.previous_path, error))?;
        self.current
            .put_in_place()
            .map_err(|error| Error::File(self.rotation.token_file.clone(), error))?;
        Ok(self.rotation)
    }
}

/// Rejects guessable tokens: short ones, and those with few different characters. The configured
/// prefix is not part of the secret, whatever word it is.
fn check(prefix: &str, origin: String, token: &Secret) -> Result<Digest, Error> {
    let text = token.expose();
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
    if text.len() < LENGTH || different.len() < 8 || is_sample {
        return Err(Error::Unusable(
            origin,
            "the operator token can be guessed. Use at least 32 random characters, such as `openssl rand -hex 32` prints.".into(),
        ));
    }
    if text.chars().any(|c| !c.is_ascii_graphic()) {
        return Err(Error::Unusable(
            origin,
            "the operator token must be of visible ASCII characters, without spaces.".into(),
        ));
    }
    Ok(token.digest())
}
