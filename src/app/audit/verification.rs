//! Checking the log: that its records are those that were sealed and signed, and that the uses
//! of tokens are those whose root is in it.

use super::{checkpoint, retention, sealing};
use crate::app::{App, Context, Error};
use crate::domain::audit::canonical;
use crate::domain::audit::chain::{Head, Sealed};
use crate::domain::audit::checkpoint::{Checkpoint, SignedCheckpoint, read_file};
use crate::domain::audit::doubt::{Doubt, Kind, Report};
use crate::domain::audit::merkle;
use crate::domain::audit::note::{NoteFault, VerifierKey};
use crate::domain::audit::record::Record;
use crate::domain::audit::token_use::Use;
use crate::domain::audit::verifier::Verifier;
use crate::domain::audit::{Action, Actor};
use crate::domain::id::EventId;
use crate::store;
use crate::store::audit::{Log, Sheaf};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

/// Lines that are read at once.
const CHUNK: i64 = 200;

/// Batches of uses that are looked at at once.
const BATCHES: i64 = 100;

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
    let keys = [&super::keys(app).await?[..], more.keys].concat();
    // First the checkpoints: of what is sealed meanwhile none is among them.
    let (checkpoints, unknown) = checkpoints(app, more).await?;
    let start = log.start();
    let verifier = Verifier::new(log.origin.clone(), start, checkpoints.into_iter());
    let mut verifier = verifier.trusting(keys.clone());
    let (mut after, mut uses) = (start.sequence, UseCheck::default());
    let end = loop {
        let lines = app
            .store()
            .read(move |conn| Ok::<_, Error>(store::audit::list_lines(conn, after, CHUNK)?))
            .await?;
        if lines.is_empty() {
            // What was committed since is checked too: it may tell what became of uses.
            sealing::seal(app).await?;
            let end = sealing::find(app).await?.head;
            match end.sequence > after && is_any_line(app, after).await? {
                true => continue,
                false => break end,
            }
        }
        for (place, line) in lines {
            after = place;
            if let Ok(Sealed { record, .. }) = &line {
                uses.examine(app, record).await?;
            }
            verifier.take(line);
        }
        progress(after, log.head.sequence);
        // SQLite answers at once; others on this thread must have their turn.
        tokio::task::yield_now().await;
    };
    let misplaced = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::audit::is_any_misplaced(conn, start.sequence)?))
        .await?;
    let misplaced = misplaced.then(|| {
        let says = "A line stands before the first record.";
        Doubt::new(start.next_sequence(), Kind::Inserted, says)
    });
    let planted = find_planted(app, &end).await?;
    let mut report = verifier.finish();
    let doubt = retention::doubt(log, &keys)
        .or(report.first_doubt.take())
        .or_else(|| disagreement(&report.head, &end))
        .or(misplaced)
        .or_else(|| report.unnamed.map(doubt_unnamed))
        .or_else(|| uses.doubt())
        .or(planted);
    report.first_doubt = doubt;
    Ok(Verified {
        report,
        uses: uses.count,
        unknown,
    })
}

/// What was erased without a word of the log that counts.
fn doubt_unnamed(sequence: u64) -> Doubt {
    let says = format!(
        "What tells of a person was erased from record {sequence}, and the log does not say that \
         the operator did so."
    );
    Doubt::new(sequence, Kind::Edited, says)
}

/// What does not fit up to a head that a checkpoint has signed.
pub(super) async fn examine_until(app: &App, log: &Log, last: Checkpoint) -> Result<bool, Error> {
    let (mut after, end) = (log.start().sequence, last.head.sequence);
    let mut verifier = Verifier::new(log.origin.clone(), log.start(), std::iter::once(Ok(last)));
    while after < end {
        let count = CHUNK.min(i64::try_from(end - after).unwrap_or(CHUNK));
        let lines = app
            .store()
            .read(move |conn| Ok::<_, Error>(store::audit::list_lines(conn, after, count)?))
            .await?;
        let Some((place, _)) = lines.last() else {
            break;
        };
        after = *place;
        lines.into_iter().for_each(|(_, line)| verifier.take(line));
        tokio::task::yield_now().await;
    }
    Ok(verifier.finish().first_doubt.is_none())
}

