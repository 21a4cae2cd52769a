//! Evidence that the log is compared with: checkpoints in the database, in the checkpoint file, in
//! the local state of this server, and from the operator.

use super::{keys, sink};
use crate::{App, Error};
use config::Destination;
use domain::audit::checkpoint::{Checkpoint, read_file};
use domain::audit::discrepancy::{Discrepancy, Kind};
use domain::audit::note::{NoteFault, VerifierKey};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

/// Additional evidence for a verification.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// File with additional checkpoints.
    pub checkpoints: Option<&'a Path>,
    /// Additional trusted keys.
    pub keys: &'a [VerifierKey],
}

/// Verifies a note. `None` if no known key signed it.
pub(super) fn read(note: &str, keys: &[VerifierKey]) -> Result<Option<Checkpoint>, Discrepancy> {
    match Checkpoint::verify(note, keys) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(NoteFault::Unknown) => Ok(None),
        Err(fault) => {
            let says = format!("The last checkpoint does not count: {fault}.");
            Err(Discrepancy::new(0, Kind::Signature, says))
        }
    }
}

/// Returns the first checkpoint that a known key signed. A file may also contain checkpoints of
/// servers with other keys.
pub(super) fn last_of(
    notes: &[String],
    keys: &[VerifierKey],
) -> Result<Option<Checkpoint>, Discrepancy> {
    let read = notes.iter().map(|note| read(note, keys));
    read.filter_map(Result::transpose).next().transpose()
}

/// The file that checkpoints are published to, if the destination is a file.
pub(super) fn file(app: &App) -> Option<PathBuf> {
    match &app.config().audit.checkpoint_to {
        Some(Destination::File(path)) => Some(path.clone()),
        _ => None,
    }
}

/// A verified checkpoint, or why its note is rejected.
pub(super) type Read = Result<Checkpoint, NoteFault>;

/// Evidence that a log is compared with.
pub(super) struct Known {
    /// Trusted keys.
    pub(super) keys: Vec<VerifierKey>,
    /// All available checkpoints. Most of them are stored several times.
    pub(super) checkpoints: Vec<Read>,
    /// Number of further checkpoints that no known key signed.
    pub(super) unknown: usize,
}

/// Loads the evidence of this server and `more`. All checkpoints in `more` must be valid.
pub(super) async fn known(app: &App, more: Evidence<'_>) -> Result<Known, Error> {
    let (mut keys, remembered) = keys::remembered(app).await?;
    keys.extend_from_slice(more.keys);
    let notes = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::list_checkpoints(conn, 0, i64::MAX)?))
        .await?;
    let notes = notes.into_iter().map(|(_, note)| note);
    let notes = notes.chain(remembered);
    let notes: Vec<_> = notes.collect();
    let (file, counting) = (file(app), keys.clone());
    // Verifying many signatures takes a while.
    let read = tokio::task::spawn_blocking(move || {
        let mut all: Vec<Read> = notes
            .iter()
            .map(|note| Checkpoint::verify(note, &counting))
            .collect();
        if let Some(path) = file {
            read_notes(&path, &counting, &mut all);
        }
        all
    });
    let mut all = read
        .await
        .map_err(|stopped| store::Error::Other(stopped.to_string()))?;
    let before = all.len();
    all.retain(|read| *read != Err(NoteFault::Unknown));
    let unknown = before - all.len();
    if let Some(path) = more.checkpoints {
        let file = File::open(path).map_err(|error| sink::of_file(path, error))?;
        all.extend(read_file(BufReader::new(file), &keys));
    }
    Ok(Known {
        keys,
        checkpoints: all,
        unknown,
    })
}

/// Adds the checkpoints of a file, if it exists.
fn read_notes(path: &Path, keys: &[VerifierKey], to: &mut Vec<Read>) {
    match File::open(path) {
        Ok(file) => to.extend(read_file(BufReader::new(file), keys)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => to.push(Err(NoteFault::Unreadable(error.to_string()))),
    }
}
