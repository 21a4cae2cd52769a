//! What is known about the state of the log, without reading all of it: the last verification and
//! the last signed checkpoint.

use super::keys::{keys, verify_note};
use crate::{App, Error};
use domain::Instant;
use domain::audit::Action;
use domain::audit::checkpoint::Checkpoint;
use domain::audit::record::Record;
use serde_json::Value;
use store::audit::{Filter, Side};

/// What is known about the log.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The last recorded verification.
    pub verification: Option<Verification>,
    /// The last checkpoint, if a known key signed it.
    pub checkpoint: Option<Checkpoint>,
}

/// A recorded verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// When it ended.
    pub at: Instant,
    /// Number of verified records.
    pub records: u64,
    /// The first record that does not fit; `None` if the whole log verifies.
    pub discrepancy: Option<u64>,
}

/// The last verification and the last checkpoint. Each is one look-up in an index. The page or call
/// that shows them has the right to read the log.
pub async fn standing(app: &App) -> Result<Standing, Error> {
    let keys = keys(app).await?;
    let (record, note) = app
        .store()
        .read(|conn| {
            let verified = Filter {
                actions: Some(vec![Action::AuditVerified]),
                ..Filter::default()
            };
            let newest = Side::Before(u64::MAX);
            let record = store::audit::list_records(conn, &verified, newest, 1)?.pop();
            let note = store::audit::find_last_checkpoint(conn)?;
            Ok::<_, Error>((record, note))
        })
        .await?;
    let checkpoint = note.and_then(|note| verify_note(&note, &keys).ok().flatten());
    Ok(Standing {
        verification: record.and_then(|sealed| read(&sealed.record)),
        checkpoint,
    })
}

fn read(record: &Record) -> Option<Verification> {
    let discrepancy = record.detail.get("discrepancy");
    let discrepancy = discrepancy.filter(|found| !found.is_null());
    Some(Verification {
        at: record.at,
        records: record.detail.get("records").and_then(Value::as_u64)?,
        // Without a number, the log is wrong all the same.
        discrepancy: discrepancy
            .map(|found| found.get("sequence").and_then(Value::as_u64).unwrap_or(0)),
    })
}