/// Uses that are kept although no record tells of them.
async fn find_planted(app: &App, end: &Head) -> Result<Option<Doubt>, Error> {
    let mut after = String::new();
    loop {
        let from = after.clone();
        let (ids, recorded) = app
            .store()
            .read(move |conn| {
                let ids = store::audit::list_batches(conn, &from, BATCHES)?;
                let recorded = store::audit::list_recorded(conn, &ids)?;
                Ok::<_, Error>((ids, recorded))
            })
            .await?;
        let Some(last) = ids.last() else {
            return Ok(None);
        };
        let planted = ids.iter().find(|id| !recorded.contains(id));
        if let Some(planted) = planted
            && is_still_planted(app, planted.clone()).await?
        {
            let says =
                format!("Uses of tokens are kept under {planted}, and no record tells of them.");
            return Ok(Some(Doubt::new(end.sequence, Kind::Inserted, says)));
        }
        after.clone_from(last);
        tokio::task::yield_now().await;
    }
}

/// Whether they are there still: uses are forgotten while one looks, and their record with them.
async fn is_still_planted(app: &App, id: String) -> Result<bool, Error> {
    app.store()
        .read(move |conn| {
            let is_recorded =
                !store::audit::list_recorded(conn, std::slice::from_ref(&id))?.is_empty();
            let is_kept = !store::audit::list_batch(conn, &id)?.is_empty();
            Ok::<_, Error>(is_kept && !is_recorded)
        })
        .await
}

async fn is_any_line(app: &App, after: u64) -> Result<bool, Error> {
    let lines = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::audit::list_lines(conn, after, 1)?))
        .await?;
    Ok(!lines.is_empty())
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
        "doubt": report.first_doubt.as_ref().map(|doubt| json!({
            "sequence": doubt.sequence,
            "kind": doubt.kind.as_str(),
        })),
    })
}

/// What is wrong between the last record and what the database has noted as the end.
fn disagreement(head: &Head, end: &Head) -> Option<Doubt> {
    if head == end {
        return None;
    }
    let (has, should) = (head.sequence, end.sequence);
    Some(match has < should {
        true => {
            let says = format!("There were {should} records; those after {has} are gone.");
            Doubt::new(has + 1, Kind::Cut, says)
        }
        false => {
            let says = format!("The log ends with record {should}; what follows was added.");
            Doubt::new(should + 1, Kind::Inserted, says)
        }
    })
}

/// A checkpoint, or why a note is none.
pub(super) type Read = Result<Checkpoint, NoteFault>;

/// All checkpoints that are at hand, in the order of what they sign, and how many do not count
/// since no known key has signed them. Of those that somebody names all must count.
pub(super) async fn checkpoints(
    app: &App,
    more: Evidence<'_>,
) -> Result<(Vec<Read>, usize), Error> {
    let (mut keys, remembered) = checkpoint::remembered(app).await?;
    keys.extend_from_slice(more.keys);
    let notes = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::list_checkpoints(conn, 0, i64::MAX)?))
        .await?;
    let notes = notes.into_iter().map(|(_, note)| note);
    let notes = notes.chain(remembered);
    let mut all: Vec<Read> = notes
        .map(|note| SignedCheckpoint::parse(&note).and_then(|note| note.verify(&keys)))
        .collect();
    if let Some(path) = checkpoint::file(app) {
        read_notes(&path, &keys, &mut all);
    }
    let before = all.len();
    all.retain(|read| *read != Err(NoteFault::Unknown));
    let unknown = before - all.len();
    if let Some(path) = more.checkpoints {
        match path.exists() {
            true => read_notes(path, &keys, &mut all),
            false => all.push(Err(NoteFault::Unreadable(
                "there is no such file".to_owned(),
            ))),
        }
    }
    all.sort_by_key(|read| match read {
        Ok(checkpoint) => checkpoint.head.sequence,
        Err(_) => u64::MAX,
    });
    // Most of them are in several places.
    all.dedup();
    Ok((all, unknown))
}

