//! Copies of an SQLite database in one file.

use super::conn::{Begin, Conn, Purpose};
use super::{Error, audit, migrate};
use config::DatabaseUrl;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The first bytes of an SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Permissions of a copy: only its owner may read it.
const MODE: u32 = 0o600;

/// A file under a temporary name, which is deleted unless it is put in place.
#[derive(Debug)]
pub struct StagedFile {
    partial: PathBuf,
    path: PathBuf,
}

/// What a copy contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSummary {
    /// Its size in bytes.
    pub bytes: u64,
    /// The last sealed record of the audit log.
    pub records: u64,
}

impl StagedFile {
    /// Creates an empty file. Fails with [`io::ErrorKind::AlreadyExists`] if the path is taken.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".{}.new", std::process::id()));
        let staged = Self {
            partial: partial.into(),
            path: path.to_owned(),
        };
        // One that a process with the same id left.
        staged.remove();
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&staged.partial)?;
        Ok(staged)
    }

    /// The temporary path.
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// The file as a database.
    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::Sqlite(self.partial.clone())
    }

    /// Writes it to disk and gives it its name. Fails with [`io::ErrorKind::AlreadyExists`] if the
    /// name was taken meanwhile.
    pub fn put_in_place(self) -> io::Result<()> {
        File::open(&self.partial)?.sync_all()?;
        std::fs::hard_link(&self.partial, &self.path)?;
        let folder = self
            .path
            .parent()
            .filter(|path| !path.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.partial.as_os_str().to_owned();
            path.push(suffix);
            // There may be none.
            let _ = std::fs::remove_file(PathBuf::from(path));
        }
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Writes the present state of a database to an empty file, while servers and commands use the database.
pub fn write(from: &DatabaseUrl, to: &StagedFile) -> Result<BackupSummary, Error> {
    let name = to.partial().to_str();
    let name = name.ok_or_else(|| Error::Other("the path of the copy is not UTF-8".into()))?;
    let mut conn = Conn::open(from, Purpose::Write)?;
    let Conn::Sqlite(sqlite) = &mut conn else {
        return Err(Error::Other("only a database of SQLite is one file".into()));
    };
    diesel::sql_query("VACUUM INTO $1")
        .bind::<Text, _>(name)
        .execute(sqlite)?;
    summarize(to)
}

fn summarize(copy: &StagedFile) -> Result<BackupSummary, Error> {
    let mut conn = Conn::open(&copy.url(), Purpose::Write)?;
    let log = audit::find_head(&mut conn)?;
    conn.into_one_file()?;
    let bytes =
        std::fs::metadata(copy.partial()).map_err(|error| Error::Other(error.to_string()))?;
    Ok(BackupSummary {
        bytes: bytes.len(),
        records: log.map_or(0, |log| log.head.sequence),
    })
}

/// Copies a file that may be a backup, checks that it is an intact database, and migrates it to this
/// version. Fails with [`Error::Other`] in one line if it is none.
pub fn read(from: &Path, to: &StagedFile) -> Result<(), Error> {
    let named =
        |error: &dyn std::fmt::Display| Error::Other(format!("{}: {error}", from.display()));
    let mut source = File::open(from).map_err(|error| named(&error))?;
    let mut magic = [0; 16];
    let is_database = source.read_exact(&mut magic).is_ok() && magic == *MAGIC;
    if !is_database {
        return Err(named(&"this is no backup: it is no database of SQLite."));
    }
    let copied = source.rewind().and_then(|()| {
        let mut target = OpenOptions::new().write(true).open(to.partial())?;
        io::copy(&mut source, &mut target)
    });
    copied.map_err(|error| named(&error))?;
    let damaged = |why: &dyn std::fmt::Display| named(&format!("the file is damaged: {why}"));
    let opened = Conn::open(&to.url(), Purpose::Write)
        .and_then(|mut conn| Ok((migrate::schema(&mut conn, &Begin::of(&to.url()))?, conn)));
    let (schema, mut conn) = opened.map_err(|error| match error {
        Error::Newer(_) => error,
        error => damaged(&error),
    })?;
    if schema == migrate::Schema::Empty {
        return Err(named(&"this is no backup: it has no tables of Doorcode."));
    }
    let checked: Checked = diesel::sql_query("PRAGMA quick_check(1)")
        .get_result(&mut conn)
        .map_err(|_| named(&"the file is damaged."))?;
    if checked.quick_check != "ok" {
        return Err(named(&format!(
            "the file is damaged: {}.",
            checked.quick_check.replace('\n', " ")
        )));
    }
    drop(conn);
    migrate::migrate(&to.url())?;
    Ok(())
}

/// Makes a database that no connection uses one file again.
pub fn close(database: &DatabaseUrl) -> Result<(), Error> {
    Conn::open(database, Purpose::Write)?.into_one_file()
}

#[derive(QueryableByName)]
struct Checked {
    #[diesel(sql_type = Text)]
    quick_check: String,
}
