//! Verifies the log: its records against its seals and signatures, token uses against their roots,
//! and the stored tokens against the records of their creation.
//!
//! A verification on request is a check. One check runs at a time; concurrent requests share its
//! result.

mod tokens;
mod uses;

use super::checkpoint::{Evidence, Known, known, start_discrepancy};
use super::read::READ;
use super::{seal, ship};
use crate::{App, Error, Request, throttle};
use chrono::Duration;
use domain::Instant;
use domain::audit::Action;
use domain::audit::chain::{Head, Sealed};
use domain::audit::checkpoint::Checkpoint;
use domain::audit::discrepancy::{Discrepancy, Kind, Report};
use domain::audit::verifier::Verifier;
use domain::role::Role;
use serde_json::{Value, json};
use store::audit::{Log, Stored};
use tokio::sync::Mutex;
use uses::UseCheck;

/// Lines per query.
const CHUNK: i64 = 200;

/// How long a result is reused.
const FRESH: Duration = Duration::seconds(10);

/// Result of a verification of the log in the database.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Report on its records and checkpoints.
    pub report: Report,
    /// Number of stored token uses that were verified.
    pub uses: u64,
    /// Number of checkpoints that no known key signed.
    pub unknown: usize,
}

/// Verifies the log in the database against itself, against the checkpoints in the database, in
/// the checkpoint file, in the local state of this server and in the `more` evidence, and against
/// the stored tokens and their uses. `progress` receives the number of records done and the total.
pub async fn verify(
    app: &App,
    more: Evidence<'_>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verified, Error> {
    loop {
        seal::seal(app).await?;
        let log = seal::find(app).await?;
        let verified = verify_from(app, more, &log, &mut progress).await?;
        // If the log was pruned meanwhile, lines were missing: verify again.
        if seal::find(app).await?.pruned == log.pruned {
            return Ok(verified);
        }
    }
}

/// Verifies the log after its start.
async fn verify_from(
    app: &App,
    more: Evidence<'_>,
    log: &Log,
    progress: &mut impl FnMut(u64, u64),
) -> Result<Verified, Error> {
    // Load the checkpoints first, so that they cover no records sealed later.
    let Known {
        keys,
        checkpoints,
        unknown,
    } = known(app, more).await?;
    let start = log.start();
    let verifier = Verifier::new(log.origin.clone(), start, checkpoints.into_iter());
    let mut verifier = verifier.trusting(keys.clone());
    let (mut after, mut uses) = (start.sequence, UseCheck::new(&log.origin, &keys));
    let end = loop {
        let lines = list_lines(app, after, CHUNK).await?;
        if lines.is_empty() {
            // Records committed since are verified too: they may explain missing uses.
            seal::seal_present(app).await?;
            let end = seal::find(app).await?.head;
            match end.sequence > after && !list_lines(app, after, 1).await?.is_empty() {
                true => continue,
                false => break end,
            }
        }
        for (sequence, line) in lines {
            after = sequence;
            if let Ok(Sealed { record, .. }) = &line {
                uses.examine(app, record).await?;
            }
            verifier.take(line);
        }
        progress(after, log.head.sequence);
    };
    let misplaced = find_misplaced(app, log).await?;
    let planted = uses::find_planted(app, &end).await?;
    let unrecorded = tokens::find_unrecorded(app, log, &end).await?;
    let mut report = verifier.finish();
    let discrepancy = start_discrepancy(log, &keys)
        .or(report.first_discrepancy.take())
        .or_else(|| disagreement(&report.head, &end))
        .or(ship::contradiction(app).await?)
        .or(misplaced)
        .or_else(|| report.unnamed.map(unnamed_discrepancy))
        .or_else(|| uses.discrepancy())
        .or(planted)
        .or(unrecorded);
    report.first_discrepancy = discrepancy;
    Ok(Verified {
        report,
        uses: uses.count,
        unknown,
    })
}

/// Reads the next stored lines of the log.
async fn list_lines(app: &App, after: u64, limit: i64) -> Result<Vec<Stored>, Error> {
    app.store()
        .read_long(move |conn| Ok::<_, Error>(store::audit::list_lines(conn, after, limit)?))
        .await
}

/// Checks the lines before the start of the log: either none, or the last ones that were pruned,
/// left by an interrupted deletion.
async fn find_misplaced(app: &App, log: &Log) -> Result<Option<Discrepancy>, Error> {
    let start = log.start();
    loop {
        let first = first_line(app).await?;
        if is_rest_of_pruning(app, log).await? {
            return Ok(None);
        }
        // A deletion that continues meanwhile takes away the lowest lines: check again.
        if first_line(app).await? == first {
            let says = "A line stands before the first record.";
            let place = start.next_sequence();
            return Ok(Some(Discrepancy::new(place, Kind::Inserted, says)));
        }
    }
}

