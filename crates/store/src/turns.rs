//! Which process writes to an SQLite file.
//!
//! A server holds an exclusive lock on a file beside the database. Commands without a server share
//! the same lock. A command beside a running server asks it for a turn, by a socket beside the
//! database: the locks of SQLite have no queue, so a busy server would take them again and again
//! before the command does.

use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Time that one turn of a command lasts at most.
const TURN: Duration = Duration::from_secs(5);

/// Time that a command waits for its turn at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time that a starting server waits for a command to end.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// Time until the server accepts connections again after it could not.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Permissions of both files: only their owner may use them.
const MODE: u32 = 0o600;

/// How this process may write.
#[derive(Debug)]
pub struct Turns(Writing);

#[derive(Debug)]
enum Writing {
    /// No other process has to be asked. Holds the lock, if there is one.
    Alone { _lock: Option<File> },
    /// A server, which lends its turn to commands.
    Lending { _lock: File, lending: Arc<Lending> },
    /// A command beside a server, which lends it turns by this socket.
    Borrowing(PathBuf),
}

/// The right to write, until it is dropped.
#[derive(Debug)]
pub enum Turn<'a> {
    /// No other process has to be asked.
    Free,
    /// The server's own.
    Own(OwnTurn<'a>),
    /// Lent by a server, which sees the end of the connection.
    Borrowed(UnixStream),
}

/// Why the lock cannot be taken.
#[derive(Debug)]
pub enum LockRefusal {
    /// A server with this process id has it.
    Server(String),
    /// A command has it for longer than commands take.
    Command,
    /// The file cannot be used.
    File(PathBuf, io::Error),
}

impl Turns {
    /// Without a lock: PostgreSQL orders writes itself.
    pub fn alone() -> Self {
        Self(Writing::Alone { _lock: None })
    }

    /// Takes the lock of a database for a server, and lends turns to commands from now on.
    pub fn of_server(database: &Path) -> Result<Self, LockRefusal> {
        let database = &resolve(database);
        let lock = match (try_lock(database, File::try_lock)?, find_server(database)) {
            (Ok(lock), _) => lock,
            (Err(_), Some(server)) => return Err(LockRefusal::Server(server)),
            (Err(file), None) => wait_for(file).ok_or(LockRefusal::Command)?,
        };
        write_server(&lock, &std::process::id().to_string())
            .map_err(|error| LockRefusal::File(beside(database, "lock"), error))?;
        let lending = Arc::new(Lending::default());
        match bind(&beside(database, "sock")) {
            Ok(listener) => {
                let lender = lending.clone();
                thread::spawn(move || serve(&listener, &lender));
            }
            // Such as for a long path.
            Err(error) => tracing::warn!(
                "commands beside this server may have to be repeated: the socket beside the \
                 database cannot be opened: {error}"
            ),
        }
        Ok(Self(Writing::Lending {
            _lock: lock,
            lending,
        }))
    }

    /// Takes the lock of a database for a command, or asks the server that has it for each turn.
    pub fn of_command(database: &Path) -> Result<Self, LockRefusal> {
        let database = &resolve(database);
        match try_lock(database, File::try_lock_shared)? {
            Ok(lock) => {
                // The lock may name a server that was killed.
                write_server(&lock, "")
                    .map_err(|error| LockRefusal::File(beside(database, "lock"), error))?;
                Ok(Self(Writing::Alone { _lock: Some(lock) }))
            }
            Err(_) => Ok(Self(Writing::Borrowing(beside(database, "sock")))),
        }
    }

    /// Takes the lock of a database for a command that no other process may run beside.
    pub fn exclusive(database: &Path) -> Result<Self, LockRefusal> {
        let database = &resolve(database);
        match (try_lock(database, File::try_lock)?, find_server(database)) {
            (Ok(lock), _) => {
                write_server(&lock, "")
                    .map_err(|error| LockRefusal::File(beside(database, "lock"), error))?;
                Ok(Self(Writing::Alone { _lock: Some(lock) }))
            }
            (Err(_), Some(server)) => Err(LockRefusal::Server(server)),
            (Err(_), None) => Err(LockRefusal::Command),
        }
    }

    /// Whether a server runs beside this command.
    pub fn is_beside_server(&self) -> bool {
        matches!(self.0, Writing::Borrowing(_))
    }

    /// Waits for the right to write.
    pub fn wait(&self) -> Turn<'_> {
        match &self.0 {
            Writing::Alone { .. } => Turn::Free,
            Writing::Lending { lending, .. } => Turn::Own(lending.wait()),
            // If the server has ended, the locks of SQLite are enough.
            Writing::Borrowing(path) => borrow(path).map_or(Turn::Free, Turn::Borrowed),
        }
    }
}