/// Adds the checkpoints of a file, if there is one.
fn read_notes(path: &Path, keys: &[VerifierKey], to: &mut Vec<Read>) {
    match File::open(path) {
        Ok(file) => to.extend(read_file(BufReader::new(file), keys)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => to.push(Err(NoteFault::Unreadable(error.to_string()))),
    }
}

/// Holds the uses that are kept against the roots in the log.
#[derive(Default)]
struct UseCheck {
    count: u64,
    /// The first batch that is not as it was recorded.
    altered: Option<Doubt>,
    /// The latest batch of which nothing is kept: its place, and its id, which begins with when
    /// it was made.
    gone: Option<(u64, String)>,
    /// Before which id batches were forgotten, as the log says.
    forgotten: Option<String>,
}

impl UseCheck {
    async fn examine(&mut self, app: &App, record: &Record) -> Result<(), Error> {
        let text = |key: &str| record.detail.get(key).and_then(|value| value.as_str());
        if record.action == Action::TokenUsesForgotten.as_str() {
            let before = text("before").and_then(canonical::moment::read);
            let before = before.map(|at| EventId::new(at, Default::default()).to_string());
            self.forgotten = self.forgotten.take().max(before);
        }
        if record.action != Action::TokenUsesRecorded.as_str() || self.altered.is_some() {
            return Ok(());
        }
        let count = record.detail.get("count").and_then(|count| count.as_u64());
        if count == Some(0) {
            return Ok(());
        }
        let id = record.id.clone();
        let sheaves = app
            .store()
            .read(move |conn| Ok::<_, Error>(store::audit::list_batch(conn, &id)?))
            .await?;
        if sheaves.is_empty() {
            if self.gone.as_ref().is_none_or(|(_, id)| record.id >= *id) {
                self.gone = Some((record.sequence, record.id.clone()));
            }
            return Ok(());
        }
        let leaves = leaves(&sheaves);
        let root = leaves.as_deref().map(merkle::root);
        if root.map(|root| root.to_string()).as_deref() == text("root") {
            self.count += count.unwrap_or(0);
        } else {
            let says = format!(
                "The uses of tokens that record {} stands for are not those that are kept.",
                record.sequence
            );
            self.altered = Some(Doubt::new(record.sequence, Kind::Edited, says));
        }
        Ok(())
    }

    fn doubt(&self) -> Option<Doubt> {
        let before = self.forgotten.as_deref();
        let is_forgotten = |id: &str| before.is_some_and(|before| id < before);
        let gone = self.gone.as_ref().filter(|(_, id)| !is_forgotten(id));
        self.altered.clone().or_else(|| {
            gone.map(|(sequence, _)| {
                let says = format!(
                    "The uses of tokens that record {sequence} stands for are gone, and the log \
                     does not say that they were forgotten."
                );
                Doubt::new(*sequence, Kind::Missing, says)
            })
        })
    }
}

/// The leaves of a batch; `None` if its rows are not as they were written.
pub(super) fn leaves(sheaves: &[Sheaf]) -> Option<Vec<crate::domain::audit::hash::Hash>> {
    let mut leaves = Vec::new();
    for sheaf in sheaves {
        let is_next = usize::try_from(sheaf.position) == Ok(leaves.len());
        let lines: Vec<_> = sheaf.uses.split('\n').collect();
        let is_whole = usize::try_from(sheaf.count) == Ok(lines.len());
        if !is_next || !is_whole {
            return None;
        }
        for line in lines {
            let one: Use = canonical::read(line.as_bytes()).ok()?;
            let is_here = one.token_id == sheaf.token_id
                && one.organization_id == sheaf.organization_id
                && one.at.format("%Y-%m-%d").to_string() == sheaf.day
                && (sheaf.first_at..=sheaf.last_at).contains(&one.at);
            if !is_here {
                return None;
            }
            leaves.push(one.leaf());
        }
    }
    Some(leaves)
}
