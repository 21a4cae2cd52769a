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
