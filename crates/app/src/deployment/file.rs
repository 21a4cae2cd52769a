//! Files with a secret, accessible only to their owner. Each is written under a temporary name
//! and renamed when complete, so that readers never see a partial secret.

use super::{Error, Found};
use domain::secret::Secret;
use rustix::fs::{StatVfsMountFlags, fstatvfs};
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A secret file, and the environment variable that replaces it.
pub struct SecretFile<'a> {
    /// Path of the file.
    pub path: &'a Path,
    /// The environment variable. While it is set, the file is not read.
    pub variable: &'a str,
}

/// Who can read a secret file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Only its owner.
    Private,
    /// Other users too, but only an administrator can have decided that.
    Shared,
    /// Other users too, perhaps by mistake.
    Exposed,
}

impl Access {
    /// The rule: modes such as 0600 and 0400 are private. Secrets that an administrator mounts
    /// often have mode 0440 or 0444 and cannot be changed, so these modes are accepted for files
    /// of root and on a read-only file system.
    fn of(owner: u32, mode: u32, is_read_only: bool) -> Self {
        match mode & 0o777 {
            mode if mode & 0o077 == 0 => Self::Private,
            0o440 | 0o444 if owner == 0 || is_read_only => Self::Shared,
            _ => Self::Exposed,
        }
    }
}

impl SecretFile<'_> {
    /// Reads the file; `None` if it does not exist. Fails if other users can read it by mistake.
    /// Owner and mode are those of the opened file, whatever its path names meanwhile.
    pub fn read(&self) -> Result<Option<String>, Error> {
        Ok(self.read_with_access()?.map(|(text, _)| text))
    }

    fn read_with_access(&self) -> Result<Option<(String, Access)>, Error> {
        read_private(self.path, Some(self.variable))
    }

    /// Reads the secret in the file, or creates it.
    pub fn read_or_make(
        &self,
        fresh: &dyn Fn() -> Secret,
        found: &mut Found,
    ) -> Result<Secret, Error> {
        if let Some((text, access)) = self.read_with_access()? {
            if access == Access::Shared {
                found.shared.push(self.path.to_owned());
            }
            return Ok(Secret::new(text.trim()));
        }
        let failed = |error| Error::File(self.path.to_owned(), error);
        make_private_directory(self.path).map_err(failed)?;
        let secret = fresh();
        Staged::write(self.path, &format!("{}\n", secret.expose()), None)
            .and_then(Staged::put_in_place_of_nothing)
            .map_err(failed)?;
        found.made.push(self.path.to_owned());
        Ok(secret)
    }
}

/// Reads the text of a secret file that no environment variable replaces, such as the key of a
/// certificate; `None` if it does not exist. Fails if other users can read it by mistake.
pub fn read_secret(path: &Path) -> Result<Option<String>, Error> {
    Ok(read_private(path, None)?.map(|(text, _)| text))
}

fn read_private(path: &Path, variable: Option<&str>) -> Result<Option<(String, Access)>, Error> {
    let failed = |error| Error::File(path.to_owned(), error);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let metadata = file.metadata().map_err(failed)?;
    let mount = fstatvfs(&file).map_err(|error| failed(error.into()))?;
    let is_read_only = mount.f_flag.contains(StatVfsMountFlags::RDONLY);
    let access = Access::of(metadata.uid(), metadata.mode(), is_read_only);
    if access == Access::Exposed {
        return Err(Error::Exposed(path.to_owned(), variable.map(str::to_owned)));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    Ok(Some((text, access)))
}

/// Device, inode, length and change time. It differs for every file that replaces another and for
/// every change of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp([u64; 3], [i64; 2]);

impl Stamp {
    /// The stamp of a file; `None` if it cannot be found.
    pub fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self(
            [file.dev(), file.ino(), file.len()],
            [file.ctime(), file.ctime_nsec()],
        ))
    }
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
            "another command is replacing this file. Try again when it has ended.".into(),
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
        // One that a process with the same id left, or a link to the file of another user.
        match std::fs::remove_file(&staged.partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
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
    pub(super) fn put_in_place_of_nothing(self) -> io::Result<()> {
        std::fs::hard_link(&self.partial, &self.path)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Already renamed, or no longer needed.
        let _ = std::fs::remove_file(&self.partial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_not_written_to_a_file_that_is_there_already() {
        let folder = tempfile::tempdir().unwrap();
        let (path, foreign) = (folder.path().join("key"), folder.path().join("foreign"));
        std::fs::write(&foreign, "theirs").unwrap();
        let partial = format!("{}.{}.new", path.display(), std::process::id());
        std::os::unix::fs::symlink(&foreign, &partial).unwrap();
        Staged::write(&path, "secret", None)
            .and_then(Staged::put_in_place)
            .unwrap();
        assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "theirs");
        let file = std::fs::symlink_metadata(&path).unwrap();
        assert!(file.is_file());
        assert_eq!(file.mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "secret");
    }

    const ROOT: u32 = 0;
    const USER: u32 = 1000;

    /// An owner, a mode, whether the file system is read-only, and who can read the file.
    #[rustfmt::skip]
    const RULE: [(u32, u32, bool, Access); 22] = [
        (USER, 0o600, false, Access::Private),
        (USER, 0o400, false, Access::Private),
        (ROOT, 0o600, false, Access::Private),
        (ROOT, 0o400, true, Access::Private),
        (USER, 0o100_600, true, Access::Private),
        (USER, 0o440, false, Access::Exposed),
        (USER, 0o444, false, Access::Exposed),
        (USER, 0o100_444, false, Access::Exposed),
        (USER, 0o440, true, Access::Shared),
        (USER, 0o444, true, Access::Shared),
        (ROOT, 0o440, false, Access::Shared),
        (ROOT, 0o444, false, Access::Shared),
        (ROOT, 0o100_440, true, Access::Shared),
        (ROOT, 0o640, true, Access::Exposed),
        (ROOT, 0o644, true, Access::Exposed),
        (ROOT, 0o604, false, Access::Exposed),
        (ROOT, 0o404, true, Access::Exposed),
        (ROOT, 0o460, true, Access::Exposed),
        (ROOT, 0o446, true, Access::Exposed),
        (ROOT, 0o666, true, Access::Exposed),
        (ROOT, 0o620, true, Access::Exposed),
        (USER, 0o644, true, Access::Exposed),
    ];

    #[test]
    fn only_what_an_administrator_decided_is_readable_by_others() {
        for (owner, mode, is_read_only, access) in RULE {
            assert_eq!(
                Access::of(owner, mode, is_read_only),
                access,
                "owner {owner}, mode {mode:o}, read-only {is_read_only}"
            );
        }
    }

    #[test]
    fn refusal_names_the_mode_and_the_variable() {
        let error = Error::Exposed("data/secret_key".into(), Some("DOORCODE_SECRET_KEY".into()));
        assert_eq!(
            error.to_string(),
            "data/secret_key can be read by other users of this machine. Run \
             `chmod 600 data/secret_key`, or set DOORCODE_SECRET_KEY instead of the file. If \
             others may have read it, replace the secret."
        );
        let error = Error::Exposed("tls.key".into(), None);
        assert_eq!(
            error.to_string(),
            "tls.key can be read by other users of this machine. Run `chmod 600 tls.key`. If \
             others may have read it, replace the secret."
        );
    }
}
