//! Checking the log: that its records are those that were sealed and signed, and that the uses
//! of tokens are those whose root is in it.

use super::use_check::{self, UseCheck};
use super::{checkpoint, retention, sealing, shipping, sink};
use crate::{App, Context, Error};
use domain::audit::chain::{Head, Sealed};
use domain::audit::checkpoint::{Checkpoint, SignedCheckpoint, read_file};
use domain::audit::discrepancy::{Discrepancy, Kind, Report};
use domain::audit::note::{NoteFault, VerifierKey};
use domain::audit::verifier::Verifier;
use domain::audit::{Action, Actor};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use store::audit::{Log, Stored};

/// Lines that are read at once.
const CHUNK: i64 = 200;

/// What came out of a check of the log in the database.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Of its records and checkpoints.
    pub report: Report,
    /// How many uses of tokens are kept and were checked.
    pub uses: u64,
    /// How many checkpoints do not count, since no known key has signed them.
    pub unknown: usize,
}

/// What a check holds the log against, besides what this server has.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// A file with more checkpoints.
    pub checkpoints: Option<&'a Path>,
    /// More keys whose signatures count.
    pub keys: &'a [VerifierKey],
}

/// Checks the log in the database against itself, against the checkpoints in the database, in
/// the file that they go to, in the memory of this server and in `more` evidence, and against
/// the uses of tokens that are kept. `progress` hears how many records of how many are done.
pub async fn verify(
    app: &App,
    more: Evidence<'_>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verified, Error> {
    loop {
        sealing::seal(app).await?;
        let log = sealing::find(app).await?;
        let verified = verify_from(app, more, &log, &mut progress).await?;
        // Of a log that is pruned meanwhile, lines vanish before they are read.
        if sealing::find(app).await?.pruned == log.pruned {
            return Ok(verified);
        }
    }
}

/// Checks the log behind the head with which it begins.
async fn verify_from(
    app: &App,
    more: Evidence<'_>,
    log: &Log,
    progress: &mut impl FnMut(u64, u64),
) -> Result<Verified, Error> {
    retention::delete(app, log).await?;
    // First the checkpoints: of what is sealed meanwhile none is among them.
    let Known {
        keys,
        checkpoints,
        unknown,
    } = known(app, more).await?;
    let start = log.start();
    let verifier = Verifier::new(log.origin.clone(), start, checkpoints.into_iter());
    let mut verifier = verifier.trusting(keys.clone());
    let (mut after, mut uses) = (start.sequence, UseCheck::new(&keys));
    let end = loop {
        let lines = list_lines(app, after, CHUNK).await?;
        if lines.is_empty() {
            // What was committed since is checked too: it may tell what became of uses.
            sealing::seal_present(app).await?;
            let end = sealing::find(app).await?.head;
            match end.sequence > after && !list_lines(app, after, 1).await?.is_empty() {
                true => continue,
                false => break end,
            }
        }
        for (resource, line) in lines {
            after = resource;
            if let Ok(Sealed { record, .. }) = &line {
                uses.examine(app, record).await?;
            }
            verifier.take(line);
        }
        progress(after, log.head.sequence);
    };
    let misplaced = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::audit::is_any_misplaced(conn, start.sequence)?))
        .await?;
    let misplaced = misplaced.then(|| {
        let says = "A line stands before the first record.";
        Discrepancy::new(start.next_sequence(), Kind::Inserted, says)
    });
    let planted = use_check::find_planted(app, &end).await?;
    let mut report = verifier.finish();
    let discrepancy = retention::discrepancy(log, &keys)
        .or(report.first_discrepancy.take())
        .or_else(|| disagreement(&report.head, &end))
        .or(shipping::contradiction(app, log).await?)
        .or(misplaced)
        .or_else(|| report.unnamed.map(unnamed_discrepancy))
        .or_else(|| uses.discrepancy())
        .or(planted);
    report.first_discrepancy = discrepancy;
    Ok(Verified {
        report,
        uses: uses.count,
        unknown,
    })
}

/// The next lines of the log, as they are stored.
async fn list_lines(app: &App, after: u64, limit: i64) -> Result<Vec<Stored>, Error> {
    // SQLite answers at once; others on this thread must have their turn.
    tokio::task::yield_now().await;
    app.store()
        .read(move |conn| Ok::<_, Error>(store::audit::list_lines(conn, after, limit)?))
        .await
}

