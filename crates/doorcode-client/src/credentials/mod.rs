//! The credentials file, which stores tokens.
//!
//! The default profile is at the top level, named profiles are below `profiles`:
//! `{ "token", "default_project", "host", "profiles": { "work": { … } } }`. The document is
//! kept as it was read, so unknown members survive a change.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::profile::Profile;
use domain::secret::Secret;
#[cfg(not(unix))]
use other as platform;
#[cfg(unix)]
use unix as platform;

/// The credentials file as it was read, with the changes since.
#[derive(Debug)]
pub struct Credentials {
    path: PathBuf,
    document: Map<String, Value>,
}

/// The stored credentials of one profile.
#[derive(Debug, Default)]
pub struct Entry {
    /// The token.
    pub token: Option<Secret>,
    /// The server that issued the token.
    pub host: Option<String>,
}

/// The credentials file cannot be read or written.
#[derive(Debug)]
pub struct FileError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Unreadable(io::Error),
    Broken(String),
    Unwritable(io::Error),
}

impl FileError {
    /// Whether the file could be read but not written.
    pub fn is_unwritable(&self) -> bool {
        matches!(self.problem, Problem::Unwritable(_))
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::Unreadable(cause) => {
                write!(f, "Cannot read the credentials file {path}: {cause}.")
            }
            Problem::Broken(what) => write!(
                f,
                "The credentials file {path} is broken: {what}. Repair it, or move it away and \
                 sign in again. The file was not changed."
            ),
            Problem::Unwritable(cause) => {
                write!(f, "Cannot write the credentials file {path}: {cause}.")
            }
        }
    }
}

impl Credentials {
    /// Reads the file. A missing file counts as empty; a broken file is an error, so that it
    /// is never overwritten.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let fail = |problem| FileError {
            path: path.to_owned(),
            problem,
        };
        let document = match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|cause| fail(Problem::Broken(cause.to_string())))?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Map::new(),
            Err(cause) => return Err(fail(Problem::Unreadable(cause))),
        };
        Ok(Self {
            path: path.to_owned(),
            document,
        })
    }

    /// The stored credentials of this profile.
    pub fn entry(&self, profile: &Profile) -> Result<Entry, FileError> {
        let Some(members) = self.members(profile)? else {
            return Ok(Entry::default());
        };
        let text = |member: &str| match members.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.broken(format!("\"{member}\" is not a string"))),
        };
        Ok(Entry {
            token: text("token")?.map(Secret::new),
            host: text("host")?,
        })
    }

    /// Stores a token and its server in this profile.
    pub fn keep(&mut self, profile: &Profile, token: &Secret, host: &str) -> Result<(), FileError> {
        let members = self.members_mut(profile)?;
        members.insert("token".to_owned(), token.expose().into());
        members.insert("host".to_owned(), host.into());
        Ok(())
    }

    /// Removes the token from this profile.
    pub fn forget(&mut self, profile: &Profile) -> Result<(), FileError> {
        self.members_mut(profile)?.remove("token");
        Ok(())
    }

    /// Writes the file atomically, with mode 0600.
    pub fn save(&self) -> Result<(), FileError> {
        self.write().map_err(|cause| FileError {
            path: self.path.clone(),
            problem: Problem::Unwritable(cause),
        })
    }

    fn write(&self) -> io::Result<()> {
        // The path may be a symbolic link; its target is replaced, not the link.
        let path = match fs::canonicalize(&self.path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => self.path.clone(),
            found => found?,
        };
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        platform::create_private_folder(directory)?;
        // Named temporary files are created with mode 0600.
        let mut file = tempfile::Builder::new()
            .prefix(".doorcode-")
            .tempfile_in(directory)?;
        serde_json::to_writer_pretty(&mut file, &self.document)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        platform::sync_folder(directory)
    }

    fn members(&self, profile: &Profile) -> Result<Option<&Map<String, Value>>, FileError> {
        let Some(name) = profile.name() else {
            return Ok(Some(&self.document));
        };
        match self.document.get("profiles") {
            None => Ok(None),
            Some(Value::Object(profiles)) => match profiles.get(name) {
                None => Ok(None),
                Some(Value::Object(members)) => Ok(Some(members)),
                Some(_) => Err(self.broken(format!("profile \"{name}\" is not an object"))),
            },
            Some(_) => Err(self.broken("\"profiles\" is not an object")),
        }
    }

    fn members_mut(&mut self, profile: &Profile) -> Result<&mut Map<String, Value>, FileError> {
        // Checks the shape first: a member that is not an object is refused, not replaced.
        self.members(profile)?;
        let mut members = &mut self.document;
        for name in profile
            .name()
            .into_iter()
            .flat_map(|name| ["profiles", name])
        {
            let value = members.entry(name).or_insert_with(|| Map::new().into());
            let Value::Object(inner) = value else {
                return Err(FileError {
                    path: self.path.clone(),
                    problem: Problem::Broken(format!("\"{name}\" is not an object")),
                });
            };
            members = inner;
        }
        Ok(members)
    }

    fn broken(&self, what: impl Into<String>) -> FileError {
        FileError {
            path: self.path.clone(),
            problem: Problem::Broken(what.into()),
        }
    }
}

#[cfg(test)]
mod tests;
