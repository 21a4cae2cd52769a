//! Environment of a deployment under test: a directory, a database, and the secrets that must not
//! occur in them at the end.

use super::canary::Canaries;
use super::database::{Database, Template};
use super::log;
use super::search::{Leak, Piece, search, search_digested};
use super::truth::figures;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;
use tempfile::TempDir;

/// Prefixes of the names of files that hold a secret in plain text by design. Settings may hold
/// the password of a mail server.
const KEPT_SECRET: [&str; 4] = ["operator_token", "secret_key", "audit_key", "doorcode.toml"];

/// Prefix of the names of files that record what such a key has signed.
const MEMORY: &str = "audit_key.seen";

/// Totals of the searches of this run.
static TOTAL: Mutex<Searched> = Mutex::new(Searched {
    leaks: Vec::new(),
    secrets: 0,
    databases: 0,
    bytes: 0,
});

/// Scope and result of a search.
pub struct Searched {
    /// Secrets outside the permitted files.
    pub leaks: Vec<Leak>,
    secrets: usize,
    databases: usize,
    bytes: usize,
}

/// A directory, a database and secrets.
pub struct Ground {
    /// Directory of the files.
    pub directory: TempDir,
    /// Database, for queries of the test.
    pub database: Database,
    /// Known secrets.
    pub canaries: Canaries,
    /// Position in the log at the start.
    log_from: log::Mark,
    began: Instant,
}

impl Ground {
    /// A new directory, with an empty database or a copy of a template.
    pub fn new(template: Option<&Template>) -> Self {
        let began = Instant::now();
        let directory = tempfile::tempdir().unwrap();
        let database = Database::create(directory.path(), template);
        let canaries = Canaries::default();
        canaries.add_url(&database.url);
        Self {
            directory,
            database,
            canaries,
            log_from: log::Mark::now(),
            began,
        }
    }

    /// A file of the deployment.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Searches the database, the files of the directory and the log since the start for every
    /// secret.
    pub fn search(&self) -> Searched {
        let dump = self.database.dump();
        let databases = usize::from(!dump.is_empty());
        let mut pieces: Vec<Piece> = vec![
            ("the database".into(), dump.into_bytes()),
            ("the log".into(), self.log_from.since()),
            ("what programs logged".into(), self.canaries.log().into()),
        ];
        let mut leaks = search_digested(&pieces);
        self.add_files(self.directory.path(), &mut pieces);
        let secrets = self.canaries.secrets();
        leaks.extend(search(&secrets, &pieces));
        leaks.retain(|leak| !self.canaries.is_spared(&leak.secret));
        Searched {
            leaks,
            secrets: secrets.len(),
            databases,
            bytes: pieces.iter().map(|(_, text)| text.len()).sum(),
        }
    }

    fn add_files(&self, directory: &Path, to: &mut Vec<Piece>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.add_files(&path, to);
                continue;
            }
            // The server may be removing its own files.
            let Ok(text) = std::fs::read(&path) else {
                continue;
            };
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_secret = KEPT_SECRET.iter().any(|kind| name.starts_with(kind));
            match is_secret && !name.starts_with(MEMORY) {
                true => self.add_kept(&text),
                false => to.push((name, text)),
            }
        }
    }

    /// The first line of such a file is its secret.
    fn add_kept(&self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        let first = text.lines().next().unwrap_or_default().trim();
        if !first.contains(['[', ' ']) {
            self.canaries.add(first);
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.keep_time();
        // A failed test has already given its reason. On a database server its database remains
        // for examination.
        if std::thread::panicking() {
            return;
        }
        let leaks = match cfg!(test) {
            true => {
                let searched = self.search();
                searched.count();
                searched.leaks
            }
            // A search of the millions of rows of a bench takes too long.
            false => Vec::new(),
        };
        self.database.remove();
        assert!(leaks.is_empty(), "secrets where none may be: {leaks:#?}");
    }
}

impl Ground {
    /// Appends the duration in seconds and the name of the test to the times of the run.
    fn keep_time(&self) {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("a thread without a name");
        let line = format!("{:.2} {name}\n", self.began.elapsed().as_secs_f64());
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(Path::new(env!("CARGO_TARGET_TMPDIR")).join("times"));
        // A panic here would hide that of a failed test.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

impl Searched {
    /// Adds it to the totals. The file covers the whole run once the run is over.
    fn count(&self) {
        let mut total = TOTAL.lock().unwrap();
        total.secrets += self.secrets;
        total.databases += self.databases;
        total.bytes += self.bytes;
        let megabytes = total.bytes / 1_000_000;
        let line = format!(
            "{} secrets were looked for in {} databases and their logs, {megabytes} MB",
            total.secrets, total.databases
        );
        figures::show("canaries", &line);
    }
}