/// Time of the first record after the start of the log; `None` if there is none, or if its line is
/// damaged.
async fn first_record_at(app: &App, log: &Log) -> Result<Option<Instant>, Error> {
    let lines = list_lines(app, log.start().sequence, 1).await?;
    let first = lines.into_iter().next().and_then(|(_, line)| line.ok());
    Ok(first.map(|line| line.record.at))
}

/// Sequence of the first stored line.
async fn first_line(app: &App) -> Result<Option<u64>, Error> {
    let lines = list_lines(app, 0, 1).await?;
    Ok(lines.first().map(|(sequence, _)| *sequence))
}

/// Whether the lines before the start of the log form the end of the pruned chain.
async fn is_rest_of_pruning(app: &App, log: &Log) -> Result<bool, Error> {
    let start = log.start();
    let is_any_before_all = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::is_any_misplaced(conn)?))
        .await?;
    let mut left: Option<Head> = None;
    let mut is_chain = !is_any_before_all;
    let mut after = 0;
    while is_chain && after < start.sequence {
        let lines = list_lines(app, after, CHUNK).await?;
        let of_pruned = lines
            .into_iter()
            .take_while(|(at, _)| *at <= start.sequence);
        let of_pruned: Vec<_> = of_pruned.collect();
        let Some((last, _)) = of_pruned.last() else {
            break;
        };
        after = *last;
        for (sequence, line) in of_pruned {
            let line = line.ok().filter(|line| line.record.sequence == sequence);
            is_chain &= match (&line, &left) {
                (Some(line), Some(left)) => left.is_followed_by(line),
                (line, None) => line.is_some(),
                (None, Some(_)) => false,
            };
            left = line.map(|line| line.head());
        }
    }
    Ok(is_chain && left.is_none_or(|left| left == start))
}

/// Discrepancy of an erasure without a valid record.
fn unnamed_discrepancy(sequence: u64) -> Discrepancy {
    let says = format!(
        "Personal data was erased from record {sequence}, and no valid record of the log says that \
         the operator did so."
    );
    Discrepancy::new(sequence, Kind::Edited, says)
}

/// Whether the log verifies up to the head of a checkpoint.
pub(super) async fn fits_until(app: &App, log: &Log, last: Checkpoint) -> Result<bool, Error> {
    let (mut after, end) = (log.start().sequence, last.head.sequence);
    let mut verifier = Verifier::new(log.origin.clone(), log.start(), std::iter::once(Ok(last)));
    while after < end {
        let count = CHUNK.min(i64::try_from(end - after).unwrap_or(CHUNK));
        let lines = list_lines(app, after, count).await?;
        let Some((sequence, _)) = lines.last() else {
            break;
        };
        after = *sequence;
        lines.into_iter().for_each(|(_, line)| verifier.take(line));
    }
    Ok(verifier.finish().first_discrepancy.is_none())
}

/// Records a verification and its result.
pub async fn record(req: &Request, verified: &Verified) -> Result<(), Error> {
    let detail = describe(verified);
    req.change(Action::AuditVerified, move |tx| {
        tx.record(None, detail.clone())
    })
    .await
}

/// Result of a verification, in the form of its audit record.
fn describe(verified: &Verified) -> Value {
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

/// Compares the last record with the head stored in the database.
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

/// Result of a check and its end time.
#[derive(Debug, Clone)]
pub struct Checked {
    /// End of the check.
    pub at: Instant,
    /// Result.
    pub verified: Verified,
}

/// The last check of this server. The lock is held while a check runs.
#[derive(Default)]
pub struct LastCheck(Mutex<Option<Checked>>);

/// Verifies the log, for the operator and for admins of any organization. The result is recorded
/// before it is returned. Fails with [`Error::Throttled`] if the user or the owner of the token has verified it
/// too often: a verification takes time from everyone, and each leaves a record.
pub async fn check(req: &Request) -> Result<Checked, Error> {
    req.read(|tx| tx.authority()?.require_anywhere(READ, Role::Admin))
        .await?;
    throttle::count(&req.app, &throttle::audit_checks(&req.caller)).await?;
    let checked = check_or_repeat(&req.app).await?;
    record(req, &checked.verified).await?;
    Ok(checked)
}

/// Returns a recent result, or runs a check.
async fn check_or_repeat(app: &App) -> Result<Checked, Error> {
    let mut last = app.last_check().0.lock().await;
    let now = app.now();
    // A result from the future (clock set back) is not fresh.
    let is_fresh = |checked: &&Checked| checked.at <= now && now - checked.at <= FRESH;
    if let Some(checked) = last.as_ref().filter(is_fresh) {
        return Ok(checked.clone());
    }
    let verified = verify(app, Evidence::default(), |_, _| ()).await?;
    let checked = Checked {
        at: app.now(),
        verified,
    };
    *last = Some(checked.clone());
    Ok(checked)
}
