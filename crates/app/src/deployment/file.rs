//! Files with a secret, accessible only to their owner. Each is written under a temporary name
//! and renamed when complete, so that readers never see a partial secret.

use super::Error;
use domain::secret::Secret;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Reads a secret file; `None` if it does not exist. Fails if other users can read it.
pub fn read(path: &Path) -> Result<Option<String>, Error> {
    let failed = |error| Error::File(path.to_owned(), error);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Error::Exposed(path.to_owned()));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    Ok(Some(text))
}

/// Reads the secret in a file, or creates it. Returns whether it is new.
pub fn read_or_make(path: &Path, fresh: &dyn Fn() -> Secret) -> Result<(Secret, bool), Error> {
    if let Some(text) = read(path)? {
        return Ok((Secret::new(text.trim()), false));
    }
    let failed = |error| Error::File(path.to_owned(), error);
    make_private_directory(path).map_err(failed)?;
    let secret = fresh();
    Staged::write(path, &format!("{}\n", secret.expose()), None)
        .and_then(Staged::put_in_place_of_nothing)
        .map_err(failed)?;
    Ok((secret, true))
}

/// Creates the directory of a file, accessible only to its owner.
pub fn make_private_directory(file: &Path) -> io::Result<()> {
    match directory(file) {
        Some(parent) => std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent),
        None => Ok(()),
    }
}

fn directory(file: &Path) -> Option<&Path> {
    file.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
}

/// Locks the directory of a file until the result is dropped. Fails if another process has the
/// lock.
pub fn lock_directory(file: &Path) -> Result<File, Error> {
    let failed = |error| Error::File(file.to_owned(), error);
    let directory = File::open(directory(file).unwrap_or(Path::new("."))).map_err(failed)?;
    match directory.try_lock() {
        Ok(()) => Ok(directory),
        Err(TryLockError::Error(error)) => Err(failed(error)),
        Err(TryLockError::WouldBlock) => Err(Error::Unusable(
            file.display().to_string(),
            "another command is replacing this file. Try again when it has ended.",
        )),
    }
}

/// A secret under a temporary name. It is deleted unless it is renamed.
pub struct Staged {
    partial: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// Writes a secret under a temporary name. The file gets the owner of `like`: a server that
    /// runs as another user than the rotating one must still be able to read it.
    pub fn write(path: &Path, text: &str, like: Option<&Metadata>) -> io::Result<Self> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".{}.new", std::process::id()));
        let staged = Self {
            partial: partial.into(),
            path: path.to_owned(),
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&staged.partial)?;
        file.write_all(text.as_bytes())?;
        if let Some(like) = like {
            std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()))?;
        }
        file.sync_all()?;
        Ok(staged)
    }

    /// Renames it, replacing an existing file.
    pub fn put_in_place(self) -> io::Result<()> {
        std::fs::rename(&self.partial, &self.path)?;
        File::open(directory(&self.path).unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Renames it, and fails if the name is taken.
    fn put_in_place_of_nothing(self) -> io::Result<()> {
        std::fs::hard_link(&self.partial, &self.path)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Already renamed, or no longer needed.
        let _ = std::fs::remove_file(&self.partial);
    }
}
