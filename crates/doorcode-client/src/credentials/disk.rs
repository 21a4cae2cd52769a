//! How the credentials file is read and written.

use std::fs;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::{FileError, Problem};
#[cfg(not(unix))]
use super::other as platform;
#[cfg(unix)]
use super::unix as platform;

/// The mark that some editors write at the start of a UTF-8 file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the file. A missing or empty file has no members.
pub fn read(path: &Path) -> Result<Map<String, Value>, FileError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(cause) => return Err(FileError::new(path, Problem::Unreadable(cause))),
    };
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
    if text.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(text)
        .map_err(|cause| FileError::new(path, Problem::Broken(cause.to_string())))
}

/// Locks the file against other processes until the returned file is dropped. Creates a missing
/// file and its folder.
pub fn lock(path: &Path) -> Result<fs::File, FileError> {
    check_kind(path)?;
    platform::create_private_folder(folder(path))
        .and_then(|()| platform::lock(path))
        .map_err(|cause| FileError::new(path, Problem::Unwritable(cause)))
}

/// Writes the file atomically, with mode 0600. A file that cannot be replaced, such as one that
/// is mounted into a container, is written in place.
pub fn write(path: &Path, document: &Map<String, Value>) -> Result<(), FileError> {
    check_kind(path)?;
    let write = || {
        let mut text = serde_json::to_vec_pretty(document)?;
        text.push(b'\n');
        let path = &target(path)?;
        replace(path, &text).or_else(|cause| match cause.kind() {
            io::ErrorKind::ResourceBusy
            | io::ErrorKind::CrossesDevices
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem => overwrite(path, &text).map_err(|_| cause),
            _ => Err(cause),
        })
    };
    write().map_err(|cause: io::Error| FileError::new(path, Problem::Unwritable(cause)))
}

/// Fails if [`write`] could not store the file. Changes nothing.
pub fn check_writable(path: &Path) -> Result<(), FileError> {
    check_kind(path)?;
    let check = || {
        let path = &target(path)?;
        let opened = fs::OpenOptions::new().append(true).open(path);
        // The first folder that is there; the others will be created in it.
        let existing = path.ancestors().skip(1).find_map(|parent| {
            let parent = existing_name(parent);
            parent.symlink_metadata().is_ok().then_some(parent)
        });
        match (
            tempfile::tempfile_in(existing.unwrap_or(Path::new("."))),
            opened,
        ) {
            (Ok(_), Err(cause)) if cause.kind() == io::ErrorKind::ReadOnlyFilesystem => Err(cause),
            (Ok(_), _) | (Err(_), Ok(_)) => Ok(()),
            (Err(cause), Err(_)) => Err(cause),
        }
    };
    check().map_err(|cause| FileError::new(path, Problem::Unwritable(cause)))
}

/// Takes the access rights of others to the file away. Returns whether they had any.
pub fn make_private(path: &Path) -> io::Result<bool> {
    platform::make_private(path)
}

/// Whether other users can replace the file.
pub fn is_replaceable_by_others(path: &Path) -> bool {
    platform::is_writable_by_others(folder(path))
}

/// A device such as `/dev/null` must not be replaced by a file.
fn check_kind(path: &Path) -> Result<(), FileError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(FileError::new(path, Problem::NotAFile)),
        _ => Ok(()),
    }
}

/// The path behind symbolic links: the target of a link is replaced, not the link.
fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        found => found,
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().map_or(Path::new("."), existing_name)
}

/// The path of the current folder is empty in the parent of a bare file name.
fn existing_name(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    }
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = folder(path);
    // Named temporary files are created with mode 0600.
    let mut file = tempfile::Builder::new()
        .prefix(".credentials-")
        .tempfile_in(folder)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    platform::sync_folder(folder)
}

fn overwrite(path: &Path, text: &[u8]) -> io::Result<()> {
    // Other users must not read the file once it contains the token.
    platform::make_private(path)?;
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    file.write_all(text)?;
    let length = file.stream_position()?;
    file.set_len(length)?;
    file.sync_all()
}
