//! The credentials file on systems other than Unix.

use std::fs;
use std::io;
use std::path::Path;

/// Creates a folder with its parents. It inherits the access rights of the user's folder.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Does nothing: a folder cannot be opened as a file here, so a rename is as durable as the
/// system makes it.
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Locks the file against other processes until the returned file is dropped. The lock is on a
/// file beside it, since a locked file cannot be read here.
pub fn lock(path: &Path) -> io::Result<fs::File> {
    let file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path.with_extension("json.lock"))?;
    file.lock()?;
    Ok(file)
}

/// Does nothing: the file inherits the access rights of the user's folder.
pub fn make_private(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Always false: the folder of a user is private here.
pub fn is_writable_by_others(_: &Path) -> bool {
    false
}