/// What was erased without a word of the log that counts.
fn unnamed_discrepancy(sequence: u64) -> Discrepancy {
    let says = format!(
        "What tells of a person was erased from record {sequence}, and the log does not say that \
         the operator did so."
    );
    Discrepancy::new(sequence, Kind::Edited, says)
}

/// Whether everything fits up to the head that a checkpoint has signed.
pub(super) async fn fits_until(app: &App, log: &Log, last: Checkpoint) -> Result<bool, Error> {
    let (mut after, end) = (log.start().sequence, last.head.sequence);
    let mut verifier = Verifier::new(log.origin.clone(), log.start(), std::iter::once(Ok(last)));
    while after < end {
        let count = CHUNK.min(i64::try_from(end - after).unwrap_or(CHUNK));
        let lines = list_lines(app, after, count).await?;
        let Some((resource, _)) = lines.last() else {
            break;
        };
        after = *resource;
        lines.into_iter().for_each(|(_, line)| verifier.take(line));
    }
    Ok(verifier.finish().first_discrepancy.is_none())
}

/// Records that the log was checked, and what came of it.
pub async fn record(app: &App, context: &Context, verified: &Verified) -> Result<(), Error> {
    let event = app.event(context, Actor::Operator, Action::AuditVerified);
    let detail = describe(verified);
    app.store()
        .write(move |conn| event.write(conn, None, detail.clone()))
        .await
}

/// What came of a check, as the record of it says.
pub(super) fn describe(verified: &Verified) -> Value {
    let report = &verified.report;
    json!({
        "records": report.records,
        "head": report.head.sequence,
        "discrepancy": report.first_discrepancy.as_ref().map(|discrepancy| json!({
            "sequence": discrepancy.sequence,
            "kind": discrepancy.kind.as_str(),
        })),
    })
}

/// What is wrong between the last record and what the database has noted as the end.
fn disagreement(head: &Head, end: &Head) -> Option<Discrepancy> {
    if head == end {
        return None;
    }
    let (has, should) = (head.sequence, end.sequence);
    Some(match has < should {
        true => {
            let says = format!("There were {should} records; those after {has} are gone.");
            Discrepancy::new(has + 1, Kind::Cut, says)
        }
        false => {
            let says = format!("The log ends with record {should}; what follows was added.");
            Discrepancy::new(should + 1, Kind::Inserted, says)
        }
    })
}

/// A checkpoint, or why a note is none.
pub(super) type Read = Result<Checkpoint, NoteFault>;

/// What a log is held against.
pub(super) struct Known {
    /// The keys whose signatures count.
    keys: Vec<VerifierKey>,
    /// All checkpoints that are at hand. Most of them are in several places.
    pub(super) checkpoints: Vec<Read>,
    /// How many more do not count, since no known key has signed them.
    unknown: usize,
}

/// What is at hand here and in `more` evidence. Of the checkpoints that somebody names all must
/// count.
pub(super) async fn known(app: &App, more: Evidence<'_>) -> Result<Known, Error> {
    let (mut keys, remembered) = checkpoint::remembered(app).await?;
    keys.extend_from_slice(more.keys);
    let notes = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::list_checkpoints(conn, 0, i64::MAX)?))
        .await?;
    let notes = notes.into_iter().map(|(_, note)| note);
    let notes = notes.chain(remembered);
    let notes: Vec<_> = notes.collect();
    let (file, counting) = (checkpoint::file(app), keys.clone());
    // To hold many signatures against their keys takes a while.
    let read = tokio::task::spawn_blocking(move || {
        let mut all: Vec<Read> = notes
            .iter()
            .map(|note| SignedCheckpoint::parse(note).and_then(|note| note.verify(&counting)))
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

/// Adds the checkpoints of a file, if there is one.
fn read_notes(path: &Path, keys: &[VerifierKey], to: &mut Vec<Read>) {
    match File::open(path) {
        Ok(file) => to.extend(read_file(BufReader::new(file), keys)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => to.push(Err(NoteFault::Unreadable(error.to_string()))),
    }
}
