//! The credentials file on Unix.

use std::fs;
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;

/// Creates a folder, with its parents, that only its owner can read.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Makes a rename in this folder durable.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// Locks the file against other processes until the returned file is dropped. Creates the file
/// if it is missing.
pub fn lock(path: &Path) -> io::Result<fs::File> {
    loop {
        let file = match fs::File::open(path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => fs::OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(path)?,
            opened => opened?,
        };
        match file.lock() {
            // Some network file systems have no locks.
            Err(cause) if cause.kind() != io::ErrorKind::Unsupported => return Err(cause),
            _ => {}
        }
        // The previous owner of the lock may have replaced the file.
        let (locked, present) = (file.metadata()?, fs::metadata(path));
        if present.is_ok_and(|now| (now.dev(), now.ino()) == (locked.dev(), locked.ino())) {
            return Ok(file);
        }
    }
}

/// Takes the access rights of the group and of others away. Returns whether they had any.
pub fn make_private(path: &Path) -> io::Result<bool> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() || metadata.mode() & 0o077 == 0 {
        return Ok(false);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(true)
}

/// Whether other users can replace the files in a folder.
pub fn is_writable_by_others(folder: &Path) -> bool {
    // With the sticky bit only the owner of a file can replace it.
    fs::metadata(folder).is_ok_and(|found| found.mode() & 0o1002 == 0o0002)
}
