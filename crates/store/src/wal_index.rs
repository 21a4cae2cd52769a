//! Whether an SQLite file has changed, without a statement.
//!
//! In WAL mode each commit, whichever process makes it, changes the header of the WAL index before
//! it returns, and none changes it back: the header has a counter of the commits, and the number
//! and the checksum of the frames (<https://www.sqlite.org/walformat.html>, section 2.1). The index
//! is the file `-shm`. To read the header costs one system call; a statement costs ten times as
//! much.

use super::lock;
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Mutex;

/// Length of the header, which is there twice.
const HEADER: usize = 48;

/// Offset of the byte that is 1 in an initialized header.
const IS_INITIALIZED: usize = 12;

/// The open indexes of this process, by device and inode. They stay open until the process ends:
/// to close any descriptor of a file releases all POSIX locks of the process on that file, and so
/// those of SQLite.
static OPEN: Mutex<BTreeMap<(u64, u64), &'static File>> = Mutex::new(BTreeMap::new());

/// State of an SQLite file: two equal ones have no commit between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version([u8; HEADER]);

/// The WAL index of an SQLite file.
#[derive(Debug)]
pub struct WalIndex(&'static File);

impl WalIndex {
    /// Opens the index of a database. A connection that has read it must be open, and stay open
    /// until the index is no longer used: the last connection to close removes the file.
    pub fn open(database: &Path) -> io::Result<Self> {
        // SQLite follows links too.
        let mut path = fs::canonicalize(database)?.into_os_string();
        path.push("-shm");
        let mut open = lock(&OPEN);
        // Without opening the file, which could not be closed again.
        if let Some(file) = open.get(&id(&fs::metadata(&path)?)) {
            return Ok(Self(file));
        }
        let file: &'static File = Box::leak(Box::new(File::open(&path)?));
        open.insert(id(&file.metadata()?), file);
        Ok(Self(file))
    }

    /// The state of the file; `None` during a commit, and if it cannot be told.
    pub fn version(&self) -> Option<Version> {
        let mut both = [0; 2 * HEADER];
        self.0.read_exact_at(&mut both, 0).ok()?;
        let (first, second) = both.split_first_chunk::<HEADER>()?;
        (first == second && first[IS_INITIALIZED] == 1).then_some(Version(*first))
    }
}

fn id(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