/// The path of the database without links: one lock, by whatever name it is opened.
fn resolve(database: &Path) -> PathBuf {
    fs::canonicalize(database).unwrap_or_else(|_| database.to_owned())
}

/// The path of a file beside the database.
fn beside(database: &Path, extension: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    path.into()
}

/// The file with its lock, or without it if another process has it.
fn try_lock(
    database: &Path,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<Result<File, File>, LockRefusal> {
    let path = beside(database, "lock");
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(MODE)
        // The owner of the folder must not make root write to another file.
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path);
    let file = opened.map_err(|error| LockRefusal::File(path.clone(), error))?;
    hand_over(&file, database).map_err(|error| LockRefusal::File(path.clone(), error))?;
    match lock(&file) {
        Ok(()) => Ok(Ok(file)),
        Err(TryLockError::WouldBlock) => Ok(Err(file)),
        Err(TryLockError::Error(error)) => Err(LockRefusal::File(path, error)),
    }
}

/// Gives the lock to the owner of the database, who must be able to open it after root made it.
fn hand_over(lock: &File, database: &Path) -> io::Result<()> {
    let Ok(owner) = fs::metadata(database) else {
        return Ok(());
    };
    match fchown(lock, Some(owner.uid()), Some(owner.gid())) {
        // Only root may.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

/// Waits until commands have ended. A thread waits, since the lock itself has no time limit.
fn wait_for(file: File) -> Option<File> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        if file.lock().is_ok() {
            // After the time limit it is not received, and is released.
            let _ = sender.send(file);
        }
    });
    receiver.recv_timeout(START_PATIENCE).ok()
}

/// Writes the process id of the server that has the lock.
fn write_server(mut lock: &File, id: &str) -> io::Result<()> {
    lock.set_len(0)?;
    lock.write_all(id.as_bytes())
}

/// The process id of the server that has the lock.
fn find_server(database: &Path) -> Option<String> {
    let text = fs::read_to_string(beside(database, "lock")).ok()?;
    (!text.is_empty()).then_some(text)
}

/// Opens the socket in place of one that an ended server left. The lock is held.
fn bind(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    Ok(listener)
}

/// Asks the server for a turn.
fn borrow(path: &Path) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"?")?;
    stream.read_exact(&mut [0])?;
    Ok(stream)
}

fn serve(listener: &UnixListener, lending: &Arc<Lending>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Such as without a free file descriptor: the command waits.
            thread::park_timeout(AFTER_ERROR);
            continue;
        };
        let lending = lending.clone();
        let serve = move || {
            if let Err(error) = lend(stream, &lending) {
                tracing::debug!("a command left before its turn: {error}");
            }
        };
        if let Err(error) = thread::Builder::new().spawn(serve) {
            tracing::debug!("a command has to write without a turn: {error}");
        }
    }
}

/// Lends a turn to the peer, until it closes the connection.
fn lend(mut stream: UnixStream, lending: &Lending) -> io::Result<()> {
    stream.set_read_timeout(Some(TURN))?;
    stream.set_write_timeout(Some(TURN))?;
    stream.read_exact(&mut [0])?;
    let _turn = lending.lend();
    stream.write_all(b"!")?;
    stream.read(&mut [0]).map(drop)
}

/// Turns of a server and of the commands beside it: in alternation, if both wait.
#[derive(Debug, Default)]
struct Lending {
    state: Mutex<TurnState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct TurnState {
    /// Whether the server writes, or a command has a turn.
    is_taken: bool,
    /// Number of commands that wait.
    commands: usize,
    /// Whether the server waits.
    is_server_waiting: bool,
    /// Whether the last turn was that of a command.
    was_lent: bool,
}

/// A turn of the server, or of a command.
#[derive(Debug)]
pub struct OwnTurn<'a>(&'a Lending);

impl Lending {
    fn state(&self) -> MutexGuard<'_, TurnState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) -> OwnTurn<'_> {
        let mut state = self.state();
        state.is_server_waiting = true;
        let is_not_next =
            |state: &mut TurnState| state.is_taken || (state.commands > 0 && !state.was_lent);
        let waited = self.changed.wait_while(state, is_not_next);
        state = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_server_waiting = false;
        state.was_lent = false;
        state.is_taken = true;
        OwnTurn(self)
    }

    fn lend(&self) -> OwnTurn<'_> {
        let mut state = self.state();
        state.commands += 1;
        let is_not_next =
            |state: &mut TurnState| state.is_taken || (state.is_server_waiting && state.was_lent);
        let waited = self.changed.wait_while(state, is_not_next);
        state = waited.unwrap_or_else(PoisonError::into_inner);
        state.commands -= 1;
        state.was_lent = true;
        state.is_taken = true;
        OwnTurn(self)
    }
}

impl Drop for OwnTurn<'_> {
    fn drop(&mut self) {
        self.0.state().is_taken = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
