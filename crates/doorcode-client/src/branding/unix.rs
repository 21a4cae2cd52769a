//! Who can write a branding file on Unix.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Whether only the owner of the program, and the administrator, can write this file.
pub fn is_as_trusted(file: &Path, program: &Path) -> bool {
    let (Ok(file), Ok(program)) = (fs::metadata(file), fs::metadata(program)) else {
        return false;
    };
    let is_owned = file.uid() == program.uid() || file.uid() == 0;
    is_owned && file.mode() & 0o022 == 0
}
