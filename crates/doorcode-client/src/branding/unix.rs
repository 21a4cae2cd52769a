//! The branding file on Unix.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Write permission of the group and of all others.
const WRITABLE_FOR_OTHERS: u32 = 0o022;

/// The content of a branding file that only the owner of the program, and the administrator, can
/// write or replace; else why it is ignored, without a full stop. The checks are about the file
/// that is read, whatever the path names meanwhile.
pub fn read_trusted(path: &Path, program: &Path) -> io::Result<Result<String, &'static str>> {
    // A pipe would block.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut options = File::options();
    let opened = options.read(true).custom_flags(flags.bits().cast_signed());
    let mut file = match opened.open(path) {
        Err(cause) if cause.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Ok(Err(
                "it is a symbolic link. Replace it with the file itself",
            ));
        }
        file => file?,
    };
    let about = file.metadata()?;
    if !about.is_file() {
        return Ok(Err("it is not a regular file. Remove it"));
    }
    let program = fs::metadata(program)?;
    if !is_as_trusted(Access::of(&about), Access::of(&program)) {
        return Ok(Err(
            "others than the owner of the program can write it. Give it to the owner of the \
             program, with the permissions 0644",
        ));
    }
    let folder = path.parent().map(fs::metadata).transpose()?;
    if !folder.is_some_and(|folder| is_as_trusted(Access::of(&folder), Access::of(&program))) {
        return Ok(Err(
            "others than the owner of the program can replace it. Give the folder to the owner of \
             the program, with the permissions 0755",
        ));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(Ok(text))
}

/// Who can write a file, or change the files in a folder.
#[derive(Clone, Copy)]
struct Access {
    owner: u32,
    mode: u32,
}

impl Access {
    fn of(metadata: &Metadata) -> Self {
        Self {
            owner: metadata.uid(),
            mode: metadata.mode(),
        }
    }
}

/// Whether only the owner of the program, and the administrator, can write there.
fn is_as_trusted(there: Access, program: Access) -> bool {
    let is_owned = there.owner == program.owner || there.owner == 0;
    is_owned && there.mode & WRITABLE_FOR_OTHERS == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_of_the_program_and_the_administrator_are_trusted() {
        const ADA: u32 = 1000;
        const EVE: u32 = 1001;
        for (owner, mode, program, trusted) in [
            (ADA, 0o644, ADA, true),
            (0, 0o644, ADA, true),
            (0, 0o755, 0, true),
            (EVE, 0o644, ADA, false),
            (ADA, 0o644, 0, false),
            (ADA, 0o664, ADA, false),
            (ADA, 0o646, ADA, false),
            (0, 0o1777, ADA, false),
            (0, 0o2775, 0, false),
        ] {
            let there = Access { owner, mode };
            let program = Access {
                owner: program,
                mode: 0o755,
            };
            assert_eq!(is_as_trusted(there, program), trusted, "{owner} {mode:o}");
        }
    }
}
